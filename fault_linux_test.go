package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"aws-switch-role/internal/emulator"
	"aws-switch-role/internal/figure"
)

// writer is a command that writes, and what must be so when it was disturbed.
type writer struct {
	args  []string
	stdin string
	home  func(*testing.T) *keyHome
	// serves says that no trouble with the disk keeps the command from its work.
	serves bool
	// killed is what is held against the home when the command was killed;
	// failed when it met an error.
	killed, failed func(*keyHome, string)
}

// firstTime ends the names of flows that begin without a keyring.
const firstTime = "for the first time"

// writers are the commands that write.
func writers(t *testing.T) map[string]writer {
	all := map[string]writer{}
	for name, f := range flows(t) {
		// At a commit what happens the first time is for TestKilledAtAnyTime
		// alone: it takes longest, to make a key of the passphrase.
		if name == warm || strings.HasSuffix(name, firstTime) && !figure.Release() {
			continue
		}
		w := writer{args: f.args, home: f.home, killed: f.after, failed: (*keyHome).stillWorks}
		w.serves = strings.HasPrefix(name, "switch")
		all[name] = w
	}
	cold, imported := newKeyHome(t, nil), newKeyHome(t, nil)
	cold.must("at first", switching...)
	full := cold.copy(t)
	cold.must("at first", "sessions", "clear", "--all")
	imported.must("at first", "keys", "import", "bot")
	// The key is in the file, too, for what must work afterwards.
	write(t, imported.credentials(), botBefore, 0o600)
	config, err := os.ReadFile(filepath.Join(cold.dir, ".aws", "config"))
	if err != nil {
		t.Fatal(err)
	}
	appended := func(h *keyHome, when string) {
		h.stillWorks(when)
		text, err := os.ReadFile(filepath.Join(h.dir, ".aws", "config"))
		if err != nil || !bytes.HasPrefix(text, config) || len(text) > len(config) && !bytes.HasSuffix(text, []byte("\n")) {
			h.t.Errorf("%s: the config file is %q, %v", when, text, err)
		}
	}
	sso := func(t *testing.T) *keyHome {
		h := newKeyHome(t, cold)
		token, err := h.server.SSOToken(emulator.SSOSignIn{StartURL: emulator.DemoStartURL, Person: emulator.DemoPerson, Region: "us-east-1", Life: -time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(h.dir, ".aws", "config"), string(config)+corpConfig, 0o600)
		write(t, filepath.Join(h.dir, ".aws", "sso", "cache", corpDigest+".json"), string(token), 0o600)
		return h
	}
	for name, w := range map[string]writer{
		"switch, secretless": {args: []string{"open", "--secretless", "--", "true"}, home: func(t *testing.T) *keyHome {
			h := cold.copy(t)
			h.shortRun() // a socket's path is short
			return h
		}},
		"credential-process": {args: []string{"credential-process", "bare"}, home: cold.copy, serves: true, killed: (*keyHome).afterSwitch},
		"export":             {args: []string{"export", "bare"}, home: cold.copy, serves: true, killed: (*keyHome).afterSwitch},
		"each":               {args: []string{"each", "open", "bare", "--", "true"}, home: cold.copy},
		"sessions clear":     {args: []string{"sessions", "clear", "--all"}, home: full.copy},
		"keys add":           {args: []string{"keys", "add", "other", "--stdin"}, stdin: emulator.DemoKeyID + "\n" + emulator.DemoSecret + "\n", home: imported.copy},
		"keys remove":        {args: []string{"keys", "remove", "bot", "--yes"}, home: imported.copy},
		"profile add":        {args: []string{"profile", "add", "new", "--account", "222222222222", "--role", "Open", "--source-profile", "bot", "--no-mfa", "--yes"}, home: cold.copy, killed: appended, failed: appended},
		"mfa --write":        {args: []string{"mfa", "mine", "--write"}, home: mine(t, cold)},
		"sso, renewed":       {args: []string{"dev", "--", "true"}, home: sso},
		"sso populate":       {args: []string{"sso", "populate", "corp", "--yes"}, home: sso, killed: appended, failed: appended},
	} {
		w.killed, w.failed = either(w.killed, (*keyHome).stillWorks), either(w.failed, (*keyHome).stillWorks)
		all[name] = w
	}
	return all
}

func either(f, otherwise func(*keyHome, string)) func(*keyHome, string) {
	if f == nil {
		return otherwise
	}
	return f
}

const corpConfig = `[sso-session corp]
sso_start_url = https://corp.awsapps.com/start
sso_region = us-east-1
sso_registration_scopes = sso:account:access
[profile dev]
sso_session = corp
sso_account_id = 111111111111
sso_role_name = Developer
`

// mine is a home like another with a profile of the user who has a device.
func mine(t *testing.T, like *keyHome) func(*testing.T) *keyHome {
	h := like.copy(t)
	for name, text := range map[string]string{
		"config":      "[profile mine]\nrole_arn = arn:aws:iam::222222222222:role/Ops\nsource_profile = me\n",
		"credentials": "[me]\naws_access_key_id = " + emulator.DemoKeyID + "\naws_secret_access_key = " + emulator.DemoSecret + "\n",
	} {
		path := filepath.Join(h.dir, ".aws", name)
		old, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, path, string(old)+text, 0o600)
	}
	return h.copy
}

