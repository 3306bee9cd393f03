package cli

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"aws-switch-role/internal/accesskey"
	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/deliver"
	"aws-switch-role/internal/mirror"
	"aws-switch-role/internal/plan"
)

// This file is what a switched shell has to do with the AWS files: it is given
// files of its own, and a run in it finds the user's again and answers for the
// profiles in them.

// sessionVariable names the directory of the shell that we are in.
const sessionVariable = "AWS_SWITCH_ROLE_SESSION"

// ownVariables are those in which the values that the user had set are kept.
var ownVariables = map[string]string{
	"AWS_CONFIG_FILE":             "AWS_SWITCH_ROLE_CONFIG_FILE",
	"AWS_SHARED_CREDENTIALS_FILE": "AWS_SWITCH_ROLE_CREDENTIALS_FILE",
}

// ownFile is what the user has set one of these variables to, "" for nothing.
// What we have set it to for a shell is not the user's; what the user sets it
// to in there is.
func (a *app) ownFile(variable string) string {
	v := a.getenv(variable)
	if dir := a.getenv(sessionVariable); dir != "" && filepath.Dir(v) == filepath.Clean(dir) {
		v = a.getenv(ownVariables[variable])
	}
	return a.inHome(v)
}

// record is what a switched shell remembers of its switch, so that whatever
// asks for the same profile in it gets the same session, with no more rights
// and under no other name. Neither an MFA code nor a secret is in it.
type record struct {
	// Profile was switched to: a profile's name or a role's ARN. In the
	// shell's files it is called Name.
	Profile string `json:"profile"`
	Name    string `json:"name"`
	// Options are what the flags said, and NoCache another of them.
	Options plan.Options `json:"options"`
	NoCache bool         `json:"no_cache,omitempty"`
	// Environment is what the variables said before the switch has removed or
	// set them.
	Environment plan.Environment `json:"environment"`
	// BaseKeyID is the id of the environment's key that the chain started
	// from, if it did. A secretless shell has no variable that says so.
	BaseKeyID string `json:"base_key_id,omitempty"`
	// Many is set where commands run as many profiles, each its own: Profile
	// and Name are empty then, and Roles are the ARNs that were asked for, by
	// the names that they have in the files.
	Many  bool              `json:"many,omitempty"`
	Roles map[string]string `json:"roles,omitempty"`
}

// asked is what was asked for to get into a profile that whoever asks was
// switched to, which own names; ok says that the profile is that one.
func (r record) asked(profile, own string) (name string, ok bool) {
	if r.Many {
		return cmp.Or(r.Roles[profile], profile), profile == own
	}
	return r.Profile, profile == r.Name
}

// surround is the environment of a plan that is made in the shell: that of the
// switch, with the keys that there are now. A region or an endpoint that is set
// in the shell is for the commands there; it makes no other session.
func (r record) surround(now plan.Environment) plan.Environment {
	env := r.Environment
	env.AccessKeyID, env.HasSecret, env.HasToken = now.AccessKeyID, now.HasSecret, now.HasToken
	env.InRole, env.BaseKeyID = now.InRole, now.BaseKeyID
	env.Self = now.Self
	return env
}

// outfit gives the child of a switch AWS files in which every profile asks us.
// Without them the child still has its keys, and sees the user's own files.
func (a *app) outfit(as *deliver.As, f *switchFlags, p plan.Plan, expires time.Time) {
	shell, err := a.makeShell(f, p, expires, false)
	if err != nil {
		a.warnOfOwnFiles(f, err)
		return
	}
	dress(as, shell)
}

func (a *app) warnOfOwnFiles(f *switchFlags, err error) {
	a.warn(f.quiet, fmt.Errorf("the AWS files of the switched shell cannot be made, and it sees your own: %w", err))
}

// dress leads a child to the files of its shell.
func dress(as *deliver.As, shell mirror.Shell) {
	as.SessionDir, as.ConfigFile, as.CredentialsFile = shell.Dir, shell.ConfigFile(), shell.CredentialsFile()
}

