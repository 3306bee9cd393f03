package term

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
	"unicode/utf16"

	"golang.org/x/sys/windows"
)

// pick shows p until a row is taken. As in ask, the goroutine that reads the
// console stays until a read returns when something else ends it first.
func (c console) pick(ctx context.Context, p *picker) (err error) {
	restore, err := c.screenMode()
	if err != nil {
		return err
	}
	defer restore()
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	c.write(enter)
	defer c.write(leave)

	chunks, errs, done := make(chan []byte), make(chan error, 1), make(chan struct{})
	defer close(done)
	go func() {
		for {
			text, err := readKeys(windows.Handle(c.in.Fd()))
			if err != nil {
				errs <- err
				return
			}
			select {
			case chunks <- text:
			case <-done:
				return
			}
		}
	}()
	wait := time.NewTimer(0)
	wait.Stop()
	defer wait.Stop()
	for {
		c.size(p)
		c.write(p.paint())
		var text []byte
		select {
		case <-ctx.Done():
			return ctx.Err()
		case s := <-signals:
			return Interrupted{s.(syscall.Signal)}
		case err := <-errs:
			return err
		case text = <-chunks:
		case <-wait.C:
		}
		// A console stops no process: the suspend key means nothing.
		if o, err := p.typed(text); o == taken || err != nil {
			return err
		}
		if d := p.kbd.patience(); d > 0 {
			wait.Reset(d)
		}
	}
}

// screenMode makes the console speak as terminals do, and returns what undoes
// that.
func (c console) screenMode() (restore func(), err error) {
	in, out := windows.Handle(c.in.Fd()), windows.Handle(c.out.Fd())
	var inMode, outMode uint32
	if err := windows.GetConsoleMode(in, &inMode); err != nil {
		return nil, os.NewSyscallError("GetConsoleMode", err)
	}
	if err := windows.GetConsoleMode(out, &outMode); err != nil {
		return nil, os.NewSyscallError("GetConsoleMode", err)
	}
	restore = func() {
		_ = windows.SetConsoleMode(out, outMode)
		_ = windows.SetConsoleMode(in, inMode)
	}
	keys := inMode&^(windows.ENABLE_LINE_INPUT|windows.ENABLE_ECHO_INPUT|windows.ENABLE_PROCESSED_INPUT) | windows.ENABLE_VIRTUAL_TERMINAL_INPUT
	if err := windows.SetConsoleMode(in, keys); err != nil {
		return nil, os.NewSyscallError("SetConsoleMode", err)
	}
	if err := windows.SetConsoleMode(out, outMode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING); err != nil {
		restore()
		return nil, os.NewSyscallError("SetConsoleMode", err)
	}
	return restore, nil
}

// size tells p how large the window is, when that is another size than before.
func (c console) size(p *picker) {
	width, height := 80, 24
	var info windows.ConsoleScreenBufferInfo
	if err := windows.GetConsoleScreenBufferInfo(windows.Handle(c.out.Fd()), &info); err == nil {
		width, height = int(info.Window.Right-info.Window.Left)+1, int(info.Window.Bottom-info.Window.Top)+1
	}
	if width != p.width || height != p.height {
		p.resize(width, height)
	}
}

// readKeys reads what was typed, as UTF-8. A character beyond the first plane
// comes in two halves, but not in two reads.
func readKeys(in windows.Handle) ([]byte, error) {
	var buf [maxLine]uint16
	for {
		var n uint32
		if err := windows.ReadConsole(in, &buf[0], maxLine, &n, nil); err != nil {
			return nil, os.NewSyscallError("ReadConsole", err)
		}
		if n > 0 {
			return []byte(string(utf16.Decode(buf[:n]))), nil
		}
	}
}
