//go:build unix

package main

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aws-switch-role/internal/emulator"
)

// shells are what people work in; dash has no line editor, and so shows what
// becomes of the terminal itself.
var (
	shells    = []string{"zsh", "bash", "fish"}
	allShells = append([]string{"dash"}, shells...)
)

const opsSession = "arn:aws:sts::222222222222:assumed-role/Ops/"

// TestEndToEnd has a person at a terminal, in real shells with real AWS
// clients: all that is not real is AWS.
func TestEndToEnd(t *testing.T) {
	s := newStage(t)
	run := func(name string, test func(*place)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(s.place(t))
		})
	}
	for _, shell := range shells {
		run("shell/"+shell, func(p *place) { testShell(p, shell) })
		run("wrapper/"+shell, func(p *place) { testWrapper(p, shell) })
		run("jobs/"+shell, func(p *place) { testJobs(p, shell) })
		run("loop/"+shell, func(p *place) { testLoop(p, shell) })
		run("init/"+shell, func(p *place) { testInit(p, shell) })
		run("init jobs/"+shell, func(p *place) {
			p.addToRC(shell, initLine(shell, ""))
			testJobs(p, shell)
		})
		run("init question/"+shell, func(p *place) {
			p.addToRC(shell, initLine(shell, ""))
			testQuestion(p, shell)
		})
		run("init prompt/"+shell, func(p *place) { testInitPrompt(p, shell) })
		run("starship/"+shell, func(p *place) { testStarship(p, shell) })
	}
	for _, shell := range allShells {
		run("question/"+shell, func(p *place) { testQuestion(p, shell) })
		run("keys/"+shell, func(p *place) { testKeys(p, shell) })
		run("status/"+shell, func(p *place) { testStatus(p, shell) })
	}
	for _, cli := range s.clis {
		run("beside/"+cli, func(p *place) { testBeside(p, cli) })
	}
	for theme := range themes {
		run("theme/"+theme, func(p *place) { testTheme(p, theme) })
	}
	run("again", testAgain)
	run("pipes", testPipes)
	run("which shell", testWhichShell)
	run("hang up", testHangUp)
	run("demo", testDemo)
	run("console", testConsole)
	run("tmux", testTmux)
	run("sdks", testSDKs)
	run("profile first", testProfileFirst)
	run("sso/browser", testSSOBrowser)
	run("sso/aws cli", testSSOShared)
	run("serve/asks again", testServeAsks)
	run("serve/in the background", testServeBackground)
	run("serve/hang up", testServeHangUp)
	run("serve/browser", testServeBrowser)
	run("holder killed", testHolderKilled)
	run("keys waiting", testKeysWaiting)
}

// testShell is the main scene: keys in the credentials file, the role in the
// config file, a code, the role's shell, and back.
func testShell(p *place, shell string) {
	x := p.openShell(shell)
	x.line("aws-switch-role tempsession")
	x.answer()
	x.expect("tempsession: 222222222222 role/Ops, until ")
	x.prompt("tempsession")
	p.wantAsked("GetSessionToken", "AssumeRole")

	x.wantRun("tempsession", "echo $AWS_PROFILE", "tempsession")
	for _, cli := range p.clis {
		x.wantRun("tempsession", cli+" sts get-caller-identity", opsSession)
		x.wantRun("tempsession", cli+" s3 ls", "bucketname", "reports")
		x.wantRun("tempsession", cli+" s3 ls s3://bucketname", "hello.txt", "inventory.csv", "PRE logs/")
	}
	x.line("exit")
	x.prompt("")
	if out, status := x.run("", "printenv AWS_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN"); out != "" || status != 1 {
		p.t.Errorf("outside there is still %q (%d)", out, status)
	}
	x.exit()
}

