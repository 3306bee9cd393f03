// Package cache keeps sessions sealed on disk, one file each, for all
// processes of one user.
//
// A file is opened only with the user's key-encryption key and only under the
// name it was written with. Whatever else is found in its place is a miss: a
// cache that fails costs speed, never the job, and never yields the session
// of another role. What an entry is stands in it in clear but authenticated,
// so that sessions are listed without asking for the key.
package cache

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/folder"
	"aws-switch-role/internal/plan"
	"aws-switch-role/internal/session"
)

// Dir is a [session.Store] in a directory. Many processes may use one
// directory at once, and many goroutines one Dir.
type Dir struct {
	path, locks string
	key         func() ([]byte, error)
	now         func() time.Time
	waiting     func(Holder)
	log         *slog.Logger

	local session.Memory // its locks are those within the process

	open atomic.Pointer[os.Root] // of the sessions, while it is held

	mu    sync.Mutex // guards what follows
	held  map[*os.File]bool
	doing string
}

// Options are the parts of a [Dir] that may be left out.
type Options struct {
	// Now is the clock; nil stands for time.Now.
	Now func() time.Time
	// Waiting is told whom a lock is waited for, after a second and again
	// when that changes; nil drops it. Its text was written by another
	// process.
	Waiting func(Holder)
	// Log is told why an entry is a miss and why a lock is not shared with
	// other processes, never a secret; nil drops it.
	Log *slog.Logger
}

// New returns the store whose sessions are in dir, with its locks and the
// memory of spent codes in locks, which should be on a local file system. Both
// are made when first written to, readable by the user alone. An empty dir
// holds nothing and keeps nothing.
//
// key returns the key-encryption key, [KeySize] bytes. It is called once at
// most, and not before there is an entry to open or a session to seal.
func New(dir, locks string, key func() ([]byte, error), o Options) *Dir {
	d := &Dir{
		path: clean(dir), locks: clean(locks),
		now: o.Now, waiting: o.Waiting, log: o.Log,
		held: map[*os.File]bool{},
	}
	d.key = sync.OnceValues(func() ([]byte, error) {
		k, err := key()
		if err != nil {
			return nil, fmt.Errorf("the key of the cache: %w", err)
		}
		return k, checkKey(k)
	})
	if d.now == nil {
		d.now = time.Now
	}
	if d.waiting == nil {
		d.waiting = func(Holder) {}
	}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	return d
}

// clean is filepath.Clean that keeps the empty path empty. A path that ended
// in a slash would follow a link planted in the directory's place.
func clean(path string) string {
	if path == "" {
		return ""
	}
	return filepath.Clean(path)
}

// Load implements [session.Store]. The only error is [session.ErrMiss]; why
// it was one is for the log.
func (d *Dir) Load(k plan.Key) (cred.Credentials, error) {
	c, err := d.load(k)
	if err != nil {
		d.log.Debug("no session from the cache", "key", k.String(), "why", err)
		return cred.Credentials{}, session.ErrMiss
	}
	return c, nil
}

// Hold keeps the directory of the sessions open, for who loads thousands of
// them, until release is called; nobody may load any at that moment. A directory
// that does not exist yet is opened for each, once it does.
func (d *Dir) Hold() (release func()) {
	root, err := folder.Open(d.path)
	if err != nil {
		return func() {}
	}
	d.open.Store(root)
	return func() {
		d.open.Store(nil)
		_ = root.Close()
	}
}

func (d *Dir) load(k plan.Key) (cred.Credentials, error) {
	root := d.open.Load()
	if root == nil {
		var err error
		if root, err = folder.Open(d.path); err != nil {
			return cred.Credentials{}, err
		}
		defer root.Close()
	}
	e, err := readEntry(root, k)
	if err != nil {
		return cred.Credentials{}, err
	}
	if err := e.about.check(d.now()); err != nil {
		return cred.Credentials{}, err
	}
	kek, err := d.key()
	if err != nil {
		return cred.Credentials{}, err
	}
	return e.open(kek)
}

