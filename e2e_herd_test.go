//go:build unix

package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"aws-switch-role/internal/emulator"
	"aws-switch-role/internal/figure"
)

// together are profiles behind one MFA device, and a role behind one of theirs.
var together = []string{"tempsession", "deploy", "eight", "long", "chained"}

const togetherConfig = `
[profile deploy]
role_arn = arn:aws:iam::222222222222:role/team/Deploy
source_profile = default
mfa_serial = arn:aws:iam::111111111111:mfa/me

[profile eight]
role_arn = arn:aws:iam::222222222222:role/Eight
source_profile = default
mfa_serial = arn:aws:iam::111111111111:mfa/me

[profile long]
role_arn = arn:aws:iam::222222222222:role/Long
source_profile = default
mfa_serial = arn:aws:iam::111111111111:mfa/me
`

// withCache lets the place have a session cache, and those profiles.
func (p *place) withCache() {
	write(p.t, filepath.Join(p.home, ".aws", "config"), awsConfig+togetherConfig, 0o600)
	p.env = append(p.env, "AWS_SWITCH_ROLE_NO_CACHE=", "AWS_SWITCH_ROLE_KEYRING=passphrase", "AWS_SWITCH_ROLE_PASSPHRASE=correct horse")
}

// detached is the program away from any terminal.
func (p *place) detached(args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(p.bin, "aws-switch-role"), args...)
	cmd.Dir, cmd.Env = p.home, p.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd
}

// herds are what becomes of the process that asks for the code: each herd has
// the next of these happen, at the first question.
var herds = []struct {
	name      string
	kill      string // what askpass does to who has started it
	questions int
}{
	{"", "", 1}, {"stopped for a moment", "kill -STOP $PPID; (sleep 1; kill -CONT $PPID) &", 1}, {"killed", "kill -KILL $PPID; exit", 2},
}

// TestHerd starts two hundred processes at once where nothing is in the cache:
// one asks, each session is made once, and all do their work, but for one that
// is killed.
func TestHerd(t *testing.T) {
	const herd = 200
	all := figure.Of(5, 200)
	s := &stage{bin: buildProgram(t)}
	failures := 0
	for i := range all {
		h := herds[i%len(herds)]
		t.Run(fmt.Sprint(i, " ", h.name), func(t *testing.T) {
			p := s.place(t)
			p.withCache()
			asked := p.askpass(fmt.Sprintf("mkdir '%[1]s/once' 2>/dev/null && { %[2]s\ntrue; }\necho %[3]s", p.home, cmp.Or(h.kill, "true"), p.code()))
			waves := []string{"cold"}
			if i == 0 { // it comes again
				waves = append(waves, "warm")
			}
			for _, wave := range waves {
				failed := p.herd(wave, herd, func(i int) string { return together[i%len(together)] })
				if h.questions > 1 {
					failed--
				}
				failures += failed
				if n := asked(); n != h.questions || failed != 0 {
					t.Errorf("%s: %d questions were asked, and %d failed", wave, n, failed)
				}
				if n, all := p.asked("GetSessionToken"), p.asked(""); n != 1 || p.asked("AssumeRole") != len(together) || all != len(together)+1 {
					t.Errorf("%s: %d of %d requests were for MFA sessions, %d for roles", wave, n, all, p.asked("AssumeRole"))
				}
			}
		})
	}
	if !t.Failed() {
		note(t, "herd", "%d herds of %d processes, where the one who asks is left alone, stopped or killed by turns: 1 call for each session, 1 question (2 after a kill), %d failures", all, herd, failures)
	}
}

// codes counts those that AWS was sent.
func (p *place) codes() (sent int) {
	for _, r := range p.server.Requests() {
		if r.HasCode {
			sent++
		}
	}
	return sent
}

// askpass has questions answered by a program, a line of shell, and returns
// what tells how often it was asked.
func (p *place) askpass(script string) (asked func() int) {
	p.t.Helper()
	count := filepath.Join(p.home, "asked")
	program := filepath.Join(p.home, "askpass")
	write(p.t, program, fmt.Sprintf("#!/bin/sh\necho once >>'%s'\n%s\n", count, script), 0o700)
	p.env = append(p.env, "AWS_SWITCH_ROLE_ASKPASS="+program)
	return func() int {
		text, _ := os.ReadFile(count) // which is not there before
		return strings.Count(string(text), "once")
	}
}

// herd runs so many switches at once, to profiles by number, and returns how
// many of them fail. One that succeeds says nothing.
func (p *place) herd(wave string, n int, profile func(int) string) (failed int) {
	p.t.Helper()
	errs := make([]error, n)
	var running sync.WaitGroup
	for i := range n {
		cmd := p.detached(profile(i), "--", "true")
		running.Go(func() {
			out, err := cmd.CombinedOutput()
			switch exit, ok := errors.AsType[*exec.ExitError](err); {
			case ok && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL:
				errs[i] = errKilled
			case err != nil || len(out) > 0:
				errs[i] = fmt.Errorf("%s: %q: %w\n%s", wave, cmd.Args, errors.Join(err, errors.New("it should say nothing")), out)
			}
		})
	}
	running.Wait()
	for _, err := range errs {
		if err != nil {
			failed++
			if err != errKilled {
				p.t.Error(err)
			}
		}
	}
	return failed
}

