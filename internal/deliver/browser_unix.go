//go:build unix

package deliver

import "syscall"

// apart starts a process in a session of its own, without our terminal.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