// Save implements [session.Store]. Only temporary credentials with an expiry
// are kept, their expiry to the second: a long-lived key must not get into a
// cache.
func (d *Dir) Save(p plan.Plan, i int, c cred.Credentials) error {
	if !c.Temporary() || c.Expires.IsZero() {
		return errors.New("only sessions that expire are kept in the cache")
	}
	root, err := folder.Make(d.path)
	if err != nil {
		return err
	}
	defer root.Close()
	kek, err := d.key()
	if err != nil {
		return err
	}
	now := d.now()
	b, err := seal(kek, describe(p, i, c.Expires, now), c)
	if err != nil {
		return err
	}
	if err := replace(root, fileName(p.Key(i)), b); err != nil {
		return err
	}
	d.sweep(root, now)
	return nil
}

// suffix of the names of entries. It has the version of their format in it,
// so that programs of different versions do not fight over a name.
const suffix = ".v1"

// fileName is the key's own digest. It hides no less than a name derived from
// the key-encryption key would, as what a session is stands in the file in
// clear, and an absent entry is a miss without asking for any key.
func fileName(k plan.Key) string { return k.String() + suffix }

// keyOf is the inverse of fileName.
func keyOf(name string) (k plan.Key, ok bool) {
	digest, ok := strings.CutSuffix(name, suffix)
	if !ok || len(digest) != hex.EncodedLen(sha256.Size) {
		return k, false
	}
	if _, err := hex.Decode(k[:], []byte(digest)); err != nil {
		return k, false
	}
	return k, fileName(k) == name
}

// readEntry reads the entry kept under k, without opening it.
func readEntry(root *os.Root, k plan.Key) (entry, error) {
	f, err := openFile(root, fileName(k), os.O_RDONLY)
	if err != nil {
		return entry{}, err
	}
	defer f.Close()
	b, err := readAtMost(f, maxEntry)
	if err != nil {
		return entry{}, err
	}
	return parse(b, k)
}

// tempPrefix begins the names of files that are being written.
const tempPrefix = ".tmp-"

// replace writes a file so that a reader finds the old content or the new,
// whatever happens in between. It does not wait for the disk: an entry that a
// power failure takes is a miss.
func replace(root *os.Root, name string, b []byte) error {
	temp := tempPrefix + rand.Text()
	f, err := root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, root.Remove(temp))
	}
	if err := root.Rename(temp, name); err != nil {
		return errors.Join(err, root.Remove(temp))
	}
	return nil
}

// Every sweepEvery, a Save removes what has expired, and files of writers
// that did not live to rename them, leaving those younger than strayAge to a
// writer that may yet.
const (
	sweepEvery = time.Hour
	strayAge   = time.Hour
	sweepMost  = 10_000 // files looked at in one sweep
)

// The directory is marked as one that backups may leave out (Cache Directory
// Tagging Specification, bford.info/cachedir). The time of the mark's last
// change is that of the last sweep.
const (
	tagName = "CACHEDIR.TAG"
	tagText = "Signature: 8a477f597d28d172789f06886806bc55\n# Sealed sessions of aws-switch-role. They may be deleted at any time.\n"
)

// sweep removes the dead if it is time to, and says so nowhere but in the
// log: the session that was to be kept is kept.
func (d *Dir) sweep(root *os.Root, now time.Time) {
	due, err := sweepDue(root, now)
	if due {
		var names []string
		names, err = fileNames(root, sweepMost)
		for _, name := range names {
			err = errors.Join(err, d.sweepFile(root, name, now))
		}
	}
	if err != nil {
		d.log.Debug("sweeping the cache", "error", err)
	}
}

