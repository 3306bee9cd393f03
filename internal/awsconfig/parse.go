package awsconfig

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"aws-switch-role/internal/message"
)

// Limits on what is asked for; elsewhere in a file nothing is limited.
const (
	maxLine = 1 << 20 // bytes
	maxName = 256     // bytes
	maxKeys = 10_000  // of a section
)

// Problem is what keeps a line from being read.
type Problem int

const (
	msgHeader Problem = iota + 1
	msgSetting
	msgNested
	msgLong
	msgKeys
	msgNUL
	msgUTF8
	msgName
	msgWords
)

// Text says what is wrong with the line, and what to do.
func (p Problem) Text() message.Text {
	switch p {
	case msgHeader:
		return message.New("syntax-header", `no name between "[" and "]": write "[name]", or start the line with "#" to make it a comment`)
	case msgSetting:
		return message.New("syntax-setting", `neither a section header nor "key = value": mend it, or start the line with "#" to make it a comment`)
	case msgNested:
		return message.New("syntax-nested", `not "key = value", as a line indented under an empty value must be: mend it, or move it up behind the "="`)
	case msgLong:
		return message.New("syntax-long", `longer than 1 MiB: shorten the line`)
	case msgKeys:
		return message.New("syntax-keys", `more than 10,000 keys in one section: is this an AWS file?`)
	case msgNUL:
		return message.New("syntax-nul", `a NUL byte: save the file as UTF-8 text`)
	case msgUTF8:
		return message.New("syntax-utf8", `not valid UTF-8: save the file as UTF-8 text`)
	case msgName:
		return message.New("syntax-name", `a section's name is 1 to 256 bytes of printable text: rename the section`)
	case msgWords:
		return message.New("syntax-words", `not a word and one name: write "[profile NAME]", with the name in quotes when it contains blanks`)
	}
	return message.Text{}
}

// lineKind says what a line is.
type lineKind uint8

const (
	blank lineKind = iota
	comment
	header       // [text]
	setting      // everything else that is not indented under a setting
	continuation // a line indented deeper than the setting above it
)

// scanner reads the lines of a file as Python's configparser does, since that
// is what botocore reads it with: "\n", "\r\n" and a lone "\r" end a line; "#"
// or ";" at its start makes it a comment; and a line continues the setting
// above it when it is indented deeper than that one, whatever blank lines and
// comments stand between them.
type scanner struct {
	data []byte
	next int // offset of the line that scan reads next

	// The line read last.
	start int // its offset
	num   int // its number, from 1
	kind  lineKind
	text  []byte // without the blanks around it

	// What decides whether the next line continues a setting.
	indent  int  // of the last setting or header, in characters
	setting bool // it was a setting
}

// scan reads the next line and reports whether there was one.
func (s *scanner) scan() bool {
	if s.next >= len(s.data) {
		return false
	}
	end := lineEnd(s.data, s.next)
	line := s.data[s.next:end]
	s.start, s.num = s.next, s.num+1
	s.next = min(end+1, len(s.data))
	if bytes.HasPrefix(s.data[end:], []byte("\r\n")) {
		s.next++
	}

	text, indent := line, 0
	if len(line) > 0 && (line[0] <= ' ' || line[0] >= utf8.RuneSelf) {
		text = bytes.TrimLeftFunc(line, unicode.IsSpace)
		indent = utf8.RuneCount(line[:len(line)-len(text)])
	}
	s.text = bytes.TrimSpace(text)
	switch {
	case len(s.text) == 0:
		s.kind = blank
		return true
	case s.text[0] == '#' || s.text[0] == ';':
		s.kind = comment
		return true
	case s.setting && indent > s.indent:
		s.kind = continuation
		return true
	}
	s.kind = setting
	if _, ok := headerText(s.text); ok {
		s.kind = header
	}
	s.indent, s.setting = indent, s.kind == setting
	return true
}

// back makes the header or setting read last the next line again. It will be
// read as the same: what scan remembers of it does not make it deeper than
// itself.
func (s *scanner) back() { s.next, s.num = s.start, s.num-1 }

