//go:build unix

package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// Private returns an error unless a file or directory belongs to the user and
// is closed to everybody else. The error is a predicate without its subject.
func Private(fi fs.FileInfo) error {
	if s, ok := fi.Sys().(*syscall.Stat_t); !ok || int(s.Uid) != os.Geteuid() {
		return errors.New("belongs to another user")
	}
	if mode := fi.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("is open to other users (mode %04o)", mode)
	}
	return nil
}
