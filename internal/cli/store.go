package cli

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"aws-switch-role/internal/cache"
	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/hop"
	"aws-switch-role/internal/keeper"
	"aws-switch-role/internal/keyring"
	"aws-switch-role/internal/message"
	"aws-switch-role/internal/plan"
	"aws-switch-role/internal/recent"
	"aws-switch-role/internal/session"
	"aws-switch-role/internal/term"
)

// folders are where the program keeps things. An empty one is nowhere: what
// would be kept there is not.
type folders struct {
	sessions string // sealed sessions, which may be lost at any time
	locks    string // locks and spent codes, which may not outlive the machine's run
	signIns  string // sealed sign-ins, for which a person would have to come back
	data     string // what must not be lost
	state    string // what was done last, for convenience
	// shells are for the files of switched shells, which may not outlive the
	// machine's run: the first that can be used.
	shells []string
}

// folderName is ours below the directories of the system.
const folderName = "aws-switch-role"

// folders finds the directories, by the XDG Base Directory Specification
// where its variables are set and by the system's custom elsewhere.
func (a *app) folders() folders {
	var f folders
	if dir := a.xdg("XDG_CACHE_HOME", os.UserCacheDir); dir != "" {
		f.sessions = filepath.Join(dir, folderName, "sessions")
		f.shells = []string{filepath.Join(dir, folderName)}
		f.signIns = filepath.Join(dir, folderName, "sign-ins")
	}
	if dir := a.xdg("XDG_DATA_HOME", os.UserConfigDir); dir != "" {
		f.data = filepath.Join(dir, folderName)
	}
	if dir := a.xdg("XDG_STATE_HOME", recent.Home); dir != "" {
		f.state = filepath.Join(dir, folderName)
	}
	f.locks = filepath.Join(os.TempDir(), folderName+"-"+strconv.Itoa(os.Getuid()))
	if dir := a.getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		f.locks = filepath.Join(dir, folderName)
		f.shells = slices.Insert(f.shells, 0, f.locks)
	}
	return f
}

// xdg is a directory that a variable names, which must be absolute, else the
// system's.
func (a *app) xdg(variable string, system func() (string, error)) string {
	if dir := a.getenv(variable); filepath.IsAbs(dir) {
		return dir
	}
	if dir, err := system(); err == nil && filepath.IsAbs(dir) {
		return dir
	}
	return ""
}

// How long another process is waited for that makes a session or changes keys: a person at a
// terminal can see what is going on, a program cannot.
const (
	patienceOfPeople   = 2 * time.Minute
	patienceOfPrograms = 20 * time.Second
)

// cached opens the session cache of this run.
func (a *app) cached(ctx context.Context, f *switchFlags) *cache.Dir {
	dirs := a.folders()
	return cache.New(dirs.sessions, dirs.locks, func() ([]byte, error) { return a.sessionKey(ctx, f) }, cache.Options{
		Now: a.now, Log: a.log(), Waiting: a.tellHolder,
	})
}

// tellHolder tells the person whom a lock is waited for.
func (a *app) tellHolder(h cache.Holder) {
	a.toTerminal(a.sentence(message.New("waiting-for", "waiting for %s", h)))
}

// patience is how long another process is waited for.
func (a *app) patience() time.Duration {
	if a.hasTerminal() {
		return patienceOfPeople
	}
	return patienceOfPrograms
}

// store is the session store of this run: the cache, waited for no longer than
// is sensible, or nothing that lasts.
func (a *app) store(f *switchFlags, dir *cache.Dir) session.Store {
	if choice, err := a.keyringChoice(); f.noCache || err == nil && choice == keyring.None {
		return &session.Memory{}
	}
	limit := a.patience()
	if f.noInput {
		limit = patienceOfPrograms
	}
	return patient{dir, limit}
}

// signIns is where this run keeps sign-ins to IAM Identity Center: sealed on
// the disk, or in memory where no keyring is to be used. lasting reports which.
func (a *app) signIns(dir *cache.Dir) (v *hop.Vault, lasting bool) {
	if choice, err := a.keyringChoice(); err != nil || choice == keyring.None {
		return a.passing.vault(), false
	}
	sealed := dir.Vault(a.folders().signIns)
	return &hop.Vault{Load: sealed.Load, Reserve: sealed.Reserve, Remove: sealed.Remove}, true
}