// find moves to the next line that opens with a bracket, continues no setting
// and is wanted, and reports whether there is one. Such a line is a header, or
// a setting that was meant to be one.
//
// It is what makes one profile of 10,000 cheap: only lines with a bracket are
// looked at, and a line that is not indented cannot be a continuation, so that
// nothing above it has to be read. Only an indented line that is wanted costs
// a reading of the lines above it.
func (s *scanner) find(wanted func(line []byte) bool) bool {
	for at := s.next; ; {
		i := at + 1 // where line follows upon line
		if i >= len(s.data) || s.data[at] != '\n' || s.data[i] != '[' {
			if i = bytes.IndexByte(s.data[at:], '['); i < 0 {
				return false
			}
			i += at
		}
		start, end := lineStart(s.data, i), lineEnd(s.data, i)
		at = end
		if !wanted(s.data[i:end]) || len(bytes.TrimSpace(s.data[start:i])) > 0 {
			continue
		}
		if start == i {
			s.num += countLines(s.data[s.next:start])
			s.next = start
		}
		for s.scan() && s.start < start {
			// up to the line itself
		}
		if s.kind != continuation {
			return true
		}
	}
}

// lineStart returns the offset at which the line around offset i starts.
func lineStart(data []byte, i int) int {
	for i > 0 && data[i-1] != '\n' && data[i-1] != '\r' {
		i--
	}
	return i
}

// lineEnd returns the offset at which the line around offset i ends, before
// what ends it.
func lineEnd(data []byte, i int) int {
	for i < len(data) && data[i] != '\n' && data[i] != '\r' {
		i++
	}
	return i
}

// countLines returns the number of lines in data, which ends where a line does.
func countLines(data []byte) int {
	n := bytes.Count(data, []byte("\n"))
	if cr := bytes.Count(data, []byte("\r")); cr > 0 {
		n += cr - bytes.Count(data, []byte("\r\n"))
	}
	return n
}

// headerText returns the text of a header: as in configparser it reaches to
// the last closing bracket of the line and is not empty, and what stands
// behind the bracket is ignored. The blanks around it are too, as in the SDKs.
func headerText(line []byte) (text []byte, ok bool) {
	if len(line) == 0 || line[0] != '[' { // as nearly all lines, soon seen
		return nil, false
	}
	end := bytes.LastIndexByte(line, ']')
	if end < 2 {
		return nil, false
	}
	return bytes.TrimSpace(line[1:end]), true
}

// literal returns a test for a header whose text is name and nothing else: the
// way of the credentials file.
func literal(name string) func(line []byte) bool {
	return func(line []byte) bool {
		text, ok := headerText(line)
		return ok && string(text) == name
	}
}

// titled returns a test for a header that consists of a kind and name: the
// way of the config file. botocore asks of the first word only that it begins
// with the kind.
func titled(kind, name string) func(line []byte) bool {
	buf := make([]byte, 0, maxName)
	return func(line []byte) bool {
		if len(line) <= len(name) || !bytes.Contains(line, []byte(name)) && !quoted(line) {
			return false // as nearly all headers are, soon found
		}
		text, ok := headerText(line)
		if !ok || !bytes.HasPrefix(text, []byte(kind)) {
			return false
		}
		word, ok := secondWord(text, buf)
		return ok && string(word) == name
	}
}

// quoted reports whether a word of text may be other than it looks.
func quoted(text []byte) bool {
	return bytes.IndexByte(text, '"') >= 0 || bytes.IndexByte(text, '\'') >= 0 || bytes.IndexByte(text, '\\') >= 0
}

// secondWord returns the second of the two words in the text of a header, in
// buf where that is large enough; ok is false when there are not two. Words
// are what Python's shlex.split makes of the text: divided by blanks, with
// quotes and backslashes as in a shell.
func secondWord(text, buf []byte) (word []byte, ok bool) {
	buf = buf[:0]
	words, inside := 0, false
	var quote byte
	for i := 0; i < len(text); i++ {
		c := text[i]
		if quote == 0 && (c == ' ' || c == '\t') {
			inside = false
			continue
		}
		if !inside {
			inside = true
			words++
		}
		switch {
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
			continue
		case quote != 0 && c == quote:
			quote = 0
			continue
		case c == '\\' && quote != '\'':
			if i+1 == len(text) {
				return nil, false
			}
			if next := text[i+1]; quote == 0 || next == '"' || next == '\\' {
				c = next
				i++
			}
		}
		if words == 2 {
			buf = append(buf, c)
		}
	}
	return buf, words == 2 && quote == 0
}

