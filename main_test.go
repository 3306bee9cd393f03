//go:build unix

package main

import (
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode"

	"github.com/rogpeppe/go-internal/testscript"

	"aws-switch-role/internal/cli"
	"aws-switch-role/internal/emulator"
	"aws-switch-role/internal/figure"
)

func TestMain(m *testing.M) {
	testscript.Main(suite{m}, map[string]func(){
		"aws-switch-role": func() { os.Exit(cli.Main(os.Args[1:])) },
		"ask":             ask,
		"detached":        detached,
		"envchain":        envchain,
		"browser":         browser,
		"vault":           vault,
	})
}

// suite is all tests of this package, in a process of their own of which
// nothing may be left.
type suite struct{ tests *testing.M }

// Run implements testscript.TestingM.
func (s suite) Run() int {
	if status, done := watch(); done {
		return status
	}
	defer func() { _ = os.RemoveAll(builtIn) }()
	return s.tests.Run()
}

// note tells what a test has found of a property, in its log and in the table
// of doc/security.md.
func note(t *testing.T, property, format string, args ...any) {
	t.Helper()
	t.Logf(format, args...)
	if err := figure.Note(property, format, args...); err != nil {
		t.Error(err)
	}
}

// TestScripts tells what users see, story by story. Each script has an
// emulated AWS of its own, whose URL is in AWS_ENDPOINT_URL, and a home of its
// own: of the files in testdata/home, those that it does not bring along are
// in its home/.aws.
//
// The commands beside testscript's own:
//
//	code NAME [DEVICE]
//	                 set the variable NAME to a code that AWS takes now; the
//	                 world's clock moves on to the next one if it must
//	expand FILE...   put the variables' values into files
//	lines FILE LINE...
//	                 write lines into a file, for ttyin to type
//	exits STATUS COMMAND...
//	                 like exec, of which the exit status matters; an error of ours
//	                 has one to three lines
//	requests N [ACTION]
//	                 AWS was asked N times (for ACTION) since the last reset
//	sent ACTION NAME=VALUE...
//	                 the last request for ACTION had these parameters; an empty
//	                 VALUE says that it had none, and TokenCode=yes any code
//	reset            forget the requests and heal all faults
//	fault EFFECT [ACTION [COUNT]]
//	                 make AWS answer otherwise: see faults below; ends:LENGTH
//	                 are credentials, or a sign-in, that end so soon, and
//	                 untimely:LENGTH refuses signatures by a clock that is so far
//	                 ahead of the Date header
//	advance LENGTH   move the world's clock on
//	webtoken FILE [LENGTH]
//	                 write a token of the world's identity provider that ends
//	                 after LENGTH, an hour if none is given
//	assertion FILE   write what the world's SAML identity provider says of jane
//	recipe N FILE PAGE
//	                 write the Nth block of a PAGE in doc, whose programs are in
//	                 the script's bin
//	signin sso|legacy|login NAME [LENGTH]
//	                 sign in as the AWS CLI would, to the session NAME, with
//	                 a token that ends after LENGTH (or ended: -1m) and, in the
//	                 legacy form, cannot be renewed; its file is in TOKEN_FILE
//	allow [REFUSE]   wait for a device that shows a code, and let it in as the
//	                 world's person, or refuse to
//	revoke           end all sign-ins
//	await FILE...
//	                 wait for files, for half a minute at most
//	sealed [FILE...]
//	                 no file of the script's has a secret in it, in whatever
//	                 encoding, but for the FILEs
//	plain FILE...    the FILEs, and what is below them, may hold secrets when
//	                 the script ends: its user has written them there
//
// and the programs:
//
//	ask [UID]        ask the endpoint that the environment names for credentials
//	                 as an SDK does, as another user if one is given (which root
//	                 alone can be), and print the status and the answer
//	detached COMMAND...
//	                 run a command without a controlling terminal
//	envchain NAMESPACE COMMAND...
//	                 run a command with keys in the environment
//	browser DIR URL [person=NAME | refuse=WHY]
//	                 open a URL and write what is shown into DIR/page, how we were
//	                 started into DIR/command, one argument a line, and our
//	                 environment into DIR/environment; the URL - is on stdin.
//	                 Where a page asks whom to let in, answer it
//	vault PROFILE    keep the keys in the environment where aws-vault does
//
// The condition root says that the tests are run by root, who alone can become
// another user.
//
// When a script ends, no file of its home and its temporary directory has a
// secret in it, nor has one that it has left in a directory for all: see
// traces.
//
// The metadata service of the world's EC2 instance is at the URL in IMDS, and
// its containers' endpoint is at that in CONTAINER. BETWEEN is the world over
// TLS with a certificate that nobody trusts.
func TestScripts(t *testing.T) {
	testscript.RunT(&leakCheck{T: t}, params("testdata/script"))
}

