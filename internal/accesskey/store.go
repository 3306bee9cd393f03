package accesskey

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/keyring"
)

// ErrMalformed says that a key is none: AWS would not have issued it.
var ErrMalformed = errors.New("not an access key")

// MaxName is the length of the longest name of a key, in bytes.
const MaxName = 200

// CheckName reports why a key cannot be stored under name.
func CheckName(name string) error {
	if name == "" || len(name) > MaxName || !utf8.ValidString(name) || strings.TrimSpace(name) != name ||
		strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fmt.Errorf("%q cannot be the name of a key: it is 1 to %d printable characters", name, MaxName)
	}
	return nil
}

// Check reports why c cannot be a long-lived key. An access key id is 16 to
// 128 capitals and digits (IAM API Reference, AccessKey); one that begins with
// ASIA belongs to a session (IAM User Guide, "Unique identifiers").
func Check(c cred.Credentials) error {
	id, secret := c.AccessKeyID, c.SecretAccessKey.Reveal()
	switch {
	case len(id) < 16 || len(id) > 128 || strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "":
		return fmt.Errorf("%w: the access key id is 16 or more capitals and digits, such as AKIAIOSFODNN7EXAMPLE", ErrMalformed)
	case c.Temporary() || strings.HasPrefix(id, "ASIA"):
		return fmt.Errorf("%w to keep: it is a session's, which ends by itself", ErrMalformed)
	case secret == "" || len(secret) > 1024 || strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return fmt.Errorf("%w: a secret access key is printable and has no blanks", ErrMalformed)
	}
	return nil
}

// Mask shows as much of an access key id as tells keys apart.
func Mask(id string) string {
	if len(id) < 12 {
		return "…"
	}
	return id[:4] + "…" + id[len(id)-4:]
}

// Store is the keyring and its index. Those who change anything exclude each
// other by a lock, which its user takes.
type Store struct {
	Index   Index
	Keyring keyring.Keyring
	// Choice names the keyring, for the index.
	Choice string
	Now    func() time.Time
}

// The names of secrets in the keyring begin with what they are: the key of a
// name, or the one that is to take its place.
const (
	current = "key:"
	pending = "new:"
)

// Get returns the key of a name, or [keyring.ErrNotFound].
func (s *Store) Get(ctx context.Context, name string) (cred.Credentials, error) {
	return s.get(ctx, current+name)
}

// Put stores a key and takes it into the index, once it was read back. Should
// it be cut short the name is in the index as before or not at all, never with
// another key than it says.
func (s *Store) Put(ctx context.Context, name string, c cred.Credentials, from string) (err error) {
	if err := errors.Join(CheckName(name), Check(c)); err != nil {
		return err
	}
	keys, err := s.Index.Read()
	if err != nil {
		return err
	}
	if before, ok := keys[name]; ok && before.ID != c.AccessKeyID {
		if _, err := s.Get(ctx, name); err != nil && !errors.Is(err, keyring.ErrNotFound) && !errors.Is(err, ErrMalformed) {
			return err // nor could the keyring be written to
		}
		if err := s.Index.put(name, nil); err != nil {
			return err
		}
		defer func() {
			if err == nil {
				return
			}
			if still, gerr := s.Get(ctx, name); gerr == nil && still.AccessKeyID == before.ID {
				err = errors.Join(err, s.Index.put(name, &before))
			}
		}()
	}
	if err := s.set(ctx, current+name, c); err != nil {
		return err
	}
	return s.Index.put(name, &Entry{ID: c.AccessKeyID, Added: s.Now().UTC().Truncate(time.Second), From: from, Keyring: s.Choice})
}

// Remove forgets a key, and the one that was to take its place. A name that
// neither the keyring nor the index knows is [keyring.ErrNotFound].
func (s *Store) Remove(ctx context.Context, name string) error {
	keys, err := s.Index.Read()
	if err != nil {
		return err
	}
	_, known := keys[name]
	if err := s.delete(ctx, pending+name); err != nil {
		return err
	}
	err = s.Keyring.Delete(ctx, current+name)
	if errors.Is(err, keyring.ErrNotFound) && known {
		err = nil
	}
	if err != nil || !known {
		return err
	}
	return s.Index.put(name, nil)
}

// stored is a key as the keyring holds it.
type stored struct {
	ID     string `json:"access_key_id"`
	Secret string `json:"secret_access_key"`
}

func (s *Store) get(ctx context.Context, item string) (cred.Credentials, error) {
	text, err := s.Keyring.Get(ctx, item)
	if err != nil {
		return cred.Credentials{}, err
	}
	var k stored
	if err := json.Unmarshal(text, &k); err != nil {
		return cred.Credentials{}, fmt.Errorf("what the keyring holds is %w", ErrMalformed) // err would quote it
	}
	c := cred.Credentials{AccessKeyID: k.ID, SecretAccessKey: cred.NewSecret(k.Secret)}
	if err := Check(c); err != nil {
		return cred.Credentials{}, fmt.Errorf("what the keyring holds is %w", err)
	}
	return c, nil
}

// set stores a key, and believes that it is stored when it was read back.
func (s *Store) set(ctx context.Context, item string, c cred.Credentials) error {
	text, err := json.Marshal(stored{c.AccessKeyID, c.SecretAccessKey.Reveal()})
	if err != nil {
		return err
	}
	if err := s.Keyring.Set(ctx, item, text); err != nil {
		return fmt.Errorf("storing the key: %w", err)
	}
	back, err := s.get(ctx, item)
	if err != nil {
		return fmt.Errorf("reading the stored key back: %w", err)
	}
	if back.AccessKeyID != c.AccessKeyID || !back.SecretAccessKey.Equal(c.SecretAccessKey) {
		return errors.New("reading the stored key back: another came back than was stored")
	}
	return nil
}

// delete forgets a secret that may not be there.
func (s *Store) delete(ctx context.Context, item string) error {
	err := s.Keyring.Delete(ctx, item)
	if errors.Is(err, keyring.ErrNotFound) {
		return nil
	}
	return err
}
