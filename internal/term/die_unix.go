//go:build unix

package term

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Die ends the process by the signal of the question that it interrupted, as
// if that had never been caught: a shell leaves its loop or script only when a
// command was killed by SIGINT, not when it exited with 130. It returns when
// that cannot be had: after SIGQUIT, for which Go would print its goroutines.
func (e Interrupted) Die() {
	if e.Signal == unix.SIGQUIT {
		return
	}
	signal.Reset(e.Signal)
	if err := syscall.Kill(os.Getpid(), e.Signal); err != nil {
		return
	}
	time.Sleep(time.Second) // the kernel may give it to another thread
}
