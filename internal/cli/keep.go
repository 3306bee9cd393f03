package cli

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/deliver"
	"aws-switch-role/internal/hop"
	"aws-switch-role/internal/keeper"
	"aws-switch-role/internal/mirror"
	"aws-switch-role/internal/plan"
	"aws-switch-role/internal/session"
)

// This file is the keeper of a secretless shell: the process beside the shell
// that makes and renews sessions, and answers for the shell's programs.
// kept.go is the side of those who ask.

// keepName is the command that is the keeper. No profile is likely to have
// that name.
const keepName = "__keep"

// keepCommand is the keeper of a shell. It is run twice: the first process
// starts the second, which the shell so does not have for a child, and ends.
func (a *app) keepCommand() *cobra.Command {
	var detached bool
	cmd := &cobra.Command{
		Use:    keepName,
		Short:  "Serve the credentials of a secretless shell",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if detached {
				return keep()
			}
			program, err := os.Executable()
			if err != nil {
				return err
			}
			return keeper.Detach(program, []string{os.Args[0], keepName, "--detached"}, a.environ)
		},
	}
	cmd.Flags().BoolVar(&detached, "detached", false, "be the keeper")
	return cmd
}

// keepOrders are what a keeper is told beyond what every keeper must know.
type keepOrders struct {
	Record  record
	Who     string    // the role that the shell was switched to, as plans tell it
	Expires time.Time // of the shell's own session
}

// keepable returns an error where no keeper can hand on what a plan ends in.
func keepable(p plan.Plan) error {
	if !keeper.Possible {
		return keeper.ErrUnsupported
	}
	if p.Plain {
		return errKept
	}
	return nil
}

// outfitKept gives the child of a switch AWS files in which every profile asks
// a keeper, which it starts.
func (a *app) outfitKept(as *deliver.As, f *switchFlags, p plan.Plan, c cred.Credentials) error {
	if !c.Temporary() {
		return errKept
	}
	shell, err := a.makeShell(f, p, c.Expires, true)
	if err != nil {
		return &keeperError{err}
	}
	dress(as, shell)
	if err := a.startKeeper(f, p, c, shell); err != nil {
		return &keeperError{errors.Join(err, os.RemoveAll(shell.Dir))}
	}
	return nil
}

// startKeeper starts the keeper of the shell that this process is about to
// become, on this goroutine, and hands over the sessions of the plan.
func (a *app) startKeeper(f *switchFlags, p plan.Plan, c cred.Credentials, shell mirror.Shell) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	text, err := shell.Record()
	if err != nil {
		return err
	}
	orders := keepOrders{Who: p.Who(), Expires: c.Expires}
	if err := json.Unmarshal(text, &orders.Record); err != nil {
		return err
	}
	if text, err = json.Marshal(orders); err != nil {
		return err
	}
	sessions := map[string]cred.Credentials{}
	for i := range p.Hops {
		if !p.Kept(i) {
			continue
		}
		if c, err := f.sessions.Load(p.Key(i)); err == nil {
			sessions[vaultName(p.Key(i))] = c
		}
	}
	if seal := a.seal.text(); seal.Reveal() != "" {
		sessions[sealName] = cred.Credentials{SecretAccessKey: seal}
	}
	a.passing.kept.Range(func(name, text any) bool {
		sessions[signInPrefix+name.(string)] = cred.Credentials{SecretAccessKey: cred.NewSecret(string(text.([]byte)))}
		return true
	})
	return keeper.Start(program, []string{"aws-switch-role", keepName}, a.withoutAWS(), keeper.Orders{
		Dir: shell.Dir, Environ: a.keeperEnviron(), Switch: text, Sessions: sessions,
	})
}

// What a keeper is handed besides sessions, whose names are all hexadecimal: the
// key that they are sealed under, where it would have to be typed for, and
// sign-ins that are kept nowhere else.
const (
	sealName     = "seal"
	signInPrefix = "sign-in "
)

// notForKeepers are the variables that answer a question once, or ask for
// something once.
var notForKeepers = []string{"AWS_SWITCH_ROLE_MFA_CODE", "AWS_SWITCH_ROLE_RENEW"}

