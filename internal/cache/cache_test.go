package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/folder"
	"aws-switch-role/internal/plan"
	"aws-switch-role/internal/session"
)

// start is when tests with a clock of their own begin.
var start = time.Date(2026, 1, 2, 15, 0, 0, 0, time.UTC)

// kek is the key of most tests.
var kek = []byte("KEK-SECRET-0123456789abcdefghijk")

func keyFunc() ([]byte, error) { return slices.Clone(kek), nil }

// chain is an MFA session and a role behind a key of the files.
func chain(role string) plan.Plan {
	return plan.Plan{Profile: "p", Hops: []plan.Hop{
		plan.StoredKey{Profile: "base", AccessKeyID: "AKIABASE"},
		plan.SessionToken{MFA: plan.MFA{Serial: "arn:aws:iam::111111111111:mfa/me"}, Duration: 12 * time.Hour},
		plan.AssumeRole{RoleARN: role, SessionName: "me", Duration: time.Hour, Endpoint: plan.Endpoint{Region: "eu-west-1"}},
	}}
}

const ops = "arn:aws:iam::222222222222:role/Ops"

// creds is a session whose parts all show the same n.
func creds(n int, expires time.Time) cred.Credentials {
	return cred.Credentials{
		AccessKeyID:     fmt.Sprintf("ASIA%d", n),
		SecretAccessKey: cred.NewSecret(fmt.Sprintf("wJalr-SECRET-key-%d", n)),
		SessionToken:    cred.NewSecret(fmt.Sprintf("FQoGZ-SECRET-token-%d", n) + strings.Repeat("x", 900)),
		Expires:         expires,
		AccountID:       "222222222222",
	}
}

func equal(a, b cred.Credentials) bool {
	return a.AccessKeyID == b.AccessKeyID && a.AccountID == b.AccountID && a.Expires.Equal(b.Expires) &&
		a.SecretAccessKey.Equal(b.SecretAccessKey) && a.SessionToken.Equal(b.SessionToken)
}

// newDir returns a Dir whose time stands at start, and what stands beside it.
func newDir(t testing.TB) *Dir {
	base := t.TempDir()
	return New(filepath.Join(base, "cache", "sessions"), filepath.Join(base, "run", "locks"), keyFunc, Options{Now: func() time.Time { return start }})
}

func save(t testing.TB, d *Dir, role string, n int) (plan.Key, cred.Credentials) {
	t.Helper()
	p, c := chain(role), creds(n, start.Add(time.Hour))
	if err := d.Save(p, 2, c); err != nil {
		t.Fatal(err)
	}
	return p.Key(2), c
}

func mustLoad(t testing.TB, s session.Store, k plan.Key, want cred.Credentials) {
	t.Helper()
	got, err := s.Load(k)
	if err != nil || !equal(got, want) {
		t.Fatalf("Load = %v, %v, want %v", got, err, want)
	}
}

func mustMiss(t testing.TB, s session.Store, k plan.Key) {
	t.Helper()
	got, err := s.Load(k)
	if err != session.ErrMiss || got != (cred.Credentials{}) {
		t.Fatalf("Load = %v, %v, want ErrMiss and nothing", got, err)
	}
}

