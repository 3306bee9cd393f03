package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"aws-switch-role/internal/emulator"
)

// TestSecretless opens shells without credentials in their environment, and
// looks at who gets some and who does not.
func TestSecretless(t *testing.T) {
	s := newStage(t)
	goSDK := filepath.Join(workDir(t), ".cache", "gosdk")
	if _, err := os.Stat(goSDK); err != nil {
		t.Fatal("no program of the AWS SDK for Go here: make tools builds testdata/gosdk into .cache")
	}
	run := func(name string, test func(*place)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(s.secretlessPlace(t))
		})
	}
	for _, shell := range shells {
		run(shell, func(p *place) { testSecretlessShell(p, shell, goSDK) })
		t.Run("beside it/"+shell, func(t *testing.T) { // with keys in the environment
			t.Parallel()
			testClients(s.place(t), shell, goSDK)
		})
		run("jobs/"+shell, func(p *place) { testJobs(p, shell) })
	}
	run("wrapper", func(p *place) { testWrapper(p, "bash") })
	run("hang up", testHangUp)
	run("kin", testKin)
	run("kin by descent", testKinByDescent)
	run("strangers", testStrangers)
	run("opaque", testOpaque)
	run("renewed", testRenewed)
	run("renewed inside", testRenewedInside)
	run("not renewed", testNotRenewed)
	run("code", testCodeNeeded)
	run("refresh", testSecretlessRefresh)
	run("keeper killed", testKeeperKilled)
	run("shell killed", testShellKilled)
}

// secretlessPlace is a place where every switch is secretless, and where
// nothing but the AWS files and what the tests type holds a secret.
func (s *stage) secretlessPlace(t *testing.T) *place {
	t.Helper()
	p := s.place(t)
	p.env = append(p.env, "AWS_SWITCH_ROLE_SECRETLESS=1")
	// A socket's path is short.
	run, err := os.MkdirTemp("", "run")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(run) })
	p.env = replaceVariable(p.env, "XDG_RUNTIME_DIR", run)
	t.Cleanup(func() {
		p.holds("no session directory", func() bool { return len(p.sessions()) == 0 })
	})
	// Ask as a program of the AWS SDKs does.
	write(t, filepath.Join(p.home, "ask"), "#!/bin/sh\n"+
		`eval "$(sed -n "/^\[$AWS_PROFILE\]/,/^\[.*/s/^credential_process = //p" "$AWS_SHARED_CREDENTIALS_FILE" | head -n 1)" >"$HOME/answer.$$"`+"\n"+
		`status=$?; sed 's/.*"AccessKeyId":"\([A-Z0-9]*\)".*/\1/' "$HOME/answer.$$"; rm "$HOME/answer.$$"; echo "asked: $status."; exit $status`+"\n", 0o700)
	return p
}

func replaceVariable(env []string, name, value string) []string {
	env = slices.DeleteFunc(slices.Clone(env), func(e string) bool { return strings.HasPrefix(e, name+"=") })
	return append(env, name+"="+value)
}

// sessions are the directories of shells that are there.
func (p *place) sessions() []string {
	dirs, err := filepath.Glob(filepath.Join(p.variable("XDG_RUNTIME_DIR"), "aws-switch-role", "shells", "*"))
	if err != nil {
		p.t.Fatal(err)
	}
	return dirs
}

func (p *place) variable(name string) string {
	for _, e := range p.env {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			return v
		}
	}
	return ""
}

// session is the one directory of a shell.
func (p *place) session() string {
	p.t.Helper()
	dirs := p.sessions()
	if len(dirs) != 1 {
		p.t.Fatalf("session directories: %q", dirs)
	}
	return dirs[0]
}

// keeper is the process id of the one keeper.
func (p *place) keeper() int {
	p.t.Helper()
	for _, line := range p.processes() {
		if strings.Contains(line, "__keep --detached") {
			pid, err := strconv.Atoi(strings.Fields(line)[0])
			if err != nil {
				p.t.Fatal(err)
			}
			return pid
		}
	}
	p.t.Fatalf("no keeper among\n%s", strings.Join(p.processes(), "\n"))
	return 0
}

