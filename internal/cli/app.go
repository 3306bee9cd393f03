package cli

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"aws-switch-role/internal/accesskey"
	"aws-switch-role/internal/awsconfig"
	"aws-switch-role/internal/cache"
	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/deliver"
	"aws-switch-role/internal/hop"
	"aws-switch-role/internal/message"
	"aws-switch-role/internal/plan"
	"aws-switch-role/internal/session"
	"aws-switch-role/internal/term"
)

// app is one run of the program: all that it was started with, and what its
// commands share.
type app struct {
	environ        []string
	stdin          io.Reader
	stdout, stderr io.Writer
	now            func() time.Time
	exit           int               // the status of a command that ran
	dashed         bool              // a -- stands on the command line
	command        string            // the path of the one that failed
	interrupted    *term.Interrupted // a question was, if not nil
	warned         sync.Once         // of what did not stop the switch
	codeTaken      atomic.Bool       // an MFA code was given in this run
	waits          waits             // for what is slow
	seal           sealKey           // once typed for, or handed over
	passing        passingSignIns    // where no keyring is to be used

	debug  bool
	config *awsconfig.Config // once loaded
	// stored returns what the index says that the keyring holds, read once.
	stored func() (map[string]accesskey.Entry, error)
}

func newApp(environ []string, stdin io.Reader, stdout, stderr io.Writer) *app {
	a := &app{environ: environ, stdin: stdin, stdout: stdout, stderr: term.Writer{To: stderr}, now: time.Now}
	a.waits.tell = a.tellWait
	a.stored = sync.OnceValues(func() (map[string]accesskey.Entry, error) { return a.keyIndex().Read() })
	return a
}

// getenv returns the value of a variable, "" when it is not set.
func (a *app) getenv(name string) string {
	for _, e := range a.environ {
		// Dozens are looked up in every run: no text is joined for each entry.
		if len(e) > len(name) && e[len(name)] == '=' && e[:len(name)] == name {
			return e[len(name)+1:]
		}
	}
	return ""
}

// home is the user's home directory, "" when nothing tells it.
func (a *app) home() string {
	if h := a.getenv("HOME"); h != "" {
		return h
	}
	if h := a.getenv("USERPROFILE"); h != "" {
		return h
	}
	if u, err := user.Current(); err == nil {
		return u.HomeDir
	}
	return ""
}

// load reads the AWS files, once.
func (a *app) load() (*awsconfig.Config, error) {
	if a.config != nil {
		return a.config, nil
	}
	c, err := awsconfig.Load(a.awsFile("AWS_CONFIG_FILE", "config"), a.awsFile("AWS_SHARED_CREDENTIALS_FILE", "credentials"))
	if err != nil {
		return nil, err
	}
	a.config = c
	return c, nil
}

// inHome puts the home directory in place of a leading ~, as botocore does for
// the files that it is told of.
func (a *app) inHome(path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		return filepath.Join(a.home(), rest)
	}
	return path
}

// awsFile names one of the AWS files.
func (a *app) awsFile(variable, name string) string {
	if v := a.ownFile(variable); v != "" {
		return v
	}
	h := a.home()
	if h == "" {
		return ""
	}
	return filepath.Join(h, ".aws", name)
}

// profileName is the profile that a command is about: the one argument, of
// which - is the previous profile, else the one that the environment names.
func (a *app) profileName(args []string) (string, error) {
	if len(args) > 0 && args[0] == previous {
		return a.previousProfile()
	}
	if len(args) > 0 {
		return args[0], nil
	}
	for _, v := range []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE"} {
		if p := a.getenv(v); p != "" {
			return a.asked(p), nil
		}
	}
	return "", errNoProfile
}

// errNoProfile says that nothing names a profile.
var errNoProfile = &usageError{"no profile was named, and neither AWS_PROFILE nor AWS_DEFAULT_PROFILE is set"}

// plan makes the plan of a profile from the files, the flags and the
// environment.
func (a *app) plan(f *switchFlags, name string) (plan.Plan, error) {
	c, err := a.load()
	if err != nil {
		return plan.Plan{}, err
	}
	o, err := f.options()
	if err != nil {
		return plan.Plan{}, err
	}
	return plan.For(c, name, a.surround(o))
}

// surround adds to a plan's options what is not in the flags.
func (a *app) surround(o plan.Options) plan.Options {
	o.Environment = a.planEnvironment()
	o.UserName = a.userName()
	o.InKeyring = a.inKeyring
	o.OnEC2 = func() bool { return hop.OnEC2(os.DirFS("/sys")) }
	return o
}