// detached runs a command in a session of its own: whoever runs the tests may
// have a terminal, on which questions would appear.
func detached() {
	if _, err := syscall.Setsid(); err != nil {
		fatal(err)
	}
	become(os.Args[1:], os.Environ())
}

// ask is an SDK that asks a container's endpoint.
func ask() {
	if len(os.Args) > 1 {
		uid, err := strconv.Atoi(os.Args[1])
		if err := errors.Join(err, syscall.Setgroups(nil), syscall.Setuid(uid)); err != nil {
			fatal(err)
		}
	}
	req, err := http.NewRequest(http.MethodGet, os.Getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI"), nil)
	if err != nil {
		fatal(err)
	}
	req.Header.Set("Authorization", os.Getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN"))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		fatal(err)
	}
	fmt.Print(resp.StatusCode, " ")
	if _, err := io.Copy(os.Stdout, resp.Body); err != nil {
		fatal(err)
	}
}

// envchain stands in for the program of that name, which asks an OS keyring;
// here every namespace holds the same key.
func envchain() {
	if err := errors.Join(os.Setenv("AWS_ACCESS_KEY_ID", os.Getenv("KEY_ID")), os.Setenv("AWS_SECRET_ACCESS_KEY", os.Getenv("KEY"))); err != nil {
		fatal(err)
	}
	become(os.Args[2:], os.Environ())
}

// browser goes where it is sent, keeps cookies, and writes a page only when it
// is whole.
func browser() {
	dir, target := os.Args[1], os.Args[2]
	if target == "-" {
		line, err := io.ReadAll(io.LimitReader(os.Stdin, 64<<10))
		if err != nil {
			fatal(err)
		}
		target = strings.TrimSpace(string(line))
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		fatal(err)
	}
	client := &http.Client{Jar: jar}
	resp, err := client.Get(target)
	if err != nil {
		fatal(err)
	}
	if field, value, ok := strings.Cut(os.Args[len(os.Args)-1], "="); ok && (field == "person" || field == "refuse") {
		_ = resp.Body.Close()
		if resp, err = client.PostForm(resp.Request.URL.String(), url.Values{field: {value}}); err != nil {
			fatal(err)
		}
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		fatal(err)
	}
	err = errors.Join(
		os.MkdirAll(dir, 0o700),
		os.WriteFile(filepath.Join(dir, "command"), []byte(strings.Join(os.Args, "\n")+"\n"), 0o600),
		os.WriteFile(filepath.Join(dir, "environment"), []byte(strings.Join(withoutKeys(os.Environ()), "\n")+"\n"), 0o600),
		os.WriteFile(filepath.Join(dir, "new"), page, 0o600),
		os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "page")),
	)
	if err != nil {
		fatal(err)
	}
}

// become replaces this process with a command.
func become(argv, env []string) {
	path, err := exec.LookPath(argv[0])
	if err == nil {
		err = syscall.Exec(path, argv, env)
	}
	fatal(err)
}

// withoutKeys is an environment less what a script knows of its world.
func withoutKeys(environ []string) []string {
	return slices.DeleteFunc(environ, func(e string) bool {
		return strings.HasPrefix(e, "KEY=") || strings.HasPrefix(e, "POD_TOKEN=")
	})
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(99)
}

func params(dir string) testscript.Params {
	return testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setup,
		Condition: func(cond string) (bool, error) {
			if cond != "root" {
				return false, fmt.Errorf("no condition %q", cond)
			}
			return os.Getuid() == 0, nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"code":      cmdCode,
			"expand":    cmdExpand,
			"lines":     cmdLines,
			"exits":     cmdExits,
			"requests":  cmdRequests,
			"sent":      cmdSent,
			"reset":     cmdReset,
			"fault":     cmdFault,
			"advance":   cmdAdvance,
			"webtoken":  cmdWebToken,
			"signin":    cmdSignIn,
			"allow":     cmdAllow,
			"assertion": cmdAssertion,
			"recipe":    cmdRecipe,
			"revoke":    cmdRevoke,
			"sealed":    cmdSealed,
			"await":     cmdAwait,
			"plain":     cmdPlain,
		},
	}
}

