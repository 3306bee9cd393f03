//go:build unix

package term

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

const (
	prompt   = "Enter MFA code for arn:aws:iam::111111111111:mfa/me: "
	code     = "735194"
	shellPS1 = "READY> "
	deadline = 30 * time.Second
)

// childVar makes the test binary play the program that asks.
const childVar = "TERM_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVar) != "" {
		os.Exit(child(os.Args[1], os.Args[2]))
	}
	os.Exit(m.Run())
}

// child does one thing at the terminal and leaves what came of it in a file.
func child(do, file string) int {
	t, err := Open()
	if err != nil {
		return report(file, err.Error(), 1)
	}
	defer t.Close()
	if do == "settings" {
		s, err := unix.IoctlGetTermios(t.in, getSettings)
		return report(file, fmt.Sprint(s, err), 0)
	}

	if err := os.WriteFile(file+".pid", []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		return report(file, err.Error(), 1)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var answer string
	switch do {
	case "visible":
		answer, err = t.AskVisible(ctx, prompt)
	case "cancel":
		before := runningGoroutines()
		time.AfterFunc(300*time.Millisecond, cancel)
		_, err = t.Ask(ctx, prompt)
		if leak := goleak.Find(before); leak != nil {
			err = leak
		}
	case "pick":
		answer, err = pickName(ctx, t)
	case "cancel-pick":
		before := runningGoroutines()
		time.AfterFunc(300*time.Millisecond, cancel)
		_, err = pickName(ctx, t)
		if leak := goleak.Find(before); leak != nil {
			err = leak
		}
	default:
		answer, err = t.Ask(ctx, prompt)
	}
	var i Interrupted
	switch {
	case errors.As(err, &i):
		return report(file, i.Error(), 128+int(i.Signal))
	case err != nil:
		return report(file, err.Error(), 1)
	}
	report(file, fmt.Sprintf("answer %q", answer), 0)
	if do == "linger" {
		t.Print("lingering")
		time.Sleep(deadline)
	}
	return 0
}

// runningGoroutines makes os/signal's own goroutine part of the usual ones.
func runningGoroutines() goleak.Option {
	c := make(chan os.Signal, 1)
	signal.Notify(c, unix.SIGCONT)
	signal.Stop(c)
	return goleak.IgnoreCurrent()
}

func report(file, text string, exit int) int {
	if err := os.WriteFile(file+".tmp", []byte(text), 0o600); err != nil {
		return 99
	}
	if err := os.Rename(file+".tmp", file); err != nil {
		return 99
	}
	return exit
}

// screen is a terminal with a program on it, and the person before it.
type screen struct {
	t         *testing.T
	ctrl, tty *os.File
	cmd       *exec.Cmd
	dir       string
	before    unix.Termios // the settings before the program ran

	mu   sync.Mutex
	text bytes.Buffer
	seen int // how much of text was expected so far
}

// start runs a program as the leader of a session on a new terminal. Its
// standard streams are the terminal when onTTY is set, and closed pipes
// otherwise. $B is the test binary as a child, $D a directory.
func start(t *testing.T, onTTY bool, argv ...string) *screen {
	t.Helper()
	ctrl, tty, err := openPTY()
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := &screen{t: t, ctrl: ctrl, tty: tty, dir: t.TempDir()}
	s.size(200, 50)
	s.cmd = exec.Command(argv[0], argv[1:]...)
	s.cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "TERM=dumb", "PS1=" + shellPS1, "HOME=" + s.dir, "LC_ALL=C",
		"B=" + self, "D=" + s.dir, childVar + "=1", "GORACE=atexit_sleep_ms=0",
	}
	s.cmd.ExtraFiles = []*os.File{tty}
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 3}
	if onTTY {
		s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = tty, tty, tty
	}
	s.before = s.settings()
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(s, ctrl)
	}()
	t.Cleanup(func() {
		ctrl.Close() // hangs up: whatever is left on the terminal ends
		tty.Close()
		<-read
		if s.cmd.ProcessState == nil {
			_ = s.cmd.Process.Kill()
			_ = s.cmd.Wait()
		}
	})
	return s
}

