package term

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	xterm "golang.org/x/term"
)

// Board is a few lines at the bottom of a terminal that change in place while
// other text scrolls by above them.
type Board struct {
	to    io.Writer
	width func() int

	mu     sync.Mutex // guards what follows, and the terminal
	lines  []string   // as they were shown last
	shown  int        // lines on the screen
	hidden int        // how many want it hidden
}

// NewBoard returns a board on f, or nil where f is no terminal that can move
// its cursor. It is given the value of TERM.
func NewBoard(f *os.File, term string) *Board {
	if term == "dumb" || !IsTerminal(f) || !moveCursor(f) {
		return nil
	}
	return &Board{to: f, width: func() int {
		if w, _, err := xterm.GetSize(int(f.Fd())); err == nil && w > 0 {
			return w
		}
		return 80
	}}
}

// Show replaces the lines on the board. They are made safe as [Clean] does, and
// cut to the width of the terminal: a line that wraps could not be taken back.
func (b *Board) Show(lines ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = lines
	b.write(b.erase() + b.draw())
}

// Above takes the board away while f writes whole lines to the terminal.
func (b *Board) Above(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.write(b.erase())
	f()
	b.write(b.draw())
}

// Hide takes the board away until done is called and the next [Board.Show], so
// that a person can be asked something.
func (b *Board) Hide() (done func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.write(b.erase())
	b.lines = nil
	b.hidden++
	return sync.OnceFunc(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.hidden--
	})
}

// erase moves to the board's first line and clears the screen from there
// (ECMA-48: CPL and ED).
func (b *Board) erase() string {
	n := b.shown
	b.shown = 0
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("\x1b[%dF\x1b[J", n)
}

// draw is the board, unless it is hidden.
func (b *Board) draw() string {
	if b.hidden > 0 {
		return ""
	}
	var text strings.Builder
	width := b.width()
	for _, line := range b.lines {
		text.WriteString(Fit(Clean(line), width-1) + "\n")
	}
	b.shown = len(b.lines)
	return text.String()
}

// write writes to the terminal. A person who cannot be told cannot be told that
// either.
func (b *Board) write(text string) { _, _ = io.WriteString(b.to, text) }
