package emulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// claims are those of an OpenID Connect token that STS looks at.
type claims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
	Issued   int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

// jwtHeader names the one algorithm of the emulator's tokens. Real providers
// sign with keys that STS fetches from them; here both ends are the same
// server.
const jwtHeader = `{"alg":"HS256","typ":"JWT"}`

// WebIdentityToken makes a token of a declared provider, by its ARN, for
// AssumeRoleWithWebIdentity. It is good for life from now.
func (s *Server) WebIdentityToken(provider, subject string, life time.Duration) (string, error) {
	for _, p := range s.providers {
		if p.ARN == provider {
			now := s.now()
			body := must(json.Marshal(claims{"https://" + p.issuer(), subject, p.Audience, now.Unix(), now.Add(life).Unix()}))
			text := base64.RawURLEncoding.EncodeToString([]byte(jwtHeader)) + "." + base64.RawURLEncoding.EncodeToString(body)
			return text + "." + p.mac(text), nil
		}
	}
	return "", fmt.Errorf("no provider %q is declared", provider)
}

// mac signs a token's text with a key that belongs to the provider.
func (p Provider) mac(text string) string {
	mac := hmac.New(sha256.New, []byte("SECRET"+p.ARN))
	mac.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func badIdentity(format string, args ...any) error {
	return fail(http.StatusBadRequest, "InvalidIdentityToken", format, args...)
}

// vouched returns who made a token and what it claims.
func (s *Server) vouched(token, account string, now time.Time) (Provider, claims, error) {
	var c claims
	// The AWS CLI and the SDKs send a token's file as it is (botocore,
	// FileWebIdentityTokenLoader; SDK for Go, stscreds.IdentityTokenFile), and
	// files that end with a newline are known to work with them
	// (github.com/mongodb/mongo-go-driver, pull request 1965).
	parts := strings.Split(strings.TrimRight(token, "\r\n"), ".")
	if len(parts) != 3 {
		return Provider{}, c, badIdentity("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(body, &c) != nil {
		return Provider{}, c, badIdentity("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
	}
	i := slices.IndexFunc(s.providers, func(p Provider) bool {
		a, _ := parseARN(p.ARN)
		return "https://"+p.issuer() == c.Issuer && a.account == account
	})
	if i < 0 {
		return Provider{}, c, badIdentity("No OpenIDConnect provider found in your account for %s", c.Issuer)
	}
	p := s.providers[i]
	if !hmac.Equal([]byte(p.mac(parts[0]+"."+parts[1])), []byte(parts[2])) {
		return p, c, badIdentity("Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements")
	}
	if c.Audience != p.Audience {
		return p, c, badIdentity("Incorrect token audience")
	}
	if now.Unix() >= c.Expires {
		return p, c, fail(http.StatusBadRequest, "ExpiredTokenException", "Token expired: current date/time %d must be before the expiration date/time%d", now.Unix(), c.Expires)
	}
	return p, c, nil
}

type assumeRoleWithWebIdentityResult struct {
	XMLName                     xml.Name `xml:"AssumeRoleWithWebIdentityResult"`
	Credentials                 credentials
	SubjectFromWebIdentityToken string
	AssumedRoleUser             assumedRoleUser
	PackedPolicySize            int `xml:",omitempty"`
	Provider                    string
	Audience                    string
}

func (s *Server) assumeRoleWithWebIdentity(c *call) (any, error) {
	v := validation{form: c.form}
	roleARN := v.required("RoleArn", arnFormat)
	session := v.required("RoleSessionName", nameFormat)
	token := v.required("WebIdentityToken", webToken)
	life := v.duration(time.Hour, roleLimit)
	g, err := s.grant(c, &v)
	if err != nil {
		return nil, err
	}
	a, err := iamARN(roleARN, roleForm)
	if err != nil {
		return nil, invalid("%s is invalid", roleARN)
	}
	p, who, err := s.vouched(token, a.account, c.now)
	if err != nil {
		return nil, err
	}
	issuer := strings.ToLower(p.issuer())
	q := question{who: identity{provider: p.ARN}, action: "sts:AssumeRoleWithWebIdentity", resource: roleARN, context: conditionKeys{
		issuer + ":aud":       {who.Audience},
		issuer + ":sub":       {who.Subject},
		"sts:rolesessionname": {session},
		"aws:currenttime":     {stamp(c.now)},
	}}
	r := s.roles[roleARN]
	if r == nil || !r.mayAssume(q) {
		return nil, fail(http.StatusForbidden, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
	}
	if life > r.maxSession {
		return nil, invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	k := s.issueSession(c, roleSession, r.session(session, nil, g.policies), life)
	k.direct = true
	return assumeRoleWithWebIdentityResult{
		Credentials:                 k.credentials(),
		SubjectFromWebIdentityToken: who.Subject,
		AssumedRoleUser:             assumedRoleUser{k.identity.id, k.identity.arn.String()},
		PackedPolicySize:            g.packed,
		Provider:                    p.ARN,
		Audience:                    who.Audience,
	}, nil
}
