// Package plan decides what must be done to become a profile. It turns the
// user's AWS files and the options of one run into a chain of hops, or into
// an error that names file, line and cause.
//
// It is pure: it opens no file, reads no variable and no clock, and sends
// nothing. What it needs to know about the world arrives in [Options].
package plan

import (
	"slices"
	"strings"
	"time"

	"aws-switch-role/internal/awsconfig"
	"aws-switch-role/internal/message"
)

// Options are what flags and environment may change in a plan. In JSON they
// are what the flags of one switch said, to be planned by once more.
type Options struct {
	// Duration is the length wanted for the last session, 0 for the
	// profile's own; Longest asks for the most the role allows. A Duration
	// that is only a standing default gives way where role chaining forbids
	// it; one that was asked for in this run is an error there.
	Duration        time.Duration
	Longest         bool
	DurationDefault bool

	SessionName    string
	ExternalID     string
	SourceIdentity string
	Tags           []Tag
	TransitiveTags []string
	MFASerial      string
	Region         string
	NoSession      bool // hand on a plain long-lived key as it is
	Console        bool // the session is to sign in to the console

	// Policy is a session policy in JSON and PolicyFrom the flag or file it
	// came from; ReadOnly stands for AWS's managed policy ReadOnlyAccess.
	Policy     string
	PolicyFrom string
	PolicyARNs []string
	ReadOnly   bool

	// SourceProfile is the base of a role that names none. As a standing
	// default it gives way to the profile's own; one that was asked for in
	// this run is an error there.
	SourceProfile        string
	SourceProfileDefault bool

	// UserName is the default role session name: the caller's own user name.
	UserName string

	// InKeyring returns the access key id of the key that the OS keyring holds
	// under a profile's name, "" when it holds none. nil says that it holds
	// none at all.
	InKeyring func(profile string) (accessKeyID string, err error) `json:"-"`

	// OnEC2 reports whether the machine is an EC2 instance. It is asked only
	// where nothing else leads to credentials. nil says that it is none.
	OnEC2 func() bool `json:"-"`

	// Brief leaves out of errors what takes a search of the files: the names
	// like one that does not exist. It is for who plans thousands of profiles.
	Brief bool `json:"-"`

	Environment Environment `json:"-"`
}

// Environment is what the variables of the run say. Secrets stay outside: a
// plan needs to know only that they are there.
type Environment struct {
	AccessKeyID string // AWS_ACCESS_KEY_ID
	HasSecret   bool   // AWS_SECRET_ACCESS_KEY is set
	HasToken    bool   // AWS_SESSION_TOKEN (or AWS_SECURITY_TOKEN) is set

	// InRole is set in a shell that this program opened and whose key is the
	// role's own: it is never a base. BaseKeyID is then the id of the
	// environment key which that shell's chain began with, if it did.
	InRole    bool
	BaseKeyID string

	Region     string // AWS_REGION, else AWS_DEFAULT_REGION
	RegionFrom string // which of the two

	// The endpoint variables, as the AWS SDKs and Tools Reference Guide has
	// them under "Service-specific endpoints".
	EndpointURLSTS  string // AWS_ENDPOINT_URL_STS
	EndpointURL     string // AWS_ENDPOINT_URL
	IgnoreEndpoints string // AWS_IGNORE_CONFIGURED_ENDPOINT_URLS
	EndpointURLSSO  string // AWS_ENDPOINT_URL_SSO
	EndpointURLOIDC string // AWS_ENDPOINT_URL_SSO_OIDC
	EndpointURLSign string // AWS_ENDPOINT_URL_SIGNIN
	EndpointURLIAM  string // AWS_ENDPOINT_URL_IAM
	FIPS            string // AWS_USE_FIPS_ENDPOINT
	DualStack       string // AWS_USE_DUALSTACK_ENDPOINT
	STSRegional     string // AWS_STS_REGIONAL_ENDPOINTS
	CABundle        string // AWS_CA_BUNDLE

	// The container's and the instance's own credentials.
	ContainerRelativeURI string // AWS_CONTAINER_CREDENTIALS_RELATIVE_URI
	ContainerFullURI     string // AWS_CONTAINER_CREDENTIALS_FULL_URI
	ContainerTokenFile   string // AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE
	MetadataDisabled     string // AWS_EC2_METADATA_DISABLED
	MetadataEndpoint     string // AWS_EC2_METADATA_SERVICE_ENDPOINT
	MetadataMode         string // AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE
	MetadataV1Disabled   string // AWS_EC2_METADATA_V1_DISABLED
	MetadataTimeout      string // AWS_METADATA_SERVICE_TIMEOUT
	MetadataAttempts     string // AWS_METADATA_SERVICE_NUM_ATTEMPTS

	// Web identity, as EKS and CI systems set it.
	WebIdentityTokenFile string // AWS_WEB_IDENTITY_TOKEN_FILE
	RoleARN              string // AWS_ROLE_ARN
	RoleSessionName      string // AWS_ROLE_SESSION_NAME

	// Self is this program's own path: a credential_process that starts it
	// for the same profile again would never end.
	Self string
}

