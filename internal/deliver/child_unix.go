//go:build unix

package deliver

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// Find returns the file that a command's name stands for in env, as [Exec] looks
// it up. The error is a [*NotFoundError] or a [*NotExecutableError].
func Find(name string, env []string) (path string, err error) {
	if strings.Contains(name, "/") {
		return name, runnable(name)
	}
	dirs, ok := lookup(env, "PATH")
	if !ok {
		dirs = "/bin:/usr/bin"
	}
	err = &NotFoundError{name}
	for dir := range strings.SplitSeq(dirs, ":") {
		if dir == "" {
			dir = "."
		}
		file := dir + "/" + name
		refused := runnable(file)
		if refused == nil {
			return file, nil
		}
		if _, absent := errors.AsType[*NotFoundError](refused); !absent {
			err = refused
		}
	}
	return "", err
}

// runnable is nil for a file that somebody may run.
func runnable(file string) error {
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return &NotFoundError{file}
	case err != nil:
		return &NotExecutableError{file, err}
	case info.IsDir():
		return &NotExecutableError{file, syscall.EISDIR}
	case info.Mode()&0o111 == 0:
		return &NotExecutableError{file, syscall.EACCES}
	}
	return nil
}

// Run runs the command and waits for its end and for that of its output. The
// exit status is a shell's: the command's own, or 128 and the number of the
// signal that ended it. An error is a [*NotExecutableError], or says that the
// system has no room for one more process or pipe.
//
// When ctx is done the command is asked to end, with all that it started and
// that did not leave it; when it does not within ten seconds, or kill is done,
// it is killed.
func (c Child) Run(ctx, kill context.Context) (exit int, err error) {
	o, err := c.connect()
	if err != nil {
		return 0, err
	}
	defer o.close()
	p, err := c.start(o.files)
	o.release()
	if err != nil {
		return 0, &NotExecutableError{c.Path, err}
	}
	ended, killed := make(chan struct{}), make(chan struct{})
	undisturbed := context.AfterFunc(ctx, func() {
		defer close(killed)
		_ = syscall.Kill(-p.Pid, syscall.SIGTERM)
		await(ended, kill)
		// What has ended may have left others behind that did not listen.
		_ = syscall.Kill(-p.Pid, syscall.SIGKILL)
		o.abandoned.Store(true)
	})
	o.collect()
	state, err := p.Wait()
	close(ended)
	if !undisturbed() {
		<-killed
	}
	if err != nil {
		return 0, err
	}
	return exitStatus(state), nil
}

// start starts the command in a process group of its own: what the terminal
// sends to ours does not reach it, and what is sent to it reaches all that it
// starts. A text without `#!` is run by /bin/sh, as by [Exec].
func (c Child) start(files []*os.File) (*os.Process, error) {
	attr := &os.ProcAttr{Env: c.Env, Files: files, Sys: &syscall.SysProcAttr{Setpgid: true}}
	p, err := os.StartProcess(c.Path, c.Argv, attr)
	if !errors.Is(err, syscall.ENOEXEC) || !isText(c.Path) {
		return p, err
	}
	return os.StartProcess(bourneShell, append([]string{bourneShell, "--", c.Path}, c.Argv[1:]...), attr)
}

// outputs are the two ends of a command's output. They are read by who waits
// for the command anyhow, and without the runtime's poller: of a thousand short
// commands, goroutines and registrations would cost as much as the commands.
type outputs struct {
	files []*os.File // of the command, in the order of their numbers
	ours  []*os.File // those that are to be closed once the command has them
	reads []unix.PollFd
	to    []io.Writer // what is read of each
	// abandoned is set when the reading is to end, whoever may still write.
	abandoned atomic.Bool
}

// lookUp is how often who reads looks up whether that is abandoned, in
// milliseconds. It matters only to daemons, which keep a pipe open when all
// that could be ended has.
const lookUp = 1000

// How much is read at a time: little, as most commands print, until one fills
// that, and then what a pipe of Linux holds.
const (
	littleOutput = 512
	muchOutput   = 64 << 10
)

func (c Child) connect() (*outputs, error) {
	o := &outputs{}
	// Not os.Open, which has the runtime's poller look at it.
	null, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("open", err)
	}
	stdin := os.NewFile(uintptr(null), os.DevNull)
	o.files, o.ours = []*os.File{stdin}, []*os.File{stdin}
	for _, to := range []io.Writer{c.Stdout, c.Stderr} {
		if err := o.add(to); err != nil {
			o.release()
			o.close()
			return nil, err
		}
	}
	return o, nil
}

// add connects the next of the command's files with a writer.
func (o *outputs) add(to io.Writer) error {
	if f, ok := to.(*os.File); ok {
		o.files = append(o.files, f)
		return nil
	}
	var ends [2]int
	if err := pipe(&ends); err != nil {
		return err
	}
	write := os.NewFile(uintptr(ends[1]), "output")
	o.files, o.ours = append(o.files, write), append(o.ours, write)
	o.reads, o.to = append(o.reads, unix.PollFd{Fd: int32(ends[0]), Events: unix.POLLIN}), append(o.to, to)
	return nil
}

// release closes what is the command's alone.
func (o *outputs) release() {
	for _, f := range o.ours {
		_ = f.Close()
	}
}

// collect hands on what the command writes, until nobody can write any more or
// it is abandoned.
func (o *outputs) collect() {
	fds := slices.Clone(o.reads)
	buffer := make([]byte, littleOutput)
	for open := len(fds); open > 0 && !o.abandoned.Load(); {
		ready, err := unix.Poll(fds, lookUp)
		if err != nil && err != syscall.EINTR && err != syscall.EAGAIN {
			return
		}
		for i := range fds {
			if ready <= 0 || fds[i].Revents == 0 {
				continue
			}
			n, err := unix.Read(int(fds[i].Fd), buffer)
			switch {
			case err == syscall.EINTR || err == syscall.EAGAIN:
			case err != nil || n <= 0:
				fds[i].Fd = -1 // poll(2) passes it over
				open--
			default:
				// Whoever reads no more leaves the command with a full pipe; so
				// what cannot be handed on is dropped.
				if _, err := o.to[i].Write(buffer[:n]); err != nil {
					o.to[i] = io.Discard
				}
				if n == len(buffer) && n < muchOutput {
					buffer = make([]byte, muchOutput)
				}
			}
		}
	}
}

// close closes what is ours. What the command has left running finds that
// nobody reads any more.
func (o *outputs) close() {
	for _, r := range o.reads {
		_ = unix.Close(int(r.Fd))
	}
}

func exitStatus(p *os.ProcessState) int {
	if s, ok := p.Sys().(syscall.WaitStatus); ok && s.Signaled() {
		return 128 + int(s.Signal())
	}
	return p.ExitCode()
}
