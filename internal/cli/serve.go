package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/deliver"
	"aws-switch-role/internal/hop"
	"aws-switch-role/internal/keyring"
	"aws-switch-role/internal/plan"
	"aws-switch-role/internal/session"
	"aws-switch-role/internal/term"
)

// serveFlags are the flags of serve, beside those of a switch.
type serveFlags struct {
	port    int
	anyUser bool
	format  formatFlag
}

func (a *app) serveCommand() *cobra.Command {
	f, s := &switchFlags{}, &serveFlags{format: formatFlag(deliver.FormatEnv)}
	cmd := &cobra.Command{
		Use:   "serve [flags] [PROFILE|ROLE_ARN]",
		Short: "Serve a profile's credentials on loopback, as ECS does for its containers",
		Long: `Become a profile, and hand its credentials to every AWS SDK that asks for them
at a port of 127.0.0.1, for as long as this command runs: for what can neither
be started by aws-switch-role nor run a credential_process, such as an editor or
a container on the host's network. They are renewed before they end. When that
takes an MFA code, it is asked for on this command's terminal.

The variables AWS_CONTAINER_CREDENTIALS_FULL_URI, AWS_CONTAINER_AUTHORIZATION_TOKEN
and, if the profile has one, the region's are printed; then stdout is closed, so
that whoever reads it has the whole. What asks must have them, and come from the
same user or from root. (On Linux that is checked: --any-user lets containers in
that run as another user. Elsewhere the token alone decides.)

SDKs ask an endpoint last: keys in the environment, and those of the profile
default, win over it. Where there are such, set AWS_SHARED_CREDENTIALS_FILE and
AWS_CONFIG_FILE to /dev/null beside the variables.

It ends with Ctrl-C, and with the process that started it, unless that was nohup.`,
		Example: `  # in a terminal of its own
  (umask 077; aws-switch-role serve sub-account > ~/.endpoint)

  # in another: VS Code, and all that it starts
  . ~/.endpoint; code .

  # Docker, from the same shell
  docker run --rm --network host -e AWS_CONTAINER_CREDENTIALS_FULL_URI \
    -e AWS_CONTAINER_AUTHORIZATION_TOKEN amazon/aws-cli s3 ls

  # a script, in which the variables are in the file when it is not empty
  aws-switch-role serve sub-account --format json > endpoint.json &`,
		ValidArgsFunction: a.completeProfiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			args, err := onlyProfile(cmd, args)
			if err != nil {
				return err
			}
			return a.serve(cmd, f, s, args)
		},
	}
	f.register(cmd)
	s.format.register(cmd)
	cmd.Flags().IntVar(&s.port, "port", 0, "the `port` (default any that is free)")
	cmd.Flags().BoolVar(&s.anyUser, "any-user", false, "answer the processes of other users, too, if they have the token")
	return cmd
}

// serve becomes a profile and serves its credentials until it is told to end.
func (a *app) serve(cmd *cobra.Command, f *switchFlags, s *serveFlags, args []string) error {
	p, err := a.prepare(cmd, f, args)
	if err != nil {
		return err
	}
	if p.Plain {
		return usagef("serve hands out temporary credentials alone, and %s asks for the long-lived key itself", f.name("no-session"))
	}
	if s.port < 0 || s.port > 65535 {
		return usagef("%s is a number up to 65535, not %d", f.name("port"), s.port)
	}
	endpoint, err := deliver.Listen(s.port)
	if err != nil {
		return &portError{s.port, err}
	}
	defer endpoint.Close()
	engine, err := a.engines(cmd.Context(), f, p)
	if err != nil {
		return err
	}
	first, err := engine(f).Credentials(cmd.Context(), p)
	if err != nil {
		return err
	}
	if !first.Temporary() {
		return errLongLived
	}

	ctx, stop := untilTold(cmd.Context())
	defer stop(nil)
	if err := endpoint.Export(a.stdout, deliver.Format(s.format), a.environ, a.as(p)); err != nil {
		return err
	}
	if out, ok := a.stdout.(io.Closer); ok {
		if err := out.Close(); err != nil {
			return err
		}
	}
	if a.onTerminal() {
		a.tellServing(endpoint, p, first)
	}
	supply := a.supply(ctx, f, p, engine, first, func(i term.Interrupted) { stop(i) })
	err = endpoint.Serve(ctx, deliver.Service{Credentials: supply.credentials, RoleARN: p.RoleARN(), AnyUser: s.anyUser, Now: a.now})
	stop(nil)
	supply.end() // a question gives the terminal back
	if interrupted, ok := errors.AsType[term.Interrupted](context.Cause(ctx)); ok {
		return interrupted
	}
	return err
}

