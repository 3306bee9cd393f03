package hop

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/message"
	"aws-switch-role/internal/plan"
)

// AccessKey is one of a user's two long-lived keys, as IAM lists it.
type AccessKey struct {
	ID      string
	Active  bool
	Created time.Time
}

// MFADevice is an MFA device of a user, as IAM lists it.
type MFADevice struct {
	// Serial is its ARN, or the serial number of a hardware token.
	Serial string
	Since  time.Time // it was assigned to the user
}

// iamCall runs one call to IAM as c. e is where IAM is reached; without a URL
// it is AWS's own, one for all regions of the partition of e's.
func iamCall[T any](ctx context.Context, p *Performer, op string, e plan.Endpoint, c cred.Credentials, call func(context.Context, *iam.Client) (T, error)) (T, error) {
	var none T
	http, err := p.http()
	if err != nil {
		return none, err
	}
	host, err := iamHost(ctx, e)
	if err != nil {
		return none, err
	}
	o := iam.Options{
		AppID:       appID,
		Region:      e.Region,
		HTTPClient:  http,
		Retryer:     p.retryer(),
		Credentials: provider(c),

		HTTPSignerV4:               signer{v4.NewSigner(), p.now},
		DisableClockSkewCorrection: true,
	}
	if e.URL != "" {
		o.BaseEndpoint = aws.String(e.URL)
	} else {
		o.EndpointOptions.UseFIPSEndpoint = state(e.FIPS, aws.FIPSEndpointStateEnabled, aws.FIPSEndpointStateDisabled)
		o.EndpointOptions.UseDualStackEndpoint = state(e.DualStack, aws.DualStackEndpointStateEnabled, aws.DualStackEndpointStateDisabled)
	}
	client := iam.New(o)
	return requestTo(ctx, p, op, host, false, func(ctx context.Context) (T, error) { return call(ctx, client) })
}

// iamHost names where IAM is reached, for people.
func iamHost(ctx context.Context, e plan.Endpoint) (string, error) {
	if e.URL != "" {
		return e.URL, nil
	}
	to, err := iam.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, iam.EndpointParameters{
		Region: aws.String(e.Region), UseFIPS: aws.Bool(e.FIPS), UseDualStack: aws.Bool(e.DualStack),
	})
	return to.URI.Host, err
}

// AccessKeys lists the keys of the user that c belongs to.
func (p *Performer) AccessKeys(ctx context.Context, e plan.Endpoint, c cred.Credentials) ([]AccessKey, error) {
	out, err := iamCall(ctx, p, "ListAccessKeys", e, c, func(ctx context.Context, client *iam.Client) (*iam.ListAccessKeysOutput, error) {
		return client.ListAccessKeys(ctx, &iam.ListAccessKeysInput{})
	})
	if err != nil {
		return nil, err
	}
	var keys []AccessKey
	for _, k := range out.AccessKeyMetadata {
		keys = append(keys, AccessKey{
			ID:      aws.ToString(k.AccessKeyId),
			Active:  k.Status == types.StatusTypeActive,
			Created: aws.ToTime(k.CreateDate),
		})
	}
	return keys, nil
}

// MFADevices lists the devices of the user that c belongs to.
func (p *Performer) MFADevices(ctx context.Context, e plan.Endpoint, c cred.Credentials) ([]MFADevice, error) {
	out, err := iamCall(ctx, p, "ListMFADevices", e, c, func(ctx context.Context, client *iam.Client) (*iam.ListMFADevicesOutput, error) {
		return client.ListMFADevices(ctx, &iam.ListMFADevicesInput{})
	})
	if err != nil {
		return nil, err
	}
	var devices []MFADevice
	for _, d := range out.MFADevices {
		devices = append(devices, MFADevice{Serial: aws.ToString(d.SerialNumber), Since: aws.ToTime(d.EnableDate)})
	}
	return devices, nil
}

// CreateAccessKey makes a new long-lived key for the user that c belongs to.
// IAM tells its secret this once. It takes some seconds until every endpoint
// of AWS accepts the key.
func (p *Performer) CreateAccessKey(ctx context.Context, e plan.Endpoint, c cred.Credentials) (cred.Credentials, error) {
	return iamCall(ctx, p, "CreateAccessKey", e, c, func(ctx context.Context, client *iam.Client) (cred.Credentials, error) {
		// A key that is made but whose answer is lost is one of the user's
		// two, and nobody has its secret: there is no second try.
		out, err := client.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{}, func(o *iam.Options) { o.Retryer = aws.NopRetryer{} })
		if err != nil {
			return cred.Credentials{}, err
		}
		if out.AccessKey == nil {
			return cred.Credentials{}, &wrongAnswer{message.New("answer-no-key", "the answer holds no key")}
		}
		k := key{byAWS: true, id: aws.ToString(out.AccessKey.AccessKeyId), secret: aws.ToString(out.AccessKey.SecretAccessKey), account: c.AccountID}
		fresh, err := k.credentials(p.now())
		if err != nil {
			return cred.Credentials{}, &wrongAnswer{message.Of(err)}
		}
		return fresh, nil
	})
}

// DeactivateAccessKey makes a key of the user that c belongs to useless,
// which can be undone in the IAM console.
func (p *Performer) DeactivateAccessKey(ctx context.Context, e plan.Endpoint, c cred.Credentials, id string) error {
	_, err := iamCall(ctx, p, "UpdateAccessKey", e, c, func(ctx context.Context, client *iam.Client) (*iam.UpdateAccessKeyOutput, error) {
		return client.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{AccessKeyId: aws.String(id), Status: types.StatusTypeInactive})
	})
	return err
}

// DeleteAccessKey removes a key of the user that c belongs to, for good.
func (p *Performer) DeleteAccessKey(ctx context.Context, e plan.Endpoint, c cred.Credentials, id string) error {
	_, err := iamCall(ctx, p, "DeleteAccessKey", e, c, func(ctx context.Context, client *iam.Client) (*iam.DeleteAccessKeyOutput, error) {
		return client.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{AccessKeyId: aws.String(id)})
	})
	return err
}
