//go:build unix

package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// openFlags keep a named pipe from making an open wait.
const openFlags = syscall.O_NONBLOCK

// private returns an error unless a file or directory belongs to the user and
// is closed to everybody else. The error is a predicate without its subject.
func private(fi fs.FileInfo) error {
	if s, ok := fi.Sys().(*syscall.Stat_t); !ok || int(s.Uid) != os.Geteuid() {
		return errors.New("belongs to another user")
	}
	if mode := fi.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("is open to other users (mode %04o)", mode)
	}
	return nil
}