// world is a script's AWS.
type world struct {
	server *emulator.Server
	traces *traces
	last   string        // the code handed out last
	mu     sync.Mutex    // guards what follows
	ahead  time.Duration // of the real clock
	seen   int           // requests before the last reset
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.ahead)
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ahead += d
}

type worldKey struct{}

func setup(env *testscript.Env) error {
	w := &world{}
	mark := "SECRET" + rand.Text()[:12]
	aws := declared()
	own := markAll(&aws, mark)
	var err error
	if w.server, err = emulator.New(aws, emulator.Options{Now: w.now, Mark: mark, DeviceInterval: time.Second}); err != nil {
		return err
	}
	l, err := w.server.Listen("")
	if err != nil {
		return err
	}
	env.Defer(func() { _ = l.Close() })
	// In between stands somebody whose certificate nobody has vouched for.
	between := httptest.NewUnstartedServer(w.server)
	between.Config.ErrorLog = log.New(io.Discard, "", 0)
	between.StartTLS()
	env.Defer(between.Close)
	imds, container := httptest.NewServer(w.server.Metadata()), httptest.NewServer(w.server.Container())
	env.Defer(imds.Close)
	env.Defer(container.Close)
	env.Values[worldKey{}] = w
	modules, err := filepath.Abs(nodeModules)
	if err != nil {
		return err
	}
	work, err := os.Getwd()
	if err != nil {
		return err
	}
	home := filepath.Join(env.WorkDir, "home")
	if err := furnish(filepath.Join(home, ".aws"), "testdata/home"); err != nil {
		return err
	}
	if w.traces, err = newTraces(env.WorkDir, mark, own); err != nil {
		return err
	}
	script := env.T()
	env.Defer(func() { w.traces.check(script) })
	env.Vars = append(env.Vars,
		"HOME="+home,
		"USER=jane",
		"SHELL=/bin/sh",
		"TERM=xterm",
		"XDG_RUNTIME_DIR="+filepath.Join(env.WorkDir, "run"),
		// Each run starts with nothing, but for the scripts about the cache.
		"AWS_SWITCH_ROLE_NO_CACHE=1",
		"NO_PROXY=127.0.0.1",
		// The race detector otherwise makes every process end a second late.
		"GORACE=atexit_sleep_ms=0",
		"NODE_PATH="+modules,
		"AWS_LIBRARY="+filepath.Join(work, awsLibrary),
		"AWS_PY="+filepath.Join(work, "testdata", "differential", "aws.py"),
		"AWS_ENDPOINT_URL="+l.URL,
		"DEVICE="+emulator.DemoDevice,
		"KEY_ID="+emulator.DemoKeyID,
		"KEY="+own.Replace(emulator.DemoSecret),
		"ESC=\x1b",
		"CR=\r",
		"IMDS="+imds.URL,
		"BETWEEN="+between.URL,
		"CONTAINER="+container.URL,
		"TASK_PATH="+emulator.DemoTaskPath,
		"POD_PATH="+emulator.DemoPodPath,
		"POD_TOKEN="+own.Replace(emulator.DemoPodToken),
		"FEDERATED="+emulator.DemoRole("Federated"),
		"OPEN="+emulator.DemoRole("Open"),
		"OPS="+emulator.DemoRole("Ops"),
	)
	return nil
}

