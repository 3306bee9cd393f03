//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"aws-switch-role/internal/emulator"
	"aws-switch-role/internal/figure"
)

// useRealProgram puts the program as users have it on the PATH, where otherwise
// a slower one is that the race detector watches.
func useRealProgram(t *testing.T) {
	t.Helper()
	t.Setenv("PATH", buildProgram(t)+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// keyHome is a home whose profiles open and bare start from the key bot, with an
// AWS of its own.
type keyHome struct {
	t       *testing.T
	dir     string
	run     string // the runtime directory, where it is not in dir
	server  *emulator.Server
	url     string
	environ []string
}

const (
	botConfig = "[profile open]\nrole_arn = arn:aws:iam::222222222222:role/Open\nsource_profile = bot\n" +
		"[profile bare]\nrole_arn = arn:aws:iam::222222222222:role/Bare\nsource_profile = open\n"
	botBefore = "# mine\n[bot]\naws_access_key_id = " + emulator.DemoBotKeyID + "\naws_secret_access_key = " + emulator.DemoBotSecret + "\n# the end\n"
	botAfter  = "# mine\n[bot]\n# the end\n"
)

// newKeyHome makes a home like another, or one with the key in the
// credentials file.
func newKeyHome(t *testing.T, like *keyHome) *keyHome {
	t.Helper()
	h := &keyHome{t: t}
	var err error
	if h.server, err = emulator.New(declared(), emulator.Options{}); err != nil {
		t.Fatal(err)
	}
	l, err := h.server.Listen("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	h.url = l.URL
	if like != nil {
		return h.fill(t, like)
	}
	h.settle(t)
	write(t, filepath.Join(h.dir, ".aws", "config"), botConfig, 0o600)
	write(t, h.credentials(), botBefore, 0o600)
	return h
}

// settle finds the home a directory.
func (h *keyHome) settle(t *testing.T) {
	h.t, h.dir = t, t.TempDir()
	h.environ = []string{
		"HOME=" + h.dir, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + h.dir, "USER=jane", "GORACE=atexit_sleep_ms=0",
		"XDG_RUNTIME_DIR=" + filepath.Join(h.dir, "run"), "NO_PROXY=127.0.0.1", "AWS_ENDPOINT_URL=" + h.url,
		"AWS_SWITCH_ROLE_KEYRING=passphrase", "AWS_SWITCH_ROLE_PASSPHRASE=correct horse",
	}
}

// fill copies all that is in another home.
func (h *keyHome) fill(t *testing.T, like *keyHome) *keyHome {
	t.Helper()
	h.settle(t)
	if out, err := exec.Command("cp", "-a", like.dir+"/.", h.dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return h
}

// copy makes a home like h with the same AWS.
func (h *keyHome) copy(t *testing.T) *keyHome {
	t.Helper()
	return (&keyHome{server: h.server, url: h.url}).fill(t, h)
}

// remove removes the home before the test ends, to have room for many.
func (h *keyHome) remove() {
	h.t.Helper()
	if err := os.RemoveAll(h.dir); err != nil {
		h.t.Fatal(err)
	}
}

func (h *keyHome) credentials() string { return filepath.Join(h.dir, ".aws", "credentials") }

func (h *keyHome) command(argv ...string) *exec.Cmd {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = h.environ
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd
}

// must runs the program, which must succeed.
func (h *keyHome) must(when string, args ...string) {
	h.t.Helper()
	if out, err := h.command(append([]string{"aws-switch-role"}, args...)...).CombinedOutput(); err != nil {
		h.t.Fatalf("%s: %q: %v\n%s", when, args, err, out)
	}
}

// mustWork switches to a role, from the key wherever it is.
func (h *keyHome) mustWork(when string) {
	h.t.Helper()
	h.must(when, "open", "--no-cache", "--", "true")
}

// mustBeSealed looks for secrets in files.
func (h *keyHome) mustBeSealed(when string) {
	h.t.Helper()
	leaks, err := leakyFiles(h.dir, h.credentials())
	leaks = slices.DeleteFunc(leaks, func(path string) bool { // where AWS CLIs keep sign-ins
		return filepath.Dir(path) == filepath.Join(h.dir, ".aws", "sso", "cache")
	})
	if err != nil || len(leaks) > 0 {
		h.t.Fatalf("%s: a secret is in %v, %v", when, leaks, err)
	}
}

// mustBeFree demands that nobody holds a lock.
func (h *keyHome) mustBeFree(when string) {
	h.t.Helper()
	locks, err := filepath.Glob(filepath.Join(h.dir, "run", "aws-switch-role", "*"))
	if err != nil {
		h.t.Fatal(err)
	}
	for _, path := range locks {
		f, err := os.Open(path)
		if err == nil {
			err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
			f.Close()
		}
		if err != nil {
			h.t.Errorf("%s: the lock %s: %v", when, path, err)
		}
	}
}

// sessions returns how many sealed sessions are in the cache.
func (h *keyHome) sessions() int {
	h.t.Helper()
	files, err := filepath.Glob(filepath.Join(h.dir, ".cache", "aws-switch-role", "sessions", "*.v1"))
	if err != nil {
		h.t.Fatal(err)
	}
	return len(files)
}

// switching is a switch that makes two sessions.
var switching = []string{"bare", "--", "true"}

// afterSwitch holds the home to what must be so after a switch was killed: what
// is in the cache opens, and what is not is made anew.
func (h *keyHome) afterSwitch(when string) {
	h.t.Helper()
	h.mustBeSealed(when)
	h.mustBeFree(when)
	kept := h.sessions()
	log, err := h.command(append([]string{"aws-switch-role", "--debug"}, switching...)...).CombinedOutput()
	if made := bytes.Count(log, []byte(" op=AssumeRole ")); err != nil || made != 2-kept {
		h.t.Fatalf("%s: %d sessions were in the cache, and %d were made to have two: %v\n%s", when, kept, made, err, log)
	}
	if n := h.sessions(); n != 2 {
		h.t.Fatalf("%s: %d sessions are in the cache in the end", when, n)
	}
}

// afterRotation holds the home to what must be so after a rotation was killed.
func (h *keyHome) afterRotation(when string) {
	h.t.Helper()
	h.mustBeFree(when)
	h.mustWork(when)
	h.mustBeSealed(when)
	h.must(when, "keys", "rotate", "bot")
	h.must(when, "keys", "rotate", "bot") // there is room for it: no key is left over
	h.mustWork(when + ", and rotated")
	index, err := os.ReadFile(filepath.Join(h.dir, ".config", "aws-switch-role", "keys.json"))
	if err != nil || bytes.Contains(index, []byte(`"rotation"`)) {
		h.t.Fatalf("%s: %s, %v", when, index, err)
	}
}

// afterImport holds the home to what must be so after an import was killed.
func (h *keyHome) afterImport(when string) {
	h.t.Helper()
	h.mustBeFree(when)
	h.mustWork(when)
	h.mustBeSealed(when)
	text, err := os.ReadFile(h.credentials())
	if err != nil || string(text) != botBefore && string(text) != botAfter {
		h.t.Fatalf("%s: the file is %q, %v", when, text, err)
	}
	if string(text) == botBefore {
		h.must(when, "keys", "import", "bot")
	}
	if text, err = os.ReadFile(h.credentials()); err != nil || string(text) != botAfter {
		h.t.Fatalf("%s: the file is %q in the end, %v", when, text, err)
	}
	h.mustWork(when + ", and imported")
}

// flow is a command that is killed so often, in what home, and what must be so
// then.
type flow struct {
	args  []string
	home  func(*testing.T) *keyHome
	kills int
	after func(*keyHome, string)
}

// warm is the flow that writes nothing, or should not.
const warm = "switch, all in the cache"

// flows are the commands that write what must last, or what others wait for.
func flows(t *testing.T) map[string]flow {
	virgin, imported, rotated, full, cold := newKeyHome(t, nil), newKeyHome(t, nil), newKeyHome(t, nil), newKeyHome(t, nil), newKeyHome(t, nil)
	for _, h := range []*keyHome{imported, full, cold} {
		h.must("at first", switching...) // there is a keyring then: to make one takes the longest time by far
	}
	for _, h := range []*keyHome{imported, cold} {
		h.must("at first", "sessions", "clear", "--all")
	}
	rotated.must("at first", "keys", "import", "bot")
	// A rotation changes AWS, too.
	like := func(t *testing.T) *keyHome { return newKeyHome(t, rotated) }
	importing, rotating := []string{"keys", "import", "bot"}, []string{"keys", "rotate", "bot"}
	return map[string]flow{
		"import":                       {importing, imported.copy, figure.Of(85, 2800), (*keyHome).afterImport},
		"import, for the first time":   {importing, virgin.copy, figure.Of(15, 300), (*keyHome).afterImport},
		"rotate":                       {rotating, like, figure.Of(85, 2800), (*keyHome).afterRotation},
		"switch, for the first time":   {switching, virgin.copy, figure.Of(15, 300), (*keyHome).afterSwitch},
		warm:                           {switching, full.copy, figure.Of(15, 300), (*keyHome).afterSwitch},
		"switch, nothing in the cache": {switching, cold.copy, figure.Of(85, 3500), (*keyHome).afterSwitch},
	}
}

// TestKilledAtAnyTime kills switches, import and rotate with SIGKILL, at
// instants spread over the time that each takes: whenever that is, what is on
// disk is old or new and sealed, no lock stays, a working key is stored, and the
// next run does its work.
func TestKilledAtAnyTime(t *testing.T) {
	useRealProgram(t)
	var all, killed atomic.Int64
	t.Cleanup(func() {
		if !t.Failed() {
			note(t, "kill -9 at any time", "%d kills, %d of them before the end: 0 unreadable, 0 lost, 0 in plain text", all.Load(), killed.Load())
		}
	})
	for name, f := range flows(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var whole time.Duration // an estimate of what a run takes, which depends on what else goes on
			died := 0
			for i := range f.kills + 1 {
				h := f.home(t)
				cmd := h.command(append([]string{"aws-switch-role"}, f.args...)...)
				begun := time.Now()
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				at := whole * time.Duration(i) / time.Duration(f.kills)
				if whole > 0 { // the first one lives
					time.Sleep(at)
					_ = cmd.Process.Kill() // it may have ended
				}
				if err := cmd.Wait(); err != nil {
					died++
				} else {
					whole = time.Since(begun)
				}
				f.after(h, fmt.Sprintf("killed after %s of %s", at, whole))
				h.remove()
			}
			t.Logf("%d of %d were killed in time", died, f.kills)
			all.Add(int64(f.kills))
			killed.Add(int64(died))
			if died < f.kills/3 {
				t.Errorf("only %d of %d were killed in time", died, f.kills)
			}
		})
	}
}