// TestStores holds every session.Store to one suite.
func TestStores(t *testing.T) {
	stores := map[string]func(*testing.T) session.Store{
		"Memory": func(*testing.T) session.Store { return &session.Memory{} },
		"Dir":    func(t *testing.T) session.Store { return newDir(t) },
		"Dir, held": func(t *testing.T) session.Store {
			d := newDir(t)
			k, c := save(t, d, ops, 1)
			d.Hold()()
			mustLoad(t, d, k, c)
			t.Cleanup(d.Hold())
			mustLoad(t, d, k, c)
			if n, err := d.Remove(func(About) bool { return true }); n != 1 || err != nil {
				t.Fatalf("%d were removed, %v", n, err)
			}
			return d
		},
	}
	tests := map[string]func(*testing.T, session.Store){
		"a saved session is loaded, and only under its key": func(t *testing.T, s session.Store) {
			p, other := chain(ops), chain(ops+"2")
			mustMiss(t, s, p.Key(2))
			c := creds(1, start.Add(time.Hour))
			if err := s.Save(p, 2, c); err != nil {
				t.Fatal(err)
			}
			mustLoad(t, s, p.Key(2), c)
			mustMiss(t, s, p.Key(1))
			mustMiss(t, s, other.Key(2))
		},
		"the last save wins": func(t *testing.T, s session.Store) {
			p := chain(ops)
			for n := range 3 {
				c := creds(n, start.Add(time.Duration(3-n)*time.Hour))
				if err := s.Save(p, 2, c); err != nil {
					t.Fatal(err)
				}
				mustLoad(t, s, p.Key(2), c)
			}
		},
		"credentials keep every field they have": func(t *testing.T, s session.Store) {
			p := chain(ops)
			c := cred.Credentials{AccessKeyID: "ASIA", SecretAccessKey: cred.NewSecret("s\x00\xff\n"), SessionToken: cred.NewSecret("t"), Expires: start.Add(time.Hour)}
			if err := s.Save(p, 1, c); err != nil {
				t.Fatal(err)
			}
			mustLoad(t, s, p.Key(1), c)
		},
		"a lock is held by one": func(t *testing.T, s session.Store) {
			var holders, most atomic.Int32
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					unlock, err := s.Lock(t.Context(), chain(ops).Key(2))
					if err != nil {
						t.Error(err)
						return
					}
					defer unlock()
					most.Store(max(most.Load(), holders.Add(1)))
					time.Sleep(time.Millisecond)
					holders.Add(-1)
				})
			}
			wg.Wait()
			if most.Load() != 1 {
				t.Errorf("%d held the lock at once", most.Load())
			}
		},
		"locks of two sessions are two": func(t *testing.T, s session.Store) {
			for i := 1; i <= 2; i++ {
				unlock, err := s.Lock(t.Context(), chain(ops).Key(i))
				if err != nil {
					t.Fatal(err)
				}
				defer unlock()
			}
		},
		"waiting ends with the context": func(t *testing.T, s session.Store) {
			k := chain(ops).Key(2)
			unlock, err := s.Lock(t.Context(), k)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			defer cancel()
			if _, err := s.Lock(ctx, k); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("err = %v", err)
			}
			unlock()
			unlock, err = s.Lock(t.Context(), k)
			if err != nil {
				t.Fatalf("the lock was lost: %v", err)
			}
			unlock()
		},
	}
	for kind, newStore := range stores {
		for name, test := range tests {
			t.Run(kind+"/"+name, func(t *testing.T) { test(t, newStore(t)) })
		}
	}
}

// Another Dir on the same directories is what another process is.
func TestProcessesShareSessionsAndLocks(t *testing.T) {
	d := newDir(t)
	k, c := save(t, d, ops, 1)
	other := New(d.path, d.locks, keyFunc, Options{Now: d.now})
	mustLoad(t, other, k, c)
	unlock, err := d.Lock(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = other.Lock(ctx, k)
	if held, ok := errors.AsType[*HeldError](err); !ok || held.Holder.PID != os.Getpid() || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v", err)
	}
	unlock()
	unlock()
	if b, err := os.ReadFile(filepath.Join(d.locks, lockName(k))); err != nil || len(b) != 0 {
		t.Errorf("a free lock says %q, %v", b, err)
	}
	if unlock, err = other.Lock(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	unlock()
}

func TestLongLivedKeysAreRefused(t *testing.T) {
	d := newDir(t)
	full := creds(1, start.Add(time.Hour))
	noToken, noExpiry := full, full
	noToken.SessionToken, noExpiry.Expires = cred.Secret{}, time.Time{}
	for _, c := range []cred.Credentials{noToken, noExpiry} {
		if err := d.Save(chain(ops), 2, c); err == nil {
			t.Errorf("%v was kept", c)
		}
	}
	if _, err := os.Stat(d.path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory was made: %v", err)
	}
}

func TestTimesOfAnEntry(t *testing.T) {
	for _, tc := range []struct {
		name string
		now  time.Duration // after start, when it was made for an hour
		hit  bool
	}{
		{"just made", 0, true},
		{"a second left", time.Hour - time.Second, true},
		{"expired", time.Hour, false},
		{"long expired", 1000 * time.Hour, false},
		{"clock set back a little", -maxSkew, true},
		{"made in the future", -maxSkew - time.Second, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := newDir(t)
			k, c := save(t, d, ops, 1)
			d.now = func() time.Time { return start.Add(tc.now) }
			if tc.hit {
				mustLoad(t, d, k, c)
			} else {
				mustMiss(t, d, k)
			}
			list, err := d.List()
			if err != nil || (len(list) == 1) != tc.hit {
				t.Errorf("List = %v, %v", list, err)
			}
		})
	}
}