// keeperEnviron is the environment that the keeper plans in: our own, but that
// it is elsewhere than we are.
func (a *app) keeperEnviron() []string {
	files := []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"}
	var environ []string
	for i, name := range []string{"config", "credentials"} {
		if path := absolute(a.awsFile(files[i], name)); path != "" {
			environ = append(environ, files[i]+"="+path)
		}
	}
	for _, e := range a.environ {
		if name, _, _ := strings.Cut(e, "="); !slices.Contains(notForKeepers, name) && !slices.Contains(files, name) {
			environ = append(environ, e)
		}
	}
	return environ
}

// vaultName names a session in a vault.
func vaultName(k plan.Key) string { return hex.EncodeToString(k[:]) }

// keep is the keeper's life.
func keep() error {
	orders, begun, err := keeper.Receive()
	if err != nil {
		return err
	}
	k, err := newKeeping(orders)
	if err != nil {
		return begun(err)
	}
	orders.Sessions = nil // they are in the vault
	s := &keeper.Server{Dir: orders.Dir, Admission: orders.Admission, Answer: k.answer}
	ready := func() error {
		// The shell need not wait until what came through the pipe is freed.
		defer func() { go debug.FreeOSMemory() }()
		return begun(nil)
	}
	if err := s.Serve(ready); err != nil {
		return errors.Join(err, begun(err))
	}
	return k.end()
}

// keeping is what a keeper knows.
type keeping struct {
	dir     string
	environ []string
	orders  keepOrders
	vault   keeper.Vault
	locks   session.Memory // its locks are those within the process

	mu    sync.Mutex // guards what follows
	plan  *plan.Plan // of the shell's own profile, once made
	told  keptStatus
	pause time.Time // until when a renewal that failed is not tried again
}

// keptStatus is what the keeper says of itself.
type keptStatus struct {
	Expires    time.Time `json:"expires,omitzero"`
	CodeNeeded bool      `json:"code_needed,omitempty"`
	// The process that credentials were given to last.
	PID     int       `json:"pid,omitempty"`
	Program string    `json:"program,omitempty"`
	At      time.Time `json:"at,omitzero"`
}

func newKeeping(o keeper.Orders) (*keeping, error) {
	k := &keeping{dir: o.Dir, environ: o.Environ}
	if err := json.Unmarshal(o.Switch, &k.orders); err != nil {
		return nil, err
	}
	k.told.Expires = k.orders.Expires
	for name, c := range o.Sessions {
		k.vault.Put(name, c)
	}
	return k, nil
}

// app is the program as the person ran it, for one request: files are read
// anew, and nobody is asked or told anything.
func (k *keeping) app() *app {
	a := newApp(k.environ, nil, io.Discard, io.Discard)
	if c, ok := k.vault.Get(sealName); ok {
		a.seal.keep(c.SecretAccessKey)
	}
	a.passing.in = &k.vault
	return a
}

// keptFlags are those that stand in the environment, for a program that cannot
// be asked.
func (a *app) keptFlags(noCache bool) (*switchFlags, error) {
	f, err := a.standingFlags()
	if err != nil {
		return nil, err
	}
	f.noInput, f.quiet, f.noCache = true, true, noCache
	return f, nil
}

// answer implements keeper.Server's Answer.
func (k *keeping) answer(ctx context.Context, caller keeper.Caller, r keeper.Request) keeper.Answer {
	a := k.app()
	return a.keptAnswer(k.do(ctx, a, caller, r))
}

// keptAnswer is what a keeper says of what it has done.
func (a *app) keptAnswer(body []byte, err error) keeper.Answer {
	if err == nil {
		return keeper.Answer{Kind: keeper.Done, Body: body}
	}
	kind, said := keeper.Failed, any(a.explanation(err))
	if e, ok := errors.AsType[*hop.CodeError](err); ok {
		kind, said = keeper.CodeNeeded, codeNeededError{Serial: e.Serial, Problem: e.Error()}
	} else if serial := deviceOf(err); serial != "" {
		kind, said = keeper.CodeNeeded, codeNeededError{Serial: serial}
	}
	if body, err = json.Marshal(said); err != nil {
		return keeper.Answer{Kind: keeper.Failed}
	}
	return keeper.Answer{Kind: kind, Body: body}
}