// declared is the demo's world, and what else can be wrong in one.
func declared() emulator.World {
	w := emulator.Demo()
	w.RegionsOff = []string{"ap-east-1"}
	w.RegionsDisabled = []string{"af-south-1"}
	w.Users[0].Keys = append(w.Users[0].Keys, emulator.AccessKey{ID: "AKIAEMULATEDINACTIVE", Secret: "off/SECREToff/SECREToff/SECREToff/SECRET", Inactive: true})
	w.Users = append(w.Users, emulator.User{
		ARN:     "arn:aws:iam::111111111111:user/careful",
		Keys:    []emulator.AccessKey{{ID: "AKIAEMULATEDCAREFUL0", Secret: "careful/SECRET+careful/SECRET+careful/SE"}},
		Devices: []emulator.Device{{Serial: "arn:aws:iam::111111111111:mfa/careful", Seed: []byte("careful SECRET seed")}},
		Policy: `{"Version": "2012-10-17", "Statement": [
			{"Effect": "Allow", "Action": "*", "Resource": "*"},
			{"Effect": "Deny", "Action": "iam:*", "Resource": "*", "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}]}`,
	})
	for partition, id := range map[string]string{"aws-cn": "AKIAEMULATEDCHINA000", "aws-us-gov": "AKIAEMULATEDGOVCLOUD"} {
		w.Users = append(w.Users, emulator.User{
			ARN:  "arn:" + partition + ":iam::111111111111:user/me",
			Keys: []emulator.AccessKey{{ID: id, Secret: partition + "/SECRET+" + partition + "/SECRET"}},
		})
		w.Roles = append(w.Roles, emulator.Role{
			ARN:   "arn:" + partition + ":iam::222222222222:role/Open",
			Trust: `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}`,
		})
	}
	w.Providers = append(w.Providers, emulator.Provider{ARN: samlProvider})
	w.Roles = append(w.Roles, emulator.Role{
		ARN:   samlRole,
		Trust: `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Federated": "` + samlProvider + `"}, "Action": "sts:AssumeRoleWithSAML", "Condition": {"StringEquals": {"saml:aud": "https://signin.aws.amazon.com/saml"}}}]}`,
	})
	w.Users = append(w.Users, emulator.User{
		ARN:  "arn:aws:iam::111111111111:user/devices",
		Keys: []emulator.AccessKey{{ID: "AKIAEMULATEDDEVICES0", Secret: "devices/SECRET+devices/SECRET+devices/SE"}},
		Devices: []emulator.Device{
			{Serial: "arn:aws:iam::111111111111:u2f/user/devices/key-ABCDEFGH"},
			{Serial: "arn:aws:iam::111111111111:mfa/phone", Seed: []byte("phone SECRET seed")},
			{Serial: "GAHT12345678", Seed: []byte("token SECRET seed")},
		},
	}, emulator.User{
		ARN:     "arn:aws:iam::111111111111:user/passkey",
		Keys:    []emulator.AccessKey{{ID: "AKIAEMULATEDPASSKEY0", Secret: "passkey/SECRET+passkey/SECRET+passkey/SE"}},
		Devices: []emulator.Device{{Serial: "arn:aws:iam::111111111111:u2f/user/passkey/laptop-ABCDEFGH"}},
	})
	w.Users = append(w.Users, emulator.User{
		ARN:    "arn:aws:iam::111111111111:user/weak",
		Keys:   []emulator.AccessKey{{ID: "AKIAEMULATEDWEAKWEAK", Secret: "weak/SECRET+weak/SECRET+weak/SECRET+weak"}},
		Policy: `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}`,
	})
	w.Users = append(w.Users, emulator.User{
		ARN:    "arn:aws:iam::111111111111:user/barred",
		Keys:   []emulator.AccessKey{{ID: "AKIAEMULATEDBARREDBA", Secret: "barred/SECRET+barred/SECRET+barred/SECRE"}},
		Policy: `{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "*"}]}`,
	})
	// Of roles in the users' own account AWS says more.
	for role, trust := range map[string]string{
		emulator.DemoRole("Bare"):              `"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"`,
		"arn:aws:iam::111111111111:role/Near":  `"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "sts:AssumeRole"`,
		"arn:aws:iam::111111111111:role/ForMe": `"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::111111111111:user/me", "arn:aws:iam::111111111111:user/barred"]}, "Action": "sts:AssumeRole"`,
		"arn:aws:iam::111111111111:role/NotMe": `"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"`,
	} {
		w.Roles = append(w.Roles, emulator.Role{ARN: role, Trust: `{"Version": "2012-10-17", "Statement": [{` + trust + `}]}`})
	}
	return w
}

// furnish copies those files of from that are not in home.
func furnish(home, from string) error {
	if err := os.MkdirAll(home, 0o700); err != nil {
		return err
	}
	files, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(from, f.Name()))
		if err != nil {
			return err
		}
		file, err := os.OpenFile(filepath.Join(home, f.Name()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, os.ErrExist) {
			continue // the script's own
		}
		if err != nil {
			return err
		}
		_, err = file.Write(text)
		if err := errors.Join(err, file.Close()); err != nil {
			return err
		}
	}
	return nil
}

func of(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

func cmdCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: code NAME [DEVICE]")
	}
	device := emulator.DemoDevice
	if len(args) > 1 {
		device = args[1]
	}
	ts.Setenv(args[0], of(ts).code(ts, device))
}