func TestTheKeyIsAskedForOnceAndOnlyWhenNeeded(t *testing.T) {
	d := newDir(t)
	asked := 0
	count := func() ([]byte, error) { asked++; return keyFunc() }
	reader := New(d.path, d.locks, count, Options{Now: d.now})
	k := chain(ops).Key(2)
	mustMiss(t, reader, k)
	if list, err := reader.List(); len(list) != 0 || err != nil {
		t.Errorf("List = %v, %v", list, err)
	}
	if n, err := reader.Remove(func(About) bool { return true }); n != 0 || err != nil {
		t.Errorf("Remove = %d, %v", n, err)
	}
	if err := reader.Clear(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(d.path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a reader made the directory: %v", err)
	}
	_, c := save(t, d, ops, 1)
	reader.now = func() time.Time { return start.Add(2 * time.Hour) }
	mustMiss(t, reader, k)
	reader.now = d.now
	if asked != 0 {
		t.Errorf("the key was asked for %d times with nothing to open", asked)
	}
	for range 3 {
		mustLoad(t, reader, k, c)
		save(t, reader, ops, 1)
	}
	if asked != 1 {
		t.Errorf("the key was asked for %d times", asked)
	}
}

func TestAKeyThatIsNotToBeHad(t *testing.T) {
	locked := errors.New("keyring locked")
	for name, key := range map[string]func() ([]byte, error){
		"error": func() ([]byte, error) { return nil, locked },
		"nil":   func() ([]byte, error) { return nil, nil },
		"short": func() ([]byte, error) { return kek[:31], nil },
		"long":  func() ([]byte, error) { return append(slices.Clone(kek), 0), nil },
		"zeros": func() ([]byte, error) { return make([]byte, KeySize), nil },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDir(t)
			k, c := save(t, d, ops, 1)
			without := New(d.path, d.locks, key, Options{Now: d.now})
			mustMiss(t, without, k)
			if err := without.Save(chain(ops), 2, c); err == nil || name == "error" != errors.Is(err, locked) {
				t.Errorf("Save: %v", err)
			}
			mustLoad(t, d, k, c)
		})
	}
}

func TestNoDirectoryIsKnown(t *testing.T) {
	d := New("", "", keyFunc, Options{})
	p := chain(ops)
	mustMiss(t, d, p.Key(2))
	if err := d.Save(p, 2, creds(1, time.Now().Add(time.Hour))); !errors.Is(err, folder.ErrUnknown) {
		t.Errorf("Save: %v", err)
	}
	if list, err := d.List(); len(list) != 0 || err != nil {
		t.Errorf("List = %v, %v", list, err)
	}
	if _, err := d.Spend(t.Context(), "device", "123456"); !errors.Is(err, folder.ErrUnknown) {
		t.Errorf("Spend: %v", err)
	}
	// Without files, the goroutines of the process still exclude each other.
	unlock, err := d.Lock(t.Context(), p.Key(2))
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := d.Lock(ctx, p.Key(2)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Lock: %v", err)
	}
}