// deviceOf is the MFA device whose code an error says is needed, "" when it is
// about something else.
func deviceOf(err error) string {
	if e, ok := errors.AsType[*noInputError](err); ok {
		return e.device
	}
	return ""
}

func (k *keeping) do(ctx context.Context, a *app, caller keeper.Caller, r keeper.Request) ([]byte, error) {
	if r.Verb == keeper.Status {
		return k.status()
	}
	f, err := a.keptFlags(k.orders.Record.NoCache)
	if err != nil {
		return nil, err
	}
	if r.Verb == keeper.Renew {
		f.renew, f.mfaCode = renewRoles, r.Code
		if _, err := k.ownSession(ctx, a, f); err != nil {
			return nil, err
		}
		return k.status()
	}
	c, err := k.get(ctx, a, f, r.Profile)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	k.told.PID, k.told.Program, k.told.At = caller.PID, caller.Program, a.now().UTC()
	k.mu.Unlock()
	var out bytes.Buffer
	err = deliver.Process(&out, c)
	return out.Bytes(), err
}

// status tells about the shell's own session.
func (k *keeping) status() ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return json.Marshal(k.told)
}

// get returns credentials of a profile.
func (k *keeping) get(ctx context.Context, a *app, f *switchFlags, profile string) (cred.Credentials, error) {
	if profile == "" || profile == k.orders.Record.Name {
		if c, ok := k.fresh(a.now()); ok {
			return c, nil
		}
		return k.ownSession(ctx, a, f)
	}
	return a.keptOther(f, profile, func(p plan.Plan) (cred.Credentials, error) { return k.walk(ctx, a, f, p, false) })
}

// keptOther returns credentials of a profile that the shell was not switched
// to, as far as no person need be asked.
func (a *app) keptOther(f *switchFlags, profile string, walk func(plan.Plan) (cred.Credentials, error)) (cred.Credentials, error) {
	p, err := a.plan(f, profile)
	if err != nil {
		return cred.Credentials{}, err
	}
	if p.Protected {
		return cred.Credentials{}, &keptError{a.phrase("shell-protected", profile)}
	}
	c, err := walk(p)
	if serial := deviceOf(err); serial != "" {
		err = &keptError{a.phrase("shell-other-code", profile, serial)}
	}
	return c, err
}

// pauseLength is how long programs are content with the session that there is
// after it could not be renewed: each try may take its time to fail.
const pauseLength = 30 * time.Second

// fresh returns the shell's own session while it needs no renewal. Files that
// have changed in the meantime do not change who the shell is.
func (k *keeping) fresh(now time.Time) (cred.Credentials, bool) {
	k.mu.Lock()
	p, pausing := k.plan, now.Round(0).Before(k.pause)
	k.mu.Unlock()
	if p == nil {
		return cred.Credentials{}, false
	}
	last := len(p.Hops) - 1
	c, ok := k.vault.Get(vaultName(p.Key(last)))
	return c, ok && (c.GoodFor(now, p.MinLeft(last)) || pausing && c.GoodFor(now, usable))
}

// ownSession returns the shell's own session, renewed if need be, and notes
// what became of it.
func (k *keeping) ownSession(ctx context.Context, a *app, f *switchFlags) (cred.Credentials, error) {
	p, err := a.planRecorded(k.orders.Record)
	if err != nil {
		return cred.Credentials{}, err
	}
	if p.Who() != k.orders.Who {
		return cred.Credentials{}, &keptError{a.phrase("shell-other-role", p.Profile, p.Who())}
	}
	c, err := k.walk(ctx, a, f, p, true)
	if deviceOf(err) != "" {
		k.needCode(true)
	}
	if err != nil {
		return cred.Credentials{}, err
	}
	k.note(a, p, c)
	return c, nil
}

// planRecorded makes the plan of a switch once more.
func (a *app) planRecorded(r record) (plan.Plan, error) {
	own, err := a.load()
	if err != nil {
		return plan.Plan{}, err
	}
	return plan.For(own, r.Profile, a.surround(r.Options))
}

