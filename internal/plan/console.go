package plan

import (
	"cmp"
	"time"

	"aws-switch-role/internal/awsconfig"
	"aws-switch-role/internal/message"
)

// Console is how a plan's session signs in to the AWS Management Console.
type Console struct {
	// SigninURL is where AWS Sign-In is reached: the configured URL, else AWS's
	// own of the region or, where none is known, of the partition.
	SigninURL string
	// URL is the console's own, without a path.
	URL string
	// Region is what the console is to show; empty leaves that to it.
	Region string
	// Account is the one that is signed in to; empty when only AWS knows it.
	Account string
	// Role is the path and name of the role that the plan ends in, for the
	// console's own Switch Role; empty when it ends in none that a person can
	// switch to.
	Role string
	// Color is the profile's (color, of the AWS Extend Switch Roles browser
	// extension), six hexadecimal digits; it may be empty.
	Color string
	// Duration is how long the console's session is to last; 0 is as long as
	// the credentials.
	Duration time.Duration
	// Verify is set when nothing tells whose credentials the plan ends in: they
	// may be a session of GetSessionToken, which the console refuses. STS is
	// where to ask.
	Verify bool
	STS    Endpoint
}

// consoles are the hosts of AWS Sign-In and of the console. A region's own has
// the region before it, but for the sign-in host of the partition's first
// region, which is the bare one; the European partition has only the regions'
// (AWS General Reference, "AWS Sign-In endpoints and quotas" and "AWS
// Management Console endpoints"). Those of the isolated partitions are not
// public.
var consoles = map[string]struct{ signin, console, first string }{
	"aws":        {"signin.aws.amazon.com", "console.aws.amazon.com", "us-east-1"},
	"aws-cn":     {"signin.amazonaws.cn", "console.amazonaws.cn", "cn-north-1"},
	"aws-us-gov": {"signin.amazonaws-us-gov.com", "console.amazonaws-us-gov.com", "us-gov-west-1"},
	"aws-eusc":   {"signin.amazonaws-eusc.eu", "console.amazonaws-eusc.eu", ""},
}

// console says how p, whose target is l, signs in to the console.
func (b *builder) console(p Plan, l link) (Console, error) {
	c := p.Console
	partition := partitionOf(p.Region)
	switch h := p.Hops[len(p.Hops)-1].(type) {
	case AssumeRole, WebIdentity:
		arn, err := ParseRoleARN(p.RoleARN())
		if err != nil {
			return c, err // which role has checked
		}
		partition, c.Account, c.Role = arn.Partition, arn.Account, arn.Path
	case SSO:
		partition, c.Account = partitionOf(h.Region), h.AccountID
		d, err := b.consoleDuration(l)
		if err != nil {
			return c, err
		}
		c.Duration = d
	case Login:
		partition, c.Verify = partitionOf(h.Region), true
	case StoredKey, EnvironmentKey:
		c.Verify = true
	case FederationToken:
		c.Verify = !p.Kept(len(p.Hops) - 1) // then it may have handed on somebody else's
	}
	host, ok := consoles[partition]
	if !ok {
		e := &Error{Kind: BadValue, Profile: l.Name, Origin: l.Origin, Name: partition, Msg: message.New("console-not-public", "where the console of partition %s is signed in to is not public", partition)}
		if arn, ok := l.get("role_arn"); ok {
			e.Origin, e.From = arn.Origin, fromFlag(arn)
		} else if l.File == "" || p.RegionFact.From == "--region" {
			e.From = p.RegionFact.From
		}
		return c, e
	}
	if err := b.consoleRegion(&c, p, l, partition); err != nil {
		return c, err
	}
	if v, ok := l.get("color"); ok && made(v.Text, digits+"abcdefABCDEF", 6, 6) {
		c.Color = v.Text // one of another form is for another tool
	}
	signin, console := host.signin, host.console
	if c.Region != "" {
		console = c.Region + "." + console
		if c.Region != host.first {
			signin = c.Region + "." + signin
		}
	}
	configured, err := b.serviceURL(l, "signin", b.o.Environment.EndpointURLSign, "AWS_ENDPOINT_URL_SIGNIN")
	if err != nil {
		return c, err
	}
	c.SigninURL, c.URL = cmp.Or(configured, "https://"+signin), "https://"+console
	e, _, err := b.endpoint(l)
	if err != nil {
		return c, err
	}
	c.STS, err = b.at(e, p.Region, partition, l)
	return c, err
}