// code returns a code that was not handed out before: the product does not
// send one twice either. The clock moves on to it if it must.
func (w *world) code(ts *testscript.TestScript, device string) string {
	for {
		w.advance(w.server.CodeIn(device))
		code, err := w.server.Code(device)
		ts.Check(err)
		if code != w.last {
			w.last = code
			return code
		}
		w.advance(30 * time.Second)
	}
}

func cmdExpand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: expand FILE...")
	}
	for _, name := range args {
		text := os.Expand(ts.ReadFile(name), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
		ts.Check(of(ts).traces.bring(ts.MkAbs(name)))
	}
}

func cmdLines(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: lines FILE LINE...")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Join(args[1:], "\n")+"\n"), 0o600))
	ts.Check(of(ts).traces.bring(ts.MkAbs(args[0])))
}

func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		got = exit.ExitCode()
		if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
			got = 128 + int(ws.Signal()) // as a shell tells it
		}
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
	if wrong := unlikeAnError(ts.ReadFile("stderr")); wrong != "" {
		ts.Fatalf("the error %s", wrong)
	}
}

// unlikeAnError says what is wrong with an error of ours; what does not begin
// like one is not looked at.
func unlikeAnError(stderr string) string {
	if !strings.HasPrefix(stderr, "aws-switch-role: ") {
		return ""
	}
	if n := strings.Count(stderr, "\n"); n > 3 {
		return fmt.Sprintf("has %d lines, and three are the most", n)
	}
	if strings.ContainsFunc(stderr, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) {
		return "has control characters"
	}
	return ""
}

// asked returns the requests since the last reset, of one action or, for "", of
// any. It looks at the terminal, too, of which testscript logs nothing.
func asked(ts *testscript.TestScript, action string) []emulator.Request {
	if leaky(ts.ReadFile("ttyout")) {
		ts.Fatalf("a secret on the terminal")
	}
	w := of(ts)
	return slices.DeleteFunc(w.server.Requests()[w.seen:], func(r emulator.Request) bool { return action != "" && r.Action != action })
}

func cmdRequests(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: requests N [ACTION]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := asked(ts, strings.Join(args[1:], ""))
	if len(got) == want {
		return
	}
	for _, r := range got {
		ts.Logf("%s by %s: %d %s", r.Action, r.Caller, r.Status, r.ErrorCode)
	}
	ts.Fatalf("AWS was asked %d times, want %d", len(got), want)
}

func cmdSent(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: sent ACTION NAME=VALUE...")
	}
	requests := asked(ts, args[0])
	if len(requests) == 0 {
		ts.Fatalf("no %s was sent", args[0])
	}
	last := requests[len(requests)-1]
	params := maps.Clone(last.Params)
	if last.HasCode {
		params["TokenCode"] = "yes"
	}
	for _, arg := range args[1:] {
		name, want, _ := strings.Cut(arg, "=")
		if got := params[name]; got != want {
			ts.Fatalf("%s was sent with %s=%s, want %s", args[0], name, got, want)
		}
	}
}

func cmdReset(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: reset")
	}
	w := of(ts)
	w.server.Heal()
	w.seen = len(w.server.Requests())
}

func cmdAdvance(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: advance LENGTH")
	}
	d, err := time.ParseDuration(args[0])
	ts.Check(err)
	of(ts).advance(d)
}

func cmdWebToken(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: webtoken FILE [LENGTH]")
	}
	life := time.Hour
	if len(args) > 1 {
		var err error
		life, err = time.ParseDuration(args[1])
		ts.Check(err)
	}
	token, err := of(ts).server.WebIdentityToken(emulator.DemoProvider, "jane", life)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(token+"\n"), 0o600))
}

