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
// none at all.
func Print(w io.Writer, p Plan, kept func(i int) string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s", p.Profile)
	if who := p.Who(); who != "" {
		fmt.Fprintf(&b, ": %s", who)
	}
	b.WriteString("\n\n")
	for i, h := range p.Hops {
		fmt.Fprintf(&b, "%d. %s\n", i+1, Describe(h))
		for _, f := range p.Facts[i] {
			line(&b, f.Name, f.Text, f.From)
		}
		if kept != nil && kept(i) != "" {
			line(&b, "kept", kept(i), "")
		}
		switch h := h.(type) {
		case SessionToken:
			ask(&b, h.MFA)
			line(&b, "request", "GetSessionToken to "+h.Endpoint.Endpoint().Host(), "")
		case FederationToken:
			line(&b, "request", "GetFederationToken to "+h.Endpoint.Endpoint().Host(), "")
		case AssumeRole:
			ask(&b, h.MFA)
			line(&b, "request", "AssumeRole to "+h.Endpoint.Host(), "")
		case WebIdentity:
			line(&b, "request", "AssumeRoleWithWebIdentity to "+h.Endpoint.Host(), "")
		case SSO:
			line(&b, "request", "GetRoleCredentials to "+hostIn(h.Endpoint, h.PortalURL()), "")
			if h.Session != "" { // the older form's sign-ins are not renewed
				line(&b, "renewal", "CreateToken to "+hostIn(h.OIDCEndpoint, h.OIDCURL()), "")
			}
		case Login:
			line(&b, "renewal", "CreateOAuth2Token to "+hostIn(h.Endpoint, h.SigninURL()), "")
		}
	}
	b.WriteString("\n")
	if p.Region != "" {
		line(&b, "region", p.Region, p.RegionFact.From)
	} else {
		line(&b, "region", "none", "no profile of the chain names one")
	}
	if p.CABundle != "" {
		line(&b, "ca_bundle", p.CABundle, "trusted instead of the system's certificates")
	}
	if p.Protected {
		line(&b, "protected", "asks for the profile's name first", "switch_role_protected")
	}
	if p.Secretless {
		line(&b, "secretless", "keeps the credentials out of the environment", "switch_role_secretless")
	}
	if p.Plain {
		line(&b, "delivers", "the long-lived key itself", "--no-session")
	}
	if len(p.Asks()) == 0 {
		line(&b, "asks", "no MFA code", "")
	}
	if c := p.Console; c.URL != "" {
		line(&b, "console", c.URL, "")
		line(&b, "signs in", "at "+c.SigninURL, "")
		if c.Duration != 0 {
			line(&b, "console session", Length(c.Duration), "")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// hostIn is a configured URL, else the host of AWS's own.
func hostIn(configured, own string) string {
	return cmp.Or(configured, strings.TrimPrefix(own, "https://"))
}

// line writes one value in columns; an empty from leaves the last one out.
func line(b *strings.Builder, name, text, from string) {
	text = strings.ReplaceAll(text, "\n", `\n`)
	if from == "" {
		fmt.Fprintf(b, "   %-22s %s\n", name, text)
		return
	}
	fmt.Fprintf(b, "   %-22s %-44s %s\n", name, text, from)
}

func ask(b *strings.Builder, m MFA) {
	switch {
	case m.Serial == "":
	case m.Process != "":
		line(b, "asks", "the command of mfa_process, for "+m.Serial, "")
	default:
		line(b, "asks", Prompt(m.Serial), "")
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