// any reports whether the environment holds a key, or half of one, or did when
// the shell was opened.
func (e Environment) any() bool { return e.AccessKeyID != "" || e.HasSecret || e.InRole }

// other reports whether the environment leads to credentials without holding
// a key: by a web identity token or a container's endpoint.
func (e Environment) other() bool {
	return !e.any() && (e.WebIdentityTokenFile != "" || e.ContainerRelativeURI != "" || e.ContainerFullURI != "")
}

// metadataOff reports whether the environment forbids the EC2 instance's role.
func (e Environment) metadataOff() bool { return strings.EqualFold(e.MetadataDisabled, "true") }

// fromArgument is the origin of a role that was named on the command line.
const fromArgument = "argument"

// For plans how to become name: a profile of c, or a role's ARN.
func For(c *awsconfig.Config, name string, o Options) (Plan, error) {
	b := builder{config: c, o: o}
	chain, err := b.chain(name)
	if err != nil {
		return Plan{}, err
	}
	p, err := b.build(name, chain)
	if err != nil {
		return Plan{}, err
	}
	if o.Console {
		if p.Console, err = b.console(p, chain.target()); err != nil {
			return Plan{}, err
		}
	}
	return p, nil
}

// link is a profile of a chain with what was merged into it.
type link struct {
	awsconfig.Profile
	adhoc   bool   // made from a role's ARN
	holder  string // the included profile that its key was taken from, if any
	keyring string // the id of the key that the OS keyring holds under the holder's name, else its own
}

// get returns the value of a key, and whether the profile has it. A key that
// is there but empty counts as absent, as it does for the AWS tools.
func (l link) get(key string) (awsconfig.Value, bool) {
	v, ok := l.Keys[key]
	return v, ok && v.Text != ""
}

// has reports whether the profile has one of the keys.
func (l link) has(keys ...string) bool {
	return slices.ContainsFunc(keys, func(k string) bool { _, ok := l.get(k); return ok })
}

// static reports whether the profile holds a key of its own, or half of one.
func (l link) static() bool {
	return l.keyring != "" || l.has("envchain_namespace", "aws_access_key_id", "aws_secret_access_key")
}

// assumesRole reports whether the profile is a role to be assumed with other
// credentials. A token file makes it a role of its own, whatever source it
// names (botocore, AssumeRoleProvider).
func (l link) assumesRole() bool {
	return l.has("role_arn") && !l.has("web_identity_token_file", "web_identity_token_process")
}

// chain is what a profile resolves to before any hop is made: the role
// profiles from the target down to the one next to the source, and the source.
type chain struct {
	roles  []link // target first
	source Hop
	// from is the profile that the source was found in; its Name is empty
	// when that is the environment.
	from  link
	facts []Fact
}

// target is the profile that was asked for, whose endpoints, of all services,
// count for the whole chain (botocore has one session for it).
func (c chain) target() link {
	if len(c.roles) > 0 {
		return c.roles[0]
	}
	return c.from
}

// profiles yields the chain's profiles, target first.
func (c chain) profiles() []link {
	if c.from.Name == "" || len(c.roles) > 0 && c.roles[len(c.roles)-1].Name == c.from.Name {
		return c.roles
	}
	return append(slices.Clip(c.roles), c.from)
}

