package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aws-switch-role/internal/term"
)

// isCompletion reports whether a shell asks for what may stand in a command
// line.
func isCompletion(args []string) bool {
	return len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd)
}

// completesFlag reports whether a shell may ask for flags, or for the value of
// one: the word that it completes, or the one before, begins with a dash.
func completesFlag(args []string) bool {
	return isCompletion(args) && slices.ContainsFunc(args[max(1, len(args)-2):], func(arg string) bool { return strings.HasPrefix(arg, "-") })
}

// completeFlags has the flags of a command, and of those under it, complete
// their values: what is not in the user's files and is no file is no file's
// name, which cobra would offer. The quotes that mark a value's name are for
// help alone.
func (a *app) completeFlags(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		f.Usage = strings.ReplaceAll(f.Usage, "`", "")
		if _, ok := cmd.GetFlagCompletionFunc(f.Name); ok {
			return
		}
		values := cobra.NoFileCompletions
		switch f.Name {
		case "source-profile":
			values = a.completeMany
		case "region":
			values = a.completeSetting("region")
		case "mfa-serial":
			values = a.completeSetting("mfa_serial")
		case "policy", "out":
			return
		}
		_ = cmd.RegisterFlagCompletionFunc(f.Name, values)
	})
	for _, c := range cmd.Commands() {
		a.completeFlags(c)
	}
}

// completeSetting completes the values that a setting has in the user's files.
func (a *app) completeSetting(key string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		c, err := a.load()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var values []string
		c.Index()
		for name := range c.Names() {
			p, _, err := c.Profile(name)
			if v := p.Keys[key].Text; err == nil && v != "" && v == term.Clean(v) {
				values = append(values, v)
			}
		}
		slices.Sort(values)
		return slices.Compact(values), cobra.ShellCompDirectiveNoFileComp
	}
}
