package plan

import (
	"slices"

	"aws-switch-role/internal/awsconfig"
	"aws-switch-role/internal/message"
)

// User is how to ask AWS about the user that a long-lived key belongs to.
type User struct {
	STS, IAM Endpoint
	// Source is the plan of the user's own credentials. Only [BaseOf] makes it.
	Source Plan
	// Session is the plan of a session of the user with MFA. It has no hops
	// where no device is known.
	Session Plan
	// CABundle is a file of certificates to trust instead of the system's.
	CABundle string

	partition string
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
	u, err := b.user(l, []link{l}, "")
	if err != nil {
		return User{}, err
	}
	mfa, facts, err := b.mfa(chain{}, l)
	if err != nil {
		return User{}, err
	}
	if mfa.Serial == "" {
		mfa, facts = b.deviceFor(name)
	}
	u.with(mfa, facts, name, StoredKey{Profile: name, AccessKeyID: accessKeyID, Keyring: true})
	return u, nil
}

// BaseOf plans requests in the name of the user that the chain of a profile,
// or of a role's ARN, starts from. The user is where the profile's role is: in
// its partition.
//
// A device that STS cannot use is as good as none: this is how a person finds
// one that it can. The error is of the kind [NoUser] where the chain starts
// from no user.
func BaseOf(c *awsconfig.Config, name string, o Options) (User, error) {
	b := builder{config: c, o: o}
	ch, err := b.chain(name)
	if err != nil {
		return User{}, err
	}
	profiles := ch.profiles()
	target := ch.from
	if len(profiles) > 0 {
		target = profiles[0]
	}
	if isRole(ch.source) {
		return User{}, &Error{Kind: NoUser, Profile: name, Origin: target.Origin,
			Msg: message.New("devices-of-no-user", "MFA devices are a user's, and this chain starts from %s", Description(ch.source))}
	}
	arn, _ := ParseRoleARN(target.Keys["role_arn"].Text) // to assume it is another's business
	u, err := b.user(target, profiles, arn.Partition)
	if err != nil {
		return User{}, err
	}
	u.Source = Plan{Profile: name, Hops: []Hop{ch.source}, Facts: [][]Fact{ch.facts}, CABundle: u.CABundle}
	if mfa, facts, err := b.mfa(ch, target); err == nil && longLived(ch.source) {
		u.with(mfa, facts, name, ch.source)
	}
	return u, nil
}

// user says where AWS is asked about a user by the settings of l, the first of
// profiles. Without a partition it is that of the region.
func (b *builder) user(l link, profiles []link, partition string) (User, error) {
	region, _, err := b.region(profiles)
	if err != nil {
		return User{}, err
	}
	if partition == "" {
		partition = partitionOf(region)
	}
	e, _, err := b.endpoint(l)
	if err != nil {
		return User{}, err
	}
	env := b.o.Environment
	u := User{CABundle: env.CABundle}
	if u.STS, err = b.at(e, region, partition, l); err != nil {
		return User{}, err
	}
	if v, ok := l.get("ca_bundle"); ok && u.CABundle == "" {
		u.CABundle = v.Text
	}
	u.IAM = Endpoint{Region: stsRegion(region, partition), FIPS: e.FIPS, DualStack: e.DualStack}
	u.IAM.URL, err = b.serviceURL(l, "iam", env.EndpointURLIAM, "AWS_ENDPOINT_URL_IAM")
	u.partition = partition
	return u, err
}

// with plans the session of a user with a device, if there is one.
func (u *User) with(mfa MFA, facts []Fact, name string, source Hop) {
	if mfa.Serial != "" {
		u.Session = Plan{
			Profile:  name,
			Hops:     []Hop{source, sessionToken(mfa, DefaultTokenDuration, u.STS, u.partition)},
			Facts:    [][]Fact{nil, facts},
			CABundle: u.CABundle,
		}
	}
}

// deviceFor returns the device of the profiles whose source is name, or that
// include its key, when they agree on one. Profiles that cannot be read are of no help here.
func (b *builder) deviceFor(name string) (MFA, []Fact) {
	var devices []MFA
	var facts []Fact
	for other := range b.config.Names() {
		l, err := b.profile(other)
		if err != nil {
			continue
		}
		if source, _ := l.get("source_profile"); source.Text != name && l.holder != name {
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