type builder struct {
	config *awsconfig.Config
	o      Options
}

// chain follows source_profile from name to the source of it all.
//
// The order of precedence is botocore's: in the profile that was asked for, a
// role wins over static keys; in a profile reached as a source, static keys
// win over a role (botocore, AssumeRoleProvider).
func (b *builder) chain(name string) (chain, error) {
	var ch chain
	var steps []Step // profiles seen and the line by which each was left
	l, err := b.target(name)
	if err != nil {
		return ch, err
	}
	for asSource := false; ; asSource = true {
		if !l.assumesRole() || asSource && l.static() {
			err := b.source(&ch, l, asSource)
			return ch, err
		}
		ch.roles = append(ch.roles, l)
		if len(ch.roles) > MaxDepth {
			return ch, &Error{Kind: TooDeep, Profile: name, Origin: l.Origin, Msg: message.New("source-too-deep", "the chain of source_profile is longer than %d profiles", MaxDepth)}
		}
		next, err := b.sourceProfile(&ch, l)
		if err != nil || ch.source != nil {
			return ch, err
		}
		steps = append(steps, Step{l.Name, next.Origin})
		if next.Text == l.Name && l.static() {
			err := b.source(&ch, l, true)
			return ch, err
		}
		if i := slices.IndexFunc(steps, func(s Step) bool { return s.Profile == next.Text }); i >= 0 {
			loop := append(slices.Clone(steps[i:]), Step{Profile: next.Text})
			return ch, &Error{Kind: SourceLoop, Profile: name, Origin: next.Origin, Msg: message.New("source-loop-of", "source_profile leads back to where it came from: %s", around(loop)), Loop: loop, Name: next.Text}
		}
		l, err = b.profile(next.Text)
		if e, ok := err.(*Error); ok && e.Kind == UnknownProfile {
			return ch, &Error{Kind: MissingSource, Profile: steps[len(steps)-1].Profile, Origin: next.Origin, From: fromFlag(next),
				Msg: message.New("source-not-there", "source_profile names %s, which is in no file", shown(next.Text)), Name: next.Text, Near: e.Near}
		}
		if err != nil {
			return ch, err
		}
	}
}

// around draws a loop as the names on it.
func around(loop []Step) string {
	names := make([]string, len(loop))
	for i, s := range loop {
		names[i] = s.Profile
	}
	return strings.Join(names, " -> ")
}

// fromFlag returns the flag that a value came from, or "".
func fromFlag(v awsconfig.Value) string {
	if v.Line == 0 {
		return v.File
	}
	return ""
}

// target returns the profile called name or, when no profile is and name is a
// role's ARN, one made for that role.
func (b *builder) target(name string) (link, error) {
	l, err := b.profile(name)
	if e, ok := err.(*Error); !ok || e.Kind != UnknownProfile || !strings.HasPrefix(name, "arn:") {
		return l, err
	}
	arn, err := ParseRoleARN(name)
	if err != nil {
		return link{}, &Error{Kind: BadValue, From: fromArgument, Name: name, Msg: message.Of(err)}
	}
	return link{adhoc: true, Profile: awsconfig.Profile{
		Name: arn.Name() + "@" + arn.Account,
		Keys: map[string]awsconfig.Value{"role_arn": {Text: name, Origin: awsconfig.Origin{File: fromArgument}}},
	}}, nil
}

// profile reads one profile and what it includes. A key in the OS keyring is
// a profile of its name, whether a file has one or not.
func (b *builder) profile(name string) (link, error) {
	p, ok, err := b.config.Profile(name)
	if err != nil {
		return link{}, err
	}
	l := link{Profile: p}
	if l.keyring, err = b.inKeyring(name); err != nil {
		return link{}, err
	}
	if !ok {
		if l.keyring == "" {
			return link{}, b.unknown(name)
		}
		l.Profile = awsconfig.Profile{Name: name}
		return l, nil
	}
	if err := b.include(&l); err != nil {
		return link{}, err
	}
	if !l.has("role_arn") && l.has("role_name") && l.has("aws_account_id") {
		// The AWS Extend Switch Roles browser extension spells a role so.
		account, role := l.Keys["aws_account_id"], l.Keys["role_name"]
		role.Text = "arn:aws:iam::" + account.Text + ":role/" + role.Text
		l.Keys["role_arn"] = role
	}
	l.fromGranted()
	return l, nil
}

