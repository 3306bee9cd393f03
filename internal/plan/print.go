package plan

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"aws-switch-role/internal/message"
)

// Print draws p for people: the chain, hop by hop, each value with the place
// it was read from, what will be asked and where requests will go. kept says
// of a hop until when a session of it is kept, "" when none is; nil stands for
// none at all. say puts a sentence into the person's language.
func Print(w io.Writer, p Plan, say func(message.Text) string, kept func(i int) string) error {
	d := drawing{say: say}
	d.b.WriteString(p.Profile)
	if who := p.Who(); who != "" {
		d.b.WriteString(": " + who)
	}
	d.b.WriteString("\n\n")
	for i, h := range p.Hops {
		fmt.Fprintf(&d.b, "%d. %s\n", i+1, say(Description(h)))
		for _, f := range p.Facts[i] {
			d.line(f.Name, d.phrase(f.Text), d.phrase(f.From))
		}
		if kept != nil && kept(i) != "" {
			d.line("kept", kept(i), "")
		}
		switch h := h.(type) {
		case SessionToken:
			d.ask(h.MFA)
			d.request("request", "GetSessionToken", h.Endpoint.Endpoint().Host())
		case FederationToken:
			d.request("request", "GetFederationToken", h.Endpoint.Endpoint().Host())
		case AssumeRole:
			d.ask(h.MFA)
			d.request("request", "AssumeRole", h.Endpoint.Host())
		case WebIdentity:
			d.request("request", "AssumeRoleWithWebIdentity", h.Endpoint.Host())
		case SSO:
			d.request("request", "GetRoleCredentials", hostIn(h.Endpoint, h.PortalURL()))
			if h.Session != "" { // the older form's sign-ins are not renewed
				d.request("renewal", "CreateToken", hostIn(h.OIDCEndpoint, h.OIDCURL()))
			}
		case Login:
			d.request("renewal", "CreateOAuth2Token", hostIn(h.Endpoint, h.SigninURL()))
		}
	}
	d.b.WriteString("\n")
	d.whole(p)
	_, err := io.WriteString(w, d.b.String())
	return err
}

// drawing is a plan on its way to a person.
type drawing struct {
	b   strings.Builder
	say func(message.Text) string
}

// whole draws what is true of the plan as a whole.
func (d *drawing) whole(p Plan) {
	if p.Region != "" {
		d.line("region", p.Region, d.phrase(p.RegionFact.From))
	} else {
		d.line("region", d.say(message.New("draw-no-region", "none")), d.say(message.New("draw-nobody-names-one", "no profile of the chain names one")))
	}
	if p.CABundle != "" {
		d.line("ca_bundle", p.CABundle, d.say(message.New("draw-ca-bundle", "trusted instead of the system's certificates")))
	}
	if p.Protected {
		d.line("protected", d.say(message.New("draw-protected", "asks for the profile's name first")), "switch_role_protected")
	}
	if p.Secretless {
		d.line("secretless", d.say(message.New("draw-secretless", "keeps the credentials out of the environment")), "switch_role_secretless")
	}
	if p.Plain {
		d.line("delivers", d.say(message.New("draw-plain", "the long-lived key itself")), "--no-session")
	}
	if len(p.Asks()) == 0 {
		d.line("asks", d.say(message.New("draw-no-code", "no MFA code")), "")
	}
	if c := p.Console; c.URL != "" {
		d.line("console", c.URL, "")
		d.line("signs in", d.say(message.New("draw-signs-in", "at %s", c.SigninURL)), "")
		if c.Duration != 0 {
			d.line("console session", Length(c.Duration), "")
		}
	}
}

// phrase puts a fact that is no value of a file's into the person's language.
func (d *drawing) phrase(fact string) string {
	switch fact {
	case ofUser:
		return d.say(message.New("draw-of-user", "your user name"))
	case ofKeyring:
		return d.say(message.New("draw-of-keyring", "the keyring"))
	case isSecret:
		return d.say(message.New("draw-secret", "(secret)"))
	case longest:
		return d.say(message.New("draw-longest", "the role's maximum"))
	}
	return fact
}

