package accesskey

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/keyring"
)

// crash is what a machine panics with when its time has come.
type crash struct{}

// machine is an AWS and a keyring that live on when the program does not. The
// program dies at the stop-th step: every effect has one before it and one
// after.
type machine struct {
	t     *testing.T
	keys  []*iamKey // of the user
	store *Store
	ring  keyring.Memory

	stop, steps int
	made        int
	delay       time.Duration // until a new key is accepted
	refuse      error         // of Create
	lose        bool          // the answers of Create
	first       string        // the id of the key at the beginning
	said        []string
	forgotten   []string
}

type iamKey struct {
	cred.Credentials
	Listed
	accepted time.Time
}

func newMachine(t *testing.T) *machine {
	m := &machine{t: t}
	m.store = &Store{Index: NewIndex(t.TempDir()), Keyring: &steppingKeyring{m}, Choice: "memory", Now: time.Now}
	k := m.issue()
	m.first = k.ID
	if err := m.store.Put(t.Context(), "main", k.Credentials, "typed"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Hour) // that key is from long ago
	m.steps = 0
	return m
}

func (m *machine) step() {
	if m.steps++; m.steps == m.stop {
		panic(crash{})
	}
}

func (m *machine) issue() *iamKey {
	m.made++
	id := fmt.Sprintf("AKIAEXAMPLE%09d", m.made)
	k := &iamKey{
		Credentials: cred.Credentials{AccessKeyID: id, SecretAccessKey: cred.NewSecret("SECRET" + id)},
		Listed:      Listed{ID: id, Active: true, Created: time.Now()},
		accepted:    time.Now().Add(m.delay),
	}
	m.keys = append(m.keys, k)
	return k
}

// find returns the key that AWS accepts c as.
func (m *machine) find(c cred.Credentials) *iamKey {
	for _, k := range m.keys {
		if k.ID == c.AccessKeyID && k.SecretAccessKey.Equal(c.SecretAccessKey) && k.Active && !time.Now().Before(k.accepted) {
			return k
		}
	}
	return nil
}

var errDenied = errors.New("AWS does not know the key")

func (m *machine) asked(as cred.Credentials, do func()) error {
	m.step()
	defer m.step()
	if m.find(as) == nil {
		return errDenied
	}
	do()
	return nil
}

func (m *machine) rotator() *Rotator {
	return &Rotator{
		Store: m.store,
		List: func(_ context.Context, as cred.Credentials) (l []Listed, err error) {
			err = m.asked(as, func() {
				for _, k := range m.keys {
					l = append(l, k.Listed)
				}
			})
			return l, err
		},
		Create: func(_ context.Context, as cred.Credentials) (c cred.Credentials, refused bool, err error) {
			if m.refuse != nil {
				return c, true, m.refuse
			}
			if len(m.keys) == 2 {
				return c, true, errors.New("LimitExceeded")
			}
			err = m.asked(as, func() { c = m.issue().Credentials })
			if m.lose {
				return cred.Credentials{}, false, errors.New("no answer")
			}
			return c, err != nil, err
		},
		Accepts: func(_ context.Context, c cred.Credentials) (bool, error) {
			m.step()
			return m.find(c) != nil, nil
		},
		Deactivate: func(_ context.Context, as cred.Credentials, id string) error {
			return m.asked(as, func() {
				for _, k := range m.keys {
					if k.ID == id {
						k.Active = false
					}
				}
			})
		},
		Delete: func(_ context.Context, as cred.Credentials, id string) error {
			return m.asked(as, func() {
				if slices.ContainsFunc(m.keys, func(k *iamKey) bool { return k.ID == id && k.Active && id == m.first }) {
					m.t.Errorf("%s is deleted without being inactive first", id)
				}
				m.keys = slices.DeleteFunc(m.keys, func(k *iamKey) bool { return k.ID == id })
			})
		},
		Forget: func(id string) error {
			m.forgotten = append(m.forgotten, id)
			return nil
		},
		Say: func(text string) { m.said = append(m.said, text) },
	}
}

// run rotates with a program that dies at step stop; 0 is never.
func (m *machine) run(stop int, act func(*Rotator) error) (died bool, err error) {
	m.steps, m.stop = 0, stop
	defer func() {
		m.stop = 0
		if r := recover(); r != nil {
			if _, ok := r.(crash); !ok {
				panic(r)
			}
			died = true
		}
	}()
	return false, act(m.rotator())
}

