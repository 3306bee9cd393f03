package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"aws-switch-role/internal/accesskey"
	"aws-switch-role/internal/awsconfig"
	"aws-switch-role/internal/message"
	"aws-switch-role/internal/plan"
	"aws-switch-role/internal/term"
)

func (a *app) profileCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "profile add",
		Short:   "Write a role profile into the AWS config file",
		Long:    `Write a role profile into the AWS config file.`,
		Example: `  aws-switch-role profile add sub-account`,
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return usagef("profile add NAME") },
	}
	cmd.AddCommand(a.profileAddCommand())
	return cmd
}

func (a *app) profileAddCommand() *cobra.Command {
	f := &switchFlags{}
	n := &newProfile{app: a, flags: f}
	cmd := &cobra.Command{
		Use:   "add [flags] NAME",
		Short: "Write a role profile, asking for what it needs",
		Long: `Write a role profile into the AWS config file: the role, the profile to start
from, the MFA device, of which those are offered that IAM lists, and the region.
What the flags do not say is asked for on the terminal. The lines are shown,
checked and, once confirmed, appended; nothing else of the file changes.`,
		Example: `  aws-switch-role profile add sub-account
  aws-switch-role profile add sub-account --account 222222222222 --role Ops --source-profile default --no-mfa --yes`,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("%s takes the name of one profile", cmd.CommandPath())
			}
			n.name = args[0]
			if err := f.complete(a, cmd.Flags()); err != nil {
				return err
			}
			return n.add(cmd.Context())
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&n.roleARN, "role-arn", "", "the role's `ARN`")
	fs.StringVar(&n.account, "account", "", "the `number` of the account that the role is in, instead of its ARN")
	fs.StringVar(&n.role, "role", "", "the role's `name`, with its path if it has one, instead of its ARN")
	fs.StringVar(&n.base, "source-profile", "", "the `profile` to start from")
	fs.StringVar(&n.credentialSource, "credential-source", "", "where to start from instead of a profile: `Environment`, Ec2InstanceMetadata or EcsContainer")
	fs.StringVar(&f.mfaSerial, serialFlag, "", "the MFA device's `ARN`")
	fs.BoolVar(&n.noMFA, "no-mfa", false, "write no MFA device")
	fs.StringVar(&n.externalID, "external-id", "", "the external `ID` that the role demands")
	fs.BoolVar(&n.check, "check", false, "switch to the role, once, before the profile is written")
	fs.BoolVar(&f.yes, "yes", false, "do not ask to confirm")
	f.registerAsking(cmd)
	fs.Lookup("region").Usage = "the profile's `region`"
	fs.StringVar(&f.mfaCode, "mfa-code", "", "the MFA `code` for --check, instead of asking for it")
	fs.BoolVar(&f.noCache, "no-cache", false, "neither read nor write the session cache")
	_ = cmd.RegisterFlagCompletionFunc("credential-source", cobra.FixedCompletions(credentialSources, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// serialFlag is the flag that names an MFA device.
const serialFlag = "mfa-serial"

// credentialSources are the values of credential_source (AWS SDKs and Tools
// Reference Guide, "Assume role credential provider").
var credentialSources = []string{"Environment", "Ec2InstanceMetadata", "EcsContainer"}

// fromEnvironment is how the keys of the environment are offered as a base.
const fromEnvironment = "the keys in the environment"

// newProfile is a profile to be, as far as the flags say it; what they leave
// open is asked for.
type newProfile struct {
	app   *app
	flags *switchFlags // of which region and mfaSerial are the profile's

	name                   string
	roleARN, account, role string
	base, credentialSource string
	noMFA                  bool
	externalID             string
	check                  bool

	terminal *term.Terminal // once something was asked
}

// add asks for what is missing, and writes the profile.
func (n *newProfile) add(ctx context.Context) error {
	defer func() {
		if n.terminal != nil {
			_ = n.terminal.Close()
		}
	}()
	if err := n.consistent(); err != nil {
		return err
	}
	c, err := n.app.load()
	if err != nil {
		return err
	}
	if err := n.free(c); err != nil {
		return err
	}
	for _, complete := range []func(context.Context, *awsconfig.Config) error{n.findRole, n.findBase, n.findDevice, n.findRegion} {
		if err := complete(ctx, c); err != nil {
			return err
		}
	}
	section := n.section()
	p, err := n.planned(c)
	if err != nil {
		return err
	}
	if err := n.confirm(ctx, section); err != nil {
		return err
	}
	if n.check {
		if _, err := n.app.credentials(ctx, n.flags, p); err != nil {
			return err
		}
		n.app.say("checked: AWS gives the role to this chain")
	}
	return n.app.changeFiles(ctx, func(c *awsconfig.Config) error {
		if err := n.free(c); err != nil {
			return err
		}
		at, err := c.Add(section)
		if err != nil {
			return err
		}
		n.app.say("wrote %s; use it: aws-switch-role %s", n.app.tilde(at.String()), n.name)
		return nil
	})
}

// consistent checks what the flags say among themselves.
func (n *newProfile) consistent() error {
	switch {
	case n.roleARN != "" && (n.account != "" || n.role != ""):
		return usagef("--role-arn, or --account and --role, not both")
	case n.base != "" && n.credentialSource != "":
		return usagef("--source-profile or --credential-source, not both")
	case n.noMFA && n.flags.mfaSerial != "":
		return usagef("--mfa-serial or --no-mfa, not both")
	}
	if err := awsconfig.CheckName(n.name); err != nil {
		return usagef("%s", err)
	}
	if n.roleARN == "" && n.account != "" && n.role != "" {
		n.roleARN = plan.RoleIn(n.flags.region, n.account, n.role)
	}
	if n.roleARN != "" {
		if _, err := plan.ParseRoleARN(n.roleARN); err != nil {
			return usagef("%s", err)
		}
	}
	return nil
}

// existsError says that a profile exists, and where.
type existsError struct {
	profile string
	at      awsconfig.Origin
	keyring bool // its key is in the keyring, and that is all there is of it
	header  bool // it is the header of a section that no tool reads as its
}

func (e *existsError) Error() string {
	switch {
	case e.keyring:
		return "a key in the keyring is called " + e.profile + ", and is a profile by that name"
	case e.header:
		return e.at.String() + ": the header of " + e.profile + " must be [profile " + e.profile + "] in the config file, and [" + e.profile + "] in the credentials file"
	}
	return e.at.String() + ": there is a profile " + e.profile + " already"
}

// free checks that nothing has the profile's name.
func (n *newProfile) free(c *awsconfig.Config) error {
	p, ok, err := c.Profile(n.name)
	if err != nil {
		return err
	}
	keys, err := n.app.stored()
	if err != nil {
		return err
	}
	misplaced := c.Misplaced(n.name)
	switch {
	case ok:
		return &existsError{profile: n.name, at: p.Origin}
	case keys[n.name].ID != "":
		return &existsError{profile: n.name, keyring: true}
	case len(misplaced) > 0:
		return &existsError{profile: n.name, at: misplaced[0], header: true}
	}
	return nil
}

// person is who is asked for something that a flag could say.
func (n *newProfile) person(what message.Text, instead string) (*term.Terminal, error) {
	if n.terminal != nil {
		return n.terminal, nil
	}
	t, err := n.app.personFor(n.flags, what, instead)
	n.terminal = t
	return t, err
}

// findRole asks for the role.
func (n *newProfile) findRole(ctx context.Context, _ *awsconfig.Config) error {
	if n.roleARN != "" {
		return nil
	}
	t, err := n.person(message.New("the-role", "the role"), "--role-arn ARN")
	if err != nil {
		return err
	}
	for n.roleARN == "" {
		arn := ""
		if n.account == "" && n.role == "" {
			if arn, err = t.AskVisible(ctx, "Role ARN, or the account's number: "); err != nil {
				return err
			}
			if !strings.HasPrefix(arn, "arn:") {
				n.account = arn
			}
		}
		if arn == "" || n.account != "" {
			if arn, err = n.askRoleIn(ctx, t); err != nil {
				return err
			}
		}
		if _, err := plan.ParseRoleARN(arn); err != nil {
			t.Print(n.app.sentence(message.Of(err)))
			n.account, n.role = "", ""
			continue
		}
		n.roleARN = arn
	}
	return nil
}

// askRoleIn asks for the parts of a role's ARN that are still missing.
func (n *newProfile) askRoleIn(ctx context.Context, t *term.Terminal) (arn string, err error) {
	if n.account == "" {
		if n.account, err = t.AskVisible(ctx, "Account number: "); err != nil {
			return "", err
		}
	}
	if n.role == "" {
		if n.role, err = t.AskVisible(ctx, "Role name: "); err != nil {
			return "", err
		}
	}
	return plan.RoleIn(n.flags.region, n.account, n.role), nil
}

// errNoBase says that there is nothing to start from.
var errNoBase = errors.New("no profile holds a key, or signs in, to start from")

// findBase asks where the chain is to start.
func (n *newProfile) findBase(ctx context.Context, c *awsconfig.Config) error {
	if n.base != "" || n.credentialSource != "" {
		return nil
	}
	bases, err := n.bases(c)
	if err != nil {
		return err
	}
	t, err := n.person(message.New("the-base", "the profile to start from"), "--source-profile NAME")
	if err != nil {
		return err
	}
	if len(bases) == 0 {
		return errNoBase
	}
	base, err := choose(ctx, t, "Start from profile", bases)
	if err != nil {
		return err
	}
	if base == fromEnvironment {
		n.credentialSource = credentialSources[0]
	} else {
		n.base = base
	}
	return nil
}

// bases are the profiles that a role can be assumed from: first those with a
// key in the keyring, then those of the files that are no role themselves.
func (n *newProfile) bases(c *awsconfig.Config) ([]string, error) {
	keys, err := n.app.stored()
	if err != nil {
		return nil, err
	}
	bases := accesskey.Names(keys)
	c.Index()
	for name := range c.Names() {
		p, _, err := c.Profile(name)
		if err != nil || keys[name].ID != "" || p.Keys["role_arn"].Text != "" {
			continue
		}
		for _, k := range []string{idSetting, "envchain_namespace", "credential_process", "sso_session", "sso_start_url", "login_session"} {
			if p.Keys[k].Text != "" {
				bases = append(bases, name)
				break
			}
		}
	}
	if env := n.app.planEnvironment(); env.AccessKeyID != "" && !env.InRole {
		bases = append(bases, fromEnvironment)
	}
	return bases, nil
}

// findRegion asks for the region, when anything else was asked for.
func (n *newProfile) findRegion(ctx context.Context, _ *awsconfig.Config) (err error) {
	if n.flags.region != "" || n.terminal == nil {
		return nil
	}
	n.flags.region, err = n.terminal.AskVisible(ctx, "Region (empty for none): ")
	return err
}

// findDevice asks for the MFA device, and offers those that the user has.
func (n *newProfile) findDevice(ctx context.Context, c *awsconfig.Config) error {
	if n.flags.mfaSerial != "" || n.noMFA {
		return nil
	}
	p, err := n.planned(c)
	if err != nil {
		return err // before anything is asked of AWS
	}
	if len(p.Hops) > 0 && !spendsKey(p.Source()) {
		return nil
	}
	t, err := n.person(message.New("the-mfa-device", "the MFA device"), "--"+serialFlag+" ARN, or --no-mfa")
	if err != nil {
		return err
	}
	devices, err := n.app.devices(ctx, n.flags, n.name, n.app.performer(n.flags))
	if i, ok := errors.AsType[term.Interrupted](err); ok {
		return i
	}
	const none = "none"
	serials := usableSerials(devices)
	switch {
	case err != nil:
		t.Print(strings.Join(n.app.explain(err), "\n"))
		n.flags.mfaSerial, err = t.AskVisible(ctx, "MFA device's ARN (empty for none): ")
		return err
	case len(serials) == 0:
		t.Print("No MFA device: " + term.Clean(errNoDevice.Error()) + ".")
		return nil
	}
	serial, err := choose(ctx, t, "MFA device", append(serials, none))
	if serial != none {
		n.flags.mfaSerial = serial
	}
	return err
}

// spendsKey reports whether a chain may start from a user's key, to which an
// MFA device belongs: what a process prints may be one.
func spendsKey(source plan.Hop) bool {
	_, process := source.(plan.Process)
	return process || longLived(source)
}

// section is the profile as it will be written.
func (n *newProfile) section() awsconfig.Section {
	s := awsconfig.Section{Name: n.name}
	for _, set := range []awsconfig.Setting{
		{Key: "role_arn", Value: n.roleARN},
		{Key: "source_profile", Value: n.base},
		{Key: "credential_source", Value: n.credentialSource},
		{Key: serialSetting, Value: n.flags.mfaSerial},
		{Key: "external_id", Value: n.externalID},
		{Key: "region", Value: n.flags.region},
	} {
		if set.Value != "" {
			s.Settings = append(s.Settings, set)
		}
	}
	return s
}

// planned plans a switch to the profile as it would be in the files, which
// this run then takes for the files. What only the place lacks, such as the
// keys that a wrapper brings along, is no fault of the profile's.
func (n *newProfile) planned(c *awsconfig.Config) (plan.Plan, error) {
	with, err := c.With(n.section())
	if err != nil {
		return plan.Plan{}, err
	}
	n.app.config = with
	o, err := n.flags.options()
	if err != nil {
		return plan.Plan{}, err
	}
	p, err := plan.For(with, n.name, n.app.surround(o))
	if e, ok := errors.AsType[*plan.Error](err); ok && !n.check {
		switch e.Kind {
		case plan.NoEnvironmentKeys, plan.LeftEnvironmentKeys, plan.NoContainer:
			return p, nil
		}
	}
	return p, err
}

// confirm shows the lines and asks whether they are to be written.
func (n *newProfile) confirm(ctx context.Context, s awsconfig.Section) error {
	file := n.app.tilde(n.app.awsFile("AWS_CONFIG_FILE", "config"))
	lines := strings.TrimSuffix(term.CleanText(s.String()), "\n")
	if n.flags.yes {
		fmt.Fprintln(n.app.stderr, lines)
		return nil
	}
	t, err := n.person(message.New("an-addition", "a confirmation of what is added to %s", file), "--yes")
	if err != nil {
		return err
	}
	t.Print(lines)
	for {
		answer, err := t.AskVisible(ctx, "Add this to "+term.Clean(file)+"? [Y/n] ")
		if err != nil {
			return err
		}
		switch strings.ToLower(answer) {
		case "", "y", "yes":
			return nil
		case "n", "no":
			return errNotAdded
		}
	}
}

// errNotAdded says that the person did not want it.
var errNotAdded = errors.New("nothing was added")
