package emulator

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"time"
)

// What AWS Sign-In gives to the AWS CLI (aws login).
const (
	loginLife   = 15 * time.Minute // of the credentials
	loginClient = "arn:aws:signin:::devtools/same-device"
)

// login is what a refresh token of AWS Sign-In stands for.
type login struct {
	user       *user
	thumbprint string // of the key that proves possession (RFC 9449, "jkt")
	changed    bool   // the user's password changed since
}

// LoginToken signs a user in for the AWS CLI and returns the file in
// ~/.aws/login/cache that it would have written. life is how long the
// credentials in it are good from now.
func (s *Server) LoginToken(userARN string, life time.Duration) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[userARN]
	if u == nil {
		return nil, fmt.Errorf("no user %q is declared", userARN)
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		return nil, err
	}
	public, err := private.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	refresh := s.token("refresh")
	s.logins[refresh] = &login{user: u, thumbprint: jwkOf(public).thumbprint()}
	now := s.now()
	k := s.issueLogin(u, now, life)
	access := dumps("accessKeyId", k.id, "secretAccessKey", k.secret, "sessionToken", k.token, "accountId", u.arn.account, "expiresAt", stamp(k.expires))
	rest := dumps(
		"tokenType", "aws_sigv4", "clientId", loginClient, "refreshToken", refresh,
		"idToken", jwtText(map[string]any{"alg": "none"}, map[string]any{"sub": userARN, "note": s.options.Mark})+".",
		"dpopKey", string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})),
	)
	return []byte(`{"accessToken": ` + string(access) + ", " + string(rest[1:])), nil
}

// ChangePassword makes AWS Sign-In refuse to renew a user's sign-ins.
func (s *Server) ChangePassword(userARN string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.logins {
		l.changed = l.changed || l.user.arn.String() == userARN
	}
}

// issueLogin makes the credentials of a sign-in.
func (s *Server) issueLogin(u *user, now time.Time, life time.Duration) *key {
	k := s.issue("ASIA", now)
	k.kind, k.user, k.identity = userSession, u, u.identity()
	k.expires = now.Add(life).Truncate(time.Second)
	return k
}

// createOAuth2Token is CreateOAuth2Token of AWS Sign-In.
func (s *Server) createOAuth2Token(c *call) (any, error) {
	var in struct{ ClientID, GrantType, RefreshToken string }
	if json.Unmarshal(c.body, &in) != nil || in.ClientID != loginClient || in.GrantType != "refresh_token" {
		return nil, oauthFail(http.StatusBadRequest, "ValidationException", "INVALID_REQUEST", "Missing or invalid parameters")
	}
	l := s.logins[in.RefreshToken]
	if l == nil {
		return nil, oauthFail(http.StatusUnauthorized, "AccessDeniedException", "TOKEN_EXPIRED", "The refresh token has expired")
	}
	if l.changed {
		return nil, oauthFail(http.StatusForbidden, "AccessDeniedException", "USER_CREDENTIALS_CHANGED", "The user's credentials have changed")
	}
	if err := checkDPoP(c, l.thumbprint); err != nil {
		return nil, oauthFail(http.StatusBadRequest, "ValidationException", "INVALID_REQUEST", "Invalid DPoP proof: "+err.Error())
	}
	q := question{who: l.user.identity(), action: "signin:CreateOAuth2Token", resource: "*", context: conditionKeys{}}
	if !q.who.may(q) {
		return nil, oauthFail(http.StatusForbidden, "AccessDeniedException", "INSUFFICIENT_PERMISSIONS", "The user may not create tokens")
	}
	delete(s.logins, in.RefreshToken)
	refresh := s.token("refresh")
	s.logins[refresh] = l
	k := s.issueLogin(l.user, c.now, loginLife)
	return map[string]any{
		"accessToken":  map[string]string{"accessKeyId": k.id, "secretAccessKey": k.secret, "sessionToken": k.token},
		"tokenType":    "aws_sigv4",
		"expiresIn":    int(loginLife / time.Second),
		"refreshToken": refresh,
	}, nil
}

// jwk is the public half of a key on the curve P-256 (RFC 7517).
type jwk struct {
	Curve string `json:"crv"`
	Type  string `json:"kty"`
	X     string `json:"x"`
	Y     string `json:"y"`
}

// jwkOf takes the uncompressed point: a byte 4, then both coordinates.
func jwkOf(public []byte) jwk {
	return jwk{"P-256", "EC", base64.RawURLEncoding.EncodeToString(public[1:33]), base64.RawURLEncoding.EncodeToString(public[33:65])}
}

// thumbprint is that of RFC 7638: of the members in the order of their names,
// which is that of the struct.
func (j jwk) thumbprint() string {
	sum := sha256.Sum256(must(json.Marshal(j)))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// jwtText is what is signed of a token with that header and payload.
func jwtText(header, payload any) string {
	return base64.RawURLEncoding.EncodeToString(must(json.Marshal(header))) + "." + base64.RawURLEncoding.EncodeToString(must(json.Marshal(payload)))
}

// checkDPoP checks that the request proves possession of the key with that
// thumbprint, for this request, now (RFC 9449, section 4.3).
func checkDPoP(c *call, thumbprint string) error {
	proofs := c.http.Header.Values("DPoP")
	if len(proofs) != 1 {
		return errors.New("there must be one header DPoP")
	}
	parts := strings.Split(proofs[0], ".")
	if len(parts) != 3 {
		return errors.New("it is no JWT")
	}
	var header struct {
		Type      string `json:"typ"`
		Algorithm string `json:"alg"`
		Key       jwk    `json:"jwk"`
	}
	var payload struct {
		Method string `json:"htm"`
		URL    string `json:"htu"`
		Issued int64  `json:"iat"`
		ID     string `json:"jti"`
	}
	for i, v := range []any{&header, &payload} {
		b, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			return err
		}
		if err := json.Unmarshal(b, v); err != nil {
			return err
		}
	}
	age := c.now.Sub(time.Unix(payload.Issued, 0))
	switch {
	case header.Type != "dpop+jwt" || header.Algorithm != "ES256" || header.Key.Curve != "P-256" || header.Key.Type != "EC":
		return errors.New("the header is not that of a proof by ES256")
	case payload.Method != c.http.Method || payload.URL != "http://"+c.http.Host+c.http.URL.Path && payload.URL != "https://"+c.http.Host+c.http.URL.Path:
		return errors.New("it is for another request")
	case age.Abs() > 5*time.Minute:
		return errors.New("it is not of now")
	case payload.ID == "":
		return errors.New("it has no id")
	case header.Key.thumbprint() != thumbprint:
		return errors.New("it is by another key")
	}
	return header.Key.verify(parts[0]+"."+parts[1], parts[2])
}

// verify checks the signature of RFC 7518, section 3.4: two numbers of 32
// bytes.
func (j jwk) verify(text, signature string) error {
	x, errX := base64.RawURLEncoding.DecodeString(j.X)
	y, errY := base64.RawURLEncoding.DecodeString(j.Y)
	sig, errSig := base64.RawURLEncoding.DecodeString(signature)
	if err := errors.Join(errX, errY, errSig); err != nil {
		return err
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...))
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(text))
	if len(sig) != 64 || !ecdsa.Verify(public, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])) {
		return errors.New("its signature is not right")
	}
	return nil
}
