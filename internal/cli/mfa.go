package cli

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aws-switch-role/internal/awsconfig"
	"aws-switch-role/internal/hop"
	"aws-switch-role/internal/message"
	"aws-switch-role/internal/plan"
	"aws-switch-role/internal/session"
)

// listedDevice is an MFA device as it is listed.
type listedDevice struct {
	Device     string    `json:"device"`
	Type       string    `json:"type"`
	Since      time.Time `json:"since,omitzero"`
	Usable     bool      `json:"usable"`     // by STS
	Configured bool      `json:"configured"` // it is the profile's mfa_serial
}

// The types of MFA devices, by their serial numbers (IAM User Guide, "IAM
// identifiers"; "AWS Multi-factor authentication in IAM").
const (
	deviceApp      = "authenticator app"
	deviceFIDO     = "security key or passkey"
	deviceHardware = "hardware token"
)

// usableDevice is the type of a device, and whether STS takes its codes: a
// security key or passkey has none.
func usableDevice(serial string) (kind string, usable bool) {
	switch {
	case strings.Contains(serial, ":u2f/"):
		return deviceFIDO, false
	case strings.HasPrefix(serial, "arn:"):
		return deviceApp, true
	}
	return deviceHardware, true
}

// serialSetting is the setting that names a profile's device.
const serialSetting = "mfa_serial"

func (a *app) mfaCommand() *cobra.Command {
	f := &switchFlags{}
	var asJSON, write bool
	var serial string
	cmd := &cobra.Command{
		Use:   "mfa [flags] [PROFILE]",
		Short: "List your MFA devices, or write one into a profile",
		Long: `List the MFA devices of the user that a profile starts from (IAM's
ListMFADevices), and which of them a switch can use: AWS STS takes six-digit
codes, and security keys and passkeys have none. With --write the device goes
into the profile as its mfa_serial; nothing else of the file changes.`,
		Example: `  aws-switch-role mfa sub-account
  aws-switch-role mfa sub-account --write`,
		ValidArgsFunction: a.completeProfiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			args, err := onlyProfile(cmd, args)
			if err != nil {
				return err
			}
			if err := f.complete(a, cmd.Flags()); err != nil {
				return err
			}
			if write && asJSON || serial != "" && !write {
				return usagef("%s takes --write, with --serial or without, or --json", cmd.CommandPath())
			}
			ctx := cmd.Context()
			name, err := a.chosenProfile(ctx, f, args)
			if err != nil {
				return err
			}
			if write && strings.HasPrefix(name, "arn:") {
				return usagef("%s --write takes a profile, not a role's ARN", cmd.CommandPath())
			}
			devices, err := a.devices(ctx, f, name, a.performer(f))
			if err != nil {
				return err
			}
			if write {
				return a.writeDevice(ctx, f, name, serial, devices)
			}
			return a.listDevices(name, devices, asJSON)
		},
	}
	fs := cmd.Flags()
	fs.BoolVar(&asJSON, "json", false, "print JSON")
	fs.BoolVar(&write, "write", false, "write the device into the profile, as mfa_serial")
	fs.StringVar(&serial, "serial", "", "the `device` to write, where there are several")
	f.registerAsking(cmd)
	f.registerMFA(cmd)
	return cmd
}

// devices asks IAM for the devices of the user that a profile starts from: as
// that user or, where that is denied and a device is known, with MFA.
func (a *app) devices(ctx context.Context, f *switchFlags, name string, performer *hop.Performer) ([]listedDevice, error) {
	c, err := a.load()
	if err != nil {
		return nil, err
	}
	o, err := f.options()
	if err != nil {
		return nil, err
	}
	user, err := plan.BaseOf(c, name, a.surround(o))
	if err != nil {
		return nil, err
	}
	ask := func(p plan.Plan) ([]hop.MFADevice, error) {
		who, err := a.walk(ctx, f, p, performer)
		if err != nil {
			return nil, err
		}
		return performer.MFADevices(ctx, user.IAM, who)
	}
	found, err := ask(user.Source)
	if hasCode(err, "AccessDenied") && len(user.Session.Hops) > 0 {
		found, err = ask(user.Session)
	}
	if err != nil {
		return nil, &devicesError{name, err}
	}
	configured := ""
	if p, _, err := c.Profile(name); err == nil {
		configured = p.Keys[serialSetting].Text
	}
	var list []listedDevice
	for _, d := range found {
		kind, usable := usableDevice(d.Serial)
		list = append(list, listedDevice{d.Serial, kind, d.Since.UTC(), usable, d.Serial == configured})
	}
	return list, nil
}

// devicesError says that the devices of a profile's user cannot be listed.
type devicesError struct {
	profile string
	err     error
}

func (e *devicesError) prefix() string {
	return "profile " + e.profile + ": the MFA devices cannot be listed: "
}
func (e *devicesError) Error() string { return e.prefix() + e.err.Error() }
func (e *devicesError) Unwrap() error { return e.err }

