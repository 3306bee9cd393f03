package emulator_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"aws-switch-role/internal/emulator"
)

// oidc asks Identity Center's OIDC service.
func (d *desk) oidc(path string, in map[string]any) (reply, map[string]any) {
	d.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		d.t.Fatal(err)
	}
	var out map[string]any
	a := d.json(httptest.NewRequest("POST", "http://localhost"+path, strings.NewReader(string(body))), &out)
	return a, out
}

const verifier = "a-verifier-of-forty-three-characters-or-more"

// register makes a client that may be sent codes, and what it asks for one with.
func (d *desk) register() (client map[string]any, ask url.Values) {
	d.t.Helper()
	_, client = d.oidc("/client/register", map[string]any{
		"clientName": "x", "clientType": "public", "scopes": []string{"sso:account:access"}, "issuerUrl": emulator.DemoStartURL,
		"grantTypes": []string{"authorization_code", "refresh_token"}, "redirectUris": []string{"http://127.0.0.1/oauth/callback"},
	})
	sum := sha256.Sum256([]byte(verifier))
	return client, url.Values{
		"response_type": {"code"}, "client_id": {client["clientId"].(string)}, "redirect_uri": {"http://127.0.0.1:4321/oauth/callback"},
		"state": {"s"}, "code_challenge_method": {"S256"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])},
	}
}

// consent answers the page of an authorization.
func (d *desk) consent(ask url.Values, field, value string) *url.URL {
	d.t.Helper()
	r := httptest.NewRequest("POST", "http://localhost/authorize?"+ask.Encode(), strings.NewReader(url.Values{field: {value}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	out := httptest.NewRecorder()
	d.server.ServeHTTP(out, r)
	to, err := out.Result().Location()
	if err != nil {
		d.t.Fatalf("%d %s", out.Code, out.Body)
	}
	return to
}

// A code is good once, for the client, the redirect and the verifier that it
// was made for, and for ten minutes.
func TestAuthorizationCodes(t *testing.T) {
	d := newDesk(t, emulator.Demo(), emulator.Options{})
	client, ask := d.register()
	other, _ := d.register()
	code := func() string { return d.consent(ask, "person", emulator.DemoPerson).Query().Get("code") }
	good := func() map[string]any {
		return map[string]any{
			"clientId": client["clientId"], "clientSecret": client["clientSecret"], "grantType": "authorization_code",
			"code": code(), "codeVerifier": verifier, "redirectUri": ask.Get("redirect_uri"),
		}
	}
	once := good()
	if a, out := d.oidc("/token", once); a.status != 200 || out["accessToken"] == nil || out["refreshToken"] == nil {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a, out := d.oidc("/token", once); a.status != 400 || out["error"] != "invalid_grant" {
		t.Errorf("a second time: %d %s", a.status, a.body)
	}
	for name, change := range map[string]func(map[string]any){
		"another verifier": func(in map[string]any) { in["codeVerifier"] = strings.ToUpper(verifier) },
		"no verifier":      func(in map[string]any) { delete(in, "codeVerifier") },
		"another redirect": func(in map[string]any) { in["redirectUri"] = "http://127.0.0.1:1/oauth/callback" },
		"another client":   func(in map[string]any) { in["clientId"], in["clientSecret"] = other["clientId"], other["clientSecret"] },
		"too late":         func(map[string]any) { d.now = d.now.Add(11 * time.Minute) },
	} {
		in := good()
		change(in)
		if a, out := d.oidc("/token", in); a.status != 400 || out["error"] != "invalid_grant" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if to := d.consent(ask, "refuse", "access_denied"); to.Query().Get("error") != "access_denied" || to.Query().Get("code") != "" || to.Query().Get("state") != "s" {
		t.Errorf("refused: %s", to)
	}
}

// The page shows nothing to who asks for a code in a way that is not safe.
func TestAuthorizePageRefuses(t *testing.T) {
	d := newDesk(t, emulator.Demo(), emulator.Options{})
	_, ask := d.register()
	status := func(ask url.Values) int {
		return d.do(httptest.NewRequest("GET", "http://localhost/authorize?"+ask.Encode(), nil)).status
	}
	if got := status(ask); got != 200 {
		t.Fatalf("status %d", got)
	}
	for name, value := range map[string]string{
		"client_id": "x", "redirect_uri": "http://evil.example.com/oauth/callback", "response_type": "token",
		"state": "", "code_challenge_method": "plain", "code_challenge": "short",
	} {
		changed := url.Values{}
		for k, v := range ask {
			changed[k] = v
		}
		changed.Set(name, value)
		if got := status(changed); got != 400 {
			t.Errorf("%s = %q: status %d", name, value, got)
		}
	}
}

// The lists come by the page, and only as far as they are.
func TestPortalLists(t *testing.T) {
	d := newDesk(t, emulator.Demo(), emulator.Options{})
	token := d.signIn(jane)["accessToken"]
	list := func(query string) (reply, map[string]any) {
		r := httptest.NewRequest("GET", "http://localhost/assignment/"+query, nil)
		r.Header.Set("x-amz-sso_bearer_token", token)
		var out map[string]any
		a := d.json(r, &out)
		return a, out
	}
	_, first := list("accounts?max_result=1")
	next, _ := first["nextToken"].(string)
	_, second := list("accounts?max_result=1&next_token=" + next)
	if len(first["accountList"].([]any)) != 1 || next == "" || len(second["accountList"].([]any)) != 1 || second["nextToken"] != nil {
		t.Errorf("%v, then %v", first, second)
	}
	if a, out := list("roles?account_id=" + emulator.DemoAccount); a.status != 200 || len(out["roleList"].([]any)) != 1 {
		t.Errorf("%d %s", a.status, a.body)
	}
	for _, query := range []string{"accounts?max_result=101", "accounts?next_token=x", "accounts?next_token=next-9"} {
		if a, _ := list(query); a.status != 400 {
			t.Errorf("%s: %d", query, a.status)
		}
	}
	if a, _ := list("roles?account_id=999999999999"); a.status != 403 {
		t.Errorf("of another's account: %d", a.status)
	}
}
