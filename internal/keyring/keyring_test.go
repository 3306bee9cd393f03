package keyring

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func TestMemory(t *testing.T) {
	k := &Opened{keyring: &Memory{}}
	suite(t, func() Keyring { return k })
}

func TestNone(t *testing.T) {
	k, err := Open(t.Context(), None, Options{Kind: SessionKeys})
	if err != nil {
		t.Fatal(err)
	}
	_, get := k.Get(t.Context(), "name")
	for _, err := range []error{get, k.Set(t.Context(), "name", []byte("x")), k.Delete(t.Context(), "name")} {
		if !errors.Is(err, ErrUnavailable) {
			t.Errorf("%v, want ErrUnavailable", err)
		}
	}
	if err := k.Close(); err != nil {
		t.Error(err)
	}
}

func TestEscape(t *testing.T) {
	seen := map[string]string{}
	for _, name := range append(oddNames, "=", strings.Repeat("X", MaxName), strings.Repeat("x", 128), strings.Repeat("x", 129)) {
		e := strings.ToLower(escape(name))
		if other, twice := seen[e]; twice {
			t.Errorf("%q and %q are both %q", name, other, e)
		}
		seen[e] = name
		if len(e) > 200 || strings.ContainsAny(e, "/\\ \n'\"$`*?~;|&<>()") || strings.HasPrefix(e, ".") || strings.HasPrefix(e, "-") || strings.Contains(name, "..") && strings.HasPrefix(e, ".") {
			t.Errorf("escape(%q) = %q", name, e)
		}
	}
	if got := escape("main-account.2"); got != "main-account.2" {
		t.Errorf("a plain name became %q", got)
	}
}

// forgetful is a keyring whose Get answers what get says.
type forgetful struct {
	Memory
	get func(real []byte, err error) ([]byte, error)
}

func (f *forgetful) Get(ctx context.Context, name string) ([]byte, error) {
	return f.get(f.Memory.Get(ctx, name))
}

func TestSessionKeyIsProved(t *testing.T) {
	unlocked := func(context.Context) (func(), error) { return func() {}, nil }
	broken := errors.New("broken")
	for name, get := range map[string]func([]byte, error) ([]byte, error){
		"was not kept": func([]byte, error) ([]byte, error) { return nil, ErrNotFound },
		"came back as another": func(real []byte, err error) ([]byte, error) {
			return bytes.Repeat([]byte{7}, len(real)), err
		},
		"came back short": func(real []byte, err error) ([]byte, error) { return real[:len(real)/2], err },
		"cannot be read":  func([]byte, error) ([]byte, error) { return nil, broken },
	} {
		if key, err := SessionKey(t.Context(), &forgetful{get: get}, unlocked); err == nil {
			t.Errorf("a key that %s: got one of %d bytes", name, len(key))
		}
	}
	k := &Memory{}
	if _, err := SessionKey(t.Context(), k, func(context.Context) (func(), error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("without the lock: %v", err)
	}
	if len(k.secrets) != 0 {
		t.Error("a key was made without the lock")
	}
	_ = k.Set(t.Context(), sessionKeyName, []byte("short"))
	if _, err := SessionKey(t.Context(), k, unlocked); err == nil {
		t.Error("a key of 5 bytes was used")
	}
	if got, _ := k.Get(t.Context(), sessionKeyName); string(got) != "short" {
		t.Error("a key that cannot be used was replaced unasked")
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, c := range []Choice{"", "Auto", "gnome", "secret service", Passphrase, Pass} {
		if _, err := Open(t.Context(), c, Options{Kind: SessionKeys}); !errors.Is(err, ErrUnavailable) {
			t.Errorf("Open(%q) = %v, want ErrUnavailable", c, err)
		}
	}
	for _, kind := range []Kind{"", unlockedKeys, "other"} {
		if _, err := Open(t.Context(), None, Options{Kind: kind}); err == nil {
			t.Errorf("a keyring for %q was opened", kind)
		}
	}
}

// TestLinks guards the start of the program: on Linux go-keyring would start a
// bus, and elsewhere there is no use for one.
func TestLinks(t *testing.T) {
	for goos, zalando := range map[string]bool{"linux": false, "darwin": true, "windows": true} {
		cmd := exec.Command("go", "list", "-deps", ".")
		cmd.Env = append(cmd.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		deps := strings.Fields(string(out))
		if got := slices.Contains(deps, "github.com/zalando/go-keyring"); got != zalando {
			t.Errorf("%s links go-keyring: %v", goos, got)
		}
		if got := slices.Contains(deps, "github.com/godbus/dbus/v5"); got == zalando {
			t.Errorf("%s links godbus: %v", goos, got)
		}
	}
}