// fromGranted reads a profile that granted has written as one of IAM Identity
// Center: it spells those keys granted_sso_… and has itself asked for the
// credentials (Granted's documentation, "Credential Process").
func (l link) fromGranted() {
	command := strings.Fields(l.Keys["credential_process"].Text)
	if !l.has("granted_sso_start_url") || l.has("sso_session", "sso_start_url") || len(command) < 2 || command[1] != "credential-process" {
		return
	}
	if name := command[0][strings.LastIndexAny(command[0], `/\`)+1:]; name != "granted" && name != "granted.exe" {
		return
	}
	for _, key := range []string{"sso_start_url", "sso_region", "sso_account_id", "sso_role_name"} {
		if v, ok := l.get("granted_" + key); ok {
			l.Keys[key] = v
		}
	}
	delete(l.Keys, "credential_process")
}

// inKeyring returns the id of the key that the OS keyring holds under a name,
// "" where there is none.
func (b *builder) inKeyring(name string) (string, error) {
	if b.o.InKeyring == nil {
		return "", nil
	}
	return b.o.InKeyring(name)
}

func (b *builder) unknown(name string) error {
	e := &Error{Kind: UnknownProfile, Profile: name, Name: name, Msg: message.New("unknown-name", "no profile is named %s", name)}
	switch {
	case name == "":
		e.Msg = message.New("empty-name", "the name of the profile is empty")
		return e
	case b.o.Brief:
		return e
	}
	e.Near = b.near(name)
	if at := b.config.Misplaced(name); len(at) > 0 {
		e.Origin = at[0]
		e.Msg = message.New("misplaced-profile", "no profile is named %s: in this file its section must be [profile %s]", name, name)
		return e
	}
	for bad := range b.config.Malformed() {
		e.Origin = bad.Origin
		e.Msg = message.New("unknown-name-unread", "no profile is named %s, but this line cannot be read: %s", name, bad.Problem.Text())
		break
	}
	return e
}

// near returns the profiles that name may have been meant to be.
func (b *builder) near(name string) []string {
	if b.o.Brief {
		return nil
	}
	return near(name, b.config.Names())
}

// keyParts are the keys that make one access key. They are included together
// or not at all: half of a key with half of another is none.
var keyParts = []string{"aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_security_token"}

// include merges the profiles that include_profile names beneath l's own
// keys, nearest first (aws-vault's include_profile). A key in the OS keyring is
// included like one in a file, so that a profile goes on working when the key
// that it includes is moved there.
func (b *builder) include(l *link) error {
	steps := []Step{}
	at := l.Profile
	for {
		v, ok := at.Keys["include_profile"]
		if !ok || v.Text == "" {
			return nil
		}
		steps = append(steps, Step{at.Name, v.Origin})
		if i := slices.IndexFunc(steps, func(s Step) bool { return s.Profile == v.Text }); i >= 0 {
			loop := append(steps[i:], Step{Profile: v.Text})
			return &Error{Kind: IncludeLoop, Profile: l.Name, Origin: v.Origin, Msg: message.New("include-loop-of", "include_profile leads back to where it came from: %s", around(loop)), Loop: loop, Name: v.Text}
		}
		if len(steps) > MaxDepth {
			return &Error{Kind: TooDeep, Profile: l.Name, Origin: v.Origin, Msg: message.New("include-too-deep", "the chain of include_profile is longer than %d profiles", MaxDepth)}
		}
		p, ok, err := b.config.Profile(v.Text)
		if err != nil {
			return err
		}
		id, err := b.inKeyring(v.Text)
		if err != nil {
			return err
		}
		if !ok && id == "" {
			return &Error{Kind: MissingSource, Profile: at.Name, Origin: v.Origin, Msg: message.New("include-not-there", "include_profile names %s, which is in no file", shown(v.Text)), Name: v.Text, Near: b.near(v.Text)}
		}
		if holder := (link{Profile: p, keyring: id}); !l.static() && holder.static() {
			l.holder, l.keyring, l.Replaced = v.Text, id, p.Replaced
			for _, k := range keyParts {
				if v, ok := p.Keys[k]; ok {
					l.Keys[k] = v
				}
			}
		}
		for k, v := range p.Keys {
			if _, own := l.Keys[k]; !own && k != "include_profile" && !slices.Contains(keyParts, k) {
				l.Keys[k] = v
			}
		}
		at = p
	}
}

// sourceProfile says which profile the role profile l is assumed from. When
// its source is none, it sets ch.source instead.
func (b *builder) sourceProfile(ch *chain, l link) (awsconfig.Value, error) {
	none := awsconfig.Value{}
	source, hasSource := l.get("source_profile")
	credential, hasCredential := l.get("credential_source")
	named := hasSource || hasCredential
	if b.o.SourceProfile != "" && len(ch.roles) == 1 && !(named && b.o.SourceProfileDefault) {
		if named {
			return none, &Error{Kind: Conflict, Profile: l.Name, Origin: firstOrigin(source, credential), Name: "--source-profile",
				Msg: message.New("source-twice", "the profile names its own source, so --source-profile cannot name another")}
		}
		return awsconfig.Value{Text: b.o.SourceProfile, Origin: awsconfig.Origin{File: "--source-profile"}}, nil
	}
	switch {
	case hasSource && hasCredential:
		return none, &Error{Kind: Conflict, Profile: l.Name, Origin: credential.Origin, Name: "credential_source",
			Msg: message.New("two-sources", "both source_profile (%s) and credential_source are set", source.Origin)}
	case hasSource:
		return source, nil
	case hasCredential:
		return none, b.credentialSource(ch, l, credential)
	case l.static():
		return none, b.source(ch, l, true)
	}
	if b.o.Environment.other() {
		return none, b.ambient(ch, l)
	}
	if !b.o.Environment.any() {
		return none, &Error{Kind: PartialCredentials, Profile: l.Name, Origin: l.Keys["role_arn"].Origin, From: fromFlag(l.Keys["role_arn"]),
			Msg: message.New("partial", "Partial credentials found in assume-role, missing: source_profile or credential_source")}
	}
	return none, b.environment(ch, l, "no source_profile, no credential_source")
}

// firstOrigin returns the origin of the first value that has one.
func firstOrigin(values ...awsconfig.Value) awsconfig.Origin {
	for _, v := range values {
		if v.File != "" {
			return v.Origin
		}
	}
	return awsconfig.Origin{}
}

// environment makes the environment's key the source of ch.
func (b *builder) environment(ch *chain, l link, from string) error {
	env := b.o.Environment
	hop := EnvironmentKey{AccessKeyID: env.AccessKeyID, Temporary: env.HasToken}
	if env.InRole {
		if env.BaseKeyID == "" {
			return &Error{Kind: LeftEnvironmentKeys, Profile: l.Name, Origin: l.Origin, Msg: message.New("environment-is-role", "the keys should come from the environment, and in this shell those are the role's own")}
		}
		hop = EnvironmentKey{AccessKeyID: env.BaseKeyID}
	} else if env.AccessKeyID == "" || !env.HasSecret {
		missing := "AWS_ACCESS_KEY_ID"
		switch {
		case env.AccessKeyID != "":
			missing = "AWS_SECRET_ACCESS_KEY"
		case !env.HasSecret:
			missing = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
		}
		return &Error{Kind: NoEnvironmentKeys, Profile: l.Name, Origin: l.Origin, Name: missing, Msg: message.New("environment-has-no", "the keys should come from the environment, which has no %s", missing)}
	}
	ch.source = hop
	ch.facts = []Fact{{"AWS_ACCESS_KEY_ID", hop.AccessKeyID, from}}
	return nil
}

// build turns a chain into hops. The rules of MFA and of the one-hour cap of
// role chaining are here and nowhere else.
func (b *builder) build(name string, ch chain) (Plan, error) {
	p := Plan{Profile: name, Hops: []Hop{ch.source}, Facts: [][]Fact{ch.facts}}
	for _, l := range slices.Backward(ch.profiles()) {
		p.Chain = append(p.Chain, l.Name)
	}
	target := ch.target()
	if target.adhoc {
		p.Profile, p.Adhoc = target.Name, true
	}
	var err error
	if p.Protected, err = boolean(target, "switch_role_protected"); err != nil {
		return Plan{}, err
	}
	if p.Secretless, err = boolean(target, "switch_role_secretless"); err != nil {
		return Plan{}, err
	}
	if p.Region, p.RegionFact, err = b.region(ch.profiles()); err != nil {
		return Plan{}, err
	}
	endpoint, endpointFact, err := b.endpoint(target)
	if err != nil {
		return Plan{}, err
	}
	mfa, mfaFacts, err := b.mfa(ch, target)
	if err != nil {
		return Plan{}, err
	}
	p.CABundle = b.o.Environment.CABundle
	if v, ok := target.get("ca_bundle"); ok && p.CABundle == "" {
		p.CABundle = v.Text
	}
	if w, ok := ch.source.(WebIdentity); ok {
		if p.Hops[0], err = b.webIdentity(w, ch, p.Region, endpoint); err != nil {
			return Plan{}, err
		}
	}
	temporary := isTemporary(ch.source)
	if mfa.Serial != "" && isRole(ch.source) {
		return Plan{}, &Error{Kind: Conflict, Profile: name, From: mfaFacts[0].From, Name: "mfa_serial",
			Msg: message.New("mfa-without-key", "an MFA code goes with a user's key, and this chain starts from %s", Description(ch.source))}
	}
	if len(ch.roles) == 0 {
		return b.plainPlan(p, target, endpoint, endpointFact, mfa, mfaFacts)
	}

	if err := b.lengthen(&p, ch); err != nil {
		return Plan{}, err
	}
	roles := slices.Clone(ch.roles)
	slices.Reverse(roles) // next to the source first
	for i, l := range roles {
		hop, facts, err := b.role(l, i == len(roles)-1, temporary || i > 0, mfa.Serial != "" && i == 0)
		if err != nil {
			return Plan{}, err
		}
		arn, err := ParseRoleARN(hop.RoleARN)
		if err != nil {
			return Plan{}, err // role has checked it
		}
		if hop.Endpoint, err = b.at(endpoint, p.Region, arn.Partition, target); err != nil {
			return Plan{}, err
		}
		if i == 0 && mfa.Serial != "" {
			if long := hop.Duration == 0 || max(hop.Duration, p.Console.Duration) > MaxChainedDuration; long || !longLived(ch.source) {
				// AWS counts a role assumed from a GetSessionToken session as
				// chained: more than an hour is to be had only when the code
				// goes with AssumeRole itself. Temporary credentials cannot
				// call GetSessionToken at all.
				hop.MFA = mfa
				facts = append(facts, mfaFacts...)
			} else {
				p.Hops = append(p.Hops, sessionToken(mfa, DefaultTokenDuration, hop.Endpoint, arn.Partition))
				p.Facts = append(p.Facts, withEndpoint(mfaFacts, endpointFact))
			}
		}
		p.Hops = append(p.Hops, hop)
		p.Facts = append(p.Facts, withEndpoint(facts, endpointFact))
	}
	return p, nil
}

// withEndpoint adds the fact of a configured endpoint to a hop's facts.
func withEndpoint(facts []Fact, endpoint Fact) []Fact {
	if endpoint.Name == "" {
		return facts
	}
	return append(slices.Clip(facts), endpoint)
}

// isTemporary reports whether a source is known to yield credentials with a
// session token: those cannot call GetSessionToken, and a role that they
// assume is chained. What a process will print is not known.
func isTemporary(source Hop) bool {
	switch s := source.(type) {
	case StoredKey:
		return s.Temporary
	case EnvironmentKey:
		return s.Temporary
	case EnvchainKey, Process:
		return false
	}
	return true
}

// isRole reports whether a source is a role's session, to which no MFA device
// belongs.
func isRole(source Hop) bool {
	switch source.(type) {
	case InstanceMetadata, Container, WebIdentity, SSO:
		return true
	}
	return false
}

// longLived reports whether a source is a long-lived key for sure, which
// alone may call GetSessionToken.
func longLived(source Hop) bool {
	_, process := source.(Process)
	return !process && !isTemporary(source)
}

func sessionToken(mfa MFA, d time.Duration, e Endpoint, partition string) SessionToken {
	return SessionToken{MFA: mfa, Duration: d, Endpoint: SessionEndpoint{
		Region: e.Region, Partition: partition, URL: e.URL, FIPS: e.FIPS, DualStack: e.DualStack,
	}}
}

// plainPlan finishes the plan of a profile without a role. A long-lived key
// buys a session, with MFA when the profile names a device, so that the child
// never holds the key itself.
func (b *builder) plainPlan(p Plan, l link, e Endpoint, endpointFact Fact, mfa MFA, mfaFacts []Fact) (Plan, error) {
	if b.o.SourceProfile != "" && !b.o.SourceProfileDefault {
		return Plan{}, &Error{Kind: Conflict, Profile: l.Name, Origin: l.Origin, Name: "--source-profile", Msg: message.New("source-unused", "the profile assumes no role, so --source-profile has no use")}
	}
	if b.federates(p.Source()) {
		return b.federated(p, l, e, endpointFact)
	}
	if _, role := p.Source().(WebIdentity); !role && b.narrows() {
		return Plan{}, &Error{Kind: Conflict, Profile: l.Name, Origin: l.Origin, Name: "--policy", Msg: message.New("policy-unused", "a session policy narrows a role that is assumed here, and this profile assumes none")}
	}
	if !longLived(p.Source()) {
		return p, nil
	}
	if b.o.NoSession {
		p.Plain = true
		return p, nil
	}
	d, from := DefaultTokenDuration, "default"
	switch {
	case b.o.Longest:
		d, from = MaxTokenDuration, "--duration"
	case b.o.Duration != 0:
		d, from = b.o.Duration, "--duration"
		if d < MinDuration || d > MaxTokenDuration {
			return Plan{}, &Error{Kind: BadValue, Profile: l.Name, From: "--duration", Name: "--duration", Msg: message.New("user-session-length", "a session of a user lasts from 15m to 36h, not %s", Length(d))}
		}
	}
	partition := partitionOf(p.Region)
	e, err := b.at(e, p.Region, partition, l)
	if err != nil {
		return Plan{}, err
	}
	p.Hops = append(p.Hops, sessionToken(mfa, d, e, partition))
	p.Facts = append(p.Facts, withEndpoint(append(mfaFacts, Fact{"duration", Length(d), from}), endpointFact))
	return p, nil
}

// mfa finds the device: the flag's, else that of the role profile nearest to
// the source, whose hop spends the key; for a profile without a role its own.
// A device named by a profile that is only a source does not count: the AWS
// CLI assumes such roles without a code.
func (b *builder) mfa(ch chain, target link) (MFA, []Fact, error) {
	candidates := slices.Clone(ch.roles)
	slices.Reverse(candidates)
	if len(candidates) == 0 && !isRole(ch.source) { // where no key is spent the AWS CLI does not look at the device
		candidates = []link{target}
	}
	var mfa MFA
	var facts []Fact
	serial := awsconfig.Value{Text: b.o.MFASerial, Origin: awsconfig.Origin{File: "--mfa-serial"}}
	owner := target
	for _, l := range candidates {
		if serial.Text != "" {
			break
		}
		if v, ok := l.get("mfa_serial"); ok {
			serial, owner = v, l
		}
	}
	if serial.Text == "" {
		return mfa, nil, nil
	}
	if err := checkSerial(serial.Text); err != nil {
		kind := BadValue
		if strings.Contains(serial.Text, ":u2f/") {
			kind = FIDODevice
		}
		return mfa, nil, &Error{Kind: kind, Profile: owner.Name, Origin: serial.Origin, From: fromFlag(serial), Name: serial.Text, Msg: message.Of(err)}
	}
	mfa.Serial = serial.Text
	facts = append(facts, Fact{"mfa_serial", serial.Text, serial.Origin.String()})
	if v, ok := owner.get("mfa_process"); ok {
		mfa.Process = v.Text
		facts = append(facts, Fact{"mfa_process", v.Text, v.Origin.String()})
	}
	return mfa, facts, nil
}