func rotate(t *testing.T) func(*Rotator) error {
	return func(r *Rotator) error { return r.Rotate(t.Context(), "main", false) }
}

// mustWork holds the store to a key that AWS takes.
func (m *machine) mustWork(when string) {
	m.t.Helper()
	c, err := m.store.Get(m.t.Context(), "main")
	if err != nil || m.find(c) == nil {
		m.t.Errorf("%s: the stored key is %s, %v, which AWS does not take", when, c.AccessKeyID, err)
	}
}

// mustBeDone holds the machine to one key everywhere, and no traces.
func (m *machine) mustBeDone(when string) {
	m.t.Helper()
	m.mustWork(when)
	keys, err := m.store.Index.Read()
	if err != nil {
		m.t.Fatal(err)
	}
	c, _ := m.store.Get(m.t.Context(), "main")
	e := keys["main"]
	if len(m.keys) != 1 || m.keys[0].ID != c.AccessKeyID || e.ID != c.AccessKeyID || e.Rotation != nil {
		m.t.Errorf("%s: AWS has %d keys, the keyring %s, the index %+v", when, len(m.keys), c.AccessKeyID, e)
	}
	if _, err := m.store.get(m.t.Context(), pending+"main"); !errors.Is(err, keyring.ErrNotFound) {
		m.t.Errorf("%s: a pending key is left: %v", when, err)
	}
}

type steppingKeyring struct{ m *machine }

func (k *steppingKeyring) Get(ctx context.Context, name string) ([]byte, error) {
	return k.m.ring.Get(ctx, name)
}

func (k *steppingKeyring) Set(ctx context.Context, name string, secret []byte) error {
	k.m.step()
	defer k.m.step()
	return k.m.ring.Set(ctx, name, secret)
}

func (k *steppingKeyring) Delete(ctx context.Context, name string) error {
	k.m.step()
	defer k.m.step()
	return k.m.ring.Delete(ctx, name)
}

func TestRotate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t)
		m.delay = 40 * time.Second
		old := m.keys[0].ID
		if _, err := m.run(0, rotate(t)); err != nil {
			t.Fatal(err)
		}
		m.mustBeDone("after it")
		if m.keys[0].ID == old || !slices.Equal(m.forgotten, []string{old}) {
			t.Errorf("the key is %s, was %s, and the sessions of %v were dropped", m.keys[0].ID, old, m.forgotten)
		}
		for _, text := range m.said {
			if strings.Contains(text, "SECRET") {
				t.Errorf("said %q", text)
			}
		}
		keys, _ := m.store.Index.Read()
		if age := time.Since(keys["main"].Added); age > time.Minute {
			t.Errorf("the new key is %s old", age)
		}
	})
}

// TestRotateKilledAnywhere kills a rotation at every step, the next run at
// every one of its own, and lets the third end.
func TestRotateKilledAnywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for first := 1; ; first++ {
			whole := false
			for second := 1; ; second++ {
				m := newMachine(t)
				m.delay = time.Second // until then the new key is not to be relied on
				died, err := m.run(first, rotate(t))
				if err != nil {
					t.Fatalf("step %d: %v", first, err)
				}
				if !died {
					whole = true
					m.mustBeDone("never killed")
					break
				}
				when := fmt.Sprintf("killed at step %d", first)
				m.mustWork(when)
				if died, err = m.run(second, rotate(t)); err != nil {
					t.Fatalf("%s: %v", when, err)
				}
				if !died {
					m.mustBeDone(when)
					break
				}
				when += fmt.Sprintf(", then %d", second)
				m.mustWork(when)
				if _, err := m.run(0, rotate(t)); err != nil {
					t.Fatalf("%s: %v", when, err)
				}
				m.mustBeDone(when)
			}
			if whole {
				if first < 12 {
					t.Errorf("a rotation has %d steps", first)
				}
				break
			}
		}
	})
}

