// Package session walks a plan while doing as little as it can: what is
// cached is used again, what is missing is fetched by one caller at a time,
// and everybody else waits for that one.
package session

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/plan"
)

// ErrMiss says that a store holds no usable session under a key.
var ErrMiss = errors.New("no such session")

// Store keeps sessions between walks, and often between processes.
type Store interface {
	// Load returns the session kept under k, or ErrMiss. An entry that
	// cannot be read is a miss.
	Load(k plan.Key) (cred.Credentials, error)
	// Save keeps c, the credentials of hop i of p, under p.Key(i), replacing
	// what was there. It is given the plan because a store may say of an entry
	// what it is, which a key does not tell.
	Save(p plan.Plan, i int, c cred.Credentials) error
	// Lock waits until no other walker holds k. The lock ends with unlock or
	// with the process that holds it. A store that has waited for long enough
	// returns context.DeadlineExceeded: the walk ends there, for going on
	// would be to do what somebody else is doing.
	Lock(ctx context.Context, k plan.Key) (unlock func(), err error)
}

// Engine turns plans into credentials. Its fields are set once, before use;
// its methods may be called by many at once.
type Engine struct {
	Store Store
	// Perform does one hop, spending the credentials of the hop before it;
	// for the source those are the zero value.
	Perform func(ctx context.Context, h plan.Hop, from cred.Credentials) (cred.Credentials, error)
	Now     func() time.Time
	// Renew says of hop i of p that a session kept by an earlier run is not
	// to be used. nil stands for never.
	Renew func(p plan.Plan, i int) bool
	// Stale says of hop i of p, refused with err, that the session which it
	// spent may be at fault for its age: it is then made anew and the hop is
	// tried once more, unless this engine made that session itself. nil
	// stands for never.
	Stale func(p plan.Plan, i int, err error) bool
	// Warn is told of what went wrong but did not stop the walk: a failing
	// store costs speed, a failing renewal costs nothing while the session
	// at hand still lives. nil drops it.
	Warn func(error)

	made sync.Map // of plan.Key: sessions of this engine's own making
}

// lastMoments is the life below which a session is no help even when renewing
// it has failed.
const lastMoments = time.Minute

// Credentials returns the credentials of p's last hop.
//
// The walk goes from the last hop back to the nearest kept session, and then
// forward again. Locks nest in that order, from a chain's end to its start,
// so that chains which share a start cannot wait for each other in a circle,
// and of any number of walks that need the same session one makes it.
//
// An error is a *HopError, or of ctx.
func (e *Engine) Credentials(ctx context.Context, p plan.Plan) (cred.Credentials, error) {
	return e.walk(ctx, p, len(p.Hops)-1)
}

func (e *Engine) walk(ctx context.Context, p plan.Plan, i int) (cred.Credentials, error) {
	if i < 0 {
		return cred.Credentials{}, nil
	}
	if !p.Kept(i) {
		return e.perform(ctx, p, i)
	}
	k := p.Key(i)
	if c, ok := e.load(p, i, k); ok {
		return c, nil
	}
	unlock, err := e.lock(ctx, p, i, k)
	if err != nil {
		return cred.Credentials{}, err
	}
	defer unlock()
	old, ok := e.load(p, i, k)
	if ok {
		return old, nil
	}
	c, err := e.perform(ctx, p, i)
	if err != nil {
		if !errors.Is(err, context.Canceled) && !e.renew(p, i, k) && old.GoodFor(e.Now(), lastMoments) {
			e.warn(fmt.Errorf("using the session that ends at %s: %w", old.Expires.Format(time.TimeOnly), err))
			return old, nil
		}
		return cred.Credentials{}, err
	}
	e.keep(p, i, k, c)
	return c, nil
}

// load returns the session kept under k; ok says that it may be used.
func (e *Engine) load(p plan.Plan, i int, k plan.Key) (c cred.Credentials, ok bool) {
	c, err := e.Store.Load(k)
	if err != nil {
		if !errors.Is(err, ErrMiss) {
			e.warn(fmt.Errorf("reading the session: %w", err))
		}
		return cred.Credentials{}, false
	}
	return c, c.GoodFor(e.Now(), p.MinLeft(i)) && !e.renew(p, i, k)
}

// renew reports whether the session under k is to be made anew: as asked, but
// once an engine.
func (e *Engine) renew(p plan.Plan, i int, k plan.Key) bool {
	if e.Renew == nil || !e.Renew(p, i) {
		return false
	}
	_, made := e.made.Load(k)
	return !made
}

// perform gets what hop i spends, and does it.
func (e *Engine) perform(ctx context.Context, p plan.Plan, i int) (cred.Credentials, error) {
	from, err := e.walk(ctx, p, i-1)
	if err != nil {
		return cred.Credentials{}, err
	}
	c, err := e.Perform(ctx, p.Hops[i], from)
	if err != nil && i > 0 && e.Stale != nil && e.Stale(p, i, err) {
		fresh, ok, ferr := e.freshen(ctx, p, i-1, from)
		if ferr != nil {
			return cred.Credentials{}, ferr
		}
		if ok {
			c, err = e.Perform(ctx, p.Hops[i], fresh)
		}
	}
	if err != nil {
		return cred.Credentials{}, &HopError{p, i, err}
	}
	return c, nil
}

// freshen makes the kept session of hop i anew. ok is false when there is none
// or this engine made it: it is as fresh as can be. When somebody else has
// made a new one in the meantime, that is it.
func (e *Engine) freshen(ctx context.Context, p plan.Plan, i int, old cred.Credentials) (c cred.Credentials, ok bool, err error) {
	k := p.Key(i)
	if _, made := e.made.Load(k); made || !p.Kept(i) {
		return cred.Credentials{}, false, nil
	}
	unlock, err := e.lock(ctx, p, i, k)
	if err != nil {
		return cred.Credentials{}, false, err
	}
	defer unlock()
	if c, ok := e.load(p, i, k); ok && c.AccessKeyID != old.AccessKeyID {
		return c, true, nil
	}
	if c, err = e.perform(ctx, p, i); err != nil {
		return cred.Credentials{}, false, err
	}
	e.keep(p, i, k, c)
	return c, true, nil
}

// lock takes the lock of a session. A store that cannot lock costs the
// sharing, not the job.
func (e *Engine) lock(ctx context.Context, p plan.Plan, i int, k plan.Key) (unlock func(), err error) {
	unlock, err = e.Store.Lock(ctx, k)
	if err == nil {
		return unlock, nil
	}
	if ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) {
		return nil, &HopError{p, i, err}
	}
	e.warn(fmt.Errorf("locking the session: %w", err))
	return func() {}, nil
}

// keep saves a session that was just made.
func (e *Engine) keep(p plan.Plan, i int, k plan.Key, c cred.Credentials) {
	if err := e.Store.Save(p, i, c); err != nil {
		e.warn(fmt.Errorf("keeping the session: %w", err))
	}
	e.made.Store(k, nil)
}

func (e *Engine) warn(err error) {
	if e.Warn != nil {
		e.Warn(err)
	}
}

// HopError says at which hop of a plan a walk ended.
type HopError struct {
	Plan  plan.Plan
	Index int
	Err   error
}

// Error implements error.
func (e *HopError) Error() string {
	return fmt.Sprintf("profile %s, hop %d of %d: %v", e.Plan.Profile, e.Index+1, len(e.Plan.Hops), e.Err)
}

// Unwrap returns the cause.
func (e *HopError) Unwrap() error { return e.Err }