// secretShown matches what is in every emulated secret and in the id of every
// session's key, but in no variable's name.
var secretShown = regexp.MustCompile(`SECRET([^L_]|$)|ASIA[A-Z0-9]{12}`)

// secretFree fails the test when a process of the place shows a secret in its
// environment or among its arguments, the keeper included.
func (p *place) secretFree() {
	p.t.Helper()
	seen := 0
	for _, line := range p.processes() {
		for _, what := range []string{"environ", "cmdline"} {
			text, err := os.ReadFile(filepath.Join("/proc", strings.Fields(line)[0], what))
			if err != nil {
				continue // it has ended
			}
			seen++
			for entry := range bytes.SplitSeq(text, []byte{0}) {
				if secretShown.Match(entry) && !bytes.HasPrefix(entry, []byte("WRAPPED_")) {
					p.t.Errorf("%s shows %s", line, entry)
				}
			}
		}
	}
	if seen < 4 {
		p.t.Errorf("only %d files were looked at", seen)
	}
}

// enter switches to tempsession.
func (x *terminal) enter() {
	x.t.Helper()
	x.line("aws-switch-role tempsession")
	x.answer()
	x.expect("tempsession: 222222222222 role/Ops, until ")
	x.prompt("tempsession")
}

// testSecretlessShell has the AWS clients of several languages in a shell with
// nothing in its environment.
func testSecretlessShell(p *place, shell, goSDK string) {
	x := p.openShell(shell)
	x.enter()
	x.wantRun("tempsession", "echo $AWS_PROFILE", "tempsession")
	if out, status := x.run("tempsession", "printenv AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_SESSION_EXPIRATION"); out != "" || status != 1 {
		p.t.Errorf("in the environment there is %q (%d)", out, status)
	}
	p.secretFree()
	clients := p.clients(goSDK)
	for _, client := range clients {
		x.wantRun("tempsession", "env "+client, opsSession)
	}
	x.wantRun("tempsession", "aws-switch-role status", "delivery  secretless", "served    pid ", "/node at ")
	p.secretFree()
	x.line("exit")
	x.prompt("")
	x.exit()
	p.wantAsked(slices.Concat([]string{"GetSessionToken", "AssumeRole"}, slices.Repeat([]string{"GetCallerIdentity"}, len(clients)))...)
}

// clients are command lines, to stand behind env, of programs that ask AWS who
// they are: each AWS CLI here, boto3, the SDK for Go, the base of Terraform's
// provider, and the SDK for JavaScript.
func (p *place) clients(goSDK string) []string {
	var all []string
	for _, cli := range p.clis {
		all = append(all, cli+" sts get-caller-identity")
	}
	return append(all,
		p.pythons[0]+` -c 'import boto3; print(boto3.client("sts", region_name="us-east-1").get_caller_identity()["Arn"])'`,
		"AWS_REGION=us-east-1 "+goSDK,
		"AWS_REGION=us-east-1 "+goSDK+" terraform",
		"NODE_PATH="+p.node+" AWS_REGION=us-east-1 AWS_ENDPOINT_URL="+p.url+
			` node -e 'const {STS} = require("@aws-sdk/client-sts"); new STS({}).getCallerIdentity({}).then(r => console.log(r.Arn))'`,
	)
}

// testClients has every client in a shell with keys in its environment, whose
// user has another key in his default profile: all are the role, and so are
// those that see no key and no profile, and read [default].
func testClients(p *place, shell, goSDK string) {
	write(p.t, filepath.Join(p.home, ".aws", "config"), strings.ReplaceAll(awsConfig, "= default", "= main"), 0o600)
	write(p.t, filepath.Join(p.home, ".aws", "credentials"), strings.ReplaceAll(awsCredentials, "default", "main")+
		"[default]\naws_access_key_id = AKIAOFNOACCOUNTATALL\naws_secret_access_key = wrong\n", 0o600)
	p.env = replaceVariable(p.env, "AWS_SWITCH_ROLE_NO_CACHE", "")
	x := p.openShell(shell)
	x.enter()
	for _, client := range p.clients(goSDK) {
		x.wantRun("tempsession", "env "+client, opsSession)
		x.wantRun("tempsession", "env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY -u AWS_SESSION_TOKEN -u AWS_PROFILE "+client, opsSession)
	}
	x.line("exit")
	x.prompt("")
	x.exit()
}

