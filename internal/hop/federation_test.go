package hop_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/emulator"
	"aws-switch-role/internal/hop"
	"aws-switch-role/internal/plan"
)

// federated is a GetFederationToken at the world's endpoint.
func (w *world) federated() plan.FederationToken {
	return plan.FederationToken{
		Name: "jane", Duration: 2 * time.Hour, Endpoint: plan.SessionEndpoint{Region: w.endpoint.Region, URL: w.endpoint.URL},
		Policy: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`,
	}
}

// signIn asks for a sign-in token and holds what is said about it to having no
// secret in it.
func (w *world) signIn(t *testing.T, c cred.Credentials, d time.Duration) (cred.Secret, error) {
	t.Helper()
	token, err := w.SigninToken(t.Context(), w.endpoint.URL, c, d)
	if said := w.log.String(); strings.Contains(said, "SECRET") || err != nil && strings.Contains(err.Error(), "SECRET") {
		t.Errorf("a secret is told: %s %v", said, err)
	}
	return token, err
}

// last is what was asked last.
func (w *world) last() emulator.Request {
	requests := w.Requests()
	return requests[len(requests)-1]
}

func TestFederationToken(t *testing.T) {
	w := live(t, emulator.Options{})
	h := w.federated()
	h.PolicyARNs = []string{"arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/AdministratorAccess"}
	c, err := w.perform(t, h, me)
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(c.Expires).Round(time.Minute); left != 2*time.Hour || c.AccountID != emulator.DemoAccount {
		t.Errorf("%s left, account %s", left, c.AccountID)
	}
	got := w.last().Params
	for name, want := range map[string]string{
		"Name": "jane", "DurationSeconds": "7200", "Policy": h.Policy,
		"PolicyArns.member.1.arn": h.PolicyARNs[0], "PolicyArns.member.2.arn": h.PolicyARNs[1],
	} {
		if got[name] != want {
			t.Errorf("%s=%s, want %s", name, got[name], want)
		}
	}
	who, err := w.Identity(t.Context(), w.endpoint, c)
	if err != nil || who.ARN != "arn:aws:sts::111111111111:federated-user/jane" {
		t.Errorf("%v, %v", who, err)
	}
}

// TestFederationTokenOfASession: AWS makes none, and none is needed.
func TestFederationTokenOfASession(t *testing.T) {
	w := live(t, emulator.Options{})
	role, err := w.perform(t, w.role("Open", plan.MFA{}, time.Hour), me)
	if err != nil {
		t.Fatal(err)
	}
	c, err := w.perform(t, w.federated(), role)
	if err != nil || c != role {
		t.Errorf("%v, %v", c, err)
	}
	if all, _ := w.sent(); all != 1 {
		t.Errorf("%d requests", all)
	}
}

func TestFederationTokenRefused(t *testing.T) {
	w := live(t, emulator.Options{})
	w.Inject(emulator.Fault{Action: "GetFederationToken", Effect: emulator.Fail(403, "AccessDenied", "no")})
	_, err := w.perform(t, w.federated(), me)
	if e, ok := errors.AsType[*hop.APIError](err); !ok || e.Op != "GetFederationToken" || e.Code != "AccessDenied" {
		t.Errorf("err = %#v", err)
	}
}

func TestSigninToken(t *testing.T) {
	w := live(t, emulator.Options{})
	role, err := w.perform(t, w.role("Open", plan.MFA{}, time.Hour), me)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []time.Duration{0, 12 * time.Hour} {
		token, err := w.signIn(t, role, d)
		if err != nil || !strings.HasPrefix(token.Reveal(), "signin") {
			t.Fatalf("%v, %v", token, err)
		}
	}
	if r := w.last(); r.Action != "getSigninToken" || r.Params["SessionDuration"] != "43200" {
		t.Errorf("asked for %+v", r)
	}
	if w.Requests()[1].Params["SessionDuration"] != "" {
		t.Error("a duration that nobody asked for")
	}
}

func TestSigninTokenErrors(t *testing.T) {
	refused := func(status int) func(error) bool {
		return func(err error) bool {
			e, ok := errors.AsType[*hop.APIError](err)
			return ok && e.Op == "getSigninToken" && e.Status == status
		}
	}
	answer := func(text string) func(error) bool {
		return func(err error) bool {
			e, ok := errors.AsType[*hop.AnswerError](err)
			return ok && strings.Contains(e.Msg.String(), text)
		}
	}
	for name, tc := range map[string]struct {
		fault emulator.Effect
		long  time.Duration
		want  func(error) bool
	}{
		"a duration that AWS does not take": {long: 13 * time.Hour, want: refused(http.StatusBadRequest)},
		"captive portal":                    {fault: emulator.CaptivePortal(), want: answer("a web page (HTTP status 200)")},
		"a proxy's page":                    {fault: emulator.Respond(403, "text/html", "<html>blocked</html>"), want: answer("a web page (HTTP status 403)")},
		"redirect":                          {fault: emulator.Redirect("https://portal.example.com/"), want: answer("a redirect to portal.example.com")},
		"no JSON":                           {fault: emulator.Malformed(), want: answer("cannot be read")},
		"no token":                          {fault: emulator.Respond(200, "application/json", "{}"), want: answer("sign-in token is none")},
		"hostile token":                     {fault: emulator.Respond(200, "application/json", `{"SigninToken": "a\nb"}`), want: answer("sign-in token is none")},
	} {
		t.Run(name, func(t *testing.T) {
			w := live(t, emulator.Options{})
			role, err := w.perform(t, w.role("Open", plan.MFA{}, time.Hour), me)
			if err != nil {
				t.Fatal(err)
			}
			if tc.long == 0 {
				w.Inject(emulator.Fault{Effect: tc.fault})
			}
			token, err := w.signIn(t, role, tc.long)
			if !tc.want(err) || !token.IsZero() {
				t.Errorf("err = %#v", err)
			}
		})
	}
}

// TestSigninTokenIsTriedAgain where AWS is busy: nothing is spent by asking.
func TestSigninTokenIsTriedAgain(t *testing.T) {
	w := live(t, emulator.Options{})
	role, err := w.perform(t, w.role("Open", plan.MFA{}, time.Hour), me)
	if err != nil {
		t.Fatal(err)
	}
	w.Inject(emulator.Fault{Action: "getSigninToken", Count: 1, Effect: emulator.Fail(503, "ServiceUnavailable", "")})
	if _, err := w.signIn(t, role, 0); err != nil {
		t.Fatal(err)
	}
	if all, _ := w.sent(); all != 3 {
		t.Errorf("%d requests", all)
	}
}
