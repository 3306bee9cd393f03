//go:build unix

package term

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// pick shows p until a row is taken, in rounds like ask's.
func (c console) pick(ctx context.Context, p *picker) error {
	s := pickScreen{console: c, picker: p}
	for {
		switch err := s.round(ctx); err {
		case errSuspend:
			suspend(ctx)
		case errContinued:
		default:
			return err
		}
	}
}

// pickScreen is the terminal while something is picked on it.
type pickScreen struct {
	console
	picker *picker
	mode   mode
}

// round shows the list and takes what is typed, undisturbed.
func (s *pickScreen) round(ctx context.Context) (err error) {
	if err := s.ready(ctx); err != nil {
		return err
	}
	signals, resized := make(chan os.Signal, 8), make(chan os.Signal, 1)
	signal.Notify(signals, hooked()...)
	signal.Notify(resized, unix.SIGWINCH)
	defer func() {
		signal.Stop(resized)
		signal.Stop(signals)
		if e, ok := ending(signals); ok && err == nil {
			err = e // its default action was lost all the same
		}
	}()
	ahead, err := s.set()
	if err != nil {
		return err
	}
	defer func() { s.restore(err != nil && err != errSuspend) }()
	chunks, stop, err := s.read()
	if err != nil {
		return err
	}
	defer stop()
	return s.serve(ctx, ahead, chunks, signals, resized)
}

// set makes the terminal pass every key on as it is typed, and shows the
// screen of the list. What was typed before, as lines, is returned.
func (s *pickScreen) set() (ahead []byte, err error) {
	err = s.mode.set(s.console, func(t *unix.Termios) {
		t.Iflag &^= unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
		t.Lflag &^= unix.ICANON | unix.ECHO | unix.ECHONL | unix.ISIG | unix.IEXTEN
		t.Cflag = t.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
		t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	})
	if err != nil {
		return nil, err
	}
	var buf [maxLine]byte
	if n, err := unix.Read(s.in, buf[:]); err == nil { // else nothing is there, or the next reader will be told
		// Where Enter was typed, the terminal has made it the end of a line.
		ahead = bytes.ReplaceAll(buf[:n], []byte("\n"), []byte("\r"))
	}
	s.write(enter)
	s.size()
	return ahead, nil
}

// size finds how large the terminal is.
func (s *pickScreen) size() {
	w, err := unix.IoctlGetWinsize(s.in, unix.TIOCGWINSZ)
	if err != nil || w.Col == 0 || w.Row == 0 {
		w = &unix.Winsize{Col: 80, Row: 24}
	}
	s.picker.resize(int(w.Col), int(w.Row))
}

// restore gives the terminal back, dropping what was typed when flush is set.
func (s *pickScreen) restore(flush bool) {
	if s.inForeground() {
		s.write(leave)
		s.mode.restore(s.console, flush)
	}
}

// serve draws the list and takes what comes until one of them ends it.
func (s *pickScreen) serve(ctx context.Context, ahead []byte, chunks <-chan chunk, signals, resized <-chan os.Signal) error {
	wait := time.NewTimer(0)
	wait.Stop()
	defer wait.Stop()
	typed := func(b []byte) (done bool, err error) {
		o, err := s.picker.typed(b)
		if o == suspended {
			err = errSuspend
		}
		if d := s.picker.kbd.patience(); d > 0 {
			wait.Reset(d)
		}
		return o == taken, err
	}
	if len(ahead) > 0 {
		if done, err := typed(ahead); done || err != nil {
			return err
		}
	}
	for {
		s.write(s.picker.paint())
		done, err := false, error(nil)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case sig := <-signals:
			if sig == unix.SIGCONT {
				return errContinued
			}
			return Interrupted{sig.(syscall.Signal)}
		case <-resized:
			s.size()
		case c := <-chunks:
			if c.err != nil {
				return c.err
			}
			done, err = typed(c.text)
		case <-wait.C:
			done, err = typed(nil)
		}
		if done || err != nil {
			return err
		}
	}
}

// chunk is what was typed at once, or why nothing can be any more.
type chunk struct {
	text []byte
	err  error
}

// read reads the terminal until stop is called.
func (c console) read() (chunks <-chan chunk, stop func(), err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	out, done, left := make(chan chunk), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(left)
		for {
			next, woken := c.readChunk(int(r.Fd()))
			if woken {
				return
			}
			select {
			case out <- next:
			case <-done:
				return
			}
			if next.err != nil {
				return
			}
		}
	}()
	return out, func() {
		close(done)
		_ = w.Close() // which wakes select
		<-left
		_ = r.Close()
	}, nil
}

// readChunk waits for what is typed, or until wake can be read.
func (c console) readChunk(wake int) (next chunk, woken bool) {
	for {
		woken, err := either(wake, c.in)
		if woken || err != nil {
			return chunk{err: err}, woken
		}
		var buf [maxLine]byte
		n, err := unix.Read(c.in, buf[:])
		switch {
		case err == unix.EAGAIN || err == unix.EINTR:
			continue
		case n > 0:
			return chunk{text: buf[:n]}, false
		}
		if _, gone := c.settings(); gone != nil { // hung up; SIGHUP may come later, or to our parent alone
			return chunk{err: Interrupted{unix.SIGHUP}}, false
		}
		if err == nil {
			err = io.ErrUnexpectedEOF
		}
		return chunk{err: &os.PathError{Op: "read", Path: device, Err: err}}, false
	}
}
