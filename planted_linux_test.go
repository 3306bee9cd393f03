package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/rogpeppe/go-internal/testscript"

	"aws-switch-role/internal/emulator"
	"aws-switch-role/internal/figure"
)

// plants are ways to give a secret away, as statements of Go: each is one that
// somebody may add without a thought. They see the secret, and p, a Performer.
var plants = map[string]string{
	"a file in the home":        `os.WriteFile(os.Getenv("HOME")+"/.planted", []byte(secret), 0o600)`,
	"a temporary file":          `os.WriteFile(os.TempDir()+"/planted", []byte(base64.StdEncoding.EncodeToString([]byte("it is "+secret))), 0o600)`,
	"a file removed at once":    `f, _ := os.CreateTemp("", "planted"); fmt.Fprintf(f, "%x", secret); f.Close(); os.Remove(f.Name())`,
	"shared memory":             `f, _ := os.CreateTemp("/dev/shm", "planted"); f.WriteString(url.QueryEscape(secret)); f.Close(); os.Remove(f.Name())`,
	"the name of a file":        `os.WriteFile(os.TempDir()+"/"+hex.EncodeToString([]byte(secret)), nil, 0o600)`,
	"a child's environment":     `c := exec.Command("sleep", "0"); c.Env = []string{"PATH=" + os.Getenv("PATH"), "KEPT=" + secret}; c.Run()`,
	"a child's arguments":       `exec.Command("sleep", "0", secret).Run()`,
	"stdout":                    `fmt.Println(secret)`,
	"stderr":                    `fmt.Fprintln(os.Stderr, "cannot use", secret)`,
	"the log":                   `p.log().Debug("assumed", "credentials", secret)`,
	"the terminal":              `f, _ := os.OpenFile("/dev/tty", os.O_WRONLY, 0); fmt.Fprintf(f, "%q", secret); f.Close()`,
	"a connection to elsewhere": `c, err := net.Dial("tcp", os.Getenv("PLANTED_AT")); if err == nil { io.WriteString(c, secret); c.Close() }`,
}

// mutant builds the program with all plants in it, of which the variable
// PLANTED chooses one.
func mutant(t *testing.T) string {
	t.Helper()
	work := workDir(t)
	dir := t.TempDir()
	hop := filepath.Join(work, "internal", "hop")
	source, err := os.ReadFile(filepath.Join(hop, "hop.go"))
	if err != nil {
		t.Fatal(err)
	}
	const whole = "func (p *Performer) Perform("
	if bytes.Count(source, []byte(whole)) != 1 {
		t.Fatalf("hop.go has no %s", whole)
	}
	write(t, filepath.Join(dir, "hop.go"), strings.Replace(string(source), whole, "func (p *Performer) performed(", 1), 0o600)
	var cases strings.Builder
	for name, statements := range plants {
		fmt.Fprintf(&cases, "\tcase %q:\n\t\t%s\n", name, statements)
	}
	write(t, filepath.Join(dir, "planted.go"), `package hop

import (
	"context"; "encoding/base64"; "encoding/hex"; "fmt"; "io"; "net"; "net/url"; "os"; "os/exec"
	"aws-switch-role/internal/cred"; "aws-switch-role/internal/plan"
)

func (p *Performer) Perform(ctx context.Context, h plan.Hop, from cred.Credentials) (cred.Credentials, error) {
	c, err := p.performed(ctx, h, from)
	if err == nil && c.Temporary() {
		planted(p, c.SecretAccessKey.Reveal())
	}
	return c, err
}

func planted(p *Performer, secret string) {
	switch os.Getenv("PLANTED") {
`+cases.String()+`	}
}
`, 0o600)
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {
		filepath.Join(hop, "hop.go"):     filepath.Join(dir, "hop.go"),
		filepath.Join(hop, "planted.go"): filepath.Join(dir, "planted.go"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "overlay.json"), string(overlay), 0o600)
	program := filepath.Join(dir, "bin", "aws-switch-role")
	build := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return filepath.Dir(program)
}

// scene is a use of the program, and what of what it does may show a secret.
type scene struct {
	args []string
	may  func(call, args string) bool
}

// askForNothing is a line of shell that asks as SDKs do, and keeps nothing of the answer.
const askForNothing = `eval "$(sed -n 's/^credential_process = //p' "$AWS_SHARED_CREDENTIALS_FILE" | head -n 1)" >/dev/null`

