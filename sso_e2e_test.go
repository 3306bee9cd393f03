//go:build unix

package main

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"aws-switch-role/internal/emulator"
)

const ssoConfig = `
[sso-session corp]
sso_start_url = ` + emulator.DemoStartURL + `
sso_region = us-east-1
sso_registration_scopes = sso:account:access
[profile dev]
sso_session = corp
sso_account_id = 111111111111
sso_role_name = Developer
region = us-east-1
`

const developer = "assumed-role/AWSReservedSSO_Developer_"

// testSSOBrowser has a person switch, who must sign in first and does so in a
// real browser, at AWS's own addresses. The page there, and a link that leads
// to another window, try to sign them in by a code of their own: without
// success, or the sign-in would have failed.
func testSSOBrowser(p *place) {
	write(p.t, filepath.Join(p.home, ".aws", "config"), awsConfig+ssoConfig, 0o600)
	script := filepath.Join(workDir(p.t), "testdata", "consent.mjs")
	x := p.openShell("bash")
	// The kernel's keyring is one for all tests, and others clear it.
	x.run("", "unset AWS_SWITCH_ROLE_NO_CACHE; export AWS_SWITCH_ROLE_KEYRING=passphrase AWS_SWITCH_ROLE_PASSPHRASE='correct horse battery'")
	x.line("BROWSER='node " + script + " shown %s' aws-switch-role dev -- aws sts get-caller-identity")
	x.expect("Signing in to corp in your browser. If it does not open, go to:")
	x.expect(developer)
	x.prompt("")
	shown := strings.Split(p.page("shown"), "\n")
	if n := len(shown); n < 5 || !strings.HasPrefix(shown[0], "127.0.0.1:") || shown[1] != "You are signed in - aws-switch-role" || shown[2] != "You are signed in" || shown[n-2] != "grid" || shown[n-1] != "Refused" {
		p.t.Errorf("the browser shows %q", shown)
	}
	if _, err := os.Stat(filepath.Join(p.home, ".aws", "sso")); err == nil {
		p.t.Error("the sign-in is where the AWS CLI keeps its own")
	}
	x.wantRun("", "aws-switch-role dev -- aws sts get-caller-identity", developer)
	for _, action := range []string{"RegisterClient", "CreateToken", "GetRoleCredentials"} {
		if n := p.asked(action); n != 1 {
			p.t.Errorf("%s: asked %d times", action, n)
		}
	}
	x.line("aws-switch-role")
	x.expect("LEFT") // what is left of the one session that there is
	x.press("\x1b")
	x.prompt("")
	x.exit()
}

// newestCLI is the newest AWS CLI that the tests have.
const newestCLI = `#!/bin/sh
PYTHONPATH='%s' exec %s -c 'import sys; from awscli.clidriver import main; sys.exit(main())' "$@"
`

// testSSOShared shares sign-ins with the AWS CLI, in both directions.
func testSSOShared(p *place) {
	p.plain = append(p.plain, filepath.Join(".aws", "sso", "cache"))
	const legacyConfig = `
[profile legacy]
sso_start_url = ` + emulator.DemoStartURL + `
sso_region = us-east-1
sso_account_id = 111111111111
sso_role_name = Developer
region = us-east-1
`
	write(p.t, filepath.Join(p.home, ".aws", "config"), awsConfig+ssoConfig+legacyConfig, 0o600)
	x := p.openShell("bash")
	newest := filepath.Join(p.home, "newest-aws")
	write(p.t, newest, fmt.Sprintf(newestCLI, filepath.Join(workDir(p.t), awsLibrary), python3(p.t)), 0o700)
	clis := append([]string{newest}, p.clis...)
	x.line("aws-switch-role sso login corp --device --share")
	p.allowDevice()
	x.expect("signed in to corp")
	x.prompt("")
	for _, cli := range clis {
		x.wantRun("", cli+" --profile dev sts get-caller-identity", developer)
	}
	// Once it has ended, whoever needs it first renews it for all.
	const end = `sed -i 's/"expiresAt": "[^"]*"/"expiresAt": "2020-01-01T00:00:00Z"/' .aws/sso/cache/*.json`
	made := p.tokens()
	const ours = "aws-switch-role dev -- aws"
	for _, first := range append([]string{ours}, clis...) {
		x.wantRun("", end)
		x.wantRun("", first+" --profile dev sts get-caller-identity", developer)
		next := []string{ours}
		if first == ours {
			next = clis
		}
		for _, then := range next {
			x.wantRun("", then+" --profile dev sts get-caller-identity", developer)
		}
		made++
		if n := p.tokens(); n != made {
			p.t.Errorf("%s first: the sign-in was renewed %d times", first, n-made+1)
		}
	}

	signsIn := 0
	for _, cli := range p.clis {
		if out, _ := x.run("", cli+" --version"); !strings.Contains(out, "aws-cli/2.") {
			continue
		}
		signsIn++
		x.wantRun("", "aws-switch-role sso logout corp", "signed out of corp")
		if out, status := x.run("", "aws-switch-role dev --no-input -- true"); status != 125 || !strings.Contains(out, "nobody has signed in") {
			p.t.Errorf("after the end: %d\n%s", status, out)
		}
		x.line(cli + " sso login --no-browser --sso-session corp")
		p.allowDevice()
		x.expect("Successfully logged")
		x.prompt("")
		registered := p.asked("RegisterClient")
		x.wantRun("", "aws-switch-role dev --no-input -- aws sts get-caller-identity", developer)
		if n := p.asked("RegisterClient"); n != registered {
			p.t.Error("the AWS CLI's sign-in was not used")
		}

		// The older form, without a session.
		for _, signIn := range []string{cli + " sso login --no-browser --profile legacy", "aws-switch-role sso login legacy --device --share"} {
			x.wantRun("", "rm -r .aws/sso")
			x.line(signIn)
			p.allowDevice()
			x.expectMatch("Successfully logged|signed in to")
			x.prompt("")
			x.wantRun("", "aws-switch-role legacy --no-input -- aws sts get-caller-identity", developer)
			x.wantRun("", cli+" --profile legacy sts get-caller-identity", developer)
		}
	}
	if signsIn == 0 {
		p.t.Error("no AWS CLI here signs in to Identity Center: install version 2, Debian's package awscli")
	}
	x.exit()
}

// tokens counts the access tokens that Identity Center has given.
func (p *place) tokens() int {
	n := 0
	for _, r := range p.server.Requests() {
		if r.Action == "CreateToken" && r.Status == http.StatusOK {
			n++
		}
	}
	return n
}

// allowDevice is a person with a browser elsewhere, who lets a device in.
func (p *place) allowDevice() {
	p.t.Helper()
	var codes []string
	p.holds("a device shows a code", func() bool { codes = p.server.WaitingDevices(); return len(codes) > 0 })
	resp, err := http.PostForm(p.url+"/device?user_code="+url.QueryEscape(codes[0]), url.Values{"person": {emulator.DemoPerson}})
	if err != nil {
		p.t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		p.t.Fatalf("the device is not let in: %s", resp.Status)
	}
}
