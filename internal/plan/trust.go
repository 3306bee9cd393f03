package plan

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"aws-switch-role/internal/message"
)

// Grant is what it takes for one role of a plan to be assumed: the trust
// policy of the role, and the permission that the caller needs (IAM User
// Guide, "Cross-account resource access": both sides must allow it).
type Grant struct {
	Role RoleARN
	// Caller is the ARN that the role's policy trusts, and Guess says that it
	// is wider than the caller, whose own ARN no file tells.
	Caller string
	Guess  bool
	// Holder is who needs the permission, in words where Caller is the whole
	// of an account and a condition says who of it.
	Holder string
	// Trust and Permission are policies in JSON, indented by two blanks.
	Trust      string
	Permission string
}

// policy and statement are an IAM policy, its elements in the order in which
// the IAM documentation writes them.
type policy struct {
	Version   string
	Statement []statement
}

type statement struct {
	Effect    string
	Principal map[string]string `json:",omitempty"`
	Action    any
	Resource  string                    `json:",omitempty"`
	Condition map[string]map[string]any `json:",omitempty"`
}

// Grants returns what each role of the plan that is assumed needs. caller is
// the ARN of the identity that the chain starts from; where it is "", the
// account of the MFA device or of the chain's source stands for it.
func Grants(p Plan, caller string) ([]Grant, error) {
	var grants []Grant
	for i, h := range p.Hops {
		role, ok := h.(AssumeRole)
		if !ok {
			continue
		}
		g, err := grant(p, i, role, caller)
		if err != nil {
			return nil, err
		}
		grants = append(grants, g)
	}
	if len(grants) == 0 {
		return nil, &Error{Kind: Conflict, Profile: p.Profile, Msg: message.New("no-role-to-trust", "the profile assumes no role, so no trust policy concerns it")}
	}
	return grants, nil
}

// grant is what the role that hop i assumes needs.
func grant(p Plan, i int, h AssumeRole, caller string) (Grant, error) {
	arn, err := ParseRoleARN(h.RoleARN)
	if err != nil {
		return Grant{}, err
	}
	g := Grant{Role: arn}
	conditions := map[string]map[string]any{}
	set := func(operator, key string, value any) {
		if conditions[operator] == nil {
			conditions[operator] = map[string]any{}
		}
		conditions[operator][key] = value
	}
	mfa := h.MFA.Serial
	switch from := p.Hops[i-1].(type) {
	case AssumeRole:
		g.Caller = from.RoleARN
	case WebIdentity:
		g.Caller = from.RoleARN
	case SSO:
		// The role that Identity Center makes has a name with a suffix of its
		// own, and an account's root stands for all of the account.
		g.Caller = "arn:" + arn.Partition + ":iam::" + from.AccountID + ":root"
		g.Holder = "the permission set " + from.RoleName + " in account " + from.AccountID
		set("ArnLike", "aws:PrincipalArn", "arn:"+arn.Partition+":iam::"+from.AccountID+":role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_"+from.RoleName+"_*")
	case SessionToken:
		g.Caller, mfa = caller, from.MFA.Serial
	default:
		g.Caller = caller
	}
	// A session's ARN tells neither the next session's nor the role's path, and
	// to name a role that does not exist is an error.
	if account, role, ok := roleOfSession(g.Caller); ok {
		g.Caller = "arn:" + arn.Partition + ":iam::" + account + ":root"
		roles := "arn:" + arn.Partition + ":iam::" + account + ":role/"
		set("ArnLike", "aws:PrincipalArn", []string{roles + role, roles + "*/" + role})
		g.Holder = "the role " + role + " of account " + account
	}
	if g.Caller == "" {
		g.Caller, g.Guess = "arn:"+arn.Partition+":iam::"+callerAccount(mfa)+":root", true
	}
	g.Holder = cmp.Or(g.Holder, g.Caller)
	// A role that is assumed with another role's session is never assumed
	// with MFA: role chaining does not pass it on.
	if mfa != "" {
		set("Bool", "aws:MultiFactorAuthPresent", "true")
	}
	if h.ExternalID != "" {
		set("StringEquals", "sts:ExternalId", h.ExternalID)
	}
	// What a session was tagged with for good, and its source identity, are
	// set anew in each role that it assumes (IAM User Guide, "Chaining roles
	// with session tags" and "Monitor and control actions taken with assumed
	// roles").
	tagged, named := len(h.Tags) > 0, h.SourceIdentity != ""
	for _, before := range p.Hops[:i] {
		if before, ok := before.(AssumeRole); ok {
			tagged = tagged || len(before.TransitiveTags) > 0
			named = named || before.SourceIdentity != ""
		}
	}
	actions := []string{"sts:AssumeRole"}
	if tagged {
		actions = append(actions, "sts:TagSession")
	}
	if named {
		actions = append(actions, "sts:SetSourceIdentity")
	}
	var action any = actions
	if len(actions) == 1 {
		action = actions[0]
	}
	if g.Trust, err = indented(statement{Effect: "Allow", Principal: map[string]string{"AWS": g.Caller}, Action: action, Condition: conditions}); err != nil {
		return g, err
	}
	g.Permission, err = indented(statement{Effect: "Allow", Action: action, Resource: h.RoleARN})
	return g, err
}

// roleOfSession returns the account and the name of the role that the ARN of a
// session belongs to: arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION (IAM User
// Guide, "IAM identifiers"). ok is false for an ARN of another kind.
func roleOfSession(arn string) (account, role string, ok bool) {
	f := strings.SplitN(arn, ":", 6)
	if len(f) != 6 || f[2] != "sts" {
		return "", "", false
	}
	rest, ok := strings.CutPrefix(f[5], "assumed-role/")
	role, _, named := strings.Cut(rest, "/")
	return f[4], role, ok && named
}

// callerAccount is the account of an MFA device, else one to be filled in.
func callerAccount(serial string) string {
	if f := strings.SplitN(serial, ":", 6); len(f) == 6 && made(f[4], digits, 12, 12) {
		return f[4]
	}
	return "ACCOUNT"
}

func indented(s statement) (string, error) {
	text, err := json.MarshalIndent(policy{"2012-10-17", []statement{s}}, "", "  ")
	if err != nil {
		return "", fmt.Errorf("writing a policy: %w", err)
	}
	return string(text), nil
}
