//go:build unix

package hop

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/emulator"
	"aws-switch-role/internal/plan"
)

// TestRefreshProcess is what the processes do that other tests start: the SSO hop that
// the environment describes. They die where HOP_TEST_DIE says.
func TestRefreshProcess(t *testing.T) {
	if os.Getenv("HOP_TEST_HOME") == "" {
		return
	}
	var h plan.SSO
	if err := json.Unmarshal([]byte(os.Getenv("HOP_TEST_HOP")), &h); err != nil {
		t.Fatal(err)
	}
	cache := filepath.Join(os.Getenv("HOP_TEST_HOME"), ".aws", "sso", "cache")
	p := &Performer{SSOCache: cache, Lock: func(ctx context.Context, name string) (func(), error) {
		unlock, err := flock(ctx, filepath.Join(os.Getenv("HOP_TEST_HOME"), filepath.Base(name)+".lock"))
		if os.Getenv("HOP_TEST_DIE") == "locked" {
			die()
		}
		return func() {
			if os.Getenv("HOP_TEST_DIE") == "renewed" {
				die()
			}
			unlock()
		}, err
	}}
	_, _ = os.Stdout.WriteString("started\n")
	if _, err := p.Perform(t.Context(), h, cred.Credentials{}); err != nil {
		t.Fatal(err)
	}
	os.Exit(0) // what the whole run's end checks is not for this process
}

func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// flock is the lock of a real program: the kernel's, which ends with the
// process.
func flock(ctx context.Context, path string) (func(), error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, err
	}
	for syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			_ = f.Close()
			return nil, ctx.Err()
		}
	}
	return func() { _ = f.Close() }, nil
}

// process prepares a process that does the hop of b's developer.
func (b *bench) process(dieAt string) *exec.Cmd {
	h, err := json.Marshal(b.developer())
	if err != nil {
		b.t.Fatal(err)
	}
	cmd := exec.CommandContext(b.t.Context(), os.Args[0], "-test.run=^TestRefreshProcess$")
	cmd.Env = append(os.Environ(), "HOP_TEST_HOME="+b.home, "HOP_TEST_HOP="+string(h), "HOP_TEST_DIE="+dieAt, "NO_PROXY=127.0.0.1")
	return cmd
}

// reserveFails makes a directory take no new file, of root's neither.
func reserveFails(t *testing.T, dir string) {
	t.Helper()
	if os.Geteuid() != 0 {
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
		return
	}
	if out, err := exec.Command("chattr", "+i", dir).CombinedOutput(); err != nil {
		t.Fatalf("chattr: %v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("chattr", "-i", dir).Run() })
}

// Where nothing can be written, no refresh token is spent.
func TestNoPlaceSpendsNoToken(t *testing.T) {
	b := newBench(t)
	path := b.signIn(-time.Minute)
	before := b.read(path)
	reserveFails(t, b.SSOCache)
	if _, err := b.Perform(t.Context(), b.developer(), cred.Credentials{}); !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("err = %v", err)
	}
	b.expectAsked(map[string]int{"CreateToken": 0})
	if !slices.Equal(before, b.read(path)) {
		t.Error("the file has changed")
	}
}

func TestManyProcessesRenewOnce(t *testing.T) {
	b := newBench(t)
	path := b.signIn(-time.Minute)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if out, err := b.process("").CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	wg.Wait()
	b.expectAsked(map[string]int{"CreateToken": 1, "GetRoleCredentials": 20})
	b.alone(path)
}

// Killed at any step, a renewal leaves a whole file, whose refresh token is
// good unless AWS has just taken it and nobody could be told of the new one.
func TestKilledRenewals(t *testing.T) {
	for _, step := range []string{"locked", "renewed"} {
		t.Run(step, func(t *testing.T) {
			b := newBench(t)
			path := b.signIn(-time.Minute)
			if err := b.process(step).Run(); err == nil {
				t.Fatal("it lives")
			}
			b.expectGood(path)
		})
	}
	t.Run("sent", func(t *testing.T) {
		b := newBench(t)
		path := b.signIn(-time.Minute)
		b.server.Inject(emulator.Fault{Action: "CreateToken", Effect: emulator.Stall()})
		cmd := b.process("")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for len(strays(t, path)) == 0 {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(20 * time.Millisecond)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		b.server.Heal()
		b.expectGood(path)
	})
	t.Run("sweep", func(t *testing.T) {
		lost := 0
		for i := range 40 {
			b := newBench(t)
			path := b.signIn(-time.Minute)
			before := b.fields(path)
			cmd := b.process("")
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(i) * 250 * time.Microsecond)
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			after := b.fields(path)
			if !slices.Contains(b.server.RefreshTokens(), after["refreshToken"].(string)) {
				lost++
				if after["refreshToken"] != before["refreshToken"] {
					t.Error("the file has a refresh token that is neither the old nor the new one")
				}
			}
			if after["clientSecret"] != before["clientSecret"] {
				t.Error("the client's registration is lost")
			}
		}
		t.Logf("of 40 killed, %d while AWS's answer was on its way", lost)
	})
}

// expectGood checks that the sign-in can go on.
func (b *bench) expectGood(path string) {
	b.t.Helper()
	if got := b.fields(path)["refreshToken"].(string); !slices.Contains(b.server.RefreshTokens(), got) {
		b.t.Error("the refresh token is lost")
	}
	if _, err := b.Perform(b.t.Context(), b.developer(), cred.Credentials{}); err != nil {
		b.t.Error(err)
	}
}

func strays(t *testing.T, path string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), placePrefix) {
			names = append(names, e.Name())
		}
	}
	return names
}
