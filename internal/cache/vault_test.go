package cache

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func newTestVault(t *testing.T) *Vault {
	t.Helper()
	return vaultUnder(filepath.Join(t.TempDir(), "vault"), 7)
}

// vaultUnder is the vault in a directory under a key of such bytes.
func vaultUnder(dir string, b byte) *Vault {
	return New("", "", func() ([]byte, error) { return bytes.Repeat([]byte{b}, KeySize), nil }, Options{}).Vault(dir)
}

func (v *Vault) put(t *testing.T, name, text string) {
	t.Helper()
	keep, _, err := v.Reserve(name)
	if err == nil {
		err = keep([]byte(text))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestVaultKeeps(t *testing.T) {
	v := newTestVault(t)
	if _, err := v.Load("aa"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of nothing: %v", err)
	}
	v.put(t, "aa", "first")
	v.put(t, "aa", "a SECRET")
	v.put(t, "bb", "other")
	if text, err := v.Load("aa"); string(text) != "a SECRET" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	sealed, err := os.ReadFile(filepath.Join(v.path, "aa.sealed"))
	if err != nil || bytes.Contains(sealed, []byte("SECRET")) {
		t.Errorf("it is there to read: %v", err)
	}
	if names, err := v.Names(); len(names) != 2 || err != nil {
		t.Errorf("%q, %v", names, err)
	}
	if err := errors.Join(v.Remove("aa"), v.Remove("aa")); err != nil {
		t.Error(err)
	}
	if _, err := v.Load("aa"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after its removal: %v", err)
	}
}

// A secret under another's name, with a byte changed or under another key does
// not open.
func TestVaultOpensNothingElse(t *testing.T) {
	v := newTestVault(t)
	v.put(t, "aa", "a SECRET")
	path := filepath.Join(v.path, "aa.sealed")
	sealed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(v.path, "bb.sealed"), sealed, 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := v.Load("bb"); !errors.Is(err, errSealed) {
		t.Errorf("under another name: %q, %v", text, err)
	}
	other := vaultUnder(v.path, 8)
	if text, err := other.Load("aa"); !errors.Is(err, errSealed) {
		t.Errorf("under another key: %q, %v", text, err)
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if err := os.WriteFile(path, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		if text, err := v.Load("aa"); err == nil {
			t.Fatalf("byte %d changed: %q", i, text)
		}
	}
	for _, name := range []string{"", "..", "a/b", "../aa"} {
		if _, err := v.Load(name); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("name %q: %v", name, err)
		}
	}
}

// A writer that gives up leaves what was there, and no file of its own.
func TestVaultDiscards(t *testing.T) {
	v := newTestVault(t)
	v.put(t, "aa", "old")
	_, discard, err := v.Reserve("aa")
	if err != nil {
		t.Fatal(err)
	}
	discard()
	if text, err := v.Load("aa"); string(text) != "old" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	if left, err := os.ReadDir(v.path); len(left) != 1 || err != nil {
		t.Errorf("%v, %v", left, err)
	}
}
