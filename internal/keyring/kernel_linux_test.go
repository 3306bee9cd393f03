package keyring

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// testKind keeps tests away from the user's own keys, and from each other's.
func testKind() Kind { return Kind("test-" + rand.Text()) }

func TestKernel(t *testing.T) {
	k := &Opened{Kernel, nil, kernel{kind: testKind()}}
	suite(t, func() Keyring { return k })
}

func TestKernelForgetsInTime(t *testing.T) {
	k := kernel{testKind(), time.Second}
	begun := time.Now()
	if err := k.Set(t.Context(), "a", []byte("SECRET")); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Get(t.Context(), "a"); err != nil && time.Since(begun) < time.Second {
		t.Fatal(err)
	}
	soon(t, "the key does not expire", func() error {
		if _, err := k.Get(t.Context(), "a"); !errors.Is(err, ErrNotFound) {
			return fmt.Errorf("Get: %w", err)
		}
		return nil
	})
	if err := k.Set(t.Context(), "a", []byte("again")); err != nil {
		t.Errorf("Set after the end: %v", err)
	}
	if err := k.Delete(t.Context(), "a"); err != nil {
		t.Error(err)
	}
}

// TestKernelWithoutPossession uses the keyring from a session that does not
// link it, as cron and some systemd units do.
func TestKernelWithoutPossession(t *testing.T) {
	k := kernel{kind: testKind()}
	script := `exec "$0" -test.run="^TestKernelInSession$" -test.v`
	run := func(mode string) string {
		cmd := exec.Command("/bin/sh", "-c", script, os.Args[0])
		cmd.Env = append(os.Environ(), "KEYRING_TEST_SESSION="+mode, "KEYRING_TEST_KIND="+string(k.kind))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", mode, err, out)
		}
		return string(out)
	}
	run("set")
	if got, err := k.Get(t.Context(), "a"); err != nil || string(got) != "SECRET" {
		t.Errorf("what another session has set: %q, %v", got, err)
	}
	run("get")
	if err := k.Delete(t.Context(), "a"); err != nil {
		t.Error(err)
	}
}

// TestKernelInSession is the other side of TestKernelWithoutPossession. Alone
// it does both, from the session that the tests run in.
func TestKernelInSession(t *testing.T) {
	kind, mode := Kind(os.Getenv("KEYRING_TEST_KIND")), os.Getenv("KEYRING_TEST_SESSION")
	if mode == "" {
		kind = testKind()
	} else {
		// A new session keyring links nothing. A name makes it a named one: the
		// wrapper cannot pass the NULL of an anonymous one.
		if _, err := unix.KeyctlJoinSessionKeyring("asr-" + string(kind)); err != nil {
			t.Fatal(err)
		}
	}
	k := kernel{kind: kind}
	if mode != "get" {
		if err := k.Set(t.Context(), "a", []byte("SECRET")); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := k.Get(t.Context(), "a"); err != nil || string(got) != "SECRET" {
		t.Errorf("Get: %q, %v", got, err)
	}
	id, err := unix.KeyctlSearch(unix.KEY_SPEC_USER_KEYRING, userKey, k.description("a"), 0)
	if err != nil {
		t.Fatal(err)
	}
	about, err := unix.KeyctlString(unix.KEYCTL_DESCRIBE, id)
	if err != nil || !strings.Contains(about, ";3f1b0000;") {
		t.Errorf("the key is %q (%v), want permissions 3f1b0000", about, err)
	}
	if mode == "" {
		if err := k.Delete(t.Context(), "a"); err != nil {
			t.Error(err)
		}
	}
}

// TestKernelForbidden runs where seccomp forbids the calls, as in a container.
func TestKernelForbidden(t *testing.T) {
	strace := program(t, "strace", "strace")
	for _, errno := range []string{"EPERM", "ENOSYS", "EACCES"} {
		cmd := exec.Command(strace, "-f", "-qq", "-o", "/dev/null", "-e", "trace=add_key,keyctl,request_key",
			"-e", "inject=add_key,keyctl,request_key:error="+errno, os.Args[0], "-test.run=^TestKernelIsUnavailable$", "-test.v")
		cmd.Env = append(os.Environ(), "KEYRING_TEST_FORBIDDEN=1")
		out, err := cmd.CombinedOutput()
		if err != nil || !bytes.Contains(out, []byte("PASS: TestKernelIsUnavailable")) {
			t.Errorf("%s: %v\n%s", errno, err, out)
		}
	}
}

// TestKernelIsUnavailable says the opposite unless TestKernelForbidden runs it.
func TestKernelIsUnavailable(t *testing.T) {
	k := kernel{kind: testKind()}
	forbidden := os.Getenv("KEYRING_TEST_FORBIDDEN") != ""
	_, get := k.Get(t.Context(), "a")
	for _, err := range []error{k.probe(), get, k.Set(t.Context(), "a", []byte("SECRET"))} {
		if errors.Is(err, ErrUnavailable) != forbidden {
			t.Errorf("%v; forbidden: %v", err, forbidden)
		}
	}
	o, err := Open(t.Context(), Auto, Options{Kind: SessionKeys})
	if err != nil || (o.Choice == None) != forbidden || (o.Choice == Kernel) == forbidden {
		t.Errorf("Auto is %v (%v); forbidden: %v", o, err, forbidden)
	}
	if !forbidden {
		if err := k.Delete(t.Context(), "a"); err != nil {
			t.Error(err)
		}
	}
}

// TestKernelQuota has a user without room for one more key.
func TestKernelQuota(t *testing.T) {
	self := filepath.Join(tempDir(t), "test")
	binary, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(self, binary, 0o755), os.Chmod(scratch, 0o711), os.Chmod(filepath.Dir(self), 0o711)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = []string{"KEYRING_TEST_FILL=1"}
	cmd.Dir = "/"
	if os.Getuid() == 0 { // root's quota is a million keys
		cmd.SysProcAttr = &unix.SysProcAttr{Credential: &syscall.Credential{Uid: 47_114, Gid: 47_114}}
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func fillQuota() int {
	full := false
	for i := range 10_000 {
		if _, err := unix.AddKey(userKey, fmt.Sprint("asr-fill-", i), []byte("x"), unix.KEY_SPEC_PROCESS_KEYRING); err != nil {
			full = errors.Is(err, unix.EDQUOT)
			fmt.Println(i, "keys:", err)
			break
		}
	}
	k := kernel{kind: SessionKeys}
	probed, set := k.probe(), k.Set(context.Background(), "quota", []byte("x"))
	fmt.Println("probe:", probed, "set:", set)
	if !full || !errors.Is(probed, ErrUnavailable) || !errors.Is(set, ErrUnavailable) {
		return 1
	}
	return 0
}
