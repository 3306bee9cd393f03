package term

import (
	"strings"
	"testing"
)

func TestBoard(t *testing.T) {
	var screen strings.Builder
	b := &Board{to: &screen, width: func() int { return 20 }}
	shows := func(what, want string) {
		t.Helper()
		if got := screen.String(); got != want {
			t.Errorf("%s wrote %q, want %q", what, got, want)
		}
		screen.Reset()
	}
	b.Show("one", "two")
	shows("the first", "one\ntwo\n")
	b.Show("three\x1b[2J")
	shows("the next", "\x1b[2F\x1b[Jthree\\x1b[2J\n")
	b.Above(func() { screen.WriteString("text\n") })
	shows("text", "\x1b[1F\x1b[Jtext\nthree\\x1b[2J\n")
	b.Show("a line that is too long for this")
	shows("a long line", "\x1b[1F\x1b[Ja line that is too…\n")
	done := b.Hide()
	b.Show("nothing")
	b.Above(func() { screen.WriteString("a question\n") })
	shows("a hidden board", "\x1b[1F\x1b[Ja question\n")
	done()
	b.Show()
	b.Show("again")
	shows("after that", "again\n")
}
