package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/plan"
)

var start = time.Date(2026, 1, 2, 15, 0, 0, 0, time.UTC)

// chain is a key, an MFA session, and one hop per role.
func chain(profile string, roles ...string) plan.Plan {
	p := plan.Plan{Profile: profile, Hops: []plan.Hop{
		plan.StoredKey{Profile: "base", AccessKeyID: "AKIABASE"},
		plan.SessionToken{MFA: plan.MFA{Serial: "device"}, Duration: 12 * time.Hour},
	}}
	for _, r := range roles {
		p.Hops = append(p.Hops, plan.AssumeRole{RoleARN: r, Duration: time.Hour})
	}
	return p
}

// world performs hops and writes down what was asked of it.
type world struct {
	mu     sync.Mutex
	now    time.Time
	events []string
	fail   map[string]error
	delay  time.Duration
}

func (w *world) perform(ctx context.Context, h plan.Hop, from cred.Credentials) (cred.Credentials, error) {
	if w.delay > 0 {
		time.Sleep(w.delay)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	c := cred.Credentials{SecretAccessKey: cred.NewSecret("s"), SessionToken: cred.NewSecret("t")}
	var event string
	switch h := h.(type) {
	case plan.StoredKey:
		event, c = "key", cred.Credentials{AccessKeyID: "AKIABASE", SecretAccessKey: cred.NewSecret("s")}
	case plan.SessionToken:
		event, c.AccessKeyID, c.Expires = "mfa from "+from.AccessKeyID, "MFA", w.now.Add(h.Duration)
	case plan.AssumeRole:
		event, c.AccessKeyID, c.Expires = h.RoleARN+" from "+from.AccessKeyID, h.RoleARN, w.now.Add(h.Duration)
	}
	w.events = append(w.events, event)
	return c, w.fail[event]
}

func (w *world) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := w.events
	w.events = nil
	return e
}

func newEngine(w *world, s Store) *Engine {
	return &Engine{Store: s, Perform: w.perform, Now: func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now }}
}

func expect(t *testing.T, w *world, want ...string) {
	t.Helper()
	if got := w.take(); !slices.Equal(got, want) {
		t.Errorf("did %q, want %q", got, want)
	}
}

func TestWalkDoesAsLittleAsItCan(t *testing.T) {
	w := &world{now: start}
	e := newEngine(w, &Memory{})
	ctx := t.Context()
	get := func(p plan.Plan) cred.Credentials {
		t.Helper()
		c, err := e.Credentials(ctx, p)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if c := get(chain("a", "ops")); c.AccessKeyID != "ops" {
		t.Errorf("got %q", c.AccessKeyID)
	}
	expect(t, w, "key", "mfa from AKIABASE", "ops from MFA")
	get(chain("a", "ops"))
	expect(t, w)
	// A second role behind the same device costs one request and no code.
	get(chain("b", "dev"))
	expect(t, w, "dev from MFA")
	// A chain reuses its longest kept beginning.
	get(chain("c", "ops", "deep"))
	expect(t, w, "deep from ops")
	// The role session runs short before the MFA session does.
	w.now = start.Add(46 * time.Minute)
	get(chain("a", "ops"))
	expect(t, w, "ops from MFA")
	w.now = start.Add(12 * time.Hour)
	get(chain("a", "ops"))
	expect(t, w, "key", "mfa from AKIABASE", "ops from MFA")
}

func TestLongLivedKeysAreNotKept(t *testing.T) {
	w := &world{now: start}
	m := &Memory{}
	p := plan.Plan{Profile: "plain", Hops: []plan.Hop{plan.StoredKey{Profile: "base"}}}
	for range 2 {
		if _, err := newEngine(w, m).Credentials(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, w, "key", "key")
	if len(m.sessions) != 0 {
		t.Error("a long-lived key is in the store")
	}
}

func TestOneOfManyDoesTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{now: start, delay: time.Second}
		e := newEngine(w, &Memory{})
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() {
				if _, err := e.Credentials(t.Context(), chain("p", fmt.Sprint("role", i%20))); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		got := w.take()
		if len(got) != 22 || slices.Index(got, "mfa from AKIABASE") < 0 {
			t.Errorf("%d hops for 20 roles behind one device, want 22", len(got))
		}
	})
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	m := &Memory{}
	p := chain("a", "ops")
	unlock, err := m.Lock(t.Context(), p.Key(2))
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = newEngine(&world{now: start}, m).Credentials(ctx, p)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
}

func TestErrorNamesTheHop(t *testing.T) {
	denied := errors.New("denied")
	w := &world{now: start, fail: map[string]error{"ops from MFA": denied}}
	_, err := newEngine(w, &Memory{}).Credentials(t.Context(), chain("a", "ops", "deep"))
	he, ok := errors.AsType[*HopError](err)
	if !ok || he.Index != 2 || !errors.Is(err, denied) || err.Error() != "profile a, hop 3 of 4: denied" {
		t.Errorf("err = %v", err)
	}
}

