package emulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// policy is a JSON policy document, read. Whatever it says that the emulator
// does not evaluate is an error when it is read, so that a declared world with
// a slip in it does not pass for a stricter or a laxer one.
type policy struct{ statements []statement }

type statement struct {
	deny                    bool
	principals              []string // trust policies only: ARNs, account ids, "*"
	federated               []string
	actions, notActions     []string
	resources, notResources []string
	conditions              []condition
	variables               bool // the document's version knows ${…}
}

// allowAll stands where no policy is declared.
var allowAll = policy{[]statement{{actions: []string{"*"}, resources: []string{"*"}}}}

// managed are the managed policies that every world has, by name.
var managed = map[string]string{
	"AdministratorAccess": `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}`,
	"ReadOnlyAccess": `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
		"Action": ["iam:Get*", "iam:List*", "s3:Get*", "s3:List*", "sts:GetAccessKeyInfo", "sts:GetCallerIdentity", "sts:GetSessionToken"], "Resource": "*"}]}`,
}

// stringList is a JSON string or a list of them.
type stringList []string

func (s *stringList) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*s = stringList{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(s))
}

// scalars is a JSON string, number or boolean, or a list of them, as text.
type scalars []string

func (s *scalars) UnmarshalJSON(b []byte) error {
	var list []json.RawMessage
	if json.Unmarshal(b, &list) != nil {
		list = []json.RawMessage{b}
	}
	for _, raw := range list {
		var text string
		switch err := json.Unmarshal(raw, &text); {
		case err == nil:
		case raw[0] == '{' || raw[0] == '[' || string(raw) == "null":
			return fmt.Errorf("a condition's value cannot be %s", raw)
		default:
			text = string(raw)
		}
		*s = append(*s, text)
	}
	return nil
}

// principals is "*" or a map of kinds to names.
type principals struct{ AWS, Federated, Service stringList }

func (p *principals) UnmarshalJSON(b []byte) error {
	if string(b) == `"*"` {
		p.AWS = stringList{"*"}
		return nil
	}
	type plain principals
	return strictJSON(b, (*plain)(p))
}

type document struct {
	Version   string
	ID        string `json:"Id"`
	Statement statements
}

type statements []struct {
	Sid                   string
	Effect                string
	Principal             *principals
	Action, NotAction     stringList
	Resource, NotResource stringList
	Condition             map[string]map[string]scalars
}

// UnmarshalJSON takes one statement for a list of one, as IAM does.
func (s *statements) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		b = slices.Concat([]byte("["), b, []byte("]"))
	}
	type plain statements
	return strictJSON(b, (*plain)(s))
}

func strictJSON(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if d.More() {
		return errors.New("there is more after the document")
	}
	return nil
}

// parsePolicy reads a policy. The providers' issuers name condition keys.
func parsePolicy(text string, providers []Provider) (policy, error) {
	var doc document
	if err := strictJSON([]byte(text), &doc); err != nil {
		return policy{}, err
	}
	if !slices.Contains([]string{"", "2008-10-17", "2012-10-17"}, doc.Version) {
		return policy{}, fmt.Errorf("version %q is unknown", doc.Version)
	}
	if len(doc.Statement) == 0 {
		return policy{}, errors.New("there is no statement")
	}
	var p policy
	for i, d := range doc.Statement {
		st := statement{
			deny:    d.Effect == "Deny",
			actions: d.Action, notActions: d.NotAction,
			resources: d.Resource, notResources: d.NotResource,
			variables: doc.Version == "2012-10-17",
		}
		if d.Effect != "Allow" && d.Effect != "Deny" {
			return policy{}, fmt.Errorf("statement %d: effect %q is unknown", i+1, d.Effect)
		}
		if (len(d.Action) > 0) == (len(d.NotAction) > 0) {
			return policy{}, fmt.Errorf("statement %d: want Action or NotAction", i+1)
		}
		if d.Principal != nil {
			st.principals, st.federated = d.Principal.AWS, d.Principal.Federated
			st.principals = append(st.principals, d.Principal.Service...)
		}
		for op, keys := range d.Condition {
			for name, values := range keys {
				c, err := newCondition(op, name, values, st.variables, providers)
				if err != nil {
					return policy{}, fmt.Errorf("statement %d: %w", i+1, err)
				}
				st.conditions = append(st.conditions, c)
			}
		}
		p.statements = append(p.statements, st)
	}
	return p, nil
}

// parseIdentityPolicy reads the policy of a user, a role or a session.
func parseIdentityPolicy(text string, providers []Provider) (policy, error) {
	p, err := parsePolicy(text, providers)
	for i, st := range p.statements {
		if st.principals != nil || st.federated != nil {
			return policy{}, fmt.Errorf("statement %d: an identity policy has no Principal", i+1)
		}
		if (len(st.resources) > 0) == (len(st.notResources) > 0) {
			return policy{}, fmt.Errorf("statement %d: want Resource or NotResource", i+1)
		}
	}
	return p, err
}

// trustActions are what a trust policy can be about.
var trustActions = []string{"sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"}

