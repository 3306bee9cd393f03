//go:build unix

package deliver

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
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

// setApart puts a command into a process group of its own: what the terminal sends
// to ours does not reach it, and what is sent to it reaches all that it starts.
func setApart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// start starts a command. A text without `#!` is run by /bin/sh, as by [Exec].
func start(cmd *exec.Cmd) (*exec.Cmd, error) {
	err := cmd.Start()
	if !errors.Is(err, syscall.ENOEXEC) || !isText(cmd.Path) {
		return cmd, err
	}
	args := append([]string{bourneShell, "--", cmd.Path}, cmd.Args[1:]...)
	cmd = &exec.Cmd{Path: bourneShell, Args: args, Env: cmd.Env, SysProcAttr: cmd.SysProcAttr, Stdout: cmd.Stdout, Stderr: cmd.Stderr}
	return cmd, cmd.Start()
}

func askToEnd(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
func killAll(cmd *exec.Cmd)  { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

func exitStatus(p *os.ProcessState) int {
	if s, ok := p.Sys().(syscall.WaitStatus); ok && s.Signaled() {
		return 128 + int(s.Signal())
	}
	return p.ExitCode()
}
