//go:build unix

package cache

import "syscall"

// openFlags keep a named pipe from making an open wait.
const openFlags = syscall.O_NONBLOCK