// openPTY is [pty.Open] with a first file whose Close ends a Read.
func openPTY() (ctrl, tty *os.File, err error) {
	blocking, tty, err := pty.Open()
	if err != nil {
		return nil, nil, err
	}
	defer blocking.Close()
	fd, err := unix.FcntlInt(blocking.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, nil, err
	}
	return os.NewFile(uintptr(fd), blocking.Name()), tty, nil
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func (s *screen) send(text string) {
	s.t.Helper()
	if _, err := io.WriteString(s.ctrl, text); err != nil {
		s.t.Fatal(err)
	}
}

// until waits for cond.
func (s *screen) until(what string, cond func() bool) {
	s.t.Helper()
	for end := time.Now().Add(deadline); !cond(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("waited in vain for %s; the screen:\n%q", what, s.all())
		}
	}
}

// expect waits until text appears behind what was expected before.
func (s *screen) expect(text string) {
	s.t.Helper()
	s.until(strconv.Quote(text), func() bool {
		all := s.all()
		i := strings.Index(all[s.seen:], text)
		if i < 0 {
			return false
		}
		s.seen += i + len(text)
		return true
	})
}

// shell types a command line to a shell and waits until it is done.
func (s *screen) shell(line string) {
	s.t.Helper()
	s.send(line + "\n")
	s.expect(shellPS1)
}

// file waits for a file that the child leaves.
func (s *screen) file(name string) (text string) {
	s.t.Helper()
	s.until(name, func() bool {
		b, err := os.ReadFile(filepath.Join(s.dir, name))
		text = string(b)
		return err == nil && text != ""
	})
	return text
}

func (s *screen) settings() unix.Termios {
	s.t.Helper()
	now, err := unix.IoctlGetTermios(int(s.tty.Fd()), getSettings)
	if err != nil {
		s.t.Fatal(err)
	}
	return *now
}

// foreground returns the process group that the terminal belongs to.
func (s *screen) foreground() (group int) {
	s.t.Helper()
	conn, err := s.ctrl.SyscallConn()
	if err != nil {
		s.t.Fatal(err)
	}
	if e := conn.Control(func(fd uintptr) { group, err = foreground(int(fd)) }); e != nil || err != nil {
		s.t.Fatal(e, err)
	}
	return group
}

// size makes the screen another size.
func (s *screen) size(cols, rows uint16) {
	s.t.Helper()
	if err := pty.Setsize(s.tty, &pty.Winsize{Rows: rows, Cols: cols}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *screen) hidden() {
	s.t.Helper()
	if s.settings().Lflag&unix.ECHO != 0 {
		s.t.Errorf("the prompt is on the screen, and typing is shown; the screen:\n%q", s.all())
	}
}

// kill sends a signal to the child alone.
func (s *screen) kill(sig syscall.Signal) {
	s.t.Helper()
	pid, err := strconv.Atoi(s.file("result.pid"))
	if err != nil {
		s.t.Fatal(err)
	}
	if err := unix.Kill(pid, sig); err != nil {
		s.t.Fatal(err)
	}
}

// wait returns the exit status of the program that start started, once all that
// it wrote is on the screen.
func (s *screen) wait() int {
	s.t.Helper()
	done := make(chan error, 1)
	go func() { done <- s.cmd.Wait() }()
	select {
	case err := <-done:
		if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
			s.t.Fatal(err)
		}
	case <-time.After(deadline):
		s.t.Fatalf("the program does not end; the screen:\n%q", s.all())
	}
	s.settle()
	return s.cmd.ProcessState.ExitCode()
}

// settle waits until all that was written to the terminal is on the screen: a
// mark that is written last arrives last. It takes the mark off again.
func (s *screen) settle() {
	s.t.Helper()
	const mark = "\x00settled\x00"
	switch _, err := s.tty.WriteString(mark); {
	case errors.Is(err, unix.EIO):
		return // it was hung up
	case err != nil:
		s.t.Fatal(err)
	}
	s.until("the end of the output", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		before, ok := bytes.CutSuffix(s.text.Bytes(), []byte(mark))
		if ok {
			s.text.Truncate(len(before))
		}
		return ok
	})
}

func (s *screen) want(what, got, want string) {
	s.t.Helper()
	if got != want {
		s.t.Errorf("%s is %q, want %q; the screen:\n%q", what, got, want, s.all())
	}
}

