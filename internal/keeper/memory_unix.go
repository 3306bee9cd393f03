//go:build unix

package keeper

import "golang.org/x/sys/unix"

// locked returns memory that is not swapped, or any at all where the user may
// lock no more.
func locked(size int) memory {
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return memory{bytes: make([]byte, size)}
	}
	_ = unix.Mlock(b)
	return memory{b, unmap}
}

func unmap(b []byte) { _ = unix.Munmap(b) }
