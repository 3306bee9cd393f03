package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"aws-switch-role/internal/awsconfig"
	"aws-switch-role/internal/deliver"
	"aws-switch-role/internal/fanout"
	"aws-switch-role/internal/plan"
	"aws-switch-role/internal/term"
)

// eachFlags are the flags of each beside those of a switch.
type eachFlags struct {
	accounts, roles  []string
	jobs             int
	timeout          time.Duration
	out              string
	dryRun, failFast bool
	asJSON, merge    bool
	resume           bool
}

func (a *app) eachCommand() *cobra.Command {
	f, e := &switchFlags{}, &eachFlags{}
	cmd := &cobra.Command{
		Use:   "each [flags] [PATTERN...] -- COMMAND [ARG...]",
		Short: "Run one command as many profiles at once",
		Long: `Run one command as each of many profiles, some at a time. A PATTERN is a
profile's name, in which * stands for any text, ? for any character and [ab] for
one of those; or a role's ARN. --account and --role narrow the choice, or make
it where no PATTERN is given. With several regions, the command is run in each.

Each line that the commands print comes behind the name of its profile, or use
--json, --merge or --out. They read nothing from stdin. Of however many profiles
behind one MFA device, its code is asked for once; sessions are those of all
other switches. The role sessions last for an hour where a longer one would take
a code each. When AWS refuses one run for being asked too often, all slow down.

Ctrl-C asks every command to end and, typed again, kills them. The exit status
is 1 when any run failed or was not reached; the same command line with --resume
then runs those alone. A run that cannot start has the exit status 125, and one
that is not over in time 124.`,
		Example: `  # who is in each account of an organisation
  aws-switch-role each 'prod-*' --merge -- aws iam list-users --query 'Users[].UserName' --output json

  # an inventory: instances in three regions of each account, a file each
  aws-switch-role each --role ReadOnly --region us-east-1,eu-west-1,ap-northeast-1 \
    --out inventory -- aws ec2 describe-instances --output json

  # terraform plan for each account, in a directory of its own
  aws-switch-role each 'prod-*' --jobs 4 --timeout 20m -- \
    sh -c 'cd accounts/$AWS_SWITCH_ROLE_PROFILE && terraform plan -input=false -no-color'`,
		ValidArgsFunction: func(cmd *cobra.Command, _ []string, toComplete string) ([]string, cobra.ShellCompDirective) {
			return a.completeProfiles(cmd, nil, toComplete)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.each(cmd, f, e, args) },
	}
	f.register(cmd)
	f.registerSecretless(cmd)
	fs := cmd.Flags()
	fs.Lookup("secretless").Usage = "keep the credentials out of the commands' environments: they ask for them, and nobody else can"
	fs.Lookup("region").Usage = "`region` for the commands and for STS; of several, as in us-east-1,eu-west-1, the commands are run in each"
	fs.StringSliceVar(&e.accounts, "account", nil, "only roles in this `account`; may be repeated")
	fs.StringSliceVar(&e.roles, "role", nil, "only roles of this `name`, which may be a pattern; may be repeated")
	fs.IntVar(&e.jobs, "jobs", 8, "run `N` commands at a time")
	fs.BoolVar(&e.dryRun, "dry-run", false, "only list what would be run")
	fs.BoolVar(&e.failFast, "fail-fast", false, "begin no more runs when one has failed")
	fs.DurationVar(&e.timeout, "timeout", 0, "end a command that takes longer than this `length`, as in 90s or 20m")
	fs.BoolVar(&e.asJSON, "json", false, "print a line of JSON for each run as it ends")
	fs.BoolVar(&e.merge, "merge", false, "merge the JSON that the commands print into one array")
	fs.StringVar(&e.out, "out", "", "write what each command prints into files of this `directory`")
	fs.BoolVar(&e.resume, "resume", false, "run only what the last such command left undone or failed")
	return cmd
}