// stopAndGo types the suspend key and goes on in the foreground.
func stopAndGo(s *screen) {
	s.send("12\x1a")
	s.expect(shellPS1)
	s.shell(`"$B" settings $D/stopped`)
	s.want("the terminal while stopped", s.file("stopped"), s.file("before"))
	s.send("fg\n")
	s.expect(prompt)
	s.hidden()
}

var shells = map[string][]string{
	"bash": {"bash", "--noprofile", "--norc", "-i"},
	"zsh":  {"zsh", "-f", "-i"},
	"dash": {"dash", "-i"},
}

func TestAskUnderShells(t *testing.T) {
	cases := []struct {
		name, command string // the command is "ask" unless named
		do            func(s *screen)
		status        int
		result        string
	}{
		{name: "code", do: func(s *screen) { s.send(code + "\n") }, result: `answer "735194"`},
		{name: "pasted with blanks", do: func(s *screen) { s.send(" \t" + code + " \n") }, result: `answer "735194"`},
		{name: "backspace", do: func(s *screen) { s.send("12\x7f\x7f735195\x7f4\n") }, result: `answer "735194"`},
		{name: "closed streams", command: `"$B" ask $D/result <&- >&- 2>&-`, do: func(s *screen) { s.send(code + "\n") }, result: `answer "735194"`},
		{name: "ctrl-C", do: func(s *screen) { s.send("12\x03") }, status: 130, result: "interrupted: interrupt"},
		{name: "ctrl-backslash", do: func(s *screen) { s.send("12\x1c") }, status: 131, result: "interrupted: quit"},
		{name: "ctrl-D", do: func(s *screen) { s.send("\x04") }, status: 130, result: "interrupted: interrupt"},
		{name: "TERM", do: func(s *screen) { s.kill(unix.SIGTERM) }, status: 143, result: "interrupted: terminated"},
		{name: "HUP", do: func(s *screen) { s.kill(unix.SIGHUP) }, status: 129, result: "interrupted: hangup"},
		{name: "ctrl-Z", do: func(s *screen) {
			stopAndGo(s)
			stopAndGo(s)
			s.send(code + "\n")
		}, result: `answer "735194"`},
		{name: "ctrl-Z then ctrl-C", do: func(s *screen) {
			stopAndGo(s)
			s.send("\x03")
		}, status: 130, result: "interrupted: interrupt"},
		{name: "STOP", do: func(s *screen) {
			s.kill(unix.SIGSTOP)
			s.expect(shellPS1)
			s.send("fg\n")
			s.expect(prompt)
			s.hidden()
			s.send(code + "\n")
		}, result: `answer "735194"`},
		{name: "STOP then background", do: func(s *screen) {
			s.kill(unix.SIGSTOP)
			s.expect(shellPS1)
			s.shell("bg")
			stoppedInBackground(s)
			s.send("fg\n")
			s.expect(prompt)
			s.hidden()
			s.send(code + "\n")
		}, result: `answer "735194"`},
		{name: "background", command: `"$B" ask $D/result &`, do: func(s *screen) {
			s.expect(shellPS1)
			stoppedInBackground(s)
			if strings.Contains(s.all(), prompt) {
				s.t.Error("prompted from the background")
			}
			s.send("fg\n")
			s.expect(prompt)
			s.hidden()
			s.send(code + "\n")
		}, result: `answer "735194"`},
		{name: "after the answer ctrl-C", command: `"$B" linger $D/result`, do: func(s *screen) {
			s.send(code + "\n")
			s.expect("lingering")
			s.send("\x03")
		}, status: 130, result: `answer "735194"`},
		{name: "after the answer ctrl-Z", command: `"$B" linger $D/result`, do: func(s *screen) {
			s.send(code + "\n")
			s.expect("lingering")
			s.send("\x1a")
			s.expect(shellPS1)
			s.send("fg\n")
			s.until("the job in the foreground", func() bool { return strconv.Itoa(s.foreground()) == s.file("result.pid") })
			s.send("\x03")
		}, status: 130, result: `answer "735194"`},
	}
	for shell, argv := range shells {
		for _, tt := range cases {
			t.Run(shell+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				s := start(t, true, argv...)
				s.expect(shellPS1)
				s.shell(`"$B" settings $D/before`)
				if tt.command == "" {
					tt.command = `"$B" ask $D/result`
				}
				s.send(tt.command + "\n")
				if !strings.HasSuffix(tt.command, "&") {
					s.expect(prompt)
					s.hidden()
				}
				tt.do(s)
				s.expect(shellPS1)
				s.shell(`echo "status=$?."`)
				s.shell(`"$B" settings $D/after`)

				s.want("the result", s.file("result"), tt.result)
				if status := fmt.Sprintf("status=%d.", tt.status); !strings.Contains(s.all(), status) {
					t.Errorf("no %s; the screen:\n%q", status, s.all())
				}
				s.want("the terminal afterwards", s.file("after"), s.file("before"))
				for _, bad := range []string{code, code[:5], "goroutine"} {
					if strings.Contains(s.all(), bad) {
						t.Errorf("%q is on the screen:\n%q", bad, s.all())
					}
				}
			})
		}
	}
}

