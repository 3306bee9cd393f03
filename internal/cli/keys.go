package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aws-switch-role/internal/accesskey"
	"aws-switch-role/internal/awsconfig"
	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/keyring"
	"aws-switch-role/internal/message"
	"aws-switch-role/internal/term"
)

func (a *app) keysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys add|import|list|remove|rotate",
		Short: "Keep long-lived access keys in the OS keyring",
		Long: `Keep long-lived access keys in the OS keyring rather than in a file. A key is
found there by its name: as source_profile = NAME, and as the profile NAME
itself, whether the AWS files have a section of that name or not. It goes
before a key of the files.`,
		Example: `  aws-switch-role keys import main-account
  aws-switch-role keys rotate main-account`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return usagef("keys add, import, list, remove or rotate")
		},
	}
	cmd.AddCommand(a.keysAddCommand(), a.keysImportCommand(), a.keysListCommand(), a.keysRemoveCommand(), a.keysRotateCommand())
	return cmd
}

// registerAsking defines the flags of commands that ask people and AWS.
func (f *switchFlags) registerAsking(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringVar(&f.region, "region", "", "`region` for STS and, by its partition, for IAM")
	fs.BoolVar(&f.noInput, "no-input", false, "never ask for anything: fail instead")
	fs.BoolVar(&f.debug, "debug", false, "say every step on stderr, never a secret")
}

// registerMFA defines the flags of commands that may need an MFA session.
func (f *switchFlags) registerMFA(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.mfaCode, "mfa-code", "", "the MFA `code`, instead of asking for it")
	fs.StringVar(&f.mfaSerial, "mfa-serial", "", "the MFA device's `ARN`, instead of the profile's mfa_serial")
	fs.BoolVar(&f.noCache, "no-cache", false, "neither read nor write the session cache")
}

// oneName is the argument of a command about one key.
func oneName(cmd *cobra.Command, args []string) (string, error) {
	if len(args) != 1 {
		return "", usagef("%s takes the name of one key", cmd.CommandPath())
	}
	if err := accesskey.CheckName(args[0]); err != nil {
		return "", usagef("%s", err)
	}
	return args[0], nil
}

// completeKeys completes the name of a key in the keyring.
func (a *app) completeKeys(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	keys, err := a.stored()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return accesskey.Names(keys), cobra.ShellCompDirectiveNoFileComp
}

// say tells what was done.
func (a *app) say(format string, args ...any) {
	fmt.Fprintln(a.stderr, clean(fmt.Sprintf(format, args...)))
}

// withKeys runs an act of the command verb on the key of a name while no other
// process changes keys. Before that, rotations of other keys that were cut short are finished
// or undone; where one cannot be, that is another day's work.
func (a *app) withKeys(ctx context.Context, f *switchFlags, verb, name string, act func(*accesskey.Store) error) error {
	unlock, err := a.lockKeys(ctx, strings.TrimSpace("keys "+verb+" "+name))
	if err != nil {
		return err
	}
	defer unlock()
	done := a.waitingForKeyring(f)
	ring, err := a.openKeyring(ctx, f, keyring.AccessKeys)
	done()
	if err != nil {
		return err
	}
	defer ring.Close()
	store := &accesskey.Store{Index: a.keyIndex(), Keyring: ring, Choice: string(ring.Choice), Now: a.now}
	keys, err := store.Index.Read()
	if err != nil {
		return err
	}
	for _, other := range accesskey.Names(keys) {
		if other == name {
			continue
		}
		if err := a.finishRotation(ctx, f, store, other); err != nil {
			a.say("warning: %s: %s", other, err)
		}
	}
	if err := act(store); err != nil {
		return &keyError{name, err}
	}
	return nil
}

// finishRotation finishes or undoes a rotation that was cut short.
func (a *app) finishRotation(ctx context.Context, f *switchFlags, store *accesskey.Store, name string) error {
	keys, err := store.Index.Read()
	if err != nil || keys[name].Rotation == nil {
		return err
	}
	outcome, err := a.rotator(ctx, f, store, name).Recover(ctx, name)
	switch {
	case err != nil:
		return fmt.Errorf("finishing the rotation that was cut short: %w", err)
	case outcome == accesskey.Finished:
		a.say("%s: the rotation that was cut short is finished", name)
	case outcome == accesskey.Undone:
		a.say("%s: the rotation that was cut short is undone", name)
	}
	return nil
}

