package term

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxRunes is how much of a value is shown to a person.
const maxRunes = 200

// Clean makes a value from a file or a server safe to show within a line: what
// [unicode.IsPrint] does not know as printable is written as \n, \r, \t, \xNN
// (a byte) or \u{NNNN} (a code point), which covers terminal escapes, invalid
// UTF-8 and the controls that turn the direction of text. The result has at
// most 200 runes; a longer one ends with an ellipsis.
func Clean(s string) string {
	if len(s) <= maxRunes && printable(s) == len(s) {
		return s
	}
	var b strings.Builder
	cut, runes := 0, 0 // the place for an ellipsis, the length so far
	for i, r := range s {
		text := escape(s, i, r)
		if runes += utf8.RuneCountInString(text); runes > maxRunes {
			return b.String()[:cut] + "…"
		}
		b.WriteString(text)
		if runes < maxRunes {
			cut = b.Len()
		}
	}
	return b.String()
}

// CleanLines is [Clean] for text that may have many lines, of any length:
// newlines stay, and so do the colours of a [Styler]. Values in such a text
// must have been cleaned on their own, or they could add lines to it.
func CleanLines(s string) string { return cleanLines(s, true) }

// CleanText is [CleanLines] for text with values in it as they came: no style
// passes, since one of theirs looks like one of ours.
func CleanText(s string) string { return cleanLines(s, false) }

func cleanLines(s string, styles bool) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		if n := printable(s[i:]); n == len(s) {
			return s // as nearly all is
		} else if n > 0 {
			b.WriteString(s[i : i+n])
			i += n
			continue
		}
		if style := leadingStyle(s[i:]); styles && style != "" {
			b.WriteString(style)
			i += len(style)
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == '\n' {
			b.WriteByte('\n')
		} else {
			b.WriteString(escape(s, i, r))
		}
		i += size
	}
	return b.String()
}

// printable returns the length of the printable ASCII that s starts with.
func printable(s string) int {
	n := 0
	for n < len(s) && ' ' <= s[n] && s[n] <= '~' {
		n++
	}
	return n
}

// escape returns r, which stands at s[i], in its safe form.
func escape(s string, i int, r rune) string {
	switch {
	case r == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)):
		return fmt.Sprintf(`\x%02x`, s[i])
	case unicode.IsPrint(r):
		return string(r)
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\t':
		return `\t`
	case r < utf8.RuneSelf:
		return fmt.Sprintf(`\x%02x`, r)
	}
	return fmt.Sprintf(`\u{%04x}`, r)
}

// Writer passes text on through [CleanLines]. It stands between the program
// and every stream that a person reads; each Write is cleaned by itself.
type Writer struct{ To io.Writer }

// Write implements io.Writer.
func (w Writer) Write(p []byte) (int, error) {
	if _, err := io.WriteString(w.To, CleanLines(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}
