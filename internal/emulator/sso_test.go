package emulator_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aws-switch-role/internal/emulator"
)

// jane's sign-in at the demo's Identity Center.
var jane = emulator.SSOSignIn{StartURL: emulator.DemoStartURL, Person: emulator.DemoPerson, Region: "us-east-1", Life: time.Hour}

// signIn returns what the file of a sign-in holds.
func (d *desk) signIn(in emulator.SSOSignIn) map[string]string {
	d.t.Helper()
	b, err := d.server.SSOToken(in)
	if err != nil {
		d.t.Fatal(err)
	}
	var file map[string]string
	if err := json.Unmarshal(b, &file); err != nil {
		d.t.Fatal(err)
	}
	return file
}

// json asks with a JSON body and reads the answer into out.
func (d *desk) json(r *http.Request, out any) reply {
	d.t.Helper()
	a := d.do(r)
	if err := json.Unmarshal([]byte(a.body), out); err != nil {
		d.t.Fatalf("%v: %s", err, a.body)
	}
	return a
}

func (d *desk) createToken(id, secret, grant, refresh string) (reply, map[string]any) {
	d.t.Helper()
	body, err := json.Marshal(map[string]string{"clientId": id, "clientSecret": secret, "grantType": grant, "refreshToken": refresh})
	if err != nil {
		d.t.Fatal(err)
	}
	var out map[string]any
	a := d.json(httptest.NewRequest("POST", "http://localhost/token", strings.NewReader(string(body))), &out)
	return a, out
}

type roleCredentials struct {
	RoleCredentials struct {
		AccessKeyID, SecretAccessKey, SessionToken string
		Expiration                                 int64
	}
	Message string
}

func (d *desk) roleCredentials(bearer, account, role string) (reply, roleCredentials) {
	d.t.Helper()
	query := url.Values{"account_id": {account}, "role_name": {role}}
	r := httptest.NewRequest("GET", "http://localhost/federation/credentials?"+query.Encode(), nil)
	r.Header.Set("x-amz-sso_bearer_token", bearer)
	var out roleCredentials
	a := d.json(r, &out)
	return a, out
}

func TestPortalGivesAssignedRoles(t *testing.T) {
	d := newDesk(t, emulator.Demo(), emulator.Options{})
	token := d.signIn(jane)["accessToken"]
	a, got := d.roleCredentials(token, emulator.DemoSubAccount, "Viewer")
	if a.status != 200 || !time.UnixMilli(got.RoleCredentials.Expiration).Equal(d.now.Add(8*time.Hour)) {
		t.Fatalf("%d %s", a.status, a.body)
	}
	c := aws.Credentials{AccessKeyID: got.RoleCredentials.AccessKeyID, SecretAccessKey: got.RoleCredentials.SecretAccessKey, SessionToken: got.RoleCredentials.SessionToken}
	id := d.sts(c, "GetCallerIdentity", nil)
	d.ok(id)
	if arn := id.text["Arn"]; !strings.HasPrefix(arn, "arn:aws:sts::222222222222:assumed-role/AWSReservedSSO_Viewer_") || !strings.HasSuffix(arn, "/"+emulator.DemoPerson) {
		t.Errorf("they are %s", arn)
	}
	if a := d.s3(c, "GET", "/bucketname/hello.txt"); a.status != 200 {
		t.Errorf("S3 answers %d: %s", a.status, a.body)
	}
	// The role is a session: what it assumes is chained, and nobody else
	// assumes it.
	d.refused(d.sts(c, "AssumeRole", role("Open", "DurationSeconds", "7200")), 400, "ValidationError",
		"The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")

	for name, tc := range map[string]struct {
		token, account, role, code string
		status                     int
	}{
		"another role":    {token, emulator.DemoSubAccount, "Developer", "ForbiddenException", 403},
		"another account": {token, "333333333333", "Viewer", "ForbiddenException", 403},
		"another token":   {"x", emulator.DemoSubAccount, "Viewer", "UnauthorizedException", 401},
		"no token":        {"", emulator.DemoSubAccount, "Viewer", "UnauthorizedException", 401},
		"no role":         {token, emulator.DemoSubAccount, "", "InvalidRequestException", 400},
	} {
		a, out := d.roleCredentials(tc.token, tc.account, tc.role)
		if a.status != tc.status || a.header.Get("X-Amzn-Errortype") != tc.code || out.Message == "" {
			t.Errorf("%s: %d %s: %s", name, a.status, a.header.Get("X-Amzn-Errortype"), a.body)
		}
	}
	d.now = d.now.Add(time.Hour)
	if a, _ := d.roleCredentials(token, emulator.DemoSubAccount, "Viewer"); a.status != 401 {
		t.Errorf("after its end the token is answered %d", a.status)
	}
}