// A renewal that fails does not take away a session that still lives, unless
// a new one was asked for or the person said no.
func TestFailedRenewalKeepsALivingSession(t *testing.T) {
	denied := errors.New("no network")
	for _, tc := range []struct {
		name   string
		left   time.Duration
		err    error
		renew  bool
		usable bool
	}{
		{"five minutes left", 5 * time.Minute, denied, false, true},
		{"seconds left", 30 * time.Second, denied, false, false},
		{"interrupted", 5 * time.Minute, context.Canceled, false, false},
		{"--renew", 5 * time.Minute, denied, true, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := &Memory{}
			w := &world{now: start}
			e := newEngine(w, m)
			var warned []error
			e.Warn = func(err error) { warned = append(warned, err) }
			if tc.renew {
				e.Renew = func(plan.Plan, int) bool { return true }
			}
			p := chain("a", "ops")
			c := cred.Credentials{AccessKeyID: "OLD", SecretAccessKey: cred.NewSecret("s"), Expires: start.Add(tc.left)}
			if err := m.Save(p, 2, c); err != nil {
				t.Fatal(err)
			}
			w.fail = map[string]error{"ops from MFA": tc.err}
			got, err := e.Credentials(t.Context(), p)
			if tc.usable != (err == nil) || tc.usable != (got.AccessKeyID == "OLD") || tc.usable != (len(warned) == 1) {
				t.Errorf("got %q, %v, warnings %v", got.AccessKeyID, err, warned)
			}
		})
	}
}

func TestRenewIsDoneOncePerEngine(t *testing.T) {
	m := &Memory{}
	w := &world{now: start}
	if _, err := newEngine(w, m).Credentials(t.Context(), chain("a", "ops")); err != nil {
		t.Fatal(err)
	}
	w.take()
	e := newEngine(w, m)
	e.Renew = func(p plan.Plan, i int) bool { _, role := p.Hops[i].(plan.AssumeRole); return role }
	for _, role := range []string{"ops", "dev", "ops"} {
		if _, err := e.Credentials(t.Context(), chain("a", role)); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, w, "ops from MFA", "dev from MFA")
}

// broken fails at everything.
type broken struct{}

var errBroken = errors.New("disk on fire")

func (broken) Load(plan.Key) (cred.Credentials, error)     { return cred.Credentials{}, errBroken }
func (broken) Save(plan.Plan, int, cred.Credentials) error { return errBroken }
func (broken) Lock(context.Context, plan.Key) (func(), error) {
	return nil, errBroken
}

func TestABrokenStoreCostsSpeedNotTheJob(t *testing.T) {
	w := &world{now: start}
	e := newEngine(w, broken{})
	warned := 0
	e.Warn = func(error) { warned++ }
	if c, err := e.Credentials(t.Context(), chain("a", "ops")); err != nil || c.AccessKeyID != "ops" {
		t.Errorf("got %q, %v", c.AccessKeyID, err)
	}
	if warned == 0 {
		t.Error("nobody was told")
	}
	expect(t, w, "key", "mfa from AKIABASE", "ops from MFA")
}

// A role that wants a recent code refuses an MFA session that is hours old: a
// fresh one is made, once, and only when the refused one was kept from before.
func TestASessionRefusedForItsAgeIsMadeAnew(t *testing.T) {
	tooOld := errors.New("too old")
	setup := func(w *world, m *Memory) *Engine {
		e := newEngine(w, m)
		e.Stale = func(p plan.Plan, i int, err error) bool { return errors.Is(err, tooOld) }
		return e
	}
	p := chain("a", "ops")
	kept := cred.Credentials{AccessKeyID: "OLDMFA", SecretAccessKey: cred.NewSecret("s"), Expires: start.Add(6 * time.Hour)}

	w, m := &world{now: start, fail: map[string]error{"ops from OLDMFA": tooOld}}, &Memory{}
	if err := m.Save(p, 1, kept); err != nil {
		t.Fatal(err)
	}
	if c, err := setup(w, m).Credentials(t.Context(), p); err != nil || c.AccessKeyID != "ops" {
		t.Errorf("got %q, %v", c.AccessKeyID, err)
	}
	expect(t, w, "ops from OLDMFA", "key", "mfa from AKIABASE", "ops from MFA")

	// It is refused still: the second refusal is the answer.
	w, m = &world{now: start, fail: map[string]error{"ops from OLDMFA": tooOld, "ops from MFA": tooOld}}, &Memory{}
	if err := m.Save(p, 1, kept); err != nil {
		t.Fatal(err)
	}
	if _, err := setup(w, m).Credentials(t.Context(), p); !errors.Is(err, tooOld) {
		t.Errorf("err = %v", err)
	}
	expect(t, w, "ops from OLDMFA", "key", "mfa from AKIABASE", "ops from MFA")

	// One of our own making is not too old.
	w, m = &world{now: start, fail: map[string]error{"ops from MFA": tooOld}}, &Memory{}
	if _, err := setup(w, m).Credentials(t.Context(), p); !errors.Is(err, tooOld) {
		t.Errorf("err = %v", err)
	}
	expect(t, w, "key", "mfa from AKIABASE", "ops from MFA")
}
