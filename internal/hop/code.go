package hop

import (
	"context"
	"errors"
	"strings"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/message"
	"aws-switch-role/internal/plan"
)

// CodeError says what is wrong with an MFA code.
type CodeError struct {
	Serial string
	Msg    message.Text
	Err    error // AWS's refusal, when it was sent
}

// Error implements error.
func (e *CodeError) Error() string { return e.Msg.String() }

// Unwrap returns the cause.
func (e *CodeError) Unwrap() error { return e.Err }

// codeTries is how often a code is asked for: a mistyped one is asked for
// once more.
const codeTries = 2

// withCode runs call with a code of the device, or with an empty one where
// the hop needs none.
func (p *Performer) withCode(ctx context.Context, m plan.MFA, call func(code string) (cred.Credentials, error)) (cred.Credentials, error) {
	if m.Serial == "" {
		return call("")
	}
	if p.MFACode == nil {
		return cred.Credentials{}, errNoFunc("MFA codes")
	}
	var problem error
	for range codeTries {
		code, err := p.MFACode(ctx, m, problem)
		if err != nil {
			return cred.Credentials{}, err
		}
		if !sixDigits(code) {
			problem = &CodeError{Serial: m.Serial, Msg: message.New("code-form", "an MFA code is six digits")}
			continue
		}
		c, err := call(code)
		if !refusedCode(err) {
			return c, err
		}
		problem = &CodeError{Serial: m.Serial, Msg: message.New("code-refused", "AWS refused that code: mistyped, used already, or from another device"), Err: err}
	}
	return cred.Credentials{}, problem
}

func sixDigits(s string) bool {
	return len(s) == 6 && strings.Trim(s, "0123456789") == ""
}

// refusedCode reports whether AWS refused the code itself. It says so in
// words only: the error code is the AccessDenied of every other refusal.
func refusedCode(err error) bool {
	e, ok := errors.AsType[*APIError](err)
	return ok && e.Code == "AccessDenied" && strings.Contains(e.Message, "invalid MFA one time pass code")
}
