//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"aws-switch-role/internal/emulator"
	"aws-switch-role/internal/figure"
)

// ending is a command's, as its parent sees it.
type ending struct {
	script string
	status int            // of a command that exits
	signal syscall.Signal // of one that does not
}

// endings are all that there are: 256 statuses and 15 signals.
func endings() (all []ending) {
	for status := range 256 {
		all = append(all, ending{script: fmt.Sprintf("exit %d", status), status: status})
	}
	for _, s := range []syscall.Signal{
		syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGILL, syscall.SIGTRAP, syscall.SIGABRT, syscall.SIGBUS, syscall.SIGFPE,
		syscall.SIGKILL, syscall.SIGUSR1, syscall.SIGSEGV, syscall.SIGUSR2, syscall.SIGPIPE, syscall.SIGALRM, syscall.SIGTERM,
	} {
		all = append(all, ending{script: fmt.Sprintf("ulimit -c 0; kill -%d $$", s), signal: s})
	}
	return all
}

// TestExitStatuses looks at how a command's end is seen through a switch.
func TestExitStatuses(t *testing.T) {
	useRealProgram(t)
	ways := [][]string{{"open", "--"}, {"exec", "open", "--"}, {"open", "--secretless", "--"}}
	ways = ways[:figure.Of(1, len(ways))]
	var right atomic.Int64
	for _, way := range ways {
		h := newKeyHome(t, nil)
		h.must("at first", "open", "--", "true")
		var all sync.WaitGroup
		lanes := make(chan bool, 8)
		for _, e := range endings() {
			lanes <- true
			all.Go(func() {
				defer func() { <-lanes }()
				argv := append(append([]string{"aws-switch-role"}, way...), "sh", "-c", e.script)
				err := h.command(argv...).Run()
				exit, exited := errors.AsType[*exec.ExitError](err)
				if err != nil && !exited {
					t.Errorf("%q: %v", argv, err)
					return
				}
				var ws syscall.WaitStatus
				if exited {
					ws = exit.Sys().(syscall.WaitStatus)
				}
				if e.signal == 0 && (!ws.Exited() || ws.ExitStatus() != e.status) || e.signal != 0 && (!ws.Signaled() || ws.Signal() != e.signal) {
					t.Errorf("%q: %v", argv, err)
					return
				}
				if e.signal != 0 { // as a shell tells it
					out, err := h.command(append([]string{"sh", "-c", `"$@" 2>/dev/null; echo $?`, "sh"}, argv...)...).Output()
					if err != nil || strings.TrimSpace(string(out)) != fmt.Sprint(128+int(e.signal)) {
						t.Errorf("%q: to a shell it is %s, %v", argv, out, err)
						return
					}
				}
				right.Add(1)
			})
		}
		all.Wait()
	}
	if !t.Failed() {
		note(t, "exit statuses", "%d of %d; ways to switch: %d", right.Load(), len(ways)*len(endings()), len(ways))
	}
}

// stsFaults are what AWS does instead of an answer, and how often it sees the
// code.
var stsFaults = map[string]struct {
	fault emulator.Fault
	codes int
}{
	"throttles":           {emulator.Fault{Effect: emulator.Throttle()}, 1},
	"fails":               {emulator.Fault{Effect: emulator.Fail(500, "InternalFailure", "An internal error has occurred")}, 1},
	"is unavailable":      {emulator.Fault{Effect: emulator.Fail(503, "ServiceUnavailable", "")}, 1},
	"hangs up":            {emulator.Fault{Effect: emulator.HangUp()}, 1},
	"acts and hangs up":   {emulator.Fault{Effect: emulator.HangUp(), Acts: true}, 1},
	"never answers":       {emulator.Fault{Effect: emulator.Stall()}, 1},
	"answers half":        {emulator.Fault{Effect: emulator.Truncate()}, 1},
	"is a captive portal": {emulator.Fault{Effect: emulator.CaptivePortal()}, 1},
	"leads elsewhere":     {emulator.Fault{Effect: emulator.Redirect("https://portal.example.com/login")}, 1},
	"cannot be read":      {emulator.Fault{Effect: emulator.Malformed()}, 1},
	"gives nothing":       {emulator.Fault{Effect: emulator.Remove("Credentials")}, 1},
	"gives what ended":    {emulator.Fault{Effect: emulator.Replace("Expiration", "2001-01-01T00:00:00Z")}, 1},
	"answers too much":    {emulator.Fault{Effect: emulator.Respond(200, "text/xml", "<a>"+strings.Repeat("x", 4<<20)+"</a>")}, 1},
	untrusted:             {emulator.Fault{}, 0},
}

