package emulator

import (
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The limits of STS, from its API reference.
const (
	chainedLimit = time.Hour      // of a role session made from another session
	roleLimit    = 12 * time.Hour // of any role session
	tokenLimit   = 36 * time.Hour // of GetSessionToken and GetFederationToken
	tokenDefault = 12 * time.Hour
	rootLimit    = time.Hour // of a root user's session
	maxTags      = 50
	maxManaged   = 10
	// packedLimit is how much session policies and tags may take up, in bytes.
	// AWS packs them in a way of its own; here they count as they are.
	packedLimit = 2048
)

var stsProtocol = protocol{"2011-06-15", map[string]operation{
	"AssumeRole":                {do: (*Server).assumeRole},
	"AssumeRoleWithSAML":        {do: (*Server).assumeRoleWithSAML, unsigned: true},
	"AssumeRoleWithWebIdentity": {do: (*Server).assumeRoleWithWebIdentity, unsigned: true},
	"GetAccessKeyInfo":          {do: (*Server).getAccessKeyInfo},
	"GetCallerIdentity":         {do: (*Server).getCallerIdentity},
	"GetFederationToken":        {do: (*Server).getFederationToken},
	"GetSessionToken":           {do: (*Server).getSessionToken},
}}

// credentials are a session as STS hands it out.
type credentials struct {
	AccessKeyID     string `xml:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      string
}

func (k *key) credentials() credentials {
	return credentials{k.id, k.secret, k.token, stamp(k.expires)}
}

type getCallerIdentityResult struct {
	XMLName xml.Name `xml:"GetCallerIdentityResult"`
	Arn     string
	UserID  string `xml:"UserId"`
	Account string
}

// getCallerIdentity needs no permission, not even of a policy that denies it.
func (s *Server) getCallerIdentity(c *call) (any, error) {
	id := c.key.identity
	return getCallerIdentityResult{Arn: id.arn.String(), UserID: id.id, Account: id.arn.account}, nil
}

type getAccessKeyInfoResult struct {
	XMLName xml.Name `xml:"GetAccessKeyInfoResult"`
	Account string
}

func (s *Server) getAccessKeyInfo(c *call) (any, error) {
	if c.key.kind == userSession || c.key.kind == federation {
		return nil, badToken()
	}
	v := validation{form: c.form}
	k := s.keys[v.required("AccessKeyId", accessKeyID)]
	if err := v.err(); err != nil {
		return nil, err
	}
	if q := c.question("sts:GetAccessKeyInfo", "*"); !q.who.may(q) {
		return nil, accessDenied(q.who, q.action, q.resource)
	}
	if k == nil {
		return nil, invalid("Invalid Access Key ID") // no key that AWS made
	}
	return getAccessKeyInfoResult{Account: k.identity.arn.account}, nil
}

type getSessionTokenResult struct {
	XMLName     xml.Name `xml:"GetSessionTokenResult"`
	Credentials credentials
}

func (s *Server) getSessionToken(c *call) (any, error) {
	if c.key.kind != longTerm {
		return nil, fail(http.StatusForbidden, "AccessDenied", "Cannot call GetSessionToken with session credentials")
	}
	v := validation{form: c.form}
	life := v.duration(tokenDefault, tokenLimit)
	v.mfa()
	if err := v.err(); err != nil {
		return nil, err
	}
	if c.key.user.root() {
		life = min(life, rootLimit)
	}
	f, err := c.factor()
	if err != nil {
		return nil, err
	}
	f.spend()
	k := s.issueSession(c, userSession, c.key.identity, life)
	k.user = c.key.user
	if f != nil {
		k.mfa = c.now
	}
	return getSessionTokenResult{Credentials: k.credentials()}, nil
}

// mfa checks the form of SerialNumber and TokenCode.
func (v *validation) mfa() {
	v.optional("SerialNumber", serialFormat)
	v.optional("TokenCode", codeFormat)
}

type getFederationTokenResult struct {
	XMLName       xml.Name `xml:"GetFederationTokenResult"`
	Credentials   credentials
	FederatedUser struct {
		FederatedUserID string `xml:"FederatedUserId"`
		Arn             string
	}
	PackedPolicySize int `xml:",omitempty"`
}

func (s *Server) getFederationToken(c *call) (any, error) {
	if c.key.kind != longTerm {
		return nil, fail(http.StatusForbidden, "AccessDenied", "Cannot call GetFederationToken with session credentials")
	}
	v := validation{form: c.form}
	name := v.required("Name", federatedName)
	life := v.duration(tokenDefault, tokenLimit)
	grant, err := s.grant(c, &v)
	if err != nil {
		return nil, err
	}
	who := c.key.identity
	a := arn{who.arn.partition, "sts", "", who.arn.account, "federated-user/" + name}
	if q := c.question("sts:GetFederationToken", a.String()); !q.who.may(q) {
		return nil, accessDenied(q.who, q.action, q.resource)
	}
	if c.key.user.root() {
		life = min(life, rootLimit)
	}
	if len(grant.policies) == 0 {
		grant.policies = []policy{{}} // without a session policy nothing is allowed
	}
	id := identity{arn: a, principal: a, id: a.account + ":" + name, tags: grant.tags}
	id.policies = slices.Concat(who.policies, grant.policies)
	result := getFederationTokenResult{
		Credentials:      s.issueSession(c, federation, id, life).credentials(),
		PackedPolicySize: grant.packed,
	}
	result.FederatedUser.FederatedUserID, result.FederatedUser.Arn = id.id, a.String()
	return result, nil
}

// grant is what a request for a session says about the session's rights.
type grant struct {
	policies   []policy
	tags       map[string]string // of the request alone
	transitive []string
	packed     int // per cent of what the session may carry; zero when there is nothing
}

// grant reads the session policies and tags of a call, once v has seen the
// other parameters, and tells what is wrong with any of them.
func (s *Server) grant(c *call, v *validation) (grant, error) {
	arns := v.list("PolicyArns", ".arn", maxManaged)
	names := v.list("Tags", ".Key", maxTags)
	values := v.list("Tags", ".Value", maxTags)
	transitive := v.list("TransitiveTagKeys", "", maxTags)
	for i, name := range names {
		v.check(name, fmt.Sprintf("tags.%d.member.key", i+1), tagKey)
	}
	for i, value := range values {
		v.check(value, fmt.Sprintf("tags.%d.member.value", i+1), tagValue)
	}
	if len(names) != len(values) {
		v.reject("null", fmt.Sprintf("tags.%d.member.value", len(values)+1), "Member must not be null")
	}
	if err := v.err(); err != nil {
		return grant{}, err
	}
	g := grant{tags: map[string]string{}, transitive: transitive}
	size := 0
	for i, name := range names {
		if hasFold(slices.Collect(maps.Keys(g.tags)), name) {
			return grant{}, parameter("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		g.tags[name] = values[i]
		size += len(name) + len(values[i])
	}
	for _, name := range transitive {
		if !hasFold(names, name) {
			return grant{}, parameter("The specified transitive tag key must be included in the requested tags.")
		}
	}
	for _, name := range arns {
		p, ok := s.managed[name]
		if !ok {
			return grant{}, invalid("The specified managed policy does not exist: %s", name)
		}
		g.policies = append(g.policies, p)
		size += len(name)
	}
	if text := c.form.Get("Policy"); text != "" {
		p, err := parseIdentityPolicy(text, s.providers)
		if err != nil {
			return grant{}, fail(http.StatusBadRequest, "MalformedPolicyDocument", "The policy is not in the valid JSON format: %v", err)
		}
		size += len(text)
		// Session policies add up to one: what any of them allows.
		g.policies = append(g.policies, p)
	}
	g.policies = union(g.policies)
	g.packed = (size*100 + packedLimit - 1) / packedLimit
	if g.packed > 100 {
		return grant{}, fail(http.StatusBadRequest, "PackedPolicyTooLarge", "Packed policy consumes %d%% of allotted space, please use smaller policy.", g.packed)
	}
	return g, nil
}

// union is the policies taken as one that allows what any of them does.
func union(policies []policy) []policy {
	if len(policies) == 0 {
		return nil
	}
	var one policy
	for _, p := range policies {
		one.statements = append(one.statements, p.statements...)
	}
	return []policy{one}
}

func parameter(message string) error {
	return fail(http.StatusBadRequest, "InvalidParameterValue", "%s", message)
}

func hasFold(list []string, s string) bool {
	return slices.ContainsFunc(list, func(t string) bool { return strings.EqualFold(s, t) })
}

type assumedRoleUser struct {
	AssumedRoleID string `xml:"AssumedRoleId"`
	Arn           string
}

type assumeRoleResult struct {
	XMLName          xml.Name `xml:"AssumeRoleResult"`
	Credentials      credentials
	AssumedRoleUser  assumedRoleUser
	PackedPolicySize int    `xml:",omitempty"`
	SourceIdentity   string `xml:",omitempty"`
}

func (s *Server) assumeRole(c *call) (any, error) {
	v := validation{form: c.form}
	roleARN := v.required("RoleArn", arnFormat)
	session := v.required("RoleSessionName", nameFormat)
	external := v.optional("ExternalId", externalID)
	source := v.optional("SourceIdentity", nameFormat)
	life := v.duration(time.Hour, roleLimit)
	v.mfa()
	g, err := s.grant(c, &v)
	if err != nil {
		return nil, err
	}
	if _, err := iamARN(roleARN, roleForm); err != nil {
		return nil, invalid("%s is invalid", roleARN)
	}
	caller := c.key
	if caller.kind == federation {
		return nil, badToken()
	}
	if caller.kind == longTerm && caller.user.root() {
		return nil, fail(http.StatusForbidden, "AccessDenied", "Roles may not be assumed by root accounts.")
	}
	tags, transitive, err := caller.inherit(g)
	if err != nil {
		return nil, err
	}
	f, err := c.factor()
	if err != nil {
		return nil, err
	}

	q := c.question("sts:AssumeRole", roleARN)
	if f != nil {
		q.context.setMFA(0)
	}
	q.context["sts:rolesessionname"] = []string{session}
	if external != "" {
		q.context["sts:externalid"] = []string{external}
	}
	actions := []string{"sts:AssumeRole"}
	if len(tags) > 0 {
		actions = append(actions, "sts:TagSession")
		q.context.setTags(tags, transitive)
	}
	if caller.sourceIdentity != "" {
		if source != "" && source != caller.sourceIdentity {
			return nil, accessDenied(caller.identity, "sts:SetSourceIdentity", roleARN)
		}
		source = caller.sourceIdentity
	}
	if source != "" {
		actions = append(actions, "sts:SetSourceIdentity")
		q.context["sts:sourceidentity"] = []string{source}
	}

	r := s.roles[roleARN]
	denied := firstRefused(r, q, actions)
	switch {
	case caller.kind != longTerm && life > chainedLimit:
		err = invalid("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	case denied == "" && life > r.maxSession:
		err = invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	if err == nil || s.options.StrictMFA {
		f.spend()
	}
	if err != nil {
		return nil, err
	}
	if denied != "" {
		q.action = denied
		return nil, r.refusal(q)
	}
	k := s.issueSession(c, roleSession, r.session(session, tags, g.policies), life)
	k.transitive, k.sourceIdentity, k.direct = transitive, source, caller.kind == longTerm
	return assumeRoleResult{
		Credentials:      k.credentials(),
		AssumedRoleUser:  assumedRoleUser{k.identity.id, k.identity.arn.String()},
		PackedPolicySize: g.packed,
		SourceIdentity:   source,
	}, nil
}

// firstRefused returns the first of actions that is not allowed, or "".
func firstRefused(r *role, q question, actions []string) string {
	for _, q.action = range actions {
		if r == nil || !r.mayAssume(q) {
			return q.action
		}
	}
	return ""
}

// refusal denies q in AWS's words. Within an account they tell which kind of
// policy is at fault (IAM User Guide, "Troubleshoot access denied error
// messages"); of another account's role, and of one that does not exist, they
// tell nothing.
func (r *role) refusal(q question) error {
	if r == nil || q.who.principal.account != r.arn.account {
		return accessDenied(q.who, q.action, q.resource)
	}
	because := func(what, why string) error {
		return fail(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: %s %s", q.who.arn, what, why)
	}
	switch r.trust.trusts(q) {
	case denied:
		return because(q.action, "with an explicit deny in the role trust policy")
	case silent:
		return because(q.action, "because no role trust policy allows the "+q.action+" action")
	}
	kind, verdict := q.who.refusing(q)
	what := q.action + " on resource: " + q.resource
	if verdict == denied {
		return because(what, "with an explicit deny in "+kind.article()+" "+string(kind))
	}
	return because(what, "because no "+string(kind)+" allows the "+q.action+" action")
}

// session is the identity of a session of r.
func (r *role) session(name string, tags map[string]string, policies []policy) identity {
	id := identity{
		arn:       arn{r.arn.partition, "sts", "", r.arn.account, "assumed-role/" + r.arn.name() + "/" + name},
		principal: r.arn,
		id:        r.id + ":" + name,
		policies:  append([]policy{r.policy}, policies...),
		tags:      maps.Clone(r.tags),
	}
	if id.tags == nil {
		id.tags = map[string]string{}
	}
	maps.Copy(id.tags, tags)
	return id
}

// inherit adds the transitive tags of the calling session to those of the
// request, which cannot set one of them again.
func (k *key) inherit(g grant) (tags map[string]string, transitive []string, err error) {
	tags, transitive = maps.Clone(g.tags), slices.Clone(g.transitive)
	for _, name := range k.transitive {
		if hasFold(slices.Collect(maps.Keys(g.tags)), name) {
			return nil, nil, parameter("One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
		}
		for own, value := range k.identity.tags {
			if strings.EqualFold(own, name) {
				tags[own] = value
			}
		}
		transitive = append(transitive, name)
	}
	return tags, transitive, nil
}

// setTags tells conditions of the tags that a session is to have.
func (keys conditionKeys) setTags(tags map[string]string, transitive []string) {
	for name, value := range tags {
		keys["aws:requesttag/"+strings.ToLower(name)] = []string{value}
	}
	keys["aws:tagkeys"] = slices.Sorted(maps.Keys(tags))
	if len(transitive) > 0 {
		keys["sts:transitivetagkeys"] = transitive
	}
}