// errKeyExists says that a name is taken.
var errKeyExists = errors.New("the keyring holds another key of that name")

// keep stores a key under a name, and drops the sessions of the one that it
// replaces.
func (a *app) keep(ctx context.Context, f *switchFlags, store *accesskey.Store, name string, c cred.Credentials, from string, force bool) error {
	if err := a.finishRotation(ctx, f, store, name); err != nil {
		return err
	}
	keys, err := store.Index.Read()
	if err != nil {
		return err
	}
	before, taken := keys[name]
	if taken && before.ID != c.AccessKeyID && !force {
		return errKeyExists
	}
	if err := store.Put(ctx, name, c, from); err != nil {
		return err
	}
	if taken && before.ID != c.AccessKeyID {
		if err := a.forgetSessions(ctx, f, before.ID); err != nil {
			return err
		}
	}
	if err := a.forgetSessions(ctx, f, c.AccessKeyID); err != nil {
		return err
	}
	a.say("stored the key %s as %s in the keyring (%s)", accesskey.Mask(c.AccessKeyID), name, store.Choice)
	return nil
}

func (a *app) keysAddCommand() *cobra.Command {
	f := &switchFlags{}
	var fromStdin, unchecked, force bool
	cmd := &cobra.Command{
		Use:   "add [flags] NAME",
		Short: "Store an access key in the keyring",
		Long: `Store an access key in the keyring under a name. It is asked for on the
terminal; with --stdin it is read from there: the access key id and the secret
access key on a line each, or the JSON that aws iam create-access-key prints.
AWS is asked whose key it is before it is stored.`,
		Example: `  aws-switch-role keys add main-account
  aws iam create-access-key | aws-switch-role keys add main-account --stdin`,
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := oneName(cmd, args)
			if err != nil {
				return err
			}
			if err := f.complete(a, cmd.Flags()); err != nil {
				return err
			}
			ctx := cmd.Context()
			keys, err := a.stored()
			if err != nil {
				return err
			}
			if _, taken := keys[name]; taken && !force {
				return &keyError{name, errKeyExists}
			}
			read := a.askKey
			if fromStdin {
				read = a.readKey
			}
			c, err := read(ctx, f)
			if err == nil {
				err = accesskey.Check(c)
			}
			if err != nil {
				return &keyError{name, err}
			}
			if !unchecked {
				id, err := a.keyUser(f, name).identity(ctx, c)
				if err != nil {
					return &keyError{name, err}
				}
				a.say("it is a key of %s", id.ARN)
			}
			return a.withKeys(ctx, f, "add", name, func(store *accesskey.Store) error {
				return a.keep(ctx, f, store, name, c, "keys add", force)
			})
		},
	}
	fs := cmd.Flags()
	fs.BoolVar(&fromStdin, "stdin", false, "read the key from stdin")
	fs.BoolVar(&unchecked, "no-check", false, "do not ask AWS whose key it is")
	fs.BoolVar(&force, "force", false, "replace a key of that name")
	f.registerAsking(cmd)
	return cmd
}

// askKey asks for a key on the terminal.
func (a *app) askKey(ctx context.Context, f *switchFlags) (cred.Credentials, error) {
	what := message.New("the-access-key", "the access key")
	if f.noInput {
		return cred.Credentials{}, &noInputError{what: what, flag: f.name("no-input")}
	}
	t, err := term.Open()
	if err != nil {
		return cred.Credentials{}, &noInputError{what: what, cause: err}
	}
	defer t.Close()
	// Who pastes both lines at once would see the second one, too.
	id, err := t.Ask(ctx, "Access key id: ")
	if err != nil {
		return cred.Credentials{}, err
	}
	secret, err := t.Ask(ctx, "Secret access key: ")
	return cred.Credentials{AccessKeyID: id, SecretAccessKey: cred.NewSecret(secret)}, err
}

// maxKeyText bounds what is read from stdin.
const maxKeyText = 64 << 10

