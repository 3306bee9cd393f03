package hop

import (
	"context"
	"os/exec"
	"strings"
	"syscall"

	"aws-switch-role/internal/message"
)

// command makes a command of a line of a config file, without a shell. Windows
// programs part their command line themselves, each in its own way: it is
// handed on as it is.
func command(ctx context.Context, line string) (*exec.Cmd, error) {
	line = strings.TrimSpace(line)
	name, _, _ := strings.Cut(line, " ")
	if rest, quoted := strings.CutPrefix(line, `"`); quoted {
		name, _, _ = strings.Cut(rest, `"`)
	}
	if name == "" {
		return nil, message.New("line-empty", "it is empty")
	}
	cmd := exec.CommandContext(ctx, name)
	cmd.SysProcAttr = &syscall.SysProcAttr{CmdLine: line}
	return cmd, nil
}

// Detach makes a command start in a process group of its own, without a
// console: Ctrl-C does not reach it.
func Detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{HideWindow: true, CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
