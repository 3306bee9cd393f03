//go:build unix

package main

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"aws-switch-role/internal/emulator"
)

// patience is how long a terminal is watched for what should appear on it. It
// is never slept through.
const patience = time.Minute

// stage is what all end-to-end tests share: the programs.
type stage struct {
	bin     string   // the directory with the program under test and the AWS CLIs
	clis    []string // the AWS CLIs in it: aws, then aws-2 where there is another
	pythons []string // every python3 that has boto3
	node    string   // the node_modules with the AWS SDK for JavaScript

	starship string // the directory with it, and with what it needs
}

// nodeModules is where make tools puts the AWS SDK for JavaScript.
var nodeModules = filepath.Join(".cache", "node", "node_modules")

// newStage builds the program and finds the others. A missing one is a failure.
func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{bin: buildProgram(t)}
	for name, packages := range map[string]string{"dash": "dash", "bash": "bash", "zsh": "zsh", "fish": "fish", "tmux": "tmux", "ps": "procps", "node": "nodejs", "chromium": "chromium"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Errorf("no %s here: install the package %s (make tools)", name, packages)
		}
	}

	// An AWS CLI is run by its path: a version manager's looks at its own name.
	var versions []string
	for path := range onPath("aws") {
		version, err := exec.Command(path, "--version").CombinedOutput()
		if err != nil || slices.Contains(versions, string(version)) {
			continue
		}
		versions = append(versions, string(version))
		name := "aws"
		if len(versions) > 1 {
			name += "-" + strconv.Itoa(len(versions))
		}
		s.clis = append(s.clis, name)
		write(t, filepath.Join(s.bin, name), "#!/bin/sh\nexec '"+path+"' \"$@\"\n", 0o700)
		t.Logf("%s is %s", name, bytes.TrimSpace(version))
	}
	if len(s.clis) == 0 {
		t.Error("no AWS CLI here: install the package awscli (make tools)")
	}
	for path := range onPath("python3") {
		if exec.Command(path, "-c", "import boto3").Run() == nil {
			s.pythons = append(s.pythons, path)
		}
	}
	if len(s.pythons) == 0 {
		t.Error("no python3 here has boto3: install the package python3-boto3 (make tools)")
	}
	s.node = filepath.Join(workDir(t), nodeModules)
	for _, name := range []string{"@aws-sdk/client-sts", "spaceship-prompt", "pure-prompt"} {
		if _, err := os.Stat(filepath.Join(s.node, filepath.FromSlash(name))); err != nil {
			t.Errorf("no %s here: make tools installs it into .cache/node", name)
		}
	}
	for file, name := range map[string]string{"/usr/share/powerlevel9k/powerlevel9k.zsh-theme": "zsh-theme-powerlevel9k", "/usr/share/bash-completion/bash_completion": "bash-completion"} {
		if _, err := os.Stat(file); err != nil {
			t.Errorf("no %s here: install the package %s (make tools)", file, name)
		}
	}
	s.starship = filepath.Join(workDir(t), ".cache", "starship")
	if _, err := exec.LookPath(filepath.Join(s.starship, "starship")); err != nil {
		t.Error("no starship here: make tools puts it into .cache/starship")
	}
	if t.Failed() {
		t.FailNow()
	}
	return s
}

