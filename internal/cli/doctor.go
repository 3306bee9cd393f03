package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aws-switch-role/internal/awsconfig"
	"aws-switch-role/internal/doctor"
	"aws-switch-role/internal/hop"
	"aws-switch-role/internal/keyring"
	"aws-switch-role/internal/plan"
	"aws-switch-role/internal/session"
	"aws-switch-role/internal/term"
	"aws-switch-role/internal/words"
)

func (a *app) doctorCommand() *cobra.Command {
	f := &switchFlags{}
	var asJSON, fix, online bool
	cmd := &cobra.Command{
		Use:   "doctor [flags] [PROFILE]",
		Short: "Find what is wrong with the AWS files, and say how to mend it",
		Long: `Examine the AWS files, the environment and this machine: chains that lead
nowhere, lines that the AWS tools read differently, keys in plain text, files
that others may read, variables that contradict each other. Nothing is sent.
With a PROFILE it looks at that one and at those it starts from. The exit
status is 1 when something was found.

With --online it then walks the profile's chain as a switch would, shows at
which hop it breaks, and says why, as far as AWS tells.`,
		Example: `  aws-switch-role doctor
  aws-switch-role doctor sub-account --online
  aws-switch-role doctor --fix`,
		ValidArgsFunction: a.completeProfiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			args, err := onlyProfile(cmd, args)
			if err != nil {
				return err
			}
			if online && len(args) == 0 {
				return usagef("--online needs a profile to try: aws-switch-role doctor --online PROFILE")
			}
			if err := f.complete(a, cmd.Flags()); err != nil {
				return err
			}
			facts, keeper, err := a.facts(cmd.Context(), args)
			if err != nil {
				return err
			}
			r := report{findings: doctor.Check(facts), notes: doctor.Notes(facts), keeper: keeper}
			for range facts.Config.Names() {
				r.profiles++
			}
			if online {
				if r.chain, err = a.try(cmd.Context(), f, args[0]); err != nil {
					return err
				}
			}
			if len(r.findings) > 0 || r.chain != nil && r.chain.err != nil {
				a.exit = exitFailure
			}
			switch {
			case asJSON:
				return a.printReportJSON(r)
			case fix:
				return a.mend(cmd.Context(), r.findings, f.yes)
			}
			return a.printReport(r)
		},
	}
	f.register(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&fix, "fix", false, "mend what can be mended without harm, after showing what changes; --yes does not ask")
	cmd.Flags().BoolVar(&online, "online", false, "walk the profile's chain, and say where and why it breaks")
	cmd.MarkFlagsMutuallyExclusive("json", "fix")
	cmd.MarkFlagsMutuallyExclusive("online", "fix")
	return cmd
}

// report is what the doctor says.
type report struct {
	findings []doctor.Finding
	notes    []doctor.Note
	profiles int    // in the files
	keeper   string // of secrets
	chain    *trial // nil when none was tried
}

// trial is a chain that was walked: to its end, where AWS knows one as arn, or
// to where err stopped it.
type trial struct {
	plan plan.Plan
	arn  string
	err  error
	at   int // the hop that err is of, one behind the last for the question who one is
}

// try walks the chain of a profile. An error is of the plan, or of the person.
func (a *app) try(ctx context.Context, f *switchFlags, name string) (*trial, error) {
	p, err := a.plan(f, name)
	if err != nil {
		return nil, err
	}
	c, err := a.credentials(ctx, f, p)
	if e, ok := errors.AsType[*session.HopError](err); ok {
		return &trial{plan: p, err: err, at: e.Index}, nil
	}
	if err != nil {
		return nil, err
	}
	at, err := plan.EndpointFor(p.Region, a.planEnvironment())
	if err != nil {
		return nil, err
	}
	performer := a.performer(f)
	performer.CABundle = a.inHome(p.CABundle)
	id, err := performer.Identity(ctx, at, c)
	return &trial{plan: p, arn: id.ARN, err: err, at: len(p.Hops)}, nil
}

