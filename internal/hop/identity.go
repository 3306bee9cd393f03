package hop

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/plan"
)

// Identity is who AWS says that credentials belong to.
type Identity struct {
	Account string
	ARN     string
	UserID  string
}

// Identity asks AWS whose credentials c are (STS GetCallerIdentity, which
// needs no permission).
func (p *Performer) Identity(ctx context.Context, e plan.Endpoint, c cred.Credentials) (Identity, error) {
	client, err := p.sts(e, c, false)
	if err != nil {
		return Identity{}, err
	}
	out, err := request(ctx, p, "GetCallerIdentity", e, false, func(ctx context.Context) (*sts.GetCallerIdentityOutput, error) {
		return client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	})
	if err != nil {
		return Identity{}, err
	}
	return Identity{Account: aws.ToString(out.Account), ARN: aws.ToString(out.Arn), UserID: aws.ToString(out.UserId)}, nil
}
