package deliver

import (
	"context"
	"io"
	"time"
)

// Child is a command that runs beside this process, as one of many. It reads
// nothing: its stdin is the null device.
type Child struct {
	// Path is the program, as [Find] tells it.
	Path string
	Argv []string
	Env  []string
	// Stdout and Stderr get what the command, and whatever it started, writes.
	// A file is handed to it as it is.
	Stdout, Stderr io.Writer
}

// grace is how long a command that was asked to end may take to do so.
const grace = 10 * time.Second

// await returns when a command that was asked to end has ended, has had its
// time or is to end at once.
func await(ended <-chan struct{}, kill context.Context) {
	patience := time.NewTimer(grace)
	defer patience.Stop()
	select {
	case <-ended:
	case <-patience.C:
	case <-kill.Done():
	}
}