// shortRun gives the home a runtime directory of a short path.
func (h *keyHome) shortRun() {
	h.t.Helper()
	dir, err := os.MkdirTemp("", "run")
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = os.RemoveAll(dir) })
	h.run = dir
	h.environ = append(h.environ, "XDG_RUNTIME_DIR="+dir)
}

// has reports whether a text names a file of the home.
func (h *keyHome) has(text string) bool {
	return strings.Contains(text, h.dir) || h.run != "" && strings.Contains(text, h.run)
}

// stillWorks holds a home to what must be so whatever has happened in it.
func (h *keyHome) stillWorks(when string) {
	h.t.Helper()
	h.mustBeSealed(when)
	h.mustBeFree(when)
	h.mustWork(when)
}

// changingCalls are the system calls by which something comes to the disk, to other
// processes or to AWS. Others are made before a release.
const changingCalls = "openat,write,pwrite64,fsync,fdatasync,renameat,renameat2,unlinkat,mkdirat,fchmod,fchmodat,ftruncate,flock,linkat,symlinkat,connect"

// errnos are what such a call may meet.
var errnos = []string{"ENOSPC", "EIO", "EINTR", "EROFS", "EDQUOT", "EACCES", "ENOLCK", "EMFILE"}

// point is a system call of a command: its name, and its number among those of
// its thread.
type point struct {
	call string
	n    int
}

var (
	called   = regexp.MustCompile(`^(\d+) +(\w+)\((.*)`) // and not what is said of signals
	writing  = regexp.MustCompile(`O_CREAT|O_WRONLY|O_RDWR`)
	injected = regexp.MustCompile(`(?m)^.*\(INJECTED\).*$`)
	executes = regexp.MustCompile(`^\d+ +execve\("[^"]*/true"`)
)

// points runs a command and returns those of its calls that change something
// of the home, or reach somebody.
func (w writer) points(t *testing.T) []point {
	t.Helper()
	h := w.home(t)
	log := filepath.Join(t.TempDir(), "log")
	if out, err := w.traced(t, h, log, "-y", "-e", "trace="+changingCalls+",execve"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	found := map[point]bool{}
	for line := range strings.Lines(string(text)) {
		if executes.MatchString(line) {
			break // what follows is no doing of ours
		}
		m := called.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		thread, call, args := m[1], m[2], m[3]
		counts[thread+call]++
		ours := h.has(args)
		switch call {
		case "openat":
			ours = ours && writing.MatchString(args)
		case "connect":
			ours = strings.Contains(args, "AF_INET")
		case "write":
			ours = ours || strings.Contains(args, "<socket:")
		}
		if ours {
			found[point{call, counts[thread+call]}] = true
		}
	}
	all := make([]point, 0, len(found))
	for p := range found {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b point) int { return cmp.Or(strings.Compare(a.call, b.call), a.n-b.n) })
	return all
}

// traced runs the command under strace.
func (w writer) traced(t *testing.T, h *keyHome, log string, flags ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	argv := slices.Concat([]string{"strace", "-f", "-qq", "-o", log}, flags, []string{"aws-switch-role"}, w.args)
	cmd := h.command(argv...)
	cmd.Env = append(h.environ, "GOMAXPROCS=1") // most calls are then of one thread, and so counted in one row
	if w.stdin != "" {
		cmd.Stdin = strings.NewReader(w.stdin)
	}
	stop := context.AfterFunc(ctx, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	defer stop()
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		err = fmt.Errorf("it hangs: %w", ctx.Err())
	}
	return out, err
}

