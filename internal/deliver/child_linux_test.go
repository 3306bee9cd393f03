package deliver

import (
	"context"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// What has left the command's group, as a daemon does, is not waited for when
// all is to end, though it could still write.
func TestChildLeavesDaemons(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	ctx, end := context.WithCancel(t.Context())
	kill, now := context.WithCancel(t.Context())
	go func() {
		awaitText(t, file)
		end()
		now()
	}()
	if _, _, err := runChild(t, ctx, kill, "setsid sh -c 'echo $$ >"+file+"; exec sleep 100' & wait"); err != nil {
		t.Error(err)
	}
	pid, err := strconv.Atoi(awaitText(t, file))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Errorf("the daemon has ended: %v", err)
	}
}
