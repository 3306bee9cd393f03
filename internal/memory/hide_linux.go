package memory

import (
	"os"

	"golang.org/x/sys/unix"
)

// Hidden says that [Hide] does what it says on this system.
const Hidden = true

// Hide keeps the other processes of the user from reading the secrets in this
// one's memory, and the system from writing them to a core file. What this
// process starts is not covered: execve(2) undoes it there.
func Hide() error {
	return os.NewSyscallError("prctl", unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0))
}
