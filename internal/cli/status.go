package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/plan"
	"aws-switch-role/internal/term"
)

// status is what a switched environment says about itself.
type status struct {
	Profile  string    `json:"profile"`
	Account  string    `json:"account,omitempty"`
	Role     string    `json:"role,omitempty"`
	Session  string    `json:"session_name,omitempty"`
	Region   string    `json:"region,omitempty"`
	Expires  time.Time `json:"expires,omitzero"`
	Delivery string    `json:"delivery"`
	Depth    int       `json:"depth"`
	ARN      string    `json:"arn,omitempty"` // from AWS, with --online

	// Of a secretless shell, from its keeper.
	Ended      bool    `json:"ended,omitempty"` // there is no keeper any more
	CodeNeeded bool    `json:"code_needed,omitempty"`
	Served     *served `json:"served,omitempty"`
}

// served is the process that a keeper has given credentials to last.
type served struct {
	PID     int       `json:"pid"`
	Program string    `json:"program,omitempty"`
	At      time.Time `json:"at"`
}

// errNotSwitched is the answer outside a switched environment.
var errNotSwitched = errors.New("not in a switched shell")

func (a *app) statusCommand() *cobra.Command {
	var asJSON, short, online bool
	cmd := &cobra.Command{
		Use:   "status [flags]",
		Short: "Show who this shell is, and until when",
		Long: `Show who this shell is, and until when, from the variables that the switch has
set. No file is read and nothing is sent, unless --online asks AWS. Outside a
switched shell the exit status is 1.`,
		Example: `  aws-switch-role status
  aws-switch-role status --short`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.status()
			if errors.Is(err, errNotSwitched) && short {
				a.exit = exitFailure // a prompt wants silence
				return nil
			}
			if err != nil {
				return err
			}
			if dir, err := a.keeperDir(); err == nil && dir != "" {
				s.kept(a.askStatus(cmd.Context(), dir))
			}
			if online {
				if s.ARN, err = a.callerARN(cmd.Context(), s.Region); err != nil {
					return err
				}
			}
			switch {
			case asJSON:
				return writeJSON(a.stdout, s)
			case short:
				_, err = fmt.Fprintln(a.stdout, s.short(a.now()))
			default:
				_, err = fmt.Fprint(term.Writer{To: a.stdout}, s.long(a.now()))
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&short, "short", false, "one line for a prompt: the profile and the time left")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&online, "online", false, "ask AWS who this is (GetCallerIdentity)")
	return cmd
}

func (a *app) status() (status, error) {
	s := status{Profile: a.getenv("AWS_SWITCH_ROLE_PROFILE"), Account: a.getenv("AWS_SWITCH_ROLE_ACCOUNT"), Role: a.getenv("AWS_SWITCH_ROLE_ROLE_NAME"), Region: a.getenv("AWS_REGION"), Delivery: "environment", Depth: a.depth()}
	if s.Profile == "" {
		return s, errNotSwitched
	}
	if arn, err := plan.ParseRoleARN(a.getenv("AWS_SWITCH_ROLE_ROLE_ARN")); err == nil {
		s.Account, s.Role, s.Session = arn.Account, arn.Path, a.getenv("AWS_SWITCH_ROLE_SESSION_NAME")
	}
	if t, err := time.Parse(time.RFC3339, a.getenv("AWS_SESSION_EXPIRATION")); err == nil {
		s.Expires = t
	}
	return s, nil
}

// kept adds what the shell's keeper says, or that it says nothing.
func (s *status) kept(k keptStatus, err error) {
	s.Delivery = "secretless"
	if err != nil {
		s.Ended = true
		return
	}
	s.Expires, s.CodeNeeded = k.Expires, k.CodeNeeded
	if k.PID != 0 {
		s.Served = &served{k.PID, k.Program, k.At}
	}
}

// left says how long the session lasts: "52m", "ended", or "" when it does not end.
func (s status) left(now time.Time) string {
	if s.Ended {
		return "ended"
	}
	if s.Expires.IsZero() {
		return ""
	}
	d := s.Expires.Sub(now).Truncate(time.Minute)
	if d <= 0 {
		if s.Expires.After(now) {
			return "<1m"
		}
		return "ended"
	}
	return plan.Length(d)
}

func (s status) short(now time.Time) string {
	line := term.Clean(s.Profile)
	if l := s.left(now); l != "" {
		line += " " + l
	}
	return line
}

func (s status) long(now time.Time) string {
	var out string
	row := func(name, value string) {
		if value != "" {
			out += fmt.Sprintf("%-9s %s\n", name, term.Clean(value))
		}
	}
	row("profile", s.Profile)
	row("account", s.Account)
	row("role", s.Role)
	row("session", s.Session)
	row("region", s.Region)
	if !s.Expires.IsZero() {
		row("until", s.Expires.Local().Format("2006-01-02 15:04:05")+" ("+s.left(now)+")")
	}
	if s.Ended {
		row("until", "ended: the shell's keeper is gone; type exit, then switch again")
	}
	if s.CodeNeeded {
		row("renewal", "needs an MFA code: aws-switch-role refresh")
	}
	row("delivery", s.Delivery)
	if s.Served != nil {
		row("served", fmt.Sprintf("pid %d %s at %s", s.Served.PID, s.Served.Program, s.Served.At.Local().Format(time.TimeOnly)))
	}
	row("depth", fmt.Sprint(s.Depth))
	row("caller", s.ARN)
	return out
}

// shellKey is the key of the session that this shell is in.
func (a *app) shellKey(ctx context.Context) (cred.Credentials, error) {
	kept, err := a.keeperDir()
	if err != nil {
		return cred.Credentials{}, err
	}
	if kept != "" {
		return a.keptCredentials(ctx, kept)
	}
	return a.environmentKey()
}

// callerARN asks AWS who the shell's keys belong to, at the
// endpoint that a switch would use.
func (a *app) callerARN(ctx context.Context, region string) (string, error) {
	c, err := a.shellKey(ctx)
	if err != nil {
		return "", err
	}
	e, err := plan.EndpointFor(region, a.planEnvironment())
	if err != nil {
		return "", err
	}
	p := a.performer(&switchFlags{})
	p.CABundle = a.inHome(a.getenv("AWS_CA_BUNDLE"))
	id, err := p.Identity(ctx, e, c)
	return id.ARN, err
}
