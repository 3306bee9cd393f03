// Package completion completes the names of profiles. What shells ask for most,
// it answers before the packages of the AWS SDK are initialised, which takes
// longer than the answer.
//
// Go initialises packages as soon as those that they import are, by their paths
// in order (Go specification, "Package initialization"), and this one imports
// nothing that is slow: a test looks after that.
package completion

import (
	"iter"
	"strings"

	"aws-switch-role/internal/awsconfig"
	"aws-switch-role/internal/plan"
	"aws-switch-role/internal/term"
)

// maxDescribed is how many completions are described at most.
const maxDescribed = 40

// Profiles returns those of the names that start with prefix, each safe for a
// terminal. The few are described, behind a tab, by the account and the role
// that c gives them.
func Profiles(c *awsconfig.Config, names iter.Seq[string], prefix string) []string {
	var found []string
	for name := range names {
		if strings.HasPrefix(name, prefix) && !strings.ContainsAny(name, "\t\n") {
			found = append(found, name)
		}
	}
	for i, name := range found {
		found[i] = term.CleanText(name)
		if len(found) > maxDescribed {
			continue // nobody reads hundreds of descriptions
		}
		if p, ok, err := c.Profile(name); ok && err == nil {
			if account, role := plan.RoleOf(p); account != "" {
				found[i] += "\t" + term.Clean(account+" "+role)
			}
		}
	}
	return found
}