// note keeps in mind the shell's own session, and tells prompts of its end.
func (k *keeping) note(a *app, p plan.Plan, c cred.Credentials) {
	k.mu.Lock()
	k.plan = &p
	// A request may have got the session before while another renewed it.
	renewed := c.Expires.After(k.told.Expires)
	if renewed {
		k.told.Expires, k.pause = c.Expires, time.Time{}
	}
	k.mu.Unlock()
	if !renewed {
		return
	}
	k.needCode(false)
	if err := (mirror.Shell{Dir: k.dir}).Renewed(c.Expires); err != nil {
		a.log().Debug("the end of the session is not noted", "error", err)
	}
	debug.FreeOSMemory()
}

// failed is told why a session that lives still was not renewed. That a person
// can renew it is worth a sign before it ends.
func (k *keeping) failed(now time.Time, err error) {
	if _, ok := errors.AsType[*session.HopError](err); !ok {
		return // a failing cache costs speed alone
	}
	k.mu.Lock()
	k.pause = now.Round(0).Add(pauseLength)
	k.mu.Unlock()
	if deviceOf(err) != "" {
		k.needCode(true)
	}
}

// needCode puts up, or takes down, the sign that only a person can renew the
// session.
func (k *keeping) needCode(needed bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.told.CodeNeeded = needed
	sign := filepath.Join(k.dir, keeper.CodeNeededName)
	if needed {
		_ = os.WriteFile(sign, nil, 0o600)
	} else {
		_ = os.Remove(sign)
	}
}

// walk walks a plan, with the vault before the cache.
func (k *keeping) walk(ctx context.Context, a *app, f *switchFlags, p plan.Plan, own bool) (cred.Credentials, error) {
	if p.Plain {
		return cred.Credentials{}, errKept
	}
	if _, err := a.keyringChoice(); err != nil {
		return cred.Credentials{}, err
	}
	performer, dir := a.performer(f), a.cached(ctx, f)
	e := a.engine(f, p, performer, dir, vaulted{&k.vault, &k.locks, a.store(f, dir), f.noCache, a.now})
	if own {
		e.Warn = func(err error) { k.failed(a.now(), err) }
		// A role that wants a recent code says no more than that it is denied.
		e.Stale = staleMFA
	}
	c, err := e.Credentials(ctx, p)
	performer.Close()
	if err == nil && !c.Temporary() {
		err = errKept
	}
	return c, err
}

// end is what remains to do when the shell has ended.
func (k *keeping) end() error { return os.RemoveAll(k.dir) }

// errKept says that credentials which a keeper would hand on are a long-lived
// key.
var errKept = errors.New("a long-lived key is not handed to the programs of a secretless shell")

// vaulted is the session store of a keeper: what it has in memory, then what
// the user's other shells have put into the cache.
type vaulted struct {
	vault *keeper.Vault
	locks *session.Memory
	cache session.Store
	alone bool // there is no cache
	now   func() time.Time
}

// settled is the life with which no other session is looked for.
const settled = 15 * time.Minute

// Load implements session.Store. Of two sessions it is the one that lasts.
func (s vaulted) Load(k plan.Key) (cred.Credentials, error) {
	c, held := s.vault.Get(vaultName(k))
	if held && (s.alone || c.GoodFor(s.now(), settled)) {
		return c, nil
	}
	if s.alone {
		return cred.Credentials{}, session.ErrMiss
	}
	cached, err := s.cache.Load(k)
	if held && (err != nil || cached.Expires.Before(c.Expires)) {
		return c, nil
	}
	return cached, err
}

// Save implements session.Store.
func (s vaulted) Save(p plan.Plan, i int, c cred.Credentials) error {
	s.vault.Put(vaultName(p.Key(i)), c)
	if s.alone {
		return nil
	}
	return s.cache.Save(p, i, c)
}

// Lock implements session.Store: among the requests, then among processes.
func (s vaulted) Lock(ctx context.Context, k plan.Key) (func(), error) {
	mine, err := s.locks.Lock(ctx, k)
	if err != nil || s.alone {
		return mine, err
	}
	theirs, err := s.cache.Lock(ctx, k)
	if err != nil {
		mine()
		return nil, err
	}
	return func() { theirs(); mine() }, nil
}
