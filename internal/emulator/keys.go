package emulator

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// kind says how a key came to be, which decides what it may do.
type kind int

const (
	longTerm    kind = iota
	userSession      // GetSessionToken
	roleSession      // AssumeRole and its relatives
	federation       // GetFederationToken
)

// key is an access key that the server knows, long-lived or of a session.
type key struct {
	id, secret, token string
	kind              kind
	user              *user // nil for role sessions
	identity          identity
	inactive          bool
	issued            time.Time
	pending           time.Time // before it no endpoint knows the key yet
	expires           time.Time // zero for long-lived keys
	mfa               time.Time // when the session's code was taken; zero for none
	transitive        []string  // keys of identity.tags that the next role inherits
	sourceIdentity    string
	global            bool // made by the global endpoint
	direct            bool // a role assumed with a long-lived key or a federated sign-in
	used              struct {
		at              time.Time
		service, region string
	}
}

// identity is the user as the one who makes a request.
func (u *user) identity() identity {
	return identity{arn: u.arn, principal: u.arn, id: u.id, policies: []policy{u.policy}, tags: u.tags}
}

// secretSize is the length of AWS's own secret access keys.
const secretSize = 40

// issue makes a key of prefix AKIA or ASIA, and a session token for the
// latter. Ids and secrets follow from a counter: nothing here is worth
// guessing.
func (s *Server) issue(prefix string, now time.Time) *key {
	s.issued++
	sum := func(what string) []byte {
		b := sha256.Sum256([]byte(what + strconv.Itoa(s.issued)))
		return b[:]
	}
	k := &key{
		id:     prefix + base32.StdEncoding.EncodeToString(sum("id"))[:16],
		secret: (s.options.Mark + base64.StdEncoding.EncodeToString(sum("secret")))[:secretSize],
		issued: now,
	}
	if prefix == "ASIA" {
		// As long as AWS's own, with every character that those have.
		k.token = "IQoJb3JpZ2luX2Vj" + s.options.Mark + "//+" + strings.Repeat(base64.StdEncoding.EncodeToString(sum("token")), 8)
	}
	s.keys[k.id] = k
	return k
}

// issueSession makes the key of a session for id that ends after life.
func (s *Server) issueSession(c *call, kind kind, id identity, life time.Duration) *key {
	k := s.issue("ASIA", c.now)
	k.kind, k.identity = kind, id
	k.expires = c.now.Add(life).Truncate(time.Second)
	k.global = c.host == "sts.amazonaws.com"
	return k
}

