package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"aws-switch-role/internal/awsconfig"
	"aws-switch-role/internal/hop"
	"aws-switch-role/internal/message"
	"aws-switch-role/internal/plan"
	"aws-switch-role/internal/term"
)

// populateFlags say which profiles are written, and how they are named.
type populateFlags struct {
	switchFlags
	template, prefix string
	filters          []string
	region           string
	prune, dryRun    bool
}

// defaultTemplate names a profile for its account and its role.
const defaultTemplate = "{account_name}-{role_name}"

func (a *app) ssoPopulateCommand() *cobra.Command {
	f := &populateFlags{}
	cmd := &cobra.Command{
		Use:   "populate [SESSION|PROFILE]",
		Short: "Write a profile for every role that is yours in IAM Identity Center",
		Long: `List the accounts and roles that are yours in IAM Identity Center, and write a
profile for each to the config file: first as a diff, and on your word into the
file. The profiles stand in a block of their own between two lines of comment;
no other line is touched, and a profile of yours that has a name already keeps
it. Doing it again changes nothing but what has changed there.

A role that is yours no more keeps its profile, unless --prune is given.

The template makes the name, out of {account_name}, {account_id}, {role_name}
and {session}; characters that names should not have become dashes, and an
account without a name has its id for one. Where two profiles would have one
name, both get the account's id behind it.`,
		Example: `  aws-switch-role sso populate corp --dry-run
  aws-switch-role sso populate corp --prefix corp/ --region eu-west-1 --prune
  aws-switch-role sso populate corp --template '{account_id}.{role_name}' --filter '*.ReadOnly*'`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeSessions,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.populate(cmd.Context(), f, args) },
	}
	fs := cmd.Flags()
	fs.StringVar(&f.template, "template", defaultTemplate, "how a profile is named")
	fs.StringVar(&f.prefix, "prefix", "", "what every name begins with")
	fs.StringArrayVar(&f.filters, "filter", nil, "only profiles whose name matches the `pattern`, such as 'prod-*'; may be repeated")
	fs.StringVar(&f.region, "region", "", "the `region` that every profile gets")
	fs.BoolVar(&f.prune, "prune", false, "remove the profiles of roles that are not listed any more")
	fs.BoolVar(&f.dryRun, "dry-run", false, "show the diff, and write nothing")
	fs.BoolVar(&f.yes, "yes", false, "write without asking")
	fs.BoolVar(&f.noInput, "no-input", false, "never ask for anything: fail instead")
	fs.BoolVar(&f.debug, "debug", false, "say every step on stderr, never a secret")
	return cmd
}

// populate shows what would change in the config file, and changes it.
func (a *app) populate(ctx context.Context, f *populateFlags, args []string) error {
	a.debug = f.debug
	if err := f.check(); err != nil {
		return err
	}
	h, err := a.identityCenter(args)
	if err != nil {
		return err
	}
	c, err := a.load()
	if err != nil {
		return err
	}
	block := awsconfig.NewBlock("aws-switch-role sso populate " + sessionOf(h))
	old, err := c.InBlock(block)
	if err != nil {
		return &fileError{c.ConfigFile(), err}
	}
	outside, err := c.Without(block)
	if err != nil {
		return &fileError{c.ConfigFile(), err}
	}
	performer, _, err := a.identityCenterPerformer(ctx, &f.switchFlags)
	if err != nil {
		return err
	}
	performer.Visitor = a.visitor(&f.switchFlags)
	progress, listed := a.listing()
	roles, err := performer.AssignedRoles(ctx, h, progress)
	listed()
	if err != nil {
		return err
	}
	wanted := f.profiles(h, roles)
	for name := range outside.Names() {
		if _, ok := wanted[name]; ok {
			delete(wanted, name)
			fmt.Fprintf(a.stderr, "warning: profile %s is there already and not one of these: it stays as it is\n", term.Clean(name))
		}
	}
	change := compareSections(old, wanted, f.prune)
	if err := change.show(a, c.ConfigFile()); err != nil {
		return err
	}
	if bytes.Equal(old, change.text) {
		fmt.Fprintf(a.stderr, "nothing to change: %s of %s\n", counted(len(wanted), "profile"), term.Clean(sessionOf(h)))
		return nil
	}
	if f.dryRun {
		return nil
	}
	if err := a.confirmChange(ctx, &f.switchFlags, change.summary()+" in "+a.tilde(c.ConfigFile())); err != nil {
		return err
	}
	if err := c.PutBlock(block, old, change.text); err != nil {
		return &fileError{c.ConfigFile(), err}
	}
	_, err = fmt.Fprintf(a.stderr, "%s: %s\n", term.Clean(a.tilde(c.ConfigFile())), change.summary())
	return err
}

