package cache

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestLongest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions")
	now := time.Now()
	d := New(path, t.TempDir(), nil, Options{Now: func() time.Time { return now }})
	const role = "arn:aws:iam::222222222222:role/Ops"
	if got := d.Longest(role); got != 0 {
		t.Errorf("nothing was learnt, and it is %s", got)
	}
	for _, want := range []time.Duration{8 * time.Hour, 7 * time.Hour} {
		if err := d.Learn(role, want); err != nil {
			t.Fatal(err)
		}
		if got := d.Longest(role); got != want {
			t.Errorf("learnt %s, and it is %s", want, got)
		}
	}
	if got := d.Longest(role + "2"); got != 0 {
		t.Errorf("another role has %s", got)
	}
	now = now.Add(31 * 24 * time.Hour)
	if got := d.Longest(role); got != 0 {
		t.Errorf("it is believed for too long: %s", got)
	}
	now = time.Now()
	for _, text := range []string{"", "x", "-5", "0", "99999999999999999999", "28800\n28800\n28800\n"} {
		if err := os.WriteFile(filepath.Join(path, longestName(role)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := d.Longest(role); got != 0 {
			t.Errorf("%q is taken for %s", text, got)
		}
	}
	if got := New("", "", nil, Options{}).Longest(role); got != 0 {
		t.Errorf("nowhere has %s", got)
	}
}
