// Package cred holds the value that the whole program moves from a source to
// a child process: temporary or long-lived AWS credentials whose secret parts
// cannot be printed, logged or marshalled by accident.
//
// A [Secret] leaves the package only through [Secret.Reveal], so one search
// for "Reveal(" is the audit of where secrets are handed over.
package cred

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// redacted is what every rendering of a Secret shows.
const redacted = "[secret]"

type box struct{ text string }

// Secret is a string that no formatting verb, log handler or encoder shows.
// The zero value is the empty secret.
//
// The text stands behind two pointers because fmt follows one pointer when it
// prints a struct at the top level and calls no Formatter on unexported
// fields: a plain redacting string type leaks from a struct that holds it.
type Secret struct{ p **box }

// NewSecret wraps text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	b := &box{text}
	return Secret{&b}
}

// Reveal returns the text. Every call is a place where a secret is handed on.
func (s Secret) Reveal() string {
	if s.p == nil {
		return ""
	}
	return (*s.p).text
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.p == nil }

// Equal compares two secrets in time that depends on their lengths alone.
func (s Secret) Equal(t Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(t.Reveal())) == 1
}

// Format implements [fmt.Formatter] for every verb.
func (s Secret) Format(f fmt.State, verb rune) { _, _ = io.WriteString(f, redacted) }

// String implements [fmt.Stringer].
func (s Secret) String() string { return redacted }

// GoString implements [fmt.GoStringer].
func (s Secret) GoString() string { return redacted }

// MarshalText implements [encoding.TextMarshaler], and so serves JSON and XML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue implements [slog.LogValuer].
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// Credentials are what AWS signs requests with.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey Secret
	SessionToken    Secret    // empty for long-lived keys
	Expires         time.Time // zero when they do not expire or it is not known
	AccountID       string    // the account they belong to, where it is known
}

// Temporary reports whether c carries a session token.
func (c Credentials) Temporary() bool { return !c.SessionToken.IsZero() }

// GoodFor reports whether c is complete and still valid for at least d after
// now. Credentials without an expiry are good for any time. Both times are
// compared by the wall clock: the monotonic clock stands still while a
// machine sleeps.
func (c Credentials) GoodFor(now time.Time, d time.Duration) bool {
	if c.AccessKeyID == "" || c.SecretAccessKey.IsZero() {
		return false
	}
	return c.Expires.IsZero() || c.Expires.Round(0).Sub(now.Round(0)) >= d
}

// LogValue implements [slog.LogValuer]: the key id and the expiry, no secret.
func (c Credentials) LogValue() slog.Value {
	return slog.GroupValue(slog.String("access_key_id", c.AccessKeyID), slog.Time("expires", c.Expires))
}
