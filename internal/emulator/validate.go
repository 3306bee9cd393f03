package emulator

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// validation gathers what is wrong with the parameters of a call, to tell it
// as AWS does: all at once.
type validation struct {
	form     url.Values
	problems []string
}

// format is what the AWS API reference demands of a text.
type format struct {
	min, max int    // in characters; max 0 is no limit
	pattern  string // "" is any
}

// The formats of parameters, from the STS API reference.
var (
	nameFormat    = format{2, 64, `[\w+=,.@-]*`} // session names, source identities
	arnFormat     = format{20, 2048, `[\x{9}\x{A}\x{D}\x{20}-\x{7E}\x{85}\x{A0}-\x{D7FF}\x{E000}-\x{FFFD}\x{10000}-\x{10FFFF}]+`}
	externalID    = format{2, 1224, `[\w+=,.@:\/-]*`}
	serialFormat  = format{9, 256, `[\w+=/:,.@-]*`}
	codeFormat    = format{6, 6, `[\d]*`}
	federatedName = format{2, 32, `[\w+=,.@-]*`}
	tagKey        = format{1, 128, `[\p{L}\p{Z}\p{N}_.:/=+\-@]+`}
	tagValue      = format{0, 256, `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`}
	webToken      = format{4, 20000, ""}
	accessKeyID   = format{16, 128, `[\w]*`}
)

func (v *validation) reject(value, at, constraint string) {
	v.problems = append(v.problems, fmt.Sprintf("Value %s at '%s' failed to satisfy constraint: %s", value, at, constraint))
}

// check holds value against f.
func (v *validation) check(value, at string, f format) {
	n := utf8.RuneCountInString(value)
	if n > f.max && f.max > 0 {
		v.reject("'"+value+"'", at, fmt.Sprintf("Member must have length less than or equal to %d", f.max))
	}
	if n < f.min {
		v.reject("'"+value+"'", at, fmt.Sprintf("Member must have length greater than or equal to %d", f.min))
	}
	if f.pattern != "" && !matches("^(?:"+f.pattern+")$", value) {
		v.reject("'"+value+"'", at, "Member must satisfy regular expression pattern: "+f.pattern)
	}
}

// optional checks a parameter that may be left out.
func (v *validation) optional(param string, f format) string {
	if v.form.Has(param) {
		v.check(v.form.Get(param), lowerFirst(param), f)
	}
	return v.form.Get(param)
}

// required checks a parameter that must be there.
func (v *validation) required(param string, f format) string {
	if !v.form.Has(param) {
		v.reject("null", lowerFirst(param), "Member must not be null")
		return ""
	}
	return v.optional(param, f)
}

// duration reads DurationSeconds.
func (v *validation) duration(absent, longest time.Duration) time.Duration {
	const param, shortest = "DurationSeconds", 15 * time.Minute
	text := v.form.Get(param)
	if text == "" {
		return absent
	}
	n, err := strconv.Atoi(text)
	d := time.Duration(n) * time.Second
	switch {
	case err != nil:
		v.reject("'"+text+"'", lowerFirst(param), "Member must be an integer")
	case n < int(shortest/time.Second):
		v.reject("'"+text+"'", lowerFirst(param), fmt.Sprintf("Member must have value greater than or equal to %d", int(shortest/time.Second)))
	case n > int(longest/time.Second):
		v.reject("'"+text+"'", lowerFirst(param), fmt.Sprintf("Member must have value less than or equal to %d", int(longest/time.Second)))
	}
	return d
}

// list reads the members of a list: NAME.member.1SUFFIX and so on.
func (v *validation) list(name, suffix string, longest int) []string {
	var values []string
	for {
		member := name + ".member." + strconv.Itoa(len(values)+1) + suffix
		if !v.form.Has(member) {
			break
		}
		values = append(values, v.form.Get(member))
	}
	if len(values) > longest {
		v.reject("'["+strings.Join(values, ", ")+"]'", lowerFirst(name), fmt.Sprintf("Member must have length less than or equal to %d", longest))
	}
	return values
}

// err is nil when nothing was rejected.
func (v *validation) err() error {
	switch n := len(v.problems); n {
	case 0:
		return nil
	case 1:
		return invalid("1 validation error detected: %s", v.problems[0])
	default:
		return invalid("%d validation errors detected: %s", n, strings.Join(v.problems, "; "))
	}
}

func invalid(format string, args ...any) error {
	return fail(http.StatusBadRequest, "ValidationError", format, args...)
}

func lowerFirst(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(r)) + s[size:]
}
