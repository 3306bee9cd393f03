package hop

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/message"
	"aws-switch-role/internal/plan"
)

// federationToken makes a federated user's session with a long-lived key. A
// process or a keyring that others fill may have given a session instead: it
// is handed on as it is, for AWS makes no session of a session here.
func (p *Performer) federationToken(ctx context.Context, h plan.FederationToken, from cred.Credentials) (cred.Credentials, error) {
	const op = "GetFederationToken"
	if from.Temporary() {
		return from, nil
	}
	in := &sts.GetFederationTokenInput{Name: aws.String(h.Name), DurationSeconds: seconds(h.Duration)}
	if h.Policy != "" {
		in.Policy = aws.String(h.Policy)
	}
	for _, arn := range h.PolicyARNs {
		in.PolicyArns = append(in.PolicyArns, types.PolicyDescriptorType{Arn: aws.String(arn)})
	}
	e := h.Endpoint.Endpoint()
	client, err := p.sts(e, from, false)
	if err != nil {
		return cred.Credentials{}, err
	}
	out, err := request(ctx, p, op, e, false, func(ctx context.Context) (*sts.GetFederationTokenOutput, error) {
		return client.GetFederationToken(ctx, in)
	})
	if err != nil {
		return cred.Credentials{}, err
	}
	c, err := p.accept(op, e, false, out.Credentials, out.ResultMetadata)
	c.AccountID = from.AccountID
	return c, err
}

// SigninToken exchanges a session for a token with which a browser signs in to
// the console, once, within 15 minutes ("Enable custom identity broker access
// to the AWS console" of the IAM User Guide). signinURL is where AWS Sign-In is
// reached. The console's session lasts for d; 0 is as long as c does, and all
// that AWS takes for a chained role and a federated user.
//
// Errors are those of [Performer.Perform].
func (p *Performer) SigninToken(ctx context.Context, signinURL string, c cred.Credentials, d time.Duration) (cred.Secret, error) {
	session, err := json.Marshal(map[string]string{
		"sessionId":    c.AccessKeyID,
		"sessionKey":   c.SecretAccessKey.Reveal(),
		"sessionToken": c.SessionToken.Reveal(),
	})
	if err != nil {
		return cred.Secret{}, fmt.Errorf("writing the session: %w", err)
	}
	form := url.Values{"Action": {"getSigninToken"}, "Session": {string(session)}}
	if d != 0 {
		form.Set("SessionDuration", strconv.Itoa(int(d/time.Second)))
	}
	// A POST, unlike the documentation's GET, leaves the session in no log of
	// a proxy's.
	call := restCall{
		op: "getSigninToken", method: http.MethodPost, base: signinURL, path: "/federation",
		header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		body:   []byte(form.Encode()), pages: true,
	}
	var out struct{ SigninToken string }
	if err := p.rest(ctx, call, &out); err != nil {
		return cred.Secret{}, err
	}
	if !printable(out.SigninToken, maxToken) {
		return cred.Secret{}, &AnswerError{Op: call.op, Host: call.host(), Msg: message.New("answer-sign-in-token", "the answer's sign-in token is none")}
	}
	return cred.NewSecret(out.SigninToken), nil
}
