//go:build unix

package deliver

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// execName is the name under which the test binary is the program under test:
// it runs its arguments by Exec.
const execName = "deliver-exec"

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == execName {
		execMain()
	}
	os.Exit(m.Run())
}

// execMain runs the arguments as a session of the role, from a process that
// has been busy: what it opened and caught must not be seen in the command.
func execMain() {
	null, err := os.Open(os.DevNull)
	if err != nil {
		panic(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGUSR1)

	c, as := session()
	_, err = Exec(os.Args[1:], Env(os.Environ(), c, as))
	fmt.Fprintln(os.Stderr, err)
	null.Close()
	listener.Close()
	if _, ok := errors.AsType[*NotFoundError](err); ok {
		os.Exit(127)
	}
	if _, ok := errors.AsType[*NotExecutableError](err); ok {
		os.Exit(126)
	}
	os.Exit(125)
}

// program returns the path of the program under test.
func program(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), execName)
	if err := os.Symlink(self, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// execCommand returns the program under test, about to run argv.
func execCommand(t *testing.T, argv ...string) *exec.Cmd {
	t.Helper()
	return exec.CommandContext(t.Context(), program(t), argv...)
}

// shellCommand returns sh, about to run script with the arguments argv.
func shellCommand(t *testing.T, script string, argv ...string) *exec.Cmd {
	t.Helper()
	return exec.CommandContext(t.Context(), "sh", append([]string{"-c", script, "sh"}, argv...)...)
}

func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	return string(out)
}

func TestExecStatus(t *testing.T) {
	for status := range 256 {
		err := execCommand(t, "sh", "-c", fmt.Sprintf("exit %d", status)).Run()
		got := 0
		if ended, ok := errors.AsType[*exec.ExitError](err); ok {
			got = ended.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		if got != status {
			t.Errorf("exit %d is seen as %d", status, got)
		}
	}
}

func TestExecDeathBySignal(t *testing.T) {
	signals := []syscall.Signal{
		syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGILL, syscall.SIGTRAP,
		syscall.SIGABRT, syscall.SIGBUS, syscall.SIGFPE, syscall.SIGKILL, syscall.SIGUSR1,
		syscall.SIGSEGV, syscall.SIGUSR2, syscall.SIGPIPE, syscall.SIGALRM, syscall.SIGTERM,
	}
	for _, s := range signals {
		// As the tool's own parent sees it, the command died by the signal.
		kill := fmt.Sprintf("ulimit -c 0; kill -%d $$", s)
		err := execCommand(t, "sh", "-c", kill).Run()
		ended, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			t.Errorf("%v: %v", s, err)
			continue
		}
		if w := ended.Sys().(syscall.WaitStatus); !w.Signaled() || w.Signal() != s {
			t.Errorf("death by %v is seen as %v", s, ended)
		}
		// As a shell tells it, the status is 128+N.
		status := output(t, shellCommand(t, `"$@" 2>/dev/null; echo $?`, program(t), "sh", "-c", kill))
		if want := strconv.Itoa(128 + int(s)); strings.TrimSpace(status) != want {
			t.Errorf("death by %v is status %s to a shell, want %s", s, strings.TrimSpace(status), want)
		}
	}
}

