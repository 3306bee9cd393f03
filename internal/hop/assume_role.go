package hop

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/plan"
)

func (p *Performer) assumeRole(ctx context.Context, h plan.AssumeRole, from cred.Credentials) (cred.Credentials, error) {
	return p.withCode(ctx, h.MFA, func(code string) (cred.Credentials, error) {
		if h.Duration == 0 {
			return p.longest(ctx, h, from, code)
		}
		return p.assume(ctx, h, from, code)
	})
}

// longest finds the role's longest session. STS does not tell it: it refuses
// what is longer, so whole hours are tried from the longest down. Of a code
// that STS took for a session nothing is left, but a refused length is
// refused before the session is made.
func (p *Performer) longest(ctx context.Context, h plan.AssumeRole, from cred.Credentials, code string) (cred.Credentials, error) {
	h.Duration = plan.MaxRoleDuration
	if p.LongestKnown != nil {
		if d := p.LongestKnown(h.RoleARN); d > 0 {
			h.Duration = d
		}
	}
	for {
		c, err := p.assume(ctx, h, from, code)
		if err == nil || !tooLong(err) || h.Duration <= plan.DefaultRoleDuration {
			return c, err
		}
		h.Duration -= time.Hour
		p.learn(h.RoleARN, h.Duration)
	}
}

func (p *Performer) learn(roleARN string, longest time.Duration) {
	if p.Learn != nil {
		p.Learn(roleARN, longest)
	}
}

// tooLong reports whether AWS refused a session for its length alone.
func tooLong(err error) bool {
	e, ok := errors.AsType[*APIError](err)
	return ok && e.Code == "ValidationError" && strings.Contains(e.Message, "exceeds the MaxSessionDuration")
}

func (p *Performer) assume(ctx context.Context, h plan.AssumeRole, from cred.Credentials, code string) (cred.Credentials, error) {
	const op = "AssumeRole"
	in := &sts.AssumeRoleInput{
		RoleArn:           aws.String(h.RoleARN),
		RoleSessionName:   aws.String(h.SessionName),
		DurationSeconds:   seconds(h.Duration),
		ExternalId:        text(h.ExternalID),
		SourceIdentity:    text(h.SourceIdentity),
		TransitiveTagKeys: h.TransitiveTags,
		Policy:            text(h.Policy),
		PolicyArns:        policies(h.PolicyARNs),
	}
	for _, t := range h.Tags {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(t.Key), Value: aws.String(t.Value)})
	}
	if code != "" {
		in.SerialNumber, in.TokenCode = aws.String(h.MFA.Serial), aws.String(code)
	}
	client, err := p.sts(h.Endpoint, from, code != "")
	if err != nil {
		return cred.Credentials{}, err
	}
	out, err := request(ctx, p, op, h.Endpoint, code != "", func(ctx context.Context) (*sts.AssumeRoleOutput, error) {
		return client.AssumeRole(ctx, in)
	})
	if err != nil {
		return cred.Credentials{}, err
	}
	c, err := p.accept(op, h.Endpoint, code != "", out.Credentials, out.ResultMetadata)
	if arn, perr := plan.ParseRoleARN(h.RoleARN); perr == nil {
		c.AccountID = arn.Account
	}
	return c, err
}

// text is a parameter that is left out where it is empty.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return aws.String(s)
}

func policies(arns []string) []types.PolicyDescriptorType {
	var list []types.PolicyDescriptorType
	for _, arn := range arns {
		list = append(list, types.PolicyDescriptorType{Arn: aws.String(arn)})
	}
	return list
}