// engines returns what makes an engine for one walk of a plan after another.
// They share what they keep.
func (a *app) engines(ctx context.Context, f *switchFlags, p plan.Plan) (func(*switchFlags) *session.Engine, error) {
	if _, err := a.keyringChoice(); err != nil {
		return nil, err
	}
	dir := a.cached(ctx, f)
	store := &safeStore{Store: a.store(f, dir)}
	return func(f *switchFlags) *session.Engine { return a.engine(f, p, a.performer(f), dir, store) }, nil
}

// safeStore keeps in memory what a store cannot keep: a process that goes on
// needs it again.
type safeStore struct {
	session.Store
	unkept session.Memory
}

// Load implements session.Store.
func (s *safeStore) Load(k plan.Key) (cred.Credentials, error) {
	c, err := s.Store.Load(k)
	if err != nil {
		if c, unkept := s.unkept.Load(k); unkept == nil {
			return c, nil
		}
	}
	return c, err
}

// Save implements session.Store.
func (s *safeStore) Save(p plan.Plan, i int, c cred.Credentials) error {
	err := s.Store.Save(p, i, c)
	if err != nil {
		_ = s.unkept.Save(p, i, c)
	}
	return err
}

// supply renews the first credentials by further walks of their plan, asking
// on the terminal if that is ours. interrupted is told of a question that was
// left.
func (a *app) supply(ctx context.Context, f *switchFlags, p plan.Plan, engine func(*switchFlags) *session.Engine, first cred.Credentials, interrupted func(term.Interrupted)) *supply {
	// What a shell without job control has in the background, it starts with
	// Ctrl-C ignored (POSIX, "Asynchronous Lists").
	mayAsk := func() bool { return !f.noInput && !signal.Ignored(os.Interrupt) && a.inForeground() }
	return &supply{
		now: a.now, minLeft: p.MinLeft(len(p.Hops) - 1), current: first, mayAsk: mayAsk, refusal: a.refusal,
		renew: func(ask bool) (cred.Credentials, error) {
			later := *f
			// Said of the first time: a code is taken once, and a session that
			// was to be new is.
			later.mfaCode, later.renew, later.quiet = "", renewNone, true
			later.noInput = !ask
			e := engine(&later)
			if !ask && mayAsk() {
				e.Stale = staleMFA // to learn that there is something to ask
			}
			return renewed(ctx, e, p)
		},
		asked: func(c cred.Credentials, err error) {
			if i, ok := errors.AsType[term.Interrupted](err); ok {
				interrupted(i)
			} else if err == nil {
				a.toTerminal(a.announcement(p, c))
			} else if ctx.Err() == nil {
				a.toTerminal(strings.Join(a.explain(err), "\n"))
			}
		},
	}
}

// tellServing says on the terminal what is served, and what would be in its
// way.
func (a *app) tellServing(e *deliver.Endpoint, p plan.Plan, c cred.Credentials) {
	fmt.Fprintln(a.stderr, a.announcement(p, c))
	fmt.Fprintln(a.stderr, "serving at "+e.URL()+", renewed as needed; Ctrl-C ends it")
	if at := a.defaultCredentials(); at != "" {
		fmt.Fprintln(a.stderr, "note: SDKs prefer your profile default ("+term.Clean(at)+"): set AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE to /dev/null beside the variables")
	}
}

// defaultCredentials says where the profile default is given credentials: SDKs
// look for an endpoint only where it is not (botocore's create_credential_resolver).
func (a *app) defaultCredentials() string {
	c, err := a.load()
	if err != nil {
		return ""
	}
	p, _, err := c.Profile("default")
	if err != nil {
		return ""
	}
	for _, key := range []string{"aws_access_key_id", "role_arn", "web_identity_token_file", "sso_session", "sso_start_url", "login_session", "credential_process"} {
		if v, ok := p.Keys[key]; ok {
			return a.tilde(v.Origin.String())
		}
	}
	return ""
}

// inForeground reports whether there is a terminal that would let us ask.
func (a *app) inForeground() bool {
	t, err := term.Open()
	if err != nil {
		return false
	}
	defer t.Close()
	return t.Foreground()
}

// untilTold is done when the person ends us with a key or by closing the
// terminal, when we are asked to end, and when the process ends that started
// us. For a signal, the cause is a [term.Interrupted]. What nohup or a shell's &
// has us ignore stays ignored, and nohup's command outlives whoever typed it.
func untilTold(parent context.Context) (context.Context, context.CancelCauseFunc) {
	ctx, stop := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGHUP, syscall.SIGQUIT} {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	var orphaned <-chan struct{}
	if !signal.Ignored(syscall.SIGHUP) {
		orphaned = deliver.ParentEnded(ctx)
	}
	go func() {
		defer signal.Stop(signals)
		select {
		case s := <-signals:
			stop(term.Interrupted{Signal: s.(syscall.Signal)})
		case <-orphaned:
			stop(nil)
		case <-ctx.Done():
		}
	}()
	return ctx, stop
}