func TestRefreshTokensAreGoodOnce(t *testing.T) {
	d := newDesk(t, emulator.Demo(), emulator.Options{})
	file, other := d.signIn(jane), d.signIn(jane)
	id, secret, refresh := file["clientId"], file["clientSecret"], file["refreshToken"]
	denied := func(name string, a reply, out map[string]any, status int, oauth string) {
		t.Helper()
		if a.status != status || out["error"] != oauth || out["error_description"] == "" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	a, out := d.createToken(id, "x", "refresh_token", refresh)
	denied("another secret", a, out, 401, "invalid_client")
	a, out = d.createToken(id, secret, "password", refresh)
	denied("another grant", a, out, 400, "unsupported_grant_type")
	a, out = d.createToken(other["clientId"], other["clientSecret"], "refresh_token", refresh)
	denied("another client", a, out, 400, "invalid_grant")
	a, out = d.createToken("", secret, "refresh_token", refresh)
	denied("no client", a, out, 400, "invalid_request")

	a, out = d.createToken(id, secret, "refresh_token", refresh)
	if a.status != 200 || out["expiresIn"] != 3600.0 || out["tokenType"] != "Bearer" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a, _ := d.roleCredentials(out["accessToken"].(string), emulator.DemoAccount, "Developer"); a.status != 200 {
		t.Errorf("the new access token is answered %d", a.status)
	}
	again, said := d.createToken(id, secret, "refresh_token", refresh)
	denied("once more", again, said, 400, "invalid_grant")
	a, out = d.createToken(id, secret, "refresh_token", out["refreshToken"].(string))
	if a.status != 200 {
		t.Errorf("the new refresh token is answered %d", a.status)
	}
	d.now = d.now.Add(91 * 24 * time.Hour)
	a, out = d.createToken(id, secret, "refresh_token", out["refreshToken"].(string))
	denied("registration has ended", a, out, 401, "invalid_client")

	for _, r := range d.server.Requests() {
		if text, err := json.Marshal(r); err != nil || strings.Contains(string(text), "SECRET") {
			t.Errorf("a request is remembered with a secret: %s, %v", text, err)
		}
	}
}

// A portal takes so many requests in a second, of all kinds and from all people.
func TestPortalIsBusy(t *testing.T) {
	world := emulator.Demo()
	world.Centers[0].PerSecond = 2
	d := newDesk(t, world, emulator.Options{})
	one, other := d.signIn(jane)["accessToken"], d.signIn(jane)["accessToken"]
	ask := func(token string, want int) {
		t.Helper()
		if a, _ := d.roleCredentials(token, emulator.DemoSubAccount, "Viewer"); a.status != want || want == 429 && a.header.Get("X-Amzn-Errortype") != "TooManyRequestsException" {
			t.Errorf("%d, want %d: %s", a.status, want, a.body)
		}
	}
	ask("x", 401)
	ask(one, 200)
	ask(other, 200)
	ask(one, 429)
	d.now = d.now.Add(time.Second)
	ask(one, 200)
}

func TestOlderSignInsCannotBeRenewed(t *testing.T) {
	d := newDesk(t, emulator.Demo(), emulator.Options{})
	legacy := jane
	legacy.Legacy = true
	if _, has := d.signIn(legacy)["refreshToken"]; has {
		t.Error("there is a refresh token")
	}
	if list := d.server.RefreshTokens(); len(list) != 0 {
		t.Errorf("refresh tokens: %q", list)
	}
}

func TestIdentityCentersAreChecked(t *testing.T) {
	person := func(p emulator.Person) emulator.IdentityCenter {
		return emulator.IdentityCenter{StartURL: "https://x.awsapps.com/start", People: []emulator.Person{p}}
	}
	for name, c := range map[string]emulator.IdentityCenter{
		"plain http":   {StartURL: "http://x.awsapps.com/start"},
		"no name":      person(emulator.Person{}),
		"no account":   person(emulator.Person{Name: "me", Roles: []emulator.Assignment{{Account: "1", Role: "R"}}}),
		"no role name": person(emulator.Person{Name: "me", Roles: []emulator.Assignment{{Account: emulator.DemoAccount, Role: "a b"}}}),
		"too long":     person(emulator.Person{Name: "me", Roles: []emulator.Assignment{{Account: emulator.DemoAccount, Role: "R", MaxSession: 13 * time.Hour}}}),
		"no policy":    person(emulator.Person{Name: "me", Roles: []emulator.Assignment{{Account: emulator.DemoAccount, Role: "R", Policy: "{}"}}}),
	} {
		if _, err := emulator.New(emulator.World{Centers: []emulator.IdentityCenter{c}}, emulator.Options{}); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	d := newDesk(t, emulator.Demo(), emulator.Options{})
	if _, err := d.server.SSOToken(emulator.SSOSignIn{StartURL: emulator.DemoStartURL, Person: "nobody"}); err == nil {
		t.Error("nobody is signed in")
	}
}