// listDevices prints the devices.
func (a *app) listDevices(name string, devices []listedDevice, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(a.stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(append([]listedDevice{}, devices...))
	}
	if len(devices) == 0 {
		a.say("the user that profile %s starts from has no MFA device", name)
		return nil
	}
	t := a.newTable("DEVICE", "TYPE", "SINCE", "FOR A SWITCH")
	t.width = 0 // a device is there to be copied, and the rest is the answer
	for _, d := range devices {
		use := "yes"
		switch {
		case !d.Usable:
			use = "no: AWS STS cannot use it"
		case d.Configured:
			use = "yes, " + serialSetting + " of " + name
		}
		since := ""
		if !d.Since.IsZero() {
			since = d.Since.Format(time.DateOnly)
		}
		t.add(row{cells: []string{d.Device, d.Type, since, use}})
	}
	return a.print(t)
}

// Reasons why no device is written.
var (
	errNoDevice    = errors.New("the user has no MFA device that AWS STS can use")
	errOtherDevice = errors.New("the user has no such MFA device")
	errFIDODevice  = errors.New("that is a security key or passkey, which AWS STS cannot use")
)

// usableSerials are the serial numbers of the devices that a switch can use.
func usableSerials(devices []listedDevice) (serials []string) {
	for _, d := range devices {
		if d.Usable {
			serials = append(serials, d.Device)
		}
	}
	return serials
}

// writeDevice writes the device into the profile: the one that is named, the
// only one, or the one that the person chooses.
func (a *app) writeDevice(ctx context.Context, f *switchFlags, name, serial string, devices []listedDevice) error {
	serials := usableSerials(devices)
	switch {
	case serial != "":
		if err := among(serial, devices); err != nil {
			return &deviceError{name, err}
		}
	case len(serials) == 0:
		return &deviceError{name, errNoDevice}
	case len(serials) == 1:
		serial = serials[0]
	default:
		t, err := a.personFor(f, message.New("which-device", "which of %d MFA devices to write", len(serials)), "--serial DEVICE")
		if err != nil {
			return err
		}
		defer t.Close()
		if serial, err = choose(ctx, t, "MFA device", serials); err != nil {
			return err
		}
	}
	return a.changeFiles(ctx, func(c *awsconfig.Config) error {
		device := awsconfig.Setting{Key: serialSetting, Value: serial}
		at, err := c.Set(name, device)
		if errors.Is(err, awsconfig.ErrNoSection) { // its key is in the keyring, and that is all
			at, err = c.Add(awsconfig.Section{Name: name, Settings: []awsconfig.Setting{device}})
			at.Line++
		}
		if err != nil {
			return err
		}
		a.say("wrote %s: %s = %s", a.tilde(at.String()), serialSetting, serial)
		return nil
	})
}

// among checks that a device is one of the user's that STS can use.
func among(serial string, devices []listedDevice) error {
	for _, d := range devices {
		switch {
		case d.Device == serial && !d.Usable:
			return errFIDODevice
		case d.Device == serial:
			return nil
		}
	}
	return errOtherDevice
}

// deviceError says why a device is not written into a profile.
type deviceError struct {
	profile string
	err     error
}

func (e *deviceError) Error() string { return "profile " + e.profile + ": " + e.err.Error() }
func (e *deviceError) Unwrap() error { return e.err }

// changeFiles changes the AWS files, as they are now, while no other process
// of ours does.
func (a *app) changeFiles(ctx context.Context, change func(*awsconfig.Config) error) error {
	unlock, err := a.lockNamed("AWS files")(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	a.config = nil
	c, err := a.load()
	if err != nil {
		return err
	}
	return change(c)
}

// devicesTime bounds the search for the device whose absence may be why a role
// was denied.
const devicesTime = 3 * time.Second

// withoutMFAError says that a role was denied to a chain without a device, and
// which one its user has.
type withoutMFAError struct {
	err    error // a *session.HopError
	device string
}

func (e *withoutMFAError) Error() string { return e.err.Error() }
func (e *withoutMFAError) Unwrap() error { return e.err }

// deniedWithout adds to an error the device that might have helped: where the
// first role after a long-lived key was denied, no device was named, and the
// key may list those of its user. The performer has read that key already.
func (a *app) deniedWithout(ctx context.Context, f *switchFlags, p plan.Plan, performer *hop.Performer, err error) error {
	e, ok := errors.AsType[*session.HopError](err)
	if !ok || e.Index != 1 || f.quiet || len(p.Asks()) > 0 {
		return err
	}
	if _, assumes := p.Hops[1].(plan.AssumeRole); !assumes || !longLived(p.Source()) {
		return err
	}
	// Where AWS names another kind of policy than the role's, MFA is not it.
	if api, ok := errors.AsType[*hop.APIError](e.Err); !ok || !slices.Contains([]string{"denied", "not-trusted"}, refusal(api, p, e.Index)) {
		return err
	}
	name := p.Profile
	if p.Adhoc {
		name = p.RoleARN()
	}
	ctx, cancel := context.WithTimeout(ctx, devicesTime)
	defer cancel()
	devices, derr := a.devices(ctx, f, name, performer)
	if serials := usableSerials(devices); derr == nil && len(serials) > 0 {
		return &withoutMFAError{err, serials[0]}
	}
	a.log().Debug("no MFA device to suggest", "error", derr)
	return err
}

// longLived reports whether a source is a key that belongs to a user.
func longLived(source plan.Hop) bool {
	switch s := source.(type) {
	case plan.StoredKey:
		return !s.Temporary
	case plan.EnvironmentKey:
		return !s.Temporary
	case plan.EnvchainKey:
		return true
	}
	return false
}
