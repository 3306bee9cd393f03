package cli

import (
	"encoding/json"
	"io"
	"iter"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"aws-switch-role/internal/accesskey"
	"aws-switch-role/internal/awsconfig"
	"aws-switch-role/internal/plan"
)

func (a *app) listCommand() *cobra.Command {
	var asJSON, asTree bool
	cmd := &cobra.Command{
		Use:   "list [--tree] [--json] [PATTERN...]",
		Short: "List the profiles: whom each becomes, from where, and live sessions",
		Long: `List the profiles of the AWS files and of the keyring, in the files' order, or
those whose name matches a PATTERN with *, ? and [a-z] in it. SESSION is what is
left of the cached session that a switch would use. No keyring is opened and
nothing is sent. A profile that cannot be switched to is listed with what is
wrong; aws-switch-role explain PROFILE says more.`,
		Example: `  aws-switch-role list
  aws-switch-role list --tree
  aws-switch-role list 'prod-*' --json`,
		ValidArgsFunction: a.completeMany,
		RunE: func(cmd *cobra.Command, patterns []string) error {
			if asJSON && asTree {
				return usagef("list takes --tree or --json, not both")
			}
			for _, p := range patterns {
				if _, err := path.Match(p, ""); err != nil {
					return usagef("%s is not a pattern: a bracket is not closed, or a backslash ends it", p)
				}
			}
			l, err := a.newLister(cmd)
			if err != nil {
				return err
			}
			list := l.all(patterns)
			switch {
			case len(list) == 0 && len(patterns) > 0:
				return &noMatchError{patterns}
			case asJSON:
				return writeJSON(a.stdout, append([]listedProfile{}, list...))
			case len(list) == 0:
				none := a.phrase("no-profiles", a.filesRead()...)
				a.say("%s", none.What)
				a.say("hint: %s", none.Next)
				return nil
			}
			if asTree {
				return a.print(l.tree(list))
			}
			return a.print(l.table(list))
		},
	}
	cmd.Flags().BoolVar(&asTree, "tree", false, "draw the chains, from the base to the roles behind it")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// noMatchError says that no profile has a name like these.
type noMatchError struct{ patterns []string }

func (e *noMatchError) Error() string {
	return "no profile matches " + strings.Join(e.patterns, " ")
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// listedProfile is a profile as it is listed.
type listedProfile struct {
	Profile string `json:"profile"`
	Account string `json:"account,omitempty"`
	Role    string `json:"role,omitempty"`
	RoleARN string `json:"role_arn,omitempty"`
	Base    string `json:"base,omitempty"`
	// Chain are the profiles from the base to this one.
	Chain     []string  `json:"chain,omitempty"`
	MFADevice string    `json:"mfa_device,omitempty"`
	Region    string    `json:"region,omitempty"`
	Expires   time.Time `json:"session_expires,omitzero"` // of the cached session
	Problem   string    `json:"problem,omitempty"`

	root string // what the chain starts from when that is no profile
}

// lister plans profiles to list them.
type lister struct {
	app     *app
	config  *awsconfig.Config
	options plan.Options
	live    map[plan.Key]time.Time // when cached sessions end
	roles   map[string]bool        // whose sessions they are; "" is a user's
}

func (a *app) newLister(cmd *cobra.Command) (*lister, error) {
	c, err := a.load()
	if err != nil {
		return nil, err
	}
	f, err := a.standing()
	if err != nil {
		return nil, err
	}
	o, err := f.options()
	if err != nil {
		return nil, err
	}
	c.Index()
	l := &lister{app: a, config: c, options: a.surround(o), live: map[plan.Key]time.Time{}, roles: map[string]bool{}}
	l.options.Brief = true
	l.options.OnEC2 = sync.OnceValue(l.options.OnEC2)
	sessions, err := a.cached(cmd.Context(), f).List()
	if err != nil {
		a.log().Debug("the cache is not listed whole", "error", err)
	}
	for _, s := range sessions {
		l.live[s.Key] = s.Expires
		l.roles[s.Role] = true
	}
	return l, nil
}

// standing returns the flags of a switch as a command line without any has
// them: what the environment's variables set.
func (a *app) standing() (*switchFlags, error) {
	f := &switchFlags{}
	cmd := &cobra.Command{}
	f.register(cmd)
	return f, f.complete(a, cmd.Flags())
}

// names yields the names of all profiles: those of the files, then those of
// keys that only the keyring holds.
func (a *app) names(c *awsconfig.Config) iter.Seq[string] {
	return func(yield func(string) bool) {
		for name := range c.Names() {
			if !yield(name) {
				return
			}
		}
		keys, err := a.stored()
		if err != nil {
			a.log().Debug("the keyring's keys are not known", "error", err)
		}
		for _, name := range accesskey.Names(keys) {
			if _, inFiles, _ := c.Profile(name); !inFiles && !yield(name) {
				return
			}
		}
	}
}

// matches reports whether a name is one of those that patterns stand for; no
// pattern stands for all. Unlike in a path, a slash is like any character.
func matches(patterns []string, name string) bool {
	flat := func(s string) string { return strings.ReplaceAll(s, "/", "\x00") }
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(flat(p), flat(name))
		return err == nil && ok
	})
}

