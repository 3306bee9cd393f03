package awsconfig

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrNoSection says that no file has a section for a profile.
var ErrNoSection = errors.New("the profile has no section in the AWS files")

// Setting is a line of a section: key = value.
type Setting struct{ Key, Value string }

// Section is a profile as it is to be written into the config file.
type Section struct {
	Name     string
	Settings []Setting
}

// CheckName says what is wrong with a name for a new profile. What is refused
// could be written, in quotes, but not for every AWS tool to read: those that
// are not botocore do not know quotes.
func CheckName(name string) error {
	bad := func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r) || strings.ContainsRune(`[]"'\#;`, r)
	}
	switch {
	case !validName(name):
		return fmt.Errorf("a profile's name is 1 to %d bytes of printable text", maxName)
	case strings.ContainsFunc(name, bad):
		return fmt.Errorf(`a profile's name has no blanks and none of []"'\#; for all AWS tools to read it`)
	case strings.HasPrefix(name, "-"):
		return fmt.Errorf("a profile's name does not start with -, like a flag")
	}
	return nil
}

// String returns the section's lines.
func (s Section) String() string {
	header := profileKind + " " + s.Name
	if s.Name == defaultName {
		header = defaultName
	}
	var b strings.Builder
	fmt.Fprintf(&b, "[%s]\n", header)
	for _, set := range s.Settings {
		fmt.Fprintf(&b, "%s = %s\n", set.Key, set.Value)
	}
	return b.String()
}

// check says why a section cannot be written so that it is read as it is
// meant.
func (s Section) check() error {
	if err := CheckName(s.Name); err != nil {
		return err
	}
	for _, set := range s.Settings {
		if err := set.check(); err != nil {
			return err
		}
	}
	return nil
}

func (s Setting) check() error {
	hidden := func(r rune) bool { return !unicode.IsPrint(r) }
	if s.Value == "" || s.Value != string(cutComment([]byte(s.Value))) || !utf8.ValidString(s.Value) || strings.ContainsFunc(s.Value, hidden) {
		return fmt.Errorf("%q cannot be the value of %s in a file", s.Value, s.Key)
	}
	return nil
}

// With returns c as it will be when the section is added. Nothing is written.
func (c *Config) With(s Section) (*Config, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	return &Config{file{path: c.config.path, data: s.appended(c.config.data)}, c.credentials}, nil
}

// Add appends the section to the config file, which is made if there is none,
// readable by the user alone, and tells where it stands. Nothing else of the
// file changes, and what [Rewrite] keeps is kept.
func (c *Config) Add(s Section) (Origin, error) {
	path := c.config.path
	at := Origin{File: path}
	if err := s.check(); err != nil {
		return at, err
	}
	if err := touch(path); err != nil {
		return at, err
	}
	err := Rewrite(path, func(text []byte) ([]byte, error) {
		now := &Config{newFile(path, text), c.credentials}
		if _, ok, _ := now.Profile(s.Name); ok {
			return nil, ErrChanged // it was not there when c was loaded
		}
		edited := s.appended(text)
		at.Line = countLines(edited) - len(s.Settings)
		return edited, nil
	})
	return at, err
}

// touch makes a file, and the directory that it is in, if there is none.
func touch(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// appended returns text with the section behind it, after an empty line, in
// lines that end as those of text do.
func (s Section) appended(text []byte) []byte {
	end := lineBreak(text)
	out := slices.Clip(text)
	if !separate(text) {
		if last := text[len(text)-1]; last != '\n' && last != '\r' {
			out = append(out, end...)
		}
		out = append(out, end...)
	}
	return append(out, strings.ReplaceAll(s.String(), "\n", end)...)
}

// separate reports whether what is added to text stands by itself: behind an
// empty line, or alone.
func separate(text []byte) bool {
	text = bytes.TrimPrefix(text, []byte(byteOrderMark))
	return len(text) == 0 || bytes.HasSuffix(text, []byte("\n\n")) || bytes.HasSuffix(text, []byte("\n\r\n"))
}

// lineBreak is what ends the lines of text.
func lineBreak(text []byte) string {
	if i := bytes.IndexByte(text, '\n'); i > 0 && text[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// Set gives a setting to a profile that is in the files: in the place of the
// line that it has now, or below the last setting of its section. Of a profile
// in both files that is the line that counts, else the section of the config
// file; of one in neither the error is [ErrNoSection]. It tells where the line
// stands; nothing else changes.
func (c *Config) Set(profile string, s Setting) (Origin, error) {
	if err := s.check(); err != nil {
		return Origin{}, err
	}
	p, ok, err := c.Profile(profile)
	if err != nil {
		return Origin{}, err
	}
	if !ok {
		return Origin{}, ErrNoSection
	}
	at := p.Origin
	if old, ok := p.Keys[s.Key]; ok {
		at = old.Origin
	}
	wanted := titled(profileKind, profile)
	switch {
	case at.File == c.credentials.path:
		wanted = literal(profile)
	case profile == defaultName && !c.config.has(title{profileKind, profile}):
		wanted = literal(profile)
	}
	err = Rewrite(at.File, func(text []byte) ([]byte, error) {
		edited, line := set(text, wanted, s)
		if line == 0 {
			return nil, ErrChanged // the section is gone
		}
		at.Line = line
		return edited, nil
	})
	return at, err
}

// has reports whether f has a section with this title.
func (f *file) has(t title) bool {
	for range f.sections(t) {
		return true
	}
	return false
}

// set returns text with the setting in the wanted section, and the line at
// which it stands; 0 when there is no such section. Where the setting is given
// more than once, the last counts.
func set(text []byte, wanted func(line []byte) bool, s Setting) (edited []byte, line int) {
	sc := scanner{data: text}
	if bytes.HasPrefix(text, []byte(byteOrderMark)) {
		sc.next = len(byteOrderMark)
	}
	inside, mine, found := false, false, false
	from, to := 0, 0  // what the new line replaces
	var indent []byte // of the settings around it: what is deeper would continue it
	for sc.scan() {
		switch sc.kind {
		case header:
			mine = false
			if inside = wanted(sc.text); inside && !found {
				from, to, line, indent = sc.next, sc.next, sc.num+1, nil
			}
		case setting:
			i := bytes.IndexAny(sc.text, "=:")
			mine = inside && i > 0 && lower(sc.text[:i]) == s.Key
			if mine || inside && !found {
				from, to, line = sc.next, sc.next, sc.num+1
				before, _, _ := bytes.Cut(text[sc.start:sc.next], sc.text)
				indent = before
			}
			if mine {
				from, line, found = sc.start, sc.num, true
			}
		case continuation:
			switch {
			case mine:
				to = sc.next
			case inside && !found:
				from, to, line = sc.next, sc.next, sc.num+1
			}
		}
	}
	if line == 0 {
		return text, 0
	}
	end := lineBreak(text)
	edited = slices.Clip(text[:from])
	if n := len(edited); from == len(text) && edited[n-1] != '\n' && edited[n-1] != '\r' {
		edited = append(edited, end...)
	}
	edited = append(edited, string(indent)+s.Key+" = "+s.Value+end...)
	return append(edited, text[to:]...), line
}
