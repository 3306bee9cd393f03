package cli

import (
	"context"
	"errors"

	"aws-switch-role/internal/accesskey"
	"aws-switch-role/internal/cache"
	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/hop"
	"aws-switch-role/internal/plan"
)

// keyUser asks AWS in the name of the user whose key is kept under a name.
// Where IAM denies that without MFA, it goes on with an MFA session, which
// costs one code for all requests of the run.
type keyUser struct {
	app       *app
	flags     *switchFlags
	name      string
	performer *hop.Performer
	session   cred.Credentials // with MFA, once it was needed
}

func (a *app) keyUser(f *switchFlags, name string) *keyUser {
	return &keyUser{app: a, flags: f, name: name, performer: a.performer(f)}
}

// plan finds where and how AWS is asked about the user of a key.
func (u *keyUser) plan(id string) (plan.User, error) {
	c, err := u.app.load()
	if err != nil {
		return plan.User{}, err
	}
	o, err := u.flags.options()
	if err != nil {
		return plan.User{}, err
	}
	user, err := plan.UserOf(c, u.name, id, u.app.surround(o))
	u.performer.CABundle = u.app.inHome(user.CABundle)
	return user, err
}

// identity asks whose key c is.
func (u *keyUser) identity(ctx context.Context, c cred.Credentials) (hop.Identity, error) {
	user, err := u.plan(c.AccessKeyID)
	if err != nil {
		return hop.Identity{}, err
	}
	return u.performer.Identity(ctx, user.STS, c)
}

// noDeviceError says that IAM denied a request, perhaps for want of MFA, and
// that no device is known.
type noDeviceError struct{ err error }

func (e *noDeviceError) Error() string { return e.err.Error() }
func (e *noDeviceError) Unwrap() error { return e.err }

// asks has a request to IAM made with a key, or with an MFA session of it.
func (u *keyUser) asks(ctx context.Context, key cred.Credentials, request func(plan.Endpoint, cred.Credentials) error) error {
	user, err := u.plan(key.AccessKeyID)
	if err != nil {
		return err
	}
	if u.session.Temporary() {
		return request(user.IAM, u.session)
	}
	err = request(user.IAM, key)
	if !hasCode(err, "AccessDenied") {
		return err
	}
	if len(user.Session.Hops) == 0 {
		return &noDeviceError{err}
	}
	performer := u.app.performer(u.flags)
	performer.StoredKey = func(context.Context, plan.StoredKey) (cred.Credentials, error) { return key, nil }
	if u.session, err = u.app.walk(ctx, u.flags, user.Session, performer); err != nil {
		return err
	}
	return request(user.IAM, u.session)
}

// hasCode reports whether AWS refused a request with one of these codes.
func hasCode(err error, codes ...string) bool {
	e, ok := errors.AsType[*hop.APIError](err)
	for _, c := range codes {
		if ok && e.Code == c {
			return true
		}
	}
	return false
}

// rotator is wired to AWS, the keyring and the session cache.
func (a *app) rotator(ctx context.Context, f *switchFlags, store *accesskey.Store, name string) *accesskey.Rotator {
	u := a.keyUser(f, name)
	there := func(err error) error {
		if hasCode(err, "NoSuchEntity") {
			return nil
		}
		return err
	}
	return &accesskey.Rotator{
		Store: store,
		List: func(ctx context.Context, as cred.Credentials) (listed []accesskey.Listed, err error) {
			err = u.asks(ctx, as, func(e plan.Endpoint, c cred.Credentials) error {
				keys, err := u.performer.AccessKeys(ctx, e, c)
				for _, k := range keys {
					listed = append(listed, accesskey.Listed(k))
				}
				return err
			})
			return listed, err
		},
		Create: func(ctx context.Context, as cred.Credentials) (fresh cred.Credentials, refused bool, err error) {
			err = u.asks(ctx, as, func(e plan.Endpoint, c cred.Credentials) (err error) {
				fresh, err = u.performer.CreateAccessKey(ctx, e, c)
				return err
			})
			api, answered := errors.AsType[*hop.APIError](err)
			return fresh, answered && api.Status < 500, err
		},
		Accepts: func(ctx context.Context, c cred.Credentials) (bool, error) {
			_, err := u.identity(ctx, c)
			if hasCode(err, "InvalidClientTokenId") {
				return false, nil
			}
			return err == nil, err
		},
		Deactivate: func(ctx context.Context, as cred.Credentials, id string) error {
			return there(u.asks(ctx, as, func(e plan.Endpoint, c cred.Credentials) error {
				return u.performer.DeactivateAccessKey(ctx, e, c, id)
			}))
		},
		Delete: func(ctx context.Context, as cred.Credentials, id string) error {
			return there(u.asks(ctx, as, func(e plan.Endpoint, c cred.Credentials) error {
				return u.performer.DeleteAccessKey(ctx, e, c, id)
			}))
		},
		Forget: func(id string) error { return a.forgetSessions(ctx, f, id) },
		Say:    func(text string) { a.say("%s: %s", name, text) },
	}
}

// forgetSessions drops the cached sessions that came from a key.
func (a *app) forgetSessions(ctx context.Context, f *switchFlags, id string) error {
	_, err := a.cached(ctx, f).Remove(func(s cache.About) bool { return s.AccessKeyID == id })
	return err
}