var scenes = map[string]scene{
	"environment":        {[]string{"tempsession", "--", "true"}, func(call, args string) bool { return call == "execve" && strings.Contains(args, `/true", ["true"]`) }},
	"credential-process": {[]string{"credential-process", "tempsession"}, func(call, args string) bool { return call == "write" && strings.HasPrefix(args, "1<") }},
	"export":             {[]string{"export", "tempsession"}, func(call, args string) bool { return call == "write" && strings.HasPrefix(args, "1<") }},
	"secretless": {[]string{"--secretless", "tempsession", "--", "sh", "-c", askForNothing}, func(call, args string) bool {
		return call == "write" && regexp.MustCompile(`^\d+<(pipe:|UNIX-STREAM:|UNIX:|socket:|/dev/null)`).MatchString(args)
	}},
}

// handing are the system calls by which a secret can leave a process.
const handing = "write,writev,pwrite64,pwritev,sendto,sendmsg,sendmmsg,execve,openat,mkdirat,renameat,renameat2,linkat,symlinkat,unlinkat,add_key,memfd_create"

// watched runs a scene on a terminal of its own, with the question answered, and
// returns where a secret was shown that should not be: by any process, in
// whatever encoding, to anybody, if only for a moment.
func (h *keyHome) watched(s scene, flags ...string) (shown []string) {
	h.t.Helper()
	log := filepath.Join(h.t.TempDir(), "log")
	code, err := h.server.Code(emulator.DemoDevice)
	if err != nil {
		h.t.Fatal(err)
	}
	argv := slices.Concat([]string{"strace", "-f", "-qq", "-v", "-yy", "-s", "65536", "-e", "signal=none", "-e", "trace=" + handing, "-o", log, "aws-switch-role"}, flags, s.args)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env, cmd.Dir = h.environ, h.dir
	terminal, err := pty.Start(cmd)
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(h.t.Context(), 2*patience)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })()
	var screen bytes.Buffer
	for buf := make([]byte, 4096); ; {
		n, err := terminal.Read(buf)
		asked := bytes.Contains(screen.Bytes(), []byte(question))
		screen.Write(buf[:n])
		if !asked && bytes.Contains(screen.Bytes(), []byte(question)) {
			if _, err := io.WriteString(terminal, code+"\r"); err != nil {
				h.t.Fatal(err)
			}
		}
		if err != nil {
			break
		}
	}
	_ = terminal.Close()
	if err := cmd.Wait(); err != nil {
		h.t.Fatalf("%q: %v\n%s", s.args, err, screen.String())
	}
	text, err := os.ReadFile(log)
	if err != nil {
		h.t.Fatal(err)
	}
	calls := 0
	for line := range strings.Lines(string(text)) {
		m := called.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		calls++
		call, args := m[2], m[3]
		var said []byte
		for _, q := range quoted.FindAllStringSubmatch(args, -1) {
			said = append(append(said, unquote(q[1])...), 0)
		}
		toAWS := strings.Contains(args, "->"+strings.TrimPrefix(h.url, "http://")+"]")
		if secretWords.in(said) && !toAWS && !s.may(call, args) {
			shown = append(shown, call+" "+args[:min(len(args), 60)])
		}
	}
	if calls < 50 {
		h.t.Fatalf("only %d system calls were seen", calls)
	}
	files, err := leakyFiles(h.dir, h.credentials())
	if err != nil {
		h.t.Fatal(err)
	}
	if bytes.Contains(screen.Bytes(), []byte("SECRET")) && !s.may("write", "1<") {
		shown = append(shown, "the screen")
	}
	return append(shown, files...)
}

// quoted is a text as strace writes it.
var quoted = regexp.MustCompile(`"((?:[^"\\]|\\.)*)"`)

// unquote undoes strace's escapes, which are C's.
func unquote(s string) (text []byte) {
	simple := map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'v': '\v', 'f': '\f'}
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			text = append(text, s[i])
			continue
		}
		i++
		octal := i
		for octal < len(s) && octal < i+3 && '0' <= s[octal] && s[octal] <= '7' {
			octal++
		}
		switch c, ok := simple[s[i]]; {
		case ok:
			text = append(text, c)
		case octal > i:
			n, _ := strconv.ParseUint(s[i:octal], 8, 16)
			text = append(text, byte(n))
			i = octal - 1
		default:
			text = append(text, s[i])
		}
	}
	return text
}

