package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aws-switch-role/internal/awsconfig"
	"aws-switch-role/internal/completion"
	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/deliver"
	"aws-switch-role/internal/plan"
	"aws-switch-role/internal/term"
)

func (a *app) shellCommand() *cobra.Command {
	f := &switchFlags{}
	cmd := &cobra.Command{
		Use:   "shell [flags] [PROFILE|ROLE_ARN]",
		Short: "Open your shell as a profile",
		Long: `Open your shell ($SHELL, else the one of your passwd entry) as a profile, with
its credentials in the environment. Leaving the shell leaves the role.`,
		Example:           "  aws-switch-role shell sub-account",
		ValidArgsFunction: a.completeProfiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			args, err := onlyProfile(cmd, args)
			if err != nil {
				return err
			}
			return a.switchTo(cmd, f, args, false)
		},
	}
	f.register(cmd)
	f.registerSecretless(cmd)
	return cmd
}

func (a *app) execCommand() *cobra.Command {
	f := &switchFlags{}
	cmd := &cobra.Command{
		Use:   "exec [flags] [PROFILE|ROLE_ARN] -- COMMAND [ARG...]",
		Short: "Run one command as a profile",
		Long: `Run one command as a profile. The command takes the place of this program: the
terminal, the signals and the exit status are its own.`,
		Example: `  aws-switch-role exec sub-account -- aws s3 ls
  aws-switch-role exec sub-account --duration 15m -- terraform plan`,
		ValidArgsFunction: a.completeProfiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, command, _ := split(cmd, args); len(command) == 0 {
				return usagef("no command: aws-switch-role exec PROFILE -- COMMAND")
			}
			return a.switchTo(cmd, f, args, true)
		},
	}
	f.register(cmd)
	f.registerSecretless(cmd)
	return cmd
}

// switchTo becomes a profile and runs the command behind `--`, or the shell.
func (a *app) switchTo(cmd *cobra.Command, f *switchFlags, args []string, mayRun bool) error {
	args, command, dashed := split(cmd, args)
	if len(args) > 1 {
		hint := ""
		if mayRun {
			hint = "; a command stands behind --: aws-switch-role " + args[0] + " -- " + strings.Join(args[1:], " ")
		}
		return usagef("one profile at a time, not %s%s", strings.Join(args, " "), hint)
	}
	if dashed && len(command) == 0 {
		return usagef("no command behind --")
	}
	f.opensShell = !dashed
	p, c, err := a.become(cmd, f, args)
	if err != nil {
		return err
	}
	env, err := a.childEnvironment(cmd, f, p, c)
	if err != nil {
		return err
	}
	if len(command) == 0 {
		command = deliver.Shell(env)
	}
	if a.onTerminal() {
		fmt.Fprintln(a.stderr, a.announcement(p, c))
	}
	a.remember(cmd.Context(), p)
	a.log().Debug("running", "command", command[0])
	a.exit, err = deliver.Exec(command, env)
	return err
}

// childEnvironment is what a switch's command or shell finds in its
// environment: credentials or, secretless, where to ask for them.
func (a *app) childEnvironment(cmd *cobra.Command, f *switchFlags, p plan.Plan, c cred.Credentials) ([]string, error) {
	as := a.as(p)
	if f.keeps(cmd, p) {
		if err := a.outfitKept(&as, f, p, c); err != nil {
			return nil, err
		}
		as.BaseKeyID = "" // the shell's record says it
		return deliver.Env(a.environ, cred.Credentials{}, as), nil
	}
	a.outfit(&as, f, p, c.Expires)
	return deliver.Env(a.environ, c, as), nil
}

// become plans and walks: it returns the credentials that a command's one
// profile stands for.
func (a *app) become(cmd *cobra.Command, f *switchFlags, args []string) (plan.Plan, cred.Credentials, error) {
	p, err := a.prepare(cmd, f, args)
	if err != nil {
		return p, cred.Credentials{}, err
	}
	// The SDK for C++ reads a credential_process's stderr as its answer.
	if p.Plain && cmd.Name() != processName {
		fmt.Fprintf(a.stderr, "aws-switch-role: warning: handing on the long-lived key of profile %s itself\n", term.Clean(p.Profile))
	}
	c, err := a.credentials(cmd.Context(), f, p)
	return p, c, err
}

// prepare plans for a command's one profile, and has a protected one
// confirmed.
func (a *app) prepare(cmd *cobra.Command, f *switchFlags, args []string) (plan.Plan, error) {
	p, err := a.planned(cmd, f, args)
	if err != nil {
		return p, err
	}
	if f.keeps(cmd, p) {
		if err := keepable(p); err != nil {
			return p, err
		}
	}
	return p, a.confirm(cmd.Context(), f, p)
}

// planned is the plan for a command's one profile.
func (a *app) planned(cmd *cobra.Command, f *switchFlags, args []string) (plan.Plan, error) {
	if err := f.complete(a, cmd.Flags()); err != nil {
		return plan.Plan{}, err
	}
	name, err := a.chosenProfile(cmd.Context(), f, args)
	if err != nil {
		return plan.Plan{}, err
	}
	return a.plan(f, name)
}