func badToken() error {
	return fail(http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid.")
}

// authenticate returns the key that c was signed with.
func (s *Server) authenticate(c *call) (*key, error) {
	g := c.signature
	if g == nil {
		return nil, fail(http.StatusForbidden, "MissingAuthenticationToken", "Request is missing Authentication Token")
	}
	k := s.keys[g.keyID]
	if k == nil || k.inactive || c.now.Before(k.pending) || partitionOf(g.region) != k.identity.principal.partition || slices.Contains(s.regionsDisabled, g.region) {
		return nil, badToken()
	}
	if err := g.current(c.now); err != nil {
		return nil, err
	}
	if err := scoped(g, c.host); err != nil {
		return nil, err
	}
	if err := g.verify(c.http, c.body, k.secret); err != nil {
		return nil, err
	}
	if g.token != k.token || k.global && slices.Contains(s.regionsOptIn, g.region) {
		return nil, badToken()
	}
	if k.kind != longTerm && !c.now.Before(k.expires) {
		return nil, fail(http.StatusForbidden, "ExpiredToken", "The security token included in the request is expired")
	}
	k.used.at, k.used.service, k.used.region = c.now, g.service, g.region
	return k, nil
}

// scoped checks the region of the signature. Behind an address that is not
// AWS's own any region will do.
func scoped(g *signature, host string) error {
	want := g.region
	if name, ok := strings.CutSuffix(strings.TrimSuffix(host, ".cn"), ".amazonaws.com"); ok {
		switch label := name[strings.LastIndexByte(name, '.')+1:]; {
		case matches(regionForm, label):
			want = label
		case g.service == "sts" || g.service == "iam":
			want = defaultRegion[partitionOf(g.region)]
		}
	}
	if want != g.region || !matches(regionForm, g.region) {
		return fail(http.StatusForbidden, "SignatureDoesNotMatch", "Credential should be scoped to a valid region, not '%s'. ", g.region)
	}
	return nil
}

// defaultRegion is where the global services of a partition are signed for.
var defaultRegion = map[string]string{"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}

func partitionOf(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// question is what the call asks of the policies, with the context that every
// request has.
func (c *call) question(action, resource string) question {
	k := c.key
	keys := conditionKeys{
		"aws:currenttime":      {stamp(c.now)},
		"aws:epochtime":        {strconv.FormatInt(c.now.Unix(), 10)},
		"aws:principalaccount": {k.identity.principal.account},
		"aws:principalarn":     {k.identity.principal.String()},
		"aws:principaltype":    {map[kind]string{longTerm: "User", userSession: "User", roleSession: "AssumedRole", federation: "FederatedUser"}[k.kind]},
		"aws:requestedregion":  {c.signature.region},
		"aws:userid":           {k.identity.id},
	}
	if k.user != nil {
		if k.user.root() {
			keys["aws:principaltype"] = []string{"Account"}
		} else {
			keys["aws:username"] = []string{k.user.arn.name()}
		}
	}
	for name, value := range k.identity.tags {
		keys["aws:principaltag/"+strings.ToLower(name)] = []string{value}
	}
	if k.sourceIdentity != "" {
		keys["aws:sourceidentity"] = []string{k.sourceIdentity}
	}
	if k.kind != longTerm {
		// With a long-lived key the MFA keys are absent, which is not false.
		keys["aws:tokenissuetime"] = []string{stamp(k.issued)}
		keys["aws:multifactorauthpresent"] = []string{strconv.FormatBool(!k.mfa.IsZero())}
	}
	if !k.mfa.IsZero() {
		keys.setMFA(c.now.Sub(k.mfa))
	}
	return question{k.identity, action, resource, keys}
}

func (keys conditionKeys) setMFA(age time.Duration) {
	keys["aws:multifactorauthpresent"] = []string{"true"}
	keys["aws:multifactorauthage"] = []string{strconv.Itoa(int(age / time.Second))}
}

// factor is an MFA code that a request brought and that is right.
type factor struct {
	device *device
	step   int64
}

// spend makes the code useless from now on.
func (f *factor) spend() {
	if f == nil {
		return
	}
	maps.DeleteFunc(f.device.spent, func(step int64, _ bool) bool { return step < f.step-2 })
	f.device.spent[f.step] = true
}

func mfaFailed(why string) error {
	return fail(http.StatusForbidden, "AccessDenied", "MultiFactorAuthentication failed, %s", why)
}

// factor checks the SerialNumber and TokenCode of the call, if any, without
// spending the code.
func (c *call) factor() (*factor, error) {
	serial, code := c.form.Get("SerialNumber"), c.form.Get("TokenCode")
	if serial == "" && code == "" {
		return nil, nil
	}
	if serial == "" || code == "" {
		return nil, mfaFailed("must provide both MFA serial number and one time pass code.")
	}
	var own *device
	if u := c.key.user; u != nil {
		for _, d := range u.devices {
			if d.Serial == serial && !d.fido() {
				own = d
			}
		}
	}
	if own == nil {
		return nil, mfaFailed("unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.")
	}
	step, ok := own.find(code, c.now)
	if !ok {
		return nil, fail(http.StatusForbidden, "AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code.")
	}
	return &factor{own, step}, nil
}

func accessDenied(who identity, action, resource string) error {
	return fail(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: %s on resource: %s", who.arn, action, resource)
}

// apiError is an error as AWS tells it.
type apiError struct {
	status        int
	code, message string
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

func fail(status int, code, format string, args ...any) error {
	return &apiError{status, code, fmt.Sprintf(format, args...)}
}