// stoppedInBackground waits until the shell knows that its job has stopped.
func stoppedInBackground(s *screen) {
	s.t.Helper()
	s.until("a stopped job", func() bool {
		from := s.seen
		s.shell("jobs")
		out := strings.ToLower(s.all()[from:s.seen])
		return strings.Contains(out, "stopped") || strings.Contains(out, "suspended")
	})
}

// A question that waits in the background for its turn at the terminal can be
// killed there, like any stopped job.
func TestAskKilledInBackground(t *testing.T) {
	for shell, argv := range shells {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			s := start(t, true, argv...)
			s.expect(shellPS1)
			s.shell(`"$B" ask $D/result &`)
			stoppedInBackground(s)
			pid, err := strconv.Atoi(s.file("result.pid"))
			if err != nil {
				t.Fatal(err)
			}
			s.shell("kill %1; kill -CONT %1")
			s.until("the end of the job", func() bool {
				s.shell("jobs") // which reaps it
				return unix.Kill(pid, 0) == unix.ESRCH
			})
		})
	}
}

// ask starts a child that asks, alone on its terminal and without standard
// streams.
func ask(t *testing.T, do string) (*screen, unix.Termios) {
	t.Helper()
	s := start(t, false, "sh", "-c", `exec "$B" "$0" "$D/result"`, do)
	s.expect(prompt)
	return s, s.before
}

func (s *screen) same(before unix.Termios) {
	s.t.Helper()
	if now := s.settings(); now != before {
		s.t.Errorf("the terminal is %+v, and was %+v", now, before)
	}
}

func TestAskWithoutStreams(t *testing.T) {
	s, before := ask(t, "ask")
	s.hidden()
	s.send(code + "\n")
	s.want("the status", strconv.Itoa(s.wait()), "0")
	s.want("the result", s.file("result"), `answer "735194"`)
	s.same(before)
	s.want("the screen", s.all(), prompt+"\r\n")
}

func TestAskVisible(t *testing.T) {
	s, before := ask(t, "visible")
	s.send("prod\n")
	s.wait()
	s.want("the result", s.file("result"), `answer "prod"`)
	s.same(before)
	s.want("the screen", s.all(), prompt+"prod\r\n")
}

func TestAskCancelled(t *testing.T) {
	s, before := ask(t, "cancel")
	s.send(code) // no end of line
	s.wait()
	s.want("the result", s.file("result"), context.Canceled.Error())
	s.same(before)
	s.noInput()
}

// noInput checks that nothing which was typed waits for the next reader.
func (s *screen) noInput() {
	s.t.Helper()
	s.send("next\n")
	var buf [100]byte
	n, err := s.tty.Read(buf[:])
	if err != nil {
		s.t.Fatal(err)
	}
	s.want("the next line", string(buf[:n]), "next\n")
}

func TestAskInterruptedDropsInput(t *testing.T) {
	for _, sig := range []syscall.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT} {
		t.Run(sig.String(), func(t *testing.T) {
			s, before := ask(t, "ask")
			s.send(code)
			s.kill(sig)
			s.want("the status", strconv.Itoa(s.wait()), strconv.Itoa(128+int(sig)))
			s.same(before)
			s.noInput()
			if strings.Contains(s.all(), code) {
				t.Errorf("the code is on the screen: %q", s.all())
			}
		})
	}
}

func TestAskKeepsIgnoredSignals(t *testing.T) {
	s := start(t, false, "sh", "-c", `trap '' HUP INT; exec "$B" ask "$D/result"`)
	s.expect(prompt)
	s.kill(unix.SIGHUP)
	s.send("\x03") // flushes what was typed before, and is ignored otherwise
	s.send(code + "\n")
	s.want("the status", strconv.Itoa(s.wait()), "0")
	s.want("the result", s.file("result"), `answer "735194"`)
}

