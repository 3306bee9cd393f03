//go:build unix

package deliver

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestFindBrowser takes the first that is there.
func TestFindBrowser(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	for _, name := range []string{"one", "two", systemBrowsers[0][0]} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		command, variable string
		want              Browser
	}{
		{"one --x", "two", Browser{"one", "--x"}},
		{"", "none-such %s:two %s:one", Browser{"two", "%s"}},
		{"", "", systemBrowsers[0]},
	} {
		got, err := FindBrowser(tc.command, []string{"BROWSER=" + tc.variable})
		if err != nil || !slices.Equal(got, tc.want) {
			t.Errorf("%q and %q: %q, %v, want %q", tc.command, tc.variable, got, err, tc.want)
		}
	}
}

// TestBrowserIsApart: it has a session of its own, no terminal, and the
// environment that it is given.
func TestBrowserIsApart(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	b := Browser{"/bin/sh", "-c", `{ ps -o sid= -p $$; echo $$; echo "$A$B$1"; readlink /proc/self/fd/0; } >` + out, "sh", "%u"}
	ended, err := b.Open(Visit{URL: "http://x"}, []string{"A=a", "PATH=/bin:/usr/bin"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := within(t, ended); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if f := strings.Fields(string(text)); len(f) < 3 || f[0] != f[1] || f[2] != "ahttp://x" {
		t.Errorf("the browser is %q", text)
	}
}

func TestBrowserFails(t *testing.T) {
	ended, err := Browser{"/bin/sh", "-c", "exit 3", "sh"}.Open(Visit{URL: "http://x"}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if e, ok := errors.AsType[*BrowserError](within(t, ended)); !ok || e.Error() != "the browser's command /bin/sh failed: exit status 3" {
		t.Errorf("err = %v", e)
	}
	_, err = Browser{"/none/such"}.Open(Visit{}, nil, nil)
	if _, ok := errors.AsType[*BrowserError](err); !ok {
		t.Errorf("err = %v", err)
	}
}

func within(t *testing.T, ended <-chan error) error {
	t.Helper()
	select {
	case err := <-ended:
		return err
	case <-time.After(30 * time.Second):
		t.Fatal("it does not end")
	}
	return nil
}
