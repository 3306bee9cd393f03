package hop

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/message"
	"aws-switch-role/internal/plan"
)

// SignInError says that somebody must sign in, in a browser, before a hop can
// be done.
type SignInError struct {
	Profile string // whose hop it is
	Session string // the sso-session that is signed in to; empty where there is none
	Login   bool   // it is the sign-in of aws login, not of IAM Identity Center
	Msg     message.Text
	Err     error // what the sign-in at hand failed with; may be nil
}

// Error implements error.
func (e *SignInError) Error() string { return e.Msg.String() }

// Unwrap returns the cause.
func (e *SignInError) Unwrap() error { return e.Err }

// TokenFileError says that a file is not what the AWS CLI writes there.
type TokenFileError struct {
	Path string
	Err  error // which tells nothing of what is in the file
}

// Error implements error.
func (e *TokenFileError) Error() string { return e.Path + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *TokenFileError) Unwrap() error { return e.Err }

// Vault keeps sign-ins where this program alone can read them. Names are
// hexadecimal digits.
type Vault struct {
	// Passing says that what is kept ends with this process.
	Passing bool
	// Load returns what is kept; its error is [fs.ErrNotExist] where nothing is.
	Load func(name string) ([]byte, error)
	// Reserve makes room for what is to be kept. keep returns when it cannot
	// get lost any more; discard gives the room back, unless it was used.
	Reserve func(name string) (keep func([]byte) error, discard func(), err error)
	Remove  func(name string) error
}

// signIn is a sign-in that the AWS CLI keeps in a file, or we in the vault,
// and how it is used.
type signIn struct {
	hop     plan.Hop      // that it is for
	host    string        // that renews it
	path    string        // of the AWS CLI's file
	sealed  string        // its name in the vault; "" for what is never there
	minLeft time.Duration // it is renewed with less life than this
	expires func(*tokenFile) (time.Time, error)
	// check says why the sign-in cannot be renewed; nil when it can.
	check func(*tokenFile) error
	// renew spends the file's refresh token, and puts what it got for it into
	// the file.
	renew func(context.Context, *tokenFile) error
	// fail is the error for a sign-in that is of no use any more.
	fail func(msg message.Text, cause error) error
}

// What a sign-in is of no use for.
func unreadable() message.Text {
	return message.New("sign-in-unreadable", "the sign-in cannot be read")
}
func ended() message.Text { return message.New("sign-in-ended", "the sign-in has ended") }

const (
	// lastMoments is the life below which a token is no help even when it
	// cannot be renewed.
	lastMoments = 30 * time.Second
	// answerGrace is how much longer than its caller a renewal waits for the
	// answer: a refresh token is good once, and it is spent already.
	answerGrace = 5 * time.Second
)

// current returns the sign-in, renewed if that is due. Of however many callers
// one renews it, while the others wait for the file.
//
// A refresh token is good once. So the new one is on disk before anything is
// done with it, and nothing is sent before there is a file to keep it in.
func (p *Performer) current(ctx context.Context, s signIn) (*tokenFile, error) {
	kept, err := p.read(s)
	if err != nil {
		return nil, err
	}
	best := kept[0]
	if best.left >= s.minLeft || best.left > 0 && !slices.ContainsFunc(kept, func(k keptFile) bool { return s.check(k.tokenFile) == nil }) {
		return best.tokenFile, nil
	}
	unlock, err := p.lock(ctx, s.path)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if kept, err = p.read(s); err != nil {
		return nil, err
	}
	best = kept[0]
	if best.left >= s.minLeft {
		return best.tokenFile, nil
	}
	fresh, err := p.renewAny(ctx, s, kept)
	if err == nil {
		return fresh, nil
	}
	if best.left > lastMoments {
		p.log().Debug("using a sign-in that could not be renewed", "left", best.left, "error", err)
		return best.tokenFile, nil
	}
	return nil, err
}

// renewAny renews the first of the files that can be renewed.
func (p *Performer) renewAny(ctx context.Context, s signIn, kept []keptFile) (fresh *tokenFile, err error) {
	for _, k := range kept {
		cause := s.check(k.tokenFile)
		if cause == nil {
			if fresh, cause = p.renewed(ctx, s, k.tokenFile); cause == nil {
				return fresh, nil
			}
			// Tools that do not lock may have been faster.
			if now, rerr := p.read(s); rerr == nil && now[0].left >= s.minLeft {
				return now[0].tokenFile, nil
			}
		}
		err = cmp.Or(err, cause)
	}
	return nil, err
}

// keptFile is a sign-in as it was found, and how long it lives.
type keptFile struct {
	*tokenFile
	left time.Duration
}

