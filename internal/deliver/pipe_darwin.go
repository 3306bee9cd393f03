package deliver

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// pipe makes a pipe that no command inherits by chance. macOS has no pipe2(2),
// so that no process may be started in between.
func pipe(ends *[2]int) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := unix.Pipe(ends[:]); err != nil {
		return err
	}
	unix.CloseOnExec(ends[0])
	unix.CloseOnExec(ends[1])
	return nil
}