// makeShell makes the directory of a switched shell. served says that the shell
// has a keeper.
func (a *app) makeShell(f *switchFlags, p plan.Plan, expires time.Time, served bool) (mirror.Shell, error) {
	options, err := f.options()
	if err != nil {
		return mirror.Shell{}, err
	}
	r := record{Profile: p.Profile, Name: p.Profile, Options: options, NoCache: f.noCache, BaseKeyID: a.as(p).BaseKeyID}
	if p.Adhoc {
		r.Profile = p.RoleARN()
	}
	return a.makePlace(r, mirror.Switch{Files: mirror.Files{Active: p.Profile}, Expires: expires, Served: served})
}

// makePlace makes a directory for what is switched, in the first place that
// can have it. Of the record and of the switch, it knows the rest.
func (a *app) makePlace(r record, sw mirror.Switch) (mirror.Shell, error) {
	if err := a.furnish(&r, &sw); err != nil {
		return mirror.Shell{}, err
	}
	err := errors.New("no directory is known for them")
	for i, dir := range a.folders().shells {
		shell, merr := mirror.Place{Path: dir, Now: a.now}.Make(sw)
		if merr == nil {
			a.log().Debug("the shell's own AWS files", "directory", shell.Dir)
			return shell, nil
		}
		a.log().Debug("no directory for the shell", "place", dir, "why", merr)
		if i == 0 {
			err = merr
		}
	}
	return mirror.Shell{}, err
}

// furnish adds to what a directory is made of what is the same for all of this
// run.
func (a *app) furnish(r *record, sw *mirror.Switch) error {
	keys, err := a.stored()
	if err != nil {
		return err
	}
	sw.Files.Keyring = accesskey.Names(keys)
	if sw.Files.Own, err = a.load(); err != nil {
		return err
	}
	if sw.Files.Program, err = os.Executable(); err != nil {
		return err
	}
	r.Environment = a.planEnvironment()
	sw.Record, err = json.Marshal(r)
	return err
}

// errNoShell says that an AWS file of a switched shell is used outside of it.
var errNoShell = errors.New("this AWS config file was made for a switched shell, and this is none")

// record reads what the shell that we are in remembers.
func (a *app) record() (record, error) {
	var r record
	dir := a.getenv(sessionVariable)
	if dir == "" {
		return r, errNoShell
	}
	text, err := mirror.Shell{Dir: dir}.Record()
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(text, &r)
}

// asked is what one asked for to get into a profile of the shell that we are
// in: a role's ARN has a profile there that the user's files know nothing of.
func (a *app) asked(profile string) string {
	if profile != a.getenv("AWS_SWITCH_ROLE_PROFILE") || a.getenv(sessionVariable) == "" {
		return profile
	}
	if r, err := a.record(); err == nil {
		if asked, ok := r.asked(profile, profile); ok {
			return asked
		}
	}
	return profile
}

// stayNarrow makes a switch to the profile of the shell that we are in, which
// nobody has named, no wider than the shell, no longer and under no other name,
// where the flags of the switch do not say otherwise.
func (a *app) stayNarrow(f *switchFlags) {
	r, err := a.record()
	if err != nil {
		a.log().Debug("how narrow this shell is, is not known", "error", err)
		return
	}
	o := r.Options
	if f.policy == "" && len(f.policyARNs) == 0 && !f.readOnly {
		f.policy, f.policyARNs, f.readOnly = o.Policy, o.PolicyARNs, o.ReadOnly
	}
	if f.duration == "" && o.Duration > 0 {
		f.duration = o.Duration.String()
	}
	f.sessionName = cmp.Or(f.sessionName, o.SessionName)
	f.sourceIdentity = cmp.Or(f.sourceIdentity, o.SourceIdentity)
}

// inShell are the flags by which the files of a switched shell ask.
type inShell struct {
	name, hex string
	own       bool
}

func (s *inShell) register(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&s.name, mirror.NameFlag, "", "")
	fs.StringVar(&s.hex, mirror.HexFlag, "", "")
	fs.BoolVar(&s.own, mirror.OwnFlag, false, "")
	for _, name := range []string{mirror.NameFlag, mirror.HexFlag, mirror.OwnFlag} {
		_ = fs.MarkHidden(name)
	}
}