func cmdSignIn(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: signin sso|legacy|login NAME [LENGTH]")
	}
	life := time.Hour
	var err error
	if len(args) > 2 {
		life, err = time.ParseDuration(args[2])
		ts.Check(err)
	}
	var token []byte
	var path string
	// The names of the files are digests (botocore, SSOTokenLoader and
	// LoginTokenLoader).
	switch args[0] {
	case "sso", "legacy":
		token, err = of(ts).server.SSOToken(emulator.SSOSignIn{StartURL: emulator.DemoStartURL, Person: emulator.DemoPerson, Region: "us-east-1", Life: life, Legacy: args[0] == "legacy"})
		path = fmt.Sprintf("home/.aws/sso/cache/%x.json", sha1.Sum([]byte(args[1])))
	case "login":
		token, err = of(ts).server.LoginToken(emulator.DemoUser, life)
		path = fmt.Sprintf("home/.aws/login/cache/%x.json", sha256.Sum256([]byte(args[1])))
	default:
		ts.Fatalf("nobody signs in to %s", args[0])
	}
	ts.Check(err)
	ts.Check(os.MkdirAll(filepath.Dir(ts.MkAbs(path)), 0o700))
	ts.Check(os.WriteFile(ts.MkAbs(path), token, 0o600))
	ts.Setenv("TOKEN_FILE", ts.MkAbs(path))
}

// cmdAllow is a person with a browser elsewhere.
func cmdAllow(ts *testscript.TestScript, neg bool, args []string) {
	answer := url.Values{"person": {emulator.DemoPerson}}
	switch {
	case !neg && len(args) == 1 && args[0] == "REFUSE":
		answer = url.Values{"refuse": {"access_denied"}}
	case neg || len(args) > 0:
		ts.Fatalf("usage: allow [REFUSE]")
	}
	w := of(ts)
	var codes []string
	for deadline := time.Now().Add(30 * time.Second); len(codes) == 0; codes = w.server.WaitingDevices() {
		if time.Now().After(deadline) {
			ts.Fatalf("no device shows a code")
		}
		time.Sleep(10 * time.Millisecond)
	}
	resp, err := http.PostForm(ts.Getenv("AWS_ENDPOINT_URL")+"/device?user_code="+url.QueryEscape(codes[0]), answer)
	ts.Check(err)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		ts.Fatalf("the answer is refused: %s", resp.Status)
	}
}

// The world's SAML identity provider, and whom it makes of people.
const (
	samlProvider = "arn:aws:iam::111111111111:saml-provider/Corp"
	samlRole     = "arn:aws:iam::111111111111:role/Saml"
)

func cmdAssertion(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: assertion FILE")
	}
	text, err := of(ts).server.SAMLAssertion(samlProvider, samlRole, "jane", 5*time.Minute)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

func cmdRecipe(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: recipe N FILE PAGE")
	}
	page := filepath.Join("doc", args[2])
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	doc, err := os.ReadFile(page)
	ts.Check(err)
	blocks := strings.Split(string(doc), "```") // every other one is a block
	if 2*n >= len(blocks) {
		ts.Fatalf("%s has no block %d", page, n)
	}
	_, text, _ := strings.Cut(blocks[2*n-1], "\n")
	text = strings.ReplaceAll(text, "/usr/local/bin/", ts.Getenv("WORK")+"/bin/")
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o700))
}

// cmdRevoke ends what people have signed in to, as an administrator does, and
// what the user has, as a new password does.
func cmdRevoke(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: revoke")
	}
	of(ts).server.RevokeSSO()
	of(ts).server.ChangePassword(emulator.DemoUser)
}

// faults are the effects that the command fault knows.
var faults = map[string]emulator.Fault{
	"throttle":    {Effect: emulator.Throttle()},
	"500":         {Effect: emulator.Fail(500, "InternalFailure", "An internal error has occurred")},
	"503":         {Effect: emulator.Fail(503, "ServiceUnavailable", "")},
	"hangup":      {Effect: emulator.HangUp()},
	"hangup-late": {Effect: emulator.HangUp(), Acts: true},
	"truncate":    {Effect: emulator.Truncate()},
	"portal":      {Effect: emulator.CaptivePortal()},
	"signin-400":  {Effect: emulator.Respond(400, "text/html", "<html>Invalid credentials parameter</html>")},
	"redirect":    {Effect: emulator.Redirect("https://portal.example.com/login")},
	"malformed":   {Effect: emulator.Malformed()},
	"429":         {Effect: emulator.Fail(429, "TooManyRequestsException", "HTTP 429 Unknown Code")},
	"403":         {Effect: emulator.Fail(403, "AccessDenied", "Access denied")},
	"boundary":    {Effect: emulator.Fail(403, "AccessDenied", "User: "+emulator.DemoUser+" is not authorized to perform: sts:AssumeRole on resource: "+emulator.DemoRole("Open")+" because no service control policy allows the sts:AssumeRole action")},
	"untimely":    {Effect: emulator.Fail(403, "SignatureDoesNotMatch", "Signature expired")},
	"hostile":     {Effect: emulator.Fail(403, "AccessDenied", "no\u0085\u009b2J\u202eyaw\u2066 way")},
	"hostile-raw": {Effect: emulator.Fail(403, "AccessDenied", "\x1b]0;owned\a\x1b[2J\u202eno\u0085 \xff way")},
	"hostile-id":  {Effect: emulator.Replace("AccessKeyId", "ASIA\x1b[31mEVIL")},
	"no-creds":    {Effect: emulator.Remove("Credentials")},
	"expired":     {Effect: emulator.Replace("Expiration", "2001-01-01T00:00:00Z")},
	"huge":        {Effect: emulator.Respond(200, "text/xml", "<a>"+strings.Repeat("x", 4<<20)+"</a>")},
	"ahead":       {Skew: time.Hour},
	"behind":      {Skew: -time.Hour},
	"ahead-4m":    {Skew: 4 * time.Minute},
	"behind-4m":   {Skew: -4 * time.Minute},
	"slow":        {Delay: 500 * time.Millisecond},
	"very-slow":   {Delay: 1500 * time.Millisecond},
	"ended":       {Effect: emulator.Fail(403, "ExpiredToken", "The security token included in the request is expired")},
}

