//go:build unix && !linux

package mirror

import (
	"os"
	"syscall"
)

// self is this process. When it was started is not to be had without cgo.
func self() process { return process{PID: os.Getpid()} }

// alive reports whether a process is still there, or another one with its
// number: a directory is then kept for longer.
func alive(p process) bool { return syscall.Kill(p.PID, 0) != syscall.ESRCH }
