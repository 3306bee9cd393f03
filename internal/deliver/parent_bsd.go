//go:build unix && !linux

package deliver

import (
	"context"
	"os"
	"time"
)

// ParentEnded returns a channel that is closed when the process that started
// this one ends. A process whose parent has ended already has none to watch:
// the channel is never closed then, nor after ctx is done.
func ParentEnded(ctx context.Context) <-chan struct{} {
	ended := make(chan struct{})
	parent := os.Getppid()
	if parent <= 1 {
		return ended
	}
	go func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for os.Getppid() == parent {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
		close(ended)
	}()
	return ended
}