// testKin asks from all over the shell's family.
func testKin(p *place) {
	x := p.openShell("bash")
	x.run("", "exec 9>~/nine")
	x.enter()
	askFromKin(x)
	fds := fmt.Sprintf("/proc/%d/fd/", p.keeper())
	files, err := os.ReadDir(fds)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, f := range files {
		if to, err := os.Readlink(fds + f.Name()); err == nil && strings.Contains(to, p.home) {
			p.t.Errorf("the keeper holds %s open", to)
		}
	}
	x.line("exit")
	x.prompt("")
	x.exit()
}

// askFromKin asks as a child, as a grandchild, and as those who have left the
// shell's process tree.
func askFromKin(x *terminal) {
	x.t.Helper()
	x.wantRun("tempsession", "~/ask", "ASIA", "asked: 0.")
	x.wantRun("tempsession", "sh -c 'sh -c ~/ask; true'", "ASIA", "asked: 0.")
	for i, command := range []string{
		"(setsid sh -c '~/ask >~/out.N.new 2>&1; mv ~/out.N.new ~/out.N' &)",
		"(nohup sh -c '~/ask >~/out.N.new 2>&1; mv ~/out.N.new ~/out.N' >/dev/null 2>&1 &)",
		"env TMUX_TMPDIR=$HOME/tmp tmux -f /dev/null new-session -d '~/ask >~/out.N.new 2>&1; mv ~/out.N.new ~/out.N'",
	} {
		x.run("tempsession", strings.ReplaceAll(command, "N", fmt.Sprint(i)))
		out := filepath.Join(x.home, fmt.Sprint("out.", i))
		x.holds(out, func() bool { _, err := os.Stat(out); return err == nil })
		text, err := os.ReadFile(out)
		if err != nil || !strings.HasPrefix(string(text), "ASIA") || !strings.Contains(string(text), "asked: 0.") {
			x.t.Errorf("%s: %s %v", command, text, err)
		}
	}
}

// testKinByDescent has no kernel keyring, as in a container.
func testKinByDescent(p *place) {
	x := p.openShell("bash")
	x.line("strace -f -qqq --seccomp-bpf -o /dev/null -e signal=none -e trace=keyctl,add_key -e inject=keyctl,add_key:error=EPERM aws-switch-role tempsession")
	x.answer()
	x.prompt("tempsession")
	askFromKin(x)
	p.outsiders(x)
	x.line("exit")
	x.prompt("")
	x.exit()
}

// testStrangers asks from outside, with all that can be copied from a shell.
func testStrangers(p *place) {
	x := p.openShell("bash")
	x.enter()
	env := p.outsiders(x)

	p.anotherUser()

	x.line("exit")
	x.prompt("")
	x.exit()
	p.holds("the directory is gone", func() bool { return len(p.sessions()) == 0 })
	if out, err := p.ask(env); err == nil || !strings.Contains(out, "the session of this shell has ended") {
		p.t.Errorf("after the end: %s %v", out, err)
	}
}

