//go:build unix

package hop

import (
	"context"
	"os"
	"os/exec"
	"syscall"

	"aws-switch-role/internal/message"
	"aws-switch-role/internal/plan"
)

// command makes a command of a line of a config file, without a shell.
//
// Where there is no terminal it gets a process group of its own, so that all
// it started ends with it when its time is over. On a terminal it stays in
// ours: it may ask for something there, which the terminal lets the group in
// the foreground alone do.
func command(ctx context.Context, line string) (*exec.Cmd, error) {
	words, err := plan.SplitCommand(line)
	if err != nil {
		return nil, err
	}
	if len(words) == 0 {
		return nil, message.New("line-empty", "it is empty")
	}
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	if tty, err := os.Open("/dev/tty"); err == nil {
		_ = tty.Close()
		return cmd, nil
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd, nil
}

// Detach makes a command start in a session of its own: what ends those of a
// terminal or of a job does not end it.
func Detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
