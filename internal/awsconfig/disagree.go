package awsconfig

import (
	"bytes"
	"iter"
	"slices"
	"strings"
)

// Quirk is a way to write a line that the AWS tools read differently.
type Quirk string

// The quirks. The tools are the AWS CLI and boto3 (botocore), and the SDKs for
// Go and for JavaScript.
const (
	// TrailingComment is a value with a comment behind it, after a blank:
	// botocore takes the comment for a part of the value.
	TrailingComment Quirk = "trailing-comment"
	// ContinuedValue is a value that goes on in an indented line: botocore
	// and the SDK for Go join the lines, that for JavaScript keeps the first.
	ContinuedValue Quirk = "continued-value"
	// ColonSeparator is a colon in the place of the equals sign: botocore
	// takes it, the SDKs do not.
	ColonSeparator Quirk = "colon-separator"
	// QuotedValue is a value in double quotes: the SDK for Go drops them, the
	// others keep them.
	QuotedValue Quirk = "quoted-value"
	// QuotedName is a profile's name in quotes: botocore takes them off, the
	// SDKs do not find the profile.
	QuotedName Quirk = "quoted-name"
	// CapitalKey is a key in capitals: the SDK for JavaScript does not find
	// it.
	CapitalKey Quirk = "capital-key"
	// PaddedHeader is a header with blanks inside its brackets: botocore does
	// not find the section.
	PaddedHeader Quirk = "padded-header"
	// SecondSection is a section whose header was there before: botocore
	// refuses the whole file, the SDKs merge the two.
	SecondSection Quirk = "second-section"
	// StraySection is a section that no tool reads: one of the config file
	// without the word "profile", or one of the credentials file with it.
	StraySection Quirk = "stray-section"
	// SecondKey is a key that was there before: botocore refuses the whole
	// file, for the SDKs the last counts.
	SecondKey Quirk = "second-key"
)

// Disagreement is a line that the AWS tools read differently. Section is the
// text of its header, Profile the name in it where it is a profile's, and Key
// the setting's name where the line is one.
type Disagreement struct {
	Origin
	Quirk   Quirk
	Section string
	Profile string
	Key     string
}

// Disagreements yields the lines of the two files on which the AWS tools
// disagree, in their order.
func (c *Config) Disagreements() iter.Seq[Disagreement] {
	return func(yield func(Disagreement) bool) {
		_ = c.config.disagreements(yield, strayInConfig, profileInConfig) && c.credentials.disagreements(yield, strayInCredentials, func(text []byte) string { return string(text) })
	}
}

// profileInConfig returns the profile that a header of the config file names,
// "" when it names none.
func profileInConfig(text []byte) string {
	if string(text) == defaultName {
		return defaultName
	}
	if word, ok := secondWord(text, nil); ok && bytes.HasPrefix(text, []byte(profileKind)) {
		return string(word)
	}
	return ""
}

// strayInConfig reports whether a section of the config file with this header
// is read by nobody. The AWS CLI has a few of its own without a name.
func strayInConfig(text []byte) bool {
	switch string(text) {
	case defaultName, "preview", "plugins", "toolkit":
		return false
	}
	return !slices.ContainsFunc([]string{profileKind, sessionKind, servicesKind}, func(kind string) bool {
		return bytes.HasPrefix(text, []byte(kind))
	})
}

// strayInCredentials is the same for the credentials file.
func strayInCredentials(text []byte) bool {
	_, ok := secondWord(text, nil)
	return ok && bytes.HasPrefix(text, []byte(profileKind))
}

// disagreements reports whether to go on.
func (f *file) disagreements(yield func(Disagreement) bool, stray func(text []byte) bool, profile func(text []byte) string) bool {
	var now struct {
		section, profile, key string
		keys                  map[string]bool // of the section
		plain                 bool            // the setting has a value in its own line
	}
	seen := map[string]bool{}
	s := scanner{data: f.data}
	tell := func(q Quirk) bool {
		return yield(Disagreement{Origin: f.origin(&s), Quirk: q, Section: now.section, Profile: now.profile, Key: now.key})
	}
	for s.scan() {
		switch s.kind {
		case header:
			text, _ := headerText(s.text)
			now.section, now.profile, now.key, now.keys = string(text), profile(text), "", map[string]bool{}
			quirks := headerQuirks(s.text, text, seen[now.section])
			if stray(text) {
				quirks = append(quirks, StraySection)
			}
			for _, q := range quirks {
				if !tell(q) {
					return false
				}
			}
			seen[now.section] = true
		case setting:
			i := bytes.IndexAny(s.text, "=:")
			if i <= 0 || now.keys == nil {
				now.key, now.plain = "", false
				continue
			}
			now.key = lower(s.text[:i])
			now.plain = len(cutComment(s.text[i+1:])) > 0
			for _, q := range settingQuirks(s.text, i, now.key, now.keys[now.key]) {
				if !tell(q) {
					return false
				}
			}
			now.keys[now.key] = true
		case continuation:
			if now.plain && !tell(ContinuedValue) {
				return false
			}
			now.plain = false // once is enough
		}
	}
	return true
}

// headerQuirks returns what is odd about a header with this text.
func headerQuirks(line, text []byte, seen bool) (quirks []Quirk) {
	if end := bytes.LastIndexByte(line, ']'); end-1 != len(text) {
		quirks = append(quirks, PaddedHeader)
	}
	for _, kind := range []string{profileKind, sessionKind, servicesKind} {
		if _, ok := secondWord(text, nil); ok && bytes.HasPrefix(text, []byte(kind)) && quoted(text) {
			quirks = append(quirks, QuotedName)
			break
		}
	}
	if seen {
		quirks = append(quirks, SecondSection)
	}
	return quirks
}

// commands are keys whose value is a command line, in which quotes are the
// command's own.
var commands = []string{"credential_process", "mfa_process", "web_identity_token_process"}

// settingQuirks returns what is odd about a setting whose separator is the
// byte at sep.
func settingQuirks(line []byte, sep int, key string, seen bool) (quirks []Quirk) {
	if line[sep] == ':' {
		quirks = append(quirks, ColonSeparator)
	}
	if name := string(bytes.TrimSpace(line[:sep])); name != strings.ToLower(name) {
		quirks = append(quirks, CapitalKey)
	}
	value := bytes.TrimSpace(line[sep+1:])
	plain := cutComment(line[sep+1:])
	if len(plain) != len(value) {
		quirks = append(quirks, TrailingComment)
	}
	if n := len(plain); n > 1 && plain[0] == '"' && plain[n-1] == '"' && !slices.Contains(commands, key) {
		quirks = append(quirks, QuotedValue)
	}
	if seen {
		quirks = append(quirks, SecondKey)
	}
	return quirks
}
