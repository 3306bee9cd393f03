//go:build darwin || windows

package keyring

import (
	"errors"
	"os"
	"testing"
	"time"

	zalando "github.com/zalando/go-keyring"
)

// TestKeychain holds what we put around a keychain to the contract, with one
// that no system has, and with wine's Credential Manager. Any other is
// somebody's.
func TestKeychain(t *testing.T) {
	opened := &Opened{Choice: Keychain, keyring: newKeychain(Options{Kind: SessionKeys})}
	open := func() Keyring { return opened }
	if os.Getenv("WINEPREFIX") != "" {
		suite(t, open)
	}
	zalando.MockInit()
	suite(t, open)

	locked := errors.New("locked")
	zalando.MockInitWithError(locked)
	k := newKeychain(Options{Kind: "test"})
	if _, err := k.Get(t.Context(), "name"); !errors.Is(err, ErrUnavailable) || !errors.Is(err, locked) {
		t.Errorf("a locked keychain says %v", err)
	}
	k.timeout = time.Millisecond
	blocked := make(chan struct{})
	defer close(blocked)
	if _, err := k.bounded(t.Context(), func() (string, error) { <-blocked; return "", nil }); !errors.Is(err, ErrUnavailable) {
		t.Errorf("a keychain that does not answer says %v", err)
	}
}
