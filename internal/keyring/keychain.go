//go:build darwin || windows

package keyring

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	zalando "github.com/zalando/go-keyring"
)

// keychain is the keyring that the operating system comes with.
//
// On macOS items are read through /usr/bin/security, so that any script of the
// user's can read them once the keychain is unlocked.
type keychain struct {
	kind    Kind
	timeout time.Duration
	one     *sync.Mutex // call at a time: what is read back is what was set, not what another has set since
}

func newKeychain(o Options) keychain {
	// Windows has been seen to take 17 s on machines that are locked down.
	k := keychain{o.Kind, 20 * time.Second, new(sync.Mutex)}
	if o.MayPrompt {
		k.timeout = time.Minute
	}
	return k
}

// account is the name that an item has in the keychain. It is escaped because
// Windows does not tell upper from lower case, and security takes its orders a
// line at a time.
func (k keychain) account(name string) string { return string(k.kind) + "/" + escape(name) }

// Get implements [Keyring].
func (k keychain) Get(ctx context.Context, name string) ([]byte, error) {
	return k.bounded(ctx, func() (string, error) { return zalando.Get(application, k.account(name)) })
}

// Set implements [Keyring]. What was set is read back, since security does not
// say when it has failed.
func (k keychain) Set(ctx context.Context, name string, secret []byte) error {
	kept, err := k.bounded(ctx, func() (string, error) {
		if err := zalando.Set(application, k.account(name), string(secret)); err != nil {
			return "", err
		}
		return zalando.Get(application, k.account(name))
	})
	if err == nil && string(kept) != string(secret) {
		err = fmt.Errorf("%w: the secret was not kept", ErrUnavailable)
	}
	return err
}

// Delete implements [Keyring].
func (k keychain) Delete(ctx context.Context, name string) error {
	_, err := k.bounded(ctx, func() (string, error) { return "", zalando.Delete(application, k.account(name)) })
	return err
}

// bounded waits for do as long as it may take. One that takes longer is left
// behind: the system's calls cannot be interrupted.
func (k keychain) bounded(ctx context.Context, do func() (string, error)) ([]byte, error) {
	type answer struct {
		secret string
		err    error
	}
	answers := make(chan answer, 1)
	go func() {
		k.one.Lock()
		defer k.one.Unlock()
		secret, err := do()
		answers <- answer{secret, err}
	}()
	select {
	case a := <-answers:
		switch {
		case errors.Is(a.err, zalando.ErrNotFound):
			return nil, ErrNotFound
		case errors.Is(a.err, zalando.ErrSetDataTooBig):
			return nil, ErrSize
		case a.err != nil:
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, a.err)
		}
		return []byte(a.secret), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(k.timeout):
		return nil, fmt.Errorf("%w: no answer within %v", ErrUnavailable, k.timeout)
	}
}

func (o Options) probe(context.Context, Keyring) error { return nil }

// unlocked is where keys derived from a passphrase would be kept for a while.
func unlocked() Keyring { return none{} }
