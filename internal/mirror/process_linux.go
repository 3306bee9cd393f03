package mirror

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
)

// self is this process.
func self() process {
	pid := os.Getpid()
	return process{pid, started(pid)}
}

// alive reports whether a process is still there.
func alive(p process) bool {
	if syscall.Kill(p.PID, 0) == syscall.ESRCH {
		return false
	}
	now := started(p.PID)
	return now == "" || now == p.Start
}

// started tells when a process was started, in the kernel's own words: field
// 22 of proc_pid_stat(5). It is "" where that is not to be had.
func started(pid int) string {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ""
	}
	// The name of the program, which may contain anything, is the second
	// field, in parentheses.
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 {
		return ""
	}
	return string(fields[19])
}
