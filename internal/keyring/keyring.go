// Package keyring keeps small secrets where the operating system, or a program
// that the user trusts with passwords already, keeps them: the Secret Service,
// the kernel, the macOS Keychain, the Windows Credential Manager, pass, or one
// file under a passphrase.
//
// No call hangs. What answers by itself answers within seconds or counts as
// unavailable; what waits for a person ends with the caller's context, and at
// the latest after a minute. Nothing is printed and no environment is read:
// all that matters is in [Options].
//
// There is no way to list the names in a keyring, since the macOS Keychain
// offers none that asks no questions. Names are no secrets: whoever wants to
// list them without unlocking anything keeps them elsewhere.
package keyring

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"
)

// Keyring keeps secrets under names. Its methods may be called by many at
// once. Names are 1 to [MaxName] bytes of UTF-8 without NUL, told apart by
// case; secrets are never empty.
type Keyring interface {
	// Get returns the secret kept under name, or [ErrNotFound].
	Get(ctx context.Context, name string) ([]byte, error)
	// Set keeps secret under name, replacing what was there. Every keyring
	// takes 2 KiB (the Windows Credential Manager has room for 2,560 bytes).
	Set(ctx context.Context, name string, secret []byte) error
	// Delete forgets the secret kept under name. It returns [ErrNotFound]
	// when there is none.
	Delete(ctx context.Context, name string) error
}

var (
	// ErrNotFound says that a keyring has no secret of a name.
	ErrNotFound = errors.New("not in the keyring")
	// ErrUnavailable says that a keyring cannot be used here and now: it does
	// not exist, does not answer or does not let us in.
	ErrUnavailable = errors.New("not available")
	// ErrLocked says that a keyring is there and must be unlocked by a person,
	// who could not be asked.
	ErrLocked = errors.New("locked")
	// ErrDismissed says that a person was asked to unlock the keyring, and
	// refused.
	ErrDismissed = errors.New("unlocking it was refused")
	// ErrPassphrase says that a passphrase does not open the sealed file.
	ErrPassphrase = errors.New("wrong passphrase")
	// ErrShortPassphrase says that a new passphrase is too easy to guess.
	ErrShortPassphrase = errors.New("a new passphrase needs at least 8 characters")
	// ErrSize says that a secret is empty or larger than the keyring takes.
	ErrSize = errors.New("a secret of this size cannot be kept")
)

// Limits on what is kept, and on what is believed when it is read.
const (
	MaxName   = 256
	MaxSecret = 64 << 10
)

// application is the name that our secrets stand under everywhere.
const application = "aws-switch-role"

// Kind says what the secrets in a keyring are for. Those of different kinds
// never meet.
type Kind string

const (
	// SessionKeys seal cached sessions. To lose one costs an MFA code.
	SessionKeys Kind = "session-key"
	// AccessKeys are long-lived. To lose one costs a visit to the console, so
	// none is ever kept where a reboot would take it.
	AccessKeys Kind = "access-key"
)

// unlockedKeys are derived from a passphrase, and save it from being asked for
// again.
const unlockedKeys Kind = "unlocked-key"

func checkName(name string) error {
	if name == "" || len(name) > MaxName || !utf8.ValidString(name) || strings.ContainsRune(name, 0) {
		return fmt.Errorf("%q cannot be the name of a secret", name)
	}
	return nil
}

func checkSecret(secret []byte) error {
	if len(secret) == 0 || len(secret) > MaxSecret {
		return fmt.Errorf("%w: %d bytes", ErrSize, len(secret))
	}
	return nil
}

// escape writes name in lower-case letters, digits and marks that file
// systems, command lines and keychains take as they are. Different names stay
// different, also where upper and lower case are the same.
func escape(name string) string {
	const readable = 128
	var b strings.Builder
	for i, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '_', i > 0 && (c == '-' || c == '.'):
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	if b.Len() > readable {
		sum := sha256.Sum256([]byte(name))
		return b.String()[:readable] + "=" + hex.EncodeToString(sum[:])
	}
	return b.String()
}

// sessionKeyName carries a version: a different use of the key is a different
// key.
const sessionKeyName = "v1"

// SessionKey returns the 32 random bytes in k that cached sessions are sealed
// under. The first call makes them, while it holds lock, and trusts them only
// once they were read back: of two processes that start at once both use the
// same key, and sessions are never sealed under one that was not kept.
func SessionKey(ctx context.Context, k Keyring, lock func(context.Context) (unlock func(), err error)) ([]byte, error) {
	key, err := readSessionKey(ctx, k)
	if !errors.Is(err, ErrNotFound) {
		return key, err
	}
	unlock, err := lock(ctx)
	if err != nil {
		return nil, fmt.Errorf("locking the session key: %w", err)
	}
	defer unlock()
	key, err = readSessionKey(ctx, k)
	if !errors.Is(err, ErrNotFound) {
		return key, err
	}

	made := make([]byte, sha256.Size)
	_, _ = rand.Read(made) // never fails
	if err := k.Set(ctx, sessionKeyName, made); err != nil {
		return nil, fmt.Errorf("keeping a new session key: %w", err)
	}
	key, err = readSessionKey(ctx, k)
	if err != nil {
		return nil, fmt.Errorf("reading the new session key back: %w", err)
	}
	if subtle.ConstantTimeCompare(key, made) != 1 {
		return nil, fmt.Errorf("%w: another session key came back than was kept", ErrUnavailable)
	}
	return key, nil
}

func readSessionKey(ctx context.Context, k Keyring) ([]byte, error) {
	key, err := k.Get(ctx, sessionKeyName)
	if err != nil {
		return nil, err
	}
	if len(key) != sha256.Size {
		return nil, fmt.Errorf("the session key in the keyring has %d bytes, not %d", len(key), sha256.Size)
	}
	return key, nil
}

// DropSessionKey forgets the session key in k: what was sealed under it can
// never be opened again.
func DropSessionKey(ctx context.Context, k Keyring) error {
	err := k.Delete(ctx, sessionKeyName)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// Memory is a [Keyring] that lives as long as the process. The zero value is
// empty and ready for use.
type Memory struct {
	mu      sync.Mutex // guards secrets
	secrets map[string]string
}

// Get implements [Keyring].
func (m *Memory) Get(_ context.Context, name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	secret, ok := m.secrets[name]
	if !ok {
		return nil, ErrNotFound
	}
	return []byte(secret), nil
}

// Set implements [Keyring].
func (m *Memory) Set(_ context.Context, name string, secret []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.secrets == nil {
		m.secrets = map[string]string{}
	}
	m.secrets[name] = string(secret)
	return nil
}

// Delete implements [Keyring].
func (m *Memory) Delete(_ context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.secrets[name]; !ok {
		return ErrNotFound
	}
	delete(m.secrets, name)
	return nil
}

// none is the keyring of those who want none.
type none struct{}

func (none) Get(context.Context, string) ([]byte, error) { return nil, ErrUnavailable }
func (none) Set(context.Context, string, []byte) error   { return ErrUnavailable }
func (none) Delete(_ context.Context, _ string) error    { return ErrUnavailable }
