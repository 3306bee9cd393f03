package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/deliver"
	"aws-switch-role/internal/plan"
)

// consoleFlags are the flags of console.
type consoleFlags struct {
	switchFlags
	service, path string
	browser       string
	print         bool
	switchRole    bool
}

func (a *app) consoleCommand() *cobra.Command {
	f := &consoleFlags{switchFlags: switchFlags{console: true}}
	cmd := &cobra.Command{
		Use:   "console [flags] [PROFILE|ROLE_ARN]",
		Short: "Sign in to the AWS console as a profile",
		Long: `Sign in to the AWS console, in your browser, as the role of a profile.

The console's session ends with the role's, an hour if nothing else is said; a role
session from the cache may be nearer to its end, and --renew makes a new one.
--duration makes it longer, up to 12h, where AWS allows that: for a role assumed
with a long-lived key alone (an MFA code goes with it), and for one of IAM
Identity Center; a chained role has an hour. A profile of plain long-lived keys
signs in as a federated user (GetFederationToken), who may do what the user may,
less what --policy, --policy-arn or --read-only leave out. No MFA code goes with
that: where the user's policy demands MFA, use a role.

The address that signs in is as good as the credentials until it was used, or
for 15 minutes. The browser's command line, which others can read, does not hold
it: it names a page on 127.0.0.1, behind a random path, that leads there once
and, on Linux, for nobody but you. --print writes the address itself to stdout.

--browser is a command in which %u stands for the URL, %p for the profile and
%a for the account (%% is a %); without %u the URL is put at its end. Else
$BROWSER is asked, else the system's own way.

--switch opens the console's own Switch Role page instead, filled in, for the
browser that is signed in already. There is no secret in that link.`,
		Example: `  aws-switch-role console sub-account --service s3
  aws-switch-role console sub-account --path '/ec2/home#Instances:' --region eu-west-1
  aws-switch-role console sub-account --browser 'firefox ext+container:name=%p&url=%u'
  aws-switch-role console sub-account --browser 'google-chrome --profile-directory=%p %u'
  aws-switch-role console sub-account --switch --print`,
		ValidArgsFunction: a.completeProfiles,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.console(cmd, f, args) },
	}
	f.register(cmd)
	fs := cmd.Flags()
	fs.Lookup("duration").Usage = "`length` of the console's session, 15m to 12h, or max (default the credentials')"
	fs.Lookup("region").Usage = "`region` that the console shows, and for STS"
	fs.StringVar(&f.service, "service", "", "the `service` to begin with, such as s3")
	fs.StringVar(&f.path, "path", "", "the `path` of the page to begin with, such as /ec2/home#Instances:")
	fs.BoolVar(&f.print, "print", false, "write the URL to stdout, and open no browser")
	fs.BoolVar(&f.switchRole, "switch", false, "open the console's Switch Role page, and sign in to nothing")
	fs.StringVar(&f.browser, "browser", "", "the browser's `command`, with %u for the URL, %p the profile, %a the account")
	_ = cmd.RegisterFlagCompletionFunc("service", cobra.FixedCompletions(deliver.Services(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// console signs in to the console, or says where one may.
func (a *app) console(cmd *cobra.Command, f *consoleFlags, args []string) error {
	args, err := onlyProfile(cmd, args)
	if err != nil {
		return err
	}
	p, err := a.planned(cmd, &f.switchFlags, args)
	if err != nil {
		return err
	}
	// What can go wrong without AWS does so before a code is asked for.
	destination, err := f.destination(p.Console)
	if err != nil {
		return err
	}
	var browser deliver.Browser
	if !f.print {
		if browser, err = deliver.FindBrowser(f.browser, a.environ); err != nil {
			return err
		}
	}
	if f.switchRole {
		return a.openSwitchRole(f, p, browser)
	}
	if err := a.confirm(cmd.Context(), &f.switchFlags, p); err != nil {
		return err
	}
	return a.signIn(cmd.Context(), f, p, destination, browser)
}

// destination is the page of the console to begin with.
func (f *consoleFlags) destination(c plan.Console) (string, error) {
	path := f.path
	switch {
	case f.switchRole && f.path+f.service != "":
		return "", usagef("the Switch Role page leads to no page of a service: leave %s out", f.name("switch"))
	case f.service != "" && f.path != "":
		return "", usagef("%s or %s, not both", f.name("service"), f.name("path"))
	case f.service != "":
		path = deliver.ServicePath(f.service)
	}
	destination, err := deliver.Destination(c.URL, c.Region, path)
	if err != nil {
		return "", &usageError{err.Error()}
	}
	return destination, nil
}

// openSwitchRole opens the console's own page for switching to a plan's role.
func (a *app) openSwitchRole(f *consoleFlags, p plan.Plan, browser deliver.Browser) error {
	c := p.Console
	if c.Role == "" {
		return &switchLinkError{p}
	}
	link := deliver.SwitchURL(c.SigninURL, c.Account, c.Role, p.Profile, c.Color)
	if f.print {
		_, err := fmt.Fprintln(a.stdout, link)
		return err
	}
	ended, err := a.startBrowser(browser, deliver.Visit{URL: link, Profile: p.Profile, Account: c.Account})
	if err != nil {
		return err
	}
	// A browser that was not running before may stay until it is closed.
	select {
	case err = <-ended:
	case <-time.After(launchTime):
	}
	return err
}

// Times that a browser gets: to fail, where nothing else tells that it has not,
// and to come for the page that it was sent to.
const (
	launchTime = 3 * time.Second
	visitTime  = 2 * time.Minute
)

// signIn walks the plan and signs a browser in with what comes of it.
func (a *app) signIn(ctx context.Context, f *consoleFlags, p plan.Plan, destination string, browser deliver.Browser) error {
	performer := a.performer(&f.switchFlags)
	c, err := a.walk(ctx, &f.switchFlags, p, performer)
	if err != nil {
		return err
	}
	account := c.AccountID
	if p.Console.Account != "" {
		account = p.Console.Account
	}
	if p.Console.Verify {
		who, err := performer.Identity(ctx, p.Console.STS, c)
		if err != nil {
			return err
		}
		if strings.Contains(who.ARN, ":iam::") { // a role's and a federated user's are of sts
			return &userSessionError{p, who.ARN}
		}
		account = who.Account
	}
	token, err := performer.SigninToken(ctx, p.Console.SigninURL, c, p.Console.Duration)
	if err != nil {
		return err
	}
	login := deliver.LoginURL(p.Console.SigninURL, token, destination)
	if f.print {
		return deliver.PrintURL(a.stdout, login)
	}
	if err := a.show(ctx, login, browser, deliver.Visit{Profile: p.Profile, Account: account}); err != nil {
		return err
	}
	if a.onTerminal() {
		fmt.Fprintln(a.stderr, a.consoleAnnouncement(p, c))
	}
	return nil
}

// show sends a browser to a secret address by way of a page of our own, and
// returns when it has been there.
func (a *app) show(ctx context.Context, secret cred.Secret, browser deliver.Browser, v deliver.Visit) error {
	page, err := deliver.NewPage(secret)
	if err != nil {
		return err
	}
	defer page.Close()
	v.URL = page.URL
	ended, err := a.startBrowser(browser, v)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, visitTime)
	defer cancel()
	for {
		select {
		case <-page.Shown():
			return nil
		case err := <-ended:
			if err != nil {
				return err
			}
			ended = nil // it has passed the address on
		case <-ctx.Done():
			return errNotVisited
		}
	}
}

// startBrowser starts a browser, which gets no variable of AWS's or of ours.
func (a *app) startBrowser(b deliver.Browser, v deliver.Visit) (ended <-chan error, err error) {
	a.log().Debug("opening a browser", "command", b[0])
	var said *os.File
	if a.debug {
		said = os.Stderr
	}
	return b.Open(v, a.withoutAWS(), said)
}

// consoleAnnouncement says who one is in the console, and until when.
func (a *app) consoleAnnouncement(p plan.Plan, c cred.Credentials) string {
	if p.Console.Duration != 0 {
		c.Expires = a.now().Add(p.Console.Duration)
	}
	return a.announcement(p, c) + ", in the console"
}

// errNotVisited says that nobody came for the page.
var errNotVisited = errors.New("the browser did not come for the sign-in page within " + plan.Length(visitTime))

// switchLinkError says that a plan ends in no role that the console switches to.
type switchLinkError struct{ plan plan.Plan }

func (e *switchLinkError) Error() string {
	return "profile " + e.plan.Profile + " ends in " + plan.Describe(e.plan.Hops[len(e.plan.Hops)-1]) + ", and the console switches to a role of a role_arn"
}

// userSessionError says that credentials are a user's own session.
type userSessionError struct {
	plan plan.Plan
	arn  string
}

func (e *userSessionError) Error() string {
	return "the credentials of profile " + e.plan.Profile + " are a session of " + e.arn + ", which the console does not take"
}
