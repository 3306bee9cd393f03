package plan

import "time"

// Plan is what has to be done to become a profile: a source of credentials,
// then zero or more hops, each of which spends the credentials of the one
// before. It is plain data with no secret in it.
type Plan struct {
	// Profile is the name that was asked for; for a role that no profile
	// names, the name made from its ARN.
	Profile string
	// Region is for the child; empty when nothing in the files, the flags or
	// the environment names one.
	Region string
	// Adhoc is set when the plan was made from a role ARN rather than from a
	// profile of the user's files.
	Adhoc bool
	// Plain is set when the plan hands on a long-lived key as it is.
	Plain bool
	// Protected is set when the profile asks to be confirmed by its name.
	Protected bool
	// Chain names the profiles that the plan goes through, the one that was
	// asked for last. A source that is no profile is not in it.
	Chain []string
	// Secretless is set when the profile asks for a shell without credentials
	// in its environment.
	Secretless bool
	// Hops[0] is the source.
	Hops []Hop
	// Facts[i] says where the values of Hops[i] were read, for people.
	Facts [][]Fact
	// RegionFact says where Region was read.
	RegionFact Fact
	// CABundle is a file of certificates to trust instead of the system's.
	CABundle string
	// Console is how the plan's session signs in to the console, in a plan
	// that is made for it.
	Console Console
}

// Hop is one step of a plan. The set is closed. Sources: [StoredKey],
// [EnvchainKey], [EnvironmentKey], [InstanceMetadata], [Container], [Process],
// [WebIdentity], [SSO] and [Login]. Later hops: [SessionToken],
// [FederationToken] and [AssumeRole].
//
// Every field of a hop shapes the credentials that come out of it and is part
// of the plan's [Key]. The few that do not, and are carried for the request
// alone, say so with the tag `key:"-"`.
type Hop interface{ isHop() }

// StoredKey is a long-lived or temporary key kept under a profile's name in
// the OS keyring or in the user's AWS files.
type StoredKey struct {
	Profile     string
	AccessKeyID string
	Temporary   bool // the key has a session token
	// Keyring is set when the key is in the OS keyring. A key that moves
	// there from the files is still the same one.
	Keyring bool `key:"-"`
}

// EnvchainKey is the key that envchain keeps in one of its namespaces
// (envchain_namespace). Its id is not known before it is read.
type EnvchainKey struct{ Namespace string }

// EnvironmentKey is the key in the environment that the program was started
// with: AWS_ACCESS_KEY_ID and its companions.
type EnvironmentKey struct {
	AccessKeyID string
	Temporary   bool // AWS_SESSION_TOKEN is set
}

// InstanceMetadata is the role of the EC2 instance that the program runs on,
// from its metadata service.
type InstanceMetadata struct {
	Endpoint   string        // a configured URL; empty is the service's own
	IPv6       bool          // the service's own IPv6 address
	V1Disabled bool          `key:"-"` // never fall back to IMDSv1
	Timeout    time.Duration `key:"-"` // of one try; 0 is one second
	Attempts   int           `key:"-"` // 0 is one
}

// Container is the role of the container that the program runs in (ECS, EKS
// Pod Identity), from the endpoint that its environment names.
type Container struct {
	URL string
	// TokenFile holds what goes into the Authorization header; when it is
	// empty the environment may hold it itself.
	TokenFile string
}

// Process is a command that prints credentials (credential_process).
type Process struct {
	Profile string
	Command string
}

// WebIdentity is STS AssumeRoleWithWebIdentity: a role for a token that
// another identity provider has issued.
type WebIdentity struct {
	RoleARN     string
	SessionName string
	TokenFile   string
	// TokenProcess is a command that prints the token, in place of a file
	// (aws-vault's web_identity_token_process).
	TokenProcess string
	Duration     time.Duration
	Policy       string
	PolicyARNs   []string
	Endpoint     Endpoint
}

// SSO is a role of IAM Identity Center, for a token from its sign-in.
type SSO struct {
	Profile string `key:"-"` // whose values these are, for people
	// Session is the name of the sso-session section; empty for the older
	// form, whose token is known by its start URL.
	Session   string
	StartURL  string
	Region    string
	AccountID string
	RoleName  string
	// Scopes are what a new sign-in asks for; whoever has signed in has them.
	Scopes []string `key:"-"`
	// Endpoint is a configured URL of the portal, and OIDCEndpoint that of
	// the service which renews tokens; empty are AWS's own.
	Endpoint     string
	OIDCEndpoint string
	FIPS         bool `key:"-"`
	DualStack    bool `key:"-"`
}

// Login is a console sign-in kept by the AWS CLI (aws login).
type Login struct {
	Profile   string `key:"-"` // whose sign-in it is, for people
	Session   string // the ARN that the sign-in is known by
	Region    string
	Endpoint  string // a configured URL; empty is AWS's own
	FIPS      bool   `key:"-"`
	DualStack bool   `key:"-"`
}

// SessionToken is STS GetSessionToken: a session of the user who owns the
// long-lived key, with MFA when a device is named.
type SessionToken struct {
	MFA      MFA
	Duration time.Duration
	// Endpoint's region is not part of the key: the session is the user's in
	// every region of the partition, and profiles of different regions behind
	// one device share one code.
	Endpoint SessionEndpoint
}

// FederationToken is STS GetFederationToken: a session of the user who owns the
// long-lived key, of the kind that the console takes. Credentials that are a
// session already are handed on as they are.
type FederationToken struct {
	Name string // of the federated user
	// Policy is a session policy in JSON, and PolicyARNs are managed ones: the
	// session may do what the user and any of them allow, without them
	// nothing.
	Policy     string
	PolicyARNs []string
	Duration   time.Duration
	Endpoint   SessionEndpoint
}