// sweepDue reports whether it is time to sweep, and marks that it is done, so
// that nobody else begins.
func sweepDue(root *os.Root, now time.Time) (bool, error) {
	tag, err := root.Lstat(tagName)
	if errors.Is(err, fs.ErrNotExist) {
		if err := replace(root, tagName, []byte(tagText)); err != nil {
			return false, err
		}
		return false, root.Chtimes(tagName, now, now)
	}
	if err != nil {
		return false, err
	}
	if age := now.Sub(tag.ModTime()); age >= 0 && age < sweepEvery {
		return false, nil
	}
	err = root.Chtimes(tagName, now, now)
	return err == nil, err
}

// sweepFile removes a file of ours that has expired. One that cannot be told
// to have is given as long as a stray one.
func (d *Dir) sweepFile(root *os.Root, name string, now time.Time) error {
	k, isEntry := keyOf(name)
	if !isEntry && !strings.HasPrefix(name, tempPrefix) {
		return nil
	}
	if isEntry {
		if e, err := readEntry(root, k); err == nil {
			if e.about.Expires.After(now) {
				return nil
			}
			return d.removeExpired(root, k, now)
		}
	}
	fi, err := root.Lstat(name)
	if err != nil || now.Sub(fi.ModTime()) < strayAge {
		return ignoreGone(err)
	}
	return remove(root, name)
}

// removeExpired removes an entry unless somebody is about to replace it, or
// just has.
func (d *Dir) removeExpired(root *os.Root, k plan.Key, now time.Time) error {
	unlock, ok := d.tryLock(k)
	if !ok {
		return nil
	}
	defer unlock()
	if e, err := readEntry(root, k); err != nil || e.about.Expires.After(now) {
		return nil
	}
	return remove(root, fileName(k))
}

// List returns what is known of the live sessions, in the order of their
// expiry. It asks for no key and so cannot tell whether an entry will open:
// what it says is for people to read, and as true as the directory is.
func (d *Dir) List() ([]About, error) {
	now := d.now()
	var list []About
	err := d.each(func(_ *os.Root, a About) error {
		if a.check(now) == nil {
			list = append(list, a)
		}
		return nil
	})
	sortByExpiry(list)
	return list, err
}

// Remove removes the sessions that match and returns how many those were.
func (d *Dir) Remove(match func(About) bool) (n int, err error) {
	err = d.each(func(root *os.Root, a About) error {
		if !match(a) {
			return nil
		}
		err := remove(root, fileName(a.Key))
		if err == nil {
			n++
		}
		return err
	})
	return n, err
}

// each calls f for every entry that can be read, live or not. A directory
// that does not exist has none.
func (d *Dir) each(f func(*os.Root, About) error) error {
	root, names, err := d.names()
	if root == nil {
		return err
	}
	defer root.Close()
	for _, name := range names {
		k, ok := keyOf(name)
		if !ok {
			continue
		}
		e, rerr := readEntry(root, k)
		if rerr != nil {
			d.log.Debug("unreadable entry in the cache", "key", k.String(), "why", rerr)
			continue
		}
		err = errors.Join(err, f(root, e.about))
	}
	return err
}

// Clear removes every file of the cache, those that cannot be read and those
// of other versions of the program included.
func (d *Dir) Clear() error {
	root, names, err := d.names()
	if root == nil {
		return err
	}
	defer root.Close()
	for _, name := range names {
		digest, _, versioned := strings.Cut(name, ".v")
		if versioned && len(digest) == hex.EncodedLen(sha256.Size) || strings.HasPrefix(name, tempPrefix) || strings.HasSuffix(name, longestSuffix) {
			err = errors.Join(err, remove(root, name))
		}
	}
	return err
}

// names opens the directory and lists it. The root is nil when there is an
// error or no directory.
func (d *Dir) names() (*os.Root, []string, error) {
	root, err := folder.Open(d.path)
	if err != nil {
		return nil, nil, ignoreGone(err)
	}
	names, err := fileNames(root, -1)
	return root, names, err
}

// remove removes a file, unless somebody else has.
func remove(root *os.Root, name string) error { return ignoreGone(root.Remove(name)) }

func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