// TestAbout pins what `sessions list` can show.
func TestAbout(t *testing.T) {
	d := newDir(t)
	p := chain(ops)
	env := plan.Plan{Hops: []plan.Hop{plan.EnvironmentKey{AccessKeyID: "AKIAENV"}, plan.AssumeRole{RoleARN: ops, MFA: plan.MFA{Serial: "GAHT12345678"}}}}
	for i, s := range []struct {
		p   plan.Plan
		hop int
	}{{p, 1}, {p, 2}, {env, 1}} {
		if err := d.Save(s.p, s.hop, creds(i, start.Add(time.Duration(3-i)*time.Hour))); err != nil {
			t.Fatal(err)
		}
	}
	noKey := New(d.path, d.locks, func() ([]byte, error) { t.Error("List asked for the key"); return nil, nil }, Options{Now: d.now})
	got, err := noKey.List()
	if err != nil {
		t.Fatal(err)
	}
	want := []About{
		{Key: env.Key(1), Hop: "role " + ops + ", as long as it allows", Role: ops, Device: "GAHT12345678", AccessKeyID: "AKIAENV", Made: start, Expires: start.Add(time.Hour)},
		{Key: p.Key(2), Hop: plan.Describe(p.Hops[2]), Role: ops, SessionName: "me", Device: "arn:aws:iam::111111111111:mfa/me", Region: "eu-west-1", Profile: "base", AccessKeyID: "AKIABASE", Made: start, Expires: start.Add(2 * time.Hour)},
		{Key: p.Key(1), Hop: plan.Describe(p.Hops[1]), Device: "arn:aws:iam::111111111111:mfa/me", Profile: "base", AccessKeyID: "AKIABASE", Made: start, Expires: start.Add(3 * time.Hour)},
	}
	if !slices.Equal(got, want) {
		t.Errorf("List =\n%+v, want\n%+v", got, want)
	}
}

func TestRemoveAndClear(t *testing.T) {
	d := newDir(t)
	kept, c := save(t, d, ops+"Kept", 1)
	gone, _ := save(t, d, ops+"Gone", 2)
	if n, err := d.Remove(func(a About) bool { return a.Role == ops+"Gone" }); n != 1 || err != nil {
		t.Errorf("Remove = %d, %v", n, err)
	}
	mustMiss(t, d, gone)
	mustLoad(t, d, kept, c)
	// Expired sessions are removed like living ones.
	d.now = func() time.Time { return start.Add(2 * time.Hour) }
	if n, err := d.Remove(func(About) bool { return true }); n != 1 || err != nil {
		t.Errorf("Remove = %d, %v", n, err)
	}

	d.now = func() time.Time { return start }
	save(t, d, ops, 3)
	ours := []string{fileName(plan.Key{1}), plan.Key{2}.String() + ".v2", tempPrefix + "x"}
	foreign := []string{"notes.txt", "v1", "x.v1"}
	for _, name := range slices.Concat(ours, foreign) {
		write(t, d, name, []byte("something"))
	}
	if err := d.Clear(); err != nil {
		t.Error(err)
	}
	if got, want := names(t, d), slices.Sorted(slices.Values(append(foreign, tagName))); !slices.Equal(got, want) {
		t.Errorf("left: %q, want %q", got, want)
	}
}

