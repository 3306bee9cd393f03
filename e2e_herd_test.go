//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
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

// testHerd starts fifty processes at once where nothing is in the cache: one
// asks, each session is made once, and all do their work.
func testHerd(p *place) {
	const herd = 50
	p.withCache()
	asked := filepath.Join(p.home, "asked")
	askpass := filepath.Join(p.home, "askpass")
	write(p.t, askpass, fmt.Sprintf("#!/bin/sh\necho once >>'%s'\necho %s\n", asked, p.code()), 0o700)
	p.env = append(p.env, "AWS_SWITCH_ROLE_ASKPASS="+askpass)
	for _, wave := range []string{"cold", "warm"} {
		errs := make([]error, herd)
		var running sync.WaitGroup
		for i := range herd {
			cmd := p.detached(together[i%len(together)], "--", "true")
			running.Go(func() {
				if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
					errs[i] = fmt.Errorf("%s: %q: %w\n%s", wave, cmd.Args, errors.Join(err, errors.New("it should say nothing")), out)
				}
			})
		}
		running.Wait()
		if err := errors.Join(errs...); err != nil {
			p.t.Fatal(err)
		}
		text, err := os.ReadFile(asked)
		if n := strings.Count(string(text), "once"); n != 1 || err != nil {
			p.t.Errorf("%s: %d questions were asked, %v", wave, n, err)
		}
		if n, all := p.asked("GetSessionToken"), p.asked(""); n != 1 || p.asked("AssumeRole") != len(together) || all != len(together)+1 {
			p.t.Errorf("%s: %d of %d requests were for MFA sessions, %d for roles", wave, n, all, p.asked("AssumeRole"))
		}
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