// readKey reads a key from stdin.
func (a *app) readKey(context.Context, *switchFlags) (cred.Credentials, error) {
	text, err := io.ReadAll(io.LimitReader(a.stdin, maxKeyText))
	if err != nil {
		return cred.Credentials{}, err
	}
	if strings.HasPrefix(strings.TrimSpace(string(text)), "{") {
		return parseKey(text)
	}
	id, secret, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	return cred.Credentials{AccessKeyID: strings.TrimSpace(id), SecretAccessKey: cred.NewSecret(strings.TrimSpace(secret))}, nil
}

// parseKey reads a key from JSON, as the AWS CLI prints one: an object with
// AccessKeyId and SecretAccessKey, or one with such an object as AccessKey.
// aws-vault's AccessKeyID is the same to Go.
func parseKey(text []byte) (cred.Credentials, error) {
	type pair struct{ AccessKeyID, SecretAccessKey, SessionToken string }
	var k struct {
		pair
		AccessKey pair
	}
	if json.Unmarshal(text, &k) != nil { // whose error would quote the text
		return cred.Credentials{}, fmt.Errorf("%w: this is no JSON object that holds one", accesskey.ErrMalformed)
	}
	if k.pair == (pair{}) {
		k.pair = k.AccessKey
	}
	return cred.Credentials{AccessKeyID: k.AccessKeyID, SecretAccessKey: cred.NewSecret(k.SecretAccessKey), SessionToken: cred.NewSecret(k.SessionToken)}, nil
}

func (a *app) keysImportCommand() *cobra.Command {
	f := &switchFlags{}
	var all, force bool
	var namespace, vault string
	cmd := &cobra.Command{
		Use:   "import [flags] NAME | --all",
		Short: "Move access keys from the credentials file into the keyring",
		Long: `Move the access key of a profile from the AWS files into the keyring: it is
stored, read back and compared, and then its two lines are taken out of the
file. Nothing else of the file changes.

With --from-envchain or --from-aws-vault the key is copied from there, and
stays there.`,
		Example: `  aws-switch-role keys import main-account
  aws-switch-role keys import --all
  aws-switch-role keys import main-account --from-envchain aws-main-account`,
		ValidArgsFunction: a.completeProfiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.complete(a, cmd.Flags()); err != nil {
				return err
			}
			ctx := cmd.Context()
			if all {
				if len(args) > 0 || namespace != "" || vault != "" {
					return usagef("%s --all takes no name, and is about the files", cmd.CommandPath())
				}
				return a.importAll(ctx, f, force)
			}
			name, err := oneName(cmd, args)
			if err != nil {
				return err
			}
			switch {
			case namespace != "" && vault != "":
				return usagef("--from-envchain or --from-aws-vault, not both")
			case namespace != "":
				return a.importFrom(ctx, f, name, "envchain "+namespace, force, func() (cred.Credentials, error) {
					return a.envchainKey(ctx, f, namespace)
				})
			case vault != "":
				return a.importFrom(ctx, f, name, "aws-vault "+vault, force, func() (cred.Credentials, error) {
					text, err := keyring.AWSVault(ctx, a.keyringOptions(f, keyring.AccessKeys), vault)
					if err != nil {
						return cred.Credentials{}, fmt.Errorf("aws-vault's profile %s: %w", vault, err)
					}
					return parseKey(text)
				})
			}
			return a.withKeys(ctx, f, "import", name, func(store *accesskey.Store) error {
				return a.importProfile(ctx, f, store, name, force)
			})
		},
	}
	fs := cmd.Flags()
	fs.BoolVar(&all, "all", false, "import every long-lived key of the AWS files")
	fs.StringVar(&namespace, "from-envchain", "", "copy the key in a `namespace` of envchain")
	fs.StringVar(&vault, "from-aws-vault", "", "copy the key of a `profile` of aws-vault")
	fs.BoolVar(&force, "force", false, "replace a key of that name")
	f.registerAsking(cmd)
	return cmd
}

// importFrom copies a key from elsewhere.
func (a *app) importFrom(ctx context.Context, f *switchFlags, name, from string, force bool, read func() (cred.Credentials, error)) error {
	c, err := read()
	if err == nil {
		err = accesskey.Check(c)
	}
	if err != nil {
		return &keyError{name, err}
	}
	return a.withKeys(ctx, f, "import", name, func(store *accesskey.Store) error {
		return a.keep(ctx, f, store, name, c, from, force)
	})
}