// suspects are the causes that the end of a trial may have, the likeliest first,
// where AWS does not say which.
func (a *app) suspects(t *trial) []explanation {
	e, ok := errors.AsType[*hop.APIError](t.err)
	if !ok || t.at >= len(t.plan.Hops) {
		return nil
	}
	return a.causes(e, t.plan, t.at)
}

// state is what became of hop i of a trial.
func (t *trial) state(i int) string {
	switch {
	case t.err == nil || i < t.at:
		return "ok"
	case i == t.at:
		return "failed"
	}
	return "not reached"
}

// facts gathers what the doctor is to know; keeper says in a word what keeps
// secrets here.
func (a *app) facts(ctx context.Context, args []string) (f doctor.Facts, keeper string, err error) {
	c, err := a.load()
	if err != nil {
		return f, "", err
	}
	c.Index()
	f.Config = c
	f.Options = a.surround(plan.Options{})
	if len(args) > 0 {
		if _, ok, err := c.Profile(args[0]); err == nil && !ok {
			_, err := plan.For(c, args[0], f.Options) // which says what was meant
			return f, "", err
		}
		f.Only = args[0]
	}
	stored, err := a.stored()
	if err != nil {
		return f, "", err
	}
	f.Stored = map[string]string{}
	for name, e := range stored {
		f.Stored[name] = e.ID
	}
	f.Files = a.examineFiles(c)
	f.Caches = a.examineCaches()
	f.Lookup = a.lookupenv
	f.Prompts = a.examinePrompts()
	f.Keyring, keeper, err = a.examineKeyring(ctx)
	return f, keeper, err
}

// lookupenv returns the value of a variable, and whether it is set.
func (a *app) lookupenv(name string) (string, bool) {
	for _, e := range a.environ {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			return v, true
		}
	}
	return "", false
}

// examineFiles looks at the modes of the AWS files.
func (a *app) examineFiles(c *awsconfig.Config) []doctor.File {
	if os.Getuid() < 0 {
		return nil // on Windows, where modes say nothing
	}
	var files []doctor.File
	for _, path := range []string{c.ConfigFile(), c.CredentialsFile()} {
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		secrets := path == c.CredentialsFile()
		for name := range c.Names() {
			if secrets {
				break
			}
			if p, ok, err := c.Profile(name); ok && err == nil {
				secrets = p.Keys["aws_secret_access_key"].File == path
			}
		}
		files = append(files, doctor.File{Path: path, Mode: info.Mode(), Secrets: secrets})
	}
	return files
}

// maxCached bounds what is read of a file of another tool's cache.
const maxCached = 64 << 10

// examineCaches looks for what other tools leave in plain text.
func (a *app) examineCaches() []doctor.Cache {
	h := a.home()
	if h == "" {
		return nil
	}
	caches := []doctor.Cache{
		{Tool: "aws", Dir: filepath.Join(h, ".aws", "cli", "cache"), Spare: true},
		{Tool: "boto", Dir: filepath.Join(h, ".aws", "boto", "cache"), Spare: true},
		{Tool: "aws login", Dir: a.tokenCache("AWS_LOGIN_CACHE_DIRECTORY", "login"), SignIn: true},
	}
	for i := range caches {
		a.examineCache(&caches[i])
	}
	return caches
}

// examineCache counts the files of a cache that hold a secret, and those that
// are still good.
func (a *app) examineCache(c *doctor.Cache) {
	paths, err := filepath.Glob(filepath.Join(c.Dir, "*.json"))
	if err != nil {
		return
	}
	for _, path := range paths {
		var file struct {
			Credentials, AccessToken struct {
				SecretAccessKey string
				Expiration      string
				ExpiresAt       string
			}
		}
		text, err := os.ReadFile(path)
		if err != nil || len(text) > maxCached || json.Unmarshal(text, &file) != nil {
			continue
		}
		held := file.Credentials
		if c.SignIn {
			held = file.AccessToken
			held.Expiration = held.ExpiresAt
		}
		if held.SecretAccessKey == "" {
			continue
		}
		c.Files = append(c.Files, path)
		if ends, err := time.Parse(time.RFC3339, held.Expiration); err == nil && ends.After(a.now()) {
			c.Live++
		}
	}
}