// check finds what makes no sense.
func (e *eachFlags) check(patterns, command, regions []string) error {
	switch {
	case len(patterns) == 0 && len(e.accounts) == 0 && len(e.roles) == 0:
		return usagef("no profiles: aws-switch-role each PATTERN... -- COMMAND; '*' stands for all")
	case len(command) == 0 && !e.dryRun:
		return usagef("no command: aws-switch-role each PATTERN... -- COMMAND")
	case e.jobs < 1:
		return usagef("--jobs is 1 or more, not %d", e.jobs)
	case slices.Contains(regions, "") && len(regions) > 1:
		return usagef("--region is a list such as us-east-1,eu-west-1")
	case e.timeout < 0:
		return usagef("--timeout is a length of time, not %s", e.timeout)
	case e.merge && (e.asJSON || e.out != ""):
		return usagef("--merge prints one JSON, and goes with neither --json nor --out")
	}
	for _, p := range slices.Concat(patterns, e.roles) {
		if _, err := path.Match(p, ""); err != nil {
			return usagef("%s is no pattern: %v", p, err)
		}
	}
	return nil
}

// eachRun is one run of the command: as a profile and, where there are several,
// in a region.
type eachRun struct {
	profile string
	label   string // the profile, and the region where there are several
	plan    plan.Plan
	kept    bool  // its credentials stay out of the command's environment
	err     error // of the plan
}

// account is that of the role, "" where no file tells it.
func accounted(p plan.Plan) string {
	number, _, _ := strings.Cut(p.Who(), " ")
	return number
}