func TestUnquote(t *testing.T) {
	if got := string(unquote(`a\n\"\\\0\1776\377`)); got != "a\n\"\\\x00\x7f6\xff" {
		t.Errorf("got %q", got)
	}
}

// mfaHome is a home with the profile tempsession, with an AWS of its own.
func mfaHome(t *testing.T) *keyHome {
	h := newKeyHome(t, nil)
	write(t, filepath.Join(h.dir, ".aws", "config"), awsConfig, 0o600)
	write(t, h.credentials(), awsCredentials, 0o600)
	h.shortRun()
	return h
}

// TestPlantedLeaks watches the program hand on credentials, in every way and at
// every verbosity: no secret is seen where it should not be. And it watches
// mutants of the program, each with a leak: all of them are caught.
func TestPlantedLeaks(t *testing.T) {
	plain, mutants := buildProgram(t), mutant(t)
	in := func(h *keyHome, dir string) *keyHome {
		h.environ = append(h.environ, "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"))
		return h
	}
	for name, s := range scenes {
		for _, flags := range [][]string{nil, {"--debug"}} {
			if shown := in(mfaHome(t), plain).watched(s, flags...); len(shown) > 0 {
				t.Errorf("%s %q: a secret is shown by\n%s", name, flags, strings.Join(shown, "\n"))
			}
		}
	}
	elsewhere, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer elsewhere.Close()
	var visits sync.WaitGroup
	defer visits.Wait()
	visits.Go(func() {
		for {
			c, err := elsewhere.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				_ = c.SetDeadline(time.Now().Add(patience))
				_, _ = io.Copy(io.Discard, c)
				_ = c.Close()
			}
		}
	})
	caught := 0
	for name := range plants {
		h := in(mfaHome(t), mutants)
		h.environ = append(h.environ, "PLANTED="+name, "PLANTED_AT="+elsewhere.Addr().String())
		shown := h.watched(scenes["environment"], "--debug")
		if len(shown) == 0 {
			t.Errorf("a leak by %s is not seen", name)
			continue
		}
		caught++
	}
	_ = elsewhere.Close()
	if shown := in(mfaHome(t), mutants).watched(scenes["environment"], "--debug"); len(shown) > 0 {
		t.Errorf("where nothing is planted %q is seen", shown)
	}
	if !t.Failed() {
		note(t, "leaks", "0 in %d ways to hand credentials on, quietly and with --debug, every write, exec and file name looked at; %d of %d planted leaks caught", len(scenes), caught, len(plants))
	}
}

// talkative runs scripts whose outcome does not matter, for what they show.
type talkative struct {
	*testing.T
	every int
	seen  *int
}

// Run implements testscript.T.
func (l talkative) Run(name string, f func(t testscript.T)) {
	if *l.seen++; *l.seen%l.every == 0 {
		l.T.Run(name, func(t *testing.T) { f(talkative{T: t}) })
	}
}
func (l talkative) Verbose() bool     { return true }
func (l talkative) Fatal(args ...any) { l.Log(args...); l.FailNow() }

// FailNow implements testscript.T: with more on stderr than is expected there a
// script fails.
func (l talkative) FailNow() { l.T.SkipNow() }

func (l talkative) Log(args ...any) {
	l.T.Helper()
	for _, line := range leaks(fmt.Sprint(args...)) {
		l.T.Errorf("a secret on stderr: %s", line)
	}
}

// TestScriptsTalk runs the scripts with every step told: no secret is among
// what is said, nor left behind. At a commit it is an eighth of them.
func TestScriptsTalk(t *testing.T) {
	p := params("testdata/script")
	p.ContinueOnError = true
	inner := p.Setup
	p.Setup = func(env *testscript.Env) error {
		env.Vars = append(env.Vars, "AWS_SWITCH_ROLE_DEBUG=1")
		return inner(env)
	}
	seen := 0
	every := figure.Of(8, 1)
	t.Run("all", func(t *testing.T) { testscript.RunT(talkative{t, every, &seen}, p) })
	if !t.Failed() {
		note(t, "leaks", "0 in %d scripts with --debug", seen/every)
	}
}
