//go:build unix

package keyring

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestFileIsPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "er", "keyring")
	old := unix.Umask(0)
	defer unix.Umask(old)
	asked := 0
	if err := testFile(path, "correct horse", &asked).Set(t.Context(), "a", []byte("x")); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != want {
			t.Errorf("%s has mode %v (%v), want %v", path, fi.Mode(), err, want)
		}
	}
}

// TestFileIsNoFIFO opens what would block for ever.
func TestFileIsNoFIFO(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyring")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	asked := 0
	if _, err := testFile(path, "correct horse", &asked).Get(t.Context(), "a"); !errors.Is(err, ErrUnavailable) {
		t.Errorf("Get: %v", err)
	}
}
