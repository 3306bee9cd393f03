package emulator_test

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// signinToken asks the federation endpoint for a sign-in token; extra
// parameters are names and values by turns.
func (d *desk) signinToken(c aws.Credentials, extra ...string) (token string, status int) {
	d.t.Helper()
	session, err := json.Marshal(map[string]string{"sessionId": c.AccessKeyID, "sessionKey": c.SecretAccessKey, "sessionToken": c.SessionToken})
	if err != nil {
		d.t.Fatal(err)
	}
	params := form(append([]string{"Action", "getSigninToken", "Session", string(session)}, extra...)...)
	r := httptest.NewRequest("POST", "http://localhost/federation", strings.NewReader(params.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	a := d.do(r)
	if a.status != 200 {
		if !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") || !strings.Contains(a.body, "Invalid credentials parameter") {
			d.t.Errorf("refused with %s: %s", a.header.Get("Content-Type"), a.body)
		}
		return "", a.status
	}
	var out struct{ SigninToken string }
	if err := json.Unmarshal([]byte(a.body), &out); err != nil || out.SigninToken == "" {
		d.t.Fatalf("%v: %s", err, a.body)
	}
	return out.SigninToken, a.status
}

const destination = "https://eu-west-1.console.aws.amazon.com/s3/home?region=eu-west-1"

// logsIn opens the sign-in URL and, where it leads on, the console with the
// cookie that was set.
func (d *desk) logsIn(token string) reply {
	d.t.Helper()
	params := url.Values{"Action": {"login"}, "Issuer": {"test"}, "Destination": {destination}, "SigninToken": {token}}
	a := d.do(httptest.NewRequest("GET", "http://localhost/federation?"+params.Encode(), nil))
	if a.status != 302 {
		return a
	}
	return d.visits(a.header.Get("Location"), strings.Split(a.header.Get("Set-Cookie"), ";")[0])
}

func (d *desk) visits(page, cookie string) reply {
	d.t.Helper()
	r := httptest.NewRequest("GET", "http://localhost"+page, nil)
	r.Header.Set("Cookie", cookie)
	return d.do(r)
}

// shows demands that a page has all texts on it.
func (d *desk) shows(a reply, status int, texts ...string) {
	d.t.Helper()
	for _, text := range texts {
		if a.status != status || !strings.Contains(a.body, text) {
			d.t.Errorf("want %d and %q:\n%d %s", status, text, a.status, a.body)
		}
	}
}

func TestConsoleSignIn(t *testing.T) {
	d := demo(t)
	ops := d.ok(d.sts(me, "AssumeRole", d.mfa(role("Ops"))))
	token, _ := d.signinToken(ops)
	d.shows(d.logsIn(token), 200, "<dd>arn:aws:sts::222222222222:assumed-role/Ops/session</dd>", "<dd>222222222222</dd>", "<dd>"+destination+"</dd>", "<dd>1h0m0s</dd>")
	d.shows(d.logsIn(token), 400, "it was used already")
	d.shows(d.visits("/console", "emulated-console-session=x"), 403, "Your session has ended")
	d.shows(d.visits("/console", "x=y"), 403, "You are not signed in")
	for _, r := range d.server.Requests() {
		for name, value := range r.Params {
			if strings.Contains(value, "SECRET") || name == "Session" || name == "SigninToken" {
				t.Errorf("%s of %s is in the log", name, r.Action)
			}
		}
	}
	late, _ := d.signinToken(ops)
	d.now = d.now.Add(15 * time.Minute)
	d.shows(d.logsIn(late), 400, "more than 15 minutes old")
}

func TestConsoleSessionEnds(t *testing.T) {
	d := demo(t)
	token, _ := d.signinToken(d.ok(d.sts(me, "AssumeRole", role("Open"))))
	params := url.Values{"Action": {"login"}, "Destination": {destination}, "SigninToken": {token}}
	cookie := strings.Split(d.do(httptest.NewRequest("GET", "http://localhost/federation?"+params.Encode(), nil)).header.Get("Set-Cookie"), ";")[0]
	d.now = d.now.Add(time.Hour - time.Second)
	d.shows(d.visits("/console", cookie), 200, "assumed-role/Open")
	d.now = d.now.Add(time.Second)
	d.shows(d.visits("/console", cookie), 403, "Your session has ended")
}

// TestSessionDuration: the console's session may be longer than the role's, but
// only where no other session stands before it.
func TestSessionDuration(t *testing.T) {
	d := demo(t)
	direct := d.ok(d.sts(me, "AssumeRole", role("Open")))
	token, _ := d.signinToken(direct, "SessionDuration", "43200")
	d.shows(d.logsIn(token), 200, "<dd>12h0m0s</dd>")
	user := d.ok(d.sts(me, "GetSessionToken", nil))
	for name, c := range map[string]struct {
		credentials aws.Credentials
		duration    string
	}{
		"too long":        {direct, "43201"},
		"too short":       {direct, "899"},
		"no number":       {direct, "1h"},
		"chained":         {d.ok(d.sts(user, "AssumeRole", role("Open"))), "3600"},
		"federated user":  {d.ok(d.sts(me, "GetFederationToken", form("Name", "bob"))), "3600"},
		"a user's":        {user, "3600"},
		"long-lived key":  {me, ""},
		"another's token": {aws.Credentials{AccessKeyID: direct.AccessKeyID, SecretAccessKey: direct.SecretAccessKey, SessionToken: user.SessionToken}, ""},
		"wrong secret":    {aws.Credentials{AccessKeyID: direct.AccessKeyID, SecretAccessKey: "x", SessionToken: direct.SessionToken}, ""},
	} {
		if _, status := d.signinToken(c.credentials, "SessionDuration", c.duration); status != 400 {
			t.Errorf("%s: %d", name, status)
		}
	}
	d.now = d.now.Add(time.Hour)
	if _, status := d.signinToken(direct); status != 400 {
		t.Errorf("a session that has ended: %d", status)
	}
}

// TestConsoleWantsNoUserSession: a sign-in token is given for a session of
// GetSessionToken, and the browser is told that it is good for nothing.
func TestConsoleWantsNoUserSession(t *testing.T) {
	d := demo(t)
	token, _ := d.signinToken(d.ok(d.sts(me, "GetSessionToken", nil)))
	d.shows(d.logsIn(token), 400, "Only federation tokens or assume role tokens may be used for federated login.")
	token, _ = d.signinToken(d.ok(d.sts(me, "GetFederationToken", form("Name", "bob"))))
	d.shows(d.logsIn(token), 200, "arn:aws:sts::111111111111:federated-user/bob")
}

func TestSwitchRolePage(t *testing.T) {
	d := demo(t)
	d.shows(d.visits("/switchrole?account=222222222222&roleName=team%2FDeploy&displayName=%3Cb%3E&color=ffaaee", ""), 200, "<dd>222222222222</dd>", "<dd>team/Deploy</dd>", "<dd>&lt;b&gt;</dd>", "<dd>ffaaee</dd>")
	d.shows(d.visits("/switchrole?account=222222222222&roleName=Deploy", ""), 200, "<dd>Deploy @ 222222222222</dd>")
	d.shows(d.visits("/switchrole?account=2&roleName=Deploy", ""), 400, "Could not switch roles")
	d.shows(d.visits("/switchrole?account=222222222222", ""), 400, "Could not switch roles")
	d.shows(d.visits("/federation?Action=other", ""), 400, "Invalid credentials parameter")
}