func TestAskUndisturbed(t *testing.T) {
	s, _ := ask(t, "ask")
	for _, sig := range []syscall.Signal{unix.SIGWINCH, unix.SIGURG, unix.SIGCHLD} {
		s.kill(sig)
	}
	s.size(20, 10)
	s.send(code + "\n")
	s.wait()
	s.want("the result", s.file("result"), `answer "735194"`)
	s.want("the screen", s.all(), prompt+"\r\n")
}

// A session leader has no shell that could continue it, so
// the suspend key does not stop it.
func TestAskSuspendKeyWithoutShell(t *testing.T) {
	s, before := ask(t, "ask")
	s.send("12\x1a")
	s.expect(prompt)
	s.hidden()
	s.send(code + "\n")
	s.wait()
	s.want("the result", s.file("result"), `answer "735194"`)
	s.same(before)
}

func TestAskTypedAhead(t *testing.T) {
	s := start(t, false, "sh", "-c", `sleep 0.3; exec "$B" ask "$D/result"`)
	s.send(code + "\nsecond\n")
	s.wait()
	s.want("the result", s.file("result"), `answer "735194"`)
	var buf [100]byte
	n, err := s.tty.Read(buf[:])
	if err != nil {
		t.Fatal(err)
	}
	s.want("what is left", string(buf[:n]), "second\n")
}

func TestAskHangup(t *testing.T) {
	s, _ := ask(t, "ask")
	s.ctrl.Close()
	s.want("the status", strconv.Itoa(s.wait()), "129")
}

func TestAskStrangeLines(t *testing.T) {
	for _, tt := range []struct{ name, typed, want string }{
		{"empty", "\n", `answer ""`},
		{"arrows", "\x1b[A\x1b[D1\n", `answer "\x1b[A\x1b[D1"`},
		{"NUL and bytes", "a\x00\xff\xc3b\n", `answer "a\x00\xff\xc3b"`},
		{"ctrl-D after text", "12\x0434\n", `answer "1234"`},
		{"ctrl-D twice after text", "12\x04\x04", `answer "12"`},
		{"kill line", "12\x1534\n", `answer "34"`},
		{"return", "12\r", `answer "12"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, before := ask(t, "ask")
			s.send(tt.typed)
			s.wait()
			s.want("the result", s.file("result"), tt.want)
			s.same(before)
		})
	}
	t.Run("long", func(t *testing.T) {
		s, before := ask(t, "ask")
		for range 20 {
			s.send(strings.Repeat("x", 1000))
		}
		s.send("\n")
		s.wait()
		answer, ok := strings.CutPrefix(s.file("result"), `answer "xxx`)
		if !ok || len(answer) > maxLine {
			t.Errorf("the result has %d bytes: %.60q", len(answer), answer)
		}
		s.same(before)
	})
	t.Run("longer than the terminal's own limit", func(t *testing.T) {
		s, _ := ask(t, "ask")
		for range 5 {
			s.send(strings.Repeat("y", 1000) + "\x04") // which passes the part on
			s.until("the part to be read", func() bool {
				var set unix.FdSet
				fd := int(s.tty.Fd())
				set.Set(fd)
				n, err := unix.Select(fd+1, &set, nil, nil, &unix.Timeval{})
				return err == nil && n == 0
			})
		}
		s.send("\n")
		s.wait()
		s.want("the result", s.file("result"), fmt.Sprintf("answer %q", strings.Repeat("y", maxLine)))
	})
}

func TestOpenWithoutTerminal(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "result")
	cmd := exec.Command(self, "ask", file)
	cmd.Env = []string{childVar + "=1"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Run(); cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 1 {
		t.Fatalf("the child ended with %v", err)
	}
	got, err := os.ReadFile(file)
	if err != nil || !strings.HasPrefix(string(got), ErrNoTerminal.Error()+": open /dev/tty: ") {
		t.Errorf("the result is %q, %v", got, err)
	}
}

func TestIsTerminalOnOne(t *testing.T) {
	ctrl, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer ctrl.Close()
	defer tty.Close()
	if !IsTerminal(tty) {
		t.Error("a terminal is none")
	}
}
