package cli

import (
	"bytes"
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/deliver"
	"aws-switch-role/internal/keeper"
	"aws-switch-role/internal/mirror"
	"aws-switch-role/internal/plan"
)

// eachShells are what the commands of each find around them: AWS files that all
// of them share and, for the secretless ones, each itself as their keeper.
type eachShells struct {
	app      *app
	flags    *switchFlags // by which the sessions are made
	sessions *eachSessions
	shared   mirror.Shell        // of those with credentials in their environment
	kept     mirror.Shell        // of the secretless ones
	runs     map[string]*eachRun // the latter, by the profile that their environment names
	ended    chan struct{}       // closed when there are no more requests to answer

	mu     sync.Mutex // guards served
	served map[string]served
}

// eachShells makes the files that the commands of the runs share.
func (a *app) eachShells(f *switchFlags, sessions *eachSessions, runs []*eachRun) (*eachShells, error) {
	s := &eachShells{app: a, sessions: sessions, runs: map[string]*eachRun{}, ended: make(chan struct{}), served: map[string]served{}}
	_, s.flags = f.regions()
	o, err := s.flags.options()
	if err != nil {
		return nil, err
	}
	rec := record{Many: true, Options: o, NoCache: f.noCache, Roles: map[string]string{}}
	var files, keeps mirror.Files
	some, seen, baseKeyID := false, map[string]bool{}, ""
	for _, run := range runs {
		if run.err != nil {
			continue
		}
		name := run.plan.Profile
		some = some || !run.kept
		if seen[name] {
			continue
		}
		seen[name] = true
		if run.plan.Adhoc {
			rec.Roles[name] = run.plan.RoleARN()
		}
		switch {
		case run.kept:
			s.runs[name] = run
			keeps.Actives = append(keeps.Actives, name)
			baseKeyID = a.as(run.plan).BaseKeyID
		case run.plan.Adhoc || run.plan.RoleARN() == "":
			// The profile of a role asks by itself: so the files are the same
			// for all choices of those.
			files.Actives = append(files.Actives, name)
		}
	}
	if some {
		if s.shared, err = a.makePlace(rec, mirror.Switch{Files: files}); err != nil {
			a.warnOfOwnFiles(f, err)
		}
	}
	if len(s.runs) > 0 {
		rec.BaseKeyID = baseKeyID
		if s.kept, err = a.makePlace(rec, mirror.Switch{Files: keeps, Served: true}); err == nil {
			err = s.keep()
		}
		if err != nil {
			return nil, &keeperError{err}
		}
	}
	return s, nil
}

// keep begins to answer the secretless runs.
func (s *eachShells) keep() error {
	server := keeper.Server{Dir: s.kept.Dir, Admission: keeper.Descendants(), Answer: s.answer}
	begun := make(chan error, 1)
	go func() {
		begun <- server.ServeUntil(s.ended, func() error {
			begun <- nil
			return nil
		})
	}()
	err := <-begun
	if err != nil {
		err = errors.Join(err, os.RemoveAll(s.kept.Dir))
	}
	return err
}

// close ends the answering. The files of the others stay, for what goes on
// after its command.
func (s *eachShells) close() {
	close(s.ended)
	if s.kept.Dir != "" {
		_ = os.RemoveAll(s.kept.Dir)
	}
}

// environment is that of a run's command.
func (s *eachShells) environment(r *eachRun, c cred.Credentials) ([]string, error) {
	as := s.app.as(r.plan)
	switch {
	case !r.kept:
		if s.shared.Dir != "" {
			dress(&as, s.shared)
		}
	case !c.Temporary():
		return nil, errKept
	default:
		dress(&as, s.kept)
		as.BaseKeyID, c = "", cred.Credentials{} // the record says it
	}
	return deliver.Env(s.app.environ, c, as), nil
}

// answer implements keeper.Server's Answer.
func (s *eachShells) answer(ctx context.Context, caller keeper.Caller, r keeper.Request) keeper.Answer {
	return s.app.keptAnswer(s.do(ctx, caller, r))
}

func (s *eachShells) do(ctx context.Context, caller keeper.Caller, r keeper.Request) ([]byte, error) {
	run := s.runs[r.Own]
	if run == nil {
		return nil, errNoShell
	}
	switch {
	case r.Verb == keeper.Status:
		return s.status(run)
	case r.Verb == keeper.Renew:
		f := *s.flags
		f.renew, f.mfaCode, f.noInput = renewRoles, r.Code, true
		engine, done := s.sessions.engine(&f, run.plan)
		defer done()
		if _, err := engine.Credentials(ctx, run.plan); err != nil {
			return nil, err
		}
		return s.status(run)
	}
	c, err := s.get(ctx, run, r.Profile)
	if err == nil && !c.Temporary() {
		err = errKept
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.served[r.Own] = served{caller.PID, caller.Program, s.app.now().UTC()}
	s.mu.Unlock()
	var out bytes.Buffer
	err = deliver.Process(&out, c)
	return out.Bytes(), err
}

// get returns credentials of a run's own profile, renewed if need be, or of
// another.
func (s *eachShells) get(ctx context.Context, run *eachRun, profile string) (cred.Credentials, error) {
	if profile == "" || profile == run.plan.Profile {
		return s.sessions.credentials(ctx, run)
	}
	f, err := s.app.keptFlags(s.flags.noCache)
	if err != nil {
		return cred.Credentials{}, err
	}
	return s.app.keptOther(f, profile, func(p plan.Plan) (cred.Credentials, error) {
		if p.Plain {
			return cred.Credentials{}, errKept
		}
		engine, done := s.sessions.engine(f, p)
		defer done()
		return engine.Credentials(ctx, p)
	})
}

// status tells about a run's own session.
func (s *eachShells) status(run *eachRun) ([]byte, error) {
	told := keptStatus{}
	last := len(run.plan.Hops) - 1
	if c, err := s.sessions.store.Load(run.plan.Key(last)); err == nil {
		told.Expires = c.Expires.Round(time.Second)
	}
	s.mu.Lock()
	to := s.served[run.plan.Profile]
	s.mu.Unlock()
	told.PID, told.Program, told.At = to.PID, to.Program, to.At
	return encoded(told)
}
