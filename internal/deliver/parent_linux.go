package deliver

import (
	"context"
	"os"

	"golang.org/x/sys/unix"
)

// ParentEnded returns a channel that is closed when the process that started
// this one ends. A process whose parent has ended already has none to watch:
// the channel is never closed then, nor after ctx is done.
func ParentEnded(ctx context.Context) <-chan struct{} {
	ended := make(chan struct{})
	parent := os.Getppid()
	if parent <= 1 {
		return ended
	}
	// PR_SET_PDEATHSIG would be about the thread that started this process, and
	// comes too late if that has ended before the call.
	pidfd, err := unix.PidfdOpen(parent, 0)
	if err != nil || os.Getppid() != parent {
		if err == nil {
			_ = unix.Close(pidfd)
		}
		return ended
	}
	wake, stop, err := os.Pipe()
	if err != nil {
		_ = unix.Close(pidfd)
		return ended
	}
	context.AfterFunc(ctx, func() { _ = stop.Close() })
	go func() {
		defer wake.Close()
		defer unix.Close(pidfd)
		fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}, {Fd: int32(wake.Fd()), Events: unix.POLLIN}}
		for {
			if _, err := unix.Poll(fds, -1); err == unix.EINTR {
				continue
			}
			if fds[0].Revents != 0 {
				close(ended)
			}
			return
		}
	}()
	return ended
}
