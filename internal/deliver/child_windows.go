package deliver

import (
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// Find returns the file that a command's name stands for in env, as [Exec] looks
// it up. The error is a [*NotFoundError] or a [*NotExecutableError].
func Find(name string, env []string) (path string, err error) { return lookPath(name, env) }

// setApart puts a command into a process group of its own: Ctrl-C at the console
// does not reach it, and what is sent to it reaches all that it starts.
func setApart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP}
}

func start(cmd *exec.Cmd) (*exec.Cmd, error) { return cmd, cmd.Start() }

// askToEnd sends Ctrl-Break, the one signal that a group can be sent.
func askToEnd(cmd *exec.Cmd) {
	_ = windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, uint32(cmd.Process.Pid))
}

// killAll ends the command. What it started and what did not end at Ctrl-Break
// is beyond our reach.
func killAll(cmd *exec.Cmd) { _ = cmd.Process.Kill() }

func exitStatus(p *os.ProcessState) int { return p.ExitCode() }