// AssumeRole is STS AssumeRole.
type AssumeRole struct {
	RoleARN        string
	SessionName    string
	ExternalID     string
	SourceIdentity string
	// Duration is what is asked for. Zero asks for the longest that the role
	// allows, up to [MaxRoleDuration].
	Duration time.Duration
	Tags     []Tag
	// TransitiveTags are keys of Tags that later hops inherit.
	TransitiveTags []string
	// Policy is a session policy in JSON, and PolicyARNs are managed ones:
	// the session may do what the role and all of them allow.
	Policy     string
	PolicyARNs []string
	// MFA is set when the code goes with this request rather than with a
	// SessionToken hop before it.
	MFA      MFA
	Endpoint Endpoint
}

func (StoredKey) isHop()        {}
func (EnvchainKey) isHop()      {}
func (EnvironmentKey) isHop()   {}
func (InstanceMetadata) isHop() {}
func (Container) isHop()        {}
func (Process) isHop()          {}
func (WebIdentity) isHop()      {}
func (SSO) isHop()              {}
func (Login) isHop()            {}
func (SessionToken) isHop()     {}
func (FederationToken) isHop()  {}
func (AssumeRole) isHop()       {}

// MFA names the device that a code is asked for. The zero value is none.
type MFA struct {
	Serial string
	// Process is a command that prints the code (aws-vault's mfa_process).
	Process string `key:"-"`
}

// Tag is a session tag.
type Tag struct{ Key, Value string }

// Endpoint is where a request goes: URL when the user configured one, else
// AWS's own endpoint of the region.
type Endpoint struct {
	Region    string
	URL       string
	FIPS      bool
	DualStack bool
}

// SessionEndpoint is an Endpoint whose region does not shape the credentials.
type SessionEndpoint struct {
	Region    string `key:"-"`
	Partition string
	URL       string
	FIPS      bool `key:"-"`
	DualStack bool `key:"-"`
}

// Endpoint returns e in the form that requests are made with.
func (e SessionEndpoint) Endpoint() Endpoint {
	return Endpoint{Region: e.Region, URL: e.URL, FIPS: e.FIPS, DualStack: e.DualStack}
}

// Limits and defaults of STS, from the AWS STS API reference.
const (
	MinDuration          = 15 * time.Minute
	DefaultRoleDuration  = time.Hour
	MaxChainedDuration   = time.Hour // "role chaining"
	MaxRoleDuration      = 12 * time.Hour
	DefaultTokenDuration = 12 * time.Hour
	MaxTokenDuration     = 36 * time.Hour
)

// minLeft is the life that handed-on credentials have left where their own
// length allows it: botocore refreshes credentials with less.
const minLeft = 15 * time.Minute

// Kept reports whether the credentials of hop i are worth keeping in a session
// store: those that STS or the SSO portal made. A source that is itself a read
// of a key is not, for long-lived keys are never copied into the store; nor is
// one that keeps its credentials itself and decides when they change.
func (p Plan) Kept(i int) bool {
	switch p.Hops[i].(type) {
	case FederationToken:
		switch p.Source().(type) {
		case Process, EnvchainKey: // it may have handed on theirs
			return false
		}
		return true
	case SessionToken, AssumeRole, WebIdentity, SSO:
		return true
	}
	return false
}

// MinLeft is how much life a kept session of hop i must have left to be used
// again: 15 minutes, or a third of the session's own length where that is
// shorter, so that the shortest sessions are still used more than once.
func (p Plan) MinLeft(i int) time.Duration {
	var d time.Duration
	switch h := p.Hops[i].(type) {
	case SessionToken:
		d = h.Duration
	case FederationToken:
		d = h.Duration
	case AssumeRole:
		d = h.Duration
	case WebIdentity:
		d = h.Duration
	}
	if d > 0 && d/3 < minLeft {
		return d / 3
	}
	return minLeft
}

// Fact is one value of a hop and where it was read.
type Fact struct {
	Name string // the key as the AWS files spell it
	Text string
	From string // file:line, a flag, a variable, or "default"
}

// RoleARN returns the ARN of the role that the plan ends in, "" when it ends in
// none or, as for a role of IAM Identity Center, in one whose ARN only AWS
// knows.
func (p Plan) RoleARN() string {
	switch h := p.Hops[len(p.Hops)-1].(type) {
	case AssumeRole:
		return h.RoleARN
	case WebIdentity:
		return h.RoleARN
	}
	return ""
}

// SessionName returns the name of the role session that the plan ends with,
// "" where that is none or not ours to choose.
func (p Plan) SessionName() string {
	switch h := p.Hops[len(p.Hops)-1].(type) {
	case AssumeRole:
		return h.SessionName
	case WebIdentity:
		return h.SessionName
	}
	return ""
}

// Source returns the hop that everything starts from.
func (p Plan) Source() Hop { return p.Hops[0] }

// Asks lists the MFA devices whose code the plan needs when nothing is
// cached, in the order of asking.
func (p Plan) Asks() []MFA {
	var asks []MFA
	for _, h := range p.Hops {
		switch h := h.(type) {
		case SessionToken:
			if h.MFA.Serial != "" {
				asks = append(asks, h.MFA)
			}
		case AssumeRole:
			if h.MFA.Serial != "" {
				asks = append(asks, h.MFA)
			}
		}
	}
	return asks
}