// testWrapper has the keys in the environment, where a wrapper such as
// envchain puts them, and nothing in the credentials file.
func testWrapper(p *place, shell string) {
	write(p.t, filepath.Join(p.home, ".aws", "credentials"), "", 0o600)
	x := p.openShell(shell)
	for _, profile := range []string{"sub-account", "from-environment"} {
		x.line("env AWS_ACCESS_KEY_ID=$WRAPPED_ID AWS_SECRET_ACCESS_KEY=$WRAPPED_KEY aws-switch-role " + profile)
		x.answer()
		x.prompt(profile)
		for _, cli := range p.clis {
			x.wantRun(profile, cli+" s3 ls", "bucketname", "reports")
			x.wantRun(profile, cli+" sts get-caller-identity", opsSession)
		}
		x.wantRun(profile, "echo $AWS_REGION", "ap-northeast-1")
		x.line("exit")
		x.prompt("")
	}
	if out, status := x.run("", "aws-switch-role sub-account"); status != 125 || !strings.Contains(out, "missing: source_profile or credential_source") {
		p.t.Errorf("without the wrapper: status %d\n%s", status, out)
	}
	x.exit()
}

// testBeside uses the AWS CLI's own way with the same files.
func testBeside(p *place, cli string) {
	x := p.openShell("bash")
	x.line("aws-switch-role tempsession -- true")
	x.answer()
	x.prompt("")
	x.line(cli + " --profile tempsession sts get-caller-identity")
	x.answer()
	x.expect("arn:aws:sts::222222222222:assumed-role/Ops/botocore-session-")
	x.prompt("")
	x.wantRun("", "AWS_DEFAULT_PROFILE=tempsession "+cli+" s3 ls s3://bucketname", "hello.txt") // from its own cache
	x.line("aws-switch-role tempsession -- " + cli + " s3 ls s3://bucketname")
	x.answer()
	x.expect("hello.txt")
	x.prompt("")
	x.exit()
}

// testAgain switches twice: the code is asked for once, and buys a chain of
// roles as well.
func testAgain(p *place) {
	x := p.openShell("bash")
	x.run("", "unset AWS_SWITCH_ROLE_NO_CACHE")
	for again := range 2 {
		x.line("aws-switch-role tempsession -- true")
		if again == 0 {
			x.answer()
		}
		x.prompt("")
		if status := x.status(""); status != 0 {
			p.t.Errorf("status %d", status)
		}
	}
	p.wantAsked("GetSessionToken", "AssumeRole")
	x.line("aws-switch-role chained")
	x.prompt("chained")
	x.wantRun("chained", "aws sts get-caller-identity", "arn:aws:sts::333333333333:assumed-role/Chained/")
	p.wantAsked("GetSessionToken", "AssumeRole", "AssumeRole", "GetCallerIdentity")
	x.line("exit")
	x.prompt("")
	x.exit()
}

