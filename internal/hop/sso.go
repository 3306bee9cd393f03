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
	"aws-switch-role/internal/plan"
)

// ssoMinLeft is the life with less than which an access token is renewed, by
// the rule of the AWS SDKs (botocore, SSOTokenProvider).
const ssoMinLeft = 15 * time.Minute

// sso asks the portal of IAM Identity Center for the role's credentials, with
// the access token of the sign-in that the AWS CLI keeps.
func (p *Performer) sso(ctx context.Context, h plan.SSO) (cred.Credentials, error) {
	const op = "GetRoleCredentials"
	if p.SSOCache == "" {
		return cred.Credentials{}, errNoFunc("sign-ins to IAM Identity Center")
	}
	s := p.ssoSignIn(h)
	f, err := p.current(ctx, s)
	if err != nil {
		return cred.Credentials{}, err
	}
	token, err := f.secret("accessToken")
	if err != nil {
		return cred.Credentials{}, s.fail(unreadable, f.wrong(err))
	}
	var out struct {
		RoleCredentials struct {
			AccessKeyID     string `json:"accessKeyId"`
			SecretAccessKey string `json:"secretAccessKey"`
			SessionToken    string `json:"sessionToken"`
			Expiration      int64  `json:"expiration"` // in milliseconds of Unix time
		} `json:"roleCredentials"`
	}
	call := restCall{
		op: op, method: http.MethodGet, base: h.PortalURL(),
		path:   "/federation/credentials?" + url.Values{"account_id": {h.AccountID}, "role_name": {h.RoleName}}.Encode(),
		header: http.Header{"X-Amz-Sso_bearer_token": {token.Reveal()}},
	}
	if err := p.rest(ctx, call, &out); err != nil {
		if e, ok := errors.AsType[*APIError](err); ok && e.Status == http.StatusUnauthorized {
			err = s.fail("IAM Identity Center does not take the sign-in any more", err)
		}
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

// ssoSignIn is the sign-in behind h, known by the name of its session or, in
// the older form, by its start URL (botocore, SSOTokenLoader).
func (p *Performer) ssoSignIn(h plan.SSO) signIn {
	name := sha1.Sum([]byte(cmp.Or(h.Session, h.StartURL)))
	s := signIn{
		path:    filepath.Join(p.SSOCache, hex.EncodeToString(name[:])+".json"),
		minLeft: ssoMinLeft,
		expires: func(f *tokenFile) (time.Time, error) { return f.time("expiresAt") },
		fail: func(msg string, cause error) error {
			return &SignInError{Profile: h.Profile, Session: h.Session, Msg: msg, Err: cause}
		},
	}
	s.check = func(f *tokenFile) error {
		if f.find("refreshToken") < 0 {
			return s.fail(ended, nil)
		}
		for _, name := range []string{"refreshToken", "clientId", "clientSecret"} {
			if _, err := f.secret(name); err != nil {
				return s.fail(ended, f.wrong(err))
			}
		}
		end, err := f.time("registrationExpiresAt")
		if err != nil {
			return s.fail(ended, f.wrong(err))
		}
		if !end.After(p.now()) {
			return s.fail(ended+", and so has what it is renewed with", nil)
		}
		return nil
	}
	s.renew = func(ctx context.Context, f *tokenFile) error {
		err := p.renewSSO(ctx, h, f)
		// The errors of RFC 6749, section 5.2, that a new sign-in mends, and
		// those that the service adds.
		if e, ok := errors.AsType[*APIError](err); ok && slices.Contains([]string{"invalid_grant", "invalid_client", "unauthorized_client", "expired_token", "access_denied"}, e.Reason) {
			err = s.fail(ended+", and IAM Identity Center does not renew it", err)
		}
		return err
	}
	return s
}

// renewSSO is CreateToken with a refresh token.
func (p *Performer) renewSSO(ctx context.Context, h plan.SSO, f *tokenFile) error {
	const op = "CreateToken"
	sent := object{{"grantType", quote("refresh_token")}}
	for _, name := range []string{"clientId", "clientSecret", "refreshToken"} {
		sent.set(name, f.object[f.find(name)].value)
	}
	var out struct {
		AccessToken  string `json:"accessToken"`
		RefreshToken string `json:"refreshToken"`
		ExpiresIn    int64  `json:"expiresIn"` // seconds
	}
	call := restCall{op: op, method: http.MethodPost, base: h.OIDCURL(), path: "/token", body: sent.encode()}
	if err := p.rest(ctx, call, &out); err != nil {
		return err
	}
	if !printable(out.AccessToken, maxToken) || out.RefreshToken != "" && !printable(out.RefreshToken, maxToken) || !lifetime(out.ExpiresIn) {
		return &AnswerError{Op: op, Host: call.host(), Msg: "the answer's tokens are none"}
	}
	f.set("accessToken", quote(out.AccessToken))
	f.set("expiresAt", stamp(p.now().Add(time.Duration(out.ExpiresIn)*time.Second)))
	if out.RefreshToken != "" {
		f.set("refreshToken", quote(out.RefreshToken))
	}
	return nil
}

// lifetime reports whether a number of seconds is how long a token can live.
func lifetime(seconds int64) bool {
	const year = 366 * 24 * 60 * 60
	return seconds > 0 && seconds <= year
}
