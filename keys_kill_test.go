//go:build unix

package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"aws-switch-role/internal/emulator"
)

// kills is how often a command is killed at a random instant.
const kills = 200

// keyHome is a home whose profile open starts from the key bot, with an AWS of
// its own.
type keyHome struct {
	t       *testing.T
	dir     string
	environ []string
}

const (
	botConfig = "[profile open]\nrole_arn = arn:aws:iam::222222222222:role/Open\nsource_profile = bot\n"
	botBefore = "# mine\n[bot]\naws_access_key_id = " + emulator.DemoBotKeyID + "\naws_secret_access_key = " + emulator.DemoBotSecret + "\n# the end\n"
	botAfter  = "# mine\n[bot]\n# the end\n"
)

// newKeyHome makes a home like another, or one with the key in the
// credentials file.
func newKeyHome(t *testing.T, like *keyHome) *keyHome {
	t.Helper()
	h := &keyHome{t: t, dir: t.TempDir()}
	server, err := emulator.New(emulator.Demo(), emulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := server.Listen("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	h.environ = []string{
		"HOME=" + h.dir, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + h.dir, "USER=jane", "GORACE=atexit_sleep_ms=0",
		"XDG_RUNTIME_DIR=" + filepath.Join(h.dir, "run"), "NO_PROXY=127.0.0.1", "AWS_ENDPOINT_URL=" + l.URL,
		"AWS_SWITCH_ROLE_KEYRING=passphrase", "AWS_SWITCH_ROLE_PASSPHRASE=correct horse",
	}
	if like != nil {
		if out, err := exec.Command("cp", "-a", like.dir+"/.", h.dir).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return h
	}
	write(t, filepath.Join(h.dir, ".aws", "config"), botConfig, 0o600)
	write(t, h.credentials(), botBefore, 0o600)
	return h
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
	if err != nil || len(leaks) > 0 {
		h.t.Fatalf("%s: a secret is in %v, %v", when, leaks, err)
	}
}

// afterRotation holds the home to what must be so after a rotation was killed.
func (h *keyHome) afterRotation(when string) {
	h.t.Helper()
	h.mustWork(when)
	h.mustBeSealed(when)
	h.must(when, "keys", "rotate", "bot")
	h.mustWork(when + ", and rotated")
	h.must(when, "keys", "rotate", "bot") // there is room for it: no key is left over
	list, err := h.command("aws-switch-role", "keys", "list").Output()
	if err != nil || bytes.Contains(list, []byte("unfinished")) {
		h.t.Fatalf("%s: %s, %v", when, list, err)
	}
}

// afterImport holds the home to what must be so after an import was killed.
func (h *keyHome) afterImport(when string) {
	h.t.Helper()
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

// killing are the commands that are killed, from what home, and what must be so
// then.
func killing(t *testing.T) map[string]struct {
	args  []string
	from  *keyHome
	after func(*keyHome, string)
} {
	imported, rotated := newKeyHome(t, nil), newKeyHome(t, nil)
	rotated.must("at first", "keys", "import", "bot")
	return map[string]struct {
		args  []string
		from  *keyHome
		after func(*keyHome, string)
	}{
		"import": {[]string{"keys", "import", "bot"}, imported, (*keyHome).afterImport},
		"rotate": {[]string{"keys", "rotate", "bot"}, rotated, (*keyHome).afterRotation},
	}
}

// TestKeysKilledAtRandom kills import and rotate: whenever that is, a working
// key is stored, and the next run does its work.
func TestKeysKilledAtRandom(t *testing.T) {
	for name, k := range killing(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newKeyHome(t, k.from)
			begun := time.Now()
			h.must("never killed", k.args...)
			whole := time.Since(begun)
			died := 0
			for range kills {
				h := newKeyHome(t, k.from)
				cmd := h.command(append([]string{"aws-switch-role"}, k.args...)...)
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				at := rand.N(whole * 5 / 4)
				time.Sleep(at)
				_ = cmd.Process.Kill() // it may have ended
				if err := cmd.Wait(); err != nil {
					died++
				}
				k.after(h, fmt.Sprintf("killed after %s of %s", at, whole))
				if err := os.RemoveAll(h.dir); err != nil {
					t.Fatal(err)
				}
			}
			if died < kills/4 {
				t.Errorf("only %d of %d were killed in time", died, kills)
			}
		})
	}
}