// anotherUser gets nowhere, even where the directory would let him. Only root
// can be another user.
func (p *place) anotherUser() {
	p.t.Helper()
	if os.Getuid() != 0 {
		return
	}
	dir := p.session()
	for path := dir; path != "/" && path != os.TempDir(); path = filepath.Dir(path) {
		if err := os.Chmod(path, 0o755); err != nil {
			p.t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "s"), 0o666); err != nil {
		p.t.Fatal(err)
	}
	python, err := exec.LookPath("/usr/bin/python3")
	if err != nil {
		p.t.Fatal(err)
	}
	other := exec.Command("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", python, "-c", `import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
print("connected", s.recv(100))`, filepath.Join(dir, "s"))
	out, err := other.CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "connected b''" {
		p.t.Errorf("another user: %s %v", out, err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		p.t.Fatal(err)
	}
}

// outsiders asks as a process that is not of x's shell but knows all that can
// be known of it, and returns what that is.
func (p *place) outsiders(x *terminal) (env []string) {
	p.t.Helper()
	x.wantRun("tempsession", "env -0 >~/env")
	file := filepath.Join(p.home, "env")
	text, err := os.ReadFile(file)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.Remove(file); err != nil { // it has the wrapper's key in it
		p.t.Fatal(err)
	}
	env = strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
	if out, err := p.ask(env); err == nil || !strings.Contains(out, "was not started in it") || strings.Contains(out, "ASIA") {
		p.t.Errorf("a process outside: %s %v", out, err)
	}
	return env
}

// ask is the credential_process of the shell whose environment env is, run
// from elsewhere.
func (p *place) ask(env []string) (out string, err error) {
	cmd := exec.Command(filepath.Join(p.bin, "aws-switch-role"), "credential-process", "--in-shell=tempsession")
	cmd.Env = env
	text, err := cmd.CombinedOutput()
	return string(text), err
}

// testOpaque looks into the keeper as the same user does, who is not root.
func testOpaque(p *place) {
	as := p.unprivileged()
	shell := exec.Command(as[0], append(slices.Clone(as[1:]), "aws-switch-role", "open", "--", "sh", "-c", "~/ask; cat")...)
	shell.Env, shell.Dir = p.env, p.home
	in, err := shell.StdinPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	var said bytes.Buffer
	shell.Stdout, shell.Stderr = &said, &said
	if err := shell.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.holds("a keeper", func() bool {
		return slices.ContainsFunc(p.processes(), func(line string) bool { return strings.Contains(line, "__keep --detached") }) && len(p.sessions()) == 1
	})
	pid := strconv.Itoa(p.keeper())
	for _, command := range [][]string{
		{"cat", "/proc/" + pid + "/environ"},
		{"cat", "/proc/" + pid + "/maps"},
		{"dd", "if=/proc/" + pid + "/mem", "count=0"},
		{"ls", "/proc/" + pid + "/fd"},
		{"gdb", "-p", pid, "-batch", "-ex", "info proc"},
	} {
		out, err := exec.Command(as[0], slices.Concat(as[1:], command)...).CombinedOutput()
		if !strings.Contains(string(out), "Permission denied") && !strings.Contains(string(out), "Operation not permitted") {
			p.t.Errorf("%q: %s %v", command, out, err)
		}
	}
	_ = in.Close()
	if err := shell.Wait(); err != nil || !strings.Contains(said.String(), "asked: 0.") {
		p.t.Errorf("the shell: %s %v", said.String(), err)
	}
}

// unprivileged is what runs a command as a user who is not root and whose the
// place is.
func (p *place) unprivileged() []string {
	p.t.Helper()
	if os.Getuid() != 0 {
		return []string{"/usr/bin/env"}
	}
	const nobody = 65534
	run := p.variable("XDG_RUNTIME_DIR")
	for _, dir := range []string{p.home, p.bin, run} {
		for path := dir; path != os.TempDir(); path = filepath.Dir(path) {
			if err := os.Chmod(path, 0o755); err != nil {
				p.t.Fatal(err)
			}
		}
	}
	for _, dir := range []string{p.home, run} {
		err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return os.Chown(path, nobody, nobody)
		})
		if err != nil {
			p.t.Fatal(err)
		}
	}
	id := strconv.Itoa(nobody)
	return []string{"/usr/bin/setpriv", "--reuid=" + id, "--regid=" + id, "--clear-groups"}
}

// shorten spoils answers for an action so that what they give ends at a time
// from now, by this machine's clock.
func (p *place) shorten(action string, left time.Duration) {
	p.mu.Lock()
	ahead := p.ahead
	p.mu.Unlock()
	t := time.Now().Add(left)
	if ahead > time.Minute { // what is less is taken for delay
		t = t.Add(ahead)
	}
	p.server.Inject(emulator.Fault{Action: action, Effect: emulator.Replace("Expiration", t.UTC().Format(time.RFC3339))})
}