func (l *lister) all(patterns []string) (list []listedProfile) {
	for name := range l.app.names(l.config) {
		if matches(patterns, name) {
			list = append(list, l.one(name))
		}
	}
	return list
}

// one plans a profile.
func (l *lister) one(name string) listedProfile {
	e := listedProfile{Profile: name}
	p, err := plan.For(l.config, name, l.options)
	if err != nil {
		e.Problem = problem(name, err)
		// Whom it would become may be known none the less.
		if p, ok, err := l.config.Profile(name); ok && err == nil {
			e.become(p.Keys["role_arn"].Text)
		}
		return e
	}
	e.Chain, e.Region = p.Chain, p.Region
	e.Base, e.root = base(p)
	e.become(p.RoleARN())
	if s, ok := p.Hops[len(p.Hops)-1].(plan.SSO); ok {
		e.Account, e.Role = s.AccountID, s.RoleName
	}
	for _, mfa := range p.Asks() {
		e.MFADevice = mfa.Serial
	}
	if l.roles[e.RoleARN] {
		e.Expires = l.live[p.Key(len(p.Hops)-1)]
	}
	return e
}

// become notes the role that a profile becomes, if that is one.
func (e *listedProfile) become(roleARN string) {
	if arn, err := plan.ParseRoleARN(roleARN); err == nil {
		e.RoleARN, e.Account, e.Role = roleARN, arn.Account, arn.Path
	}
}

// base says in a word what a plan starts from. root says it at length where
// that is no profile.
func base(p plan.Plan) (word, root string) {
	source := p.Source()
	switch s := source.(type) {
	case plan.StoredKey:
		if s.Keyring {
			return "keyring:" + s.Profile, ""
		}
		return s.Profile, ""
	case plan.EnvchainKey:
		return "envchain:" + s.Namespace, ""
	case plan.EnvironmentKey:
		return "environment", plan.Describe(source)
	case plan.InstanceMetadata:
		return "ec2-instance", plan.Describe(source)
	case plan.Container:
		return "container", plan.Describe(source)
	case plan.Process:
		return "process:" + s.Profile, ""
	case plan.WebIdentity:
		if len(p.Hops) > len(p.Chain) { // of the environment
			return "web-identity", plan.Describe(source)
		}
		return "web-identity", ""
	case plan.SSO:
		if s.Session != "" {
			return "sso:" + s.Session, ""
		}
		return "sso:" + s.Profile, ""
	case plan.Login:
		return "login:" + s.Profile, ""
	}
	return "", plan.Describe(source)
}

// wholeColumns are of no use in part.
func wholeColumns() []string { return []string{"ACCOUNT", "SESSION"} }