// consoleRegion finds the region to show: the flag's, else target_region of the
// AWS Extend Switch Roles browser extension, else the plan's. One of another
// partition than the role's has no use.
func (b *builder) consoleRegion(c *Console, p Plan, l link, partition string) error {
	region := p.Region
	if v, ok := l.get("target_region"); ok && b.o.Region == "" {
		if !validRegion(v.Text) {
			return &Error{Kind: BadValue, Profile: l.Name, Origin: v.Origin, Name: "target_region", Msg: message.New("region-name", "%s is not the name of a region, such as eu-west-1", shown(v.Text))}
		}
		region = v.Text
	}
	switch {
	case region != "" && partitionOf(region) == partition:
		c.Region = region
	case consoles[partition].first == "":
		c.Region = stsRegion("", partition)
	}
	return nil
}

// consoleDuration is the length that was asked for of the console's session, 0
// when none was.
func (b *builder) consoleDuration(l link) (time.Duration, error) {
	d := b.o.Duration
	if b.o.Longest {
		d = MaxRoleDuration
	}
	if d != 0 && (d < MinDuration || d > MaxRoleDuration || d%time.Second != 0) {
		return 0, &Error{Kind: BadValue, Profile: l.Name, From: "--duration", Name: "--duration", Msg: message.New("console-length", "a console session lasts from 15m to 12h, not %s", Length(d))}
	}
	return d, nil
}

// lengthen lets the session of the console, not that of the role, be as long
// as was asked for: the console's may outlast the role's own. AWS takes that
// for a role that is assumed with a long-lived key alone (SessionDuration;
// IAM User Guide, "Enable custom identity broker access to the AWS console").
// An hour is to be had without, and then by way of an MFA session, for which no
// other code is needed.
func (b *builder) lengthen(p *Plan, ch chain) error {
	if !b.o.Console || len(ch.roles) != 1 || !longLived(ch.source) {
		return nil
	}
	d, err := b.consoleDuration(ch.roles[0])
	if err != nil || d <= MaxChainedDuration {
		return err
	}
	p.Console.Duration = d
	b.o.Duration, b.o.Longest = 0, false
	return nil
}

// allowAll is a session policy that takes nothing away.
const allowAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

// maxFederatedName is AWS's limit to the name of a federated user.
const maxFederatedName = 32

// federates reports whether a profile without a role needs GetFederationToken
// to sign in to the console. What a process prints may be a session already,
// which no policy can narrow.
func (b *builder) federates(source Hop) bool {
	_, process := source.(Process)
	return b.o.Console && (longLived(source) || process && !b.narrows())
}

// federated finishes the plan of a profile without a role for the console,
// which takes neither a long-lived key nor a session of GetSessionToken.
// GetFederationToken takes no MFA code.
func (b *builder) federated(p Plan, l link, e Endpoint, endpointFact Fact) (Plan, error) {
	if b.o.NoSession {
		return Plan{}, &Error{Kind: Conflict, Profile: l.Name, Origin: l.Origin, Name: "--no-session", Msg: message.New("console-no-session", "the console takes no long-lived key, so --no-session has no use")}
	}
	var facts []Fact
	note := func(key string, v awsconfig.Value) { facts = append(facts, Fact{key, v.Text, v.Origin.String()}) }
	partition := partitionOf(p.Region)
	at, err := b.at(e, p.Region, partition, l)
	if err != nil {
		return Plan{}, err
	}
	h := FederationToken{Duration: DefaultTokenDuration, Endpoint: SessionEndpoint{
		Region: at.Region, Partition: partition, URL: at.URL, FIPS: at.FIPS, DualStack: at.DualStack,
	}}

	h.Name = DefaultSessionName(b.o.UserName)
	h.Name = h.Name[:min(len(h.Name), maxFederatedName)]
	from := "your user name"
	if b.o.SessionName != "" {
		h.Name, from = b.o.SessionName, "--role-session-name"
		if !made(h.Name, nameChars, 2, maxFederatedName) {
			return Plan{}, &Error{Kind: BadValue, Profile: l.Name, From: from, Name: from, Msg: message.New("federated-name-form", "the name of a federated user must be 2 to 32 letters, digits or _+=,.@-")}
		}
	}
	facts = append(facts, Fact{"name", h.Name, from})

	if h.Policy, h.PolicyARNs, err = b.policies(l, partition, note); err != nil {
		return Plan{}, err
	}
	if !b.narrows() {
		// Without a policy AWS gives a federated user no rights; with one, those
		// that the user has, too.
		h.Policy = allowAll
		facts = append(facts, Fact{"session policy", "what the user may do", "default"})
	}
	d, err := b.consoleDuration(l)
	if err != nil {
		return Plan{}, err
	}
	from = "default"
	if d != 0 {
		h.Duration, from = d, "--duration"
	}
	facts = append(facts, Fact{"duration", Length(h.Duration), from})
	p.Hops = append(p.Hops, h)
	p.Facts = append(p.Facts, withEndpoint(facts, endpointFact))
	return p, nil
}
