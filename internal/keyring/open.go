package keyring

import (
	"context"
	"fmt"
	"io"
	"slices"
)

// Choice names a keyring, or Auto.
type Choice string

// The choices, as users spell them. Which of them exist depends on the
// operating system.
const (
	Auto          Choice = "auto"           // the first of the system's that can be used
	SecretService Choice = "secret-service" // Linux: GNOME Keyring, KWallet, KeePassXC
	Kernel        Choice = "kernel"         // Linux: for session keys alone, gone at a reboot
	Keychain      Choice = "keychain"       // macOS
	WinCred       Choice = "wincred"        // Windows
	Passphrase    Choice = "passphrase"     // a sealed file
	Pass          Choice = "pass"           // the standard Unix password manager
	None          Choice = "none"
)

// Options are what the keyrings need to know of the world. Nothing of it is
// read from the environment.
type Options struct {
	Kind Kind

	// MayPrompt says that a person is there to answer the prompt of another
	// program: at a display, or at a terminal.
	MayPrompt bool

	// SessionBus is the value of DBUS_SESSION_BUS_ADDRESS, and RuntimeDir that
	// of XDG_RUNTIME_DIR. They say where the Secret Service is.
	SessionBus string
	RuntimeDir string

	// File is the path of the sealed file.
	File string
	// AskPassphrase asks for the passphrase of the sealed file, or lets a new
	// one be chosen. nil says that nobody can be asked.
	AskPassphrase func(ctx context.Context, choose bool) (string, error)
	// Lock keeps other processes from changing the sealed file. It must not be
	// the lock that [SessionKey] is called with. nil says that there are none.
	Lock func(context.Context) (unlock func(), err error)

	// PassProgram is the path of pass, empty where there is none, and
	// PassEnvironment what it runs with. pass asks on the terminal that
	// GPG_TTY names there.
	PassProgram     string
	PassEnvironment []string
}

// Opened is a keyring, and how it came to be the one.
type Opened struct {
	Choice Choice // never Auto
	// Skipped says of each keyring that Auto would rather have used why it did
	// not.
	Skipped []error

	keyring Keyring
}

// Open opens a keyring. A choice other than Auto is that keyring or an error,
// whatever else there may be; its first use, and not Open, finds out whether
// it works.
//
// Auto takes the first keyring of the system's order that can be used at once,
// and the sealed file last; where that cannot be used either, it is None, which
// fails at every use. For session keys a locked keyring is passed over: they
// are not worth a prompt. For long-lived keys it is not: to look elsewhere
// would be to say that there are none.
func Open(ctx context.Context, c Choice, o Options) (*Opened, error) {
	if o.Kind != SessionKeys && o.Kind != AccessKeys {
		return nil, fmt.Errorf("no keyring is for secrets of kind %q", o.Kind)
	}
	if c != Auto {
		k, err := o.open(c)
		if err != nil {
			return nil, fmt.Errorf("keyring %s: %w", c, err)
		}
		return &Opened{Choice: c, keyring: k}, nil
	}
	var skipped []error
	for _, c := range append(slices.Clone(order), Passphrase) {
		k, err := o.open(c)
		if err == nil {
			err = o.probe(ctx, k)
		}
		if err == nil {
			return &Opened{c, skipped, k}, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		skipped = append(skipped, fmt.Errorf("keyring %s: %w", c, err))
	}
	return &Opened{None, skipped, none{}}, nil
}

// open makes the keyring c, without using it.
func (o Options) open(c Choice) (Keyring, error) {
	switch c {
	case Passphrase:
		if o.AskPassphrase == nil {
			return nil, fmt.Errorf("%w: nobody can be asked for the passphrase", ErrUnavailable)
		}
		return newFile(o), nil
	case Pass:
		if o.PassProgram == "" {
			return nil, fmt.Errorf("%w: there is no program pass", ErrUnavailable)
		}
		return newPass(o), nil
	case None:
		return none{}, nil
	default:
		return o.openSystem(c)
	}
}

// Get implements [Keyring].
func (o *Opened) Get(ctx context.Context, name string) ([]byte, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	secret, err := o.keyring.Get(ctx, name)
	if err == nil {
		err = checkSecret(secret)
	}
	if err != nil {
		return nil, o.explain(err)
	}
	return secret, nil
}

// Set implements [Keyring].
func (o *Opened) Set(ctx context.Context, name string, secret []byte) error {
	if err := checkName(name); err != nil {
		return err
	}
	if err := checkSecret(secret); err != nil {
		return o.explain(err)
	}
	return o.explain(o.keyring.Set(ctx, name, secret))
}

// Delete implements [Keyring].
func (o *Opened) Delete(ctx context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	return o.explain(o.keyring.Delete(ctx, name))
}

func (o *Opened) explain(err error) error {
	if err != nil {
		err = fmt.Errorf("keyring %s: %w", o.Choice, err)
	}
	return err
}

// Close gives up what the keyring holds open. The secrets stay.
func (o *Opened) Close() error {
	if c, ok := o.keyring.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
