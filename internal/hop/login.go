package hop

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go/middleware"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/message"
	"aws-switch-role/internal/plan"
)

// loginMinLeft is the life with less than which the credentials of a console
// sign-in are renewed, by the rule of the AWS SDKs (botocore,
// LoginCredentialFetcher): they live for 15 minutes at most.
const loginMinLeft = 5 * time.Minute

// login returns the credentials of the console sign-in that the AWS CLI keeps.
func (p *Performer) login(ctx context.Context, h plan.Login) (cred.Credentials, error) {
	if p.LoginCache == "" {
		return cred.Credentials{}, errNoFunc("sign-ins of aws login")
	}
	s := p.loginSignIn(h)
	f, err := p.current(ctx, s)
	if err != nil {
		return cred.Credentials{}, err
	}
	c, err := loginCredentials(f)
	if err != nil {
		return cred.Credentials{}, s.fail(unreadable(), f.wrong(err))
	}
	return c, nil
}

// loginCredentials reads the credentials in f.
func loginCredentials(f *tokenFile) (cred.Credentials, error) {
	o, err := accessToken(f)
	if err != nil {
		return cred.Credentials{}, err
	}
	id, errID := o.text("accessKeyId")
	if errID == nil && !keyID(id) {
		errID = message.New("login-no-key-id", "its accessKeyId is none")
	}
	secret, errSecret := o.secret("secretAccessKey")
	token, errToken := o.secret("sessionToken")
	expires, errExpires := o.time("expiresAt")
	// The account is for people: tools do without.
	account, _ := o.text("accountId")
	return cred.Credentials{AccessKeyID: id, SecretAccessKey: secret, SessionToken: token, Expires: expires, AccountID: account},
		errors.Join(errID, errSecret, errToken, errExpires)
}

// accessToken returns the object that holds the credentials.
func accessToken(f *tokenFile) (object, error) {
	i := f.find("accessToken")
	if i < 0 {
		return nil, message.New("login-no-token", "it has no accessToken")
	}
	o, err := parseObject(f.object[i].value)
	if err != nil {
		return nil, message.New("login-token-form", "its accessToken is not an object")
	}
	return o, nil
}

// loginSignIn is the sign-in behind h (botocore, LoginTokenLoader).
func (p *Performer) loginSignIn(h plan.Login) signIn {
	name := sha256.Sum256([]byte(h.Session))
	s := signIn{
		hop:     h,
		host:    restCall{base: h.SigninURL()}.host(),
		path:    filepath.Join(p.LoginCache, hex.EncodeToString(name[:])+".json"),
		minLeft: loginMinLeft,
		expires: func(f *tokenFile) (time.Time, error) {
			o, err := accessToken(f)
			if err != nil {
				return time.Time{}, err
			}
			return o.time("expiresAt")
		},
		fail: func(msg message.Text, cause error) error {
			return &SignInError{Profile: h.Profile, Login: true, Msg: msg, Err: cause}
		},
	}
	s.check = func(f *tokenFile) error {
		for _, name := range []string{"refreshToken", "clientId"} {
			if _, err := f.secret(name); err != nil {
				return s.fail(ended(), f.wrong(err))
			}
		}
		if _, err := dpopKey(f); err != nil {
			return s.fail(ended(), f.wrong(err))
		}
		return nil
	}
	s.renew = func(ctx context.Context, f *tokenFile) error {
		err := p.renewLogin(ctx, h, f)
		if e, ok := errors.AsType[*APIError](err); ok {
			switch e.Reason {
			case "TOKEN_EXPIRED":
				err = s.fail(ended(), err)
			case "USER_CREDENTIALS_CHANGED":
				err = s.fail(message.New("sign-in-user-changed", "the sign-in has ended: the user's password or another credential has changed"), err)
			}
		}
		return err
	}
	return s
}

// renewLogin is CreateOAuth2Token with a refresh token.
func (p *Performer) renewLogin(ctx context.Context, h plan.Login, f *tokenFile) error {
	const op = "CreateOAuth2Token"
	key, err := dpopKey(f)
	if err != nil {
		return f.wrong(err)
	}
	sent := object{{"grantType", quote("refresh_token")}}
	for _, name := range []string{"clientId", "refreshToken"} {
		sent.set(name, f.object[f.find(name)].value)
	}
	call := restCall{op: op, method: http.MethodPost, base: h.SigninURL(), path: "/v1/token", body: sent.encode()}
	proof, err := dpopProof(key, call.method, call.base+call.path, p.now())
	if err != nil {
		return err
	}
	call.header = http.Header{"Dpop": {proof}}
	var out struct {
		AccessToken struct {
			AccessKeyID     string `json:"accessKeyId"`
			SecretAccessKey string `json:"secretAccessKey"`
			SessionToken    string `json:"sessionToken"`
		} `json:"accessToken"`
		RefreshToken string `json:"refreshToken"`
		ExpiresIn    int64  `json:"expiresIn"` // seconds
	}
	if err := p.rest(ctx, call, &out); err != nil {
		return err
	}
	if !printable(out.RefreshToken, maxToken) || !lifetime(out.ExpiresIn) {
		return &AnswerError{Op: op, Host: call.host(), Msg: message.New("answer-no-tokens", "the answer's tokens are none")}
	}
	expires := p.now().Add(time.Duration(out.ExpiresIn) * time.Second)
	if _, err := p.accept(op, plan.Endpoint{URL: call.host()}, false, &types.Credentials{
		AccessKeyId:     aws.String(out.AccessToken.AccessKeyID),
		SecretAccessKey: aws.String(out.AccessToken.SecretAccessKey),
		SessionToken:    aws.String(out.AccessToken.SessionToken),
		Expiration:      aws.Time(expires),
	}, middleware.Metadata{}); err != nil {
		return err
	}
	o, err := accessToken(f)
	if err != nil {
		return f.wrong(err)
	}
	o.set("accessKeyId", quote(out.AccessToken.AccessKeyID))
	o.set("secretAccessKey", quote(out.AccessToken.SecretAccessKey))
	o.set("sessionToken", quote(out.AccessToken.SessionToken))
	o.set("expiresAt", stamp(expires))
	f.set("accessToken", o.encode())
	f.set("refreshToken", quote(out.RefreshToken))
	return nil
}

// dpopKey reads the key that the sign-in is bound to.
func dpopKey(f *tokenFile) (*ecdsa.PrivateKey, error) {
	text, err := f.text("dpopKey")
	if err != nil {
		return nil, err
	}
	bad := message.New("login-dpop-form", "its dpopKey is not a key on the curve P-256 in PEM form")
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, bad
	}
	key, err := x509.ParseECPrivateKey(block.Bytes)
	if err != nil || key.Curve != elliptic.P256() {
		return nil, bad
	}
	return key, nil
}

// dpopProof proves possession of key in a request (RFC 9449, section 4.2): a
// JWT by ES256 (RFC 7518, section 3.4) with the public key in its header.
func dpopProof(key *ecdsa.PrivateKey, method, url string, now time.Time) (string, error) {
	point, err := key.PublicKey.Bytes() // 4, then both coordinates
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	header, err := json.Marshal(map[string]any{
		"typ": "dpop+jwt",
		"alg": "ES256",
		"jwk": map[string]string{"kty": "EC", "crv": "P-256", "x": encode(point[1:33]), "y": encode(point[33:])},
	})
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(map[string]any{"htm": method, "htu": url, "iat": now.Unix(), "jti": rand.Text()})
	if err != nil {
		return "", err
	}
	text := encode(header) + "." + encode(payload)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		return "", err
	}
	signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	return text + "." + encode(signature), nil
}
