package cache

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// withoutPrivilege runs f without root's power to write where the mode of a
// directory forbids it.
func withoutPrivilege(t *testing.T, f func()) {
	t.Helper()
	done := make(chan error)
	go func() {
		// The thread has lost the power for good: it ends with the goroutine.
		runtime.LockOSThread()
		defer close(done)
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		if err := unix.Capset(&header, &none[0]); err != nil {
			done <- err
			return
		}
		f()
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
