package term

import "golang.org/x/sys/unix"

const (
	getSettings   = unix.TCGETS
	setSettings   = unix.TCSETS
	flushSettings = unix.TCSETSF

	disabled = 0 // _POSIX_VDISABLE
)

// drain is tcdrain.
func drain(fd int) error { return unix.IoctlSetInt(fd, unix.TCSBRK, 1) }

// foreground is tcgetpgrp.
func foreground(fd int) (int, error) {
	group, err := unix.IoctlGetUint32(fd, unix.TIOCGPGRP)
	return int(group), err
}
