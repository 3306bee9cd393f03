package hop

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"aws-switch-role/internal/message"
	"aws-switch-role/internal/plan"
)

// Visitor is a person who can sign in, and how they are reached.
type Visitor struct {
	// OpenURL shows the person a page. Nil says that there is no browser on
	// this machine: they get a code to type in one elsewhere.
	OpenURL func(url string) error
	// ShowCode shows that code.
	ShowCode func(DeviceCode)
	// Share keeps the sign-in in the AWS CLI's own cache, as plain text, for
	// other tools to use, rather than in the vault.
	Share bool
}

// DeviceCode is what a person types, and where. The texts are the server's.
type DeviceCode struct {
	UserCode string
	Page     string // its URL
	Complete string // the URL of the page with the code filled in; may be empty
	Expires  time.Time
}

// visitTime is how long a person may take: as long as a code of AWS is good.
const visitTime = 10 * time.Minute

// clientName is how IAM Identity Center names us to the person.
const clientName = "aws-switch-role"

// What is registered is where a code may be sent: a loopback address, whose
// port is ours to choose (RFC 8252, section 7.3).
const (
	callbackPath = "/oauth/callback"
	callbackURI  = "http://127.0.0.1" + callbackPath
)

// SignIn has v sign in to the IAM Identity Center of h, whatever sign-in there
// is at present. The error is a *[SignInError] when v did not.
func (p *Performer) SignIn(ctx context.Context, h plan.SSO, v Visitor) error {
	s := p.ssoSignIn(h)
	unlock, err := p.lockVisit(ctx, s)
	if err != nil {
		return err
	}
	defer unlock()
	_, err = p.signIn(ctx, h, s, v)
	return err
}

// lockVisit waits until nobody else is about to sign in.
func (p *Performer) lockVisit(ctx context.Context, s signIn) (unlock func(), err error) {
	if p.LockVisit == nil {
		return func() {}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, visitTime)
	defer cancel()
	return p.LockVisit(ctx, "sign in "+s.path)
}

// signInOnce has v sign in, unless somebody does already: of however many
// callers one opens a browser. old is the sign-in that is of no use; it may be
// nil.
func (p *Performer) signInOnce(ctx context.Context, h plan.SSO, s signIn, old *tokenFile, v Visitor) (*tokenFile, error) {
	unlock, err := p.lockVisit(ctx, s)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if kept, err := p.read(s); err == nil && kept[0].left >= s.minLeft && (old == nil || !kept[0].same(old, "accessToken")) {
		return kept[0].tokenFile, nil
	}
	return p.signIn(ctx, h, s, v)
}

// same reports whether a member is the same in both.
func (o object) same(other *tokenFile, name string) bool {
	i, j := o.find(name), other.find(name)
	return i >= 0 && j >= 0 && string(o[i].value) == string(other.object[j].value)
}

// signIn has v sign in, and keeps the sign-in.
func (p *Performer) signIn(ctx context.Context, h plan.SSO, s signIn, v Visitor) (*tokenFile, error) {
	f, err := p.newSignIn(s, v)
	if err != nil {
		return nil, err
	}
	keep, discard, err := f.reserve()
	if err != nil {
		return nil, err
	}
	defer discard()
	visit, cancel := context.WithTimeout(ctx, visitTime)
	defer cancel()
	f.set("startUrl", quote(h.StartURL))
	f.set("region", quote(h.Region))
	if v.OpenURL != nil {
		err = p.byCode(visit, h, s, v, f)
	} else {
		err = p.byDevice(visit, h, s, v, f)
	}
	if err != nil {
		if ctx.Err() == nil && visit.Err() != nil {
			err = s.fail(message.New("sign-in-waited", "nobody has signed in within 10 minutes"), nil)
		}
		return nil, err
	}
	if err := keep(f.encode()); err != nil {
		return nil, err
	}
	if v.Share && p.Vault != nil {
		// What is shared from now on would be hidden by what was not.
		err = p.Vault.Remove(s.sealed)
	}
	return f, err
}

// newSignIn is the empty file of a sign-in that is to be made.
func (p *Performer) newSignIn(s signIn, v Visitor) (*tokenFile, error) {
	if !v.Share {
		if p.Vault == nil {
			return nil, errNoFunc("a place to keep a sign-in")
		}
		return p.sealedFile(s.sealed), nil
	}
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return nil, err
	}
	if info, err := os.Lstat(s.path); err == nil && !info.Mode().IsRegular() {
		return nil, s.fail(unreadable(), &TokenFileError{s.path, errors.New("it is not a regular file")})
	}
	return plainFile(s.path), nil
}