// TestFaultPoints has each command that writes killed, and has it meet each
// error, at each of its system calls that change something: it ends, says why,
// leaves no secret, no lock and no half-written file, and loses nothing.
func TestFaultPoints(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Fatal("no strace here: install the package strace")
	}
	useRealProgram(t)
	all := writers(t)
	var kills, errs, points atomic.Int64
	t.Cleanup(func() {
		if kills.Load() < points.Load()/2 || errs.Load() < points.Load() {
			t.Errorf("of %d points %d were come to with a kill and %d with an error", points.Load(), kills.Load(), errs.Load())
		}
		if !t.Failed() {
			note(t, "fault points", "%d points of %d commands: %d kills and %d errors met, 0 hangs, 0 lost, 0 in plain text", points.Load(), len(all), kills.Load(), errs.Load())
		}
	})
	lanes := make(chan bool, 2*runtime.NumCPU())
	for name, w := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			places := w.points(t)
			points.Add(int64(len(places)))
			if len(places) < 3 {
				t.Errorf("only the points %v are known", places)
			}
			var running sync.WaitGroup
			for i, p := range places {
				for k, fault := range append([]string{""}, errnos...) {
					if fault != "" && !figure.Release() && (i+k)%len(errnos) >= 2 {
						continue // at a commit, two of the errors at each point
					}
					lanes <- true
					running.Go(func() {
						defer func() { <-lanes }()
						switch met := w.disturb(t, p, fault); {
						case met && fault == "":
							kills.Add(1)
						case met:
							errs.Add(1)
						}
					})
				}
			}
			running.Wait()
		})
	}
}

// disturb kills the command at a point, or has it meet an error there, and holds
// its home to what must be so then. It reports whether the command came there.
func (w writer) disturb(t *testing.T, p point, fault string) (met bool) {
	h := w.home(t)
	defer h.remove()
	log := h.dir + ".log"
	defer os.Remove(log)
	how := []string{"signal=KILL"}
	if fault != "" { // the filter is faster, and knows no signals
		how = []string{"error=" + fault, "--seccomp-bpf"}
	}
	when := fmt.Sprintf("%s at %s number %d", cmp.Or(fault, "SIGKILL"), p.call, p.n)
	out, err := w.traced(t, h, log, append(how[1:], "-y", "-e", "trace="+p.call, "-e", fmt.Sprintf("inject=%s:%s:when=%d", p.call, how[0], p.n))...)
	exit, exited := errors.AsType[*exec.ExitError](err)
	if err != nil && !exited {
		t.Errorf("%s: %v\n%s", when, err, out)
		return false
	}
	text, rerr := os.ReadFile(log)
	if rerr != nil {
		t.Error(rerr)
		return false
	}
	if fault == "" {
		if met = exited && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL; met {
			w.killed(h, when)
		}
		return met
	}
	hit := string(bytes.Join(injected.FindAll(text, -1), []byte("\n")))
	toAWS := p.call == "connect" || strings.Contains(hit, "<socket:")
	met = toAWS || h.has(hit)
	if !met || strings.Contains(hit, "[eventfd]") { // another call had that number: Go's runtime may meet no error
		return false
	}
	if leaky(string(out)) && w.args[0] != "export" && w.args[0] != "credential-process" {
		t.Errorf("%s: a secret is shown:\n%s", when, out)
	}
	// Calls are counted anew in each process that the command starts: one that
	// failed may have the command fail, and then fail to say so.
	untold := strings.Contains(hit, "write(2<")
	explained := bytes.Contains(out, []byte("aws-switch-role: ")) || bytes.Contains(out, []byte("\nhint: "))
	if wrong := unlikeAnError(string(out)); exited && !untold && (wrong != "" || !explained) {
		t.Errorf("%s: status %d, and the error %s:\n%s", when, exit.ExitCode(), wrong, out)
	}
	// Threads share the calls out anew in each run: this one may have met the
	// user's own files, without which there is nothing to be done.
	theirs := strings.Contains(hit, "/.aws/c")
	if exited && w.serves && !toAWS && !theirs {
		t.Errorf("%s: it does not do its work: %s", when, out)
	}
	if p.call != "unlinkat" {
		_ = filepath.WalkDir(h.dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && (strings.HasPrefix(d.Name(), ".tmp-") || strings.HasSuffix(d.Name(), ".new") || strings.HasPrefix(d.Name(), ".aws-switch-role-")) {
				t.Errorf("%s: %s is left", when, path)
			}
			return nil
		})
	}
	w.failed(h, when)
	return met
}
