package mirror

import "os"

// self is this process, which waits for the shell.
func self() process { return process{PID: os.Getpid()} }

// alive reports whether a process is still there, or another one with its
// number: a directory is then kept for longer.
func alive(p process) bool {
	found, err := os.FindProcess(p.PID) // fails where there is none
	if err != nil {
		return false
	}
	_ = found.Release()
	return true
}