// TestRecover: any run, not only one that rotates, ends what was cut short,
// and does not begin anew.
func TestRecover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := map[Outcome]bool{}
		for stop := 1; ; stop++ {
			m := newMachine(t)
			if died, _ := m.run(stop, rotate(t)); !died {
				break
			}
			time.Sleep(2 * time.Minute)
			var outcome Outcome
			if _, err := m.run(0, func(r *Rotator) (err error) { outcome, err = r.Recover(t.Context(), "main"); return err }); err != nil {
				t.Fatal(err)
			}
			seen[outcome] = true
			m.mustBeDone(fmt.Sprintf("killed at step %d", stop))
			if m.made > 2 {
				t.Errorf("killed at step %d: %d keys were made", stop, m.made)
			}
		}
		if !seen[Finished] || !seen[Undone] || !seen[Nothing] {
			t.Errorf("the outcomes were %v", seen)
		}
	})
}

// TestLostAnswer: nobody has the secret of a key whose answer was lost.
func TestLostAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t)
		m.lose = true
		if _, err := m.run(0, rotate(t)); err == nil || len(m.keys) != 2 {
			t.Fatalf("%d keys, %v", len(m.keys), err)
		}
		m.mustWork("after a lost answer")
		m.lose = false
		if _, err := m.run(0, rotate(t)); err != nil {
			t.Fatal(err)
		}
		m.mustBeDone("after the next run")
	})
}

// TestForeignKey: a key that was not made by a rotation is never deleted.
func TestForeignKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t)
		m.lose = true
		if _, err := m.run(0, rotate(t)); err == nil {
			t.Fatal("no error")
		}
		m.keys = m.keys[:1] // the request did not arrive
		time.Sleep(time.Hour)
		foreign := m.issue()
		m.lose = false
		_, err := m.run(0, rotate(t))
		if e, ok := errors.AsType[*SecondKeyError](err); !ok || e.Other.ID != foreign.ID || !e.Other.Active {
			t.Errorf("err = %v", err)
		}
		if len(m.keys) != 2 {
			t.Error("the key of somebody else is gone")
		}
		m.mustWork("beside another's key")
	})
}

func TestSecondKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t)
		second := m.issue()
		for _, active := range []bool{true, false} {
			second.Active = active
			_, err := m.run(0, rotate(t))
			if e, ok := errors.AsType[*SecondKeyError](err); !ok || e.Other.ID != second.ID || e.Other.Active != active {
				t.Errorf("active %v: %v", active, err)
			}
		}
		second.Active = true
		if _, err := m.run(0, func(r *Rotator) error { return r.Rotate(t.Context(), "main", true) }); err == nil || len(m.keys) != 2 {
			t.Errorf("an active key was deleted: %v", err)
		}
		second.Active = false
		if _, err := m.run(0, func(r *Rotator) error { return r.Rotate(t.Context(), "main", true) }); err != nil {
			t.Fatal(err)
		}
		m.mustBeDone("with an inactive second key")
	})
}

// TestRefused: what AWS refuses leaves nothing behind.
func TestRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t)
		m.refuse = errors.New("AccessDenied")
		if _, err := m.run(0, rotate(t)); !errors.Is(err, m.refuse) {
			t.Errorf("err = %v", err)
		}
		m.mustBeDone("after a refusal")
	})
}

// TestNeverAccepted: a new key that AWS does not take within a minute waits
// for the next run; one that was deleted in the meantime is given up.
func TestNeverAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t)
		m.delay = 90 * time.Second
		begun := time.Now()
		if _, err := m.run(0, rotate(t)); !errors.Is(err, ErrNotAccepted) {
			t.Errorf("err = %v", err)
		}
		if took := time.Since(begun); took > acceptWithin {
			t.Errorf("it took %s", took)
		}
		m.mustWork("while it waits")
		if _, err := m.run(0, rotate(t)); err != nil {
			t.Fatal(err)
		}
		m.mustBeDone("when it is accepted")

		m.delay = time.Hour
		if _, err := m.run(0, rotate(t)); !errors.Is(err, ErrNotAccepted) {
			t.Errorf("err = %v", err)
		}
		m.keys, m.delay = m.keys[:1], 0
		if _, err := m.run(0, rotate(t)); err != nil {
			t.Fatal(err)
		}
		m.mustBeDone("after the new key was deleted by somebody")
	})
}

func TestRotateCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t)
		m.delay = time.Hour
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := m.run(0, func(r *Rotator) error { return r.Rotate(ctx, "main", false) })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("err = %v", err)
		}
		m.mustWork("after that")
	})
}
