package accesskey

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/keyring"
)

// Listed is one of a user's access keys, as IAM tells of it.
type Listed struct {
	ID      string
	Active  bool
	Created time.Time
}

// Rotator changes keys for new ones. Its funcs are its only effects on AWS;
// each asks in the name of the user that a long-lived key belongs to.
type Rotator struct {
	Store *Store

	// List returns the user's keys.
	List func(ctx context.Context, as cred.Credentials) ([]Listed, error)
	// Create makes a new key. refused says of an error that there is none.
	Create func(ctx context.Context, as cred.Credentials) (c cred.Credentials, refused bool, err error)
	// Accepts asks AWS whether it knows a key: a new one not at once.
	Accepts func(ctx context.Context, c cred.Credentials) (bool, error)
	// Deactivate and Delete are done, too, when there is no such key.
	Deactivate func(ctx context.Context, as cred.Credentials, id string) error
	Delete     func(ctx context.Context, as cred.Credentials, id string) error
	// Forget drops the sessions that came from a key.
	Forget func(id string) error
	// Say tells the person what has happened.
	Say func(text string)
}

// Outcome is what became of a rotation that was cut short.
type Outcome int

const (
	// Nothing was to be done.
	Nothing Outcome = iota
	// Finished: the new key is in use and the old one deleted.
	Finished
	// Undone: the old key is in use, as if nothing had been.
	Undone
)

const (
	// acceptWithin is how long a new key is waited for: IAM is eventually
	// consistent, usually within seconds (IAM User Guide, "Troubleshooting
	// IAM").
	acceptWithin = time.Minute
	firstWait    = 250 * time.Millisecond
	longestWait  = 5 * time.Second
	// settled is the age at which a request of ours that IAM shows no effect
	// of had none.
	settled = time.Minute
	// around is how far AWS's clock and ours may be apart, and how long a
	// request may take: AWS refuses requests that are signed with a clock off
	// by more.
	around = 5 * time.Minute
)

// SecondKeyError says that the user has two keys, the most that IAM allows, so
// that there is no room for a new one.
type SecondKeyError struct{ Other Listed }

// Error implements error.
func (e *SecondKeyError) Error() string {
	return fmt.Sprintf("the user has a second access key, %s, and IAM allows two", e.Other.ID)
}

// ErrNotAccepted says that AWS does not know a new key yet. The rotation waits
// for the next run.
var ErrNotAccepted = errors.New("AWS does not accept the new key yet")

// Rotate changes the key of a name for a new one, or finishes to where an
// earlier run was cut short. The new secret is stored before anything else
// happens to it, takes the name once AWS accepts it, and only then is the old
// key deactivated and deleted. The journal is written ahead, so that
// [Rotator.Recover] finishes or undoes what was cut short anywhere.
// deleteInactive makes room by deleting a second key that is inactive.
func (r *Rotator) Rotate(ctx context.Context, name string, deleteInactive bool) error {
	outcome, err := r.Recover(ctx, name)
	if err != nil || outcome == Finished {
		return err
	}
	e, err := r.entry(name)
	if err != nil {
		return err
	}
	key, err := r.Store.Get(ctx, name)
	if err != nil {
		return err
	}
	if key.AccessKeyID != e.ID {
		return fmt.Errorf("the keyring holds another key than the index says: add it again")
	}
	opened := e.Rotation == nil
	if opened {
		if err := r.begin(ctx, name, e, key, deleteInactive); err != nil {
			return err
		}
	}
	fresh, refused, err := r.Create(ctx, key)
	if refused {
		if opened { // else IAM may yet show what an earlier request has made
			err = errors.Join(err, r.note(name, e, nil))
		}
		return err
	}
	if err != nil {
		return fmt.Errorf("%w (whether there is a new key is not known: the next run deletes it)", err)
	}
	if err := r.Store.set(ctx, pending+name, fresh); err != nil {
		return err
	}
	r.Say("made the key " + fresh.AccessKeyID + " and stored it")
	_, err = r.Recover(ctx, name)
	return err
}

// begin looks whether there is room for a new key, and opens the journal.
func (r *Rotator) begin(ctx context.Context, name string, e *Entry, key cred.Credentials, deleteInactive bool) error {
	listed, err := r.List(ctx, key)
	if err != nil {
		return err
	}
	for _, k := range listed {
		if k.ID == key.AccessKeyID {
			continue
		}
		if k.Active || !deleteInactive {
			return &SecondKeyError{k}
		}
		if err := r.Delete(ctx, key, k.ID); err != nil {
			return err
		}
		r.Say("deleted the inactive key " + k.ID)
	}
	return r.note(name, e, &Rotation{Began: r.Store.Now().UTC().Truncate(time.Second)})
}