// profile is the one that is asked for; ok says that one is. own is that which
// whoever asks was switched to.
func (s *inShell) profile(own string) (name string, ok bool, err error) {
	if s.own {
		if own == "" {
			return "", true, errNoShell
		}
		return own, true, nil
	}
	if s.hex == "" {
		return s.name, s.name != "", nil
	}
	b, err := hex.DecodeString(s.hex)
	if err != nil {
		return "", true, usagef("--%s: %v", mirror.HexFlag, err)
	}
	return string(b), true, nil
}

// goodToServe is the life that the keys in the environment must have left to
// be given to an SDK, if others can be had: with less, botocore asks again at
// every call.
const goodToServe = 15 * time.Minute

// answer returns what a profile of the files of the shell that we are in
// stands for. It never asks a person anything: the SDK that wants to know may
// wait for a second.
//
// The active profile is the shell's own session: what the environment holds
// or, when that is about to end, the same session once more. Other profiles
// are what the user's own files say.
func (a *app) answer(ctx context.Context, cmd *cobra.Command, f *switchFlags, profile string) (cred.Credentials, error) {
	none := cred.Credentials{}
	if err := f.complete(a, cmd.Flags()); err != nil {
		return none, err
	}
	f.noInput, f.renew = true, renewNone
	own, ok := a.ownSession(profile)
	if ok && own.GoodFor(a.now(), goodToServe) {
		return own, nil
	}
	c, err := a.again(ctx, f, profile)
	if err != nil && ok && own.GoodFor(a.now(), 0) {
		a.log().Debug("the keys of the environment are still good", "error", err)
		return own, nil
	}
	return c, err
}

// ownSession is the session in the environment, if it is the one of a profile.
func (a *app) ownSession(profile string) (cred.Credentials, bool) {
	id := a.getenv("AWS_ACCESS_KEY_ID")
	if profile != a.getenv("AWS_SWITCH_ROLE_PROFILE") || id == "" || id != a.getenv("AWS_SWITCH_ROLE_KEY_ID") {
		return cred.Credentials{}, false
	}
	c, err := a.environmentKey()
	if err != nil {
		return cred.Credentials{}, false
	}
	if end := a.getenv("AWS_SESSION_EXPIRATION"); end != "" {
		if c.Expires, err = time.Parse(time.RFC3339, end); err != nil {
			return cred.Credentials{}, false
		}
	}
	c.AccountID = a.getenv("AWS_SWITCH_ROLE_ACCOUNT")
	if arn, err := plan.ParseRoleARN(a.getenv("AWS_SWITCH_ROLE_ROLE_ARN")); err == nil {
		c.AccountID = arn.Account
	}
	return c, true
}

// again walks the plan of a profile of the shell that we are in.
func (a *app) again(ctx context.Context, f *switchFlags, profile string) (cred.Credentials, error) {
	none := cred.Credentials{}
	r, err := a.record()
	if err != nil {
		return none, err
	}
	// A credential_process of the user's own may be this program once more.
	a.environ = append(slices.Clip(a.environ), variable("no-input")+"=1")
	options, err := f.options()
	if err != nil {
		return none, err
	}
	replan := plan.For
	if asked, ok := r.asked(profile, a.getenv("AWS_SWITCH_ROLE_PROFILE")); ok {
		profile, options = asked, r.Options
		f.yes, f.noCache = true, f.noCache || r.NoCache // confirmed it was
		if r.Many {
			replan = forMany
		}
	}
	own, err := a.load()
	if err != nil {
		return none, err
	}
	options = a.surround(options)
	options.Environment = r.surround(options.Environment)
	p, err := replan(own, profile, options)
	if err != nil {
		return none, err
	}
	if err := a.confirm(ctx, f, p); err != nil {
		return none, &inShellError{profile: profile, confirm: true, err: err}
	}
	c, err := a.credentials(ctx, f, p)
	if err != nil {
		err = &inShellError{profile: profile, err: err}
	}
	return c, err
}

// inShellError says why a profile of a switched shell's files has no
// credentials.
type inShellError struct {
	profile string // as a person would type it
	confirm bool   // it is protected, and nobody has confirmed it
	err     error
}

func (e *inShellError) Error() string { return e.err.Error() }
func (e *inShellError) Unwrap() error { return e.err }
