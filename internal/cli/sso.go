package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aws-switch-role/internal/cache"
	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/deliver"
	"aws-switch-role/internal/hop"
	"aws-switch-role/internal/message"
	"aws-switch-role/internal/plan"
	"aws-switch-role/internal/term"
)

func (a *app) ssoCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sso login|logout|populate",
		Short: "Sign in to IAM Identity Center, and write its profiles",
		Long: `Sign in to IAM Identity Center (AWS SSO) and out of it, and write a profile for
every role that is yours there. A switch to such a profile signs in by itself on
a terminal.`,
		Example: `  aws-switch-role sso login corp
  aws-switch-role sso populate corp`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return usagef("sso login, sso logout or sso populate, each with the name of a session")
		},
	}
	cmd.AddCommand(a.ssoLoginCommand(), a.ssoLogoutCommand(), a.ssoPopulateCommand())
	return cmd
}

// signInFlags say how one signs in.
type signInFlags struct {
	device, share bool
	browser       string
}

func (a *app) ssoLoginCommand() *cobra.Command {
	f, in := &switchFlags{}, &signInFlags{}
	cmd := &cobra.Command{
		Use:   "login [SESSION|PROFILE]",
		Short: "Sign in to IAM Identity Center",
		Long: `Sign in to the IAM Identity Center of a section [sso-session SESSION] of the
config file, or of a profile. Without a name it is that of $AWS_PROFILE, or the
only one there is.

Your browser opens at AWS and comes back to an address of this machine. Where
there is no browser, over SSH or with --device, you get a code to type into a
browser anywhere.

The sign-in is sealed like the sessions, under a key in the keyring, and renewed
for as long as IAM Identity Center allows. --share keeps it in the AWS CLI's own
cache instead, ~/.aws/sso/cache, where aws and the SDKs find it and everything
that runs as you can read it. A sign-in of aws sso login is used as it is.`,
		Example: `  aws-switch-role sso login corp
  aws-switch-role sso login corp --device
  aws-switch-role sso login corp --share && aws s3 ls --profile dev`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeSessions,
		RunE: func(cmd *cobra.Command, args []string) error {
			a.debug = f.debug
			h, err := a.identityCenter(args)
			if err != nil {
				return err
			}
			performer, lasting, err := a.identityCenterPerformer(cmd.Context(), f)
			if err != nil {
				return err
			}
			if !lasting && !in.share {
				return errNoVault
			}
			if in.browser != "" && in.device {
				return usagef("sso login takes --browser or --device, not both")
			}
			if in.browser != "" {
				if _, err := a.browser(*in); err != nil {
					return usagef("%v: name another, or take --device", err)
				}
			}
			tell := func(line string) { fmt.Fprintln(a.stderr, line) }
			if err := performer.SignIn(cmd.Context(), h, a.visit(h, *in, tell)); err != nil {
				return err
			}
			tell("signed in to " + term.Clean(sessionOf(h)))
			return nil
		},
	}
	fs := cmd.Flags()
	fs.BoolVar(&in.device, "device", false, "show a code to type into a browser elsewhere")
	fs.BoolVar(&in.share, "share", false, "keep the sign-in in the AWS CLI's cache, as plain text, for other tools")
	fs.StringVar(&in.browser, "browser", "", "the browser's `command`, with %u for the URL")
	fs.BoolVar(&f.debug, "debug", false, "say every step on stderr, never a secret")
	return cmd
}

// errNoVault says that a sign-in would be lost with the process.
var errNoVault = errors.New("AWS_SWITCH_ROLE_KEYRING=none: nothing here keeps a sign-in")