var errKilled = errors.New("killed")

// TestOneDevice switches to twenty profiles at once, all behind one MFA device.
// Half of them share an MFA session; the others want more than an hour, for
// which AWS takes a code each. AWS gets as many codes as were typed, each once.
func TestOneDevice(t *testing.T) {
	const profiles = 20
	rounds := figure.Of(1, 20)
	codes := 0
	for range rounds {
		p := (&stage{bin: buildProgram(t)}).place(t)
		p.withCache()
		var config strings.Builder
		for i := range profiles {
			fmt.Fprintf(&config, "[profile p%d]\nrole_arn = %s\nsource_profile = default\nmfa_serial = %s\nrole_session_name = p%[1]d\n", i, emulator.DemoRole("Long"), emulator.DemoDevice)
			if i%2 > 0 {
				fmt.Fprintf(&config, "duration_seconds = %d\n", 12*3600)
			}
		}
		write(t, filepath.Join(p.home, ".aws", "config"), config.String(), 0o600)
		// Who is asked waits for a file with the code of its number, which is
		// written when it asks: codes are good for a moment.
		next := filepath.Join(p.home, "code.")
		asked := p.askpass(fmt.Sprintf(`n=$(wc -l <'%s'); until cat '%s'$n 2>/dev/null; do sleep 0.05; done`, filepath.Join(p.home, "asked"), next))
		typed := make(chan error, 1)
		go func() {
			for n := range 1 + profiles/2 {
				p.holds("a question", func() bool { return asked() > n })
				// The clock goes on to the next code: not before AWS has the last.
				p.holds("the code before is with AWS", func() bool { return p.codes() >= n })
				unfinished := next + "new"
				if err := errors.Join(os.WriteFile(unfinished, []byte(p.code()+"\n"), 0o600), os.Rename(unfinished, next+fmt.Sprint(n+1))); err != nil {
					typed <- err
					return
				}
			}
			typed <- nil
		}()
		failed := p.herd("all", profiles, func(i int) string { return fmt.Sprint("p", i) })
		if err := <-typed; err != nil {
			t.Fatal(err)
		}
		sent, refused := p.codes(), 0
		for _, r := range p.server.Requests() {
			if r.ErrorCode != "" {
				refused++
			}
		}
		if want := 1 + profiles/2; sent != want || asked() != want || refused > 0 || failed > 0 {
			t.Errorf("%d codes were sent and %d typed, want %d; AWS refused %d requests, %d switches failed", sent, asked(), want, refused, failed)
		}
		codes += sent
	}
	if !t.Failed() {
		note(t, "one device", "%d codes typed and sent, 0 refused; rounds: %d", codes, rounds)
	}
}

// testHolderKilled kills the process that asks while two others wait for it:
// they have said for whom, and one of them asks, for both.
func testHolderKilled(p *place) {
	p.withCache()
	tool := filepath.Join(p.bin, "aws-switch-role")
	first := p.open(tool, "tempsession", "--", "echo", "first")
	first.expect(question)
	second := p.open(tool, "deploy", "--", "echo", "second")
	waiting := "waiting for pid " + strconv.Itoa(first.cmd.Process.Pid) + " (asking for the MFA code of arn:aws:iam::111111111111:mfa/me)"
	second.expect(waiting)
	if err := first.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		p.t.Fatal(err)
	}
	second.expect(question)
	third := p.open(tool, "chained", "--", "echo", "third")
	third.expect("waiting for pid " + strconv.Itoa(second.cmd.Process.Pid) + " (asking for the MFA code of arn:aws:iam::111111111111:mfa/me)")
	second.hide(p.code())
	second.expect("second")
	third.expect("third")
	<-second.ended
	<-third.ended
	// Role tempsession, behind the third, is made as well.
	if n := p.asked("GetSessionToken"); n != 1 || p.asked("") != 4 {
		p.t.Errorf("%d of %d requests were for MFA sessions", n, p.asked(""))
	}
}

// testKeysWaiting changes a key while another process does so, and asks.
func testKeysWaiting(p *place) {
	const device = "arn:aws:iam::111111111111:mfa/careful"
	p.withCache()
	write(p.t, filepath.Join(p.home, ".aws", "credentials"), awsCredentials+"[careful]\naws_access_key_id = AKIAEMULATEDCAREFUL0\naws_secret_access_key = careful/SECRET+careful/SECRET+careful/SE\n", 0o600)
	if out, err := p.detached("keys", "import", "careful").CombinedOutput(); err != nil {
		p.t.Fatalf("%v\n%s", err, out)
	}
	tool := filepath.Join(p.bin, "aws-switch-role")
	first := p.open(tool, "keys", "rotate", "careful", "--mfa-serial", device)
	first.expect("Enter MFA code for " + device + ": ")
	second := p.open(tool, "keys", "import", "default")
	second.expect("waiting for pid " + strconv.Itoa(first.cmd.Process.Pid) + " (keys rotate careful)")
	code, err := p.server.Code(device)
	if err != nil {
		p.t.Fatal(err)
	}
	first.hide(code)
	first.expect("careful: the new key is in use")
	second.expect("stored the key AKIA…MEME as default in the keyring (passphrase)")
}
