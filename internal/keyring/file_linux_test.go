package keyring

import (
	"context"
	"path/filepath"
	"testing"
)

// TestPassphraseIsUnlockedOnce keeps the stretched passphrase in the kernel, as
// Open has it.
func TestPassphraseIsUnlockedOnce(t *testing.T) {
	asked := 0
	o := Options{Kind: AccessKeys, File: filepath.Join(tempDir(t), "keyring"), AskPassphrase: func(context.Context, bool) (string, error) {
		asked++
		return "correct horse", nil
	}}
	for range 2 {
		k, err := Open(t.Context(), Passphrase, o)
		if err != nil {
			t.Fatal(err)
		}
		if err := k.Set(t.Context(), "a", []byte("SECRET")); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unlocked().Delete(context.Background(), k.keyring.(*file).stretch.name()) })
	}
	if asked != 1 {
		t.Errorf("the passphrase was asked for %d times, want once", asked)
	}
}