// passingSignIns are sign-ins that end with the process. The zero value has
// none.
type passingSignIns struct {
	kept sync.Map
	in   *keeper.Vault // where they are kept instead, if it is not nil
}

func (p *passingSignIns) load(name string) (text []byte, ok bool) {
	if p.in != nil {
		c, _ := p.in.Get(signInPrefix + name)
		text = []byte(c.SecretAccessKey.Reveal())
	} else if v, found := p.kept.Load(name); found {
		text = v.([]byte)
	}
	return text, len(text) > 0
}

// store keeps a sign-in, or forgets it when text is empty.
func (p *passingSignIns) store(name string, text []byte) {
	if p.in != nil {
		p.in.Put(signInPrefix+name, cred.Credentials{SecretAccessKey: cred.NewSecret(string(text))})
		return
	}
	p.kept.Store(name, text)
}

func (p *passingSignIns) vault() *hop.Vault {
	return &hop.Vault{
		Passing: true,
		Load: func(name string) ([]byte, error) {
			if text, ok := p.load(name); ok {
				return text, nil
			}
			return nil, fs.ErrNotExist
		},
		Reserve: func(name string) (func([]byte) error, func(), error) {
			return func(text []byte) error { p.store(name, text); return nil }, func() {}, nil
		},
		Remove: func(name string) error { p.store(name, nil); return nil },
	}
}

// patient is a cache whose locks are waited for so long and no longer.
type patient struct {
	*cache.Dir
	limit time.Duration
}

// Lock implements session.Store.
func (p patient) Lock(ctx context.Context, k plan.Key) (func(), error) {
	ctx, cancel := context.WithTimeout(ctx, p.limit)
	defer cancel()
	return p.Dir.Lock(ctx, k)
}

// sessionKey reads the key that sessions are sealed under from the keyring.
func (a *app) sessionKey(ctx context.Context, f *switchFlags) ([]byte, error) {
	if key, ok := a.seal.bytes(); ok {
		return key, nil
	}
	defer a.waitingForKeyring(f)()
	k, err := a.openKeyring(ctx, f, keyring.SessionKeys)
	if err != nil {
		return nil, err
	}
	defer k.Close()
	key, err := keyring.SessionKey(ctx, k, a.lockNamed("session key"))
	if err == nil && k.Choice == keyring.Passphrase {
		a.seal.keep(cred.NewSecret(base64.StdEncoding.EncodeToString(key)))
	}
	return key, err
}

// keyringChoices are the values of AWS_SWITCH_ROLE_KEYRING.
var keyringChoices = []keyring.Choice{
	keyring.Auto, keyring.SecretService, keyring.Kernel, keyring.Passphrase, keyring.Keychain, keyring.WinCred, keyring.Pass, keyring.None,
}

// keyringChoice is what AWS_SWITCH_ROLE_KEYRING says.
func (a *app) keyringChoice() (keyring.Choice, error) {
	choice := keyring.Choice(a.getenv("AWS_SWITCH_ROLE_KEYRING"))
	if choice == "" {
		return keyring.Auto, nil
	}
	if !slices.Contains(keyringChoices, choice) {
		return "", usagef("AWS_SWITCH_ROLE_KEYRING is one of %s, not %q", choiceNames(), string(choice))
	}
	return choice, nil
}

// openKeyring opens the keyring that AWS_SWITCH_ROLE_KEYRING names, or the
// first that can be used.
func (a *app) openKeyring(ctx context.Context, f *switchFlags, kind keyring.Kind) (*keyring.Opened, error) {
	choice, err := a.keyringChoice()
	if err != nil {
		return nil, err
	}
	k, err := keyring.Open(ctx, choice, a.keyringOptions(f, kind))
	if err != nil {
		return nil, err
	}
	for _, skipped := range k.Skipped {
		a.log().Debug("keyring passed over", "why", skipped)
	}
	a.log().Debug("keyring", "choice", string(k.Choice), "kind", string(kind))
	return k, nil
}

