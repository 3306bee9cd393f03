package term

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""},
		{"arn:aws:iam::111111111111:mfa/me", "arn:aws:iam::111111111111:mfa/me"},
		{"日本 é 😀 \ufffd", "日本 é 😀 \ufffd"},
		{"a\nb\tc\rd", `a\nb\tc\rd`},
		{"\x1b[31mred\x1b[0m", `\x1b[31mred\x1b[0m`},
		{"\x1b]0;title\x07", `\x1b]0;title\x07`},
		{"\x00\x7f", `\x00\x7f`},
		{"\u0085\u009b31m", `\u{0085}\u{009b}31m`},
		{"\x9b31m \xff\xc3", `\x9b31m \xff\xc3`},
		{"abc\u202edcba\u202c", `abc\u{202e}dcba\u{202c}`},
		{"\u200e\u061c\u2066\u2069\u200b\ufeff", `\u{200e}\u{061c}\u{2066}\u{2069}\u{200b}\u{feff}`},
		{"a\u00a0b", `a\u{00a0}b`},
		{"\U000e0041", `\u{e0041}`},
		{`already \x1b`, `already \x1b`},
		{strings.Repeat("é", 200), strings.Repeat("é", 200)},
		{strings.Repeat("é", 201), strings.Repeat("é", 199) + "…"},
		{strings.Repeat("a", 197) + "\x1b", strings.Repeat("a", 197) + "…"},
		{strings.Repeat("a", 196) + "\x1b", strings.Repeat("a", 196) + `\x1b`},
	} {
		if got := Clean(tt.in); got != tt.want {
			t.Errorf("Clean(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestWriter(t *testing.T) {
	var buf bytes.Buffer
	y := NewStyler(true, "", "xterm")
	in := y.Red("error:") + " a\x1b[2Jb\x1b]52;c;x\x07\r\n\t" + y.Bold("é") + "\n" + strings.Repeat("x", 300) + "\xff"
	n, err := io.WriteString(Writer{&buf}, in)
	if n != len(in) || err != nil {
		t.Errorf("Write = %d, %v; want %d, nil", n, err, len(in))
	}
	want := "\x1b[31merror:\x1b[0m a" + `\x1b[2Jb\x1b]52;c;x\x07\r` + "\n" + `\t` + "\x1b[1mé\x1b[0m\n" + strings.Repeat("x", 300) + `\xff`
	if buf.String() != want {
		t.Errorf("wrote %q, want %q", buf.String(), want)
	}

	broken := errors.New("broken")
	r, w := io.Pipe()
	r.CloseWithError(broken)
	if n, err := (Writer{w}).Write([]byte("x")); n != 0 || !errors.Is(err, broken) {
		t.Errorf("Write to a broken stream = %d, %v", n, err)
	}
}

func TestStyler(t *testing.T) {
	for _, tt := range []struct {
		terminal      bool
		noColor, term string
		want          string
	}{
		{true, "", "xterm-256color", "\x1b[32mok\x1b[0m"},
		{true, "", "", "\x1b[32mok\x1b[0m"},
		{false, "", "xterm", "ok"},
		{true, "1", "xterm", "ok"},
		{true, "", "dumb", "ok"},
	} {
		if got := NewStyler(tt.terminal, tt.noColor, tt.term).Green("ok"); got != tt.want {
			t.Errorf("%+v: %q", tt, got)
		}
	}
	on := NewStyler(true, "", "")
	for _, style := range []func(string) string{on.Bold, on.Dim, on.Red, on.Green, on.Yellow} {
		s := style("x")
		if CleanLines(s) != s || !strings.HasSuffix(s, "\x1b[0m") || style("") != "" {
			t.Errorf("style %q", s)
		}
	}
	if (Styler{}).Red("x") != "x" {
		t.Error("the zero styler styles")
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "plain", "\x1b[31m", "\u202e", "\xff\xfe", "a\nb", "\u009b", strings.Repeat("\x00", 90), strings.Repeat("é", 300)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Clean(s)
		if !utf8.ValidString(got) {
			t.Errorf("Clean(%q) = %q is not UTF-8", s, got)
		}
		if n := utf8.RuneCountInString(got); n > maxRunes {
			t.Errorf("Clean(%q) has %d runes", s, n)
		}
		for _, r := range got {
			if !unicode.IsPrint(r) || unicode.Is(unicode.Bidi_Control, r) || unicode.IsControl(r) {
				t.Errorf("Clean(%q) = %q has %U", s, got, r)
			}
		}
		if again := Clean(got); again != got {
			t.Errorf("Clean(%q) = %q, and cleaned again %q", s, got, again)
		}
		lines := CleanLines(s)
		if strings.Count(lines, "\n") != strings.Count(s, "\n") || CleanLines(lines) != lines {
			t.Errorf("CleanLines(%q) = %q", s, lines)
		}
		for rest := lines; rest != ""; {
			if style := leadingStyle(rest); style != "" {
				rest = rest[len(style):]
				continue
			}
			r, size := utf8.DecodeRuneInString(rest)
			if r != '\n' && !unicode.IsPrint(r) || r == utf8.RuneError && size == 1 {
				t.Errorf("CleanLines(%q) = %q has %U", s, lines, r)
			}
			rest = rest[size:]
		}
	})
}