func cmdFault(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 3 {
		ts.Fatalf("usage: fault EFFECT [ACTION [COUNT]]")
	}
	f, ok := faults[args[0]]
	if in, ends := strings.CutPrefix(args[0], "ends:"); ends {
		d, err := time.ParseDuration(in)
		ts.Check(err)
		f.Effect, ok = emulator.EndAt(of(ts).now().Add(d)), true
	}
	if by, late := strings.CutPrefix(args[0], "untimely:"); late {
		d, err := time.ParseDuration(by)
		ts.Check(err)
		f.Effect, ok = untimely(of(ts).now().Add(d)), true
	}
	if !ok {
		ts.Fatalf("no fault %q", args[0])
	}
	if len(args) > 1 {
		f.Action = args[1]
	}
	if len(args) > 2 {
		n, err := strconv.Atoi(args[2])
		ts.Check(err)
		f.Count = n
	}
	of(ts).server.Inject(f)
}

// untimely refuses a signature as STS does whose time is now.
func untimely(now time.Time) emulator.Effect {
	const form = "20060102T150405Z"
	allowed := 5 * time.Minute
	signed, word, edge, sign := time.Now().UTC(), "Signature expired: %s is now earlier than %s (%s %s 5 min.)", now.Add(-allowed), "-"
	if now.Before(signed) {
		word, edge, sign = "Signature not yet current: %s is still later than %s (%s %s 5 min.)", now.Add(allowed), "+"
	}
	return emulator.Fail(403, "SignatureDoesNotMatch", fmt.Sprintf(word, signed.Format(form), edge.UTC().Format(form), now.UTC().Format(form), sign))
}

func cmdAwait(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: await FILE...")
	}
	for _, name := range args {
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			if _, err := os.Stat(ts.MkAbs(name)); err == nil {
				break
			}
			if time.Now().After(deadline) {
				ts.Fatalf("no %s", name)
			}
		}
	}
}

func cmdSealed(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: sealed [FILE...]")
	}
	for i := range args {
		args[i] = ts.MkAbs(args[i])
	}
	leaks, err := leakyFiles(ts.Getenv("WORK"), args...)
	ts.Check(err)
	if len(leaks) > 0 {
		ts.Fatalf("there is a secret in %s", strings.Join(leaks, ", "))
	}
}

func cmdPlain(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: plain FILE...")
	}
	for _, name := range args {
		of(ts).traces.plain[ts.MkAbs(name)] = true
	}
}

func TestUnlikeAnError(t *testing.T) {
	for stderr, want := range map[string]string{
		"the command's own\n\n\n\n\n":                             "",
		"aws-switch-role: no profile is named x\nhint: y\n":       "",
		"aws-switch-role: what\n  why\nhint: next\ngoroutine 1\n": "has 4 lines, and three are the most",
		"aws-switch-role: \x1b[2J\n":                              "has control characters",
		"aws-switch-role: \u202e\n":                               "has control characters",
	} {
		if got := unlikeAnError(stderr); got != want {
			t.Errorf("unlikeAnError(%q) = %q, want %q", stderr, got, want)
		}
	}
}