// examinePrompts looks for settings of prompt themes that hide the profile, in
// the files that the themes' own documentation names.
func (a *app) examinePrompts() []doctor.Prompt {
	h := a.home()
	if h == "" {
		return nil
	}
	starship := a.getenv("STARSHIP_CONFIG")
	if starship == "" {
		starship = filepath.Join(h, ".config", "starship.toml")
	}
	var all []doctor.Prompt
	section := ""
	eachLine(starship, func(n int, line string) {
		if strings.HasPrefix(line, "[") {
			section = line
		}
		if name, value, _ := strings.Cut(line, "="); section == "[aws]" && strings.TrimSpace(name) == "disabled" && strings.TrimSpace(value) == "true" {
			all = append(all, doctor.Prompt{Theme: "starship", Setting: "[aws] disabled = true", Origin: awsconfig.Origin{File: starship, Line: n}})
		}
	})
	for _, theme := range []struct{ name, file, setting string }{
		{"powerlevel10k", ".p10k.zsh", "POWERLEVEL9K_AWS_SHOW_ON_COMMAND="},
		{"oh-my-zsh", ".zshrc", "SHOW_AWS_PROMPT=false"},
	} {
		path := filepath.Join(h, theme.file)
		eachLine(path, func(n int, line string) {
			if i := strings.Index(line, theme.setting); i >= 0 && !strings.HasPrefix(line, "#") {
				all = append(all, doctor.Prompt{Theme: theme.name, Setting: strings.TrimSuffix(theme.setting, "="), Origin: awsconfig.Origin{File: path, Line: n}})
			}
		})
	}
	return all
}

// eachLine calls f with the number and the text of each line of a file that
// can be read.
func eachLine(path string, f func(n int, line string)) {
	file, err := os.Open(path)
	if err != nil {
		return
	}
	defer file.Close()
	n := 0
	for lines := bufio.NewScanner(file); lines.Scan(); {
		n++
		f(n, strings.TrimSpace(lines.Text()))
	}
}

// examineKeyring opens the keyring that sessions are sealed under, without
// asking anybody.
func (a *app) examineKeyring(ctx context.Context) (doctor.Keyring, string, error) {
	choice, err := a.keyringChoice()
	if err != nil {
		return doctor.Keyring{}, "", err
	}
	if choice == keyring.None {
		return doctor.Keyring{Chosen: string(choice)}, string(choice), nil
	}
	k, err := a.openKeyring(ctx, &switchFlags{noInput: true}, keyring.SessionKeys)
	if err != nil {
		return doctor.Keyring{Asked: string(choice), Why: err.Error()}, "", nil
	}
	defer k.Close()
	facts := doctor.Keyring{Chosen: string(k.Choice)}
	for _, skipped := range k.Skipped {
		facts.PassedOver = append(facts.PassedOver, skipped.Error())
	}
	return facts, string(k.Choice), nil
}

// told is a finding in words.
func (a *app) told(f doctor.Finding) words.Explanation {
	if f.Err != nil {
		x := a.explanation(f.Err)
		// The place is told before it.
		x.What = strings.TrimPrefix(x.What, a.tilde(f.Origin.String())+": ")
		return words.Explanation{What: x.What, Why: x.Why, Next: x.Next}
	}
	var args []string
	for _, arg := range f.Args {
		args = append(args, term.Clean(a.tilde(arg)))
	}
	switch f.ID {
	case doctor.PlainKey, doctor.NoDevice:
		args = append(args, term.Clean(f.Profile))
	case doctor.ReadableByOthers, doctor.WritableByOthers:
		args = append(args, term.Clean(a.tilde(f.Origin.File)))
	}
	x, ok := words.Explain(words.LanguageOf(a.getenv), string(f.ID), args...)
	if !ok {
		x.What = string(f.ID)
	}
	return x
}

// noted is a note in words.
func (a *app) noted(n doctor.Note) explanation { return a.phrase(string(n.ID), n.Args...) }

// place is where a finding is, "" when it is in no file.
func (a *app) place(f doctor.Finding) string {
	if f.Origin.File == "" {
		return ""
	}
	return term.Clean(a.tilde(f.Origin.String()))
}

