//go:build unix

package term

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const device = "/dev/tty"

// console is the terminal, opened twice: out blocks, in does not, because
// input that select has announced may be flushed before it is read.
type console struct {
	in  int
	out *os.File
}

func openConsole() (console, error) {
	out, err := os.OpenFile(device, os.O_WRONLY|unix.O_NOCTTY, 0)
	if err != nil {
		return console{}, err
	}
	in, err := unix.Open(device, unix.O_RDONLY|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		out.Close()
		return console{}, &os.PathError{Op: "open", Path: device, Err: err}
	}
	return console{in, out}, nil
}

// Close closes the terminal. No question may be on it.
func (c console) Close() error { return errors.Join(unix.Close(c.in), c.out.Close()) }

// Foreground reports whether the terminal would give this process what is
// typed: a shell's background job it stops when it asks.
func (c console) Foreground() bool {
	group, err := foreground(c.in)
	return err == nil && group == unix.Getpgrp()
}

// Hidden reports whether the terminal does not show what is typed: some program
// has a question on it, or the screen to itself.
func (c console) Hidden() bool {
	s, err := unix.IoctlGetTermios(c.in, getSettings)
	return err == nil && s.Lflag&unix.ECHO == 0
}

func (c console) write(s string) { _, _ = c.out.WriteString(s) }

// What ends a round of a question, but not the question.
var (
	errSuspend   = errors.New("the suspend key was typed")
	errContinued = errors.New("continued after a stop")
)

// ask asks in rounds. A round leaves the terminal and the signals as it found
// them, so nothing is to be undone while the process is stopped between two.
func (c console) ask(ctx context.Context, prompt string, visible bool) (string, error) {
	q := question{console: c, prompt: prompt, visible: visible}
	for {
		answer, err := q.round(ctx)
		switch err {
		case errSuspend:
			suspend(ctx)
		case errContinued:
		default:
			return strings.TrimSpace(answer), err
		}
	}
}

// question is one question on the terminal, over all of its rounds.
type question struct {
	console
	prompt  string
	visible bool

	mode mode
	susp byte // the suspend key; disabled when there is none
}

// mode is how the terminal is set, over all rounds of what is done with it.
type mode struct {
	before unix.Termios  // what the terminal is restored to
	ours   *unix.Termios // what it is set to; nil when it was restored
}

// round prints the prompt and reads an answer, undisturbed.
func (q *question) round(ctx context.Context) (answer string, err error) {
	if err := q.ready(ctx); err != nil {
		return "", err
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, hooked()...)
	defer func() {
		signal.Stop(signals)
		// One that readLine did not see has lost its default action all the same.
		if e, ok := ending(signals); ok && !errors.As(err, new(Interrupted)) {
			answer, err = "", e
		}
	}()

	if err := q.set(); err != nil {
		return "", err
	}
	q.write(q.prompt)
	answer, err = q.readLine(ctx, signals)
	q.restore(err != nil)
	return answer, err
}

// ready waits until the terminal is ours to be set.
func (c console) ready(ctx context.Context) error {
	// POSIX has drain stop a background process with SIGTTOU, like any change
	// of the settings. Here nothing was read from the terminal yet: settings
	// read in the background are those of the shell's line editor.
	awaitForeground(ctx, c.in)
	if err := uninterrupted(func() error { return drain(c.in) }); err != nil {
		return os.NewSyscallError("tcdrain", err)
	}
	return ctx.Err()
}

// hooked lists the signals that end a round. One that was ignored before, as
// nohup does, stays ignored.
//
// SIGTSTP is not among them: once os/signal has been notified of it, Go never
// gives it back its default action, and Ctrl-Z would be dead from then on. The
// suspend key reaches us as input instead, see set.
func hooked() []os.Signal {
	sigs := []os.Signal{unix.SIGCONT}
	for _, s := range []os.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT} {
		if !signal.Ignored(s) {
			sigs = append(sigs, s)
		}
	}
	return sigs
}

// ending takes what has arrived on signals and returns the first that ends the
// question.
func ending(signals <-chan os.Signal) (Interrupted, bool) {
	for {
		select {
		case s := <-signals:
			if s != unix.SIGCONT {
				return Interrupted{s.(syscall.Signal)}, true
			}
		default:
			return Interrupted{}, false
		}
	}
}

// set makes the terminal read lines, hidden unless visible, in which the
// suspend key is an end of line rather than a signal.
func (q *question) set() error {
	return q.mode.set(q.console, func(s *unix.Termios) {
		s.Iflag |= unix.ICRNL
		s.Iflag &^= unix.INLCR | unix.IGNCR
		s.Lflag |= unix.ICANON | unix.ISIG | unix.ECHO
		s.Lflag &^= unix.ECHONL
		if !q.visible {
			s.Lflag &^= unix.ECHO
		}
		q.susp = s.Cc[unix.VSUSP]
		if q.susp != disabled {
			s.Cc[unix.VEOL] = q.susp
			s.Cc[unix.VSUSP] = disabled
		}
	})
}