// renewed walks a plan. Where the walk could not renew, and goes on with the
// session that there is, it is an error that this one ends soon.
func renewed(ctx context.Context, e *session.Engine, p plan.Plan) (cred.Credentials, error) {
	var failed error
	warn := e.Warn
	e.Warn = func(err error) {
		if _, ok := errors.AsType[*session.HopError](err); ok {
			failed = err
		}
		warn(err)
	}
	c, err := e.Credentials(ctx, p)
	if err == nil && !c.GoodFor(e.Now(), p.MinLeft(len(p.Hops)-1)) {
		err = failed
	}
	return c, err
}

const (
	// patienceOfSDKs is how long a request is kept waiting for a renewal: the
	// SDK for JavaScript gives up after a second, botocore after two.
	patienceOfSDKs = 800 * time.Millisecond
	// usable is the life that credentials must have left to be handed out when
	// they cannot be renewed.
	usable = time.Minute
)

// supply is where an endpoint's credentials come from. They are renewed in the
// background, one renewal at a time: an SDK that has given up must not take
// with it what it will want when it asks again.
type supply struct {
	now     func() time.Time
	minLeft time.Duration // the life below which credentials are renewed
	mayAsk  func() bool   // whether a person can be asked
	// renew makes new credentials: asking, or failing where it would have to.
	renew   func(ask bool) (cred.Credentials, error)
	asked   func(cred.Credentials, error) // what became of a question
	refusal func(error) *deliver.Refusal  // puts an error into words

	running sync.WaitGroup
	mu      sync.Mutex // guards what follows
	current cred.Credentials
	renewal *renewal // that is under way, if any
	over    bool     // none is begun any more
}

// renewal is one attempt to renew the credentials.
type renewal struct {
	asking chan struct{} // closed when a person is asked
	ended  chan struct{} // closed when err is set
	err    error
}

// credentials implements [deliver.Service.Credentials].
func (s *supply) credentials(ctx context.Context) (cred.Credentials, error) {
	r := s.need()
	if r != nil {
		select {
		case <-r.ended:
		case <-r.asking:
		case <-time.After(patienceOfSDKs):
		case <-ctx.Done():
			return cred.Credentials{}, ctx.Err()
		}
	}
	s.mu.Lock()
	c := s.current
	s.mu.Unlock()
	if r == nil || c.GoodFor(s.now(), usable) {
		return c, nil
	}
	select {
	case <-r.ended:
		if r.err != nil {
			return cred.Credentials{}, s.refusal(r.err)
		}
		return c, nil // as short-lived as it is
	case <-r.asking:
		return cred.Credentials{}, s.refusal(errAsking)
	default:
		return cred.Credentials{}, s.refusal(errRenewing)
	}
}

// need returns the renewal that is under way, or starts one if there must be
// one; nil says that there need not, or that all is over.
func (s *supply) need() *renewal {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current.GoodFor(s.now(), s.minLeft) {
		return nil
	}
	if s.renewal == nil && !s.over {
		r := &renewal{asking: make(chan struct{}), ended: make(chan struct{})}
		s.running.Go(func() { s.run(r) })
		s.renewal = r
	}
	return s.renewal
}

// run renews, without a person if that can be.
func (s *supply) run(r *renewal) {
	c, err := s.renew(false)
	if err != nil && wantsPerson(err) && s.mayAsk() {
		close(r.asking)
		c, err = s.renew(true)
		s.asked(c, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil || c.GoodFor(s.now(), usable) {
		s.current = c
	}
	r.err = err
	s.renewal = nil
	close(r.ended)
}

// end returns when no renewal is under way, nor will be.
func (s *supply) end() {
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
	s.running.Wait()
}

// wantsPerson reports whether something failed for want of a person to ask.
func wantsPerson(err error) bool {
	_, forbidden := errors.AsType[*noInputError](err)
	_, signedOut := errors.AsType[*hop.SignInError](err)
	return forbidden || signedOut || errors.Is(err, keyring.ErrLocked) || errors.Is(err, keyring.ErrUnavailable)
}

var (
	errLongLived = errors.New("serve hands out temporary credentials alone, and these are a long-lived key")
	errAsking    = errors.New("the credentials have ended, and renewing them takes an answer of yours")
	errRenewing  = errors.New("the credentials have ended, and are being renewed")
)

// portError says that a port cannot be served on.
type portError struct {
	port int
	err  error
}

func (e *portError) Error() string { return fmt.Sprintf("port %d of 127.0.0.1: %v", e.port, e.err) }
func (e *portError) Unwrap() error { return e.err }
