package awsconfig

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"iter"
	"unicode/utf8"
)

// RawSection is one section of a file, as it stands there. Its slices are good
// until the next section is asked for.
type RawSection struct {
	// Header is what opens it, up to the closing bracket.
	Header []byte
	// Profile is the name of the profile that it is a section of, "" when it
	// is of none.
	Profile string
	// Lines are all lines up to the next section but for the comments.
	Lines []Line
}

// Line is a line of a section.
type Line struct {
	// Raw is the line as it stands, with what ends it.
	Raw []byte
	// Text is it without the blanks around it; empty for a blank line.
	Text []byte
	// Key is the name before the first "=" or ":", in lower case; nil where
	// there is none.
	Key []byte
	// Continues is set for a line that belongs to the setting above it: one of
	// a nested block, or more of the value.
	Continues bool

	nested bool // it continues a setting whose value is empty
}

// Readable reports whether a profile can have this line in its sections: see
// [Config.Profile].
func (l Line) Readable() bool {
	switch {
	case len(l.Text) == 0:
		return true
	case unreadable(l.Text) != 0:
		return false
	case l.nested:
		return bytes.IndexByte(l.Text, '=') > 0
	}
	return l.Continues || l.Key != nil && l.Text[0] != '['
}

// ConfigSections yields the sections of the config file in their order. What
// stands above the first header is in none.
func (c *Config) ConfigSections() iter.Seq[*RawSection] {
	buf := make([]byte, 0, maxName)
	return c.config.all(func(text []byte) []byte {
		if string(text) == defaultName {
			return text
		}
		if !bytes.HasPrefix(text, []byte(profileKind)) {
			return nil
		}
		name, ok := secondWord(text, buf)
		if !ok {
			return nil
		}
		return name
	})
}

// CredentialsSections yields the sections of the credentials file in their
// order. What stands above the first header is in none.
func (c *Config) CredentialsSections() iter.Seq[*RawSection] {
	return c.credentials.all(func(text []byte) []byte { return text })
}

// all yields all sections of f; profile returns the name of the profile
// that the text of a header names, nil when it names none.
func (f *file) all(profile func(text []byte) []byte) iter.Seq[*RawSection] {
	return func(yield func(*RawSection) bool) {
		var now RawSection
		var above []byte // the setting that lines may continue
		for s := (scanner{data: f.data}); s.scan(); {
			switch s.kind {
			case comment:
				continue
			case header:
				if now.Header != nil && !yield(&now) {
					return
				}
				text, _ := headerText(s.text)
				now = RawSection{Header: s.text[:bytes.LastIndexByte(s.text, ']')+1], Lines: now.Lines[:0]}
				if name := string(profile(text)); validName(name) {
					now.Profile = name
				}
				continue
			}
			if now.Header == nil {
				continue
			}
			line := Line{Raw: s.data[s.start:s.next], Text: s.text}
			at := bytes.IndexAny(s.text, "=:")
			if at > 0 {
				line.Key = lowered(bytes.TrimSpace(s.text[:at]))
			}
			switch s.kind {
			case setting:
				above = s.text[at+1:]
			case continuation:
				line.Continues, line.nested = true, len(cutComment(above)) == 0
			}
			now.Lines = append(now.Lines, line)
		}
		if now.Header != nil {
			yield(&now)
		}
	}
}

// lowered returns the name of a key as [lower] does, and allocates only where
// that is another one.
func lowered(key []byte) []byte {
	for _, c := range key {
		if 'A' <= c && c <= 'Z' || c >= utf8.RuneSelf {
			return bytes.ToLower(key)
		}
	}
	return key
}

// Sizes are those of the two files, in bytes.
func (c *Config) Sizes() (config, credentials int) {
	return len(c.config.data), len(c.credentials.data)
}

// Fingerprint is a digest of what the two files said when they were loaded.
func (c *Config) Fingerprint() [sha256.Size]byte {
	h := sha256.New()
	for _, f := range []file{c.config, c.credentials} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(f.data))))
		h.Write(f.data)
	}
	return [sha256.Size]byte(h.Sum(nil))
}