// TestExecIsTheSameProcess checks what the command inherits by staying in our
// place.
func TestExecIsTheSameProcess(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	sh := shellCommand(t, `umask 027; ulimit -Sn 77; echo $$; exec "$@"`,
		program(t), "sh", "-c", "echo $$; umask; pwd -P; ulimit -Sn")
	sh.Dir = dir
	lines := strings.Fields(output(t, sh))
	if len(lines) != 5 {
		t.Fatalf("%q", lines)
	}
	want := []string{lines[0], lines[0], "0027", dir, "77"}
	if diff := gocmp.Diff(want, lines); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestExecLeavesStdinAlone(t *testing.T) {
	in := make([]byte, 1<<20+1)
	if _, err := rand.Read(in); err != nil {
		t.Fatal(err)
	}
	cmd := execCommand(t, "cat")
	cmd.Stdin = bytes.NewReader(in) // a pipe
	if out := output(t, cmd); sha256.Sum256([]byte(out)) != sha256.Sum256(in) {
		t.Errorf("%d bytes in, other %d bytes out", len(in), len(out))
	}
}

func TestExecEnvironment(t *testing.T) {
	base := []string{
		"PATH=" + os.Getenv("PATH"), "AWS_PROFILE=old", "AWS_SECRET_ACCESS_KEY=old",
		"EMPTY=", "AWS_VAULT=old", "TEXT=a\nb c", "AWS_CA_BUNDLE=/ca", "AWS_PROFILE=older",
	}
	c, as := session()
	for _, env := range []string{"env", "/usr/bin/env"} {
		cmd := execCommand(t, env, "-0")
		cmd.Env = base
		got := strings.Split(strings.TrimSuffix(output(t, cmd), "\x00"), "\x00")
		if diff := gocmp.Diff(Env(base, c, as), got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", env, diff)
		}
	}
}

func TestExecArguments(t *testing.T) {
	args := []string{"", " ", "a b", "$HOME", "*", "\\", "é", "-n", "--", "\xff", "new\nline"}
	out := output(t, execCommand(t, append([]string{"printf", `%s\0`}, args...)...))
	if got := strings.Split(strings.TrimSuffix(out, "\x00"), "\x00"); !slices.Equal(got, args) {
		t.Errorf("got %q, want %q", got, args)
	}
	// The command's name is the one that was typed, not the path found.
	if out := output(t, execCommand(t, "bash", "-c", `tr '\0' '\n' </proc/$$/cmdline | head -1`)); out != "bash\n" {
		t.Errorf("argv[0] is %q", out)
	}
}

// TestExecLookup has a row for each way in which a command is found or not,
// with the status that execvp(3) and a shell give it.
func TestExecLookup(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	write := func(name, text string, mode fs.FileMode) {
		t.Helper()
		if err := cmp.Or(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), mode)); err != nil {
			t.Fatal(err)
		}
	}
	const say = "#!/bin/sh\necho "
	write("first/both", say+"first both", 0o755)
	write("second/both", say+"second both", 0o755)
	write("first/refused", say+"first refused", 0o644)
	write("second/refused", say+"second refused", 0o755)
	write("first/data", say+"data", 0o644)
	write("first/here/x", "", 0o644) // first/here is a directory
	write("first/old", "#!/no/such/interpreter\n", 0o755)
	write("first/text", "echo text $0 \"$@\"", 0o755)
	write("first/empty", "", 0o755)
	write("first/foreign", "\x7fELF\x02\x01\x01\x00\nexit 0\n", 0o755)
	write("local", say+"local $0", 0o755)
	write("third/data", say+"third", 0o600)
	write("first/archive", "echo self-extracting; exit\n\x00\x01", 0o755)
	write("-d/x", "echo dash $0", 0o755)
	write("-n", "echo dash $0", 0o755)
	if err := os.Symlink("nowhere", "first/dangling"); err != nil {
		t.Fatal(err)
	}

	const path = "PATH=first:/no/such/dir:local:second"
	tests := []struct {
		name   string
		env    string
		argv   []string
		status int
		out    string // stdout, or the end of stderr's first line
	}{
		{"the first on PATH", path, []string{"both"}, 0, "first both"},
		{"by a path", path, []string{"second/both"}, 0, "second both"},
		{"by an absolute path", path, []string{dir + "/second/both"}, 0, "second both"},
		{"a later one that may be run", path, []string{"refused"}, 0, "second refused"},
		{"a text without #!", path, []string{"text", "a b", "-n"}, 0, "text first/text a b -n"},
		{"a text without #! by a path that resembles an option", path, []string{"./-n"}, 0, "dash ./-n"},
		{"a text with a NUL on a later line", path, []string{"archive"}, 0, "self-extracting"},
		{"a path that resembles an option", path, []string{"-d/x"}, 0, "dash -d/x"},
		{"an empty file", path, []string{"empty"}, 0, ""},
		{"the PATH ends in the current directory", "PATH=first:", []string{"local"}, 0, "local ./local"},
		{"the PATH begins with it", "PATH=:first", []string{"local"}, 0, "local ./local"},
		{"the PATH is it", "PATH=", []string{"local"}, 0, "local ./local"},
		{"the PATH names it", "PATH=first:.", []string{"-n"}, 0, "dash ./-n"},
		{"no PATH", "NOPATH=first", []string{"echo", "hi"}, 0, "hi"},
		{"the PATH of the child", "PATH=second", []string{"both"}, 0, "second both"},

		{"nowhere", path, []string{"nothing"}, 127, "nothing: command not found"},
		{"not by its path", path, []string{"./nothing"}, 127, "./nothing: command not found"},
		{"not in the current directory", path, []string{"local"}, 127, "local: command not found"},
		{"a dangling link", path, []string{"dangling"}, 127, "dangling: command not found"},
		{"an empty name", path, []string{""}, 127, "command not found"},
		{"no name", path, nil, 127, "command not found"},
		{"the slash is not for PATH", path, []string{"here/x"}, 127, "here/x: command not found"},

		{"the first that may not be run is told", "PATH=first:third", []string{"data"}, 126, "cannot run first/data: permission denied"},
		{"not executable", path, []string{"data"}, 126, "cannot run first/data: permission denied"},
		{"not executable by its path", path, []string{"first/data"}, 126, "cannot run first/data: permission denied"},
		{"a directory", path, []string{"here"}, 126, "cannot run first/here: is a directory"},
		{"a directory by its path", path, []string{"./first"}, 126, "cannot run ./first: is a directory"},
		{"below a file", path, []string{"./local/x"}, 126, "cannot run ./local/x: not a directory"},
		{"no interpreter", path, []string{"old"}, 126, "cannot run first/old: bad interpreter: no such file or directory"},
		{"a program for another machine", path, []string{"foreign"}, 126, "cannot run first/foreign: exec format error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cmd := execCommand(t, tt.argv...)
			cmd.Env = []string{tt.env}
			var stdout, stderr strings.Builder
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			err := cmd.Run()
			if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
				t.Fatal(err)
			}
			if got := cmd.ProcessState.ExitCode(); got != tt.status {
				t.Errorf("status %d, want %d: %s", got, tt.status, stderr.String())
			}
			if tt.status == 0 {
				if got := strings.TrimSpace(stdout.String()); got != tt.out || stderr.Len() > 0 {
					t.Errorf("stdout %q, want %q; stderr %q", got, tt.out, stderr.String())
				}
				return
			}
			// A test binary that measures coverage adds a line.
			if got, _, _ := strings.Cut(stderr.String(), "\n"); !strings.HasSuffix(got, tt.out) || stdout.Len() > 0 {
				t.Errorf("stderr %q, want %q; stdout %q", got, tt.out, stdout.String())
			}
		})
	}
}