// The settings of a key in the AWS files.
const (
	idSetting     = "aws_access_key_id"
	secretSetting = "aws_secret_access_key"
	tokenSetting  = "aws_session_token"
)

// Reasons why a profile has nothing to import.
var (
	errNoFileKey     = errors.New("the profile has no aws_access_key_id and aws_secret_access_key in the AWS files")
	errTemporaryKey  = errors.New("the profile's key has an aws_session_token: it is temporary and ends by itself")
	errUnequalInFile = errors.New("the key in the file is another one by now: nothing was taken out of it")
)

// importAll imports every profile that has a long-lived key.
func (a *app) importAll(ctx context.Context, f *switchFlags, force bool) error {
	c, err := a.load()
	if err != nil {
		return err
	}
	return a.withKeys(ctx, f, "import", "", func(store *accesskey.Store) error {
		imported := 0
		for name := range c.Names() {
			err := a.importProfile(ctx, f, store, name, force)
			switch {
			case errors.Is(err, errNoFileKey):
			case errors.Is(err, errTemporaryKey):
				a.say("%s: left where it is: %s", name, err)
			case err != nil:
				return &keyError{name, err}
			default:
				imported++
			}
		}
		if imported == 0 {
			a.say("no long-lived key is in %s", strings.Join(a.filesRead(), " and "))
		}
		return nil
	})
}

// importProfile moves the key of a profile from the AWS files.
func (a *app) importProfile(ctx context.Context, f *switchFlags, store *accesskey.Store, name string, force bool) error {
	c, err := a.load()
	if err != nil {
		return err
	}
	key, err := longLivedKey(c, name)
	if err != nil {
		return err
	}
	if err := a.keep(ctx, f, store, name, key, "the AWS files", force); err != nil {
		return err
	}
	// The file may have changed while a person unlocked the keyring.
	now, err := awsconfig.Load(c.ConfigFile(), c.CredentialsFile())
	if err != nil {
		return err
	}
	again, err := longLivedKey(now, name)
	if err != nil || again.AccessKeyID != key.AccessKeyID || !again.SecretAccessKey.Equal(key.SecretAccessKey) {
		return errors.Join(errUnequalInFile, err)
	}
	removed, err := now.RemoveKeys(name, idSetting, secretSetting)
	for _, at := range removed {
		a.say("took the line %s out", a.tilde(at.String()))
	}
	return err
}

// longLivedKey returns the key that a profile has in the files.
func longLivedKey(c *awsconfig.Config, name string) (cred.Credentials, error) {
	p, _, err := c.Profile(name)
	if err != nil {
		return cred.Credentials{}, err
	}
	id, secret, token := p.Keys[idSetting].Text, p.Keys[secretSetting].Text, p.Keys[tokenSetting].Text
	switch {
	case id == "" || secret == "":
		return cred.Credentials{}, errNoFileKey
	case token != "":
		return cred.Credentials{}, errTemporaryKey
	}
	key := cred.Credentials{AccessKeyID: id, SecretAccessKey: cred.NewSecret(secret)}
	return key, accesskey.Check(key)
}

// listedKey is a line of keys list in JSON.
type listedKey struct {
	Name     string    `json:"name"`
	KeyID    string    `json:"access_key_id"`
	Added    time.Time `json:"added"`
	From     string    `json:"from"`
	Keyring  string    `json:"keyring"`
	Rotating bool      `json:"rotation_unfinished"`
}

func (a *app) keysListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list [--json]",
		Short:   "List the keys in the keyring, without opening it",
		Example: "  aws-switch-role keys list",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			keys, err := a.stored()
			if err != nil {
				return err
			}
			if asJSON {
				out := []listedKey{}
				for _, name := range accesskey.Names(keys) {
					e := keys[name]
					out = append(out, listedKey{name, accesskey.Mask(e.ID), e.Added, e.From, e.Keyring, e.Rotation != nil})
				}
				return writeJSON(a.stdout, out)
			}
			if len(keys) == 0 {
				a.say("no keys in the keyring")
				return nil
			}
			t := a.newTable("NAME", "KEY", "AGE", "FROM", "KEYRING")
			t.whole = []string{"KEY", "AGE", "KEYRING"}
			for _, name := range accesskey.Names(keys) {
				e := keys[name]
				note := ""
				if e.Rotation != nil {
					note = " (rotation unfinished: keys rotate " + name + ")"
				}
				t.add(row{cells: []string{name, accesskey.Mask(e.ID), age(a.now().Sub(e.Added)), e.From, e.Keyring + note}})
			}
			return a.print(t)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// age is how long ago something was, roughly.