// untrusted is the fault of a server whose certificate nobody has vouched for.
const untrusted = "is somebody else"

// longestWait is how long a command may take over what does not answer.
const longestWait = 31 * time.Second

// TestSTSFaults has each fault meet each command that hands on credentials: it
// ends, with the status that it should have and an error of at most three
// lines, and the code was sent once.
func TestSTSFaults(t *testing.T) {
	useRealProgram(t)
	commands := map[string]struct {
		args   []string
		status int
	}{
		"exec":               {[]string{"tempsession", "--", "true"}, 125},
		"export":             {[]string{"export", "tempsession"}, 1},
		"credential-process": {[]string{"credential-process", "tempsession"}, 1},
	}
	var right, longest atomic.Int64
	t.Cleanup(func() {
		if !t.Failed() {
			note(t, "STS faults", "%d of %d: right status, the code sent once where a server was reached, never again; the longest took %d s", right.Load(), len(stsFaults)*len(commands), longest.Load())
		}
	})
	for fault, f := range stsFaults {
		for command, c := range commands {
			t.Run(fault+"/"+command, func(t *testing.T) {
				t.Parallel()
				h := newKeyHome(t, nil)
				write(t, filepath.Join(h.dir, ".aws", "config"), awsConfig, 0o600)
				write(t, h.credentials(), awsCredentials, 0o600)
				code, err := h.server.Code(emulator.DemoDevice)
				if err != nil {
					t.Fatal(err)
				}
				if fault == untrusted {
					between := httptest.NewUnstartedServer(h.server)
					between.Config.ErrorLog = log.New(io.Discard, "", 0)
					between.StartTLS()
					defer between.Close()
					h.environ = append(h.environ, "AWS_ENDPOINT_URL="+between.URL)
				}
				h.server.Inject(f.fault)
				ctx, cancel := context.WithTimeout(t.Context(), 4*longestWait)
				defer cancel()
				cmd := exec.CommandContext(ctx, "aws-switch-role", append([]string{"--mfa-code", code}, c.args...)...)
				cmd.Env, cmd.SysProcAttr = h.environ, &syscall.SysProcAttr{Setsid: true}
				var stdout, stderr strings.Builder
				cmd.Stdout, cmd.Stderr = &stdout, &stderr
				begun := time.Now()
				_ = cmd.Run() // its status is what counts
				took := time.Since(begun)
				if status := cmd.ProcessState.ExitCode(); status != c.status || stdout.Len() > 0 {
					t.Errorf("status %d, want %d; stdout %q\n%s", status, c.status, stdout.String(), stderr.String())
				}
				if wrong := unlikeAnError(stderr.String()); wrong != "" || !strings.HasPrefix(stderr.String(), "aws-switch-role: ") || leaky(stderr.String()) {
					t.Errorf("the error %s:\n%s", wrong, stderr.String())
				}
				if took > longestWait && figure.Release() {
					t.Errorf("it took %s", took)
				}
				sent := 0
				for _, r := range h.server.Requests() {
					if r.HasCode {
						sent++
					}
				}
				if sent != f.codes {
					t.Errorf("the code was sent %d times, want %d", sent, f.codes)
				}
				right.Add(1)
				for s := int64(took.Round(time.Second).Seconds()); ; {
					if most := longest.Load(); s <= most || longest.CompareAndSwap(most, s) {
						break
					}
				}
			})
		}
	}
	if len(stsFaults)*len(commands) != 42 {
		t.Errorf("%d faults and %d commands", len(stsFaults), len(commands))
	}
}