// testRenewed has sessions that end within a moment, and many programs that
// want one.
func testRenewed(p *place) {
	x := p.openShell("bash")
	p.shorten("AssumeRole", 14*time.Minute)
	x.enter()
	x.wantRun("tempsession", `seq 200 | xargs -P 4 -I{} sh -c '~/ask || echo "fail"ed' >~/all; grep -c 'asked: 0' ~/all; grep fail ~/all || true`, "200")
	if n := p.asked("AssumeRole"); n < 100 || n > 201 {
		p.t.Errorf("%d sessions were made", n)
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.keeper()))
	if err != nil {
		p.t.Fatal(err)
	}
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(text)
	if m == nil {
		p.t.Fatalf("no VmRSS in\n%s", text)
	}
	if kb, err := strconv.Atoi(string(m[1])); err != nil || kb > 20<<10 {
		p.t.Errorf("the keeper holds %d KiB (%v), and 20 MiB are the most", kb, err)
	} else {
		p.t.Logf("the keeper holds %d KiB", kb)
	}
	x.line("exit")
	x.prompt("")
	x.exit()
}

// testRenewedInside has one program make 200 calls while every session ends
// within seconds.
func testRenewedInside(p *place) {
	x := p.openShell("bash")
	p.server.Inject(emulator.Fault{Action: "AssumeRole", Effect: emulator.EndIn(3 * time.Second)})
	x.enter()
	write(p.t, filepath.Join(p.home, "loop.py"), `import boto3
sts = boto3.client("sts", region_name="us-east-1")
print(sum("assumed-role/Ops/" in sts.get_caller_identity()["Arn"] for _ in range(200)), "calls")
`, 0o600)
	x.wantRun("tempsession", p.pythons[0]+" loop.py", "200 calls")
	if n := p.asked("AssumeRole"); n < 100 {
		p.t.Errorf("%d sessions were made for 200 calls", n)
	}
	x.line("exit")
	x.prompt("")
	x.exit()
}

// testNotRenewed has AWS too busy to renew a session that lives still: programs
// get that one, and only the first of them waits for what AWS says.
func testNotRenewed(p *place) {
	x := p.openShell("bash")
	p.shorten("AssumeRole", 10*time.Minute)
	x.enter()
	p.server.Heal()
	p.server.Inject(emulator.Fault{Action: "AssumeRole", Effect: emulator.Throttle()})
	x.wantRun("tempsession", "~/ask", "ASIA", "asked: 0.")
	before := p.asked("AssumeRole")
	x.wantRun("tempsession", "~/ask", "ASIA", "asked: 0.")
	if after := p.asked("AssumeRole"); after != before || before < 2 {
		p.t.Errorf("AWS was asked %d times, and then %d times", before, after)
	}
	// A person need not wait for anything.
	p.server.Heal()
	x.line("aws-switch-role refresh")
	x.expect("tempsession: 222222222222 role/Ops, until ")
	x.prompt("tempsession")
	x.wantRun("tempsession", "aws-switch-role status --short", "tempsession ")
	x.line("exit")
	x.prompt("")
	x.exit()
}

