// Package cli is the command line: it reads flags and environment, wires the
// other packages together, and turns errors into words and exit statuses.
package cli

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"aws-switch-role/internal/memory"
)

// Main runs the command named by args, the arguments after the program's
// name, and returns the exit status.
func Main(args []string) int {
	_ = memory.Hide() // there is nothing to do about a failure
	a := newApp(os.Environ(), os.Stdin, os.Stdout, os.Stderr)
	exit := a.run(context.Background(), args)
	if a.interrupted != nil {
		a.interrupted.Die()
	}
	return exit
}

// Commands returns all the commands, for those who describe them: they read no
// environment and do nothing until they are run.
func Commands() *cobra.Command {
	return newApp(nil, strings.NewReader(""), io.Discard, io.Discard).root([]string{"help"})
}

// run runs one command line.
func (a *app) run(ctx context.Context, args []string) int {
	// For a completion, cobra's own ArgsLenAtDash tells of a -- that cobra
	// has added.
	a.dashed = len(args) > 0 && slices.Contains(args[:len(args)-1], "--")
	root := a.root(args)
	if completesFlag(args) {
		a.completeFlags(root)
	}
	root.SetArgs(args)
	root.SetIn(a.stdin)
	root.SetErr(a.stderr)
	out := bufio.NewWriter(a.stdout) // cobra writes each of 10,000 completions by itself
	root.SetOut(out)
	cmd, err := root.ExecuteContextC(ctx)
	if err = cmp.Or(err, out.Flush()); err == nil {
		return a.exit
	}
	return a.report(cmd, err)
}

// root is the bare command, which is a switch itself, with those others in it
// that the command line may be about: to make them all would take a tenth of
// the time of a switch whose session is at hand.
func (a *app) root(args []string) *cobra.Command {
	f := &switchFlags{}
	root := &cobra.Command{
		Use:   "aws-switch-role [flags] [PROFILE|ROLE_ARN] [-- COMMAND [ARG...]]",
		Short: "Become any AWS IAM role from the terminal",
		Long: `Become any AWS IAM role from the terminal.

It reads ~/.aws/config and ~/.aws/credentials, or takes keys from the
environment, asks for the MFA code where the profile names a device, and opens
your shell, or runs one command, with the role's temporary credentials.
Leaving the shell leaves the role. Without PROFILE it is that of AWS_PROFILE or
AWS_DEFAULT_PROFILE, else the one that you pick from a list; PROFILE may be -,
the previous profile: the last one that was switched to, other than the one this
shell is in.`,
		Example: `  aws-switch-role sub-account
  aws-switch-role sub-account -- aws s3 ls
  envchain aws-main-account env aws-switch-role sub-account
  aws-switch-role arn:aws:iam::222222222222:role/Ops --source-profile default
  aws-switch-role -`,
		Args:                       cobra.ArbitraryArgs,
		RunE:                       func(cmd *cobra.Command, args []string) error { return a.switchTo(cmd, f, args, true) },
		ValidArgsFunction:          a.completeProfiles,
		SilenceErrors:              true,
		SilenceUsage:               true,
		SuggestionsMinimumDistance: 1,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err.Error()} })
	f.register(root)
	f.registerSecretless(root)
	root.Flags().SortFlags = false
	about, cobras := subject(args)
	root.CompletionOptions.DisableDefaultCmd = !cobras
	for _, c := range a.commands() {
		if about(c.name) {
			root.AddCommand(c.make())
		}
	}
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		c.Flags().SortFlags = false
		exemplify(c)
	}
	return root
}

// named is a command that is made when it is needed.
type named struct {
	name string
	make func() *cobra.Command
}

// commands are those that stand under the bare one.
func (a *app) commands() []named {
	return []named{
		{"list", a.listCommand}, {"init", a.initCommand},
		{"shell", a.shellCommand}, {"exec", a.execCommand}, {"export", a.exportCommand}, {processName, a.processCommand},
		{"serve", a.serveCommand}, {"console", a.consoleCommand}, {"each", a.eachCommand},
		{"explain", a.explainCommand}, {"status", a.statusCommand}, {"keys", a.keysCommand}, {"sessions", a.sessionsCommand},
		{"sso", a.ssoCommand}, {"doctor", a.doctorCommand}, {"demo", a.demoCommand}, {"version", a.versionCommand},
		{"profile", a.profileCommand}, {"mfa", a.mfaCommand},
		{"refresh", a.refreshCommand}, {keepName, a.keepCommand}, {renewName, a.renewCommand},
	}
}

// subject returns a test for the names of the commands that a command line may
// be about; cobras says that it may be about one of cobra's own.
func subject(args []string) (about func(name string) bool, cobras bool) {
	if len(args) == 0 {
		return func(string) bool { return false }, false
	}
	first, completes := args[0], isCompletion(args)
	asks := func(arg string) bool { return arg == "--help" || arg == "-h" }
	switch {
	case completes && len(args) == 2 && !strings.HasPrefix("completion", args[1]) && !strings.HasPrefix("help", args[1]):
		return func(name string) bool { return strings.HasPrefix(name, args[1]) }, false
	case completes, first == "help", first == "completion", strings.HasPrefix(first, "-"), slices.ContainsFunc(args, asks):
		return func(string) bool { return true }, true
	}
	return func(name string) bool { return name == first }, false
}

// exemplify gives cobra's own commands an example.
func exemplify(cmd *cobra.Command) {
	const name = "aws-switch-role"
	switch cmd.Name() {
	case "help":
		cmd.Example = "  " + name + " help exec"
	case "completion":
		cmd.Example = "  " + name + " completion zsh --help"
		for _, c := range cmd.Commands() {
			exemplify(c)
		}
	case "bash", "zsh":
		cmd.Example = "  source <(" + name + " completion " + cmd.Name() + ")"
	case "fish":
		cmd.Example = "  " + name + " completion fish | source"
	case "powershell":
		cmd.Example = "  " + name + " completion powershell | Out-String | Invoke-Expression"
	}
}

// usageError is a command line that makes no sense.
type usageError struct{ msg string }

func (e *usageError) Error() string { return e.msg }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// split parts the arguments before `--` from those after it; dashed reports
// whether there was one.
func split(cmd *cobra.Command, args []string) (before, after []string, dashed bool) {
	n := cmd.ArgsLenAtDash()
	if n < 0 {
		return args, nil, false
	}
	return args[:n], args[n:], true
}

// onlyProfile checks the arguments of a command that takes one profile and
// nothing behind `--`.
func onlyProfile(cmd *cobra.Command, args []string) ([]string, error) {
	before, after, dashed := split(cmd, args)
	switch {
	case dashed || len(after) > 0:
		return nil, usagef("%s takes no command behind --", cmd.CommandPath())
	case len(before) > 1:
		return nil, usagef("%s takes one profile, not %s", cmd.CommandPath(), strings.Join(before, " "))
	}
	return before, nil
}