// Recover finishes or undoes a rotation of a name that was cut short.
func (r *Rotator) Recover(ctx context.Context, name string) (Outcome, error) {
	e, err := r.entry(name)
	if err != nil {
		return Nothing, err
	}
	if e.Rotation == nil {
		return Nothing, nil
	}
	if e.Rotation.Old == "" {
		outcome, err := r.adopt(ctx, name, e)
		if err != nil || outcome != Finished {
			return outcome, err
		}
	}
	return Finished, r.retire(ctx, name, e)
}

// adopt makes a new key the one of its name, or undoes that there is one.
func (r *Rotator) adopt(ctx context.Context, name string, e *Entry) (Outcome, error) {
	fresh, err := r.Store.get(ctx, pending+name)
	if errors.Is(err, keyring.ErrNotFound) {
		return r.undo(ctx, name, e)
	}
	if err != nil {
		return Nothing, err
	}
	journal := *e.Rotation
	journal.New = fresh.AccessKeyID
	if err := r.note(name, e, &journal); err != nil {
		return Nothing, err
	}
	if err := r.await(ctx, fresh); err != nil {
		if !errors.Is(err, ErrNotAccepted) {
			return Nothing, err
		}
		gone, lerr := r.gone(ctx, name, fresh.AccessKeyID)
		if lerr != nil || !gone {
			return Nothing, errors.Join(err, lerr)
		}
		if err := r.Store.delete(ctx, pending+name); err != nil {
			return Nothing, err
		}
		return Undone, r.note(name, e, nil)
	}
	if err := r.Store.set(ctx, current+name, fresh); err != nil {
		return Nothing, err
	}
	journal.Old = e.ID
	e.ID, e.Added, e.Keyring = fresh.AccessKeyID, r.Store.Now().UTC().Truncate(time.Second), r.Store.Choice
	return Finished, r.note(name, e, &journal)
}

// await waits until AWS accepts a new key.
func (r *Rotator) await(ctx context.Context, fresh cred.Credentials) error {
	begun := time.Now()
	told := false
	for wait := firstWait; ; wait = min(2*wait, longestWait) {
		ok, err := r.Accepts(ctx, fresh)
		if ok || err != nil {
			return err
		}
		if time.Since(begun)+wait > acceptWithin {
			return ErrNotAccepted
		}
		if !told {
			r.Say("waiting until AWS accepts it, for up to " + acceptWithin.String())
			told = true
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// gone reports whether somebody has deleted the new key, or made it inactive.
func (r *Rotator) gone(ctx context.Context, name, id string) (bool, error) {
	key, err := r.Store.Get(ctx, name)
	if err != nil {
		return false, err
	}
	listed, err := r.List(ctx, key)
	if err != nil {
		return false, err
	}
	return !slices.ContainsFunc(listed, func(k Listed) bool { return k.ID == id && k.Active }), nil
}

// undo deletes the key that IAM may have made and whose secret nobody has. It
// is one that was made when we asked, and none that is stored. The user had no
// other then.
func (r *Rotator) undo(ctx context.Context, name string, e *Entry) (Outcome, error) {
	key, err := r.Store.Get(ctx, name)
	if err != nil {
		return Nothing, err
	}
	keys, err := r.Store.Index.Read()
	if err != nil {
		return Nothing, err
	}
	listed, err := r.List(ctx, key)
	if err != nil {
		return Nothing, err
	}
	began, deleted := e.Rotation.Began, false
	for _, k := range listed {
		ours := k.Created.Sub(began).Abs() <= around
		for _, other := range keys {
			ours = ours && other.ID != k.ID
		}
		if !ours {
			continue
		}
		if err := r.Delete(ctx, key, k.ID); err != nil {
			return Nothing, err
		}
		deleted = true
		r.Say("deleted the key " + k.ID + ", whose secret was never stored")
	}
	// What IAM does not show yet may still come.
	if !deleted && r.Store.Now().Sub(began) < settled {
		return Undone, nil
	}
	return Undone, r.note(name, e, nil)
}

// retire deletes the key that a new one has replaced, and closes the journal.
func (r *Rotator) retire(ctx context.Context, name string, e *Entry) error {
	key, err := r.Store.Get(ctx, name)
	if err != nil {
		return err
	}
	old := e.Rotation.Old
	if err := r.Deactivate(ctx, key, old); err != nil {
		return err
	}
	if err := r.Delete(ctx, key, old); err != nil {
		return err
	}
	r.Say("deleted the key " + old)
	// What somebody else begins with the old key ends by itself.
	if err := errors.Join(r.Forget(old), r.Store.delete(ctx, pending+name)); err != nil {
		return err
	}
	return r.note(name, e, nil)
}

// entry returns what the index says of a name.
func (r *Rotator) entry(name string) (*Entry, error) {
	keys, err := r.Store.Index.Read()
	if err != nil {
		return nil, err
	}
	e, ok := keys[name]
	if !ok {
		return nil, keyring.ErrNotFound
	}
	return &e, nil
}

// note writes the journal of a name, nil when it is closed.
func (r *Rotator) note(name string, e *Entry, journal *Rotation) error {
	e.Rotation = journal
	return r.Store.Index.put(name, e)
}
