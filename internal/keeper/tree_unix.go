//go:build linux || darwin

package keeper

import (
	"os"
	"path/filepath"
	"slices"
)

// Possible says whether there are keepers on this operating system.
const Possible = true

// Descendants admits what this process has started and starts.
func Descendants() Admission { return Admission{Shell: os.Getpid()} }

// maxGenerations ends a walk to a process's ancestors.
const maxGenerations = 4096

// process is what is known of a process in one moment.
type process struct {
	pid, parent int
	start       int64 // in the system's unit: it tells two processes of one pid apart
}

// lineage returns a process and its ancestors, up to one that is given. ok
// says that it is one of them.
func lineage(pid, ancestor int) (line []process, ok bool) {
	for range maxGenerations {
		p, err := lookAt(pid)
		if err != nil {
			return nil, false
		}
		line = append(line, p)
		if pid == ancestor {
			return line, true
		}
		if p.parent <= 1 {
			return nil, false
		}
		pid = p.parent
	}
	return nil, false
}

// descends reports whether a process is an ancestor's descendant, or is that
// process itself. A pid may be given to another process while the walk goes
// on, so that two walks must tell the same.
func descends(pid, ancestor int) bool {
	once, ok := lineage(pid, ancestor)
	if !ok {
		return false
	}
	twice, ok := lineage(pid, ancestor)
	return ok && slices.Equal(once, twice)
}

// callerOf tells for whom a program asks: for its parent or, where that is the
// sh by which most SDKs start a credential_process, for the parent of that.
func callerOf(p peer, shell int) Caller {
	asks, err := lookAt(p.pid)
	if err != nil {
		return Caller{PID: p.pid}
	}
	c := Caller{PID: asks.parent, Program: executable(asks.parent)}
	if c.PID == shell || c.Program == "" || c.Program != systemShell() {
		return c
	}
	if sh, err := lookAt(c.PID); err == nil {
		c = Caller{PID: sh.parent, Program: executable(sh.parent)}
	}
	return c
}

// systemShell is the program that is /bin/sh here, "" where that cannot be
// told.
func systemShell() string {
	path, err := filepath.EvalSymlinks("/bin/sh")
	if err != nil {
		return ""
	}
	return path
}
