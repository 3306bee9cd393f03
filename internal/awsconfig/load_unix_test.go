//go:build unix

package awsconfig

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestLoadPipe fails by waiting for ever when Load opens a pipe to read it.
func TestLoadPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(pipe, ""); err == nil || !strings.Contains(err.Error(), pipe+" is not a regular file") {
		t.Errorf("Load = %v", err)
	}
}

func TestLoadNullByLink(t *testing.T) {
	link := filepath.Join(t.TempDir(), "credentials")
	if err := os.Symlink(os.DevNull, link); err != nil {
		t.Fatal(err)
	}
	if _, err := Load("", link); err != nil {
		t.Error(err)
	}
}

func TestLoadUnreadable(t *testing.T) {
	dir := t.TempDir()
	loop, file := filepath.Join(dir, "loop"), filepath.Join(dir, "file")
	if err := os.Symlink(loop, loop); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	// A file that the user may not read would do, but not for root.
	for _, path := range []string{loop, filepath.Join(file, "config")} {
		if _, err := Load("", path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("Load(%q) = %v", path, err)
		}
	}
}