// read reads the sign-in from the AWS CLI's file and from the vault. Where both
// have one, the one that lives longer is the younger, and the first; of two
// that end in the same second it is that in the vault, to which we sign in.
func (p *Performer) read(s signIn) ([]keptFile, error) {
	var found []keptFile
	now := p.now().Round(0)
	f, err := readTokenFile(s.path)
	found, err = s.found(found, now, f, err)
	if s.sealed != "" && p.Vault != nil {
		f, verr := p.readSealed(s.sealed)
		if found, verr = s.found(found, now, f, verr); verr != nil && (err == nil || errors.Is(err, fs.ErrNotExist)) {
			err = verr
		}
	}
	if len(found) > 0 {
		slices.Reverse(found)
		slices.SortStableFunc(found, func(a, b keptFile) int { return cmp.Compare(b.left, a.left) })
		return found, nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, s.fail(message.New("sign-in-none", "nobody has signed in"), err)
	}
	return nil, s.fail(unreadable(), err)
}

// found adds a file that was read to those found, unless it cannot be used.
func (s signIn) found(all []keptFile, now time.Time, f *tokenFile, err error) ([]keptFile, error) {
	if err != nil {
		return all, err
	}
	end, err := s.expires(f)
	if err != nil {
		return all, f.wrong(err)
	}
	return append(all, keptFile{f, end.Round(0).Sub(now)}), nil
}

// renew puts a renewed sign-in into f and into its file.
func (p *Performer) renew(ctx context.Context, s signIn, f *tokenFile) error {
	keep, discard, err := f.reserve()
	if err != nil {
		return fmt.Errorf("renewing the sign-in: %w", err)
	}
	defer discard()
	if p.Undisturbed != nil {
		defer p.Undisturbed()()
	}
	exchange, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(answerGrace, cancel) })()
	if err := s.renew(exchange, f); err != nil {
		return err
	}
	if err := keep(f.encode()); err != nil {
		return fmt.Errorf("keeping the renewed sign-in: %w", err)
	}
	return nil
}

// lock holds the file against others that want to renew it. A lock that fails
// is done without.
func (p *Performer) lock(ctx context.Context, path string) (unlock func(), err error) {
	if p.Lock == nil {
		return func() {}, nil
	}
	unlock, err = p.Lock(ctx, path)
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		p.log().Debug("locking the sign-in", "error", err)
		return func() {}, nil
	}
	return unlock, nil
}

// tokenFile is a file of one of the AWS CLI's token caches, or what stands for
// it in the vault.
type tokenFile struct {
	object
	path string
	mode fs.FileMode
	// passing says that it ends with this process.
	passing bool
	// reserve makes room for what takes the file's place, as that of [Vault].
	reserve func() (keep func([]byte) error, discard func(), err error)
}

// readSealed reads a sign-in from the vault.
func (p *Performer) readSealed(name string) (*tokenFile, error) {
	b, err := p.Vault.Load(name)
	if err != nil {
		return nil, err
	}
	f := p.sealedFile(name)
	if f.object, err = parseObject(b); err != nil {
		return nil, f.wrong(err)
	}
	return f, nil
}

// sealedFile is a file in the vault with nothing in it yet.
func (p *Performer) sealedFile(name string) *tokenFile {
	return &tokenFile{path: "the sealed sign-in", passing: p.Vault.Passing, reserve: func() (func([]byte) error, func(), error) { return p.Vault.Reserve(name) }}
}

// plainFile is a file of the AWS CLI's with nothing in it yet.
func plainFile(path string) *tokenFile {
	f := &tokenFile{path: path, mode: 0o600}
	f.reserve = func() (func([]byte) error, func(), error) {
		place, err := reserve(filepath.Dir(f.path))
		if err != nil {
			return nil, nil, err
		}
		return func(b []byte) error { return place.keep(b, f) }, place.discard, nil
	}
	return f
}

// maxTokenFile is far more than any of the AWS CLI's: a few KiB.
const maxTokenFile = 1 << 20

// readTokenFile reads a file that must be what the AWS CLI writes: a regular
// one with a JSON object in it. Through a symbolic link nothing is read, for a
// rename would not write through it.
func readTokenFile(path string) (*tokenFile, error) {
	f := plainFile(path)
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, f.wrong(message.New("file-not-regular", "it is not a regular file"))
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, maxTokenFile+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxTokenFile {
		return nil, f.wrong(message.New("file-too-large", "it is too large"))
	}
	f.mode = info.Mode().Perm()
	if f.object, err = parseObject(b); err != nil {
		return nil, f.wrong(err)
	}
	return f, nil
}

// wrong says what is wrong with the file.
func (f *tokenFile) wrong(err error) error { return &TokenFileError{f.path, err} }

