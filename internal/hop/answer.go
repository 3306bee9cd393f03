package hop

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/plan"
)

// Bounds of what STS returns. AWS promises no maximum for a token; 64 KiB is
// more than a process's environment would take.
const (
	maxKeyID  = 128
	maxSecret = 1024
	maxToken  = 64 << 10
)

// accept turns an answer of STS into credentials, refusing what cannot be
// AWS's: these values go into environments, files and other people's parsers.
func (p *Performer) accept(op string, e plan.Endpoint, mfa bool, c *types.Credentials) (cred.Credentials, error) {
	bad := func(msg string) (cred.Credentials, error) {
		return cred.Credentials{}, &AnswerError{Op: op, Host: e.Host(), Msg: msg, MFA: mfa}
	}
	if c == nil {
		return bad("the answer holds no credentials")
	}
	id, secret, token := aws.ToString(c.AccessKeyId), aws.ToString(c.SecretAccessKey), aws.ToString(c.SessionToken)
	switch {
	case len(id) < 16 || !printable(id, maxKeyID) || strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "":
		return bad("the answer's access key id is none")
	case !printable(secret, maxSecret):
		return bad("the answer's secret access key is none")
	case !printable(token, maxToken):
		return bad("the answer's session token is none")
	case c.Expiration == nil:
		return bad("the answer does not say when its credentials end")
	case !c.Expiration.After(p.now()):
		return cred.Credentials{}, &AnswerError{Op: op, Host: e.Host(), MFA: mfa, Ended: true,
			Msg: "its credentials have ended already, at " + c.Expiration.UTC().Format(time.RFC3339)}
	}
	return cred.Credentials{
		AccessKeyID:     id,
		SecretAccessKey: cred.NewSecret(secret),
		SessionToken:    cred.NewSecret(token),
		Expires:         c.Expiration.UTC(),
	}, nil
}