// keyringOptions tell the keyrings what they need to know of this run.
func (a *app) keyringOptions(f *switchFlags, kind keyring.Kind) keyring.Options {
	o := keyring.Options{
		Kind:            kind,
		MayPrompt:       !f.noInput && (a.hasTerminal() || a.getenv("DISPLAY") != "" || a.getenv("WAYLAND_DISPLAY") != ""),
		SessionBus:      a.getenv("DBUS_SESSION_BUS_ADDRESS"),
		RuntimeDir:      a.getenv("XDG_RUNTIME_DIR"),
		Lock:            a.lockNamed("sealed file"),
		PassEnvironment: a.withoutAWS(),
	}
	if dir := a.folders().data; dir != "" {
		o.File = filepath.Join(dir, "keyring")
		o.AskPassphrase = a.passphraseAsker(f)
	}
	if path, err := exec.LookPath("pass"); err == nil {
		o.PassProgram = path
	}
	return o
}

func choiceNames() string {
	names := make([]string, len(keyringChoices))
	for i, c := range keyringChoices {
		names[i] = string(c)
	}
	return strings.Join(names, ", ")
}

// passphraseAsker returns the way to the passphrase of the sealed file: the
// variable that answers for a script, else the terminal; nil where there is
// neither.
func (a *app) passphraseAsker(f *switchFlags) func(ctx context.Context, choose bool) (string, error) {
	if p := a.getenv("AWS_SWITCH_ROLE_PASSPHRASE"); p != "" {
		return func(context.Context, bool) (string, error) {
			a.waits.question() // nobody is waited for now: deriving the key takes its time
			return p, nil
		}
	}
	if f.noInput || !a.hasTerminal() {
		return nil
	}
	return func(ctx context.Context, choose bool) (string, error) {
		a.waits.question()
		t, err := term.Open()
		if err != nil {
			return "", err
		}
		defer t.Close()
		if !choose {
			return t.Ask(ctx, "Passphrase of the aws-switch-role keyring: ")
		}
		t.Print("Nothing else here keeps secrets, so a file will, sealed with a passphrase of yours.")
		p, err := t.Ask(ctx, "New passphrase, 8 characters or more: ")
		if err != nil {
			return "", err
		}
		again, err := t.Ask(ctx, "The same again: ")
		if err != nil {
			return "", err
		}
		if p != again {
			return "", errors.New("the two passphrases differ")
		}
		return p, nil
	}
}

// lockNamed returns a lock among all processes of the user, for what is done
// in a moment.
func (a *app) lockNamed(name string) func(context.Context) (func(), error) {
	return func(ctx context.Context) (func(), error) {
		return a.namedLocks().Lock(ctx, lockKey(name))
	}
}

// lockKeys keeps other processes from changing long-lived keys, and has them
// know what this one is doing: a rotation may take a minute, and a question
// as long as it takes to answer.
func (a *app) lockKeys(ctx context.Context, doing string) (unlock func(), err error) {
	locks := a.namedLocks()
	locks.limit = a.patience()
	locks.Doing(doing)
	return locks.Lock(ctx, lockKey("long-lived keys"))
}

// namedLocks are locks that are of no session.
func (a *app) namedLocks() patient {
	return patient{
		Dir:   cache.New("", a.folders().locks, nil, cache.Options{Now: a.now, Log: a.log(), Waiting: a.tellHolder}),
		limit: patienceOfPrograms,
	}
}

func lockKey(name string) plan.Key { return plan.Key(sha256.Sum256([]byte("named " + name))) }

// lockVisit is lockNamed for who waits until somebody has signed in, as long
// as ctx runs.
func (a *app) lockVisit(ctx context.Context, name string) (unlock func(), err error) {
	return a.namedLocks().Dir.Lock(ctx, lockKey(name))
}

// hasTerminal reports whether a person can be asked or told anything.
func (a *app) hasTerminal() bool {
	t, err := term.Open()
	if err != nil {
		return false
	}
	_ = t.Close()
	return true
}

// toTerminal tells the person something, if there is one.
func (a *app) toTerminal(line string) {
	if t, err := term.Open(); err == nil {
		t.Print(line)
		_ = t.Close()
	}
}

// warn tells of the first of the failures that do not stop a switch: what cannot
// be kept costs speed, and one notice, for the others have the same cause.
func (a *app) warn(quiet bool, err error) {
	a.log().Debug("going on without", "error", err)
	if !quiet {
		a.warned.Do(func() { fmt.Fprintf(a.stderr, "warning: %s\n", clean(err.Error())) })
	}
}