// clone returns a file that can be changed without f.
func (f *tokenFile) clone() *tokenFile {
	c := *f
	c.object = append(object(nil), f.object...)
	return &c
}

// The names of files that are being written. They do not end in .json, for
// which tools look through these directories.
const (
	placePrefix = ".aws-switch-role-"
	placeSuffix = ".tmp"
	strayAge    = time.Hour
)

// place is a file beside a tokenFile, to be written and put in its stead.
type place struct {
	file *os.File
	kept bool
}

// reserve makes a place in a directory. It throws away those that killed
// processes have left behind.
func reserve(dir string) (*place, error) {
	if strays, err := filepath.Glob(filepath.Join(dir, placePrefix+"*"+placeSuffix)); err == nil {
		for _, s := range strays {
			if info, err := os.Lstat(s); err == nil && time.Since(info.ModTime()) > strayAge {
				_ = os.Remove(s)
			}
		}
	}
	file, err := os.CreateTemp(dir, placePrefix+"*"+placeSuffix)
	if err != nil {
		return nil, err
	}
	return &place{file: file}, nil
}

// keep writes b for good: it is on disk, and in the place of the old file, when
// keep returns.
func (p *place) keep(b []byte, f *tokenFile) error {
	_, err := p.file.Write(b)
	err = errors.Join(err, p.file.Chmod(f.mode), p.file.Sync(), p.file.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(p.file.Name(), f.path); err != nil {
		return err
	}
	p.kept = true
	// The rename itself; systems that cannot sync a directory do without.
	if dir, err := os.Open(filepath.Dir(f.path)); err == nil {
		_ = dir.Sync()
		_ = dir.Close()
	}
	return nil
}

// discard removes the place unless it was kept.
func (p *place) discard() {
	if !p.kept {
		_ = p.file.Close()
		_ = os.Remove(p.file.Name())
	}
}

// object is a JSON object whose members keep their order and their text,
// whatever they mean: other tools have put some of them there.
type object []member

type member struct {
	name  string
	value json.RawMessage
}

// parseObject reads b, which must hold one JSON object and nothing else. Its
// errors say where, never what: there are secrets in it.
func parseObject(b []byte) (object, error) {
	if !json.Valid(b) {
		return nil, message.New("file-not-json", "it is not JSON, or not all of it is there")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, message.New("file-no-object", "it is not a JSON object")
	}
	var o object
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		m := member{name: t.(string)}
		if err := d.Decode(&m.value); err != nil {
			return nil, err
		}
		o = append(o, m)
	}
	return o, nil
}

// encode writes the object with the blanks of Python's json.dumps, as the AWS
// CLI does.
func (o object) encode() []byte {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteString(", ")
		}
		b.Write(quote(m.name))
		b.WriteString(": ")
		b.Write(m.value)
	}
	b.WriteByte('}')
	return b.Bytes()
}

// quote writes a JSON string. Text cannot fail to be marshalled.
func quote(s string) []byte {
	b, _ := json.Marshal(s)
	return b
}

// find returns the index of a member, -1 when there is none. Of two of one
// name the last counts, as it does for Python.
func (o object) find(name string) int {
	for i := len(o) - 1; i >= 0; i-- {
		if o[i].name == name {
			return i
		}
	}
	return -1
}

// set gives a member a new value.
func (o *object) set(name string, value []byte) {
	if i := o.find(name); i >= 0 {
		(*o)[i].value = value
		return
	}
	*o = append(*o, member{name, value})
}

// text returns a member that must be a text.
func (o object) text(name string) (string, error) {
	i := o.find(name)
	if i < 0 {
		return "", fmt.Errorf("it has no %s", name)
	}
	var s *string
	if err := json.Unmarshal(o[i].value, &s); err != nil || s == nil {
		return "", fmt.Errorf("its %s is not a text", name)
	}
	return *s, nil
}

// secret returns a member that must be a token: text that can stand in a
// header.
func (o object) secret(name string) (cred.Secret, error) {
	s, err := o.text(name)
	if err == nil && !printable(s, maxToken) {
		err = fmt.Errorf("its %s is none", name)
	}
	return cred.NewSecret(s), err
}

// time returns a member that must be a time. Older versions of the AWS CLI
// wrote UTC where RFC 3339 has Z.
func (o object) time(name string) (time.Time, error) {
	s, err := o.text(name)
	if err != nil {
		return time.Time{}, err
	}
	if utc, ok := strings.CutSuffix(s, "UTC"); ok {
		s = utc + "Z"
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("its %s is not a time", name)
	}
	return t, nil
}

// stamp is how the AWS CLI writes a time.
func stamp(t time.Time) []byte { return quote(t.UTC().Format(time.RFC3339)) }
