package plan

import (
	"encoding/json"
	"strings"

	"aws-switch-role/internal/awsconfig"
	"aws-switch-role/internal/message"
)

// Limits of session policies, from the AWS STS API reference.
const (
	maxPolicy     = 2048
	maxPolicyARNs = 10
)

// narrows reports whether a session policy was asked for.
func (b *builder) narrows() bool {
	return b.o.Policy != "" || len(b.o.PolicyARNs) > 0 || b.o.ReadOnly
}

// policies returns the session policies of the flags, in JSON and by ARN, for a
// session in partition.
func (b *builder) policies(l link, partition string, note func(string, awsconfig.Value)) (policy string, arns []string, err error) {
	bad := func(flag string, msg message.Text) (string, []string, error) {
		return "", nil, &Error{Kind: BadValue, Profile: l.Name, From: flag, Name: flag, Msg: msg}
	}
	if b.o.Policy != "" {
		var compact strings.Builder
		var document map[string]any
		if err := json.Unmarshal([]byte(b.o.Policy), &document); err != nil {
			return bad(b.o.PolicyFrom, message.New("policy-form", "the policy is not a JSON object: %v", err))
		}
		enc := json.NewEncoder(&compact)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(document); err != nil {
			return bad(b.o.PolicyFrom, message.New("policy-form", "the policy is not a JSON object: %v", err))
		}
		policy = strings.TrimSpace(compact.String())
		if len(policy) > maxPolicy {
			return bad(b.o.PolicyFrom, message.New("policy-too-long", "a session policy has at most %d characters, not %d", maxPolicy, len(policy)))
		}
		note("session policy", awsconfig.Value{Text: policy, Origin: awsconfig.Origin{File: b.o.PolicyFrom}})
	}
	for _, a := range b.o.PolicyARNs {
		if !strings.HasPrefix(a, "arn:"+partition+":iam::") || !strings.Contains(a, ":policy/") {
			return bad("--policy-arn", message.New("policy-arn-form", "%s is not the ARN of a policy in partition %s, such as arn:%s:iam::aws:policy/ReadOnlyAccess", a, partition, partition))
		}
		arns = append(arns, a)
		note("session policy", awsconfig.Value{Text: a, Origin: awsconfig.Origin{File: "--policy-arn"}})
	}
	if b.o.ReadOnly {
		a := "arn:" + partition + ":iam::aws:policy/ReadOnlyAccess"
		arns = append(arns, a)
		note("session policy", awsconfig.Value{Text: a, Origin: awsconfig.Origin{File: "--read-only"}})
	}
	if len(arns) > maxPolicyARNs {
		return bad("--policy-arn", message.New("too-many-policies", "a session takes at most %d managed policies", maxPolicyARNs))
	}
	return policy, arns, nil
}
