package keyring

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// testPass makes a password store with a key of its own, under a passphrase
// when one is given.
func testPass(t *testing.T, passphrase string) Options {
	t.Helper()
	gpg := program(t, "gpg", "gnupg")
	home := tempDir(t)
	o := Options{Kind: SessionKeys, PassProgram: program(t, "pass", "pass"), PassEnvironment: []string{
		"HOME=" + home, "GNUPGHOME=" + home, "PASSWORD_STORE_DIR=" + filepath.Join(home, "store"), "PATH=" + os.Getenv("PATH"), "LC_ALL=de_DE.UTF-8",
	}}
	run := func(name string, args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Env = o.PassEnvironment
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s %s: %v\n%s", name, args, err, out)
		}
	}
	t.Cleanup(func() {
		cmd := exec.Command("gpgconf", "--kill", "all")
		cmd.Env = o.PassEnvironment
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("gpgconf: %v\n%s", err, out)
		}
	})
	run(gpg, "--batch", "--pinentry-mode=loopback", "--passphrase", passphrase, "--quick-generate-key", "test@example.com", "future-default", "default", "never")
	run(o.PassProgram, "init", "test@example.com")
	if passphrase != "" { // forget it
		run("gpgconf", "--kill", "gpg-agent")
	}
	return o
}

func openPass(t *testing.T, o Options) *Opened {
	t.Helper()
	k, err := Open(t.Context(), Pass, o)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestPass(t *testing.T) {
	o := testPass(t, "")
	suite(t, func() Keyring { return openPass(t, o) })

	// People find their entries, and nothing else of the store is touched.
	k := openPass(t, o)
	if err := k.Set(t.Context(), "main-account", []byte("SECRET")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(o.PassProgram, "show", "aws-switch-role/session-key/main-account")
	cmd.Env = o.PassEnvironment
	if out, err := cmd.Output(); err != nil || string(out) != "U0VDUkVU\n" {
		t.Errorf("pass shows %q, %v", out, err)
	}
	cmd = exec.Command(o.PassProgram, "insert", "-m", "-f", "aws-switch-role/session-key/main-account")
	cmd.Env, cmd.Stdin = o.PassEnvironment, strings.NewReader("changed by hand\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got, err := k.Get(t.Context(), "main-account"); !errors.Is(err, ErrUnavailable) {
		t.Errorf("an entry changed by hand: %q, %v", got, err)
	}
}

func TestPassIsLocked(t *testing.T) {
	o := testPass(t, "a passphrase")
	k := openPass(t, o)
	if err := k.Set(t.Context(), "a", []byte("SECRET")); err != nil {
		t.Fatal(err) // to encrypt needs no passphrase
	}
	ends(t, func() {
		if _, err := k.Get(t.Context(), "a"); !errors.Is(err, ErrLocked) {
			t.Errorf("Get: %v, want ErrLocked", err)
		}
	})
}

func TestPassIsNotSetUp(t *testing.T) {
	home := tempDir(t)
	k := openPass(t, Options{Kind: SessionKeys, PassProgram: program(t, "pass", "pass"), PassEnvironment: []string{"HOME=" + home, "PATH=" + os.Getenv("PATH")}})
	if err := k.Set(t.Context(), "a", []byte("SECRET")); !errors.Is(err, ErrUnavailable) {
		t.Errorf("Set: %v, want ErrUnavailable", err)
	}
	k = openPass(t, Options{Kind: SessionKeys, PassProgram: filepath.Join(home, "pass")})
	if _, err := k.Get(t.Context(), "a"); !errors.Is(err, ErrUnavailable) {
		t.Errorf("Get: %v, want ErrUnavailable", err)
	}
}

// TestPassHangs has a pass that never ends, with a child that holds its pipes.
func TestPassHangs(t *testing.T) {
	script := filepath.Join(tempDir(t), "pass")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nsleep 4\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	p := newPass(Options{Kind: SessionKeys, PassProgram: script})
	p.timeout = 100 * time.Millisecond
	ends(t, func() {
		if _, err := p.Get(t.Context(), "a"); !errors.Is(err, ErrUnavailable) {
			t.Errorf("Get: %v, want ErrUnavailable", err)
		}
	})
	p.timeout = time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	ends(t, func() {
		if _, err := p.Get(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Get: %v, want the context's error", err)
		}
	})
}

func TestPassKeepsItsOptions(t *testing.T) {
	env := []string{"A=1", gpgOptions + "=--always-trust", "B=2"}
	for mayPrompt, want := range map[bool]string{
		true:  "[A=1 " + gpgOptions + "=--always-trust B=2]",
		false: "[A=1 B=2 " + gpgOptions + "=--always-trust --batch --pinentry-mode=error]",
	} {
		p := newPass(Options{PassEnvironment: env, MayPrompt: mayPrompt})
		if got := fmt.Sprint(p.env); got != want {
			t.Errorf("it runs with %s, want %s", got, want)
		}
	}
	if !slices.Equal(env, []string{"A=1", gpgOptions + "=--always-trust", "B=2"}) {
		t.Errorf("the caller's environment became %s", env)
	}
}
