package emulator

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// IdentityCenter is an IAM Identity Center: who can sign in there, and which
// roles are theirs.
type IdentityCenter struct {
	StartURL string // https://corp.awsapps.com/start
	People   []Person
	// Accounts are the names of accounts by their ids; one without is Account
	// and its id.
	Accounts map[string]string
	// PerSecond is how many requests the portal takes in a second from all
	// people together; zero is any number.
	PerSecond int
}

// Person is a user of an Identity Center.
type Person struct {
	Name  string // what the sessions of their roles are named
	Roles []Assignment
}

// Assignment lets a person be a role of an account. IAM knows the role as
// AWSReservedSSO_ROLE_….
type Assignment struct {
	Account string
	Role    string // the name of the permission set
	// MaxSession is the permission set's session duration, from one to twelve
	// hours; zero is one hour.
	MaxSession time.Duration
	Policy     string // the JSON identity policy; "" allows everything
}

// What Identity Center gives: an access token lives for an hour, a client's
// registration for 90 days.
const (
	ssoTokenLife     = time.Hour
	registrationLife = 90 * 24 * time.Hour
)

// assignment names a role of a person.
type assignment struct{ account, role string }

// person is a declared person as the server keeps them.
type person struct {
	name     string
	roles    map[assignment]*role
	accounts []string            // by id, ascending
	names    map[string]string   // of accounts, by id
	byID     map[string][]string // the roles' names in each account, ascending
	portal   *quota
}

// quota is what a portal takes in a second.
type quota struct {
	most   int // 0 is any number
	taken  int
	second int64
}

// take reports whether another request is taken.
func (q *quota) take(now time.Time) bool {
	if second := now.Unix(); second != q.second {
		q.second, q.taken = second, 0
	}
	q.taken++
	return q.most == 0 || q.taken <= q.most
}

// bearer is who an access token of Identity Center stands for.
type bearer struct {
	person  *person
	expires time.Time
}

// client is a registered client of Identity Center.
type client struct {
	secret    string
	expires   time.Time
	startURL  string   // of the Identity Center; empty where the client did not tell
	redirects []string // where a code may be sent, without a port
	refreshes bool     // it asked for scopes, and gets refresh tokens
}

// grantee is who a refresh token of Identity Center renews a sign-in for.
type grantee struct {
	person *person
	client string
}

// identityCenter is everything that Identity Centers remember.
type identityCenter struct {
	people  map[string]map[string]*person // by start URL and name
	clients map[string]client             // by client id
	bearers map[string]bearer             // by access token
	grants  map[string]grantee            // by refresh token; each is good once
	codes   map[string]code               // by authorization code; each is good once
	devices map[string]*authorization     // by device code
}

func (s *Server) addIdentityCenter(d IdentityCenter) error {
	if !strings.HasPrefix(d.StartURL, "https://") || s.sso.people[d.StartURL] != nil {
		return errors.New("a start URL must be https, and declared once")
	}
	people, portal := map[string]*person{}, &quota{most: d.PerSecond}
	for _, p := range d.People {
		if !matches(`^[\w+=,.@-]{2,64}$`, p.Name) || people[p.Name] != nil {
			return fmt.Errorf("person %q: want 2 to 64 of a session name's characters, and each once", p.Name)
		}
		one := &person{name: p.Name, roles: map[assignment]*role{}, names: d.Accounts, byID: map[string][]string{}, portal: portal}
		for _, a := range p.Roles {
			r, err := s.reservedRole(a)
			if err != nil {
				return fmt.Errorf("person %s, role %q: %w", p.Name, a.Role, err)
			}
			if one.roles[assignment{a.Account, a.Role}] == nil {
				one.byID[a.Account] = append(one.byID[a.Account], a.Role)
			}
			one.roles[assignment{a.Account, a.Role}] = r
		}
		for _, roles := range one.byID {
			slices.Sort(roles)
		}
		one.accounts = slices.Sorted(maps.Keys(one.byID))
		people[p.Name] = one
	}
	s.sso.people[d.StartURL] = people
	return nil
}