// register is RegisterClient: it makes us a client for this sign-in and puts
// what it is renewed with into f.
func (p *Performer) register(ctx context.Context, h plan.SSO, f *tokenFile, grants ...string) error {
	const op = "RegisterClient"
	sent := object{{"clientName", quote(clientName)}, {"clientType", quote("public")}, {"scopes", quoteList(h.Scopes)}}
	if grants[0] == codeGrant {
		sent.set("redirectUris", quoteList([]string{callbackURI}))
		sent.set("grantTypes", quoteList(grants))
		sent.set("issuerUrl", quote(h.StartURL))
	}
	var out struct {
		ClientID     string `json:"clientId"`
		ClientSecret string `json:"clientSecret"`
		ExpiresAt    int64  `json:"clientSecretExpiresAt"` // in seconds of Unix time
	}
	call := restCall{op: op, method: http.MethodPost, base: h.OIDCURL(), path: "/client/register", body: sent.encode()}
	if err := p.rest(ctx, call, &out); err != nil {
		return err
	}
	if !printable(out.ClientID, maxToken) || !printable(out.ClientSecret, maxToken) {
		return &AnswerError{Op: op, Host: call.host(), Msg: message.New("answer-no-registration", "the answer registers nobody")}
	}
	f.set("clientId", quote(out.ClientID))
	f.set("clientSecret", quote(out.ClientSecret))
	f.set("registrationExpiresAt", stamp(time.Unix(out.ExpiresAt, 0)))
	return nil
}

// The grants of a sign-in (RFC 6749, section 4.1; RFC 8628, section 3.4).
const (
	codeGrant    = "authorization_code"
	refreshGrant = "refresh_token"
	deviceGrant  = "urn:ietf:params:oauth:grant-type:device_code"
)

