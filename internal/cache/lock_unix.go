//go:build unix

package cache

import (
	"os"
	"syscall"
)

// tryLockFile takes the lock on f if nobody has it. flock(2) belongs to the
// open file and not to the process: two opens of one process exclude each
// other, and the last close ends it.
func tryLockFile(f *os.File) (ok bool, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return false, err
	}
	var lockErr error
	err = raw.Control(func(fd uintptr) {
		for {
			lockErr = syscall.Flock(int(fd), syscall.LOCK_EX|syscall.LOCK_NB)
			if lockErr != syscall.EINTR {
				return
			}
		}
	})
	switch {
	case err != nil:
		return false, err
	case lockErr == syscall.EWOULDBLOCK:
		return false, nil
	case lockErr != nil:
		return false, os.NewSyscallError("flock", lockErr)
	}
	return true, nil
}
