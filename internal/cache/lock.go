package cache

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"aws-switch-role/internal/folder"
	"aws-switch-role/internal/plan"
)

// A lock is tried again after pollMin to pollMax, at random, so that waiters
// do not march in step: a system call that waits for a lock could not be
// ended by a context.
const (
	pollMin = 25 * time.Millisecond
	pollMax = 250 * time.Millisecond
)

// patience is how long a lock is waited for in silence.
const patience = time.Second

// Holder is the process that holds a lock, as it describes itself.
type Holder struct {
	PID   int    // 0 when it is not known
	Doing string // see [Dir.Doing]; often empty
}

// String returns "pid 123 (asking for the MFA code)".
func (h Holder) String() string {
	switch {
	case h.PID == 0:
		return "another process"
	case h.Doing == "":
		return fmt.Sprintf("pid %d", h.PID)
	}
	return fmt.Sprintf("pid %d (%s)", h.PID, h.Doing)
}

// HeldError says that a context ended while a lock was waited for.
type HeldError struct {
	Holder Holder
	Err    error // the context's
}

// Error implements error.
func (e *HeldError) Error() string { return fmt.Sprintf("waiting for %s: %v", e.Holder, e.Err) }

// Unwrap returns the context's error.
func (e *HeldError) Unwrap() error { return e.Err }

// Lock implements [session.Store], among all processes that use the
// directory of locks and all goroutines of each. The kernel ends the lock of a
// process that dies.
//
// An error is of ctx, and a *HeldError where another process held the lock.
// Where the directory or its file system gives no locks, only the goroutines
// of this process exclude each other.
func (d *Dir) Lock(ctx context.Context, k plan.Key) (unlock func(), err error) {
	free, err := d.local.Lock(ctx, k)
	if err != nil {
		return nil, err
	}
	f, err := d.lockFile(ctx, lockName(k))
	if err != nil {
		if ctx.Err() != nil {
			free()
			return nil, err
		}
		d.log.Warn("this session is not locked against other processes", "error", err)
		return sync.OnceFunc(free), nil
	}
	d.hold(f)
	return sync.OnceFunc(func() {
		d.drop(f)
		free()
	}), nil
}

// tryLock is Lock for who does not wait: ok is false where another process
// holds the lock, or this one.
func (d *Dir) tryLock(k plan.Key) (unlock func(), ok bool) {
	f, err := d.openLock(lockName(k))
	if err != nil {
		return func() {}, true
	}
	ok, err = tryLockFile(f)
	if err == nil && !ok {
		f.Close()
		return nil, false
	}
	return func() { f.Close() }, true
}

// Doing tells those who wait for a lock of this process what it is doing
// while it holds it: "asking for the MFA code". Empty text ends that.
func (d *Dir) Doing(what string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.doing = what
	for f := range d.held {
		writeHolder(f, what)
	}
}

func lockName(k plan.Key) string { return k.String() + ".lock" }

// openLock opens a file to lock. Such files are never unlinked: a process
// that waits for one would be left with a lock that no newcomer sees.
func (d *Dir) openLock(name string) (*os.File, error) {
	root, err := folder.Make(d.locks)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return openFile(root, name, os.O_RDWR|os.O_CREATE)
}

// lockFile opens a file and waits for its lock, which closing it ends.
func (d *Dir) lockFile(ctx context.Context, name string) (*os.File, error) {
	f, err := d.openLock(name)
	if err != nil {
		return nil, err
	}
	if err := d.wait(ctx, f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (d *Dir) wait(ctx context.Context, f *os.File) error {
	began := time.Now()
	told, last := false, Holder{}
	for {
		if ok, err := tryLockFile(f); ok || err != nil {
			return err
		}
		h := readHolder(f)
		if time.Since(began) >= patience && (!told || h != last) {
			d.waiting(h)
			told, last = true, h
		}
		select {
		case <-time.After(pollMin + rand.N(pollMax-pollMin)):
		case <-ctx.Done():
			return &HeldError{h, ctx.Err()}
		}
	}
}

func (d *Dir) hold(f *os.File) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.held[f] = true
	writeHolder(f, d.doing)
}

func (d *Dir) drop(f *os.File) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.held, f)
	_ = f.Truncate(0)
	f.Close()
}

// maxHolder bounds what a holder says of itself, in bytes.
const maxHolder = 256

// writeHolder writes who holds the lock on f. It is a courtesy: when it fails,
// waiters wait for "another process".
func writeHolder(f *os.File, doing string) {
	line := strconv.Itoa(os.Getpid()) + " " + doing
	line = line[:min(len(line), maxHolder-1)] + "\n"
	if n, err := f.WriteAt([]byte(line), 0); err == nil {
		_ = f.Truncate(int64(n))
	}
}

func readHolder(f *os.File) Holder {
	b := make([]byte, maxHolder)
	n, err := f.ReadAt(b, 0)
	if err != nil && err != io.EOF {
		return Holder{}
	}
	line, _, whole := strings.Cut(string(b[:n]), "\n")
	id, doing, _ := strings.Cut(line, " ")
	pid, err := strconv.Atoi(id)
	if !whole || err != nil {
		return Holder{}
	}
	return Holder{pid, doing}
}
