package deliver

import (
	"context"
	"os"
)

// ParentEnded returns a channel that is closed when the process that started
// this one ends. A process whose parent has ended already has none to watch:
// the channel is never closed then.
func ParentEnded(context.Context) <-chan struct{} {
	ended := make(chan struct{})
	parent, err := os.FindProcess(os.Getppid())
	if err != nil {
		return ended
	}
	go func() {
		if _, err := parent.Wait(); err == nil {
			close(ended)
		}
	}()
	return ended
}
