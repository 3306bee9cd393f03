//go:build unix && !darwin && !aix

package deliver

import "golang.org/x/sys/unix"

// pipe makes a pipe that no command inherits by chance.
func pipe(ends *[2]int) error { return unix.Pipe2(ends[:], unix.O_CLOEXEC) }
