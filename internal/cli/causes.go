package cli

import (
	"cmp"
	"errors"
	"strings"

	"aws-switch-role/internal/doctor"
	"aws-switch-role/internal/hop"
	"aws-switch-role/internal/message"
	"aws-switch-role/internal/plan"
	"aws-switch-role/internal/session"
)

// causes are the likely reasons for a refusal of hop i of p that AWS gives none
// for, the likeliest first: what it would be and, as the why, how to tell. They
// are none where AWS says the reason.
func (a *app) causes(e *hop.APIError, p plan.Plan, i int) []explanation {
	if i < 0 {
		return nil
	}
	switch refusal(e, p, i) {
	case "denied":
		return a.causesOfDenial(e, p, i)
	case "key-unknown", "key-unknown-there":
		return a.causesOfUnknownKey(p, i)
	}
	return nil
}

func (a *app) causesOfDenial(e *hop.APIError, p plan.Plan, i int) []explanation {
	h := p.Hops[i].(plan.AssumeRole)
	var ids []string
	before, isSession := p.Hops[i-1].(plan.SessionToken)
	_, isRole := p.Hops[i-1].(plan.AssumeRole)
	switch {
	case h.MFA.Serial != "":
	case isSession && before.MFA.Serial != "":
		if !a.codeTaken.Load() {
			ids = append(ids, "cause-mfa-old")
		}
	case isRole:
		ids = append(ids, "cause-mfa-lost")
	default:
		ids = append(ids, "cause-no-mfa")
	}
	if h.ExternalID == "" {
		ids = append(ids, "cause-no-external-id")
	} else {
		ids = append(ids, "cause-other-external-id")
	}
	name := ""
	if arn, err := plan.ParseRoleARN(h.RoleARN); err == nil {
		name = arn.Name()
	}
	var all []explanation
	for _, id := range append(ids, "cause-not-trusted", "cause-no-permission", "cause-no-role") {
		all = append(all, a.phrase(id, profileOf(p, i), h.RoleARN, name, cmp.Or(principal(caller(e.Message)), "ARN")))
	}
	return all
}

// profileOf is the profile that has the role of hop i of p, as it is typed: what
// a role in the middle of a chain lacks is set there.
func profileOf(p plan.Plan, i int) string {
	roles := 0 // from there to the end, each of which is a profile's
	for _, h := range p.Hops[i:] {
		if _, ok := h.(plan.AssumeRole); ok {
			roles++
		}
	}
	if at := len(p.Chain) - roles; roles > 1 && !p.Adhoc && at >= 0 {
		return p.Chain[at]
	}
	return typed(p)
}

// principal is the ARN by which policies name a caller: of a role's session,
// the role, whose path the session's ARN does not tell.
func principal(caller string) string {
	f := strings.SplitN(caller, ":", 6)
	if len(f) < 6 || f[2] != "sts" || !strings.HasPrefix(f[5], "assumed-role/") {
		return caller
	}
	role := strings.Split(f[5], "/")[1]
	return strings.Join([]string{f[0], f[1], "iam", "", f[4], "role/" + role}, ":")
}

// causesOfUnknownKey are those of a key, or a session token, that hop i of p was
// to spend and that STS does not know.
func (a *app) causesOfUnknownKey(p plan.Plan, i int) []explanation {
	var ids []string
	region, source, other, at := "", typed(p), "us-gov-west-1", ""
	ofUser := true
	if i >= 0 {
		region = regionOf(p.Hops[i])
		ofUser = i == 1 && longLived(p.Source())
		if s, ok := p.Source().(plan.StoredKey); ok {
			source = s.Profile
		}
		if _, at = endpointOf(p, i); at != "" {
			ids = append(ids, "cause-other-endpoint")
		}
	}
	// Most keys are of the partition that most accounts are in.
	abroad := strings.HasPrefix(region, "us-gov-") || strings.HasPrefix(region, "cn-")
	if abroad {
		other = "us-east-1"
		ids = append(ids, "cause-key-elsewhere")
	}
	if plan.OptIn(region) {
		ids = append(ids, "cause-region-not-enabled")
	}
	if ofUser {
		ids = append(ids, "cause-key-inactive", "cause-key-deleted")
	} else {
		ids = append(ids, "cause-tokens-mixed", "cause-session-revoked")
	}
	if !abroad {
		ids = append(ids, "cause-key-elsewhere")
	}
	var all []explanation
	for _, id := range ids {
		all = append(all, a.phrase(id, typed(p), source, region, keyID(p), other, a.remove(at)))
	}
	return all
}

// keyID is the id of the key that a plan starts from, as its facts tell it.
func keyID(p plan.Plan) string {
	if len(p.Facts) == 0 {
		return "ID"
	}
	for _, f := range p.Facts[0] {
		if strings.EqualFold(f.Name, "aws_access_key_id") {
			return f.Text
		}
	}
	return "ID"
}

// endpointOf is the endpoint that hop i of p asks when it is another than AWS's,
// and the place where it is set.
func endpointOf(p plan.Plan, i int) (url, at string) {
	for _, f := range p.Facts[i] {
		if f.Name == "endpoint_url" && !doctor.OfAWS(f.Text) {
			return f.Text, f.From
		}
	}
	return "", ""
}

// withEndpoint adds to what kept a hop from being done that it asked another
// endpoint than AWS's, where the answer, or that there was none, may be owed to
// that.
func (a *app) withEndpoint(x explanation, e *session.HopError) explanation {
	_, noAnswer := errors.AsType[*hop.NetworkError](e.Err)
	_, oddAnswer := errors.AsType[*hop.AnswerError](e.Err)
	url, at := endpointOf(e.Plan, e.Index)
	if at == "" || !noAnswer && !oddAnswer {
		return x
	}
	also := a.phrase("endpoint-set", url, a.tilde(at), a.remove(at))
	if x.Why != "" {
		also.Why = x.Why + "; " + also.Why
	}
	x.Why = also.Why
	x.Next = also.Next + "; " + x.Next
	return x
}

// remove is what takes a setting out: of the environment, or of a file.
func (a *app) remove(at string) string {
	if strings.HasPrefix(at, "AWS_") {
		return "unset " + at
	}
	return a.sentence(message.New("take-out", "take endpoint_url out of %s", a.tilde(at)))
}
