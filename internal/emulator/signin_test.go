package emulator_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aws-switch-role/internal/emulator"
)

// loginFile is what the AWS CLI keeps of a console sign-in.
type loginFile struct {
	AccessToken struct {
		AccessKeyID, SecretAccessKey, SessionToken, AccountID string
		ExpiresAt                                             time.Time
	}
	ClientID, RefreshToken, IDToken, DPoPKey string
}

func (d *desk) logIn(life time.Duration) (loginFile, *ecdsa.PrivateKey) {
	d.t.Helper()
	b, err := d.server.LoginToken(emulator.DemoUser, life)
	if err != nil {
		d.t.Fatal(err)
	}
	var f loginFile
	if err := json.Unmarshal(b, &f); err != nil {
		d.t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(f.DPoPKey))
	key, err := x509.ParseECPrivateKey(block.Bytes)
	if err != nil {
		d.t.Fatal(err)
	}
	return f, key
}

// proof is a DPoP proof, in parts that a test can bend.
type proof struct {
	header, payload map[string]any
	key             *ecdsa.PrivateKey // that signs
}

func (d *desk) proof(key *ecdsa.PrivateKey) proof {
	d.t.Helper()
	point, err := key.PublicKey.Bytes()
	if err != nil {
		d.t.Fatal(err)
	}
	text := base64.RawURLEncoding.EncodeToString
	return proof{
		header:  map[string]any{"typ": "dpop+jwt", "alg": "ES256", "jwk": map[string]string{"kty": "EC", "crv": "P-256", "x": text(point[1:33]), "y": text(point[33:])}},
		payload: map[string]any{"htm": "POST", "htu": "http://localhost/v1/token", "iat": d.now.Unix(), "jti": "1"},
		key:     key,
	}
}

func (p proof) sign(t *testing.T) string {
	t.Helper()
	var parts []string
	for _, v := range []any{p.header, p.payload} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, base64.RawURLEncoding.EncodeToString(b))
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, ".")))
	r, s, err := ecdsa.Sign(rand.Reader, p.key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	return strings.Join(append(parts, base64.RawURLEncoding.EncodeToString(signature)), ".")
}

func (d *desk) renewLogin(f loginFile, dpop ...string) (reply, map[string]any) {
	d.t.Helper()
	body, err := json.Marshal(map[string]string{"clientId": f.ClientID, "grantType": "refresh_token", "refreshToken": f.RefreshToken})
	if err != nil {
		d.t.Fatal(err)
	}
	r := httptest.NewRequest("POST", "http://localhost/v1/token", strings.NewReader(string(body)))
	for _, p := range dpop {
		r.Header.Add("DPoP", p)
	}
	var out map[string]any
	a := d.json(r, &out)
	return a, out
}

func TestLoginIsOfTheUser(t *testing.T) {
	d := newDesk(t, emulator.Demo(), emulator.Options{})
	f, key := d.logIn(10 * time.Minute)
	a := d.sts(aws.Credentials{AccessKeyID: f.AccessToken.AccessKeyID, SecretAccessKey: f.AccessToken.SecretAccessKey, SessionToken: f.AccessToken.SessionToken}, "GetCallerIdentity", nil)
	d.ok(a)
	if a.text["Arn"] != emulator.DemoUser || f.AccessToken.AccountID != emulator.DemoAccount || !f.AccessToken.ExpiresAt.Equal(d.now.Add(10*time.Minute)) || f.IDToken == "" {
		t.Errorf("%s, account %s, until %v", a.text["Arn"], f.AccessToken.AccountID, f.AccessToken.ExpiresAt)
	}
	r, out := d.renewLogin(f, d.proof(key).sign(t))
	if r.status != 200 || out["expiresIn"] != 900.0 || out["tokenType"] != "aws_sigv4" || out["refreshToken"] == f.RefreshToken {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if r, out := d.renewLogin(f, d.proof(key).sign(t)); r.status != 401 || out["error"] != "TOKEN_EXPIRED" {
		t.Errorf("the old refresh token is answered %d %s", r.status, r.body)
	}
	f.RefreshToken = out["refreshToken"].(string)
	d.server.ChangePassword(emulator.DemoUser)
	if r, out := d.renewLogin(f, d.proof(key).sign(t)); r.status != 403 || out["error"] != "USER_CREDENTIALS_CHANGED" || r.header.Get("X-Amzn-Errortype") != "AccessDeniedException" {
		t.Errorf("after a new password it is answered %d %s", r.status, r.body)
	}
	if _, err := d.server.LoginToken("arn:aws:iam::111111111111:user/nobody", time.Hour); err == nil {
		t.Error("nobody is signed in")
	}
}

func TestLoginNeedsPermission(t *testing.T) {
	w := emulator.Demo()
	w.Users[0].Policy = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:*", "Resource": "*"}}`
	d := newDesk(t, w, emulator.Options{})
	f, key := d.logIn(0)
	if r, out := d.renewLogin(f, d.proof(key).sign(t)); r.status != 403 || out["error"] != "INSUFFICIENT_PERMISSIONS" {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// A proof that is not right in every way renews nothing.
func TestProofsOfPossession(t *testing.T) {
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, bend := range map[string]func(*desk, *proof){
		"another method":    func(_ *desk, p *proof) { p.payload["htm"] = "GET" },
		"another URL":       func(_ *desk, p *proof) { p.payload["htu"] = "https://example.com/v1/token" },
		"another time":      func(d *desk, p *proof) { p.payload["iat"] = d.now.Add(-time.Hour).Unix() },
		"no id":             func(_ *desk, p *proof) { delete(p.payload, "jti") },
		"another type":      func(_ *desk, p *proof) { p.header["typ"] = "JWT" },
		"another algorithm": func(_ *desk, p *proof) { p.header["alg"] = "none" },
		"another key":       func(d *desk, p *proof) { *p = d.proof(other) },
		"another's hand":    func(_ *desk, p *proof) { p.key = other },
		"no key":            func(_ *desk, p *proof) { delete(p.header, "jwk") },
	} {
		d := newDesk(t, emulator.Demo(), emulator.Options{})
		f, key := d.logIn(0)
		p := d.proof(key)
		bend(d, &p)
		if r, out := d.renewLogin(f, p.sign(t)); r.status != 400 || out["error"] != "INVALID_REQUEST" {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	d := newDesk(t, emulator.Demo(), emulator.Options{})
	f, key := d.logIn(0)
	good := d.proof(key).sign(t)
	for name, proofs := range map[string][]string{"none": nil, "two": {good, good}, "half": {good[:len(good)/2]}, "no JWT": {"a.b.c"}, "cut": {good[:len(good)-4]}} {
		if r, out := d.renewLogin(f, proofs...); r.status != 400 || out["error"] != "INVALID_REQUEST" {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	if r, _ := d.renewLogin(f, good); r.status != 200 {
		t.Errorf("the good one: %d %s", r.status, r.body)
	}
}