// TestExecFailure runs what cannot be run in this very process: it goes on.
func TestExecFailure(t *testing.T) {
	dir := t.TempDir()
	_, err := Exec([]string{dir}, nil)
	refused, ok := errors.AsType[*NotExecutableError](err)
	if !ok || refused.Path != dir || !errors.Is(err, syscall.EISDIR) {
		t.Errorf("a directory: %v", err)
	}
	_, err = Exec([]string{"nothing"}, []string{"PATH=" + dir})
	if missing, ok := errors.AsType[*NotFoundError](err); !ok || missing.Name != "nothing" {
		t.Errorf("nothing: %v", err)
	}
	_, err = Exec([]string{"/bin/sh", "a\x00b"}, nil)
	if _, ok := errors.AsType[*NotExecutableError](err); !ok || !errors.Is(err, syscall.EINVAL) {
		t.Errorf("a NUL in an argument: %v", err)
	}
}

func TestShell(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	shell, data := filepath.Join(dir, "shell"), filepath.Join(dir, "data")
	for name, mode := range map[string]fs.FileMode{shell: 0o755, data: 0o644} {
		if err := os.WriteFile(name, nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	if got := Shell([]string{"SHELL=" + shell}); !slices.Equal(got, []string{shell}) {
		t.Errorf("SHELL is set, and the shell is %q", got)
	}
	for _, path := range []string{"", "shell", "./shell", data, dir, "/no/such"} {
		if isProgram(path) {
			t.Errorf("%q may be run", path)
		}
	}
	for _, env := range [][]string{nil, {"SHELL="}, {"SHELL=shell"}, {"SHELL=" + data}, {"SHELL=" + dir}, {"SHELL=/no/such"}} {
		if got := Shell(env); len(got) != 1 || !isProgram(got[0]) || strings.HasPrefix(got[0], dir) {
			t.Errorf("with %q the shell is %q", env, got)
		}
	}
}

func TestPasswdShell(t *testing.T) {
	const passwd = `root:x:0:0:root:/root:/bin/bash
# a comment
broken:x:1000
one:x:1000:1000:One, of many,,:/home/one:/usr/bin/zsh
again:x:1000:1000::/home/again:/bin/fish
none:x:1001:1001::/home/none:
last:x:10:10::/:/bin/last`
	for uid, want := range map[int]string{0: "/bin/bash", 1000: "/usr/bin/zsh", 1001: "", 10: "/bin/last", 100: ""} {
		if got := passwdShell(strings.NewReader(passwd), uid); got != want {
			t.Errorf("the shell of %d is %q, want %q", uid, got, want)
		}
	}
}
