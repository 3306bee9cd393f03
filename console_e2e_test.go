//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
)

// headless is a browser without a window, which writes what it shows to the
// file page and what it was started with to the file command. Whatever is wrong
// with certificates is of no interest here.
const headless = `#!/bin/sh
dir=$1; shift
mkdir -p "$dir"
printf '%s\n' "$@" >"$dir/command"
chromium --headless --no-sandbox --disable-gpu --disable-breakpad --no-first-run --disable-background-networking \
	--user-data-dir="$dir/profile" --proxy-server="$HTTPS_PROXY" --ignore-certificate-errors \
	--dump-dom "$@" >"$dir/new" 2>"$dir/said" && mv "$dir/new" "$dir/page"
`

// testConsole has a person at a terminal whose keys a wrapper brings along, and
// a real browser, which ends up signed in at AWS's own addresses.
func testConsole(p *place) {
	p.plain = []string{"role/profile"} // the browser's history has the page that it signed in at
	browser := filepath.Join(p.home, "headless")
	write(p.t, browser, headless, 0o700)
	x := p.openShell("bash")
	x.line("env AWS_ACCESS_KEY_ID=$WRAPPED_ID AWS_SECRET_ACCESS_KEY=$WRAPPED_KEY aws-switch-role console sub-account --service s3 --browser '" + browser + " role %u'")
	x.answer()
	x.expect("sub-account: 222222222222 role/Ops, until ")
	x.prompt("")
	shown := p.page("role")
	for _, text := range []string{
		"<dd>" + opsSession + "jane</dd>",
		"<dd>https://ap-northeast-1.console.aws.amazon.com/s3/home?region=ap-northeast-1</dd>",
		"<dd>1h0m0s</dd>",
	} {
		if !strings.Contains(shown, text) {
			p.t.Errorf("the browser does not show %q:\n%s", text, shown)
		}
	}
	command, err := os.ReadFile(filepath.Join(p.home, "role", "command"))
	if err != nil || !strings.HasPrefix(string(command), "http://127.0.0.1:") || strings.Contains(string(command), "SigninToken") {
		p.t.Errorf("the browser's command line is %q, %v", command, err)
	}
	hosts := map[string]string{}
	for _, r := range p.server.Requests() {
		hosts[r.Action] = r.Host
	}
	for _, action := range []string{"getSigninToken", "login", "Console"} {
		if host := hosts[action]; p.asked(action) != 1 || host != "ap-northeast-1.signin.aws.amazon.com" {
			p.t.Errorf("%s: asked %d times of %s", action, p.asked(action), host)
		}
	}

	x.line("aws-switch-role console chained --switch --browser '" + browser + " switch'")
	x.prompt("")
	if shown := p.page("switch"); !strings.Contains(shown, "<dd>333333333333</dd>") || !strings.Contains(shown, "<dd>Chained</dd>") {
		p.t.Errorf("the page to switch roles shows\n%s", shown)
	}
	x.exit()
}

// page is what the browser has shown, once it has.
func (p *place) page(name string) (text string) {
	p.t.Helper()
	p.holds("the browser shows a page", func() bool {
		b, err := os.ReadFile(filepath.Join(p.home, name, "page"))
		text = string(b)
		return err == nil
	})
	return text
}