// Facts that are no values of a file's.
const (
	ofUser    = "your user name"
	ofKeyring = "the keyring"
	isSecret  = "(secret)"
	longest   = "the role's maximum"
)

// hostIn is a configured URL, else the host of AWS's own.
func hostIn(configured, own string) string {
	return cmp.Or(configured, strings.TrimPrefix(own, "https://"))
}

// line writes one value in columns; an empty from leaves the last one out.
func (d *drawing) line(name, text, from string) {
	text = strings.ReplaceAll(text, "\n", `\n`)
	if from == "" {
		fmt.Fprintf(&d.b, "   %-22s %s\n", name, text)
		return
	}
	fmt.Fprintf(&d.b, "   %-22s %-44s %s\n", name, text, from)
}

func (d *drawing) request(name, action, host string) {
	d.line(name, d.say(message.New("draw-request", "%s to %s", action, host)), "")
}

func (d *drawing) ask(m MFA) {
	switch {
	case m.Serial == "":
	case m.Process != "":
		d.line("asks", d.say(message.New("draw-asks-process", "the command of mfa_process, for %s", m.Serial)), "")
	default:
		d.line("asks", Prompt(m.Serial), "")
	}
}

// Prompt is the text that a code is asked for with.
func Prompt(serial string) string { return "Enter MFA code for " + serial + ":" }

// Who says in a few words whom a plan becomes: "222222222222 role/Ops".
func (p Plan) Who() string {
	if arn, err := ParseRoleARN(p.RoleARN()); err == nil {
		return arn.Account + " role/" + arn.Path
	}
	if s, ok := p.Hops[len(p.Hops)-1].(SSO); ok {
		return s.AccountID + " " + s.RoleName
	}
	return ""
}

// Describe says in a few words what a hop is, in English.
func Describe(h Hop) string { return Description(h).String() }

// Description says in a few words what a hop is.
func Description(h Hop) message.Text {
	switch h := h.(type) {
	case StoredKey:
		switch {
		case h.Temporary && h.Keyring:
			return message.New("hop-temporary-keyring-key", "the temporary key %s in the keyring", h.Profile)
		case h.Keyring:
			return message.New("hop-keyring-key", "the key %s in the keyring", h.Profile)
		case h.Temporary:
			return message.New("hop-temporary-key", "the temporary key of profile %s", h.Profile)
		}
		return message.New("hop-key", "the key of profile %s", h.Profile)
	case EnvchainKey:
		return message.New("hop-envchain-key", "the key in envchain's namespace %s", h.Namespace)
	case EnvironmentKey:
		if h.Temporary {
			return message.New("hop-temporary-environment-key", "the temporary key in the environment")
		}
		return message.New("hop-environment-key", "the key in the environment")
	case InstanceMetadata:
		return message.New("hop-instance", "the role of this EC2 instance")
	case Container:
		return message.New("hop-container", "the role of this container")
	case Process:
		return message.New("hop-process", "what the credential_process of profile %s prints", h.Profile)
	case WebIdentity:
		return message.New("hop-web-identity", "role %s by a web identity token, %s", h.RoleARN, Length(h.Duration))
	case SSO:
		return message.New("hop-sso", "role %s of account %s by IAM Identity Center", h.RoleName, h.AccountID)
	case Login:
		return message.New("hop-login", "the sign-in of aws login")
	case SessionToken:
		if h.MFA.Serial != "" {
			return message.New("hop-mfa-session", "an MFA session of that key, %s", Length(h.Duration))
		}
		return message.New("hop-session", "a session of that key, %s", Length(h.Duration))
	case FederationToken:
		return message.New("hop-federation", "a federated session of that key, %s", Length(h.Duration))
	case AssumeRole:
		if h.Duration == 0 {
			return message.New("hop-role-longest", "role %s, as long as it allows", h.RoleARN)
		}
		return message.New("hop-role", "role %s, %s", h.RoleARN, Length(h.Duration))
	}
	return message.Text{}
}

// Host names where a request goes, for people: the configured URL, else the
// host of AWS's own endpoint.
func (e Endpoint) Host() string {
	if e.URL != "" {
		return e.URL
	}
	return hostOf("sts", e.Region, e.FIPS, e.DualStack)
}
