//go:build unix

package cache

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func init() { children["full"] = saveToAFullDisk }

// TestHolderStopped: who waits for a process that sleeps is free to leave.
func TestHolderStopped(t *testing.T) {
	base := t.TempDir()
	cmd := command(t, "hold", base)
	ready(t, cmd)
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := childDir(base).LockDevice(ctx, "me")
	want := fmt.Sprintf("waiting for pid %d (asking for the MFA code): context deadline exceeded", cmd.Process.Pid)
	if err == nil || err.Error() != want || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v, want %s", err, want)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
}

// saveToAFullDisk saves where no file can grow to the size of an entry.
func saveToAFullDisk(base string) error {
	small := syscall.Rlimit{Cur: 500, Max: 500}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small); err != nil {
		return err
	}
	err := childDir(base).Save(chain(ops), 2, creds(2, time.Now().Add(time.Hour)))
	if !errors.Is(err, syscall.EFBIG) {
		return fmt.Errorf("Save: %v", err)
	}
	return nil
}

// TestFullDisk: what cannot be kept is an error, and takes nothing with it.
func TestFullDisk(t *testing.T) {
	base := t.TempDir()
	d := childDir(base)
	c := creds(1, time.Now().Add(time.Hour).Truncate(time.Second))
	if err := d.Save(chain(ops), 2, c); err != nil {
		t.Fatal(err)
	}
	if out, err := command(t, "full", base).Output(); err != nil {
		t.Errorf("%s, %v", out, err)
	}
	mustLoad(t, d, chain(ops).Key(2), c)
	if slices.ContainsFunc(names(t, d), func(n string) bool { return strings.HasPrefix(n, tempPrefix) }) {
		t.Error("the attempt left a file behind")
	}
}

// TestReadOnlyDirectory: sessions are still read, and a Save says why not.
func TestReadOnlyDirectory(t *testing.T) {
	d := newDir(t)
	k, c := save(t, d, ops, 1)
	if err := os.Chmod(d.path, 0o500); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := os.Chmod(d.path, 0o700); err != nil {
			t.Error(err)
		}
	}()
	withoutPrivilege(t, func() {
		if err := d.Save(chain(ops), 2, c); !errors.Is(err, os.ErrPermission) {
			t.Errorf("Save: %v", err)
		}
		got, err := d.Load(k)
		if err != nil || !equal(got, c) {
			t.Errorf("Load = %v, %v", got, err)
		}
	})
}
