package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"aws-switch-role/internal/deliver"
	"aws-switch-role/internal/keeper"
	"aws-switch-role/internal/plan"
	"aws-switch-role/internal/term"
)

func (a *app) refreshCommand() *cobra.Command {
	format := formatFlag(deliver.FormatEnv)
	cmd := &cobra.Command{
		Use:   "refresh [flags]",
		Short: "Renew the credentials of this shell",
		Long: `Renew the credentials of the switched shell that this is, with the flags that
it was opened with.

In a secretless shell it asks for the MFA code if one is needed, and the shell's
programs have the new session at once. In any other it prints the shell code
that puts the new credentials into this shell's environment: the function that
aws-switch-role init defines evaluates it.`,
		Example: `  aws-switch-role refresh
  eval "$(command aws-switch-role refresh)"
  command aws-switch-role refresh --format fish | source`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			kept, err := a.keeperDir()
			if err != nil {
				return err
			}
			if kept != "" {
				return a.refreshKept(cmd.Context(), kept)
			}
			return a.refreshEnvironment(cmd.Context(), deliver.Format(format))
		},
	}
	cmd.Flags().Var(&format, "format", "the `format`: env, fish or powershell")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"env", "fish", "powershell"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// codeTries is how often a code is asked for: a mistyped one is asked for once
// more.
const codeTries = 2

// refreshKept has the keeper make a new session, and asks for the code that it
// takes.
func (a *app) refreshKept(ctx context.Context, dir string) error {
	body, err := a.askKeeper(ctx, dir, keeper.Request{Verb: keeper.Renew})
	for range codeTries {
		needed, ok := errors.AsType[*codeNeededError](err)
		if !ok {
			break
		}
		code, aerr := a.askCode(ctx, needed)
		if aerr != nil {
			return aerr
		}
		body, err = a.askKeeper(ctx, dir, keeper.Request{Verb: keeper.Renew, Code: code})
	}
	if needed, ok := errors.AsType[*codeNeededError](err); ok && needed.Problem != "" {
		return errors.New(needed.Problem)
	}
	if err != nil {
		return err
	}
	var s keptStatus
	if err := json.Unmarshal(body, &s); err != nil {
		return err
	}
	if a.onTerminal() {
		fmt.Fprintln(a.stderr, a.heading()+a.until(s.Expires))
	}
	return nil
}

// askCode asks for the code that the shell's session takes.
func (a *app) askCode(ctx context.Context, needed *codeNeededError) (string, error) {
	t, err := term.Open()
	if err != nil {
		return "", &noInputError{what: theCode(needed.Serial), cause: err}
	}
	defer t.Close()
	if needed.Problem != "" {
		t.Print(term.CleanText(needed.Problem))
	} else {
		t.Print(a.heading())
	}
	for {
		code, err := t.Ask(ctx, plan.Prompt(term.Clean(needed.Serial))+" ")
		if err != nil || isCode(code) {
			return code, err
		}
		t.Print("an MFA code is six digits")
	}
}

// heading says which shell this is.
func (a *app) heading() string {
	s, err := a.status()
	if err != nil {
		return ""
	}
	if s.Role == "" {
		return term.Clean(s.Profile)
	}
	return term.Clean(s.Profile) + ": " + term.Clean(s.Account) + " role/" + term.Clean(s.Role)
}

// errEvaluate says that shell code is about to be shown rather than evaluated.
var errEvaluate = errors.New("shell code on a terminal")

// refreshEnvironment prints the shell code that puts a new session in the
// place of the one in the environment.
func (a *app) refreshEnvironment(ctx context.Context, format deliver.Format) error {
	s, err := a.status()
	if err != nil {
		return err
	}
	if format == deliver.FormatJSON || format == deliver.FormatDotenv {
		return usagef("--format is env, fish or powershell: what a shell evaluates")
	}
	if term.IsTerminal(os.Stdout) {
		return errEvaluate
	}
	f, err := a.standingFlags()
	if err != nil {
		return err
	}
	a.debug, f.renew = f.debug, renewRoles
	c, err := a.again(ctx, f, s.Profile)
	if err != nil {
		return err
	}
	if a.onTerminal() {
		fmt.Fprintln(a.stderr, a.heading()+a.until(c.Expires))
	}
	return deliver.ExportRenewed(a.stdout, format, a.environ, c)
}
