//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package term

import "golang.org/x/sys/unix"

const (
	getSettings   = unix.TIOCGETA
	setSettings   = unix.TIOCSETA
	flushSettings = unix.TIOCSETAF

	disabled = 0xff // _POSIX_VDISABLE
)

// drain is tcdrain.
func drain(fd int) error { return unix.IoctlSetInt(fd, unix.TIOCDRAIN, 0) }

// foreground is tcgetpgrp.
func foreground(fd int) (int, error) { return unix.IoctlGetInt(fd, unix.TIOCGPGRP) }
