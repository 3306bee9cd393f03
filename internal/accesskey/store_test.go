package accesskey

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/keyring"
)

func key(id, secret string) cred.Credentials {
	return cred.Credentials{AccessKeyID: id, SecretAccessKey: cred.NewSecret(secret)}
}

var one, two = key("AKIAEXAMPLEEXAMPLE01", "SECRETone"), key("AKIAEXAMPLEEXAMPLE02", "SECRETtwo")

func newStore(t *testing.T) *Store {
	return &Store{Index: NewIndex(filepath.Join(t.TempDir(), "data")), Keyring: &keyring.Memory{}, Choice: "memory", Now: time.Now}
}

func TestStore(t *testing.T) {
	s, ctx := newStore(t), t.Context()
	if keys, err := s.Index.Read(); err != nil || len(keys) != 0 {
		t.Errorf("at first the index is %v, %v", keys, err)
	}
	if _, err := s.Get(ctx, "main"); !errors.Is(err, keyring.ErrNotFound) {
		t.Errorf("Get of nothing: %v", err)
	}
	if err := s.Remove(ctx, "main"); !errors.Is(err, keyring.ErrNotFound) {
		t.Errorf("Remove of nothing: %v", err)
	}
	for _, c := range []cred.Credentials{one, two, two} {
		if err := s.Put(ctx, "main", c, "typed"); err != nil {
			t.Fatal(err)
		}
		got, err := s.Get(ctx, "main")
		keys, rerr := s.Index.Read()
		e := keys["main"]
		if err != nil || rerr != nil || got.AccessKeyID != c.AccessKeyID || !got.SecretAccessKey.Equal(c.SecretAccessKey) ||
			e.ID != c.AccessKeyID || e.From != "typed" || e.Keyring != "memory" || time.Since(e.Added) > time.Minute {
			t.Errorf("%v, %+v, %v, %v", got, e, err, rerr)
		}
	}
	if err := s.Put(ctx, "another", one, "typed"); err != nil {
		t.Fatal(err)
	}
	keys, _ := s.Index.Read()
	if got := Names(keys); !slices.Equal(got, []string{"another", "main"}) {
		t.Errorf("the names are %q", got)
	}
	text, err := os.ReadFile(s.Index.path)
	if err != nil || strings.Contains(string(text), "SECRET") {
		t.Errorf("the index is %s, %v", text, err)
	}
	if err := s.Remove(ctx, "main"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(ctx, "main"); !errors.Is(err, keyring.ErrNotFound) {
		t.Errorf("Get of what was removed: %v", err)
	}
	if keys, _ = s.Index.Read(); len(keys) != 1 {
		t.Errorf("the index is %v", keys)
	}
}

// TestRemoveWhatIsLeft: of a key that is in the index alone, or in the keyring
// alone, the rest is removed.
func TestRemoveWhatIsLeft(t *testing.T) {
	for _, left := range []string{"index", "keyring"} {
		s, ctx := newStore(t), t.Context()
		if err := s.Put(ctx, "main", one, "typed"); err != nil {
			t.Fatal(err)
		}
		var err error
		if left == "index" {
			err = s.Keyring.Delete(ctx, current+"main")
		} else {
			err = s.Index.put("main", nil)
		}
		if err = errors.Join(err, s.Remove(ctx, "main")); err != nil {
			t.Errorf("%s: %v", left, err)
		}
		if err := s.Remove(ctx, "main"); !errors.Is(err, keyring.ErrNotFound) {
			t.Errorf("%s: something is left: %v", left, err)
		}
	}
}

func TestWhatIsNoKey(t *testing.T) {
	s := newStore(t)
	session := key("AKIAEXAMPLEEXAMPLE01", "x")
	session.SessionToken = cred.NewSecret("token")
	for why, c := range map[string]cred.Credentials{
		"no id":       key("", "x"),
		"short":       key("AKIA", "x"),
		"long":        key("AKIA"+strings.Repeat("A", 125), "x"),
		"lower case":  key("akiaexampleexample01", "x"),
		"a session's": key("ASIAEXAMPLEEXAMPLE01", "x"),
		"with token":  session,
		"no secret":   key("AKIAEXAMPLEEXAMPLE01", ""),
		"blank":       key("AKIAEXAMPLEEXAMPLE01", "SECRET SECRET"),
		"two lines":   key("AKIAEXAMPLEEXAMPLE01", "SECRET\nSECRET"),
		"not ASCII":   key("AKIAEXAMPLEEXAMPLE01", "SECRET\u00e9"),
		"endless":     key("AKIAEXAMPLEEXAMPLE01", strings.Repeat("x", 1025)),
	} {
		err := s.Put(t.Context(), "main", c, "typed")
		if !errors.Is(err, ErrMalformed) || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: %v", why, err)
		}
	}
	for _, name := range []string{"", " x", "x\n", "a\x1b[2J", strings.Repeat("x", MaxName+1), "\xff"} {
		if err := s.Put(t.Context(), name, one, "typed"); err == nil {
			t.Errorf("a key was stored as %q", name)
		}
	}
}