// each runs a command as many profiles.
func (a *app) each(cmd *cobra.Command, f *switchFlags, e *eachFlags, args []string) error {
	patterns, command, _ := split(cmd, args)
	if err := f.complete(a, cmd.Flags()); err != nil {
		return err
	}
	regions, _ := f.regions()
	if err := e.check(patterns, command, regions); err != nil {
		return err
	}
	runs, err := a.runs(cmd, f, e, patterns)
	if err != nil {
		return err
	}
	program := ""
	if !e.dryRun {
		if program, err = deliver.Find(command[0], a.environ); err != nil {
			return err
		}
	}
	journal, err := a.openJournal(e, command)
	if err != nil {
		return err
	}
	defer journal.close()
	all := len(runs)
	runs = slices.DeleteFunc(runs, func(r *eachRun) bool { return journal.did(r) })
	if e.dryRun {
		return a.printRuns(e, runs)
	}
	confirmed := map[string]bool{}
	for _, r := range runs {
		if r.err != nil || confirmed[r.profile] {
			continue
		}
		confirmed[r.profile] = true // whatever the number of regions
		if err := a.confirm(cmd.Context(), f, r.plan); err != nil {
			return err
		}
	}
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	ctx, kill, stop := untilTwice(cmd.Context())
	defer stop()
	out, err := a.newEachOutput(e, runs, all-len(runs))
	if err != nil {
		return err
	}
	defer out.close()
	sessions, err := a.eachSessions(ctx, f, runs, out)
	if err != nil {
		return err
	}
	if err := sessions.ask(ctx, f, runs); err != nil {
		return err
	}
	defer sessions.dir.Hold()()
	shells, err := a.eachShells(f, sessions, runs)
	if err != nil {
		return err
	}
	defer shells.close()
	out.begin()
	begun := fanout.Run(ctx, len(runs), e.jobs, func(i int) bool {
		r := runs[i]
		ended := eachEnd{exit: exitBeforeCommand}
		child := deliver.Child{Path: program, Argv: command}
		if child.Stdout, child.Stderr, ended.err = out.started(i); ended.err == nil {
			ended = a.runOne(ctx, kill, e, sessions, shells, r, child)
		}
		ended = out.ended(i, ended)
		if ended.succeeded() {
			if err := journal.done(r); err != nil {
				a.log().Debug("the run is not noted as done", "error", err)
			}
		}
		return ended.succeeded() || !e.failFast
	})
	if !out.summary(begun) {
		a.exit = exitFailure
	}
	if err := out.failure(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// runs are the runs of the profiles that were asked for, in the order of the
// patterns and then of the files.
func (a *app) runs(cmd *cobra.Command, f *switchFlags, e *eachFlags, patterns []string) ([]*eachRun, error) {
	c, err := a.load()
	if err != nil {
		return nil, err
	}
	c.Index()
	names, err := matching(c, patterns)
	if err != nil {
		return nil, err
	}
	regions, sessions := f.regions()
	o, err := sessions.options()
	if err != nil {
		return nil, err
	}
	o = a.surround(o)
	o.Brief = len(names) > manyNames
	planned := make([]*eachRun, len(names))
	fanout.Run(context.WithoutCancel(cmd.Context()), len(names), runtime.GOMAXPROCS(0), func(i int) bool {
		r := &eachRun{profile: names[i], label: names[i]}
		r.plan, r.err = forMany(c, names[i], o)
		planned[i] = r
		return true
	})
	var runs []*eachRun
	for _, r := range planned {
		if e, ok := errors.AsType[*plan.Error](r.err); ok && e.Kind == plan.UnknownProfile {
			return nil, r.err // somebody has mistyped it
		}
		if errors.Is(r.err, errCodeForEach) {
			return nil, usagef("%s would take an MFA code for each role: with one code for all, they last for 1h", f.name("duration"))
		}
		if r.err == nil && r.plan.Adhoc {
			if _, named, _ := c.Profile(r.plan.Profile); named {
				return nil, usagef("%s is also the name of a profile in your files: name that", r.plan.Profile)
			}
		}
		if r.kept = r.err == nil && f.keeps(cmd, r.plan); r.kept {
			r.err = keepable(r.plan)
		}
		if !e.chooses(r) {
			continue
		}
		if len(regions) == 1 || r.err != nil {
			runs = append(runs, r)
			continue
		}
		for _, region := range regions {
			if len(runs) < len(regions) { // what is wrong with a region is so for all
				o := o
				o.Region = region
				if _, err := plan.For(c, r.profile, o); err != nil {
					return nil, err
				}
			}
			in := *r
			in.plan.Region, in.label = region, r.profile+"@"+region
			runs = append(runs, &in)
		}
	}
	if len(runs) == 0 {
		if len(patterns) == 0 {
			return nil, usagef("no profile is%s", e.narrowed())
		}
		return nil, usagef("no profile is called %s%s", strings.Join(patterns, " or "), e.narrowed())
	}
	return runs, nil
}

// manyNames is the number of profiles beyond which nobody wants to know, of each
// that does not exist, what others are called like it.
const manyNames = 20

// regions are those of --region, and the flags that the sessions are made by: of
// several, a region is the command's alone, and sessions are good for all.
func (f *switchFlags) regions() (regions []string, sessions *switchFlags) {
	for region := range strings.SplitSeq(f.region, ",") {
		if region = strings.TrimSpace(region); !slices.Contains(regions, region) {
			regions = append(regions, region)
		}
	}
	all := *f
	if all.region = regions[0]; len(regions) > 1 {
		all.region = ""
	}
	return regions, &all
}

// matching are the names that are meant by the patterns; without one, all.
func matching(c *awsconfig.Config, patterns []string) ([]string, error) {
	var names []string
	seen := map[string]bool{}
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	if len(patterns) == 0 {
		patterns = []string{"*"}
	}
	for _, p := range patterns {
		if !strings.ContainsAny(p, `*?[\`) {
			add(p)
			continue
		}
		found := false
		for name := range c.Names() {
			if glob(p, name) {
				found = true
				add(name)
			}
		}
		if !found {
			return nil, usagef("no profile is called %s", p)
		}
	}
	return names, nil
}

// glob matches a name, in which a slash is a character like any other, with a
// pattern that has been checked.
func glob(pattern, name string) bool {
	const noSlash = "\x00" // which no name has in it
	ok, _ := path.Match(strings.ReplaceAll(pattern, "/", noSlash), strings.ReplaceAll(name, "/", noSlash))
	return ok
}

// forMany is the plan of one of many profiles. A role that lasts so long that
// it takes a code of its own would take one of each; for an hour, the device's
// session will do.
func forMany(c *awsconfig.Config, name string, o plan.Options) (plan.Plan, error) {
	p, err := plan.For(c, name, o)
	if err != nil || !takesCode(p) {
		return p, err
	}
	if (o.Longest || o.Duration > plan.MaxChainedDuration) && !o.DurationDefault {
		return p, errCodeForEach
	}
	o.Duration, o.Longest = plan.MaxChainedDuration, false
	return plan.For(c, name, o)
}

// errCodeForEach says that sessions of the length that was asked for cannot be
// bought with one code.
var errCodeForEach = errors.New("it takes an MFA code for each role")

// takesCode reports whether a code goes with a role itself.
func takesCode(p plan.Plan) bool {
	return slices.ContainsFunc(p.Hops, func(h plan.Hop) bool {
		role, ok := h.(plan.AssumeRole)
		return ok && role.MFA.Serial != ""
	})
}

// chooses reports whether a run is one that --account and --role mean.
func (e *eachFlags) chooses(r *eachRun) bool {
	if len(e.accounts) == 0 && len(e.roles) == 0 {
		return true
	}
	number, role, _ := strings.Cut(r.plan.Who(), " ")
	role = strings.TrimPrefix(role, "role/")
	named := func(pattern string) bool {
		return glob(pattern, role) || glob(pattern, role[strings.LastIndexByte(role, '/')+1:])
	}
	return r.err == nil && number != "" &&
		(len(e.accounts) == 0 || slices.Contains(e.accounts, number)) &&
		(len(e.roles) == 0 || slices.ContainsFunc(e.roles, named))
}

// narrowed says how the choice is narrowed.
func (e *eachFlags) narrowed() string {
	s := ""
	if len(e.accounts) > 0 {
		s += " in account " + strings.Join(e.accounts, " or ")
	}
	if len(e.roles) > 0 {
		s += " with role " + strings.Join(e.roles, " or ")
	}
	return s
}

// eachEnd is how a run ended.
type eachEnd struct {
	exit int
	err  error // what kept the command from running, or ended it
	took time.Duration
}

func (e eachEnd) succeeded() bool { return e.exit == 0 && e.err == nil }

// exitTimeout is the status of what was ended for running too long, as
// timeout(1) has it.
const exitTimeout = 124

var errTimedOut = errors.New("it ran for longer than --timeout")

// runOne becomes a profile and runs the command.
func (a *app) runOne(ctx, kill context.Context, e *eachFlags, s *eachSessions, shells *eachShells, r *eachRun, child deliver.Child) eachEnd {
	begun := time.Now()
	took := func() time.Duration { return time.Since(begun) }
	c, err := s.credentials(ctx, r)
	if err != nil {
		return eachEnd{exitBeforeCommand, err, took()}
	}
	if child.Env, err = shells.environment(r, c); err != nil {
		return eachEnd{exitBeforeCommand, err, took()}
	}
	running := ctx
	if e.timeout > 0 {
		var cancel context.CancelFunc
		running, cancel = context.WithTimeout(ctx, e.timeout)
		defer cancel()
	}
	exit, err := child.Run(running, kill)
	switch {
	case err != nil:
		return eachEnd{exitCannotRun, err, took()}
	case exit != 0 && ctx.Err() != nil:
		err = context.Cause(ctx)
	case running.Err() != nil:
		exit, err = exitTimeout, errTimedOut
	}
	return eachEnd{exit, err, took()}
}

// untilTwice is done when a person or another process tells us to end, with a
// [term.Interrupted] as the cause; kill is when told so again. What nohup or a
// shell's & has us ignore stays ignored.
func untilTwice(parent context.Context) (ctx, kill context.Context, stop func()) {
	ctx, end := context.WithCancelCause(parent)
	kill, now := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	go func() {
		for {
			select {
			case s := <-signals:
				if ctx.Err() != nil {
					now()
				}
				end(term.Interrupted{Signal: s.(syscall.Signal)})
			case <-kill.Done():
				return
			}
		}
	}()
	return ctx, kill, func() {
		signal.Stop(signals)
		end(nil)
		now()
	}
}

// printRuns lists what would be run.
func (a *app) printRuns(e *eachFlags, runs []*eachRun) error {
	out, err := a.newEachOutput(e, runs, 0)
	if err != nil {
		return err
	}
	a.exit = 0
	if e.asJSON {
		for _, r := range runs {
			if err := out.encode(out.record(r)); err != nil {
				return err
			}
		}
		return nil
	}
	wide, devices := 0, map[string]bool{}
	for _, r := range runs {
		wide = max(wide, term.Cells(term.Clean(r.label)))
		for _, m := range r.plan.Asks() {
			devices[m.Serial] = true
		}
	}
	for _, r := range runs {
		var who string
		if r.err != nil {
			who = "cannot be planned: " + a.explanation(r.err).What
		} else if who = cmp.Or(r.plan.Who(), "its own credentials"); r.plan.Region != "" {
			who += " in " + r.plan.Region
		}
		label := term.Clean(r.label)
		if _, err := fmt.Fprintf(a.stdout, "%s%*s  %s\n", label, wide-term.Cells(label), "", term.CleanText(who)); err != nil {
			return err
		}
	}
	fmt.Fprintf(a.stderr, "%s, %d at a time, behind %s\n", counted(len(runs), "run"), e.jobs, counted(len(devices), "MFA device"))
	return nil
}