// testQuestion leaves the question for the code in every way there is. The
// terminal is as before, the half-typed code reaches nobody.
func testQuestion(p *place, shell string) {
	x := p.openShell(shell)
	x.run("", "true") // the settings of a shell that has run something
	before := x.settings()
	stty, _ := x.run("", "stty -g")
	same := func(after string) {
		p.t.Helper()
		if x.settings() != before {
			p.t.Errorf("%s: the terminal's settings are not as before", after)
		}
		if now, _ := x.run("", "stty -g"); now != stty {
			p.t.Errorf("%s: a command finds the terminal at %s, before it was %s", after, now, stty)
		}
	}
	for _, c := range []struct {
		name, keys string
		status     int
	}{
		{"Ctrl-C", ctrlC, 130},
		{"Ctrl-C within a code", "314" + ctrlC, 130},
		{`Ctrl-\`, ctrlBackslash, 131},
		{`Ctrl-\ within a code`, "314" + ctrlBackslash, 131},
		{"Ctrl-D", ctrlD, 130},
	} {
		x.line("aws-switch-role tempsession")
		x.expect(question)
		x.press(c.keys)
		if out := x.prompt(""); strings.Contains(out, "314") {
			p.t.Errorf("%s: what was typed is shown: %q", c.name, out)
		}
		if status := x.status(""); status != c.status {
			p.t.Errorf("%s: status %d, want %d", c.name, status, c.status)
		}
		same(c.name)
	}
	if n := p.asked(""); n > 0 {
		p.t.Errorf("AWS was asked %d times without a code", n)
	}

	x.line("aws-switch-role tempsession -- true")
	for range 2 {
		x.expect(question)
		x.press("314" + ctrlZ)
		x.prompt("")
		same("Ctrl-Z")
		x.line("fg")
	}
	x.answer()
	x.prompt("")
	if status := x.status(""); status != 0 {
		p.t.Errorf("after Ctrl-Z and fg: status %d", status)
	}
	same("fg")
	p.wantAsked("GetSessionToken", "AssumeRole")
	x.exit()
}

// testLoop interrupts a question in a loop, which the shell then leaves.
func testLoop(p *place, shell string) {
	x := p.openShell(shell)
	loop := "for i in 1 2 3; do aws-switch-role tempsession -- true; done"
	if shell == "fish" {
		loop = "for i in 1 2 3; aws-switch-role tempsession -- true; end"
	}
	x.line(loop)
	x.expect(question)
	x.press(ctrlC)
	if out := x.prompt(""); strings.Contains(out, "Enter MFA code") {
		p.t.Errorf("the loop went on:\n%s", out)
	}
	x.exit()
}

// dialogue is a script and what is typed to it. What the shell makes of it is
// the same with and without us in front of it.
type dialogue struct {
	name, script string
	talk         func(x *terminal, note func(...any))
}

// busy is what a script does until a signal ends it. It starts nothing: a
// child that Ctrl-Z stops between vfork and exec would keep the script, which
// waits for it, from stopping.
const busy = "\necho up; while :; do :; done"

var dialogues = []dialogue{
	{"Ctrl-C trapped", "trap 'echo INT; exit 7' INT" + busy, func(x *terminal, note func(...any)) {
		x.expect("up\n")
		x.press(ctrlC)
		x.expect("INT\n")
		note(strings.Count(x.prompt(""), "INT"), x.status(""))
	}},
	{"Ctrl-C", busy, func(x *terminal, note func(...any)) {
		x.expect("up\n")
		x.press(ctrlC)
		x.prompt("")
		note(x.status(""))
	}},
	{`Ctrl-\ trapped`, "trap 'echo QUIT; exit 9' QUIT" + busy, func(x *terminal, note func(...any)) {
		x.expect("up\n")
		x.press(ctrlBackslash)
		x.expect("QUIT\n")
		x.prompt("")
		note(x.status(""))
	}},
	{`Ctrl-\`, "ulimit -c 0; echo up; exec sleep 100", func(x *terminal, note func(...any)) {
		x.expect("up\n")
		x.press(ctrlBackslash)
		x.prompt("")
		note(x.status(""))
	}},
	{"Ctrl-D", "echo up; exec cat", func(x *terminal, note func(...any)) {
		x.expect("up\n")
		x.line("here")
		x.expect("here\nhere\n")
		x.press(ctrlD)
		x.prompt("")
		note(x.status(""))
	}},
	{"Ctrl-Z", "trap 'echo once more' CONT" + busy, func(x *terminal, note func(...any)) {
		x.expect("up\n")
		x.press(ctrlZ)
		x.prompt("")
		note(x.status(""))
		note(x.run("", "jobs"))
		resume := "%1"
		if x.shell == "fish" || x.shell == "dash" {
			resume = "fg"
		}
		x.line(resume)
		x.expect("once more\n")
		x.press(ctrlC)
		x.prompt("")
		note(x.status(""))
	}},
	{"stops itself", "kill -STOP $$; echo back; exit 3", func(x *terminal, note func(...any)) {
		x.prompt("")
		note(x.status(""))
		x.line("fg")
		x.expect("back\n")
		x.prompt("")
		note(x.status(""))
	}},
}

// testKeys types the keys that are signals to scripts, run directly and by us,
// and compares what the shell made of it.
func testKeys(p *place, shell string) {
	const us = "aws-switch-role open -- "
	numbers := regexp.MustCompile(`\b\d{4,}\b`)
	x := p.openShell(shell)
	for _, d := range dialogues {
		write(p.t, filepath.Join(p.home, "script"), "#!/bin/sh\n"+d.script+"\n", 0o700)
		transcript := func(prefix string) string {
			var notes []any
			x.line(prefix + "./script")
			d.talk(x, func(what ...any) { notes = append(notes, what...) })
			x.run("", "true") // what the shell has still to say about jobs
			said := strings.ReplaceAll(numbers.ReplaceAllString(fmt.Sprint(notes...), "PID"), us, "")
			return strings.Join(strings.Fields(said), " ")
		}
		if direct, ours := transcript(""), transcript(us); direct != ours {
			p.t.Errorf("%s: directly %q, by us %q", d.name, direct, ours)
		}
	}
	x.exit()
}

// testJobs has job control in the opened shell, and stops that shell itself.
func testJobs(p *place, shell string) {
	const sleeper = `sh -c 'echo "u"p; exec sleep 100'`
	x := p.openShell(shell)
	x.line("aws-switch-role open")
	x.prompt("open")
	x.line(sleeper)
	x.expect("up\n")
	x.press(ctrlZ)
	x.prompt("open")
	x.wantRun("open", "jobs", "sleep 100")
	kill := "kill %1"
	if shell == "fish" {
		kill = "kill (jobs -p); fg"
	}
	x.run("open", kill)
	x.line(sleeper)
	x.expect("up\n")
	x.press(ctrlC)
	x.prompt("open")
	if status := x.status("open"); status != 130 {
		p.t.Errorf("Ctrl-C in the opened shell: status %d", status)
	}

	x.line("suspend")
	x.prompt("")
	x.line("fg")
	x.expect("\n")
	x.run("open", "true")
	x.wantRun("open", "echo $AWS_PROFILE", "open")
	x.line("exit")
	x.prompt("")
	x.exit()
}

// testStatus looks at exit statuses as the outer shell sees them.
func testStatus(p *place, shell string) {
	write(p.t, filepath.Join(p.home, "data"), "no program\n", 0o600)
	x := p.openShell(shell)
	for command, want := range map[string]int{
		"true":                               0,
		"false":                              1,
		"sh -c 'exit 7'":                     7,
		"sh -c 'exit 255'":                   255,
		"./data":                             126,
		"/":                                  126,
		"no-such-command":                    127,
		"./no-such-command":                  127,
		"sh -c 'kill -TERM $$'":              143,
		"sh -c 'kill -KILL $$'":              137,
		"sh -c 'kill -HUP $$'":               129,
		"sh -c 'ulimit -c 0; kill -SEGV $$'": 139,
	} {
		for _, ours := range []string{"aws-switch-role open -- ", "aws-switch-role exec open -- "} {
			if out, status := x.run("", ours+command); status != want {
				p.t.Errorf("%s%s: status %d, want %d\n%s", ours, command, status, want, out)
			}
		}
	}
	for _, command := range []string{"aws-switch-role opne", "aws-switch-role opne -- true", "aws-switch-role exec opne -- true", "aws-switch-role --no-such-flag open"} {
		if out, status := x.run("", command); status != 125 {
			p.t.Errorf("%s: status %d, want 125\n%s", command, status, out)
		}
	}
	x.line("aws-switch-role open")
	x.prompt("open")
	x.line("exit 42")
	x.prompt("")
	if status := x.status(""); status != 42 {
		p.t.Errorf("the opened shell's exit 42 is seen as %d", status)
	}
	x.exit()
}

// testPipes has files and pipes where a terminal would be.
func testPipes(p *place) {
	x := p.openShell("bash")
	x.wantRun("", "head -c 1000000 /dev/urandom >data")
	data, err := os.ReadFile(filepath.Join(p.home, "data"))
	if err != nil {
		p.t.Fatal(err)
	}
	sum := fmt.Sprintf("%x", sha256.Sum256(data))
	x.wantRun("", "cat data | aws-switch-role open -- sha256sum", sum)
	x.wantRun("", "aws-switch-role open -- cat data | sha256sum", sum)
	if out, _ := x.run("", `aws-switch-role open -- yes | head -1; echo "${PIPESTATUS[@]}"`); strings.Join(strings.Fields(out), " ") != "open: 222222222222 role/Open, "+until(out)+" y 141 0" {
		p.t.Errorf("a pipe closed early shows\n%s", out)
	}
	if out, status := x.run("", `aws-switch-role explain open | true`); out != "" || status != 0 {
		p.t.Errorf("our own output closed early: status %d\n%s", status, out)
	}

	// The question is on the terminal, whatever the streams are.
	write(p.t, filepath.Join(p.home, "in"), "a line\n", 0o600)
	x.line(`aws-switch-role tempsession -- sh -c 'cat; echo said >&2' <in >out 2>err`)
	x.answer()
	x.prompt("")
	x.wantRun("", `cat out`, "a line")
	if got, err := os.ReadFile(filepath.Join(p.home, "err")); err != nil || string(got) != "said\n" {
		p.t.Errorf("stderr is %q (%v)", got, err)
	}
	x.line(`echo piped | aws-switch-role tempsession -- cat 2>&1 | sed 's/^/> /'`)
	x.answer()
	x.expect("> piped\n")
	x.prompt("")
	x.exit()
}

// until cuts the end of the session out of an announcement.
func until(out string) string {
	return regexp.MustCompile(`until \d\d:\d\d \(\w+\)`).FindString(out)
}

// testWhichShell takes $SHELL away.
func testWhichShell(p *place) {
	x := p.openShell("dash")
	for _, command := range []string{"env -u SHELL", "env SHELL=", "env SHELL=/no/such", "env SHELL=bash", "env SHELL=" + p.home} {
		x.line(command + " aws-switch-role open")
		x.expect("role/Open, until ")
		x.line(`echo "sh""ell: $(ps -o args= -p $$)."`)
		_, groups := x.expectMatch(`shell: (.*)\.\n`)
		if want := passwdShell(p.t); groups[0] != want {
			p.t.Errorf("%s: the shell is %q, want %q", command, groups[0], want)
		}
		x.line("exit")
		x.expectMatch(`(?m)^ready> $`)
	}
	x.exit()
}

// testHangUp closes the terminal's window at the question and in the shell:
// nothing is left then, which the place sees to.
func testHangUp(p *place) {
	x := p.openShell("bash")
	x.line("aws-switch-role tempsession")
	x.expect(question)
	x.hangUp()
	y := p.openShell("zsh")
	y.line("aws-switch-role open")
	y.prompt("open")
	y.line("aws-switch-role demo")
	y.expect(question)
	y.hangUp()
	p.deserted()
	p.emptyTmp()
}

// emptyTmp fails the test when something is left where temporary files are.
func (p *place) emptyTmp() {
	p.t.Helper()
	var names []string
	p.holds("no temporary file", func() bool {
		entries, err := os.ReadDir(filepath.Join(p.home, "tmp"))
		if err != nil {
			p.t.Fatal(err)
		}
		names = names[:0]
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), "aws-switch-role") {
				names = append(names, e.Name())
			}
		}
		return len(names) == 0
	})
}

// shownCode is what the demo says that the device shows.
var shownCode = regexp.MustCompile(`The MFA device shows (\d{6})`)

// testDemo follows the demo.
func testDemo(p *place) {
	write(p.t, filepath.Join(p.home, "script"), "#!/bin/sh\ntrap 'echo INT; exit 7' INT"+busy+"\n", 0o700)
	for _, shell := range shells {
		x := p.openShell(shell)
		x.line("aws-switch-role demo")
		_, code := x.expectMatch(shownCode.String())
		x.expect(question)
		x.line(code[0])
		x.expect("tempsession: 222222222222 role/Ops, until ")
		sign := "$"
		if os.Getuid() == 0 && shell != "fish" {
			sign = "#"
		}
		prompt := "(tempsession) " + sign + " "
		if shell == "zsh" {
			prompt = sign + " (tempsession) "
		}
		x.expect(prompt)
		x.line("aws s3 ls s3://bucketname")
		x.expect("hello.txt")
		x.expect(prompt)
		x.line(`sh -c 'echo "u"p; exec sleep 100'`)
		x.expect("up\n")
		x.press(ctrlC)
		x.expect(prompt)
		x.line("aws-switch-role status --short")
		x.expectMatch(`tempsession (1h|59m)\n`)
		x.expect(prompt)
		x.line("aws-switch-role chained")
		x.expect("chained: 333333333333 role/Chained, until ")
		x.expect(strings.ReplaceAll(prompt, "tempsession", "chained"))
		x.line("aws-switch-role --secretless open")
		x.expect("open: 222222222222 role/Open, until ")
		open := strings.ReplaceAll(prompt, "tempsession", "open")
		x.expect(open)
		x.line("env | grep -c ACCESS_KEY")
		x.expect("\n0\n")
		x.expect(open)
		x.line("exit 0")
		x.expect(strings.ReplaceAll(prompt, "tempsession", "chained"))
		x.line("exit 0")
		x.expect(prompt)
		x.line("exit 1") // as behind a doctor who has found something
		x.prompt("")
		if status := x.status(""); status != 0 {
			p.t.Errorf("%s: the demo ends with status %d", shell, status)
		}
		if n := strings.Count(plain(x.raw), code[0]); n != 1 {
			p.t.Errorf("%s: the code is on the terminal %d times, want once:\n%s", shell, n, plain(x.raw))
		}
		p.emptyTmp()

		x.line("aws-switch-role demo")
		x.expect(question)
		x.press(ctrlC)
		x.prompt("")
		if status := x.status(""); status != 130 {
			p.t.Errorf("%s: Ctrl-C at the demo's question: status %d", shell, status)
		}
		x.line("aws-switch-role demo -- ./script")
		x.expect("up\n")
		x.press(ctrlC)
		x.expect("INT\n")
		x.prompt("")
		if status := x.status(""); status != 7 {
			p.t.Errorf("%s: Ctrl-C in the demo's command: status %d", shell, status)
		}
		x.exit()
		p.emptyTmp()
	}
}

// testTmux looks at the demo on a real, small screen.
func testTmux(p *place) {
	p.env = append(p.env, "SHELL=/bin/bash", "TMUX_TMPDIR="+filepath.Join(p.home, "tmp"))
	tmux := func(args ...string) string {
		p.t.Helper()
		cmd := exec.Command("tmux", append([]string{"-f", "/dev/null"}, args...)...)
		cmd.Env, cmd.Dir = p.env, p.home
		out, err := cmd.CombinedOutput()
		if err != nil {
			p.t.Fatalf("tmux %q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	tmux("new-session", "-d", "-x", "80", "-y", "24", "aws-switch-role demo; echo the end; cat")
	defer tmux("kill-server")
	screen := func() string { return strings.TrimRight(tmux("capture-pane", "-p"), "\n") }
	shows := func(text string) string {
		p.t.Helper()
		p.holds("the screen shows "+text, func() bool { return strings.Contains(screen(), text) })
		return screen()
	}
	at := shows(strings.TrimSpace(question))
	code := shownCode.FindStringSubmatch(at)
	if code == nil {
		p.t.Fatalf("no code on the screen:\n%s", at)
	}
	if !strings.HasSuffix(at, "\n"+strings.TrimSpace(question)) {
		p.t.Errorf("the question is not the last on the screen:\n%s", at)
	}
	tmux("send-keys", code[1], "Enter")
	prompt := "(tempsession) $"
	if os.Getuid() == 0 {
		prompt = "(tempsession) #"
	}
	at = shows("\n" + prompt)
	lines := strings.Split(at, "\n")
	if last := lines[len(lines)-3:]; last[0] != strings.TrimSpace(question) || !regexp.MustCompile(`^tempsession: 222222222222 role/Ops, until \d\d:\d\d \(1h\)$`).MatchString(last[1]) || last[2] != prompt {
		p.t.Errorf("the screen ends with %q:\n%s", last, at)
	}
	if strings.ContainsFunc(at, func(r rune) bool { return r != '\n' && (r < ' ' || r > '~') }) {
		p.t.Errorf("there is garbage on the screen:\n%q", at)
	}
	tmux("send-keys", "clear; aws s3 ls s3://bucketname", "Enter")
	shows("inventory.csv")
	p.holds("the prompt is back", func() bool { return strings.HasSuffix(screen(), "\n"+prompt) })
	tmux("send-keys", "exit", "Enter")
	shows("the end")
	p.emptyTmp()
}

// testSDKs runs programs of other languages' SDKs by us.
func testSDKs(p *place) {
	x := p.openShell("bash")
	const arn = "aws-switch-role " + "arn:aws:iam::222222222222:role/Ops --source-profile default --mfa-serial arn:aws:iam::111111111111:mfa/me -- "
	programs := map[string]string{
		"node": "NODE_PATH=" + p.node + " AWS_REGION=us-east-1 AWS_ENDPOINT_URL=" + p.url + " " + arn +
			`node -e 'const {STS} = require("@aws-sdk/client-sts"); new STS({}).getCallerIdentity({}).then(r => console.log(r.Arn))'`,
	}
	for _, python := range p.pythons {
		programs[python] = "AWS_DEFAULT_REGION=us-east-1 aws-switch-role tempsession -- " + python + ` -c 'import boto3; print(boto3.client("sts").get_caller_identity()["Arn"])'`
	}
	for _, name := range slices.Sorted(maps.Keys(programs)) {
		x.line(programs[name])
		x.answer()
		if out := x.prompt(""); !strings.Contains(out, opsSession) {
			p.t.Errorf("%s does not see the role:\n%s", name, out)
		}
	}
	x.exit()
}

// testProfileFirst has SDKs that take the profile before the keys in the
// environment, as that for JavaScript does, or that see no keys at all. Whatever
// way they go, they arrive at the role of the shell, though the default
// profile's key in the user's own file is one that AWS does not know.
func testProfileFirst(p *place) {
	const (
		noKeys = "env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY -u AWS_SESSION_TOKEN "
		role   = "arn:aws:iam::222222222222:role/Ops"
		open   = "arn:aws:sts::222222222222:assumed-role/Open/"
	)
	write(p.t, filepath.Join(p.home, ".aws", "config"), strings.ReplaceAll(awsConfig, "= default", "= main"), 0o600)
	write(p.t, filepath.Join(p.home, ".aws", "credentials"), strings.ReplaceAll(awsCredentials, "default", "main")+
		"[default]\naws_access_key_id = AKIAOFNOACCOUNTATALL\naws_secret_access_key = wrong\n", 0o600)
	write(p.t, filepath.Join(p.home, "who.js"), `const {STS} = require("@aws-sdk/client-sts"); new STS({}).getCallerIdentity({}).then(r => console.log(r.Arn))`, 0o600)
	write(p.t, filepath.Join(p.home, "who.py"), `import boto3; print(boto3.client("sts").get_caller_identity()["Arn"])`, 0o600)
	node := "NODE_PATH=" + p.node + " AWS_ENDPOINT_URL=" + p.url + " node who.js"
	others := []string{p.pythons[0] + " who.py"}
	for _, cli := range p.clis {
		others = append(others, cli+" sts get-caller-identity")
	}

	x := p.openShell("bash")
	x.run("", "unset AWS_SWITCH_ROLE_NO_CACHE")
	x.line("aws-switch-role --region us-east-1 tempsession")
	x.answer()
	x.prompt("tempsession")
	x.wantRun("tempsession", "env "+node, opsSession)
	x.wantRun("tempsession", noKeys+"-u AWS_PROFILE "+node, opsSession)
	x.wantRun("tempsession", "env AWS_PROFILE=open "+node, open)
	for _, other := range others {
		x.wantRun("tempsession", noKeys+other, opsSession)
		x.wantRun("tempsession", noKeys+"AWS_PROFILE=open "+other, open)
	}
	x.line("exit")
	x.prompt("")
	x.line("aws-switch-role --region us-east-1 --source-profile main --mfa-serial " + emulator.DemoDevice + " " + role)
	x.prompt("Ops@222222222222") // behind the same device
	x.wantRun("Ops@222222222222", noKeys+node, opsSession)
	x.line("exit")
	x.prompt("")
	x.exit()
}