func (a *app) printReport(r report) error {
	y := term.NewStyler(term.IsTerminal(os.Stdout), a.getenv("NO_COLOR"), a.getenv("TERM"))
	var b bytes.Buffer
	explain := func(x words.Explanation) {
		if x.Why != "" {
			fmt.Fprintf(&b, "  %s\n", x.Why)
		}
		if x.Next != "" {
			fmt.Fprintf(&b, "  %s %s\n", y.Green("->"), x.Next)
		}
	}
	fixable := 0
	for _, f := range r.findings {
		x := a.told(f)
		if at := a.place(f); at != "" {
			b.WriteString(y.Bold(at) + ": ")
		}
		b.WriteString(x.What)
		if f.Others > 0 {
			fmt.Fprintf(&b, " (and %s more)", count(f.Others, "profile"))
		}
		b.WriteString("\n")
		explain(x)
		if f.Fix != nil {
			fixable++
		}
	}
	for _, n := range r.notes {
		fmt.Fprintf(&b, "%s %s\n", y.Dim("note:"), a.noted(n).What)
	}
	found := "nothing found"
	if n := len(r.findings); n > 0 {
		found = count(n, "finding")
	}
	fmt.Fprintf(&b, "%s in %s", found, count(r.profiles, "profile"))
	if r.keeper != "" {
		b.WriteString(", secrets kept by: " + r.keeper)
	}
	if fixable > 0 {
		fmt.Fprintf(&b, "; %d can be mended: aws-switch-role doctor --fix", fixable)
	}
	b.WriteString("\n")
	if t := r.chain; t != nil {
		fmt.Fprintf(&b, "\n%s\n", y.Bold(term.Clean(t.plan.Profile)))
		for i, h := range t.plan.Hops {
			mark := map[string]func(string) string{"ok": y.Green, "failed": y.Red, "not reached": y.Dim}[t.state(i)]
			fmt.Fprintf(&b, "  %d. %s: %s\n", i+1, clean(plan.Describe(h)), mark(t.state(i)))
		}
		if t.err != nil {
			x := a.explanation(t.err)
			causes := a.suspects(t)
			if len(causes) > 0 {
				x.Why = "" // which is a shorter list of them
			}
			b.WriteString(x.What + "\n")
			for i, c := range causes {
				fmt.Fprintf(&b, "  %s. %s\n     %s\n", string(rune('a'+i)), c.What, c.Why)
			}
			explain(words.Explanation{Why: x.Why, Next: x.Next})
		} else {
			fmt.Fprintf(&b, "you are %s\n", term.Clean(t.arn))
		}
	}
	_, err := a.stdout.Write(b.Bytes())
	return err
}

func count(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return strconv.Itoa(n) + " " + of + "s"
}