// fileError says what is wrong with a file as a whole.
type fileError struct {
	path string
	err  error
}

func (e *fileError) Error() string { return e.path + ": " + e.err.Error() }

func (e *fileError) Unwrap() error { return e.err }

// check checks what can be checked without asking AWS.
func (f *populateFlags) check() error {
	rest := placeholders("", "", "", "").Replace(f.template)
	if strings.ContainsAny(rest, "{}") {
		return usagef("--template knows {account_name}, {account_id}, {role_name} and {session}, not %q", f.template)
	}
	if !strings.Contains(f.template, "{role_name}") || !strings.Contains(f.template, "{account_") {
		return usagef("--template must name the role and its account: %s", defaultTemplate)
	}
	for _, p := range f.filters {
		if _, err := path.Match(p, ""); err != nil {
			return usagef("--filter %q is no pattern", p)
		}
	}
	if f.region != "" && strings.ContainsFunc(f.region, func(r rune) bool {
		return r != '-' && (r > unicode.MaxASCII || !unicode.IsLower(r) && !unicode.IsDigit(r))
	}) {
		return usagef("--region must be the name of a region, such as eu-west-1")
	}
	return nil
}

func placeholders(accountName, accountID, role, session string) *strings.Replacer {
	return strings.NewReplacer("{account_name}", accountName, "{account_id}", accountID, "{role_name}", role, "{session}", session)
}

// profiles makes the sections of the profiles for roles, by their names.
func (f *populateFlags) profiles(h plan.SSO, roles []hop.AssignedRole) map[string]string {
	byName := map[string][]hop.AssignedRole{}
	for _, r := range roles {
		// A name that began with a dash would be a flag.
		account := cmp.Or(strings.Trim(profileSafe(r.AccountName), "-"), r.AccountID)
		name := strings.TrimLeft(profileSafe(f.prefix+placeholders(account, r.AccountID, r.Role, h.Session).Replace(f.template)), "-")
		byName[name] = append(byName[name], r)
	}
	sections := map[string]string{}
	for name, same := range byName {
		for _, r := range same {
			one := name
			if len(same) > 1 {
				one += "-" + r.AccountID
			}
			if f.takes(one) {
				sections[one] = f.section(h, one, r)
			}
		}
	}
	return sections
}

// takes reports whether a profile of that name is wanted.
func (f *populateFlags) takes(name string) bool {
	return len(f.filters) == 0 || slices.ContainsFunc(f.filters, func(p string) bool {
		ok, err := path.Match(flat(p), flat(name))
		return ok && err == nil
	})
}

// flat lets a * go over slashes, which are nothing special in a name.
func flat(s string) string { return strings.ReplaceAll(s, "/", "\x00") }

// profileSafe makes a name that needs no quotes in a file nor in a shell: runs
// of other characters become a dash.
func profileSafe(name string) string {
	var b strings.Builder
	dash := false
	for _, r := range name {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_.@+/-", r) {
			if dash && b.Len() > 0 {
				b.WriteByte('-')
			}
			dash = false
			b.WriteRune(r)
			continue
		}
		dash = true
	}
	return b.String()
}

// section is the text of a profile's section.
func (f *populateFlags) section(h plan.SSO, name string, r hop.AssignedRole) string {
	var b strings.Builder
	fmt.Fprintf(&b, "[profile %s]\n", name)
	if h.Session != "" {
		fmt.Fprintf(&b, "sso_session = %s\n", h.Session)
	} else {
		fmt.Fprintf(&b, "sso_start_url = %s\nsso_region = %s\n", h.StartURL, h.Region)
	}
	fmt.Fprintf(&b, "sso_account_id = %s\nsso_role_name = %s\n", r.AccountID, r.Role)
	if f.region != "" {
		fmt.Fprintf(&b, "region = %s\n", f.region)
	}
	return b.String()
}

