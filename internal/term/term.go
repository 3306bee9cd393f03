// Package term is the person at the terminal: prompts on the controlling
// terminal, and text made safe to print there.
//
// Nothing here touches stdin, stdout or stderr: those belong to the program
// that an SDK, a pipe or a script has connected them to.
package term

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	xterm "golang.org/x/term"
)

// ErrNoTerminal says that the process has no controlling terminal, so that
// nobody can be asked.
var ErrNoTerminal = errors.New("no terminal")

// Interrupted is the error of a question that was left without an answer.
type Interrupted struct {
	// Signal ended the question. Ctrl-D on an empty line counts as SIGINT.
	Signal syscall.Signal
}

// Error implements error.
func (e Interrupted) Error() string { return "interrupted: " + e.Signal.String() }

// maxLine bounds an answer, in bytes: the longest line that Linux lets a
// person type (N_TTY_BUF_SIZE). The rest of a longer line is dropped.
const maxLine = 4096

// Terminal is the controlling terminal of the process. Its methods may be
// called at once: questions take turns.
type Terminal struct {
	turn chan struct{} // holds a token while a question is on the screen
	console
}

// Open opens the controlling terminal, whatever stdin, stdout and stderr are.
// Its error is ErrNoTerminal, with the cause, when the process has none.
func Open() (*Terminal, error) {
	c, err := openConsole()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoTerminal, err)
	}
	return &Terminal{make(chan struct{}, 1), c}, nil
}

// Ask writes prompt and reads a line, which is not shown while it is typed.
// White space around the line is no part of the answer, so that a pasted code
// is taken as it is meant.
//
// What was typed before the prompt is part of the answer: whoever knows that
// a code will be asked for may type ahead, and dropping half of a code would
// spend the other half on a refusal. When a question ends without an answer,
// what was typed for it is dropped, so that it cannot reach the shell.
//
// The terminal's settings are as before when Ask returns. The error is
// [Interrupted] after a signal or Ctrl-D, and ctx.Err() when ctx is done.
func (t *Terminal) Ask(ctx context.Context, prompt string) (string, error) {
	return t.question(ctx, prompt, false)
}

// AskVisible is [Terminal.Ask] for what need not be hidden: the line is shown
// while it is typed.
func (t *Terminal) AskVisible(ctx context.Context, prompt string) (string, error) {
	return t.question(ctx, prompt, true)
}

func (t *Terminal) question(ctx context.Context, prompt string, visible bool) (string, error) {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	return t.ask(ctx, CleanLines(prompt), visible)
}

// Print writes a line to the person. There is no error: a person who cannot
// be told cannot be told that either.
func (t *Terminal) Print(line string) { t.write(CleanLines(line) + "\n") }

// Write lets a program that answers in our place talk to the person, too; what
// it says is made safe as [CleanLines] does.
func (t *Terminal) Write(p []byte) (int, error) {
	t.write(CleanLines(string(p)))
	return len(p), nil
}

// Width returns how many columns the terminal f has, 0 when it is none or does
// not tell.
func Width(f *os.File) int {
	conn, err := f.SyscallConn()
	if err != nil {
		return 0
	}
	width := 0
	err = conn.Control(func(fd uintptr) { width, _, _ = xterm.GetSize(int(fd)) })
	if err != nil {
		return 0
	}
	return width
}

// IsTerminal reports whether f is a terminal.
func IsTerminal(f *os.File) bool {
	conn, err := f.SyscallConn()
	if err != nil {
		return false
	}
	is := false
	err = conn.Control(func(fd uintptr) { is = xterm.IsTerminal(int(fd)) })
	return err == nil && is
}
