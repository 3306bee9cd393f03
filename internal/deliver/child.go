package deliver

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// Child is a command that runs beside this process, as one of many. It reads
// nothing: its stdin is the null device.
type Child struct {
	// Path is the program, as [Find] tells it.
	Path string
	Argv []string
	Env  []string
	// Stdout and Stderr get what the command, and whatever it started, writes.
	// A file is handed to it as it is; other writers are written to by a
	// goroutine each.
	Stdout, Stderr io.Writer
}

// grace is how long a command that was asked to end may take to do so.
const grace = 10 * time.Second

// Run runs the command and waits for its end and for that of its output. The
// exit status is a shell's: the command's own, or 128 and the number of the
// signal that ended it. An error is a [*NotExecutableError].
//
// When ctx is done the command is asked to end, with all that it started and
// that did not leave it; when it does not within ten seconds, or kill is done,
// it is killed.
func (c Child) Run(ctx, kill context.Context) (exit int, err error) {
	cmd := &exec.Cmd{Path: c.Path, Args: c.Argv, Env: c.Env}
	setApart(cmd)
	out, err := collect(&cmd.Stdout, c.Stdout)
	if err != nil {
		return 0, err
	}
	errs, err := collect(&cmd.Stderr, c.Stderr)
	if err != nil {
		out.abandon()
		return 0, err
	}
	cmd, err = start(cmd)
	out.begin()
	errs.begin()
	if err != nil {
		<-out.ended
		<-errs.ended
		return 0, &NotExecutableError{c.Path, err}
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err = cmd.Wait()
		<-out.ended
		<-errs.ended
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		c.end(cmd, kill, ended)
		out.abandon()
		errs.abandon()
		<-ended
	}
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		return 0, err
	}
	return exitStatus(cmd.ProcessState), nil
}

// end asks a command to end, and makes it.
func (c Child) end(cmd *exec.Cmd, kill context.Context, ended <-chan struct{}) {
	askToEnd(cmd)
	patience := time.NewTimer(grace)
	defer patience.Stop()
	select {
	case <-ended:
	case <-patience.C:
	case <-kill.Done():
	}
	// What has ended may have left others behind that did not listen.
	killAll(cmd)
}

// collector hands on what comes out of a pipe. A command's own end is not that
// of its output: something that it started may still write.
type collector struct {
	to          io.Writer
	read, write *os.File
	ended       chan struct{}
	once        sync.Once
}

// collect connects a command's output with a writer.
func collect(output *io.Writer, to io.Writer) (*collector, error) {
	c := &collector{to: to, ended: make(chan struct{})}
	if f, ok := to.(*os.File); ok {
		*output = f
		return c, nil
	}
	var err error
	if c.read, c.write, err = os.Pipe(); err != nil {
		return nil, err
	}
	*output = c.write
	return c, nil
}

// begin hands on what the command, which has the other end by now, writes.
func (c *collector) begin() {
	if c.read == nil {
		close(c.ended)
		return
	}
	_ = c.write.Close()
	go func() {
		defer close(c.ended)
		defer c.read.Close()
		// Whoever reads no more leaves the command with a full pipe; so what
		// cannot be handed on is dropped.
		if _, err := io.Copy(c.to, c.read); err != nil {
			_, _ = io.Copy(io.Discard, c.read)
		}
	}()
}

// abandon ends the collecting, whoever may still write.
func (c *collector) abandon() {
	c.once.Do(func() {
		if c.read != nil {
			_ = c.read.Close()
			_ = c.write.Close()
		}
	})
}