// reservedRole is the IAM role of an assignment, which nobody but Identity
// Center can assume: its trust policy names no principal of a world.
func (s *Server) reservedRole(d Assignment) (*role, error) {
	sum := sha256.Sum256([]byte(d.Account + d.Role))
	a, err := iamARN("arn:aws:iam::"+d.Account+":role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_"+d.Role+"_"+hex.EncodeToString(sum[:8]), roleForm)
	if err != nil {
		return nil, err
	}
	if r := s.roles[a.String()]; r != nil {
		return r, nil
	}
	r := &role{arn: a, id: uniqueID("AROA", a.String()), maxSession: cmp.Or(d.MaxSession, time.Hour), policy: allowAll}
	if r.maxSession < time.Hour || r.maxSession > 12*time.Hour {
		return nil, fmt.Errorf("a session of %v is not within 1 to 12 hours", r.maxSession)
	}
	if d.Policy != "" {
		if r.policy, err = parseIdentityPolicy(d.Policy, s.providers); err != nil {
			return nil, err
		}
	}
	s.roles[a.String()] = r
	return r, nil
}

// SSOSignIn is the sign-in of a person at an Identity Center.
type SSOSignIn struct {
	StartURL, Person string
	Region           string // of the Identity Center
	// Life is how long the access token is good from now; a negative one has
	// ended.
	Life time.Duration
	// Registered is how long the client's registration is good from now; zero
	// is 90 days.
	Registered time.Duration
	// Legacy is the older form, of profiles without a session: it cannot be
	// renewed.
	Legacy bool
}

// SSOToken signs a person in and returns the file in ~/.aws/sso/cache that the
// AWS CLI would have written.
func (s *Server) SSOToken(in SSOSignIn) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.sso.people[in.StartURL][in.Person]
	if p == nil {
		return nil, fmt.Errorf("no person %q at %q is declared", in.Person, in.StartURL)
	}
	now := s.now()
	id, c := s.clientID(), client{secret: s.token("client-secret"), expires: now.Add(cmp.Or(in.Registered, registrationLife)), refreshes: true}
	s.sso.clients[id] = c
	access := s.token("aoa")
	s.sso.bearers[access] = bearer{p, now.Add(in.Life)}
	fields := []string{
		"startUrl", in.StartURL, "region", in.Region,
		"accessToken", access, "expiresAt", stamp(now.Add(in.Life)),
		"clientId", id, "clientSecret", c.secret, "registrationExpiresAt", stamp(c.expires),
	}
	if !in.Legacy {
		refresh := s.token("aor")
		s.sso.grants[refresh] = grantee{p, id}
		fields = append(fields, "refreshToken", refresh)
	}
	return dumps(fields...), nil
}

// token makes a text that stands for something; it follows from a counter.
func (s *Server) token(prefix string) string {
	s.issued++
	sum := sha256.Sum256([]byte(prefix + strconv.Itoa(s.issued)))
	return prefix + s.options.Mark + base64.RawURLEncoding.EncodeToString(sum[:])
}

// dumps writes a JSON object of names and texts by turns as Python's
// json.dumps does, which the AWS CLI writes its files with.
func dumps(pairs ...string) []byte {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		b.WriteString(", " + string(must(json.Marshal(pairs[i]))) + ": " + string(must(json.Marshal(pairs[i+1]))))
	}
	return []byte("{" + strings.TrimPrefix(b.String(), ", ") + "}")
}

// getRoleCredentials is GetRoleCredentials of Identity Center's portal.
func (s *Server) getRoleCredentials(c *call) (any, error) {
	account, name := c.form.Get("account_id"), c.form.Get("role_name")
	if account == "" || name == "" {
		return nil, fail(http.StatusBadRequest, "InvalidRequestException", "Missing account_id or role_name")
	}
	b, err := s.bearer(c)
	if err != nil {
		return nil, err
	}
	r := b.person.roles[assignment{account, name}]
	if r == nil {
		return nil, fail(http.StatusForbidden, "ForbiddenException", "No access")
	}
	k := s.issueSession(c, roleSession, r.session(b.person.name, nil, nil), r.maxSession)
	k.direct = true
	return map[string]any{"roleCredentials": map[string]any{
		"accessKeyId": k.id, "secretAccessKey": k.secret, "sessionToken": k.token, "expiration": k.expires.UnixMilli(),
	}}, nil
}