// foundJSON is a finding in JSON.
type foundJSON struct {
	ID      string `json:"id"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Profile string `json:"profile,omitempty"`
	Others  int    `json:"others,omitempty"`
	What    string `json:"what"`
	Why     string `json:"why,omitempty"`
	Mend    string `json:"mend,omitempty"`
	Fixable bool   `json:"fixable"`
}

// reportJSON is what the doctor says, in JSON.
type reportJSON struct {
	Findings []foundJSON `json:"findings"`
	Notes    []noteJSON  `json:"notes"`
	Profiles int         `json:"profiles"`
	Keyring  string      `json:"keyring,omitempty"`
	Chain    *trialJSON  `json:"chain,omitempty"`
}

// noteJSON is a note in JSON.
type noteJSON struct {
	ID   string `json:"id"`
	What string `json:"what"`
}

// trialJSON is a chain that was walked, in JSON.
type trialJSON struct {
	Profile string      `json:"profile"`
	Hops    []triedJSON `json:"hops"`
	ARN     string      `json:"arn,omitempty"`
	What    string      `json:"what,omitempty"`
	Why     string      `json:"why,omitempty"`
	Mend    string      `json:"mend,omitempty"`
	Causes  []causeJSON `json:"causes,omitempty"`
}

// causeJSON is a cause that a denial may have, and how to tell.
type causeJSON struct {
	What string `json:"what"`
	Tell string `json:"tell"`
}

type triedJSON struct {
	Kind  string `json:"kind"`
	What  string `json:"what"`
	State string `json:"state"`
}

func (a *app) printReportJSON(r report) error {
	out := reportJSON{Findings: []foundJSON{}, Notes: []noteJSON{}, Profiles: r.profiles, Keyring: r.keeper}
	for _, f := range r.findings {
		x := a.told(f)
		out.Findings = append(out.Findings, foundJSON{string(f.ID), f.Origin.File, f.Origin.Line, f.Profile, f.Others, x.What, x.Why, x.Next, f.Fix != nil})
	}
	for _, n := range r.notes {
		out.Notes = append(out.Notes, noteJSON{string(n.ID), a.noted(n).What})
	}
	if t := r.chain; t != nil {
		out.Chain = &trialJSON{Profile: t.plan.Profile, ARN: t.arn}
		for i, h := range t.plan.Hops {
			out.Chain.Hops = append(out.Chain.Hops, triedJSON{kindOf(h), plan.Describe(h), t.state(i)})
		}
		if t.err != nil {
			x := a.explanation(t.err)
			out.Chain.What, out.Chain.Why, out.Chain.Mend = x.What, x.Why, x.Next
			for _, c := range a.suspects(t) {
				out.Chain.Causes = append(out.Chain.Causes, causeJSON{c.What, c.Why})
			}
		}
	}
	enc := json.NewEncoder(a.stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

// mend shows what the fixes of findings change, asks, and makes the changes.
func (a *app) mend(ctx context.Context, findings []doctor.Finding, yes bool) error {
	var fixes []doctor.Finding
	for _, f := range findings {
		if f.Fix != nil {
			fixes = append(fixes, f)
		}
	}
	if len(fixes) == 0 {
		_, err := fmt.Fprintf(a.stdout, "%s, none of which can be mended without you: aws-switch-role doctor\n", count(len(findings), "finding"))
		return err
	}
	for _, f := range fixes {
		if _, err := fmt.Fprintln(term.Writer{To: a.stdout}, a.change(f)); err != nil {
			return err
		}
	}
	if !yes {
		if ok, err := a.agreed(ctx, "Make these changes? [y/N] "); err != nil || !ok {
			return err
		}
	}
	var failed error
	for _, f := range fixes {
		if err := apply(f); err != nil {
			failed = errors.Join(failed, err)
		}
	}
	if failed != nil {
		return failed
	}
	left := len(findings) - len(fixes)
	if left == 0 {
		a.exit = 0
	}
	_, err := fmt.Fprintf(a.stdout, "%s made, %s left: aws-switch-role doctor\n", count(len(fixes), "change"), count(left, "finding"))
	return err
}

// change shows what a fix changes, in the manner of a diff.
func (a *app) change(f doctor.Finding) string {
	at := a.place(f)
	switch x := f.Fix; {
	case x.Rename != nil:
		return fmt.Sprintf("%s\n- %s\n+ %s", at, x.Rename.Old, x.Rename.New)
	case x.Mode != 0:
		return fmt.Sprintf("chmod %o %s", x.Mode, at)
	default:
		return fmt.Sprintf("rm %s in %s", count(len(x.Remove), "file"), at)
	}
}

// apply makes the change of a fix.
func apply(f doctor.Finding) error {
	switch x := f.Fix; {
	case x.Rename != nil:
		return awsconfig.RenameKey(f.Origin, x.Rename.Old, x.Rename.New)
	case x.Mode != 0:
		return os.Chmod(f.Origin.File, x.Mode)
	default:
		var failed error
		for _, path := range x.Remove {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				failed = errors.Join(failed, err)
			}
		}
		return failed
	}
}

// agreed asks a person a question of yes or no.
func (a *app) agreed(ctx context.Context, question string) (bool, error) {
	t, err := term.Open()
	if err != nil {
		return false, usagef("without a terminal to ask on, pass --yes")
	}
	defer t.Close()
	answer, err := t.AskVisible(ctx, question)
	return strings.EqualFold(answer, "y") || strings.EqualFold(answer, "yes"), err
}