// buildProgram returns a directory with the program as users have it. All
// tests have the same program, each in a directory of its own.
func buildProgram(t *testing.T) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Link(path, filepath.Join(dir, "aws-switch-role")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// built builds the program, once; TestMain removes it.
var built = sync.OnceValues(func() (path string, err error) {
	if builtIn, err = os.MkdirTemp("", "built"); err != nil {
		return "", err
	}
	path = filepath.Join(builtIn, "aws-switch-role")
	build := exec.Command("go", "build", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// builtIn is the directory that built has made, "" when it has not.
var builtIn string

// onPath yields every program of a name on the PATH, in its order.
func onPath(name string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
			path, err := exec.LookPath(filepath.Join(dir, name))
			if err == nil && !yield(path) {
				return
			}
		}
	}
}

func workDir(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// place is one test's home and AWS. The emulator answers under AWS's own names:
// programs reach it over TLS and by way of a proxy, as behind a company's.
type place struct {
	*stage
	*world
	t     *testing.T
	home  string
	env   []string
	url   string   // of the emulator without TLS, for what knows no proxy
	mark  string   // an entry of the environment of every process started here
	plain []string // directories of the home in which other programs keep secrets
}

// awsConfig has scene a's, b's and c's profile and two more.
const awsConfig = `[profile tempsession]
role_arn = arn:aws:iam::222222222222:role/Ops
source_profile = default
mfa_serial = arn:aws:iam::111111111111:mfa/me

[profile from-environment]
credential_source = Environment
role_arn = arn:aws:iam::222222222222:role/Ops
mfa_serial = arn:aws:iam::111111111111:mfa/me
region = ap-northeast-1

[profile sub-account]
role_arn = arn:aws:iam::222222222222:role/Ops
mfa_serial = arn:aws:iam::111111111111:mfa/me
region = ap-northeast-1

[profile chained]
role_arn = arn:aws:iam::333333333333:role/Chained
source_profile = tempsession

[profile open]
role_arn = arn:aws:iam::222222222222:role/Open
source_profile = default
`

const awsCredentials = "[default]\naws_access_key_id = " + emulator.DemoKeyID + "\naws_secret_access_key = " + emulator.DemoSecret + "\n"

// The shells' start-up files. zsh's prompt is the one that people have in
// theirs; the others' say the same.
const (
	zshrc = `autoload -U colors && colors
setopt prompt_subst
PROMPT="%{${fg[yellow]}%}%(!.#.$) $([[ -n $AWS_PROFILE ]] && echo "($AWS_PROFILE) ")%{$reset_color%}"
`
	bashrc = `PS1='$([ -n "$AWS_PROFILE" ] && echo "($AWS_PROFILE) ")ready> '
`
	dashrc = `PS1='ready> '
`
	fishrc = `function fish_greeting; end
function fish_prompt
    test -n "$AWS_PROFILE"; and echo -n "($AWS_PROFILE) "
    echo -n 'ready> '
end
`
)

func (s *stage) place(t *testing.T) *place {
	t.Helper()
	p := &place{stage: s, world: &world{}, t: t, home: t.TempDir()}
	var err error
	if p.server, err = emulator.New(declared(), emulator.Options{Now: p.now, DeviceInterval: time.Second}); err != nil {
		t.Fatal(err)
	}
	l, err := p.server.Listen("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	p.url = l.URL
	proxy := p.serveTLS()

	for name, text := range map[string]string{
		".aws/config": awsConfig, ".aws/credentials": awsCredentials,
		".zshrc": zshrc, ".bashrc": bashrc, ".dashrc": dashrc, ".config/fish/config.fish": fishrc,
		"tmp/.keep": "",
		// Without it fish starts to read every man page in the background.
		".local/share/fish/generated_completions/.keep": "",
	} {
		write(t, filepath.Join(p.home, name), text, 0o600)
	}
	p.mark = "E2E_PLACE=" + p.home
	p.env = []string{
		p.mark,
		"HOME=" + p.home,
		"PATH=" + p.bin + ":" + os.Getenv("PATH"),
		"TMPDIR=" + filepath.Join(p.home, "tmp"),
		"XDG_RUNTIME_DIR=" + filepath.Join(p.home, "run"),
		"AWS_SWITCH_ROLE_NO_CACHE=1", // but for the test of the cache
		"ENV=" + filepath.Join(p.home, ".dashrc"),
		"USER=jane",
		"LANG=C.UTF-8",
		"TERM=xterm",
		"SHELL=/bin/sh",
		"HTTPS_PROXY=" + proxy,
		"AWS_CA_BUNDLE=" + filepath.Join(p.home, "ca.pem"),
		"AWS_EC2_METADATA_DISABLED=true",
		"AWS_PAGER=",
		// Keys for a wrapper to put into the environment, under names that
		// are nobody's.
		"WRAPPED_ID=" + emulator.DemoKeyID,
		"WRAPPED_KEY=" + emulator.DemoSecret,
	}
	t.Cleanup(p.sealed)
	t.Cleanup(p.deserted)
	return p
}

// sealed fails the test if a secret was left in the home, but for the keys
// that were there, the sessions that the AWS CLI keeps, and what is in the
// directories that the test names.
func (p *place) sealed() {
	p.t.Helper()
	leaks, err := leakyFiles(p.home, filepath.Join(p.home, ".aws", "credentials"))
	leaks = slices.DeleteFunc(leaks, func(path string) bool {
		return filepath.Dir(path) == filepath.Join(p.home, ".aws", "cli", "cache") ||
			slices.ContainsFunc(p.plain, func(dir string) bool { return strings.HasPrefix(path, filepath.Join(p.home, dir)+"/") })
	})
	if err != nil || len(leaks) > 0 {
		p.t.Errorf("a secret is in %q, %v", leaks, err)
	}
}

// serveTLS serves the emulator with a certificate for AWS's names, which it
// writes to ca.pem in the home, and returns the URL of a proxy whose every
// tunnel leads there.
func (p *place) serveTLS() string {
	p.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		p.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		DNSNames:              []string{"*.amazonaws.com", "*.us-east-1.amazonaws.com", "*.sso.us-east-1.amazonaws.com", "*.ap-northeast-1.amazonaws.com", "*.s3.amazonaws.com", "*.s3.us-east-1.amazonaws.com", "*.s3.ap-northeast-1.amazonaws.com", "*.signin.aws.amazon.com"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		p.t.Fatal(err)
	}
	write(p.t, filepath.Join(p.home, "ca.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), 0o600)

	aws := httptest.NewUnstartedServer(p.server)
	aws.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	aws.StartTLS()
	p.t.Cleanup(aws.Close)
	var tunnels sync.WaitGroup
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host, _, _ := net.SplitHostPort(r.Host); r.Method != http.MethodConnect || !strings.HasSuffix(host, ".amazonaws.com") && !strings.HasSuffix(host, ".aws.amazon.com") {
			http.Error(w, "this is no name of AWS's", http.StatusForbidden)
			return
		}
		there, err := net.Dial("tcp", aws.Listener.Addr().String())
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		here, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			there.Close()
			return
		}
		fmt.Fprint(here, "HTTP/1.1 200 OK\r\n\r\n")
		pipe := func(to, from net.Conn) {
			_, _ = io.Copy(to, from)
			to.Close()
		}
		tunnels.Go(func() { pipe(there, here) })
		tunnels.Go(func() { pipe(here, there) })
	}))
	p.t.Cleanup(func() { proxy.Close(); aws.CloseClientConnections(); tunnels.Wait() })
	return proxy.URL
}

// code is what the MFA device shows: a code that was not used yet.
func (p *place) code() string {
	p.t.Helper()
	p.advance(p.server.CodeIn(emulator.DemoDevice))
	code, err := p.server.Code(emulator.DemoDevice)
	if err != nil {
		p.t.Fatal(err)
	}
	return code
}

// asked counts what AWS was asked; no action is any.
func (p *place) asked(action string) int {
	n := 0
	for _, r := range p.server.Requests() {
		if action == "" || r.Action == action {
			n++
		}
	}
	return n
}

// wantAsked fails the test unless AWS was asked for these actions, in order.
func (p *place) wantAsked(actions ...string) {
	p.t.Helper()
	var got []string
	for _, r := range p.server.Requests() {
		got = append(got, r.Action)
	}
	if !slices.Equal(got, actions) {
		p.t.Errorf("AWS was asked for %q, want %q", got, actions)
	}
}

// processes lists what runs in this place: ids and command lines.
func (p *place) processes() []string { p.t.Helper(); return p.ps("pid=,command=") }

// states is processes with what each is at (ps(1), PROCESS STATE CODES) before
// its command line.
func (p *place) states() []string { p.t.Helper(); return p.ps("pid=,stat=,command=") }

func (p *place) ps(columns string) []string {
	p.t.Helper()
	out, err := exec.Command("ps", "axeww", "-o", columns).Output()
	if err != nil {
		p.t.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, p.mark) {
			command, _, _ := strings.Cut(line, p.mark)
			found = append(found, strings.TrimSpace(command))
		}
	}
	return found
}

// deserted fails the test unless every process of the place ends.
func (p *place) deserted() {
	p.t.Helper()
	left := p.processes()
	for deadline := time.Now().Add(10 * time.Second); len(left) > 0 && time.Now().Before(deadline); left = p.processes() {
		time.Sleep(50 * time.Millisecond)
	}
	if len(left) == 0 {
		return
	}
	p.t.Errorf("left behind:\n%s", strings.Join(left, "\n"))
	for _, line := range left {
		if pid, err := strconv.Atoi(strings.Fields(line)[0]); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// terminal is a program on a pseudo-terminal, and who sits there.
type terminal struct {
	*place
	shell string
	ptm   *os.File
	cmd   *exec.Cmd
	ended chan struct{} // closed when the program is gone and all is read

	mu     sync.Mutex
	raw    []byte        // all that was written to the terminal
	grown  chan struct{} // closed, and made anew, when raw grows
	seen   int           // how much of the text was looked at
	hidden []string      // what was typed that may not appear

	stty     string     // how commands found the terminal at first
	atPrompt term.State // how the shell has it while it reads a line
}

// open starts a program on a terminal of its own. At the end of the test all
// that was started from there is gone.
func (p *place) open(argv ...string) *terminal {
	p.t.Helper()
	x := &terminal{place: p, shell: filepath.Base(argv[0]), ended: make(chan struct{}), grown: make(chan struct{})}
	x.cmd = exec.Command(argv[0], argv[1:]...)
	x.cmd.Dir = p.home
	x.cmd.Env = p.env
	// Wide enough that no line editor wraps what is typed here.
	ptm, err := pty.StartWithSize(x.cmd, &pty.Winsize{Rows: 50, Cols: 250})
	if err != nil {
		p.t.Fatal(err)
	}
	defer ptm.Close()
	// Its reads block, and would keep Close from hanging up.
	fd, err := unix.FcntlInt(ptm.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		p.t.Fatal(err)
	}
	x.ptm = os.NewFile(uintptr(fd), ptm.Name())
	go func() {
		defer close(x.ended)
		for {
			buf := make([]byte, 4096)
			n, err := x.ptm.Read(buf)
			x.mu.Lock()
			x.raw = append(x.raw, buf[:n]...)
			close(x.grown)
			x.grown = make(chan struct{})
			x.mu.Unlock()
			if err != nil {
				_ = x.cmd.Wait()
				return
			}
		}
	}()
	p.t.Cleanup(x.leave)
	return x
}

// openShell opens an interactive shell, which is also $SHELL, and waits until
// it is ready.
func (p *place) openShell(name string) *terminal {
	p.t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		p.t.Fatal(err)
	}
	p.env = append(p.env, "SHELL="+path)
	x := p.open(path)
	x.prompt("")
	return x
}

// leave ends what is left, and looks through all that was shown for secrets:
// every emulated one contains the word SECRET.
func (x *terminal) leave() {
	x.hangUp()
	_ = syscall.Kill(-x.cmd.Process.Pid, syscall.SIGKILL)
	<-x.ended
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, secret := range append(x.hidden, "SECRET[^_]") { // not a variable's name
		if regexp.MustCompile(secret).Match(x.raw) {
			x.t.Errorf("%s was shown on the terminal:\n%s", secret, plain(x.raw))
		}
	}
	if bytes.Contains(x.raw, []byte("goroutine ")) {
		x.t.Errorf("a Go program died on the terminal:\n%s", plain(x.raw))
	}
}

// hangUp closes the terminal, as its window's close button does.
func (x *terminal) hangUp() { _ = x.ptm.Close() }

// escapes are the sequences with which line editors paint: CSI, OSC, and the
// short ones; and one that is not there whole yet.
var escapes = regexp.MustCompile("\x1b\\[[0-?]*[ -/]*[@-~]|\x1b\\][^\x07\x1b]*(\x07|\x1b\\\\)|\x1b[ -/]+[0-~]|\x1b[0-Z\\\\^-~]|\x1b[^\x07]*$")

// fresh is how zsh and fish make sure that a prompt begins a line.
var fresh = regexp.MustCompile("[%#] +\r \r|(⏎ +\r)+")

// plain is what was written to a terminal as text.
func plain(raw []byte) string {
	text := fresh.ReplaceAllString(escapes.ReplaceAllString(string(raw), ""), "")
	return strings.NewReplacer("\r", "", "\x0f", "", "\x07", "").Replace(text)
}

// expect waits until the text appears after all that was expected before, and
// returns what is in between.
func (x *terminal) expect(text string) string {
	x.t.Helper()
	before, _ := x.expectMatch(regexp.QuoteMeta(text))
	return before
}

// expectMatch is expect for a regular expression; it returns the text before
// it and its groups.
func (x *terminal) expectMatch(expr string) (before string, groups []string) {
	x.t.Helper()
	re := regexp.MustCompile(expr)
	deadline := time.After(patience)
	for {
		closed := false
		select {
		case <-x.ended:
			closed = true
		default:
		}
		x.mu.Lock()
		text, grown := plain(x.raw), x.grown
		x.mu.Unlock()
		from := min(x.seen, len(text))
		if m := re.FindStringSubmatchIndex(text[from:]); m != nil {
			x.seen = from + m[1]
			for i := 2; i < len(m); i += 2 {
				groups = append(groups, text[from+m[i]:from+m[i+1]])
			}
			return text[from : from+m[0]], groups
		}
		if closed {
			x.t.Fatalf("the terminal closed before %q:\n%s", expr, text)
		}
		select {
		case <-grown:
		case <-x.ended:
		case <-deadline:
			x.t.Fatalf("no %q after %d bytes of what is on the terminal:\n%s\nprocesses:\n%s", expr, from, text, strings.Join(x.processes(), "\n"))
		}
	}
}

// Keys that a terminal makes signals or an end of file of.
const (
	ctrlC         = "\x03"
	ctrlD         = "\x04"
	ctrlU         = "\x15"
	ctrlZ         = "\x1a"
	ctrlBackslash = "\x1c"
)

// press types keys.
func (x *terminal) press(keys string) {
	x.t.Helper()
	if _, err := x.ptm.WriteString(keys); err != nil {
		x.t.Fatal(err)
	}
}

// line types a line.
func (x *terminal) line(text string) { x.t.Helper(); x.press(text + "\r") }

// prompt waits for the shell's prompt, which shows the profile, and returns
// what is before it.
func (x *terminal) prompt(profile string) string {
	x.t.Helper()
	if profile != "" && x.shell != "dash" {
		profile = "(" + profile + ") "
	}
	if x.shell == "zsh" {
		before, _ := x.expectMatch(`(?m)^[#$] ` + regexp.QuoteMeta(profile) + `$`)
		return before
	}
	if x.shell == "dash" {
		profile = ""
	}
	return x.expect(profile + "ready> ")
}

// run types a command line, waits for the prompt, and returns what was shown
// and the command's status.
func (x *terminal) run(profile, command string) (out string, status int) {
	x.t.Helper()
	x.line(command)
	x.expect("\n") // the end of what the shell shows of the line itself
	out = strings.TrimSpace(x.prompt(profile))
	return out, x.status(profile)
}

// status is the shell's $?.
func (x *terminal) status(profile string) int {
	x.t.Helper()
	variable := "$?"
	if x.shell == "fish" {
		variable = "$status"
	}
	x.line(`printf 'status=%s.\n' ` + variable)
	_, groups := x.expectMatch(`status=(\d+)\.\n`)
	x.prompt(profile)
	n, err := strconv.Atoi(groups[0])
	if err != nil {
		x.t.Fatal(err)
	}
	return n
}

// wantRun fails the test unless a command shows all these and ends with 0.
func (x *terminal) wantRun(profile, command string, shows ...string) {
	x.t.Helper()
	out, status := x.run(profile, command)
	if status != 0 {
		x.t.Errorf("%s: status %d\n%s", command, status, out)
	}
	for _, want := range shows {
		if !strings.Contains(out, want) {
			x.t.Errorf("%s: no %q in\n%s", command, want, out)
		}
	}
}

// question is how the code is asked for, word for word.
const question = "Enter MFA code for arn:aws:iam::111111111111:mfa/me: "

// answer waits for the question and types a code, which may not be shown.
func (x *terminal) answer() {
	x.t.Helper()
	x.expect(question)
	x.hide(x.code())
}

// hide types a line that may not be shown.
func (x *terminal) hide(line string) {
	x.t.Helper()
	x.mu.Lock()
	x.hidden = append(x.hidden, line)
	x.mu.Unlock()
	x.line(line)
}

// exit leaves the shell and waits until the terminal is closed.
func (x *terminal) exit() {
	x.t.Helper()
	x.line("exit")
	select {
	case <-x.ended:
	case <-time.After(patience):
		x.t.Fatal("the shell does not exit")
	}
}

// settings are the terminal's, as tcgetattr(3) has them.
func (x *terminal) settings() term.State {
	x.t.Helper()
	conn, err := x.ptm.SyscallConn()
	if err != nil {
		x.t.Fatal(err)
	}
	var s *term.State
	if e := conn.Control(func(fd uintptr) { s, err = term.GetState(int(fd)) }); cmp.Or(e, err) != nil {
		x.t.Fatal(cmp.Or(e, err))
	}
	return *s
}

// holds waits until something is true.
func (p *place) holds(what string, is func() bool) {
	p.t.Helper()
	for deadline := time.Now().Add(patience); !is(); {
		if time.Now().After(deadline) {
			p.t.Fatalf("not within %v: %s", patience, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// passwdShell is the shell that /etc/passwd names for the user.
func passwdShell(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("/etc/passwd")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Split(strings.TrimSpace(line), ":"); len(f) == 7 && f[2] == strconv.Itoa(os.Getuid()) {
			return cmp.Or(f[6], "/bin/sh")
		}
	}
	return "/bin/sh"
}