func age(d time.Duration) string {
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%dm", max(d, 0)/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dd", d/(24*time.Hour))
}

func (a *app) keysRemoveCommand() *cobra.Command {
	f := &switchFlags{}
	cmd := &cobra.Command{
		Use:   "remove [flags] NAME",
		Short: "Remove a key from the keyring",
		Long: `Remove a key from the keyring, and the cached sessions that came from it. AWS
goes on accepting the key until it is deleted there.`,
		Example:           "  aws-switch-role keys remove main-account",
		ValidArgsFunction: a.completeKeys,
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := oneName(cmd, args)
			if err != nil {
				return err
			}
			if err := f.complete(a, cmd.Flags()); err != nil {
				return err
			}
			ctx := cmd.Context()
			keys, err := a.stored()
			if err != nil {
				return err
			}
			if err := a.confirmRemoval(ctx, f, name, keys[name]); err != nil {
				return err
			}
			return a.withKeys(ctx, f, "remove", name, func(store *accesskey.Store) error {
				if err := a.finishRotation(ctx, f, store, name); err != nil {
					a.say("warning: %s: the user may be left with two keys: %s", name, err)
				}
				keys, err := store.Index.Read()
				if err != nil {
					return err
				}
				e := keys[name]
				if err := store.Remove(ctx, name); err != nil {
					return err
				}
				a.say("removed the key %s from the keyring", name)
				if e.ID == "" {
					return nil
				}
				a.say("AWS accepts it until: aws iam delete-access-key --access-key-id %s", e.ID)
				return a.forgetSessions(ctx, f, e.ID)
			})
		},
	}
	cmd.Flags().BoolVar(&f.yes, "yes", false, "do not ask to confirm")
	f.registerAsking(cmd)
	f.registerMFA(cmd)
	return cmd
}

// confirmRemoval asks to type the name of a key before it is removed.
func (a *app) confirmRemoval(ctx context.Context, f *switchFlags, name string, e accesskey.Entry) error {
	if f.yes {
		return nil
	}
	what := message.New("a-removal", "a confirmation of removing the key %s", name)
	if f.noInput {
		return &noInputError{what: what, flag: f.name("no-input")}
	}
	t, err := term.Open()
	if err != nil {
		return &noInputError{what: what, cause: err}
	}
	defer t.Close()
	if e.ID != "" {
		t.Print("the key " + accesskey.Mask(e.ID) + ", from " + term.Clean(e.From))
	}
	line, err := t.AskVisible(ctx, "Type the key's name to remove "+term.Clean(name)+": ")
	if err != nil {
		return err
	}
	if line != name {
		return &notConfirmedError{}
	}
	return nil
}

func (a *app) keysRotateCommand() *cobra.Command {
	f := &switchFlags{}
	var deleteInactive bool
	cmd := &cobra.Command{
		Use:   "rotate [flags] NAME",
		Short: "Change a key in the keyring for a new one",
		Long: `Change a key in the keyring for a new one: IAM makes it, it is stored and, once
AWS accepts it, takes the old one's place; then the old key is deactivated and
deleted. At every moment a key that works is stored. A rotation that is cut
short is finished or undone by the next command that changes keys.`,
		Example:           "  aws-switch-role keys rotate main-account",
		ValidArgsFunction: a.completeKeys,
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := oneName(cmd, args)
			if err != nil {
				return err
			}
			if err := f.complete(a, cmd.Flags()); err != nil {
				return err
			}
			ctx := cmd.Context()
			return a.withKeys(ctx, f, "rotate", name, func(store *accesskey.Store) error {
				if err := a.rotator(ctx, f, store, name).Rotate(ctx, name, deleteInactive); err != nil {
					return err
				}
				a.say("%s: the new key is in use", name)
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&deleteInactive, "delete-inactive", false, "delete the user's second key if it is inactive, to make room")
	f.registerAsking(cmd)
	f.registerMFA(cmd)
	return cmd
}
