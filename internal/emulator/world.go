// Package emulator is AWS on the wire, made from a small declared world:
// users, roles, trust policies, MFA devices, buckets, a clock and faults to
// order. It speaks STS, IAM, a little S3, what IAM Identity Center and AWS
// Sign-In say to the AWS CLI, and the pages by which a browser signs in to the
// console, checks signatures, sessions, codes, tokens and
// policies as AWS does, and answers with AWS's own error codes and messages.
//
// It shares no code with the rest of the program nor with an AWS SDK, so that
// it cannot share a mistake with what it is used to try out.
package emulator

import (
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// World is what exists. It is plain data: [New] checks it and copies what it
// needs, and a [Server] changes its copy alone.
type World struct {
	Users     []User
	Roles     []Role
	Buckets   []Bucket
	Providers []Provider
	// Instance is the EC2 instance that [Server.Metadata] speaks of.
	Instance Instance
	// Containers are what [Server.Container] answers for.
	Containers []Container
	Centers    []IdentityCenter
	// Managed are managed policies by ARN, for AssumeRole's PolicyArns. The
	// ReadOnlyAccess and AdministratorAccess of each partition always exist.
	Managed map[string]string
	// RegionsOff are the regions in which STS is not activated.
	RegionsOff []string
	// RegionsDisabled are opt-in regions that no account has enabled: nobody's
	// keys are known there.
	RegionsDisabled []string
	// RegionsOptIn are the regions that refuse sessions made by the global
	// endpoint, sts.amazonaws.com.
	RegionsOptIn []string
}

// User is an IAM user, or the root user of an account.
type User struct {
	// ARN is arn:aws:iam::111111111111:user/path/name, or …:root.
	ARN     string
	Keys    []AccessKey
	Devices []Device
	// Policy is the JSON identity policy; "" allows everything.
	Policy string
	Tags   map[string]string
}

// AccessKey is a long-lived key. IAM allows a user two of them.
type AccessKey struct {
	ID, Secret string
	Inactive   bool
	Created    time.Time // zero means: when the server was made
}

// Device is an MFA device.
type Device struct {
	// Serial is arn:aws:iam::111111111111:mfa/name, a hardware device's
	// serial number, or the ARN of a FIDO device (…:u2f/…), which STS cannot
	// use.
	Serial string
	// Seed is the shared secret of RFC 6238 (SHA-1, six digits, 30 seconds).
	// A FIDO device has none.
	Seed []byte
}

// Role is an IAM role.
type Role struct {
	ARN string // arn:aws:iam::222222222222:role/path/name
	// MaxSession is the role's MaxSessionDuration, from one to twelve hours;
	// zero is IAM's default, one hour.
	MaxSession time.Duration
	Trust      string // the JSON trust policy
	Policy     string // the JSON identity policy; "" allows everything
	Tags       map[string]string
}

// Bucket is an S3 bucket. Nobody outside its account may look into it.
type Bucket struct {
	Name      string
	Account   string
	Partition string            // "" is aws
	Objects   map[string]string // bodies by key
}

// Instance is an EC2 instance.
type Instance struct {
	// RoleARN is the role of its instance profile; "" is none.
	RoleARN string
	// TokenRequired turns IMDSv1 off (HttpTokens: required).
	TokenRequired bool
}

// Container is a container of ECS or EKS.
type Container struct {
	Path    string // of its credentials: /v2/credentials/…
	RoleARN string
	// Authorization is what the header of that name must hold; "" is nothing.
	Authorization string
}

// Provider is an identity provider declared in an account, of OpenID Connect or
// of SAML.
type Provider struct {
	ARN      string // arn:aws:iam::222222222222:oidc-provider/issuer.example/path, or …:saml-provider/Name
	Audience string // the client id that its tokens are made for; not SAML's
}

// issuer returns the provider's URL without the scheme, as IAM spells it.
func (p Provider) issuer() string {
	_, issuer, _ := strings.Cut(p.ARN, ":oidc-provider/")
	return issuer
}

// arn is an Amazon resource name in its parts.
type arn struct{ partition, service, region, account, resource string }

func parseARN(s string) (arn, bool) {
	parts := strings.SplitN(s, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[5] == "" {
		return arn{}, false
	}
	a := arn{parts[1], parts[2], parts[3], parts[4], parts[5]}
	return a, slices.Contains(partitions, a.partition)
}

func (a arn) String() string {
	return strings.Join([]string{"arn", a.partition, a.service, a.region, a.account, a.resource}, ":")
}

// name is the last part of the resource: what follows a type and a path.
func (a arn) name() string { return a.resource[strings.LastIndexByte(a.resource, '/')+1:] }

// path is the IAM path between the type and the name, with both slashes.
func (a arn) path() string {
	first, last := strings.IndexByte(a.resource, '/'), strings.LastIndexByte(a.resource, '/')
	if first < 0 {
		return "/"
	}
	return a.resource[first : last+1]
}

var partitions = []string{"aws", "aws-cn", "aws-us-gov"}

const (
	accountForm = `^\d{12}$`
	userForm    = `^(root|user/([!-.0-~]+/)*[\w+=,.@-]{1,64})$`
	roleForm    = `^role/([!-.0-~]+/)*[\w+=,.@-]{1,64}$`
	bucketForm  = `^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`
	keyIDForm   = `^AKIA[A-Z0-9]{16}$`
	regionForm  = `^[a-z]{2,}(-[a-z]+)+-\d+$`
)

// matches compiles the pattern when it is used: the program that links this
// package starts far more often than it emulates.
func matches(pattern, s string) bool { return regexp.MustCompile(pattern).MatchString(s) }

// iamARN parses the ARN of an IAM resource of the given form.
func iamARN(s, form string) (arn, error) {
	a, ok := parseARN(s)
	if !ok || a.service != "iam" || a.region != "" || !matches(accountForm, a.account) || !matches(form, a.resource) {
		return a, fmt.Errorf("%q is not an ARN of the form %s", s, form)
	}
	return a, nil
}

// user, role and device are the declared things as the server keeps them.
type user struct {
	arn     arn
	id      string
	devices []*device
	policy  policy
	tags    map[string]string
}

func (u *user) root() bool { return u.arn.resource == "root" }

type role struct {
	arn        arn
	id         string
	maxSession time.Duration
	trust      policy
	policy     policy
	tags       map[string]string
}

type device struct {
	Device
	spent map[int64]bool // the steps whose code was taken
}

func (d *device) fido() bool { return strings.Contains(d.Serial, ":u2f/") }

// load checks w and fills the server with it.
func (s *Server) load(w World) error {
	var errs []error
	bad := func(err error, format string, args ...any) {
		if err != nil {
			errs = append(errs, fmt.Errorf(format+": %w", append(args, err)...))
		}
	}
	for _, p := range w.Providers {
		a, ok := parseARN(p.ARN)
		if bySAML := strings.HasPrefix(a.resource, "saml-provider/"); !ok || a.service != "iam" || !bySAML && (p.issuer() == "" || p.Audience == "") {
			bad(errors.New("want an oidc-provider ARN and an audience, or a saml-provider ARN"), "provider %q", p.ARN)
		}
		s.providers = append(s.providers, p)
	}
	for _, u := range w.Users {
		bad(s.addUser(u), "user %s", u.ARN)
	}
	for _, r := range w.Roles {
		bad(s.addRole(r), "role %s", r.ARN)
	}
	for _, b := range w.Buckets {
		bad(s.addBucket(b), "bucket %q", b.Name)
	}
	for _, c := range w.Centers {
		bad(s.addIdentityCenter(c), "identity center %s", c.StartURL)
	}
	for _, partition := range partitions {
		for name, text := range managed {
			s.managed["arn:"+partition+":iam::aws:policy/"+name] = must(parsePolicy(text, s.providers))
		}
	}
	for name, text := range w.Managed {
		p, err := parseIdentityPolicy(text, s.providers)
		bad(err, "policy %s", name)
		s.managed[name] = p
	}
	if w.Instance.RoleARN != "" && s.roles[w.Instance.RoleARN] == nil {
		bad(errors.New("not declared"), "the instance's role %s", w.Instance.RoleARN)
	}
	s.instance = w.Instance
	for _, c := range w.Containers {
		if s.roles[c.RoleARN] == nil || !strings.HasPrefix(c.Path, "/") || s.containers[c.Path].Path != "" {
			bad(errors.New("want a path, once, and a declared role"), "container %q", c.Path)
		}
		s.containers[c.Path] = c
	}
	s.regionsOff = slices.Clone(w.RegionsOff)
	s.regionsDisabled = slices.Clone(w.RegionsDisabled)
	s.regionsOptIn = slices.Clone(w.RegionsOptIn)
	return errors.Join(errs...)
}

func (s *Server) addUser(d User) error {
	a, err := iamARN(d.ARN, userForm)
	if err != nil {
		return err
	}
	if s.users[d.ARN] != nil {
		return errors.New("declared twice")
	}
	u := &user{arn: a, id: uniqueID("AIDA", d.ARN), policy: allowAll, tags: maps.Clone(d.Tags)}
	if u.root() {
		u.id = a.account
	}
	if d.Policy != "" {
		if u.policy, err = parseIdentityPolicy(d.Policy, s.providers); err != nil {
			return err
		}
	}
	for _, dev := range d.Devices {
		dev := &device{Device: dev, spent: map[int64]bool{}}
		if dev.Serial == "" || s.devices[dev.Serial] != nil {
			return fmt.Errorf("device %q: a serial must be given, and once", dev.Serial)
		}
		if dev.fido() == (len(dev.Seed) > 0) {
			return fmt.Errorf("device %q: a FIDO device has no seed, any other has one", dev.Serial)
		}
		u.devices = append(u.devices, dev)
		s.devices[dev.Serial] = dev
	}
	if len(d.Keys) > maxKeys {
		return fmt.Errorf("%d access keys, at most %d", len(d.Keys), maxKeys)
	}
	for _, k := range d.Keys {
		if !matches(keyIDForm, k.ID) || k.Secret == "" || s.keys[k.ID] != nil {
			return fmt.Errorf("access key %q: want AKIA and 16 of A-Z0-9, a secret, and each once", k.ID)
		}
		created := k.Created
		if created.IsZero() {
			created = s.began
		}
		s.keys[k.ID] = &key{id: k.ID, secret: k.Secret, kind: longTerm, user: u, identity: u.identity(), inactive: k.Inactive, issued: created}
	}
	s.users[d.ARN] = u
	return nil
}

func (s *Server) addRole(d Role) error {
	a, err := iamARN(d.ARN, roleForm)
	if err != nil {
		return err
	}
	if s.roles[d.ARN] != nil {
		return errors.New("declared twice")
	}
	r := &role{arn: a, id: uniqueID("AROA", d.ARN), maxSession: d.MaxSession, policy: allowAll, tags: maps.Clone(d.Tags)}
	if r.maxSession == 0 {
		r.maxSession = time.Hour
	}
	if r.maxSession < time.Hour || r.maxSession > 12*time.Hour {
		return fmt.Errorf("a longest session of %v is not within 1 to 12 hours", r.maxSession)
	}
	if r.trust, err = parseTrustPolicy(d.Trust, s.providers); err != nil {
		return fmt.Errorf("trust: %w", err)
	}
	if d.Policy != "" {
		if r.policy, err = parseIdentityPolicy(d.Policy, s.providers); err != nil {
			return err
		}
	}
	s.roles[d.ARN] = r
	return nil
}

func (s *Server) addBucket(b Bucket) error {
	if b.Partition == "" {
		b.Partition = "aws"
	}
	if !matches(bucketForm, b.Name) || !matches(accountForm, b.Account) || !slices.Contains(partitions, b.Partition) {
		return errors.New("the name, the account or the partition is not valid")
	}
	if _, twice := s.buckets[b.Name]; twice {
		return errors.New("declared twice")
	}
	b.Objects = maps.Clone(b.Objects)
	s.buckets[b.Name] = b
	return nil
}

// uniqueID makes an id in IAM's form that depends on what it names alone.
func uniqueID(prefix, of string) string {
	sum := sha256.Sum256([]byte(of))
	return prefix + base32.StdEncoding.EncodeToString(sum[:10])
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
