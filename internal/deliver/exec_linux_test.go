package deliver

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// TestExecFiles checks that the command has the files that we were started
// with, and none that we opened.
func TestExecFiles(t *testing.T) {
	const script = `exec 7</dev/null; exec "$@"`
	want := output(t, shellCommand(t, script, "ls", "/proc/self/fd"))
	got := output(t, shellCommand(t, script, program(t), "ls", "/proc/self/fd"))
	if !slices.Contains(strings.Fields(want), "7") {
		t.Fatalf("without us there is no file 7: %q", want)
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestExecSignals checks, by the kernel's own account, that what was ignored or
// blocked before us still is, and nothing else, though the program under test
// has caught some of these signals.
func TestExecSignals(t *testing.T) {
	tests := []string{"--default-signal", "--ignore-signal=HUP", "--ignore-signal=INT", "--ignore-signal=HUP,INT,TSTP,TTIN,TTOU", "--block-signal=USR2"}
	// Made here, for a path with the name of a subtest in it would have a sign
	// that env takes for an assignment.
	self := program(t)
	for _, tt := range tests {
		t.Run(tt, func(t *testing.T) {
			// Some signals env cannot reset (32 and 33, of the C library), so
			// the yardstick is the same without us.
			grep := []string{"grep", "-E", "Sig(Ign|Blk)", "/proc/self/status"}
			env := []string{"--default-signal", tt}
			want := output(t, exec.CommandContext(t.Context(), "env", slices.Concat(env, grep)...))
			got := output(t, exec.CommandContext(t.Context(), "env", slices.Concat(env, []string{self}, grep)...))
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
