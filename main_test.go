package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"aws-switch-role/internal/cli"
	"aws-switch-role/internal/emulator"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"aws-switch-role": func() { os.Exit(cli.Main(os.Args[1:])) },
	})
}

// TestScripts tells what users see, story by story. Each script has a home of
// its own and an emulated AWS of its own, whose URL is in AWS_ENDPOINT_URL.
//
// The commands beside testscript's own:
//
//	code NAME        set the variable NAME to a code that AWS takes now; the
//	                 world's clock moves on to the next one if it must
//	requests N [ACTION]
//	                 AWS was asked N times (for ACTION) since the last reset
//	reset            forget the requests and heal all faults
//	fault EFFECT [ACTION [COUNT]]
//	                 make AWS answer otherwise: see faults below
//	advance LENGTH   move the world's clock on
//	expand FILE...   put the variables' values into files
func TestScripts(t *testing.T) {
	testscript.RunT(&leakCheck{T: t}, params("testdata/script"))
}

func params(dir string) testscript.Params {
	return testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setup,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"code":     cmdCode,
			"requests": cmdRequests,
			"reset":    cmdReset,
			"fault":    cmdFault,
			"advance":  cmdAdvance,
			"expand":   cmdExpand,
		},
	}
}

// world is a script's AWS.
type world struct {
	server *emulator.Server
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
	var err error
	if w.server, err = emulator.New(emulator.Demo(), emulator.Options{Now: w.now}); err != nil {
		return err
	}
	l, err := w.server.Listen("")
	if err != nil {
		return err
	}
	env.Defer(func() { _ = l.Close() })
	env.Values[worldKey{}] = w
	home := filepath.Join(env.WorkDir, "home")
	if err := os.MkdirAll(filepath.Join(home, ".aws"), 0o700); err != nil {
		return err
	}
	env.Vars = append(env.Vars,
		"HOME="+home,
		"USER=jane",
		"SHELL=/bin/sh",
		"TERM=xterm",
		"NO_PROXY=127.0.0.1",
		"AWS_ENDPOINT_URL="+l.URL,
		"DEVICE="+emulator.DemoDevice,
		"OPS="+emulator.DemoRole("Ops"),
		"KEY_ID="+emulator.DemoKeyID,
		"KEY="+emulator.DemoSecret,
		"ESC=\x1b",
	)
	return nil
}

func of(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

func cmdCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: code NAME")
	}
	w := of(ts)
	w.advance(w.server.CodeIn(emulator.DemoDevice))
	code, err := w.server.Code(emulator.DemoDevice)
	ts.Check(err)
	ts.Setenv(args[0], code)
}

func cmdRequests(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: requests N [ACTION]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	w := of(ts)
	var got []string
	for _, r := range w.server.Requests()[w.seen:] {
		if len(args) == 1 || r.Action == args[1] {
			got = append(got, fmt.Sprintf("%s by %s: %d %s", r.Action, r.Caller, r.Status, r.ErrorCode))
		}
	}
	if len(got) != want {
		ts.Fatalf("AWS was asked %d times, want %d:\n%s", len(got), want, strings.Join(got, "\n"))
	}
}

func cmdReset(ts *testscript.TestScript, neg bool, args []string) {
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

func cmdExpand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: expand FILE...")
	}
	for _, name := range args {
		text := os.Expand(ts.ReadFile(name), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
	}
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
	"redirect":    {Effect: emulator.Redirect("https://portal.example.com/login")},
	"malformed":   {Effect: emulator.Malformed()},
	"hostile":     {Effect: emulator.Fail(403, "AccessDenied", "\x1b]0;owned\a\x1b[2J\u202eno\u0085 \xff way")},
	"hostile-id":  {Effect: emulator.Replace("AccessKeyId", "ASIA\x1b[31mEVIL")},
	"no-creds":    {Effect: emulator.Remove("Credentials")},
	"expired":     {Effect: emulator.Replace("Expiration", "2001-01-01T00:00:00Z")},
	"huge":        {Effect: emulator.Respond(200, "text/xml", "<a>"+strings.Repeat("x", 4<<20)+"</a>")},
	"ahead":       {Skew: time.Hour},
	"behind":      {Skew: -time.Hour},
	"slow":        {Delay: 2 * time.Second},
}

func cmdFault(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 3 {
		ts.Fatalf("usage: fault EFFECT [ACTION [COUNT]]")
	}
	f, ok := faults[args[0]]
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

// leakCheck fails every script on whose stderr or terminal a secret was seen:
// all emulated secrets contain the word SECRET.
type leakCheck struct{ *testing.T }

// Run implements testscript.T.
func (l *leakCheck) Run(name string, f func(t testscript.T)) {
	l.T.Run(name, func(t *testing.T) { f(&leakCheck{t}) })
}

// Verbose makes testscript log every command's output, even that of those
// which did as they should.
func (l *leakCheck) Verbose() bool { return true }

// Log looks through what a script did before it is shown.
func (l *leakCheck) Log(args ...any) {
	l.T.Helper()
	where := ""
	for line := range strings.Lines(fmt.Sprint(args...)) {
		switch {
		case strings.HasPrefix(line, "["), strings.HasPrefix(line, "> "):
			where = strings.TrimSpace(line)
		case strings.Contains(line, "SECRET") && (where == "[stderr]" || where == "[ttyout]"):
			l.T.Errorf("a secret on %s: %s", where, line)
		}
	}
	if l.T.Failed() || testing.Verbose() {
		l.T.Log(args...)
	}
}