func (a *app) ssoLogoutCommand() *cobra.Command {
	f := &switchFlags{}
	var all bool
	cmd := &cobra.Command{
		Use:   "logout [SESSION|PROFILE | --all]",
		Short: "Sign out of IAM Identity Center",
		Long: `End a sign-in, at IAM Identity Center and here: what sso login has kept, what the
AWS CLI has, and the cached sessions of the roles that came of it. Credentials
that were handed out live on until they end.`,
		Example:           "  aws-switch-role sso logout corp",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeSessions,
		RunE: func(cmd *cobra.Command, args []string) error {
			a.debug = f.debug
			if all && len(args) > 0 {
				return usagef("sso logout takes a session, or --all")
			}
			list, err := a.signedInTo(args, all)
			if err != nil {
				return err
			}
			performer, _, err := a.identityCenterPerformer(cmd.Context(), f)
			if err != nil {
				return err
			}
			for _, h := range list {
				was, lerr := performer.SignOut(cmd.Context(), h)
				_, derr := a.dropRoles(a.cached(cmd.Context(), f), h)
				if lerr = errors.Join(lerr, derr); lerr != nil {
					err = errors.Join(err, lerr)
					continue
				}
				word := "signed out of "
				if !was {
					word = "nobody was signed in to "
				}
				fmt.Fprintln(a.stderr, word+term.Clean(sessionOf(h)))
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "sign out of every session of the config file")
	cmd.Flags().BoolVar(&f.debug, "debug", false, "say every step on stderr, never a secret")
	return cmd
}

// sessionOf is how people name an Identity Center.
func sessionOf(h plan.SSO) string { return cmp.Or(h.Session, h.StartURL) }

// identityCenterPerformer is wired to the sign-ins of this run; lasting reports
// whether they outlast it.
func (a *app) identityCenterPerformer(ctx context.Context, f *switchFlags) (p *hop.Performer, lasting bool, err error) {
	if _, err := a.keyringChoice(); err != nil {
		return nil, false, err
	}
	p = a.performer(f)
	p.CABundle = a.inHome(a.getenv("AWS_CA_BUNDLE"))
	p.Lock = func(ctx context.Context, name string) (func(), error) { return a.lockNamed(name)(ctx) }
	p.LockVisit = a.lockVisit
	p.Undisturbed, p.Apart = undisturbed, a.apart(p.CABundle)
	p.Vault, lasting = a.signIns(a.cached(ctx, f))
	return p, lasting, nil
}

// identityCenter is the one that a command is about: that of the session or
// profile named, else of the profile in the environment, else the only one.
func (a *app) identityCenter(args []string) (plan.SSO, error) {
	c, err := a.load()
	if err != nil {
		return plan.SSO{}, err
	}
	sessions := slices.Collect(c.Sessions())
	name := a.getenv("AWS_PROFILE")
	if len(args) > 0 {
		if name = args[0]; slices.Contains(sessions, name) {
			return plan.SSOSession(c, name, a.surround(plan.Options{}))
		}
	}
	if name != "" {
		p, err := plan.For(c, name, a.surround(plan.Options{}))
		if e, unknown := errors.AsType[*plan.Error](err); unknown && e.Kind == plan.UnknownProfile && len(args) > 0 {
			return plan.SSO{}, usagef("there is neither a section [sso-session %s] nor a profile of that name%s", name, ofSessions(sessions))
		}
		if err == nil {
			if h, ok := p.Source().(plan.SSO); ok {
				return h, nil
			}
		}
		if len(args) > 0 {
			return plan.SSO{}, cmp.Or(err, usagef("profile %s does not start from IAM Identity Center%s", name, ofSessions(sessions)))
		}
	}
	if len(sessions) != 1 {
		return plan.SSO{}, usagef("no session was named%s", ofSessions(sessions))
	}
	return plan.SSOSession(c, sessions[0], a.surround(plan.Options{}))
}

// ofSessions names the sessions to choose from.
func ofSessions(sessions []string) string {
	if len(sessions) == 0 {
		return ": write a section [sso-session NAME] with sso_start_url and sso_region into the config file"
	}
	return ": there is " + strings.Join(sessions, ", ")
}

// signedInTo lists the Identity Centers to sign out of.
func (a *app) signedInTo(args []string, all bool) ([]plan.SSO, error) {
	if !all {
		h, err := a.identityCenter(args)
		return []plan.SSO{h}, err
	}
	c, err := a.load()
	if err != nil {
		return nil, err
	}
	var list []plan.SSO
	for name := range c.Sessions() {
		h, err := plan.SSOSession(c, name, a.surround(plan.Options{}))
		if err != nil {
			return nil, err
		}
		list = append(list, h)
	}
	if len(list) == 0 {
		return nil, usagef("there is nothing to sign out of: the config file has no section [sso-session NAME]")
	}
	return list, nil
}

// dropRoles drops the cached sessions of the profiles that start from h.
func (a *app) dropRoles(dir *cache.Dir, h plan.SSO) (int, error) {
	c, err := a.load()
	if err != nil {
		return 0, err
	}
	c.Index()
	keys := map[plan.Key]bool{}
	for name := range c.Names() {
		p, err := plan.For(c, name, a.surround(plan.Options{}))
		if err != nil {
			continue
		}
		if from, ok := p.Source().(plan.SSO); ok && sessionOf(from) == sessionOf(h) {
			for i := range p.Hops {
				keys[p.Key(i)] = true
			}
		}
	}
	return dir.Remove(func(s cache.About) bool { return keys[s.Key] })
}

func (a *app) completeSessions(_ *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	c, err := a.load()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for name := range c.Sessions() {
		if strings.HasPrefix(name, toComplete) {
			names = append(names, term.CleanText(name))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// visitor is how a person can sign in amid a switch: on the terminal, unless
// nothing may be asked.
func (a *app) visitor(f *switchFlags) func(plan.SSO) (hop.Visitor, error) {
	return func(h plan.SSO) (hop.Visitor, error) {
		what := message.New("a-sign-in", "a sign-in to %s", sessionOf(h))
		if f.noInput {
			return hop.Visitor{}, &noInputError{what: what, flag: f.name("no-input")}
		}
		t, err := term.Open()
		if err != nil {
			return hop.Visitor{}, &noInputError{what: what, cause: err}
		}
		_ = t.Close()
		return a.visit(h, signInFlags{}, a.toTerminal), nil
	}
}

// visit is how a person signs in to h. Lines for them go to tell.
func (a *app) visit(h plan.SSO, in signInFlags, tell func(line string)) hop.Visitor {
	v := hop.Visitor{Share: in.share}
	v.ShowCode = func(c hop.DeviceCode) {
		tell("To sign in to " + term.Clean(sessionOf(h)) + ", open this page in any browser, and compare or type the code " + term.Clean(c.UserCode) + ":")
		tell("  " + term.CleanText(cmp.Or(c.Complete, c.Page)))
	}
	browser, err := a.browser(in)
	if err != nil {
		a.log().Debug("signing in with a code for a browser elsewhere", "why", err)
		return v
	}
	v.OpenURL = func(url string) error {
		tell("Signing in to " + term.Clean(sessionOf(h)) + " in your browser. If it does not open, go to:")
		tell("  " + url)
		// Who reads the address on the browser's command line could sign us in
		// as themselves.
		page, err := deliver.NewPage(cred.NewSecret(url))
		if err != nil {
			return err
		}
		ended, err := a.startBrowser(browser, deliver.Visit{URL: page.URL, Profile: h.Profile, Account: h.AccountID})
		if err != nil {
			_ = page.Close()
			a.log().Debug("opening the browser", "error", err)
			return nil // the person can still go there
		}
		go func() {
			select {
			case <-page.Shown():
			case <-time.After(pageTime):
			}
			_ = page.Close()
			if err := <-ended; err != nil {
				a.log().Debug("the browser's command has failed", "error", err)
			}
		}()
		return nil
	}
	return v
}

// pageTime is how long a browser may take to come for the page that it was sent
// to.
const pageTime = 2 * time.Minute

var (
	errDevice    = errors.New("--device")
	errSSH       = errors.New("this is an SSH session: a browser would open at the other end")
	errNoDisplay = errors.New("there is no display to open a browser on")
)

// browser finds the browser to sign in with; the error says why there is none.
func (a *app) browser(in signInFlags) (deliver.Browser, error) {
	chosen := in.browser != "" || a.getenv("BROWSER") != ""
	switch {
	case in.device:
		return nil, errDevice
	case !chosen && slices.ContainsFunc([]string{"SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"}, func(v string) bool { return a.getenv(v) != "" }):
		return nil, errSSH
	case !chosen && !deliver.HasDisplay(a.environ):
		return nil, errNoDisplay
	}
	return deliver.FindBrowser(in.browser, a.environ)
}