// byCode signs in with a browser on this machine: an authorization code with
// proof that it is ours (RFC 7636), sent to the loopback interface (RFC 8252).
func (p *Performer) byCode(ctx context.Context, h plan.SSO, s signIn, v Visitor, f *tokenFile) error {
	if err := p.register(ctx, h, f, codeGrant, refreshGrant); err != nil {
		return err
	}
	back, err := listenForCode()
	if err != nil {
		return err
	}
	defer back.close()
	verifier := rand.Text() + rand.Text() // 52 characters of 5 bits
	challenge := sha256.Sum256([]byte(verifier))
	clientID, err := f.text("clientId")
	if err != nil {
		return err
	}
	query := url.Values{
		"response_type": {"code"}, "client_id": {clientID}, "redirect_uri": {back.uri}, "state": {back.state},
		"code_challenge_method": {"S256"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])},
		"scopes": {strings.Join(h.Scopes, " ")},
	}
	if err := v.OpenURL(h.OIDCURL() + "/authorize?" + query.Encode()); err != nil {
		return err
	}
	select {
	case a := <-back.answers:
		err := a.refusal(s)
		if err == nil {
			err = p.createToken(ctx, h, f, object{
				{"grantType", quote(codeGrant)}, {"code", quote(a.code)}, {"codeVerifier", quote(verifier)}, {"redirectUri", quote(back.uri)},
			})
		}
		back.outcome <- err // the browser waits for it
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// refusal is the error that a browser has brought back instead of a code (RFC
// 6749, section 4.1.2.1).
func (a codeAnswer) refusal(s signIn) error {
	switch {
	case a.problem == "access_denied":
		return s.fail(message.New("sign-in-browser-refused", "the sign-in was refused in the browser"), nil)
	case a.problem != "":
		return s.fail(message.New("sign-in-stopped", "IAM Identity Center has ended the sign-in: %s", cmp.Or(a.description, a.problem)), nil)
	}
	return nil
}

// byDevice signs in with a browser anywhere (RFC 8628).
func (p *Performer) byDevice(ctx context.Context, h plan.SSO, s signIn, v Visitor, f *tokenFile) error {
	const op = "StartDeviceAuthorization"
	if v.ShowCode == nil {
		return errNoFunc("a way to show a code")
	}
	if err := p.register(ctx, h, f, deviceGrant); err != nil {
		return err
	}
	sent := object{{"startUrl", quote(h.StartURL)}}
	sent.copy(f, "clientId", "clientSecret")
	var out struct {
		DeviceCode string `json:"deviceCode"`
		UserCode   string `json:"userCode"`
		Page       string `json:"verificationUri"`
		Complete   string `json:"verificationUriComplete"`
		ExpiresIn  int64  `json:"expiresIn"` // seconds, as is the next
		Interval   int64  `json:"interval"`
	}
	call := restCall{op: op, method: http.MethodPost, base: h.OIDCURL(), path: "/device_authorization", body: sent.encode()}
	if err := p.rest(ctx, call, &out); err != nil {
		return err
	}
	if !printable(out.DeviceCode, maxToken) || !printable(out.UserCode, maxToken) || !printable(out.Page, maxToken) || !lifetime(out.ExpiresIn) || out.Interval < 0 {
		return &AnswerError{Op: op, Host: call.host(), Msg: message.New("answer-starts-nothing", "the answer starts nothing")}
	}
	v.ShowCode(DeviceCode{UserCode: out.UserCode, Page: out.Page, Complete: out.Complete, Expires: p.now().Add(time.Duration(out.ExpiresIn) * time.Second)})
	const usual = 5 // seconds between the questions, and what slow_down adds to them (RFC 8628, sections 3.2 and 3.5)
	every := time.Duration(min(cmp.Or(out.Interval, usual), 60)) * time.Second
	for {
		if !wait(ctx, every) {
			return ctx.Err()
		}
		err := p.createToken(ctx, h, f, object{{"grantType", quote(deviceGrant)}, {"deviceCode", quote(out.DeviceCode)}})
		e, refused := errors.AsType[*APIError](err)
		switch {
		case refused && e.Reason == "authorization_pending":
		case refused && e.Reason == "slow_down", err != nil && p.passing(err):
			every += usual * time.Second
		case refused && e.Reason == "expired_token":
			return s.fail(message.New("sign-in-code-late", "nobody has typed the code in time"), err)
		case refused && e.Reason == "access_denied":
			return s.fail(message.New("sign-in-browser-refused", "the sign-in was refused in the browser"), err)
		default:
			return err
		}
	}
}

// wait reports whether d has gone by while ctx still ran.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// createToken is CreateToken by the client of f, which gets the tokens.
func (p *Performer) createToken(ctx context.Context, h plan.SSO, f *tokenFile, grant object) error {
	const op = "CreateToken"
	grant.copy(f, "clientId", "clientSecret")
	var out struct {
		AccessToken  string `json:"accessToken"`
		RefreshToken string `json:"refreshToken"`
		ExpiresIn    int64  `json:"expiresIn"` // seconds
	}
	call := restCall{op: op, method: http.MethodPost, base: h.OIDCURL(), path: "/token", body: grant.encode()}
	if err := p.rest(ctx, call, &out); err != nil {
		return err
	}
	if !printable(out.AccessToken, maxToken) || out.RefreshToken != "" && !printable(out.RefreshToken, maxToken) || !lifetime(out.ExpiresIn) {
		return &AnswerError{Op: op, Host: call.host(), Msg: message.New("answer-no-tokens", "the answer's tokens are none")}
	}
	f.set("accessToken", quote(out.AccessToken))
	f.set("expiresAt", stamp(p.now().Add(time.Duration(out.ExpiresIn)*time.Second)))
	if out.RefreshToken != "" {
		f.set("refreshToken", quote(out.RefreshToken))
	}
	return nil
}

// copy sets members to what they are in f, which has them.
func (o *object) copy(f *tokenFile, names ...string) {
	for _, name := range names {
		o.set(name, f.object[f.find(name)].value)
	}
}

// quoteList writes a JSON list of texts.
func quoteList(list []string) []byte {
	var b strings.Builder
	for _, s := range list {
		b.WriteString(", ")
		b.Write(quote(s))
	}
	return []byte("[" + strings.TrimPrefix(b.String(), ", ") + "]")
}

// SignOut ends the sign-in to the IAM Identity Center of h, at AWS and here,
// wherever it is kept. It reports whether there was one. One that AWS does not
// know any more is removed all the same.
func (p *Performer) SignOut(ctx context.Context, h plan.SSO) (bool, error) {
	s := p.ssoSignIn(h)
	unlock, err := p.lock(ctx, s.path)
	if err != nil {
		return false, err
	}
	defer unlock()
	kept, err := p.read(s)
	if _, none := errors.AsType[*SignInError](err); err != nil && !none {
		return false, err
	}
	var told error
	for _, k := range kept {
		if k.left <= 0 {
			continue
		}
		_, err := p.portal(ctx, h, s, k.tokenFile, restCall{op: "Logout", method: http.MethodPost, path: "/logout"}, nil)
		if _, over := errors.AsType[*SignInError](err); err != nil && !over {
			told = errors.Join(told, err)
		}
	}
	err = os.Remove(s.path)
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	if p.Vault != nil {
		err = errors.Join(err, p.Vault.Remove(s.sealed))
	}
	return len(kept) > 0, errors.Join(err, told)
}