// userName is the name of the person who runs the program.
func (a *app) userName() string {
	for _, v := range []string{"USER", "LOGNAME", "USERNAME"} {
		if u := a.getenv(v); u != "" {
			return u
		}
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

// planEnvironment gathers what a plan may know of the environment.
func (a *app) planEnvironment() plan.Environment {
	env := plan.Environment{
		AccessKeyID:     a.getenv("AWS_ACCESS_KEY_ID"),
		HasSecret:       a.getenv("AWS_SECRET_ACCESS_KEY") != "",
		HasToken:        a.environmentToken() != "",
		EndpointURLSTS:  a.getenv("AWS_ENDPOINT_URL_STS"),
		EndpointURL:     a.getenv("AWS_ENDPOINT_URL"),
		IgnoreEndpoints: a.getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"),
		EndpointURLSSO:  a.getenv("AWS_ENDPOINT_URL_SSO"),
		EndpointURLOIDC: a.getenv("AWS_ENDPOINT_URL_SSO_OIDC"),
		EndpointURLSign: a.getenv("AWS_ENDPOINT_URL_SIGNIN"),
		EndpointURLIAM:  a.getenv("AWS_ENDPOINT_URL_IAM"),
		FIPS:            a.getenv("AWS_USE_FIPS_ENDPOINT"),
		DualStack:       a.getenv("AWS_USE_DUALSTACK_ENDPOINT"),
		STSRegional:     a.getenv("AWS_STS_REGIONAL_ENDPOINTS"),
		CABundle:        a.getenv("AWS_CA_BUNDLE"),

		ContainerRelativeURI: a.getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
		ContainerFullURI:     a.getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
		ContainerTokenFile:   a.getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
		MetadataDisabled:     a.getenv("AWS_EC2_METADATA_DISABLED"),
		MetadataEndpoint:     a.getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT"),
		MetadataMode:         a.getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"),
		MetadataV1Disabled:   a.getenv("AWS_EC2_METADATA_V1_DISABLED"),
		MetadataTimeout:      a.getenv("AWS_METADATA_SERVICE_TIMEOUT"),
		MetadataAttempts:     a.getenv("AWS_METADATA_SERVICE_NUM_ATTEMPTS"),

		WebIdentityTokenFile: a.getenv("AWS_WEB_IDENTITY_TOKEN_FILE"),
		RoleARN:              a.getenv("AWS_ROLE_ARN"),
		RoleSessionName:      a.getenv("AWS_ROLE_SESSION_NAME"),
	}
	if self, err := os.Executable(); err == nil {
		env.Self = self
	}
	for _, v := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
		if env.Region = a.getenv(v); env.Region != "" {
			env.RegionFrom = v
			break
		}
	}
	// In a shell of ours the key in the environment is the role's, unless a
	// wrapper has put another one there since.
	if a.depth() > 0 && env.AccessKeyID == a.getenv("AWS_SWITCH_ROLE_KEY_ID") {
		env.InRole, env.BaseKeyID = true, a.baseKeyID()
	}
	return env
}

// baseKeyID is the id of the key in the environment that the shell that we are
// in was switched from, "" when it was not from one.
func (a *app) baseKeyID() string {
	if id := a.getenv("AWS_SWITCH_ROLE_BASE_KEY_ID"); id != "" {
		return id
	}
	if r, err := a.record(); err == nil {
		return r.BaseKeyID
	}
	return ""
}

// environmentToken is the session token that belongs to the key in the
// environment. It has an older name, which goes first where both are set, as
// it does for botocore (EnvProvider). In a shell of ours a
// wrapper such as envchain replaces the key and leaves the role's token: a
// long-lived key, whose id AWS begins with AKIA (IAM User Guide, "IAM
// identifiers"), has none.
func (a *app) environmentToken() string {
	if a.depth() > 0 && strings.HasPrefix(a.getenv("AWS_ACCESS_KEY_ID"), "AKIA") {
		return ""
	}
	return cmp.Or(a.getenv("AWS_SECURITY_TOKEN"), a.getenv("AWS_SESSION_TOKEN"))
}

// depth is how many switched environments this one is in.
func (a *app) depth() int {
	n, err := strconv.Atoi(a.getenv("AWS_SWITCH_ROLE_DEPTH"))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// credentials walks a plan.
func (a *app) credentials(ctx context.Context, f *switchFlags, p plan.Plan) (cred.Credentials, error) {
	performer := a.performer(f)
	c, err := a.walk(ctx, f, p, performer)
	return c, a.deniedWithout(ctx, f, p, performer, err)
}

// walk walks a plan with a performer, to which it adds what asks and learns.
func (a *app) walk(ctx context.Context, f *switchFlags, p plan.Plan, performer *hop.Performer) (cred.Credentials, error) {
	if _, err := a.keyringChoice(); err != nil {
		return cred.Credentials{}, err
	}
	dir := a.cached(ctx, f)
	performer.Undisturbed = undisturbed
	f.sessions = a.store(f, dir)
	return a.engine(f, p, performer, dir, f.sessions).Credentials(ctx, p)
}

// undisturbed puts off what would end the process until done is called.
func undisturbed() (done func()) {
	var caught []os.Signal
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			caught = append(caught, s)
		}
	}
	if len(caught) == 0 {
		return func() {}
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, caught...)
	return func() {
		signal.Stop(signals)
		select {
		case s := <-signals:
			term.Interrupted{Signal: s.(syscall.Signal)}.Die()
		default:
		}
	}
}