// forgetful is a keyring that gives another secret back than it was given.
type forgetful struct{ keyring.Memory }

func (f *forgetful) Get(context.Context, string) ([]byte, error) {
	return []byte(`{"access_key_id": "AKIAEXAMPLEEXAMPLE09", "secret_access_key": "SECRET"}`), nil
}

func TestReadBack(t *testing.T) {
	s := newStore(t)
	s.Keyring = &forgetful{}
	if err := s.Put(t.Context(), "main", one, "typed"); err == nil {
		t.Error("a key that does not come back counts as stored")
	}
	if keys, err := s.Index.Read(); err != nil || len(keys) != 0 {
		t.Errorf("the index is %v, %v", keys, err)
	}
}

// broken is a keyring whose Set does not do as it should: fail says how.
type broken struct {
	keyring.Memory
	fail func()
}

var errBroken = errors.New("broken")

func (b *broken) Set(ctx context.Context, name string, secret []byte) error {
	if b.fail != nil {
		b.fail()
		return errBroken
	}
	return b.Memory.Set(ctx, name, secret)
}

// TestReplaceFails: a key that cannot be replaced stays, and a replacement that
// is cut short leaves no name that the index says another key of.
func TestReplaceFails(t *testing.T) {
	s, ctx := newStore(t), t.Context()
	b := &broken{}
	s.Keyring = b
	if err := s.Put(ctx, "main", one, "typed"); err != nil {
		t.Fatal(err)
	}
	b.fail = func() {
		if keys, err := s.Index.Read(); err != nil || len(keys) != 0 {
			t.Errorf("while the key is replaced the index is %v, %v", keys, err)
		}
	}
	if err := s.Put(ctx, "main", two, "typed"); !errors.Is(err, errBroken) {
		t.Errorf("err = %v", err)
	}
	keys, err := s.Index.Read()
	if err != nil || keys["main"].ID != one.AccessKeyID {
		t.Errorf("the index is %v, %v", keys, err)
	}
}

// TestRemovePending: with a key goes the one that was to take its place.
func TestRemovePending(t *testing.T) {
	s, ctx := newStore(t), t.Context()
	if err := errors.Join(s.Put(ctx, "main", one, "typed"), s.set(ctx, pending+"main", two), s.Remove(ctx, "main")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.get(ctx, pending+"main"); !errors.Is(err, keyring.ErrNotFound) {
		t.Errorf("the pending key: %v", err)
	}
}

// TestHostileKeyring: what is no key is not one, and is not shown.
func TestHostileKeyring(t *testing.T) {
	s := newStore(t)
	for _, text := range []string{"SECRET", `{"access_key_id": "SECRET"}`, `{"access_key_id": "AKIAEXAMPLEEXAMPLE01"}`, `["SECRET"]`} {
		if err := s.Keyring.Set(t.Context(), current+"main", []byte(text)); err != nil {
			t.Fatal(err)
		}
		_, err := s.Get(t.Context(), "main")
		if !errors.Is(err, ErrMalformed) || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestUnreadableIndex(t *testing.T) {
	s := newStore(t)
	if err := s.Put(t.Context(), "main", one, "typed"); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "{", `{"version": 2, "keys": {}}`, "[]", strings.Repeat(" ", maxIndex+1)} {
		if err := os.WriteFile(s.Index.path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if keys, err := s.Index.Read(); err == nil {
			t.Errorf("%.20q reads as %v", text, keys)
		}
		if err := s.Put(t.Context(), "main", two, "typed"); err == nil {
			t.Errorf("%.20q was overwritten", text)
		}
	}
	if err := os.Remove(s.Index.path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(s.Index.path, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Index.Read(); err == nil {
		t.Error("a directory reads as an index")
	}
	if _, err := NewIndex("").Read(); err != nil {
		t.Errorf("nowhere: %v", err)
	}
	if err := NewIndex("").put("main", &Entry{}); err == nil {
		t.Error("nowhere was written to")
	}
}

// TestIndexFile: the file is the user's alone, and what a writer that died
// has left is in nobody's way.
func TestIndexFile(t *testing.T) {
	s := newStore(t)
	if err := os.MkdirAll(filepath.Dir(s.Index.path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.Index.path+".new", []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), "main", one, "typed"); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(filepath.Dir(s.Index.path))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	if fi, err := files[0].Info(); err != nil || fi.Mode().Perm()&0o077 != 0 {
		t.Errorf("the mode is %v, %v", fi.Mode(), err)
	}
}

func TestMask(t *testing.T) {
	for id, want := range map[string]string{"AKIAEMULATEDMEMEMEME": "AKIA…MEME", "AKIA": "…", "": "…"} {
		if got := Mask(id); got != want {
			t.Errorf("Mask(%q) = %q", id, got)
		}
	}
}
