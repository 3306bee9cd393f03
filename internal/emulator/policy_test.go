package emulator

import (
	"strings"
	"testing"
)

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", "abc", true}, {"a*c", "abbc", true}, {"a*c", "abcd", false},
		{"a?c", "abc", true}, {"a?c", "ac", false}, {"*b*", "abc", true}, {"a**", "a", true}, {"a*b*c", "aXbYbZc", true}, {"s3:Get*", "s3:GetObject", true},
	} {
		if got := glob(c.pattern, c.s); got != c.want {
			t.Errorf("glob(%q, %q) = %v", c.pattern, c.s, got)
		}
	}
}

// TestConditions holds conditions against one request.
func TestConditions(t *testing.T) {
	keys := conditionKeys{
		"aws:multifactorauthpresent": {"true"}, "aws:multifactorauthage": {"1800"}, "aws:username": {"me"}, "sts:rolesessionname": {"me"},
		"aws:tagkeys": {"Project", "Team"}, "aws:currenttime": {"2026-01-02T15:00:00Z"}, "aws:principalarn": {"arn:aws:iam::111111111111:user/me"},
	}
	for _, c := range []struct {
		op, key string
		values  []string
		want    bool
	}{
		{"Bool", "aws:MultiFactorAuthPresent", []string{"true"}, true},
		{"Bool", "aws:MultiFactorAuthPresent", []string{"false"}, false},
		{"Null", "aws:MultiFactorAuthAge", []string{"false"}, true},
		{"Null", "sts:ExternalId", []string{"true"}, true},
		{"Null", "sts:ExternalId", []string{"false"}, false},
		{"NumericLessThan", "aws:MultiFactorAuthAge", []string{"1800"}, false},
		{"NumericLessThan", "aws:MultiFactorAuthAge", []string{"1801"}, true},
		{"NumericLessThanEquals", "aws:MultiFactorAuthAge", []string{"1800"}, true},
		{"NumericGreaterThan", "aws:MultiFactorAuthAge", []string{"1799"}, true},
		{"NumericGreaterThanEquals", "aws:MultiFactorAuthAge", []string{"1801"}, false},
		{"NumericEquals", "aws:MultiFactorAuthAge", []string{"1800.0"}, true},
		{"NumericNotEquals", "aws:MultiFactorAuthAge", []string{"1800"}, false},
		{"StringEquals", "AWS:UserName", []string{"you", "me"}, true},
		{"StringEquals", "aws:username", []string{"Me"}, false},
		{"StringEqualsIgnoreCase", "aws:username", []string{"Me"}, true},
		{"StringNotEqualsIgnoreCase", "aws:username", []string{"Me"}, false},
		{"StringNotEquals", "aws:username", []string{"you", "me"}, false},
		{"StringNotEquals", "sts:ExternalId", []string{"x"}, true},
		{"StringEquals", "sts:ExternalId", []string{"x"}, false},
		{"StringEqualsIfExists", "sts:ExternalId", []string{"x"}, true},
		{"StringEqualsIfExists", "aws:username", []string{"x"}, false},
		{"StringLike", "aws:username", []string{"m?"}, true},
		{"StringNotLike", "aws:username", []string{"m*"}, false},
		{"ArnLike", "aws:PrincipalArn", []string{"arn:aws:iam::*:user/me"}, true},
		{"ArnNotEquals", "aws:PrincipalArn", []string{"arn:aws:iam::*:user/me"}, false},
		{"StringEquals", "sts:RoleSessionName", []string{"${aws:username}"}, true},
		{"StringEquals", "sts:RoleSessionName", []string{"${sts:ExternalId}"}, false},
		{"ForAllValues:StringEquals", "aws:TagKeys", []string{"Project", "Team", "Cost"}, true},
		{"ForAllValues:StringEquals", "aws:TagKeys", []string{"Project"}, false},
		{"ForAllValues:StringEquals", "sts:TransitiveTagKeys", []string{"Project"}, true},
		{"ForAnyValue:StringEquals", "aws:TagKeys", []string{"Team"}, true},
		{"ForAnyValue:StringEquals", "aws:TagKeys", []string{"Cost"}, false},
		{"DateLessThan", "aws:CurrentTime", []string{"2026-01-03T00:00:00Z"}, true},
		{"DateGreaterThan", "aws:CurrentTime", []string{"2026-01-03T00:00:00Z"}, false},
	} {
		condition, err := newCondition(c.op, c.key, c.values, true, nil)
		if err != nil {
			t.Errorf("%s %s %q: %v", c.op, c.key, c.values, err)
			continue
		}
		if got := condition.holds(keys); got != c.want {
			t.Errorf("%s %s %q holds: %v, want %v", c.op, c.key, c.values, got, c.want)
		}
	}
}

// TestPolicySlips demands that a slip in a policy is told, not skipped.
func TestPolicySlips(t *testing.T) {
	const good = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "sts:AssumeRole",
		"Condition": {"Bool": {"aws:MultiFactorAuthPresent": true}}}}`
	if _, err := parseTrustPolicy(good, nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, slip, want string }{
		{`"Bool"`, `"Boole"`, `operator "Boole" is unknown`},
		{`"Bool"`, `"NumericAbout"`, `operator "NumericAbout" is unknown`},
		{"aws:MultiFactorAuthPresent", "aws:MFAPresent", `key "aws:MFAPresent" is unknown`},
		{"aws:MultiFactorAuthPresent", "aws:RequestTag/", `key "aws:RequestTag/" is unknown`},
		{": true", `: "yes"`, "neither true nor false"},
		{": true", `: {}`, "value cannot be {}"},
		{": true", `: []`, "has no value"},
		{`"Bool": {"aws:MultiFactorAuthPresent": true}`, `"NumericLessThan": {"aws:MultiFactorAuthAge": "1h"}`, "invalid syntax"},
		{`"Bool": {"aws:MultiFactorAuthPresent": true}`, `"StringEquals": {"sts:ExternalId": "${aws:user}"}`, "${aws:user} is no variable"},
		{"Allow", "Permit", `effect "Permit" is unknown`},
		{`"Action"`, `"Actions"`, "unknown field"},
		{"sts:AssumeRole", "sts:AsumeRole", `action "sts:AsumeRole" is none`},
		{"111111111111", "1111", `principal "1111" is not valid`},
		{"2012-10-17", "2012-10-18", `version "2012-10-18" is unknown`},
		{`"Effect": "Allow",`, `"Effect": "Allow", "Resource": "*",`, "no Resource"},
		{`"Principal": {"AWS": "111111111111"},`, "", "needs a Principal"},
		{`{"AWS": "111111111111"}`, `{"Federated": "arn:aws:iam::111111111111:oidc-provider/x"}`, "is not declared"},
		{`{"AWS": "111111111111"}`, `{"Aws2": "111111111111"}`, "unknown field"},
	} {
		text := strings.Replace(good, c.old, c.slip, 1)
		if text == good {
			t.Fatalf("%q is not in the policy", c.old)
		}
		if _, err := parseTrustPolicy(text, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %s", c.slip, err, c.want)
		}
	}
}
