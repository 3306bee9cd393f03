package cli

import (
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aws-switch-role/internal/plan"
	"aws-switch-role/internal/session"
)

// switchFlags are the flags of every command that switches.
type switchFlags struct {
	mfaCode, mfaSerial          string
	duration                    string
	sessionName, externalID     string
	sourceIdentity              string
	tags, transitiveTags        []string
	sourceProfile, region       string
	noSession, noCache, noInput bool
	yes, debug                  bool
	renew                       string
	policy                      string
	policyARNs                  []string
	readOnly                    bool
	quiet                       bool // nothing but a failure is told
	console                     bool // it is for signing in to the console
	secretless                  bool
	opensShell                  bool                      // there is no command to run
	sessions                    session.Store             // of the walk, for the keeper
	clockOff                    func(ahead time.Duration) // is told of AWS's clock, instead of the person

	// fromEnvironment are the flags that a variable set rather than the
	// command line.
	fromEnvironment map[string]string
}

// Values of --renew.
const (
	renewNone  = ""
	renewRoles = "roles"
	renewAll   = "all"
)

// register defines the flags on a command and lets the environment set those
// that the command line does not.
func (f *switchFlags) register(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.mfaCode, "mfa-code", "", "the MFA `code`, instead of asking for it")
	fs.StringVar(&f.mfaSerial, "mfa-serial", "", "the MFA device's `ARN`, instead of the profile's mfa_serial")
	fs.StringVar(&f.duration, "duration", "", "`length` of the session, such as 8h, or max (default the profile's duration_seconds, else 1h)")
	fs.StringVar(&f.sessionName, "role-session-name", "", "`name` of the role session (default the profile's, else your user name)")
	fs.StringVar(&f.externalID, "external-id", "", "the external `ID` that the role demands")
	fs.StringVar(&f.sourceIdentity, "source-identity", "", "source `identity` of the session")
	fs.StringArrayVar(&f.tags, "tag", nil, "a session tag `KEY=VALUE`; may be repeated")
	fs.StringArrayVar(&f.transitiveTags, "transitive-tag", nil, "the `KEY` of a tag that later roles inherit; may be repeated")
	fs.StringVar(&f.policy, "policy", "", "a session policy, as `JSON` or the name of a file: the session may do no more")
	fs.StringArrayVar(&f.policyARNs, "policy-arn", nil, "the `ARN` of a managed policy that narrows the session; may be repeated")
	fs.BoolVar(&f.readOnly, "read-only", false, "narrow the session to AWS's managed policy ReadOnlyAccess")
	fs.StringVar(&f.sourceProfile, "source-profile", "", "the `profile` to start from, for a role ARN or a profile that names none")
	fs.StringVar(&f.region, "region", "", "`region` for the command and for STS")
	fs.BoolVar(&f.noSession, "no-session", false, "hand on a profile's long-lived key as it is")
	fs.StringVar(&f.renew, "renew", renewNone, "make new sessions: of the `roles`, or with --renew=all of the MFA device, too")
	fs.Lookup("renew").NoOptDefVal = renewRoles
	fs.BoolVar(&f.noCache, "no-cache", false, "neither read nor write the session cache")
	fs.BoolVar(&f.noInput, "no-input", false, "never ask for anything: fail instead")
	fs.BoolVar(&f.yes, "yes", false, "do not ask to confirm a protected profile")
	fs.BoolVar(&f.debug, "debug", false, "say every step on stderr, never a secret")
	_ = cmd.RegisterFlagCompletionFunc("duration", cobra.FixedCompletions([]string{"1h", "2h", "4h", "8h", "12h", "max"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("renew", cobra.FixedCompletions([]string{renewRoles, renewAll}, cobra.ShellCompDirectiveNoFileComp))
}

// registerSecretless defines the flag of the commands that open a shell.
func (f *switchFlags) registerSecretless(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.secretless, "secretless", false, "keep the credentials out of the environment: a keeper beside the shell answers for its programs")
}

// variable is the environment variable that sets a flag's default.
func variable(flag string) string {
	return "AWS_SWITCH_ROLE_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// complete is [switchFlags.fill] for the flags of the command that runs: they
// say what is logged.
func (f *switchFlags) complete(a *app, fs *pflag.FlagSet) error {
	err := f.fill(a, fs)
	if err == nil {
		a.debug = f.debug
	}
	return err
}

// fill fills in from the environment what the command line left out, and
// checks what can be checked without a profile.
func (f *switchFlags) fill(a *app, fs *pflag.FlagSet) error {
	f.fromEnvironment = map[string]string{}
	var err error
	fs.VisitAll(func(fl *pflag.Flag) {
		name := variable(fl.Name)
		v := a.getenv(name)
		if fl.Changed || v == "" || err != nil || fl.Name == "help" {
			return
		}
		if fl.Name == "renew" {
			if on, berr := strconv.ParseBool(v); berr == nil {
				v = map[bool]string{true: renewRoles, false: renewNone}[on]
			}
		}
		if fl.Value.Set(v) != nil {
			err = usagef("%s: %q is not a value for --%s", name, v, fl.Name)
			return
		}
		f.fromEnvironment[fl.Name] = name
	})
	if err != nil {
		return err
	}
	if f.mfaCode != "" && !isCode(f.mfaCode) {
		return usagef("%s: an MFA code is six digits", f.name("mfa-code"))
	}
	if f.renew != renewNone && f.renew != renewRoles && f.renew != renewAll {
		return usagef("%s is --renew or --renew=all", f.name("renew"))
	}
	return nil
}

// standingFlags are those that the environment sets.
func (a *app) standingFlags() (*switchFlags, error) {
	cmd, f := &cobra.Command{}, &switchFlags{}
	f.register(cmd)
	return f, f.fill(a, cmd.Flags())
}

// name is a flag as the person gave it: on the command line or in a variable.
func (f *switchFlags) name(flag string) string {
	if v, ok := f.fromEnvironment[flag]; ok {
		return v
	}
	return "--" + flag
}

// keeps reports whether a command is to start a keeper beside the shell that
// it opens.
func (f *switchFlags) keeps(cmd *cobra.Command, p plan.Plan) bool {
	opens := cmd.Flags().Lookup("secretless") != nil
	return opens && (f.secretless || p.Secretless && !f.given(cmd, "secretless"))
}

// given reports whether a flag was set, on the command line or in a variable.
func (f *switchFlags) given(cmd *cobra.Command, flag string) bool {
	_, inEnvironment := f.fromEnvironment[flag]
	return inEnvironment || cmd.Flags().Changed(flag)
}

// options turns the flags into a plan's options.
func (f *switchFlags) options() (plan.Options, error) {
	o := plan.Options{
		SessionName:    f.sessionName,
		ExternalID:     f.externalID,
		SourceIdentity: f.sourceIdentity,
		TransitiveTags: f.transitiveTags,
		MFASerial:      f.mfaSerial,
		SourceProfile:  f.sourceProfile,
		Region:         f.region,
		NoSession:      f.noSession,
		PolicyARNs:     f.policyARNs,
		ReadOnly:       f.readOnly,
		Console:        f.console,
	}
	if err := f.readPolicy(&o); err != nil {
		return o, err
	}
	_, o.DurationDefault = f.fromEnvironment["duration"]
	_, o.SourceProfileDefault = f.fromEnvironment["source-profile"]
	if f.duration == "max" {
		o.Longest = true
	} else if f.duration != "" {
		d, err := parseLength(f.duration)
		if err != nil {
			return o, usagef("%s is a length such as 8h, 90m or 3600, or max, not %q", f.name("duration"), f.duration)
		}
		o.Duration = d
	}
	for _, t := range f.tags {
		k, v, ok := strings.Cut(t, "=")
		if !ok {
			return o, usagef("%s is KEY=VALUE, not %q", f.name("tag"), t)
		}
		o.Tags = append(o.Tags, plan.Tag{Key: k, Value: v})
	}
	return o, nil
}

// maxPolicyFile bounds a policy file: AWS takes 2,048 characters.
const maxPolicyFile = 64 << 10

// readPolicy takes --policy as JSON, which begins with a brace, or as a file.
func (f *switchFlags) readPolicy(o *plan.Options) error {
	if f.policy == "" {
		return nil
	}
	o.Policy, o.PolicyFrom = f.policy, f.name("policy")
	if strings.HasPrefix(strings.TrimSpace(f.policy), "{") {
		return nil
	}
	file, err := os.Open(f.policy)
	if err != nil {
		return err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxPolicyFile))
	if err != nil {
		return err
	}
	if len(text) == 0 {
		return usagef("%s: %s is empty", o.PolicyFrom, f.policy)
	}
	o.Policy, o.PolicyFrom = string(text), f.policy
	return nil
}

// parseLength reads 8h, 90m, or a number of seconds.
func parseLength(s string) (time.Duration, error) {
	if n, err := strconv.Atoi(s); err == nil {
		s = strconv.Itoa(n) + "s"
	}
	d, err := time.ParseDuration(s)
	if err == nil && d <= 0 {
		err = strconv.ErrRange
	}
	return d, err
}

// renews says of a hop whether --renew asks for a new session.
func (f *switchFlags) renews(p plan.Plan, i int) bool {
	switch f.renew {
	case renewAll:
		return true
	case renewRoles:
		switch p.Hops[i].(type) {
		case plan.AssumeRole, plan.FederationToken:
			return true
		}
	}
	return false
}
