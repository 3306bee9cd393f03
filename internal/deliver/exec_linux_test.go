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
	tests := []struct{ env, ignored, blocked string }{
		// A bit per signal, from 1 on: HUP 1, INT 2, TSTP 20, TTIN 21, TTOU 22; USR2 12.
		{"--default-signal", "0000000000000000", "0000000000000000"},
		{"--ignore-signal=HUP", "0000000000000001", "0000000000000000"},
		{"--ignore-signal=INT", "0000000000000002", "0000000000000000"},
		{"--ignore-signal=HUP,INT,TSTP,TTIN,TTOU", "0000000000380003", "0000000000000000"},
		{"--block-signal=USR2", "0000000000000000", "0000000000000800"},
	}
	// Made here, for a path with the name of a subtest in it would have a sign
	// that env takes for an assignment.
	self := program(t)
	for _, tt := range tests {
		t.Run(tt.env, func(t *testing.T) {
			got := output(t, exec.CommandContext(t.Context(), "env", "--default-signal", tt.env,
				self, "grep", "-E", "Sig(Ign|Blk)", "/proc/self/status"))
			want := "SigBlk:\t" + tt.blocked + "\nSigIgn:\t" + tt.ignored + "\n"
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