// testCodeNeeded has the MFA session end under the shell.
func testCodeNeeded(p *place) {
	x := p.openShell("bash")
	p.shorten("GetSessionToken", 30*time.Second)
	p.shorten("AssumeRole", 30*time.Second)
	x.enter()
	p.server.Heal()
	sign := filepath.Join(p.session(), "needs-code")

	told := func() string {
		p.t.Helper()
		text, err := os.ReadFile(filepath.Join(p.session(), "credentials"))
		m := regexp.MustCompile(`\[tempsession\]\n.*\nx_security_token_expires = (.*)\n`).FindSubmatch(text)
		if err != nil || m == nil {
			p.t.Fatalf("no end of the session in the credentials file: %v\n%s", err, text)
		}
		return string(m[1])
	}
	first := told()

	out, status := x.run("tempsession", "~/ask")
	if want := "aws-switch-role: the MFA session has ended\nhint: type aws-switch-role refresh\n\nasked: 1."; status != 1 || strings.TrimSpace(out) != strings.ReplaceAll(want, "\n\n", "\n") {
		p.t.Errorf("status %d\n%s", status, out)
	}
	if _, err := os.Stat(sign); err != nil {
		p.t.Error(err)
	}
	x.wantRun("tempsession", "aws-switch-role status", "needs an MFA code: aws-switch-role refresh")

	x.line("aws-switch-role refresh")
	x.expect("tempsession: 222222222222 role/Ops\n")
	x.expect(question)
	x.hide("000000")
	x.expect("AWS refused that code")
	x.answer()
	x.expect("tempsession: 222222222222 role/Ops, until ")
	x.prompt("tempsession")
	if status := x.status("tempsession"); status != 0 {
		p.t.Errorf("refresh: status %d", status)
	}
	if _, err := os.Stat(sign); !os.IsNotExist(err) {
		p.t.Errorf("the sign that a code is needed: %v", err)
	}
	if again := told(); again <= first { // both in UTC, as RFC 3339 has it
		p.t.Errorf("prompts are told %s, and before %s", again, first)
	}
	x.wantRun("tempsession", "~/ask", "ASIA", "asked: 0.")
	p.secretFree()
	x.line("exit")
	x.prompt("")
	x.exit()
}

// testSecretlessRefresh renews the keys of a shell that has them in its environment.
func testSecretlessRefresh(p *place) {
	x := p.openShell("bash")
	x.line("aws-switch-role tempsession --secretless=false")
	x.answer()
	x.prompt("tempsession")
	x.wantRun("tempsession", "before=$AWS_ACCESS_KEY_ID; echo $before", "ASIA")
	if out, status := x.run("tempsession", "aws-switch-role refresh"); status != 1 || !strings.Contains(out, `eval "$(aws-switch-role refresh)"`) {
		p.t.Errorf("status %d\n%s", status, out)
	}
	x.line(`eval "$(aws-switch-role refresh)"`)
	x.answer()
	x.expect("tempsession: 222222222222 role/Ops, until ")
	x.prompt("tempsession")
	x.wantRun("tempsession", `[ "$before" != "$AWS_ACCESS_KEY_ID" ] && `+p.clis[0]+" sts get-caller-identity", opsSession)
	x.line("exit")
	x.prompt("")
	x.exit()
	// This shell's directory outlives it as long as its keys do.
	if err := os.RemoveAll(p.session()); err != nil {
		p.t.Fatal(err)
	}
}

// testKeeperKilled takes the keeper away: whoever asks then gets nothing.
func testKeeperKilled(p *place) {
	x := p.openShell("bash")
	x.enter()
	if err := syscall.Kill(p.keeper(), syscall.SIGKILL); err != nil {
		p.t.Fatal(err)
	}
	out, status := x.run("tempsession", "~/ask")
	if status != 1 || !strings.HasPrefix(out, "aws-switch-role: the session of this shell has ended") || strings.Count(out, "\n") != 2 {
		p.t.Errorf("status %d\n%s", status, out)
	}
	if out, status := x.run("tempsession", p.clis[0]+" sts get-caller-identity"); status == 0 || !strings.Contains(out, "has ended") {
		p.t.Errorf("status %d\n%s", status, out)
	}
	x.wantRun("tempsession", "aws-switch-role status", "delivery  secretless", "until     ended")
	x.line("exit")
	x.prompt("")
	// The next switch clears away what is left.
	x.wantRun("", "aws-switch-role open -- true")
	x.exit()
}

// testShellKilled ends shells as nobody should: nothing of ours goes on.
func testShellKilled(p *place) {
	x := p.openShell("bash")
	x.enter()
	x.line("kill -9 $$")
	x.prompt("")
	p.holds("no keeper", func() bool { return len(p.sessions()) == 0 })
	x.enter()
	x.hangUp()
}
