package cli

import (
	"context"
	"errors"
	"sync"
	"time"

	"aws-switch-role/internal/cache"
	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/fanout"
	"aws-switch-role/internal/plan"
	"aws-switch-role/internal/session"
	"aws-switch-role/internal/term"
)

// eachSessions gets the credentials of many runs: one after the other from
// those that the code of an MFA device buys, and all at one pace.
type eachSessions struct {
	app     *app
	out     *eachOutput
	dir     *cache.Dir
	store   session.Store
	pace    fanout.Pace
	engines map[string]*session.Engine // by the bundle of certificates that they trust
	refused map[plan.Key]error         // why there is no session of an MFA device
}

// patienceOfMany is how long a run waits for another one that makes a session
// which both need, at whatever pace AWS allows.
const patienceOfMany = 10 * time.Minute

// eachSessions returns what gets the credentials of runs. A question on the
// terminal is asked with out's board taken away.
func (a *app) eachSessions(ctx context.Context, f *switchFlags, runs []*eachRun, out *eachOutput) (*eachSessions, error) {
	if _, err := a.keyringChoice(); err != nil {
		return nil, err
	}
	a.waits.silence() // out tells how far the runs are
	dir := a.cached(ctx, f)
	store := a.store(f, dir)
	if p, ok := store.(patient); ok {
		p.limit = patienceOfMany
		store = p
	}
	s := &eachSessions{app: a, out: out, dir: dir, store: &safeStore{Store: store}, engines: map[string]*session.Engine{}, refused: map[plan.Key]error{}}
	for _, r := range runs {
		if _, ok := s.engines[r.plan.CABundle]; ok || r.err != nil {
			continue
		}
		about := r.plan
		if len(runs) > 1 {
			about.Profile = counted(len(runs), "run") + ", the first of them " + r.label
		}
		engine, _ := s.engine(f, about)
		engine.Perform = (&sources{perform: engine.Perform, now: a.now}).once
		s.engines[r.plan.CABundle] = engine
	}
	return s, nil
}

// engine returns what walks plans like this one, at the pace of all. done is
// called when it will walk no more.
func (s *eachSessions) engine(f *switchFlags, about plan.Plan) (engine *session.Engine, done func()) {
	performer := s.app.performer(f)
	performer.Turn = s.pace.Turn
	engine = s.app.engine(f, about, performer, s.dir, s.store)
	ask := performer.MFACode
	performer.MFACode = func(ctx context.Context, m plan.MFA, problem error) (string, error) {
		defer s.out.aside()()
		return ask(ctx, m, problem)
	}
	return engine, performer.Close
}

// behindDevice is the part of a plan up to the session that an MFA device's
// code buys.
func behindDevice(p plan.Plan) (session plan.Plan, ok bool) {
	for i, h := range p.Hops {
		if t, ok := h.(plan.SessionToken); ok && t.MFA.Serial != "" {
			p.Hops, p.Facts = p.Hops[:i+1], p.Facts[:i+1]
			return p, true
		}
	}
	return p, false
}

// ask has a session of each MFA device made that any of the runs needs, before
// the first begins: a person is asked at the start, once a device, whatever
// becomes of the answer.
func (s *eachSessions) ask(ctx context.Context, f *switchFlags, runs []*eachRun) error {
	asked := map[plan.Key]bool{}
	for _, r := range runs {
		if r.err != nil {
			continue
		}
		device, ok := behindDevice(r.plan)
		if !ok {
			continue
		}
		last := len(device.Hops) - 1
		k := device.Key(last)
		if !asked[k] && !f.renews(device, last) && s.has(device) {
			asked[k] = true // without a look at each role's
		}
		if asked[k] || !f.renews(r.plan, len(r.plan.Hops)-1) && s.has(r.plan) {
			continue
		}
		asked[k] = true
		if _, err := s.engines[r.plan.CABundle].Credentials(ctx, device); err != nil {
			if _, interrupted := errors.AsType[term.Interrupted](err); interrupted {
				return err
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			s.refused[k] = err
		}
	}
	return nil
}

// has reports whether a plan's last session is kept.
func (s *eachSessions) has(p plan.Plan) bool {
	last := len(p.Hops) - 1
	c, err := s.store.Load(p.Key(last))
	return err == nil && c.GoodFor(s.app.now(), p.MinLeft(last))
}

// credentials are those of a run.
func (s *eachSessions) credentials(ctx context.Context, r *eachRun) (cred.Credentials, error) {
	if r.err != nil {
		return cred.Credentials{}, r.err
	}
	if device, ok := behindDevice(r.plan); ok {
		if err := s.refused[device.Key(len(device.Hops)-1)]; err != nil && !s.has(r.plan) {
			return cred.Credentials{}, err
		}
	}
	c, err := s.engines[r.plan.CABundle].Credentials(ctx, r.plan)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return c, err
}

// sources gets the credentials that chains start from once for all: a keyring
// is read, and a process run, once, whatever comes of it.
type sources struct {
	perform func(context.Context, plan.Hop, cred.Credentials) (cred.Credentials, error)
	now     func() time.Time

	mu    sync.Mutex // guards the map; each source has a lock of its own
	known map[plan.Key]*source
}

type source struct {
	mu   sync.Mutex
	c    cred.Credentials
	err  error
	have bool
}

// once does a hop, if it is no source that was done before.
func (s *sources) once(ctx context.Context, h plan.Hop, from cred.Credentials) (cred.Credentials, error) {
	p := plan.Plan{Hops: []plan.Hop{h}}
	if from != (cred.Credentials{}) || p.Kept(0) {
		return s.perform(ctx, h, from)
	}
	k := p.Key(0)
	s.mu.Lock()
	if s.known == nil {
		s.known = map[plan.Key]*source{}
	}
	known, ok := s.known[k]
	if !ok {
		known = &source{}
		s.known[k] = known
	}
	s.mu.Unlock()
	known.mu.Lock()
	defer known.mu.Unlock()
	if known.have && (known.err != nil || known.c.Expires.IsZero() || known.c.GoodFor(s.now(), p.MinLeft(0))) {
		return known.c, known.err
	}
	c, err := s.perform(ctx, h, from)
	if ctx.Err() == nil {
		known.c, known.err, known.have = c, err, true
	}
	return c, err
}