func write(t testing.TB, d *Dir, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(d.path, name), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, d *Dir, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(d.path, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func names(t testing.TB, d *Dir) []string {
	t.Helper()
	list, err := os.ReadDir(d.path)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

// TestSweep: what is dead goes, at most once an hour, and nothing else does.
func TestSweep(t *testing.T) {
	d := newDir(t)
	now := start
	d.now = func() time.Time { return now }
	age := func(name string, when time.Time) {
		t.Helper()
		if err := os.Chtimes(filepath.Join(d.path, name), when, when); err != nil {
			t.Fatal(err)
		}
	}
	short := chain(ops + "Short")
	if err := d.Save(short, 2, creds(1, start.Add(15*time.Minute))); err != nil {
		t.Fatal(err)
	}
	busy := chain(ops + "Busy")
	if err := d.Save(busy, 2, creds(1, start.Add(15*time.Minute))); err != nil {
		t.Fatal(err)
	}
	long := chain(ops + "Long")
	if err := d.Save(long, 1, creds(1, start.Add(12*time.Hour))); err != nil {
		t.Fatal(err)
	}
	mangled, newer := fileName(plan.Key{1}), plan.Key{2}.String()+".v2"
	for _, name := range []string{mangled, newer, "notes.txt", tempPrefix + "old", tempPrefix + "new"} {
		write(t, d, name, []byte("x"))
		age(name, start)
	}
	all := names(t, d)
	shorten := func(all []string, gone ...string) []string {
		return slices.DeleteFunc(slices.Clone(all), func(n string) bool { return slices.Contains(gone, n) })
	}

	now = start.Add(sweepEvery - time.Second)
	if err := d.Save(long, 1, creds(1, start.Add(12*time.Hour))); err != nil {
		t.Fatal(err)
	}
	if got := names(t, d); !slices.Equal(got, all) {
		t.Errorf("swept too early: %q, had %q", got, all)
	}

	now = start.Add(sweepEvery)
	age(tempPrefix+"new", now.Add(-strayAge+time.Second))
	unlock, err := New(d.path, d.locks, keyFunc, Options{}).Lock(t.Context(), busy.Key(2))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Save(long, 1, creds(1, start.Add(12*time.Hour))); err != nil {
		t.Fatal(err)
	}
	unlock()
	if got, want := names(t, d), shorten(all, fileName(short.Key(2)), mangled, tempPrefix+"old"); !slices.Equal(got, want) {
		t.Errorf("after the sweep: %q, want %q", got, want)
	}
	if got := string(read(t, d, tagName)); !strings.HasPrefix(got, "Signature: 8a477f597d28d172789f06886806bc55\n") {
		t.Errorf("%s = %q", tagName, got)
	}
}

// A mark from the future, left by a clock that was wrong, must not end the
// sweeping.
func TestSweepAfterTheClockWasSetBack(t *testing.T) {
	d := newDir(t)
	k, _ := save(t, d, ops, 1)
	later := start.Add(time.Hour)
	d.now = func() time.Time { return later }
	if err := os.Chtimes(filepath.Join(d.path, tagName), later, later.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if err := d.Save(chain(ops+"2"), 2, creds(1, later.Add(time.Hour))); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(names(t, d), fileName(k)) {
		t.Error("an expired entry is still there")
	}
}

func TestSpend(t *testing.T) {
	d := newDir(t)
	now := start
	clock := Options{Now: func() time.Time { return now }}
	a, b := New(d.path, d.locks, keyFunc, clock), New(d.path, d.locks, keyFunc, clock)
	expect := func(d *Dir, serial, code string, want bool) {
		t.Helper()
		if got, err := d.Spend(t.Context(), serial, code); got != want || err != nil {
			t.Errorf("%v: Spend(%s, %s) = %v, %v, want %v", now.Sub(start), serial, code, got, err, want)
		}
	}
	expect(a, "me", "123456", true)
	expect(a, "me", "123456", false)
	expect(b, "me", "123456", false)
	expect(b, "me", "654321", true)
	expect(b, "other", "123456", true)
	now = start.Add(89 * time.Second)
	expect(b, "me", "123456", false)
	expect(b, "me", "111111", true)
	now = start.Add(90 * time.Second)
	expect(a, "me", "123456", true)
	expect(a, "me", "111111", false)

	files, err := filepath.Glob(filepath.Join(d.locks, "*.codes"))
	if err != nil || len(files) != 2 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, f := range files {
		content, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(content), "123456") || len(content) > 2*spentCodeSize {
			t.Errorf("%s: %d bytes: %q", f, len(content), content)
		}
		// A writer that died in the middle costs its own record alone.
		if err := os.WriteFile(f, append(content, content[:spentCodeSize-1]...), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	expect(b, "me", "111111", false)
	expect(b, "me", "222222", true)
	expect(b, "me", "222222", false)
}

// Of many who are about to send one code, one is told to.
func TestSpendIsForOne(t *testing.T) {
	d := newDir(t)
	var wg sync.WaitGroup
	var first atomic.Int32
	for range 20 {
		wg.Go(func() {
			ok, err := New(d.path, d.locks, keyFunc, Options{Now: d.now}).Spend(t.Context(), "me", "123456")
			if err != nil {
				t.Error(err)
			}
			if ok {
				first.Add(1)
			}
		})
	}
	wg.Wait()
	if first.Load() != 1 {
		t.Errorf("%d were told to send it", first.Load())
	}
}

func TestWaitersAreToldWhomTheyWaitFor(t *testing.T) {
	d := newDir(t)
	unlock, err := d.LockDevice(t.Context(), "me")
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan Holder, 9)
	other := New(d.path, d.locks, keyFunc, Options{Waiting: func(h Holder) { told <- h }})
	done := make(chan error, 1)
	go func() {
		unlock, err := other.LockDevice(t.Context(), "me")
		if err == nil {
			unlock()
		}
		done <- err
	}()
	began := time.Now()
	me := fmt.Sprint("pid ", os.Getpid())
	if h := <-told; h.String() != me || time.Since(began) < patience-pollMax {
		t.Errorf("told of %q after %v", h, time.Since(began))
	}
	d.Doing("asking for the MFA code")
	if h := <-told; h.String() != me+" (asking for the MFA code)" {
		t.Errorf("told of %q", h)
	}
	d.Doing(strings.Repeat("long ", 100))
	if h := <-told; h.PID != os.Getpid() || !strings.HasPrefix(h.Doing, "long long") {
		t.Errorf("told of %q", h)
	}
	d.Doing("")
	if h := <-told; h.String() != me {
		t.Errorf("told of %q", h)
	}
	// Another device is nobody's yet.
	free, err := other.LockDevice(t.Context(), "other")
	if err != nil {
		t.Fatal(err)
	}
	free()
	unlock()
	if err := <-done; err != nil || len(told) != 0 {
		t.Errorf("%v, and told %d more", err, len(told))
	}
}

func TestHolderOfALockThatSaysNothingSensible(t *testing.T) {
	for _, content := range []string{"", "x\n", "12 cut off", "-\n", strings.Repeat("9", 300) + "\n"} {
		f, err := os.CreateTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(content); err != nil {
			t.Fatal(err)
		}
		if h := readHolder(f); h != (Holder{}) || h.String() != "another process" {
			t.Errorf("%q is read as %q", content, h)
		}
	}
}

func TestListOfManyAsksForNoKey(t *testing.T) {
	d := newDir(t)
	fill(t, d, 5000)
	noKey := New(d.path, d.locks, func() ([]byte, error) { t.Error("List asked for the key"); return nil, nil }, Options{Now: d.now})
	list, err := noKey.List()
	if len(list) != 5000 || err != nil {
		t.Errorf("List = %d entries, %v", len(list), err)
	}
}

// fill makes n entries. They are links to one file, which is all the same to
// whoever does not open it, and quicker to make.
func fill(t testing.TB, d *Dir, n int) {
	t.Helper()
	k, _ := save(t, d, ops, 0)
	for i := 1; i < n; i++ {
		if err := os.Link(filepath.Join(d.path, fileName(k)), filepath.Join(d.path, fileName(plan.Key{byte(i), byte(i >> 8)}))); err != nil {
			t.Fatal(err)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{5, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			d := newDir(b)
			fill(b, d, n)
			k := chain(ops).Key(2)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Load(k); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSave(b *testing.B) {
	for _, n := range []int{5, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			d := newDir(b)
			fill(b, d, n)
			p, c := chain(ops), creds(1, start.Add(time.Hour))
			for b.Loop() {
				if err := d.Save(p, 2, c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkList(b *testing.B) {
	d := newDir(b)
	fill(b, d, 5000)
	for b.Loop() {
		if _, err := d.List(); err != nil {
			b.Fatal(err)
		}
	}
}