// sectionsOf takes the text of a block apart, into sections by the names of
// their profiles.
func sectionsOf(text []byte) map[string]string {
	sections := map[string]string{}
	name := ""
	for line := range strings.Lines(string(text)) {
		if header, ok := strings.CutPrefix(line, "[profile "); ok {
			name, _, _ = strings.Cut(header, "]")
		}
		if name != "" {
			sections[name] += line
		}
	}
	return sections
}

// sectionChange is what becomes of a block.
type sectionChange struct {
	text                    []byte // of the block afterwards
	diff                    []string
	added, changed, removed int
}

// compareSections makes a block of the sections wanted, and of those that it
// had unless they are to be pruned.
func compareSections(old []byte, wanted map[string]string, prune bool) sectionChange {
	before := sectionsOf(old)
	after := maps.Clone(wanted)
	if !prune {
		for name, text := range before {
			if _, ok := after[name]; !ok {
				after[name] = text
			}
		}
	}
	all := maps.Clone(before)
	maps.Copy(all, after)
	var c sectionChange
	for _, name := range slices.Sorted(maps.Keys(all)) {
		was, is := before[name], after[name]
		c.text = append(c.text, is...)
		if was == is {
			continue
		}
		switch {
		case was == "":
			c.added++
		case is == "":
			c.removed++
		default:
			c.changed++
		}
		c.diff = append(c.diff, diffLines(was, is)...)
	}
	return c
}

// diffLines shows how a section changes: lines that stay in their place, those
// that go, and those that come.
func diffLines(was, is string) []string {
	old, now := strings.Split(strings.TrimSuffix(was, "\n"), "\n"), strings.Split(strings.TrimSuffix(is, "\n"), "\n")
	var lines []string
	add := func(sign string, list []string) {
		for _, l := range list {
			if l != "" || sign == " " {
				lines = append(lines, sign+l)
			}
		}
	}
	same := 0
	for same < min(len(old), len(now)) && old[same] == now[same] {
		same++
	}
	add(" ", old[:same])
	add("-", old[same:])
	add("+", now[same:])
	return lines
}

// show writes the diff to stdout.
func (c sectionChange) show(a *app, file string) error {
	if len(c.diff) == 0 {
		return nil
	}
	w := bufio.NewWriter(a.stdout)
	fmt.Fprintf(w, "--- %[1]s\n+++ %[1]s\n", term.Clean(a.tilde(file)))
	for _, line := range c.diff {
		w.WriteString(term.CleanText(line) + "\n") // Flush tells of the error
	}
	return w.Flush()
}

// summary counts what changes.
func (c sectionChange) summary() string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{c.added, "added"}, {c.changed, "changed"}, {c.removed, "removed"}} {
		if p.n > 0 {
			parts = append(parts, counted(p.n, "profile")+" "+p.what)
		}
	}
	if len(parts) == 0 {
		return "the profiles put in order"
	}
	return strings.Join(parts, ", ")
}

// errNotWritten says that the person did not want it.
var errNotWritten = errors.New("nothing was written")

// confirmChange asks whether a file is to be changed.
func (a *app) confirmChange(ctx context.Context, f *switchFlags, what string) error {
	if f.yes {
		return nil
	}
	need := message.New("a-yes", "a yes to %s", what)
	if f.noInput {
		return &noInputError{what: need, flag: f.name("no-input")}
	}
	t, err := term.Open()
	if err != nil {
		return &noInputError{what: need, cause: err}
	}
	defer t.Close()
	answer, err := t.AskVisible(ctx, term.Clean(what)+"? [y/N] ")
	if err != nil {
		return err
	}
	if answer := strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
		return errNotWritten
	}
	return nil
}

// listing shows a person at the terminal how far the listing is, until done is
// called.
func (a *app) listing() (progress func(done, accounts int), done func()) {
	board := term.NewBoard(os.Stderr, a.getenv("TERM"))
	if board == nil {
		return nil, func() {}
	}
	const often = 100 * time.Millisecond
	var shown time.Time
	progress = func(done, accounts int) {
		a.waits.silence()
		if now := a.now(); now.Sub(shown) >= often {
			shown = now
			board.Show(fmt.Sprintf("listing roles: %d of %s done", done, counted(accounts, "account")))
		}
	}
	return progress, func() { board.Show() }
}
