package hop

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/plan"
)

func (p *Performer) sessionToken(ctx context.Context, h plan.SessionToken, from cred.Credentials) (cred.Credentials, error) {
	const op = "GetSessionToken"
	return p.withCode(ctx, h.MFA, func(code string) (cred.Credentials, error) {
		in := &sts.GetSessionTokenInput{DurationSeconds: seconds(h.Duration)}
		if code != "" {
			in.SerialNumber, in.TokenCode = aws.String(h.MFA.Serial), aws.String(code)
		}
		e := h.Endpoint.Endpoint()
		client, err := p.sts(e, from, code != "")
		if err != nil {
			return cred.Credentials{}, err
		}
		out, err := request(ctx, p, op, e, code != "", func(ctx context.Context) (*sts.GetSessionTokenOutput, error) {
			return client.GetSessionToken(ctx, in)
		})
		if err != nil {
			return cred.Credentials{}, err
		}
		c, err := p.accept(op, e, code != "", out.Credentials, out.ResultMetadata)
		c.AccountID = from.AccountID
		return c, err
	})
}

func seconds(d time.Duration) *int32 { return aws.Int32(int32(d / time.Second)) }