// validName reports whether a section may have this name.
func validName(name string) bool {
	return name != "" && len(name) <= maxName && utf8.ValidString(name) &&
		!strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })
}

// collect adds to p the sections of f with this title: a later value replaces
// an earlier one.
func (f *file) collect(p *Profile, t title) error {
	for s := range f.sections(t) {
		if p.Line == 0 {
			p.Origin = f.origin(s)
			p.Keys = map[string]Value{}
		}
		if err := f.section(p.Keys, s); err != nil {
			return err
		}
	}
	return nil
}

// section adds to keys the settings between the header that s has read and
// the next header, which becomes the next line of s.
func (f *file) section(keys map[string]Value, s *scanner) error {
	for s.scan() {
		switch s.kind {
		case header:
			s.back()
			return nil
		case setting:
			if err := f.setting(keys, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// setting adds to keys the setting that s has read, with the lines that
// continue it.
func (f *file) setting(keys map[string]Value, s *scanner) error {
	if err := f.check(s); err != nil {
		return err
	}
	if s.text[0] == '[' {
		return f.syntaxError(s, msgHeader)
	}
	i := bytes.IndexAny(s.text, "=:")
	if i <= 0 {
		return f.syntaxError(s, msgSetting)
	}
	if len(keys) >= maxKeys {
		return f.syntaxError(s, msgKeys)
	}
	key := lower(s.text[:i])
	first := cutComment(s.text[i+1:])
	value := Value{Origin: f.origin(s)}

	text := slices.Clip(first) // to append is to copy
	blanks := 0                // lines; those at the end are no part of the value
	for more := true; more && s.scan(); {
		switch {
		case s.kind == blank:
			blanks++
		case s.kind == comment:
		case s.kind != continuation:
			s.back()
			more = false
		case len(first) == 0:
			if err := f.nested(keys, key, s); err != nil {
				return err
			}
		default:
			if err := f.check(s); err != nil {
				return err
			}
			text = append(text, strings.Repeat("\n", blanks+1)...)
			text = append(text, s.text...)
			blanks = 0
		}
	}
	value.Text = string(text)
	keys[key] = value
	return nil
}

// nested adds to keys the setting under outer that s has read.
func (f *file) nested(keys map[string]Value, outer string, s *scanner) error {
	if err := f.check(s); err != nil {
		return err
	}
	key, value, ok := bytes.Cut(s.text, []byte("="))
	if key = bytes.TrimSpace(key); !ok || len(key) == 0 {
		return f.syntaxError(s, msgNested)
	}
	if len(keys) >= maxKeys {
		return f.syntaxError(s, msgKeys)
	}
	keys[outer+"."+lower(key)] = Value{Text: string(bytes.TrimSpace(value)), Origin: f.origin(s)}
	return nil
}

// lower returns the name of a key: those of the AWS files have no case.
func lower(key []byte) string { return strings.ToLower(string(bytes.TrimSpace(key))) }

// cutComment returns a value without the blanks around it and without a
// comment behind it, which is a "#" or ";" after a blank.
func cutComment(value []byte) []byte {
	for i := 1; i < len(value); i++ {
		if (value[i] == '#' || value[i] == ';') && (value[i-1] == ' ' || value[i-1] == '\t') {
			return bytes.TrimSpace(value[:i])
		}
	}
	return bytes.TrimSpace(value)
}

// check returns an error when the line that s has read cannot be a part of a
// section that is asked for.
func (f *file) check(s *scanner) error {
	if msg := unreadable(s.text); msg != 0 {
		return f.syntaxError(s, msg)
	}
	return nil
}

// unreadable says what keeps the text of a line from being read, 0 when
// nothing does.
func unreadable(text []byte) Problem {
	switch {
	case len(text) > maxLine:
		return msgLong
	case bytes.IndexByte(text, 0) >= 0:
		return msgNUL
	case !utf8.Valid(text):
		return msgUTF8
	}
	return 0
}

// syntaxError returns an error about the line that s has read.
func (f *file) syntaxError(s *scanner, p Problem) *SyntaxError {
	return &SyntaxError{Origin: f.origin(s), Problem: p}
}

// origin returns the place of the line that s has read.
func (f *file) origin(s *scanner) Origin { return Origin{File: f.path, Line: s.num} }