// parseTrustPolicy reads a role's trust policy.
func parseTrustPolicy(text string, providers []Provider) (policy, error) {
	p, err := parsePolicy(text, providers)
	for i, st := range p.statements {
		if len(st.principals)+len(st.federated) == 0 {
			return policy{}, fmt.Errorf("statement %d: a trust policy needs a Principal", i+1)
		}
		if len(st.resources)+len(st.notResources) > 0 {
			return policy{}, fmt.Errorf("statement %d: a trust policy has no Resource", i+1)
		}
		for _, name := range st.principals {
			if a, ok := parseARN(name); name != "*" && !matches(accountForm, name) && !strings.HasSuffix(name, ".amazonaws.com") &&
				(!ok || !matches(accountForm, a.account)) {
				return policy{}, fmt.Errorf("statement %d: principal %q is not valid", i+1, name)
			}
		}
		for _, name := range st.federated {
			if !slices.ContainsFunc(providers, func(p Provider) bool { return p.ARN == name }) {
				return policy{}, fmt.Errorf("statement %d: provider %q is not declared", i+1, name)
			}
		}
		for _, pattern := range slices.Concat(st.actions, st.notActions) {
			if !slices.ContainsFunc(trustActions, func(a string) bool { return glob(strings.ToLower(pattern), strings.ToLower(a)) }) {
				return policy{}, fmt.Errorf("statement %d: action %q is none of a trust policy's", i+1, pattern)
			}
		}
	}
	return p, err
}

// question is what policies are asked: may who do action to resource?
type question struct {
	who      identity
	action   string
	resource string
	context  conditionKeys
}

// verdict is what a policy says.
type verdict int

const (
	silent  verdict = iota
	account         // trust policies: the caller's account may say who
	allowed
	denied
)

// judge evaluates an identity policy.
func (p policy) judge(q question) verdict {
	return p.evaluate(q, func(st statement) verdict {
		named := func(pattern string) bool {
			pattern, ok := expand(pattern, q.context, st.variables)
			return ok && glob(pattern, q.resource)
		}
		if slices.ContainsFunc(st.resources, named) || len(st.notResources) > 0 && !slices.ContainsFunc(st.notResources, named) {
			return allowed
		}
		return silent
	})
}

// trusts evaluates a trust policy.
func (p policy) trusts(q question) verdict {
	return p.evaluate(q, func(st statement) verdict {
		if q.who.provider != "" {
			if slices.Contains(st.federated, q.who.provider) {
				return allowed
			}
			return silent
		}
		if q.who.service != "" {
			if slices.Contains(st.principals, q.who.service) {
				return allowed
			}
			return silent
		}
		v := silent
		for _, name := range st.principals {
			v = max(v, q.who.namedBy(name))
		}
		return v
	})
}

// evaluate returns the strongest verdict among the statements that apply. The
// verdict of scope is how far a statement's principal or resource reaches.
func (p policy) evaluate(q question, scope func(statement) verdict) verdict {
	v := silent
	for _, st := range p.statements {
		named := func(pattern string) bool { return glob(strings.ToLower(pattern), strings.ToLower(q.action)) }
		if !slices.ContainsFunc(st.actions, named) && (len(st.notActions) == 0 || slices.ContainsFunc(st.notActions, named)) {
			continue
		}
		reach := scope(st)
		if reach == silent || slices.ContainsFunc(st.conditions, func(c condition) bool { return !c.holds(q.context) }) {
			continue
		}
		if st.deny {
			return denied
		}
		v = max(v, reach)
	}
	return v
}

// identity is who a request is made as.
type identity struct {
	arn       arn    // what GetCallerIdentity tells
	principal arn    // what policies name it by: the user, the role
	id        string // aws:userid
	provider  string // the ARN of who vouches for a web identity; nothing else is set then
	service   string // the name of a service of AWS; nothing else is set then
	policies  []policy
	tags      map[string]string
}

// namedBy says how a Principal names the identity: itself, its account, or
// not at all.
func (id identity) namedBy(name string) verdict {
	switch name {
	case "*", id.arn.String(), id.principal.String():
		return allowed
	case id.principal.account, arn{id.principal.partition, "iam", "", id.principal.account, "root"}.String():
		return account
	}
	return silent
}

// may reports whether every policy of the identity itself allows q.
func (id identity) may(q question) bool {
	for _, p := range id.policies {
		if p.judge(q) != allowed {
			return false
		}
	}
	return true
}

// policyKind is what AWS calls a kind of policy in a denial.
type policyKind string

const (
	identityBased policyKind = "identity-based policy"
	sessionPolicy policyKind = "session policy"
)

func (k policyKind) article() string {
	if k == identityBased {
		return "an"
	}
	return "a"
}

// refusing returns the kind of the identity's first policy that does not allow
// q, and what that says.
func (id identity) refusing(q question) (policyKind, verdict) {
	for i, p := range id.policies {
		if v := p.judge(q); v != allowed {
			if i > 0 { // behind the role's own stand those of its session
				return sessionPolicy, v
			}
			return identityBased, v
		}
	}
	return identityBased, silent
}

// mayAssume reports whether the caller's policies and the role's trust let q
// happen. Within an account it is enough that the trust policy names the
// caller itself; else both sides must agree.
func (r *role) mayAssume(q question) bool {
	trust := r.trust.trusts(q)
	switch {
	case trust == silent || trust == denied:
		return false
	case q.who.provider != "":
		return true
	case trust == allowed && q.who.principal.account == r.arn.account:
		return !slices.ContainsFunc(q.who.policies, func(p policy) bool { return p.judge(q) == denied })
	}
	return q.who.principal.partition == r.arn.partition && q.who.may(q)
}

// glob matches a pattern of * and ? in linear space and without backtracking
// beyond the last star.
func glob(pattern, s string) bool {
	star, mark := -1, 0
	p, i := 0, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