// bearer is who the token of a request to the portal stands for, unless the
// portal is asked too often.
func (s *Server) bearer(c *call) (bearer, error) {
	b, known := s.sso.bearers[c.http.Header.Get("X-Amz-Sso_bearer_token")]
	if !known || !c.now.Before(b.expires) {
		return bearer{}, fail(http.StatusUnauthorized, "UnauthorizedException", "Session token not found or invalid")
	}
	if !b.person.portal.take(c.now) {
		return bearer{}, fail(http.StatusTooManyRequests, "TooManyRequestsException", "HTTP 429 Unknown Code")
	}
	return b, nil
}

// restOperation is an action of a service that speaks REST and JSON and takes
// no signature: the request carries a token of its own.
type restOperation struct {
	service, action string
	do              func(*Server, *call) (any, error)
}

// restOperations are known by their method and path.
var restOperations = map[string]*restOperation{
	"POST /client/register":       {"sso-oidc", "RegisterClient", (*Server).registerClient},
	"POST /device_authorization":  {"sso-oidc", "StartDeviceAuthorization", (*Server).startDeviceAuthorization},
	"POST /token":                 {"sso-oidc", "CreateToken", (*Server).createToken},
	"GET " + authorizePath:        {ssoPages, "Authorize", (*Server).authorizePage},
	"POST " + authorizePath:       {ssoPages, "Authorize", (*Server).authorize},
	"GET " + devicePath:           {ssoPages, "Device", (*Server).devicePage},
	"POST " + devicePath:          {ssoPages, "Device", (*Server).allowDevice},
	"GET /federation/credentials": {"sso", "GetRoleCredentials", (*Server).getRoleCredentials},
	"GET /assignment/accounts":    {"sso", "ListAccounts", (*Server).listAccounts},
	"GET /assignment/roles":       {"sso", "ListAccountRoles", (*Server).listAccountRoles},
	"POST /logout":                {"sso", "Logout", (*Server).logout},
	"POST /v1/token":              {"signin", "CreateOAuth2Token", (*Server).createOAuth2Token},
}

// refuseREST tells e, which err may name as OAuth does, in JSON. Identity
// Center's OIDC service tells it all in the words of RFC 6749, section 5.2.
func (c *call) refuseREST(e *apiError, err error) answer {
	if c.rest.service == ssoPages {
		return htmlAnswer(e.status, "Something went wrong", "<p>"+html.EscapeString(e.message)+"</p>")
	}
	body := map[string]string{"message": e.message}
	if named, ok := errors.AsType[*oauthError](err); ok {
		body["error"] = named.name
	}
	if c.rest.service == "sso-oidc" {
		body["error_description"] = e.message
		delete(body, "message")
	}
	a := restAnswer(e.status, body)
	a.header.Set("X-Amzn-Errortype", e.code)
	return a
}

func restAnswer(status int, v any) answer {
	return answer{status: status, header: http.Header{"Content-Type": {"application/json"}}, body: must(json.Marshal(v))}
}

// oauthError is an error that has a name in OAuth besides AWS's.
type oauthError struct {
	*apiError
	name string
}

func (e *oauthError) Unwrap() error { return e.apiError }

func oauthFail(status int, code, name, message string) error {
	return &oauthError{&apiError{status, code, message}, name}
}

// newIdentityCenter remembers nothing yet.
func newIdentityCenter() identityCenter {
	return identityCenter{
		people: map[string]map[string]*person{}, clients: map[string]client{}, bearers: map[string]bearer{}, grants: map[string]grantee{},
		codes: map[string]code{}, devices: map[string]*authorization{},
	}
}

// RevokeSSO ends every sign-in at every Identity Center, as an administrator
// can: no token is taken any more.
func (s *Server) RevokeSSO() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.sso.bearers)
	clear(s.sso.grants)
}

// RefreshTokens returns the refresh tokens of Identity Centers that are good
// now, in no order.
func (s *Server) RefreshTokens() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for t := range maps.Keys(s.sso.grants) {
		list = append(list, t)
	}
	return list
}
