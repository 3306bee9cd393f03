package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// TestKilledAtSystemCalls kills switches, import and rotate at each of their
// calls that change what is on disk or sent, by the count of each thread.
func TestKilledAtSystemCalls(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Fatal("no strace here: install the package strace")
	}
	useRealProgram(t)
	killed := flows(t)
	delete(killed, warm)
	for name, k := range killed {
		for _, call := range []string{"fsync", "renameat", "unlinkat", "mkdirat", "fchmod", "write", "connect", "flock"} {
			t.Run(name+"/"+call, func(t *testing.T) {
				t.Parallel()
				for n := 1; ; n++ {
					h := k.home(t)
					cmd := h.command(append([]string{"strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call,
						"-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, n), "aws-switch-role"}, k.args...)...)
					cmd.Env = append(h.environ, "GOMAXPROCS=1") // most calls are then of one thread, and so counted in one row
					out, err := cmd.CombinedOutput()
					if err == nil {
						t.Logf("killed at %d of them", n-1)
						if n == 1 && (call == "renameat" || call == "write") {
							t.Errorf("the program makes no such call")
						}
						return
					}
					exit, ok := errors.AsType[*exec.ExitError](err)
					if !ok || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
						t.Fatalf("%v\n%s", err, out)
					}
					k.after(h, fmt.Sprintf("killed at %s number %d", call, n))
					if err := os.RemoveAll(h.dir); err != nil {
						t.Fatal(err)
					}
				}
			})
		}
	}
}
