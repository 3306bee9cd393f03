package cache

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"aws-switch-role/internal/plan"
)

// About says what a session is. Nothing in it is secret.
type About struct {
	Key plan.Key
	// Hop says in a few words what made the session.
	Hop string
	// Role is the ARN of the role that was assumed, SessionName the name it
	// was given; both are empty for a session of the user.
	Role, SessionName string
	// Device is the serial number of the MFA device whose code is behind the
	// session; empty without MFA.
	Device string
	// Region is that of the endpoint that made it; empty where that does not
	// shape the session.
	Region string
	// Profile and AccessKeyID name the key that the chain starts from, as far
	// as they are known: a key from the environment has no profile, and the id
	// of a key in a keyring is not in the plan. A chain that starts from a role
	// of IAM Identity Center has the profile of that.
	Profile, AccessKeyID string
	// Made and Expires are in whole seconds.
	Made, Expires time.Time
}

// texts are the fields of a that are text, in the order of their encoding.
func (a *About) texts() []*string {
	return []*string{&a.Hop, &a.Role, &a.SessionName, &a.Device, &a.Region, &a.Profile, &a.AccessKeyID}
}

// describe says what hop i of p makes.
func describe(p plan.Plan, i int, expires, now time.Time) About {
	a := About{Key: p.Key(i), Hop: plan.Describe(p.Hops[i]), Made: now, Expires: expires}
	for _, m := range (plan.Plan{Hops: p.Hops[:i+1]}).Asks() {
		a.Device = m.Serial
	}
	switch h := p.Hops[i].(type) {
	case plan.AssumeRole:
		a.Role, a.SessionName, a.Region = h.RoleARN, h.SessionName, h.Endpoint.Region
	case plan.WebIdentity:
		a.Role, a.SessionName, a.Region = h.RoleARN, h.SessionName, h.Endpoint.Region
	}
	switch s := p.Source().(type) {
	case plan.StoredKey:
		a.Profile, a.AccessKeyID = s.Profile, s.AccessKeyID
	case plan.EnvironmentKey:
		a.AccessKeyID = s.AccessKeyID
	case plan.SSO:
		a.Profile = s.Profile
	}
	return a
}

// maxSkew is how far in the future an entry may have been made: clocks are
// set back by a little, an entry from another time is not to be believed.
const maxSkew = 5 * time.Minute

// check reports why a session is not to be used at now. It cannot notice that
// an entry was replaced by an older one that still lives.
func (a About) check(now time.Time) error {
	switch {
	case !a.Expires.After(now):
		return errors.New("it has expired")
	case a.Made.Sub(now) > maxSkew:
		return errors.New("it was made in the future")
	}
	return nil
}

func sortByExpiry(list []About) {
	slices.SortFunc(list, func(a, b About) int {
		return cmp.Or(a.Expires.Compare(b.Expires), slices.Compare(a.Key[:], b.Key[:]))
	})
}
