//go:build unix

package term

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// picking is on the screen as soon as a list is.
const picking = "\x1b[1mprofile: "

// pickName has a row picked and returns its name.
func pickName(ctx context.Context, t *Terminal) (string, error) {
	l := accounts()
	l.Styler = NewStyler(true, "", "xterm")
	row, err := t.Pick(ctx, l)
	if err != nil {
		return "", err
	}
	return l.Rows[row][0], nil
}

// stopAndGoOn types the suspend key and goes on in the foreground, where what
// was typed before is still there.
func stopAndGoOn(s *screen) {
	s.send("stag\x1a")
	s.expect(leave)
	s.expect(shellPS1)
	s.shell(`"$B" settings $D/stopped`)
	s.want("the terminal while stopped", s.file("stopped"), s.file("before"))
	s.send("fg\n")
	s.expect(enter)
	s.expect("stag")
}

func TestPickUnderShells(t *testing.T) {
	cases := []struct {
		name, command string // the command is "pick" unless named
		do            func(s *screen)
		status        int
		result        string
		jobs          bool // it is the shell's business, too
	}{
		{name: "enter", do: func(s *screen) { s.send("\r") }, result: `answer "prod"`},
		{name: "a word", do: func(s *screen) {
			s.send("stag")
			s.expect("1/6")
			s.send("\r")
		}, result: `answer "staging"`},
		{name: "arrow", do: func(s *screen) { s.send("\x1b[B\r") }, result: `answer "staging"`},
		{name: "esc", do: func(s *screen) { s.send("\x1b") }, status: 130, result: "interrupted: interrupt"},
		{name: "ctrl-C", do: func(s *screen) { s.send("stag\x03") }, status: 130, result: "interrupted: interrupt"},
		{name: "ctrl-D", do: func(s *screen) { s.send("\x04") }, status: 130, result: "interrupted: interrupt"},
		{name: "ctrl-backslash", do: func(s *screen) { s.send("\x1c") }, status: 131, result: "interrupted: quit"},
		{name: "unfinished sequence", do: func(s *screen) { s.send("\x1b[1;\x1b") }, status: 130, result: "interrupted: interrupt"},
		{name: "unfinished paste", do: func(s *screen) {
			s.send("\x1b[200~stag")
			s.expect("stag")
			s.expect("1/6")
			s.send("\x03")
		}, status: 130, result: "interrupted: interrupt"},
		{name: "TERM", do: func(s *screen) { s.kill(unix.SIGTERM) }, status: 143, result: "interrupted: terminated"},
		{name: "HUP", do: func(s *screen) { s.kill(unix.SIGHUP) }, status: 129, result: "interrupted: hangup"},
		{name: "INT", do: func(s *screen) { s.kill(unix.SIGINT) }, status: 130, result: "interrupted: interrupt"},
		{name: "ctrl-Z", jobs: true, do: func(s *screen) {
			stopAndGoOn(s)
			s.send("\x15")
			stopAndGoOn(s)
			s.send("\r")
		}, result: `answer "staging"`},
		{name: "ctrl-Z then esc", jobs: true, do: func(s *screen) {
			stopAndGoOn(s)
			s.send("\x1b")
		}, status: 130, result: "interrupted: interrupt"},
		{name: "STOP", jobs: true, do: func(s *screen) {
			s.kill(unix.SIGSTOP)
			s.expect(shellPS1)
			s.send("fg\n")
			s.expect(picking)
			s.send("\r")
		}, result: `answer "prod"`},
		{name: "background", jobs: true, command: `"$B" pick $D/result &`, do: func(s *screen) {
			s.expect(shellPS1)
			stoppedInBackground(s)
			s.send("fg\n")
			s.expect(picking)
			s.send("\r")
		}, result: `answer "prod"`},
		{name: "resized", do: func(s *screen) {
			s.size(40, 6)
			s.expect("\x1b[38G\x1b[2m6/6")
			s.size(300, 60)
			s.expect("\x1b[298G\x1b[2m6/6")
			s.send("\r")
		}, result: `answer "prod"`},
	}
	for shell, argv := range shells {
		for _, tt := range cases {
			if shell != "bash" && !tt.jobs {
				continue
			}
			t.Run(shell+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				s := start(t, true, argv...)
				s.expect(shellPS1)
				s.shell(`"$B" settings $D/before`)
				if tt.command == "" {
					tt.command = `"$B" pick $D/result`
				}
				s.send(tt.command + "\n")
				if !strings.HasSuffix(tt.command, "&") {
					s.expect(picking)
				}
				tt.do(s)
				s.expect(leave)
				s.expect(shellPS1)
				s.shell(`echo "status=$?."`)
				s.shell(`"$B" settings $D/after`)
				s.want("the result", s.file("result"), tt.result)
				if status := fmt.Sprintf("status=%d.", tt.status); !strings.Contains(s.all(), status) {
					t.Errorf("no %s; the screen:\n%q", status, s.all())
				}
				s.want("the terminal afterwards", s.file("after"), s.file("before"))
				all := s.all()
				if n := strings.Count(all, enter); n != strings.Count(all, leave) || strings.LastIndex(all, enter) > strings.LastIndex(all, leave) {
					t.Errorf("the screen was entered %d times, and left otherwise:\n%q", n, all)
				}
			})
		}
	}
}

// pick starts a child that has something picked, alone on its terminal and
// without standard streams.
func pick(t *testing.T, do string) (*screen, unix.Termios) {
	t.Helper()
	s := start(t, false, "sh", "-c", `exec "$B" "$0" "$D/result"`, do)
	s.expect(picking)
	return s, s.before
}

func TestPickWithoutStreams(t *testing.T) {
	s, before := pick(t, "pick")
	s.send("京\r")
	s.want("the status", strconv.Itoa(s.wait()), "0")
	s.want("the result", s.file("result"), `answer "東京"`)
	s.same(before)
}

func TestPickCancelled(t *testing.T) {
	s, before := pick(t, "cancel-pick")
	s.wait()
	s.want("the result", s.file("result"), context.Canceled.Error())
	s.same(before)
	s.noInput()
}

func TestPickHangup(t *testing.T) {
	s, _ := pick(t, "pick")
	s.ctrl.Close()
	s.want("the status", strconv.Itoa(s.wait()), "129")
}

// What was typed before the list was there is for it, and its Enter is one.
func TestPickTypedAhead(t *testing.T) {
	s := start(t, false, "sh", "-c", `sleep 0.3; exec "$B" pick "$D/result"`)
	s.send("stag\n")
	s.wait()
	s.want("the result", s.file("result"), `answer "staging"`)
}

// Without a shell that could continue it, the suspend key does not stop it.
func TestPickSuspendKeyWithoutShell(t *testing.T) {
	s, before := pick(t, "pick")
	s.send("stag\x1a")
	s.expect(leave)
	s.expect("stag")
	s.send("\r")
	s.wait()
	s.want("the result", s.file("result"), `answer "staging"`)
	s.same(before)
}
