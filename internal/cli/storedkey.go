package cli

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"aws-switch-role/internal/accesskey"
	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/keyring"
	"aws-switch-role/internal/plan"
)

// keyError says what is wrong with a long-lived key that is kept, or is to be
// kept, under a name.
type keyError struct {
	name string
	err  error
}

func (e *keyError) Error() string { return "key " + e.name + ": " + e.err.Error() }
func (e *keyError) Unwrap() error { return e.err }

// keyIndex is where it stands which keys the keyring holds.
func (a *app) keyIndex() accesskey.Index { return accesskey.NewIndex(a.folders().data) }

// inKeyring implements plan.Options' InKeyring.
func (a *app) inKeyring(profile string) (string, error) {
	keys, err := a.stored()
	return keys[profile].ID, err
}

// errKeyChanged says that another process has changed a key since this one
// made its plan.
var errKeyChanged = errors.New("it was changed by another process in the meantime")

// storedKey reads long-lived keys for the hops of a run, from the keyring each
// once.
func (a *app) storedKey(f *switchFlags) func(context.Context, plan.StoredKey) (cred.Credentials, error) {
	var turn sync.Mutex
	read := map[string]cred.Credentials{}
	return func(ctx context.Context, k plan.StoredKey) (cred.Credentials, error) {
		if !k.Keyring {
			return a.fileKey(k.Profile)
		}
		turn.Lock()
		defer turn.Unlock()
		if c, ok := read[k.Profile]; ok {
			return c, nil
		}
		c, err := a.keyringKey(ctx, f, k)
		if err != nil {
			return cred.Credentials{}, &keyError{k.Profile, err}
		}
		read[k.Profile] = c
		return c, nil
	}
}

// keyringKey reads a key from the keyring. One that the keyring does not hold
// may still be in the files.
func (a *app) keyringKey(ctx context.Context, f *switchFlags, k plan.StoredKey) (cred.Credentials, error) {
	defer a.waitingForKeyring(f)()
	ring, err := a.openKeyring(ctx, f, keyring.AccessKeys)
	if err != nil {
		return cred.Credentials{}, err
	}
	defer ring.Close()
	c, err := (&accesskey.Store{Keyring: ring}).Get(ctx, k.Profile)
	if errors.Is(err, keyring.ErrNotFound) {
		if c, ferr := a.fileKey(k.Profile); ferr == nil && c.AccessKeyID == k.AccessKeyID {
			return c, nil
		}
	}
	if err != nil || c.AccessKeyID == k.AccessKeyID {
		return c, err
	}
	// A rotation puts the new key in its place before the index says so.
	keys, err := a.keyIndex().Read()
	if err != nil {
		return cred.Credentials{}, err
	}
	if r := keys[k.Profile].Rotation; r == nil || r.New != c.AccessKeyID {
		return cred.Credentials{}, errKeyChanged
	}
	return c, nil
}

// envchainError says what is wrong with a namespace of envchain.
type envchainError struct {
	namespace string
	missing   string // a variable, where that is what is wrong
	err       error
}

func (e *envchainError) Error() string {
	if e.missing != "" {
		return fmt.Sprintf("envchain's namespace %s has no %s", e.namespace, e.missing)
	}
	return fmt.Sprintf("envchain's namespace %s: %v", e.namespace, e.err)
}

func (e *envchainError) Unwrap() error { return e.err }

// envchainKey reads the key in a namespace of envchain, from envchain's own
// store.
func (a *app) envchainKey(ctx context.Context, f *switchFlags, namespace string) (cred.Credentials, error) {
	const id, secret, token = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"
	done := a.waitingForKeyring(f)
	values, err := keyring.Envchain(ctx, a.keyringOptions(f, keyring.AccessKeys), namespace, id, secret, token)
	done()
	if err != nil {
		return cred.Credentials{}, &envchainError{namespace: namespace, err: err}
	}
	for _, v := range []string{id, secret} {
		if len(values[v]) == 0 {
			return cred.Credentials{}, &envchainError{namespace: namespace, missing: v}
		}
	}
	return cred.Credentials{
		AccessKeyID:     string(values[id]),
		SecretAccessKey: cred.NewSecret(string(values[secret])),
		SessionToken:    cred.NewSecret(string(values[token])),
	}, nil
}
