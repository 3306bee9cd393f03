package term

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"unicode/utf16"

	"golang.org/x/sys/windows"
)

// console is the console's input and output.
type console struct{ in, out *os.File }

func openConsole() (console, error) {
	in, err := os.OpenFile("CONIN$", os.O_RDWR, 0)
	if err != nil {
		return console{}, err
	}
	out, err := os.OpenFile("CONOUT$", os.O_RDWR, 0)
	if err != nil {
		in.Close()
		return console{}, err
	}
	return console{in, out}, nil
}

// Close closes the console. No question may be on it.
func (c console) Close() error { return errors.Join(c.in.Close(), c.out.Close()) }

// Foreground reports whether the console would give this process what is
// typed: it always would.
func (c console) Foreground() bool { return true }

// Hidden reports whether the terminal does not show what is typed: some program
// has a question on it, or the screen to itself.
func (c console) Hidden() bool {
	var mode uint32
	err := windows.GetConsoleMode(windows.Handle(c.in.Fd()), &mode)
	return err == nil && mode&windows.ENABLE_ECHO_INPUT == 0
}

func (c console) write(s string) { _, _ = c.out.WriteString(s) }

// ask reads a line in a goroutine, because a console read cannot be waited for
// together with something else. When ctx or Ctrl-C ends the question first,
// that goroutine stays until the read returns.
func (c console) ask(ctx context.Context, prompt string, visible bool) (string, error) {
	in := windows.Handle(c.in.Fd())
	var before uint32
	if err := windows.GetConsoleMode(in, &before); err != nil {
		return "", os.NewSyscallError("GetConsoleMode", err)
	}

	// Ctrl-C arrives as os.Interrupt; closing the window, logging off and
	// shutting down arrive as SIGTERM.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)

	ours := before | windows.ENABLE_LINE_INPUT | windows.ENABLE_PROCESSED_INPUT | windows.ENABLE_ECHO_INPUT
	if !visible {
		ours &^= windows.ENABLE_ECHO_INPUT
	}
	if err := windows.SetConsoleMode(in, ours); err != nil {
		return "", os.NewSyscallError("SetConsoleMode", err)
	}
	defer func() { _ = windows.SetConsoleMode(in, before) }()
	c.write(prompt)

	type result struct {
		line string
		err  error
	}
	read := make(chan result, 1)
	go func() {
		line, err := readConsole(in)
		read <- result{line, err}
	}()
	answer, err := "", error(nil)
	select {
	case <-ctx.Done():
		err = ctx.Err()
	case s := <-signals:
		err = Interrupted{s.(syscall.Signal)}
	case r := <-read:
		answer, err = r.line, r.err
	}
	if err != nil || !visible {
		c.write("\r\n") // none was echoed
	}
	return answer, err
}

// readConsole reads a line from the console in line mode. Ctrl-C makes the
// read return nothing, Ctrl-Z at the start of a line is the end of input.
func readConsole(in windows.Handle) (string, error) {
	var line []uint16
	for {
		var buf [maxLine]uint16
		var n uint32
		if err := windows.ReadConsole(in, &buf[0], maxLine, &n, nil); err != nil && err != windows.ERROR_OPERATION_ABORTED {
			return "", os.NewSyscallError("ReadConsole", err)
		}
		if n == 0 || len(line) == 0 && buf[0] == 'Z'-'@' {
			return "", Interrupted{syscall.SIGINT}
		}
		line = append(line, buf[:min(int(n), maxLine-len(line))]...)
		if buf[n-1] == '\n' {
			return strings.TrimSpace(string(utf16.Decode(line))), nil
		}
	}
}
