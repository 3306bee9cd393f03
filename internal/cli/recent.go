package cli

import (
	"context"
	"slices"
	"time"

	"aws-switch-role/internal/plan"
	"aws-switch-role/internal/recent"
)

// previous stands for a profile's name as in `cd -`.
const previous = "-"

// recent is the memory of the profiles that were switched to.
func (a *app) recent() recent.File { return recent.In(a.folders().state) }

// previousProfile is the last profile that was switched to, other than the one
// that this environment is: so two profiles take turns, as with `cd -`.
func (a *app) previousProfile() (string, error) {
	here := []string{a.getenv("AWS_SWITCH_ROLE_PROFILE"), a.getenv("AWS_SWITCH_ROLE_ROLE_ARN")}
	if a.depth() == 0 {
		here = nil
	}
	list := a.recent().List()
	i := slices.IndexFunc(list, func(u recent.Used) bool { return !slices.Contains(here, u.Profile) })
	if i < 0 {
		return "", usagef("there is no previous profile: no other was switched to yet")
	}
	return list[i].Profile, nil
}

// patienceToRemember is how long another process is waited for when the file
// has grown and is to be replaced.
const patienceToRemember = 200 * time.Millisecond

// remember writes down that a profile is switched to. To fail costs no more
// than the memory.
func (a *app) remember(ctx context.Context, p plan.Plan) {
	ctx, cancel := context.WithTimeout(ctx, patienceToRemember)
	defer cancel()
	name := p.Profile
	if p.Adhoc {
		name = p.RoleARN()
	}
	lock := func() (func(), error) { return a.lockNamed("recent profiles")(ctx) }
	if err := a.recent().Add(recent.Used{Profile: name, At: a.now()}, lock); err != nil {
		a.log().Debug("the profile is not remembered", "error", err)
	}
}
