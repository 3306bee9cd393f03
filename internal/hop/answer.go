package hop

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go/middleware"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/message"
	"aws-switch-role/internal/plan"
)

// Bounds of what is answered. AWS promises no maximum for a token; 64 KiB is
// more than a process's environment would take.
const (
	maxKeyID  = 128
	maxSecret = 1024
	maxToken  = 64 << 10
)

// key is what a source answered, before it is known to be a key: these values
// go into environments, files and other people's parsers.
//
// A process or an endpoint beside the program may hand out another vendor's
// keys, for storage that speaks as S3 does, and the AWS SDKs take any id from
// it. What AWS itself makes is held to AWS's form.
type key struct {
	byAWS             bool
	id, secret, token string
	expires           *time.Time // nil where none was told
	account           string
}

// credentials returns the key if it is one. Its token, its expiry and its
// account may be missing.
func (k key) credentials(now time.Time) (cred.Credentials, error) {
	switch {
	case !printable(k.id, maxKeyID), k.byAWS && !keyID(k.id):
		return cred.Credentials{}, message.New("answer-key-id", "the answer's access key id is none")
	case !printable(k.secret, maxSecret):
		return cred.Credentials{}, message.New("answer-secret", "the answer's secret access key is none")
	case k.token != "" && !printable(k.token, maxToken):
		return cred.Credentials{}, message.New("answer-token", "the answer's session token is none")
	case k.account != "" && (len(k.account) != 12 || strings.Trim(k.account, "0123456789") != ""):
		return cred.Credentials{}, message.New("answer-account", "the answer's account id is none")
	case k.expires != nil && !k.expires.After(now):
		return cred.Credentials{}, message.New("answer-ended", "the answer's credentials have ended already, at %s", k.expires.UTC().Format(time.RFC3339))
	}
	c := cred.Credentials{
		AccessKeyID:     k.id,
		SecretAccessKey: cred.NewSecret(k.secret),
		SessionToken:    cred.NewSecret(k.token),
		AccountID:       k.account,
	}
	if k.expires != nil {
		c.Expires = k.expires.UTC()
	}
	return c, nil
}

// keyID reports whether s is in the form of AWS's access key ids.
func keyID(s string) bool {
	return len(s) >= 16 && len(s) <= maxKeyID && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

// accept turns an answer of STS into credentials, refusing what cannot be
// AWS's.
func (p *Performer) accept(op string, e plan.Endpoint, mfa bool, c *types.Credentials, answer middleware.Metadata) (cred.Credentials, error) {
	bad := func(msg message.Text) (cred.Credentials, error) {
		return cred.Credentials{}, &AnswerError{Op: op, Host: e.Host(), Msg: msg, MFA: mfa}
	}
	switch {
	case c == nil:
		return bad(message.New("answer-no-credentials", "the answer holds no credentials"))
	case aws.ToString(c.SessionToken) == "":
		return bad(message.New("answer-token", "the answer's session token is none"))
	case c.Expiration == nil:
		return bad(message.New("answer-no-end", "the answer does not say when its credentials end"))
	}
	ends := p.here(*c.Expiration, answer)
	if !ends.After(p.now()) {
		return cred.Credentials{}, &AnswerError{Op: op, Host: e.Host(), MFA: mfa, Ended: true,
			Msg: message.New("credentials-ended", "its credentials have ended already, at %s", ends.UTC().Format(time.RFC3339))}
	}
	k := key{byAWS: true, id: aws.ToString(c.AccessKeyId), secret: aws.ToString(c.SecretAccessKey), token: aws.ToString(c.SessionToken), expires: &ends}
	got, err := k.credentials(p.now())
	if err != nil {
		return bad(message.Of(err))
	}
	return got, nil
}
