package deliver

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"

	"golang.org/x/sys/windows"
)

// Find returns the file that a command's name stands for in env, as [Exec] looks
// it up. The error is a [*NotFoundError] or a [*NotExecutableError].
func Find(name string, env []string) (path string, err error) { return lookPath(name, env) }

// Run runs the command and waits for its end and for that of its output. An
// error is a [*NotExecutableError], or says that the system has no room for one
// more process or pipe.
//
// When ctx is done the command is asked to end, with all that it started and
// that did not leave it: it gets a Ctrl-Break, the one signal that a group can
// be sent. When it does not within ten seconds, or kill is done, it is killed;
// what it started and what did not listen is beyond our reach.
func (c Child) Run(ctx, kill context.Context) (exit int, err error) {
	// In a group of its own Ctrl-C at the console does not reach it.
	cmd := &exec.Cmd{Path: c.Path, Args: c.Argv, Env: c.Env, SysProcAttr: &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP}}
	out, err := collect(&cmd.Stdout, c.Stdout)
	if err != nil {
		return 0, err
	}
	errs, err := collect(&cmd.Stderr, c.Stderr)
	if err != nil {
		out.abandon()
		return 0, err
	}
	err = cmd.Start()
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
		_ = windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, uint32(cmd.Process.Pid))
		await(ended, kill)
		_ = cmd.Process.Kill()
		out.abandon()
		errs.abandon()
		<-ended
	}
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		return 0, err
	}
	return cmd.ProcessState.ExitCode(), nil
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
