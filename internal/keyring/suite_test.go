package keyring

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// oddNames are names of secrets that some keyring could mix up, refuse or take
// for something else.
var oddNames = []string{
	"prod", "Prod", "PROD", "%50rod", "prod ", " prod", "prod=", "pr/od", "pr:od", "pr_od",
	".", "..", "../../etc/passwd", "/etc/passwd", "~", "-", "-rf", "--help", "*", "a*", "[a]",
	"it's", `"quoted"`, "$HOME", "`id`", "$(id)", "a;b|c&d", `back\slash`, "%s%n", "%2e",
	"new\nline", "tab\tbed", "\x1b[31mred", "naïve", "nai\u0308ve", "名前", "🔑", "\u202eevil",
	strings.Repeat("x", MaxName), strings.Repeat("x", MaxName-1) + "y", strings.Repeat("名", MaxName/3),
}

// suite holds a keyring to the contract of [Keyring]. open opens the same
// keyring at every call. The keyring is empty at first, and again in the end.
func suite(t *testing.T, open func() Keyring) {
	k := open()
	random := func(n int) []byte {
		b := make([]byte, n)
		_, _ = rand.Read(b)
		return b
	}
	want := func(t *testing.T, k Keyring, name string, secret []byte) {
		t.Helper()
		got, err := k.Get(t.Context(), name)
		if err != nil || !bytes.Equal(got, secret) {
			t.Errorf("Get(%q) = %d bytes, %v; want the %d that were set", name, len(got), err, len(secret))
		}
	}
	absent := func(t *testing.T, name string) {
		t.Helper()
		if got, err := open().Get(t.Context(), name); !errors.Is(err, ErrNotFound) || got != nil {
			t.Errorf("Get(%q) = %q, %v; want ErrNotFound", name, got, err)
		}
		if err := k.Delete(t.Context(), name); !errors.Is(err, ErrNotFound) {
			t.Errorf("Delete(%q) = %v; want ErrNotFound", name, err)
		}
	}
	set := func(t *testing.T, name string, secret []byte) {
		t.Helper()
		if err := k.Set(t.Context(), name, secret); err != nil {
			t.Fatalf("Set(%q, %d bytes): %v", name, len(secret), err)
		}
	}
	remove := func(t *testing.T, name string) {
		t.Helper()
		if err := k.Delete(t.Context(), name); err != nil {
			t.Errorf("Delete(%q): %v", name, err)
		}
	}

	t.Run("not found", func(t *testing.T) { absent(t, "nobody") })

	t.Run("set, get, overwrite, delete", func(t *testing.T) {
		set(t, "key", []byte("first"))
		want(t, k, "key", []byte("first"))
		want(t, open(), "key", []byte("first"))
		set(t, "key", []byte("second, and longer"))
		want(t, k, "key", []byte("second, and longer"))
		set(t, "key", []byte("3"))
		want(t, open(), "key", []byte("3"))
		remove(t, "key")
		absent(t, "key")
	})

	t.Run("values", func(t *testing.T) {
		all := make([]byte, 256)
		for i := range all {
			all[i] = byte(i)
		}
		for _, secret := range [][]byte{{0}, {'\n'}, []byte("a\n"), []byte("\r\n\r\n"), []byte(" a "), {0xff, 0xfe}, all, random(15), random(16), random(17), random(2048)} {
			set(t, "value", secret)
			want(t, k, "value", secret)
		}
		remove(t, "value")
	})

	t.Run("neither empty nor too large", func(t *testing.T) {
		set(t, "size", []byte("kept"))
		for _, secret := range [][]byte{nil, {}, random(MaxSecret + 1)} {
			if err := k.Set(t.Context(), "size", secret); !errors.Is(err, ErrSize) {
				t.Errorf("Set of %d bytes: %v; want ErrSize", len(secret), err)
			}
		}
		want(t, k, "size", []byte("kept"))
		remove(t, "size")
	})

	t.Run("names", func(t *testing.T) {
		for i, name := range oddNames {
			set(t, name, fmt.Append(nil, "secret ", i))
		}
		for i, name := range oddNames {
			want(t, k, name, fmt.Append(nil, "secret ", i))
		}
		for _, name := range oddNames {
			remove(t, name)
		}
		absent(t, oddNames[0])
		for _, name := range []string{"", "nul\x00", "\xff", strings.Repeat("x", MaxName+1)} {
			if err := k.Set(t.Context(), name, []byte("x")); err == nil {
				t.Errorf("Set(%q) succeeded", name)
			}
			if _, err := k.Get(t.Context(), name); err == nil || errors.Is(err, ErrNotFound) {
				t.Errorf("Get(%q) = %v", name, err)
			}
			if err := k.Delete(t.Context(), name); err == nil || errors.Is(err, ErrNotFound) {
				t.Errorf("Delete(%q) = %v", name, err)
			}
		}
	})

	t.Run("many at once", func(t *testing.T) {
		const callers, turns = 8, 3
		var wg sync.WaitGroup
		for i := range callers {
			wg.Go(func() {
				own := open()
				for turn := range turns {
					name, secret := fmt.Sprint("caller ", i), fmt.Append(nil, "turn ", turn)
					if err := own.Set(t.Context(), name, secret); err != nil {
						t.Errorf("Set(%q): %v", name, err)
						return
					}
					want(t, k, name, secret)
					if err := k.Set(t.Context(), "shared", secret); err != nil {
						t.Errorf("Set(shared): %v", err)
					}
				}
			})
		}
		wg.Wait()
		want(t, open(), "shared", fmt.Append(nil, "turn ", turns-1))
		for i := range callers {
			want(t, k, fmt.Sprint("caller ", i), fmt.Append(nil, "turn ", turns-1))
			remove(t, fmt.Sprint("caller ", i))
		}
		remove(t, "shared")
		absent(t, "shared")
	})

	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, _ = k.Get(ctx, "key") // what answers at once may answer, and no other may be waited for
	})

	t.Run("session key", func(t *testing.T) {
		var lock sync.Mutex
		locking := func(context.Context) (func(), error) { lock.Lock(); return lock.Unlock, nil }
		keys := make([][]byte, 6)
		var wg sync.WaitGroup
		for i := range keys {
			wg.Go(func() {
				var err error
				if keys[i], err = SessionKey(t.Context(), open(), locking); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, key := range keys {
			if len(key) != 32 || !bytes.Equal(key, keys[0]) {
				t.Fatal("callers at the same time have different session keys")
			}
		}
		for range 2 {
			if err := DropSessionKey(t.Context(), k); err != nil {
				t.Error(err)
			}
		}
		next, err := SessionKey(t.Context(), k, locking)
		if err != nil || bytes.Equal(next, keys[0]) {
			t.Errorf("a dropped session key came back, or none: %v", err)
		}
		if err := DropSessionKey(t.Context(), k); err != nil {
			t.Error(err)
		}
	})
}
