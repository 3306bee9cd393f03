package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aws-switch-role/internal/awsconfig"
	"aws-switch-role/internal/deliver"
	"aws-switch-role/internal/doctor"
	"aws-switch-role/internal/hop"
	"aws-switch-role/internal/keeper"
	"aws-switch-role/internal/keyring"
	"aws-switch-role/internal/memory"
	"aws-switch-role/internal/message"
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
			facts, keeper, err := a.facts(cmd.Context(), args, f.sourceProfile)
			if err != nil {
				return err
			}
			r := report{findings: doctor.Check(facts), notes: doctor.Notes(facts), keeper: keeper}
			for range facts.Config.Names() {
				r.profiles++
			}
			if online {
				if err := a.walked(cmd.Context(), f, args[0], &r); err != nil {
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

// walked adds to a report what becomes of walking the chain of a profile.
func (a *app) walked(ctx context.Context, f *switchFlags, name string, r *report) error {
	ahead := time.Duration(0)
	f.clockOff = func(d time.Duration) { ahead = d }
	t, err := a.try(ctx, f, name)
	if bad, ok := errors.AsType[*plan.Error](err); ok && slices.ContainsFunc(r.findings, func(f doctor.Finding) bool { return f.Err != nil && f.Err.Error() == bad.Error() }) {
		return nil // there is no chain, and the report says why
	}
	if err != nil {
		return err
	}
	r.chain = t
	if ahead != 0 {
		id := doctor.ClockBehind
		if ahead < 0 {
			id = doctor.ClockAhead
		}
		r.findings = append(r.findings, doctor.Finding{ID: id, Args: []string{inMinutes(ahead)}})
	}
	return nil
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

// diagnosis explains the end of a trial and, where AWS does not say why, the
// causes that it may have, the likeliest first.
func (a *app) diagnosis(t *trial) (x explanation, causes []explanation) {
	x = a.explanation(t.err)
	e, ok := errors.AsType[*hop.APIError](t.err)
	if !ok || t.at >= len(t.plan.Hops) {
		return x, nil
	}
	if causes = a.causes(e, t.plan, t.at); len(causes) > 0 {
		// The explanation of a switch lists them in short, and sends people here.
		told := a.phrase(refusal(e, t.plan, t.at)+"-here", typed(t.plan))
		x.Why, x.Next = told.Why, told.Next
		if w, ok := errors.AsType[*withoutMFAError](t.err); ok {
			x.Next = a.withDevice(w, x.Next)
		}
	}
	return x, causes
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

// facts gathers what the doctor is to know of the profile in args, if there is
// one, or of the source of a role that no profile names; kept says in a word what keeps
// secrets here.
func (a *app) facts(ctx context.Context, args []string, source string) (f doctor.Facts, kept string, err error) {
	c, err := a.load()
	if err != nil {
		return f, "", err
	}
	c.Index()
	f.Config = c
	f.Options = a.surround(plan.Options{})
	if _, err := plan.ParseRoleARN(strings.Join(args, "")); err == nil {
		f.Only = source
	} else if len(args) > 0 {
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
	f.Now = a.now()
	f.Exists = func(path string) bool { _, err := os.Stat(a.inHome(path)); return err == nil }
	for limit, here := range map[doctor.ID]bool{doctor.NoSecretless: !keeper.Possible, doctor.OpenMemory: !memory.Hidden, doctor.OpenEndpoint: !deliver.PeersChecked} {
		if here {
			f.Limits = append(f.Limits, limit)
		}
	}
	slices.Sort(f.Limits)
	f.Keyring, kept, err = a.examineKeyring(ctx)
	return f, kept, err
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

// examineFiles looks at the modes of the AWS files, and of those with sessions
// and sign-ins.
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
		sections := c.ConfigSections
		if path == c.CredentialsFile() {
			sections = c.CredentialsSections
		}
		secrets := false
		for s := range sections() {
			secrets = secrets || slices.ContainsFunc(s.Lines, func(l awsconfig.Line) bool {
				return string(l.Key) == "aws_secret_access_key" || string(l.Key) == "aws_session_token"
			})
		}
		files = append(files, doctor.File{Path: path, Mode: info.Mode(), Secrets: secrets})
	}
	// The AWS CLI writes these for its user alone; a copy may be less careful.
	for _, tokens := range []string{a.tokenCache("", "sso"), a.tokenCache("AWS_LOGIN_CACHE_DIRECTORY", "login")} {
		paths, err := filepath.Glob(filepath.Join(tokens, "*.json"))
		if err != nil || tokens == "" {
			continue
		}
		for _, path := range paths {
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
				files = append(files, doctor.File{Path: path, Mode: info.Mode(), Secrets: true})
			}
		}
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
	return slices.Concat(starshipHides(starship), elementsHide(filepath.Join(h, ".p10k.zsh")), settingsHide(h))
}

// starshipHides looks into the configuration of starship, which shows the
// profile unless its module is disabled or left out of the format.
func starshipHides(path string) (all []doctor.Prompt) {
	section := ""
	eachLine(path, func(n int, line string) {
		if strings.HasPrefix(line, "[") {
			section = line
		}
		name, value, _ := strings.Cut(line, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		at := doctor.Prompt{Theme: "starship", Origin: awsconfig.Origin{File: path, Line: n}}
		switch {
		case section == "[aws]" && name == "disabled" && value == "true":
			at.Setting, at.Instead = "[aws] disabled = true", "disabled = false"
			all = append(all, at)
		case section == "" && name == "format" && !strings.HasPrefix(value, `"""`) && !strings.HasPrefix(value, "'''") &&
			!strings.Contains(value, "$aws") && !strings.Contains(value, "$all"):
			at.Setting, at.Instead = "format has no $aws", `format = "$aws`+strings.TrimLeft(value, `"'`)
			all = append(all, at)
		}
	})
	return all
}

// elementsHide looks into the configuration of powerlevel10k, which shows what
// is in its two lists of elements.
func elementsHide(path string) (all []doctor.Prompt) {
	right, shown, within := 0, false, false
	eachLine(path, func(n int, line string) {
		switch {
		case strings.Contains(line, "_PROMPT_ELEMENTS=("):
			within = true
			if strings.Contains(line, "RIGHT") {
				right = n
			}
		case within && strings.HasPrefix(line, ")"):
			within = false
		case within && slices.Contains(strings.Fields(strings.SplitN(line, "#", 2)[0]), "aws"):
			shown = true
		}
	})
	if right > 0 && !shown {
		all = append(all, doctor.Prompt{
			Theme: "powerlevel10k", Setting: "its elements have no aws", Instead: "POWERLEVEL9K_RIGHT_PROMPT_ELEMENTS+=(aws)",
			Origin: awsconfig.Origin{File: path, Line: right},
		})
	}
	return all
}

// settingsHide looks for settings of the zsh themes that hide the profile.
func settingsHide(home string) (all []doctor.Prompt) {
	for _, theme := range []struct{ name, file, setting, instead string }{
		{"powerlevel10k", ".p10k.zsh", "POWERLEVEL9K_AWS_SHOW_ON_COMMAND=", "unset POWERLEVEL9K_AWS_SHOW_ON_COMMAND"},
		{"oh-my-zsh", ".zshrc", "SHOW_AWS_PROMPT=false", "SHOW_AWS_PROMPT=true"},
		{"spaceship", ".zshrc", "SPACESHIP_AWS_SHOW=false", "SPACESHIP_AWS_SHOW=true"},
		{"spaceship", ".spaceshiprc.zsh", "SPACESHIP_AWS_SHOW=false", "SPACESHIP_AWS_SHOW=true"},
	} {
		path := filepath.Join(home, theme.file)
		eachLine(path, func(n int, line string) {
			if strings.Contains(line, theme.setting) && !strings.HasPrefix(line, "#") {
				all = append(all, doctor.Prompt{
					Theme: theme.name, Setting: strings.TrimSuffix(theme.setting, "="), Instead: theme.instead,
					Origin: awsconfig.Origin{File: path, Line: n},
				})
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
		return words.Explanation{What: x.What, Why: cmp.Or(x.Why, a.phrase(string(f.ID)).Why), Next: x.Next}
	}
	var args []string
	for _, arg := range f.Args {
		args = append(args, term.Clean(a.tilde(arg)))
	}
	switch f.ID {
	case doctor.PlainKey, doctor.KeyInBoth, doctor.NoDevice:
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
func (a *app) noted(n doctor.Note) explanation {
	var about []string
	for _, arg := range n.Args {
		about = append(about, a.tilde(arg))
	}
	return a.phrase(string(n.ID), about...)
}

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
			b.WriteString(" " + a.sentence(message.New("report-others", "(and %s more)", profiles(f.Others))))
		}
		b.WriteString("\n")
		explain(x)
		if f.Fix != nil {
			fixable++
		}
	}
	for _, n := range r.notes {
		fmt.Fprintf(&b, "%s %s\n", y.Dim(a.sentence(message.New("report-note", "note:"))), a.noted(n).What)
		explain(words.Explanation{Next: a.noted(n).Next})
	}
	b.WriteString(a.sentence(message.New("report-summary", "%s in %s", findingsText(len(r.findings)), profiles(r.profiles))))
	if r.keeper != "" {
		b.WriteString(a.sentence(message.New("report-keeper", ", secrets kept by: %s", r.keeper)))
	}
	if fixable > 0 {
		b.WriteString(a.sentence(message.New("report-fixable", "; %d can be mended: aws-switch-role doctor --fix", fixable)))
	}
	b.WriteString("\n")
	if t := r.chain; t != nil {
		fmt.Fprintf(&b, "\n%s\n", y.Bold(term.Clean(t.plan.Profile)))
		for i, h := range t.plan.Hops {
			mark := map[string]func(string) string{"ok": y.Green, "failed": y.Red, "not reached": y.Dim}[t.state(i)]
			fmt.Fprintf(&b, "  %d. %s: %s\n", i+1, a.sentence(plan.Description(h)), mark(a.sentence(stateText(t.state(i)))))
		}
		if t.err != nil {
			x, causes := a.diagnosis(t)
			b.WriteString(x.What + "\n")
			for i, c := range causes {
				fmt.Fprintf(&b, "  %s. %s\n     %s\n", string(rune('a'+i)), c.What, c.Why)
			}
			explain(words.Explanation{Why: x.Why, Next: x.Next})
		} else {
			b.WriteString(a.sentence(message.New("report-identity", "you are %s", t.arn)) + "\n")
		}
	}
	_, err := a.stdout.Write(b.Bytes())
	return err
}

// stateText is the state of a hop for people.
func stateText(state string) message.Text {
	switch state {
	case "ok":
		return message.New("state-ok", "ok")
	case "failed":
		return message.New("state-failed", "failed")
	}
	return message.New("state-not-reached", "not reached")
}

func findingsText(n int) message.Text {
	switch n {
	case 0:
		return message.New("no-finding", "nothing found")
	case 1:
		return message.New("one-finding", "1 finding")
	}
	return message.New("some-findings", "%d findings", n)
}

func profiles(n int) message.Text {
	if n == 1 {
		return message.New("one-profile", "1 profile")
	}
	return message.New("some-profiles", "%d profiles", n)
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
			x, causes := a.diagnosis(t)
			out.Chain.What, out.Chain.Why, out.Chain.Mend = x.What, x.Why, x.Next
			for _, c := range causes {
				out.Chain.Causes = append(out.Chain.Causes, causeJSON{c.What, c.Why})
			}
		}
	}
	enc := json.NewEncoder(a.stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}
