package keeper

import "golang.org/x/sys/unix"

// allocate returns memory out of sight of everybody else (memfd_secret(2)),
// else memory that is not swapped.
func allocate(size int) memory {
	if b, err := secretMemory(size); err == nil {
		return memory{b, unmap}
	}
	return locked(size)
}

func secretMemory(size int) ([]byte, error) {
	fd, err := unix.MemfdSecret(unix.O_CLOEXEC)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	if err := unix.Ftruncate(fd, int64(size)); err != nil {
		return nil, err
	}
	return unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}
