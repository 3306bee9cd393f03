package deliver

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// execName is the name under which the test binary is the program under test:
// it runs its arguments by Exec.
const execName = "deliver-exec"

func TestMain(m *testing.M) {
	if os.Args[0] == execName {
		status, err := Exec(os.Args[1:], os.Environ())
		if err != nil {
			status = 127
		}
		os.Exit(status)
	}
	os.Exit(m.Run())
}

func TestExecStatus(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for command, want := range map[string]int{"exit 0": 0, "exit 7": 7, "exit 255": 255} {
		cmd := exec.CommandContext(t.Context(), self)
		cmd.Args = []string{execName, "cmd", "/c", command}
		err := cmd.Run()
		if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
			t.Fatal(err)
		}
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("%s is seen as %d", command, got)
		}
	}
}

func TestLookPath(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, name := range []string{"tool.EXE", "script.CMD", "data.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := []string{"Path=relative;" + dir, "PathExt=.EXE;.CMD"}
	for name, want := range map[string]string{
		"tool":                     filepath.Join(dir, "tool.EXE"),
		"tool.exe":                 filepath.Join(dir, "tool.exe"),
		"script":                   filepath.Join(dir, "script.CMD"),
		filepath.Join(dir, "tool"): filepath.Join(dir, "tool.EXE"),
		`.\tool`:                   `.\tool.EXE`,
	} {
		if got, err := lookPath(name, env); !strings.EqualFold(got, want) {
			t.Errorf("%s: got %q (%v), want %q", name, got, err, want)
		}
	}
	if _, err := lookPath("data.txt", env); !isType[*NotExecutableError](err) {
		t.Errorf("data.txt: %v", err)
	}
	for _, path := range []string{"", ".", "relative"} {
		if got, err := lookPath("tool", []string{"PATH=" + path}); !isType[*NotFoundError](err) {
			t.Errorf("with PATH=%s: %q, %v", path, got, err)
		}
	}
}

func isType[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func TestShell(t *testing.T) {
	comspec := os.Getenv("COMSPEC")
	if got := Shell([]string{"ComSpec=" + comspec}); !slices.Equal(got, []string{comspec}) {
		t.Errorf("got %q, want %q", got, comspec)
	}
	if got := Shell([]string{"COMSPEC=relative.exe"}); !slices.Equal(got, []string{"powershell.exe"}) {
		t.Errorf("got %q without COMSPEC", got)
	}
}
