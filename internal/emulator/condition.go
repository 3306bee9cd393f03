package emulator

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// conditionKeys are the facts of a request that conditions look at, by the
// key's name in lower case: IAM does not tell cases apart there.
type conditionKeys map[string][]string

// condition is one key under one operator of a Condition block.
type condition struct {
	operator
	ifExists  bool
	every     bool // ForAllValues
	null      bool
	key       string
	values    []string
	variables bool
}

// operator compares one value of the request with one of the policy.
type operator struct {
	match  func(have, want string) bool
	valid  func(want string) error // nil takes any text, variables in it too
	negate bool
}

// newOperator returns the operator of a name without set prefix and IfExists.
// Each ordering exists for numbers and for dates.
func newOperator(name string) (operator, bool) {
	equal := func(have, want string) bool { return have == want }
	switch name {
	case "StringEquals":
		return operator{match: equal}, true
	case "StringNotEquals":
		return operator{match: equal, negate: true}, true
	case "StringEqualsIgnoreCase":
		return operator{match: strings.EqualFold}, true
	case "StringNotEqualsIgnoreCase":
		return operator{match: strings.EqualFold, negate: true}, true
	case "StringLike", "ArnLike", "ArnEquals":
		return operator{match: like}, true
	case "StringNotLike", "ArnNotLike", "ArnNotEquals":
		return operator{match: like, negate: true}, true
	case "Bool", "Null":
		return operator{match: strings.EqualFold, valid: validBool}, true
	}
	if order, ok := strings.CutPrefix(name, "Numeric"); ok {
		return ordered(order, number)
	}
	if order, ok := strings.CutPrefix(name, "Date"); ok {
		return ordered(order, instant)
	}
	return operator{}, false
}

func like(have, want string) bool { return glob(want, have) }

func validBool(want string) error {
	if strings.EqualFold(want, "true") || strings.EqualFold(want, "false") {
		return nil
	}
	return fmt.Errorf("%q is neither true nor false", want)
}

// ordered makes an operator that compares what read makes of both texts.
func ordered(order string, read func(string) (float64, error)) (operator, bool) {
	holds := map[string]func(have, want float64) bool{
		"Equals":            func(have, want float64) bool { return have == want },
		"NotEquals":         func(have, want float64) bool { return have == want },
		"LessThan":          func(have, want float64) bool { return have < want },
		"LessThanEquals":    func(have, want float64) bool { return have <= want },
		"GreaterThan":       func(have, want float64) bool { return have > want },
		"GreaterThanEquals": func(have, want float64) bool { return have >= want },
	}[order]
	match := func(have, want string) bool {
		h, herr := read(have)
		w, werr := read(want)
		return herr == nil && werr == nil && holds(h, w)
	}
	valid := func(want string) error {
		_, err := read(want)
		return err
	}
	return operator{match, valid, order == "NotEquals"}, holds != nil
}

func number(s string) (float64, error) { return strconv.ParseFloat(s, 64) }

// instant reads a date as IAM takes it, ISO 8601 or seconds since 1970.
func instant(s string) (float64, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return float64(t.Unix()), nil
	}
	return number(s)
}

// knownKeys are the condition keys that requests carry here. Those that end
// in a slash take a tag's key.
var knownKeys = []string{
	"aws:currenttime", "aws:epochtime", "aws:multifactorauthage", "aws:multifactorauthpresent", "aws:principalaccount", "aws:principalarn",
	"aws:principaltag/", "aws:principaltype", "aws:requestedregion", "aws:requesttag/", "aws:sourceidentity", "aws:tagkeys", "aws:tokenissuetime", "aws:userid",
	"aws:username", "s3:delimiter", "s3:max-keys", "s3:prefix", "saml:aud", "sts:externalid", "sts:rolesessionname", "sts:sourceidentity", "sts:transitivetagkeys",
}

func knownKey(key string, providers []Provider) bool {
	for _, p := range providers {
		issuer := strings.ToLower(p.issuer())
		if key == issuer+":aud" || key == issuer+":sub" {
			return true
		}
	}
	return slices.ContainsFunc(knownKeys, func(known string) bool {
		return key == known && !strings.HasSuffix(known, "/") || strings.HasSuffix(known, "/") && len(key) > len(known) && strings.HasPrefix(key, known)
	})
}

func newCondition(op, key string, values []string, variables bool, providers []Provider) (condition, error) {
	c := condition{key: strings.ToLower(key), values: values, variables: variables}
	name, some := strings.CutPrefix(op, "ForAnyValue:")
	if !some {
		name, c.every = strings.CutPrefix(op, "ForAllValues:")
	}
	name, c.ifExists = strings.CutSuffix(name, "IfExists")
	var ok bool
	if c.operator, ok = newOperator(name); !ok {
		return c, fmt.Errorf("condition operator %q is unknown", op)
	}
	c.null = name == "Null"
	if !knownKey(c.key, providers) {
		return c, fmt.Errorf("condition key %q is unknown", key)
	}
	if len(values) == 0 {
		return c, fmt.Errorf("condition on %q has no value", key)
	}
	for _, v := range values {
		if c.valid != nil {
			if err := c.valid(v); err != nil {
				return c, fmt.Errorf("condition on %q: %w", key, err)
			}
		}
		if variables {
			if err := validVariables(v, providers); err != nil {
				return c, fmt.Errorf("condition on %q: %w", key, err)
			}
		}
	}
	return c, nil
}

// holds evaluates the condition. A key that the request lacks fails a
// condition unless that is negated, ends in IfExists or speaks of all values.
func (c condition) holds(keys conditionKeys) bool {
	have, present := keys[c.key]
	if c.null {
		return c.match(strconv.FormatBool(!present), c.values[0])
	}
	if !present {
		return c.ifExists || c.negate || c.every
	}
	fits := func(h string) bool {
		return c.negate != slices.ContainsFunc(c.values, func(want string) bool {
			want, ok := expand(want, keys, c.variables)
			return ok && c.match(h, want)
		})
	}
	if c.every {
		return !slices.ContainsFunc(have, func(h string) bool { return !fits(h) })
	}
	return slices.ContainsFunc(have, fits)
}

const variable = `\$\{[^}]*\}`

func validVariables(text string, providers []Provider) error {
	for _, v := range regexp.MustCompile(variable).FindAllString(text, -1) {
		if !knownKey(strings.ToLower(v[2:len(v)-1]), providers) {
			return fmt.Errorf("%s is no variable", v)
		}
	}
	return nil
}

// expand puts the values of ${…} variables into text. It fails when the
// request does not have one of them.
func expand(text string, keys conditionKeys, variables bool) (string, bool) {
	if !variables {
		return text, true
	}
	ok := true
	text = regexp.MustCompile(variable).ReplaceAllStringFunc(text, func(v string) string {
		values := keys[strings.ToLower(v[2:len(v)-1])]
		if len(values) != 1 {
			ok = false
			return ""
		}
		return values[0]
	})
	return text, ok
}
