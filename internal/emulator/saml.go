package emulator

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The names of the attributes that STS looks at, and whom an answer of an
// identity provider is for (IAM User Guide, "Configure SAML assertions for the
// authentication response").
const (
	samlRole     = "https://aws.amazon.com/SAML/Attributes/Role"
	samlSession  = "https://aws.amazon.com/SAML/Attributes/RoleSessionName"
	samlAudience = "https://signin.aws.amazon.com/saml"
)

// samlResponse is an answer of a SAML 2.0 identity provider, as far as STS
// looks at it. Real ones are signed by XML Signature; here both ends are the
// same server, and Signature is a MAC of the rest.
type samlResponse struct {
	XMLName    xml.Name        `xml:"urn:oasis:names:tc:SAML:2.0:protocol Response"`
	Issuer     string          `xml:"Assertion>Issuer"`
	Subject    string          `xml:"Assertion>Subject>NameID"`
	Audience   string          `xml:"Assertion>Conditions>AudienceRestriction>Audience"`
	End        time.Time       `xml:"Assertion>SubjectConfirmationData>NotOnOrAfter"`
	Attributes []samlAttribute `xml:"Assertion>AttributeStatement>Attribute"`
	Signature  string          `xml:",omitempty"`
}

type samlAttribute struct {
	Name   string   `xml:",attr"`
	Values []string `xml:"AttributeValue"`
}

// SAMLAssertion makes an answer of a declared identity provider, by its ARN,
// for AssumeRoleWithSAML: subject may be the role, for life from now.
func (s *Server) SAMLAssertion(provider, role, subject string, life time.Duration) (string, error) {
	p, ok := s.samlProvider(provider)
	if !ok {
		return "", fmt.Errorf("no provider %q is declared", provider)
	}
	r := samlResponse{
		Issuer: "https://idp.example.com", Subject: subject, Audience: samlAudience, End: s.now().Add(life).UTC().Truncate(time.Second),
		Attributes: []samlAttribute{{samlRole, []string{role + "," + provider}}, {samlSession, []string{subject}}},
	}
	r.Signature = p.mac(r.unsigned())
	return base64.StdEncoding.EncodeToString(must(xml.Marshal(r))), nil
}

func (s *Server) samlProvider(arn string) (Provider, bool) {
	i := slices.IndexFunc(s.providers, func(p Provider) bool { return p.ARN == arn && strings.Contains(arn, ":saml-provider/") })
	if i < 0 {
		return Provider{}, false
	}
	return s.providers[i], true
}

// unsigned is what the signature is of.
func (r samlResponse) unsigned() string {
	r.Signature = ""
	return string(must(xml.Marshal(r)))
}

// values returns those of an attribute.
func (r samlResponse) values(name string) []string {
	for _, a := range r.Attributes {
		if a.Name == name {
			return a.Values
		}
	}
	return nil
}

type assumeRoleWithSAMLResult struct {
	XMLName         xml.Name `xml:"AssumeRoleWithSAMLResult"`
	Credentials     credentials
	AssumedRoleUser assumedRoleUser
	Subject         string
	SubjectType     string
	Issuer          string
	Audience        string
}

func (s *Server) assumeRoleWithSAML(c *call) (any, error) {
	v := validation{form: c.form}
	roleARN := v.required("RoleArn", arnFormat)
	provider := v.required("PrincipalArn", arnFormat)
	text := v.required("SAMLAssertion", format{4, 100_000, ""})
	life := v.duration(time.Hour, roleLimit)
	g, err := s.grant(c, &v)
	if err != nil {
		return nil, err
	}
	var said samlResponse
	decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || xml.Unmarshal(decoded, &said) != nil {
		return nil, badIdentity("Invalid base64 SAMLResponse")
	}
	p, known := s.samlProvider(provider)
	switch session := said.values(samlSession); {
	case !known:
		return nil, badIdentity("No SAML provider found in your account: %s", provider)
	case !hmac.Equal([]byte(p.mac(said.unsigned())), []byte(said.Signature)):
		return nil, badIdentity("Response signature invalid")
	case said.Audience != samlAudience:
		return nil, badIdentity("Invalid audience")
	case !c.now.Before(said.End):
		return nil, fail(http.StatusBadRequest, "ExpiredTokenException", "Token must be redeemed within 5 minutes of issuance")
	case len(session) != 1 || !matches(`^[\w+=,.@-]{2,64}$`, session[0]):
		return nil, badIdentity("RoleSessionName is required in AuthnResponse")
	}
	q := question{who: identity{provider: p.ARN}, action: "sts:AssumeRoleWithSAML", resource: roleARN, context: conditionKeys{
		"saml:aud":        {said.Audience},
		"aws:currenttime": {stamp(c.now)},
	}}
	r := s.roles[roleARN]
	if r == nil || !slices.Contains(said.values(samlRole), roleARN+","+provider) || !r.mayAssume(q) {
		return nil, fail(http.StatusForbidden, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithSAML")
	}
	if life > r.maxSession {
		return nil, invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	k := s.issueSession(c, roleSession, r.session(said.values(samlSession)[0], nil, g.policies), life)
	k.direct = true
	return assumeRoleWithSAMLResult{
		Credentials:     k.credentials(),
		AssumedRoleUser: assumedRoleUser{k.identity.id, k.identity.arn.String()},
		Subject:         said.Subject, SubjectType: "persistent", Issuer: said.Issuer, Audience: said.Audience,
	}, nil
}
