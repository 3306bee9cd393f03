// Package cli is the command line: it reads flags and environment, wires the
// other packages together, and turns errors into words and exit statuses.
package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"aws-switch-role/internal/deliver"
)

// Main runs the command named by args, the arguments after the program's
// name, and returns the exit status.
func Main(args []string) int {
	_ = deliver.HideMemory() // there is nothing to do about a failure
	a := newApp(os.Environ(), os.Stdin, os.Stdout, os.Stderr)
	exit := a.run(context.Background(), args)
	if a.interrupted != nil {
		a.interrupted.Die()
	}
	return exit
}

// Commands returns the commands, for those who describe them: they read no
// environment and do nothing until they are run.
func Commands() *cobra.Command {
	return newApp(nil, strings.NewReader(""), io.Discard, io.Discard).root()
}

// run runs one command line.
func (a *app) run(ctx context.Context, args []string) int {
	// For a completion, cobra's own ArgsLenAtDash tells of a -- that cobra
	// has added.
	a.dashed = len(args) > 0 && slices.Contains(args[:len(args)-1], "--")
	root := a.root()
	root.SetArgs(args)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return a.exit
	}
	return a.report(cmd, err)
}

// root is the bare command, which is a switch itself, with the others in it.
func (a *app) root() *cobra.Command {
	f := &switchFlags{}
	root := &cobra.Command{
		Use:   "aws-switch-role [flags] [PROFILE|ROLE_ARN] [-- COMMAND [ARG...]]",
		Short: "Become any AWS IAM role from the terminal",
		Long: `Become any AWS IAM role from the terminal.

It reads ~/.aws/config and ~/.aws/credentials, or takes keys from the
environment, asks for the MFA code where the profile names a device, and opens
your shell, or runs one command, with the role's temporary credentials.
Leaving the shell leaves the role. PROFILE may be -, the previous profile: the
last one that was switched to, other than the one this shell is in.`,
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
	root.AddCommand(
		a.listCommand(), a.initCommand(),
		a.shellCommand(), a.execCommand(), a.exportCommand(), a.processCommand(), a.serveCommand(), a.consoleCommand(), a.eachCommand(),
		a.explainCommand(), a.statusCommand(), a.keysCommand(), a.sessionsCommand(), a.ssoCommand(), a.doctorCommand(), a.demoCommand(), a.versionCommand(),
		a.profileCommand(), a.mfaCommand(),
		a.refreshCommand(), a.keepCommand(),
	)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		c.Flags().SortFlags = false
		exemplify(c)
	}
	return root
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