// as says who the child of a plan will be.
func (a *app) as(p plan.Plan) deliver.As {
	as := deliver.As{Profile: p.Profile, InFiles: !p.Adhoc, RoleARN: p.RoleARN(), SessionName: p.SessionName(), Region: p.Region, Depth: a.depth() + 1}
	if s, ok := p.Hops[len(p.Hops)-1].(plan.SSO); ok {
		as.Account, as.RoleName = s.AccountID, s.RoleName
	}
	if e, ok := p.Source().(plan.EnvironmentKey); ok && !e.Temporary {
		as.BaseKeyID = e.AccessKeyID
	}
	as.OwnConfigFile, as.OwnCredentialsFile = absolute(a.ownFile("AWS_CONFIG_FILE")), absolute(a.ownFile("AWS_SHARED_CREDENTIALS_FILE"))
	return as
}

// absolute is a path, if there is one, that is good in any directory.
func absolute(path string) string {
	if path == "" {
		return ""
	}
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// announcement says who one is now and until when.
func (a *app) announcement(p plan.Plan, c cred.Credentials) string {
	y := term.NewStyler(true, a.getenv("NO_COLOR"), a.getenv("TERM"))
	s := y.Bold(term.Clean(p.Profile)) + ": "
	switch who := p.Who(); {
	case who != "":
		s += term.Clean(who)
	default:
		s += term.Clean(plan.Describe(p.Hops[len(p.Hops)-1]))
	}
	return s + a.until(c.Expires)
}

// until goes on with the end of credentials, where they have one.
func (a *app) until(end time.Time) string {
	if end.IsZero() {
		return ""
	}
	left := end.Sub(a.now()).Round(time.Minute)
	return fmt.Sprintf(", until %s (%s)", end.Local().Format("15:04"), plan.Length(left))
}

func (a *app) exportCommand() *cobra.Command {
	f := &switchFlags{}
	format := formatFlag(deliver.FormatEnv)
	cmd := &cobra.Command{
		Use:   "export [flags] [PROFILE|ROLE_ARN]",
		Short: "Print a profile's credentials as shell code, JSON or dotenv",
		Long: `Print a profile's credentials, for the shell that evaluates the output, or for
a program that reads it. They are readable by whoever reads that output.`,
		Example: `  eval "$(aws-switch-role export sub-account)"
  aws-switch-role export sub-account --format fish | source
  aws-switch-role export sub-account --format powershell | Out-String | Invoke-Expression
  aws-switch-role export sub-account --format dotenv > .env`,
		ValidArgsFunction: a.completeProfiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			args, err := onlyProfile(cmd, args)
			if err != nil {
				return err
			}
			p, c, err := a.become(cmd, f, args)
			if err != nil {
				return err
			}
			return deliver.Export(a.stdout, deliver.Format(format), a.environ, c, a.as(p))
		},
	}
	f.register(cmd)
	format.register(cmd)
	return cmd
}

func formats() []string {
	var names []string
	for _, f := range deliver.Formats() {
		names = append(names, string(f))
	}
	return names
}

func formatNames() string {
	names := formats()
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// formatFlag is the value of --format.
type formatFlag deliver.Format

// register defines --format on a command.
func (f *formatFlag) register(cmd *cobra.Command) {
	cmd.Flags().Var(f, "format", "the `format`: "+formatNames())
	_ = cmd.RegisterFlagCompletionFunc("format", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return formats(), cobra.ShellCompDirectiveNoFileComp
	})
}

// Set implements pflag.Value.
func (f *formatFlag) Set(s string) error {
	if !slices.Contains(deliver.Formats(), deliver.Format(s)) {
		return errors.New("it is " + formatNames())
	}
	*f = formatFlag(s)
	return nil
}

// String implements pflag.Value.
func (f *formatFlag) String() string { return string(*f) }

// Type implements pflag.Value.
func (f *formatFlag) Type() string { return "format" }

const processName = "credential-process"

func (a *app) processCommand() *cobra.Command {
	f := &switchFlags{quiet: true}
	var ask inShell
	cmd := &cobra.Command{
		Use:   processName + " [flags] [PROFILE|ROLE_ARN]",
		Short: "Print a profile's credentials as credential_process wants them",
		Long: `Print the JSON object that the AWS SDKs expect of a credential_process. Nothing
is written to stderr unless it fails; an MFA code is asked for on the terminal.`,
		Example: `  # in ~/.aws/config
  [profile sub-account-sdk]
  credential_process = "/usr/local/bin/aws-switch-role" credential-process sub-account`,
		ValidArgsFunction: a.completeProfiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			args, err := onlyProfile(cmd, args)
			if err != nil {
				return err
			}
			profile, inShell, err := ask.profile(a.getenv("AWS_SWITCH_ROLE_PROFILE"))
			if err != nil {
				return err
			}
			var c cred.Credentials
			if inShell {
				var kept string
				if kept, err = a.keeperDir(); kept != "" {
					return a.keptProcess(cmd.Context(), kept, profile)
				}
				if err != nil {
					return err
				}
				c, err = a.answer(cmd.Context(), cmd, f, profile)
			} else {
				_, c, err = a.become(cmd, f, args)
			}
			if err != nil {
				return err
			}
			return deliver.Process(a.stdout, c)
		},
	}
	f.register(cmd)
	ask.register(cmd)
	return cmd
}

// completeProfiles completes a profile's name, described by the role behind
// it. It reads the files alone, and the index of the keyring.
func (a *app) completeProfiles(_ *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	if a.dashed {
		return nil, cobra.ShellCompDirectiveDefault
	}
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	c, err := awsconfig.LoadStarting(a.awsFile("AWS_CONFIG_FILE", "config"), a.awsFile("AWS_SHARED_CREDENTIALS_FILE", "credentials"), toComplete)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return completion.Profiles(c, a.names(c), toComplete), cobra.ShellCompDirectiveNoFileComp
}
