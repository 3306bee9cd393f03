package hop

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/message"
	"aws-switch-role/internal/plan"
)

// webIdentity gets a role's credentials for a token of another identity
// provider. The request is not signed: the token says who asks.
func (p *Performer) webIdentity(ctx context.Context, h plan.WebIdentity) (cred.Credentials, error) {
	const op = "AssumeRoleWithWebIdentity"
	token, err := p.identityToken(ctx, h)
	if err != nil {
		return cred.Credentials{}, err
	}
	client, err := p.sts(h.Endpoint, cred.Credentials{}, false)
	if err != nil {
		return cred.Credentials{}, err
	}
	in := &sts.AssumeRoleWithWebIdentityInput{
		RoleArn:          aws.String(h.RoleARN),
		RoleSessionName:  aws.String(h.SessionName),
		DurationSeconds:  seconds(h.Duration),
		WebIdentityToken: aws.String(token.Reveal()),
		Policy:           text(h.Policy),
		PolicyArns:       policies(h.PolicyARNs),
	}
	out, err := request(ctx, p, op, h.Endpoint, false, func(ctx context.Context) (*sts.AssumeRoleWithWebIdentityOutput, error) {
		return client.AssumeRoleWithWebIdentity(ctx, in)
	})
	if err != nil {
		return cred.Credentials{}, err
	}
	c, err := p.accept(op, h.Endpoint, false, out.Credentials, out.ResultMetadata)
	if arn, perr := plan.ParseRoleARN(h.RoleARN); perr == nil {
		c.AccountID = arn.Account
	}
	return c, err
}

// identityToken reads the token, or runs the command that prints it. Blanks
// around it, such as an editor's newline at the end of a file, are none of it
// (RFC 7515, section 3.1: a compact serialization has none).
func (p *Performer) identityToken(ctx context.Context, h plan.WebIdentity) (cred.Secret, error) {
	if h.TokenFile != "" {
		text, err := readToken(h.TokenFile)
		if err == nil && strings.TrimSpace(text) == "" {
			err = &SourceError{Kind: NoToken, Name: h.TokenFile, Msg: message.New("token-file-empty", "the token's file %s is empty", h.TokenFile)}
		}
		return cred.NewSecret(strings.TrimSpace(text)), err
	}
	if p.IdentityToken == nil {
		return cred.Secret{}, errNoFunc("web identity tokens")
	}
	token, err := p.IdentityToken(ctx, h.TokenProcess)
	if err == nil && token.IsZero() {
		err = &SourceError{Kind: NoToken, Name: "web_identity_token_process", Msg: message.New("token-process-nothing", "web_identity_token_process printed no token")}
	}
	return token, err
}

// readToken reads a file with a token in it.
func readToken(name string) (string, error) {
	fail := func(msg message.Text, err error) (string, error) {
		return "", &SourceError{Kind: NoToken, Name: name, Msg: msg, Err: err}
	}
	f, err := os.Open(name)
	if err != nil {
		if pe, ok := errors.AsType[*fs.PathError](err); ok {
			err = pe.Err
		}
		return fail(message.New("token-file-unread", "the token's file %s cannot be read: %v", name, err), err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxToken+1))
	switch {
	case err != nil:
		return fail(message.New("token-file-unread", "the token's file %s cannot be read: %v", name, err), err)
	case len(text) > maxToken:
		return fail(message.New("token-file-too-large", "the file %s is larger than any token", name), nil)
	}
	return string(text), nil
}
