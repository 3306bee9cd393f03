package plan

import (
	"slices"

	"aws-switch-role/internal/awsconfig"
)

// User is how to ask AWS about the user that a long-lived key belongs to.
type User struct {
	STS, IAM Endpoint
	// Session is the plan of a session of the user, from a [StoredKey] of the
	// profile's name, with MFA. It has no hops where no device is known.
	Session Plan
	// CABundle is a file of certificates to trust instead of the system's.
	CABundle string
}

// UserOf plans requests in the name of the user whose key accessKeyID is kept
// under a name, which no file needs to have.
//
// The device is that of the options or of the profile; else the one device of
// all profiles that start from the key, for AWS takes no other.
func UserOf(c *awsconfig.Config, name, accessKeyID string, o Options) (User, error) {
	b := builder{config: c, o: o}
	l, err := b.profile(name)
	if e, ok := err.(*Error); ok && e.Kind == UnknownProfile {
		l, err = link{Profile: awsconfig.Profile{Name: name}}, nil
	}
	if err != nil {
		return User{}, err
	}
	region, _, err := b.region([]link{l})
	if err != nil {
		return User{}, err
	}
	partition := partitionOf(region)
	e, _, err := b.endpoint(l)
	if err != nil {
		return User{}, err
	}
	u := User{CABundle: o.Environment.CABundle}
	if u.STS, err = b.at(e, region, partition, l); err != nil {
		return User{}, err
	}
	if v, ok := l.get("ca_bundle"); ok && u.CABundle == "" {
		u.CABundle = v.Text
	}
	u.IAM = Endpoint{Region: stsRegion(region, partition), FIPS: e.FIPS, DualStack: e.DualStack}
	if u.IAM.URL, err = b.serviceURL(l, "iam", o.Environment.EndpointURLIAM, "AWS_ENDPOINT_URL_IAM"); err != nil {
		return User{}, err
	}
	mfa, facts, err := b.mfa(chain{}, l)
	if err != nil {
		return User{}, err
	}
	if mfa.Serial == "" {
		mfa, facts = b.deviceFor(name)
	}
	if mfa.Serial != "" {
		u.Session = Plan{
			Profile: name,
			Hops: []Hop{
				StoredKey{Profile: name, AccessKeyID: accessKeyID, Keyring: true},
				sessionToken(mfa, DefaultTokenDuration, u.STS, partition),
			},
			Facts:    [][]Fact{nil, facts},
			CABundle: u.CABundle,
		}
	}
	return u, nil
}

// deviceFor returns the device of the profiles whose source is name, when they
// agree on one. Profiles that cannot be read are of no help here.
func (b *builder) deviceFor(name string) (MFA, []Fact) {
	var devices []MFA
	var facts []Fact
	for other := range b.config.Names() {
		l, err := b.profile(other)
		if err != nil {
			continue
		}
		if source, _ := l.get("source_profile"); source.Text != name {
			continue
		}
		mfa, f, err := b.mfa(chain{}, l)
		if err == nil && mfa.Serial != "" && !slices.ContainsFunc(devices, func(d MFA) bool { return d.Serial == mfa.Serial }) {
			devices, facts = append(devices, mfa), f
		}
	}
	if len(devices) != 1 {
		return MFA{}, nil
	}
	return devices[0], facts
}
