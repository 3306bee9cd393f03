//go:build unix

package deliver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// runChild runs a line of shell code as a child.
func runChild(t *testing.T, ctx, kill context.Context, line string) (exit int, out string, err error) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	exit, err = Child{Path: "/bin/sh", Argv: []string{"sh", "-c", line}, Env: []string{"PATH=/bin:/usr/bin"}, Stdout: &stdout, Stderr: &stderr}.Run(ctx, kill)
	return exit, stdout.String() + stderr.String(), err
}

func TestChild(t *testing.T) {
	for line, want := range map[string]struct {
		exit int
		out  string
	}{
		"echo out":             {0, "out\n"},
		"echo err >&2":         {0, "err\n"},
		"exit 3":               {3, ""},
		"kill -TERM $$":        {143, ""},
		"cat; echo no stdin":   {0, "no stdin\n"},
		"(sleep 0.2; echo x)&": {0, "x\n"}, // what it started may still write
	} {
		exit, out, err := runChild(t, t.Context(), t.Context(), line)
		if exit != want.exit || out != want.out || err != nil {
			t.Errorf("%s: exit %d, %q, %v; want %d, %q", line, exit, out, err, want.exit, want.out)
		}
	}
}

// However much there is of each, nothing of it is lost, and nobody waits for who
// reads no more.
func TestChildPrintsMuch(t *testing.T) {
	const much = 300_000
	var stdout bytes.Buffer
	line := fmt.Sprintf("yes e | head -c %d >&2 & yes o | head -c %d; wait", much, much)
	child := Child{Path: "/bin/sh", Argv: []string{"sh", "-c", line}, Env: []string{"PATH=/bin:/usr/bin"}, Stdout: &stdout, Stderr: full{}}
	exit, err := child.Run(t.Context(), t.Context())
	if exit != 0 || err != nil || stdout.Len() != much || strings.Trim(stdout.String(), "o\n") != "" {
		t.Errorf("exit %d, %v, %d bytes; want %d", exit, err, stdout.Len(), much)
	}
}

// full takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// With a command ends what it has started, whether it listens or not.
func TestChildEnds(t *testing.T) {
	for name, line := range map[string]string{
		"politely":         `sleep 100 & echo $! >$F; wait`,
		"deaf descendants": `trap '' TERM; sh -c 'echo $$ >$F; while :; do sleep 100; done' & wait; wait`,
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "pid")
			ctx, end := context.WithCancel(t.Context())
			kill, now := context.WithCancel(t.Context())
			defer now()
			go func() {
				awaitText(t, file)
				end()
				if name != "politely" {
					now()
				}
			}()
			if exit, _, err := runChild(t, ctx, kill, "F="+file+"; export F; "+line); exit < 128 || err != nil {
				t.Errorf("exit %d, %v; want that of a signal", exit, err)
			}
			awaitGone(t, awaitText(t, file))
		})
	}
}

func awaitText(t *testing.T, file string) string {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if b, err := os.ReadFile(file); err == nil && bytes.HasSuffix(b, []byte("\n")) {
			return strings.TrimSpace(string(b))
		}
	}
	t.Errorf("no text in %s", file)
	return ""
}

// awaitGone waits until a process is none, or is but waited for.
func awaitGone(t *testing.T, pid string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
	}
	t.Errorf("process %s lives on", pid)
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"program": 0o755, "plain": 0o644} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("echo text\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	env := []string{"PATH=/nowhere:" + dir}
	path, err := Find("program", env)
	if want := filepath.Join(dir, "program"); path != want || err != nil {
		t.Errorf("found %s, %v; want %s", path, err, want)
	}
	var out bytes.Buffer
	if exit, err := (Child{Path: path, Argv: []string{"program"}, Stdout: &out, Stderr: io.Discard}).Run(t.Context(), t.Context()); exit != 0 || err != nil || out.String() != "text\n" {
		t.Errorf("a text without #! gave %d, %q, %v", exit, out.String(), err)
	}
	if e, ok := errors.AsType[*NotExecutableError](second(Find("plain", env))); !ok || !errors.Is(e, syscall.EACCES) {
		t.Errorf("of a file that is no program: %v", e)
	}
	for _, name := range []string{"absent", dir + "/absent", dir + "/plain/absent"} {
		if _, ok := errors.AsType[*NotFoundError](second(Find(name, env))); !ok {
			t.Errorf("%s was found", name)
		}
	}
}

func second[A, B any](_ A, b B) B { return b }