// engine is what walks a plan: a performer, to which it adds what asks and
// learns, over a store.
func (a *app) engine(f *switchFlags, p plan.Plan, performer *hop.Performer, dir *cache.Dir, store session.Store) *session.Engine {
	asker := a.newAsker(f, p, dir)
	performer.MFACode = asker.code
	performer.CABundle = a.inHome(p.CABundle)
	performer.Lock = func(ctx context.Context, name string) (func(), error) { return a.lockNamed(name)(ctx) }
	performer.LockVisit = a.lockVisit
	performer.Vault, _ = a.signIns(dir)
	performer.Apart = a.apart(performer.CABundle)
	performer.Visitor = a.visitor(f)
	warn := func(err error) { a.warn(f.quiet, err) }
	if !f.noCache {
		performer.LongestKnown = dir.Longest
		performer.Learn = func(role string, d time.Duration) {
			if err := dir.Learn(role, d); err != nil {
				a.log().Debug("the role's longest session is not kept", "error", err)
			}
		}
	}
	return &session.Engine{
		Store:   store,
		Perform: performer.Perform,
		Now:     a.now,
		Renew:   f.renews,
		Stale:   func(p plan.Plan, i int, err error) bool { return asker.can() && staleMFA(p, i, err) },
		Warn:    warn,
	}
}

// staleMFA reports whether hop i of p was refused as it is when the MFA session
// that it spent is older than the role's trust policy allows. AWS says no more
// than AccessDenied.
func staleMFA(p plan.Plan, i int, err error) bool {
	_, assumes := p.Hops[i].(plan.AssumeRole)
	before, session := p.Hops[i-1].(plan.SessionToken)
	e, refused := errors.AsType[*hop.APIError](err)
	return assumes && session && before.MFA.Serial != "" && refused && e.Code == "AccessDenied"
}

// performer is wired to the keys that this run was given.
func (a *app) performer(f *switchFlags) *hop.Performer {
	return &hop.Performer{
		SSOCache:   a.tokenCache("", "sso"),
		LoginCache: a.tokenCache("AWS_LOGIN_CACHE_DIRECTORY", "login"),
		StoredKey:  a.storedKey(f),
		EnvchainKey: func(ctx context.Context, namespace string) (cred.Credentials, error) {
			return a.envchainKey(ctx, f, namespace)
		},
		EnvironmentKey: a.environmentKey,
		IdentityToken:  a.identityToken,
		ContainerToken: func() cred.Secret { return cred.NewSecret(a.getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN")) },
		Environ:        a.environ,
		ClockOff:       a.tellClock(f),
		Waiting:        a.waiting(f),
		Log:            a.log(),
		Now:            a.now,
	}
}

// tokenCache names a directory in which the AWS CLI keeps sign-ins: the one
// that variable names, if any, else its own.
func (a *app) tokenCache(variable, name string) string {
	if v := a.getenv(variable); v != "" {
		return a.inHome(v)
	}
	h := a.home()
	if h == "" {
		return ""
	}
	return filepath.Join(h, ".aws", name, "cache")
}

// fileKey reads the key of a profile from the AWS files.
func (a *app) fileKey(profile string) (cred.Credentials, error) {
	c, err := a.load()
	if err != nil {
		return cred.Credentials{}, err
	}
	p, ok, err := c.Profile(profile)
	if err != nil {
		return cred.Credentials{}, err
	}
	if !ok {
		return cred.Credentials{}, message.New("profile-gone", "the profile is gone")
	}
	id, secret, token := plan.KeyOf(p)
	if id.Text == "" || secret.Text == "" {
		return cred.Credentials{}, message.New("key-no-longer-whole", "profile %s holds no whole key any more", profile)
	}
	return cred.Credentials{
		AccessKeyID:     id.Text,
		SecretAccessKey: cred.NewSecret(secret.Text),
		SessionToken:    cred.NewSecret(token.Text),
	}, nil
}

// environmentKey reads the key that the program was started with.
func (a *app) environmentKey() (cred.Credentials, error) {
	return cred.Credentials{
		AccessKeyID:     a.getenv("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: cred.NewSecret(a.getenv("AWS_SECRET_ACCESS_KEY")),
		SessionToken:    cred.NewSecret(a.environmentToken()),
	}, nil
}

// identityToken runs a profile's web_identity_token_process.
func (a *app) identityToken(ctx context.Context, command string) (cred.Secret, error) {
	token, err := a.helper(ctx, deliver.CommandLine(command), "web_identity_token_process")
	return cred.NewSecret(token), err
}

// log is where --debug goes: every step, never a secret.
func (a *app) log() *slog.Logger {
	if !a.debug {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// onTerminal reports whether what is said on stderr is read by a person.
func (a *app) onTerminal() bool { return term.IsTerminal(os.Stderr) }
