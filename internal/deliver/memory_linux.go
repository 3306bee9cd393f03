package deliver

import (
	"os"

	"golang.org/x/sys/unix"
)

// HideMemory keeps the other processes of the user from reading the secrets in
// this one's memory, and the system from writing them to a core file. What this
// process starts is not covered: execve(2) undoes it there.
func HideMemory() error {
	return os.NewSyscallError("prctl", unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0))
}
