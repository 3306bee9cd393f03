package cli

import (
	"context"
	"errors"
	"iter"
	"slices"

	"aws-switch-role/internal/awsconfig"
	"aws-switch-role/internal/cache"
	"aws-switch-role/internal/plan"
	"aws-switch-role/internal/term"
)

// chosenProfile is the profile that a switch is about: the one that is named,
// else the one that the person picks from a list. Without a terminal, and in a
// program that wants an answer rather than a conversation, it must be named. A
// switched shell's own AWS_PROFILE names none to somebody who opens another
// shell there: who wants the same again has it at the top of the list.
func (a *app) chosenProfile(ctx context.Context, f *switchFlags, args []string) (string, error) {
	name, err := a.profileName(args)
	inherited := err == nil && len(args) == 0 && a.depth() > 0 && a.getenv("AWS_PROFILE") == a.getenv("AWS_SWITCH_ROLE_PROFILE")
	switch {
	case !inherited && !errors.Is(err, errNoProfile):
		return name, err
	case inherited && !(f.opensShell && a.showsList(f)):
		a.stayNarrow(f)
		return name, nil
	case !a.showsList(f):
		if t := a.getenv("TERM"); !f.noInput && !f.quiet && a.hasTerminal() {
			return "", usagef("no profile was named, and this terminal cannot show a list (TERM is %q)", t)
		}
		return name, err
	}
	return a.pick(ctx, f)
}

// showsList reports whether a person can be shown a list.
func (a *app) showsList(f *switchFlags) bool {
	t := a.getenv("TERM")
	return t != "" && t != "dumb" && !f.noInput && !f.quiet && a.hasTerminal()
}

// pick has the person pick a profile, of which those used last come first.
func (a *app) pick(ctx context.Context, f *switchFlags) (string, error) {
	names, rows, err := a.pickable(ctx, f)
	if err != nil {
		return "", err
	}
	if len(names) == 0 {
		return "", usagef("no profile was named, and there is none: write one with aws-switch-role profile add NAME")
	}
	t, err := term.Open()
	if err != nil {
		return "", err
	}
	defer t.Close()
	row, err := t.Pick(ctx, term.List{
		Prompt: "profile: ",
		Titles: []string{"PROFILE", "LEFT", "ACCOUNT", "ROLE", "REGION", "FROM"},
		Rows:   rows,
		Styler: term.NewStyler(true, a.getenv("NO_COLOR"), a.getenv("TERM")),
	})
	if err != nil {
		return "", err
	}
	return names[row], nil
}

// pickable returns all profiles with what is shown of them.
func (a *app) pickable(ctx context.Context, f *switchFlags) (names []string, rows [][]string, err error) {
	c, err := a.load()
	if err != nil {
		return nil, nil, err
	}
	left, err := a.timeLeft(ctx, f)
	if err != nil {
		return nil, nil, err
	}
	c.Index()
	for name := range a.usedFirst(c) {
		p, _, err := c.Profile(name)
		if err != nil { // a switch to it will tell
			p = awsconfig.Profile{}
		}
		account, role := plan.RoleOf(p)
		names = append(names, name)
		rows = append(rows, []string{name, left(name, p), account, role, p.Keys["region"].Text, baseOf(p)})
	}
	return names, rows, nil
}

// usedFirst yields the names of all profiles, each once: first those that were
// switched to last.
func (a *app) usedFirst(c *awsconfig.Config) iter.Seq[string] {
	return func(yield func(string) bool) {
		all := slices.Collect(a.names(c))
		left := map[string]bool{}
		for _, name := range all {
			left[name] = true
		}
		var used []string
		for _, u := range a.recent().List() {
			used = append(used, u.Profile)
		}
		for _, name := range slices.Concat(used, all) {
			if !left[name] { // it was yielded, or is no profile any more
				continue
			}
			delete(left, name)
			if !yield(name) {
				return
			}
		}
	}
}

// baseOf says in a word what a profile starts from.
func baseOf(p awsconfig.Profile) string {
	for _, k := range []string{"source_profile", "credential_source", "envchain_namespace", "sso_session", "sso_start_url", "login_session"} {
		if v := p.Keys[k].Text; v != "" {
			return v
		}
	}
	return ""
}

// timeLeft returns how to find out how long a profile's session lasts, "" when
// it has none. Only profiles of a role or a key that some session is of are
// planned.
func (a *app) timeLeft(ctx context.Context, f *switchFlags) (func(name string, p awsconfig.Profile) string, error) {
	o, err := f.options()
	if err != nil {
		return nil, err
	}
	live, err := a.cached(ctx, f).List()
	if err != nil || f.noCache {
		a.log().Debug("no session is shown", "error", err)
		live = nil
	}
	sessions := map[plan.Key]cache.About{}
	of := map[string]bool{}
	for _, s := range live {
		sessions[s.Key] = s
		of[s.Role], of[s.Profile] = true, true
	}
	delete(of, "")
	o = a.surround(o)
	return func(name string, p awsconfig.Profile) string {
		if arn, named := p.Keys["role_arn"].Text, of[name]; !named && !of[arn] {
			return ""
		}
		planned, err := plan.For(a.config, name, o)
		if err != nil {
			return ""
		}
		s, ok := sessions[planned.Key(len(planned.Hops)-1)]
		if !ok {
			return ""
		}
		return status{Expires: s.Expires}.left(a.now())
	}, nil
}
