package hop

import (
	"cmp"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go/middleware"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/message"
	"aws-switch-role/internal/plan"
)

// ssoMinLeft is the life with less than which an access token is renewed, by
// the rule of the AWS SDKs (botocore, SSOTokenProvider).
const ssoMinLeft = 15 * time.Minute

// sso asks the portal of IAM Identity Center for the role's credentials.
func (p *Performer) sso(ctx context.Context, h plan.SSO) (c cred.Credentials, err error) {
	if p.SSOCache == "" {
		return cred.Credentials{}, errNoFunc("sign-ins to IAM Identity Center")
	}
	s := p.ssoSignIn(h)
	err = p.signedIn(ctx, h, s, func(f *tokenFile) error {
		c, err = p.roleCredentials(ctx, h, s, f)
		return err
	})
	return c, err
}

// signedIn calls use with the present sign-in. Where there is none, or use
// finds that it is of no use any more, and there is somebody who can sign in,
// they do.
func (p *Performer) signedIn(ctx context.Context, h plan.SSO, s signIn, use func(*tokenFile) error) error {
	f, err := p.current(ctx, s)
	if err == nil {
		err = use(f)
	}
	if _, ok := errors.AsType[*SignInError](err); !ok || p.Visitor == nil {
		return err
	}
	v, verr := p.Visitor(h)
	if verr != nil {
		p.log().Debug("nobody can sign in here", "why", verr)
		return err
	}
	if f, err = p.signInOnce(ctx, h, s, f, v); err != nil {
		return err
	}
	return use(f)
}

// roleCredentials is GetRoleCredentials, with the sign-in in f.
func (p *Performer) roleCredentials(ctx context.Context, h plan.SSO, s signIn, f *tokenFile) (cred.Credentials, error) {
	const op = "GetRoleCredentials"
	var out struct {
		RoleCredentials struct {
			AccessKeyID     string `json:"accessKeyId"`
			SecretAccessKey string `json:"secretAccessKey"`
			SessionToken    string `json:"sessionToken"`
			Expiration      int64  `json:"expiration"` // in milliseconds of Unix time
		} `json:"roleCredentials"`
	}
	query := url.Values{"account_id": {h.AccountID}, "role_name": {h.RoleName}}
	call, err := p.portal(ctx, h, s, f, restCall{op: op, method: http.MethodGet, path: "/federation/credentials?" + query.Encode()}, &out)
	if err != nil {
		return cred.Credentials{}, err
	}
	c, err := p.accept(op, plan.Endpoint{URL: call.host()}, false, &types.Credentials{
		AccessKeyId:     aws.String(out.RoleCredentials.AccessKeyID),
		SecretAccessKey: aws.String(out.RoleCredentials.SecretAccessKey),
		SessionToken:    aws.String(out.RoleCredentials.SessionToken),
		Expiration:      aws.Time(time.UnixMilli(out.RoleCredentials.Expiration)),
	}, middleware.Metadata{})
	c.AccountID = h.AccountID
	return c, err
}

// portal makes a call to the portal of IAM Identity Center with the sign-in in
// f, and returns it as it was made.
func (p *Performer) portal(ctx context.Context, h plan.SSO, s signIn, f *tokenFile, call restCall, out any) (restCall, error) {
	token, err := f.secret("accessToken")
	if err != nil {
		return call, s.fail(unreadable(), f.wrong(err))
	}
	call.base, call.header = h.PortalURL(), http.Header{"X-Amz-Sso_bearer_token": {token.Reveal()}}
	err = p.rest(ctx, call, out)
	if e, ok := errors.AsType[*APIError](err); ok && e.Status == http.StatusUnauthorized {
		err = s.fail(message.New("sign-in-refused", "IAM Identity Center does not take the sign-in any more"), err)
	}
	return call, err
}

// ssoSignIn is the sign-in behind h, known by the name of its session or, in
// the older form, by its start URL (botocore, SSOTokenLoader).
func (p *Performer) ssoSignIn(h plan.SSO) signIn {
	sum := sha1.Sum([]byte(cmp.Or(h.Session, h.StartURL)))
	name := hex.EncodeToString(sum[:])
	s := signIn{
		hop:     h,
		host:    restCall{base: h.OIDCURL()}.host(),
		path:    filepath.Join(p.SSOCache, name+".json"),
		sealed:  name,
		minLeft: ssoMinLeft,
		expires: func(f *tokenFile) (time.Time, error) { return f.time("expiresAt") },
		fail: func(msg message.Text, cause error) error {
			return &SignInError{Profile: h.Profile, Session: h.Session, Msg: msg, Err: cause}
		},
	}
	s.check = func(f *tokenFile) error {
		if f.find("refreshToken") < 0 {
			return s.fail(ended(), nil)
		}
		for _, name := range []string{"refreshToken", "clientId", "clientSecret"} {
			if _, err := f.secret(name); err != nil {
				return s.fail(ended(), f.wrong(err))
			}
		}
		end, err := f.time("registrationExpiresAt")
		if err != nil {
			return s.fail(ended(), f.wrong(err))
		}
		if !end.After(p.now()) {
			return s.fail(message.New("sign-in-all-ended", "the sign-in has ended, and so has what it is renewed with"), nil)
		}
		return nil
	}
	s.renew = func(ctx context.Context, f *tokenFile) error {
		err := p.renewSSO(ctx, h, f)
		// The errors of RFC 6749, section 5.2, that a new sign-in mends, and
		// those that the service adds.
		if e, ok := errors.AsType[*APIError](err); ok && slices.Contains([]string{"invalid_grant", "invalid_client", "unauthorized_client", "expired_token", "access_denied"}, e.Reason) {
			err = s.fail(message.New("sign-in-not-renewed", "the sign-in has ended, and IAM Identity Center does not renew it"), err)
		}
		return err
	}
	return s
}

// renewSSO is CreateToken with a refresh token.
func (p *Performer) renewSSO(ctx context.Context, h plan.SSO, f *tokenFile) error {
	grant := object{{"grantType", quote(refreshGrant)}}
	grant.copy(f, "refreshToken")
	return p.createToken(ctx, h, f, grant)
}

// lifetime reports whether a number of seconds is how long a token can live.
func lifetime(seconds int64) bool {
	const year = 366 * 24 * 60 * 60
	return seconds > 0 && seconds <= year
}