// set makes the terminal's settings what change makes of those before.
func (m *mode) set(c console, change func(*unix.Termios)) error {
	now, err := c.settings()
	if err != nil {
		return err
	}
	if m.ours == nil || *now != *m.ours {
		m.before = *now
	}
	ours := m.before
	change(&ours)
	if err := uninterrupted(func() error { return unix.IoctlSetTermios(c.in, setSettings, &ours) }); err != nil {
		return os.NewSyscallError("tcsetattr", err)
	}
	m.ours, err = c.settings() // as the driver has taken them
	return err
}

func (c console) settings() (*unix.Termios, error) {
	s, err := unix.IoctlGetTermios(c.in, getSettings)
	return s, os.NewSyscallError("tcgetattr", err)
}

// restore gives the terminal back, dropping what was typed when flush is set.
func (q *question) restore(flush bool) {
	if !q.inForeground() {
		return
	}
	q.mode.restore(q.console, flush)
	if flush || !q.visible {
		q.write("\n") // none was echoed
	}
}

// inForeground reports whether the terminal is ours. In the background there
// is nothing to give back: the shell has it, with settings of its own.
func (c console) inForeground() bool {
	group, err := foreground(c.in)
	return err == nil && group == unix.Getpgrp()
}

// restore gives the settings back that were found.
func (m *mode) restore(c console, flush bool) {
	how := uint(setSettings)
	if flush {
		how = flushSettings
	}
	err := uninterrupted(func() error { return unix.IoctlSetTermios(c.in, how, &m.before) })
	if err == nil {
		m.ours = nil
	}
}

// readLine reads until the end of a line, a signal or ctx ends it. Its error
// may also be errSuspend or errContinued.
func (q *question) readLine(ctx context.Context, signals <-chan os.Signal) (string, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer r.Close()

	// The pipe's end wakes select.
	var cause error
	done, left := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(left)
		defer w.Close()
		select {
		case s := <-signals:
			if cause = errContinued; s != unix.SIGCONT {
				cause = Interrupted{s.(syscall.Signal)}
			}
		case <-ctx.Done():
			cause = ctx.Err()
		case <-done:
		}
	}()
	defer func() { close(done); <-left }()

	var line []byte
	for {
		woken, err := either(int(r.Fd()), q.in)
		if err != nil {
			return "", err
		}
		if woken {
			<-left
			return "", cause
		}

		var buf [maxLine]byte
		n, err := unix.Read(q.in, buf[:])
		switch {
		case err == unix.EAGAIN || err == unix.EINTR:
			continue
		case err != nil || n == 0:
			if _, gone := q.settings(); gone != nil { // hung up; SIGHUP may come later, or to our parent alone
				return "", Interrupted{unix.SIGHUP}
			}
			if err != nil {
				return "", &os.PathError{Op: "read", Path: device, Err: err}
			}
			if len(line) == 0 {
				return "", Interrupted{unix.SIGINT}
			}
			return string(line), nil
		}
		chunk := buf[:n]
		if q.susp != disabled && chunk[n-1] == q.susp {
			return "", errSuspend
		}
		end := bytes.IndexAny(chunk, "\r\n")
		if end >= 0 {
			chunk = chunk[:end]
		}
		line = append(line, chunk[:min(len(chunk), maxLine-len(line))]...)
		if end >= 0 {
			return string(line), nil
		}
	}
}

// either waits until one of two descriptors can be read, and reports whether
// the first can. It is select and not poll, which macOS does not offer for
// terminals.
func either(first, second int) (bool, error) {
	if max(first, second) >= unix.FD_SETSIZE {
		return false, os.NewSyscallError("select", unix.EMFILE)
	}
	for {
		var set unix.FdSet
		set.Set(first)
		set.Set(second)
		_, err := unix.Select(max(first, second)+1, &set, nil, nil, nil)
		if err == unix.EINTR {
			continue
		}
		return set.IsSet(first), os.NewSyscallError("select", err)
	}
}

// suspend does what the terminal does when the suspend key is typed: it stops
// the process group. It returns when the process goes on.
func suspend(ctx context.Context) { _ = stop(ctx, unix.SIGTSTP) }

// awaitForeground stops a background process as the terminal would, until it
// is continued in the foreground. The terminal itself stops it again in the
// instant in which it is continued, and a signal that was to end it in the
// meantime, which Go handles in a thread of its own, may then never do so.
func awaitForeground(ctx context.Context, tty int) {
	for !signal.Ignored(unix.SIGTTOU) {
		group, err := foreground(tty)
		if err != nil || group == unix.Getpgrp() || !stop(ctx, unix.SIGTTOU) {
			return
		}
		time.Sleep(20 * time.Millisecond) // for the other thread
	}
}

// stop stops the process group with sig, and returns when the process goes on.
// It reports whether it was continued.
func stop(ctx context.Context, sig syscall.Signal) bool {
	continued := make(chan os.Signal, 1)
	signal.Notify(continued, unix.SIGCONT)
	defer signal.Stop(continued)
	_ = unix.Kill(0, sig)
	// The kernel may give the signal to another thread, and then the stop comes
	// a moment later; or never, for a group without a shell to continue it.
	select {
	case <-continued:
		return true
	case <-ctx.Done():
	case <-time.After(250 * time.Millisecond):
	}
	return false
}

// uninterrupted calls f again for as long as a signal interrupts it.
func uninterrupted(f func() error) error {
	for {
		if err := f(); err != unix.EINTR {
			return err
		}
	}
}