// table lists profiles in columns.
func (l *lister) table(list []listedProfile) *table {
	t := l.app.newTable("PROFILE", "ACCOUNT", "ROLE", "BASE", "MFA", "REGION", "SESSION")
	t.whole = wholeColumns()
	for _, e := range list {
		if e.Problem != "" {
			t.add(row{cells: []string{e.Profile, e.Account, e.Role}, note: e.Problem})
			continue
		}
		t.add(row{
			cells: []string{e.Profile, e.Account, e.Role, e.Base, device(e.MFADevice), e.Region, l.left(e)},
			paint: []func(string) string{l.name(t, e), 6: l.session(t, e)},
		})
	}
	return t
}

// name is how a profile's name is painted: the one of this shell stands out.
func (l *lister) name(t *table, e listedProfile) func(string) string {
	if e.Profile == l.app.getenv("AWS_SWITCH_ROLE_PROFILE") && l.app.depth() > 0 {
		return t.style.Bold
	}
	return nil
}

func (l *lister) session(t *table, e listedProfile) func(string) string {
	switch left := e.Expires.Sub(l.app.now()); {
	case e.Expires.IsZero():
		return t.style.Dim
	case left < soon:
		return t.style.Red
	}
	return t.style.Green
}

// soon is when the end of a session deserves a look.
const soon = 5 * time.Minute

// left says how long the cached session of a profile lasts.
func (l *lister) left(e listedProfile) string {
	if e.Expires.IsZero() {
		return ""
	}
	return status{Expires: e.Expires}.left(l.app.now()) + " left"
}

// device is the name of an MFA device without what all devices of the account
// have in common.
func device(serial string) string {
	_, name, ok := strings.Cut(serial, ":mfa/")
	if !ok {
		return serial
	}
	return name
}

// node is a profile, or another base, with the roles that start from it.
type node struct {
	listedProfile
	known bool // as a profile that is listed
	next  []*node
}

// tree draws the chains. A profile that was not asked for stands there by its
// name alone, when one that was starts from it.
func (l *lister) tree(list []listedProfile) *table {
	t := l.app.newTable("PROFILE", "ACCOUNT", "ROLE", "MFA", "REGION", "SESSION")
	t.whole = wholeColumns()
	var roots []*node
	nodes := map[string]*node{} // by the way from the root
	child := func(parent *node, way, name string) *node {
		n := nodes[way]
		if n == nil {
			n = &node{listedProfile: listedProfile{Profile: name}}
			nodes[way] = n
			if parent == nil {
				roots = append(roots, n)
			} else {
				parent.next = append(parent.next, n)
			}
		}
		return n
	}
	for _, e := range list {
		var at *node
		way := ""
		if e.root != "" {
			way = "\x00" + e.root
			at = child(nil, way, e.root)
		}
		for _, name := range e.Chain {
			way += "\x00\x00" + name
			at = child(at, way, name)
		}
		if e.Problem != "" {
			at = child(nil, "\x00\x00"+e.Profile, e.Profile)
		}
		at.listedProfile, at.known = e, true
	}
	for _, n := range roots {
		l.draw(t, n, "", "")
	}
	return t
}

// draw adds the row of a node, and under it those of the nodes behind it.
// first is drawn before its own name, rest before the others.
func (l *lister) draw(t *table, n *node, first, rest string) {
	switch {
	case !n.known:
		t.add(row{cells: []string{first + n.Profile}})
	case n.Problem != "":
		t.add(row{cells: []string{first + n.Profile, n.Account, n.Role}, note: n.Problem})
	default:
		t.add(row{
			cells: []string{first + n.Profile, n.Account, n.Role, device(n.MFADevice), n.Region, l.left(n.listedProfile)},
			paint: []func(string) string{l.name(t, n.listedProfile), 5: l.session(t, n.listedProfile)},
		})
	}
	for i, next := range n.next {
		if i < len(n.next)-1 {
			l.draw(t, next, rest+"├── ", rest+"│   ")
		} else {
			l.draw(t, next, rest+"└── ", rest+"    ")
		}
	}
}

// completeMany completes any number of profiles.
func (a *app) completeMany(cmd *cobra.Command, _ []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	return a.completeProfiles(cmd, nil, toComplete)
}
