package hop

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/emulator"
	"aws-switch-role/internal/plan"
)

func TestSSOGivesARole(t *testing.T) {
	b := newBench(t)
	b.signIn(time.Hour)
	c, err := b.Perform(t.Context(), b.developer(), cred.Credentials{})
	if err != nil {
		t.Fatal(err)
	}
	if arn := b.who(c); !strings.HasPrefix(arn, "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Developer_") || !strings.HasSuffix(arn, "/"+jane) {
		t.Errorf("these are the credentials of %s", arn)
	}
	if c.AccountID != emulator.DemoAccount || !c.GoodFor(b.clock(), 59*time.Minute) {
		t.Errorf("account %s, until %v", c.AccountID, c.Expires)
	}
	b.expectAsked(map[string]int{"CreateToken": 0, "GetRoleCredentials": 1})
}

// The older form is known by its start URL, and ends without a refresh token.
func TestSSOWithoutASession(t *testing.T) {
	b := newBench(t)
	h := b.developer()
	h.Session = ""
	b.signInAs(h.StartURL, emulator.SSOSignIn{StartURL: h.StartURL, Person: jane, Region: h.Region, Life: 10 * time.Minute, Legacy: true})
	if _, err := b.Perform(t.Context(), h, cred.Credentials{}); err != nil {
		t.Fatal(err)
	}
	b.advance(10 * time.Minute)
	_, err := b.Perform(t.Context(), h, cred.Credentials{})
	if e, ok := errors.AsType[*SignInError](err); !ok || e.Msg.String() != ended().String() || e.Session != "" || e.Profile != "dev" || e.Err != nil {
		t.Errorf("err = %#v", err)
	}
	b.expectAsked(map[string]int{"CreateToken": 0, "GetRoleCredentials": 1})
}

func TestSSOErrors(t *testing.T) {
	inAnHour := emulator.SSOSignIn{StartURL: emulator.DemoStartURL, Person: jane, Region: "us-east-1", Life: time.Hour}
	over := inAnHour
	over.Life = -time.Minute
	lapsed := over
	lapsed.Registered = -time.Minute
	for name, tc := range map[string]struct {
		in     emulator.SSOSignIn
		change func(*bench, *plan.SSO)
		want   func(error) bool
		asked  map[string]int
	}{
		"registration has ended": {
			in:    lapsed,
			want:  signInError(ended().String() + ", and so has what it is renewed with"),
			asked: map[string]int{"CreateToken": 0},
		},
		"revoked before renewal": {
			in: over, change: func(b *bench, _ *plan.SSO) { b.server.RevokeSSO() },
			want:  signInError(ended().String() + ", and IAM Identity Center does not renew it"),
			asked: map[string]int{"CreateToken": 1, "GetRoleCredentials": 0},
		},
		"revoked before use": {
			in: inAnHour, change: func(b *bench, _ *plan.SSO) { b.server.RevokeSSO() },
			want:  signInError("IAM Identity Center does not take the sign-in any more"),
			asked: map[string]int{"CreateToken": 0, "GetRoleCredentials": 1},
		},
		"no such role": {
			in: inAnHour, change: func(_ *bench, h *plan.SSO) { h.RoleName = "Administrator" },
			want:  apiError("ForbiddenException"),
			asked: map[string]int{"GetRoleCredentials": 1},
		},
		"busy for a moment": {
			in: inAnHour, change: fault(emulator.Fault{Action: "GetRoleCredentials", Count: 2, Effect: emulator.Fail(429, "TooManyRequestsException", "HTTP 429 Unknown Code")}),
			want:  func(err error) bool { return err == nil },
			asked: map[string]int{"GetRoleCredentials": 3},
		},
		"busy": {
			in: inAnHour, change: fault(emulator.Fault{Action: "GetRoleCredentials", Effect: emulator.Fail(429, "TooManyRequestsException", "HTTP 429 Unknown Code")}),
			want:  apiError("TooManyRequestsException"),
			asked: map[string]int{"GetRoleCredentials": 3},
		},
		"hangs up once": {
			in: inAnHour, change: fault(emulator.Fault{Action: "GetRoleCredentials", Count: 1, Effect: emulator.HangUp()}),
			want:  func(err error) bool { return err == nil },
			asked: map[string]int{"GetRoleCredentials": 2},
		},
		"cut short": {
			in: inAnHour, change: fault(emulator.Fault{Action: "GetRoleCredentials", Effect: emulator.Truncate()}),
			want: func(err error) bool { _, ok := errors.AsType[*NetworkError](err); return ok },
		},
		"captive portal": {
			in: inAnHour, change: fault(emulator.Fault{Effect: emulator.CaptivePortal()}),
			want:  answerError("a web page"),
			asked: map[string]int{"GetRoleCredentials": 1},
		},
		"redirect": {
			in: inAnHour, change: fault(emulator.Fault{Effect: emulator.Redirect("https://portal.example.com/")}),
			want:  answerError("a redirect to portal.example.com"),
			asked: map[string]int{"GetRoleCredentials": 1},
		},
		"not JSON": {
			in: inAnHour, change: fault(emulator.Fault{Effect: emulator.Respond(200, "application/json", `{"roleCredentials": {`)}),
			want: answerError("cannot be read"),
		},
		"no credentials": {
			in: inAnHour, change: fault(emulator.Fault{Effect: emulator.Respond(200, "application/json", `{}`)}),
			want: answerError("session token is none"),
		},
		"no AWS error": {
			in: inAnHour, change: fault(emulator.Fault{Effect: emulator.Respond(403, "text/plain", "forbidden")}),
			want:  answerError("HTTP status 403 without an AWS error"),
			asked: map[string]int{"GetRoleCredentials": 1},
		},
		"no tokens": {
			in: over, change: fault(emulator.Fault{Effect: emulator.Respond(200, "application/json", `{"accessToken": "a\nb", "expiresIn": 3600}`)}),
			want: answerError("tokens are none"),
		},
		"a token for ever": {
			in: over, change: fault(emulator.Fault{Effect: emulator.Respond(200, "application/json", `{"accessToken": "a", "expiresIn": 9223372036854775807}`)}),
			want: answerError("tokens are none"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			path := b.signInAs(corp, tc.in)
			before := string(b.read(path))
			h := b.developer()
			if tc.change != nil {
				tc.change(b, &h)
			}
			if _, err := b.Perform(t.Context(), h, cred.Credentials{}); !tc.want(err) {
				t.Errorf("err = %#v", err)
			}
			b.expectAsked(tc.asked)
			if string(b.read(path)) != before {
				t.Error("the file has changed")
			}
			b.alone(path)
		})
	}
}

func fault(f emulator.Fault) func(*bench, *plan.SSO) {
	return func(b *bench, _ *plan.SSO) { b.server.Inject(f) }
}

func signInError(msg string) func(error) bool {
	return func(err error) bool {
		e, ok := errors.AsType[*SignInError](err)
		return ok && e.Session == corp && !e.Login && e.Msg.String() == msg
	}
}

func apiError(code string) func(error) bool {
	return func(err error) bool {
		e, ok := errors.AsType[*APIError](err)
		return ok && e.Code == code && e.Message != "" && e.RequestID != ""
	}
}

func answerError(msg string) func(error) bool {
	return func(err error) bool {
		e, ok := errors.AsType[*AnswerError](err)
		return ok && strings.Contains(e.Msg.String(), msg)
	}
}

// The AWS CLI and this package renew the same file by turns.
func TestSSOCacheIsTheCLIs(t *testing.T) {
	b := newBench(t)
	path := b.signIn(-time.Minute)
	config := filepath.Join(b.home, ".aws", "config")
	b.write(config, []byte(`[profile dev]
sso_session = corp
sso_account_id = 111111111111
sso_role_name = Developer
region = us-east-1
[sso-session corp]
sso_start_url = `+emulator.DemoStartURL+`
sso_region = us-east-1
sso_registration_scopes = sso:account:access
`))
	aws := func() {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "aws", "sts", "get-caller-identity", "--profile", "dev", "--query", "Arn", "--output", "text")
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + b.home, "PYENV_ROOT=" + os.Getenv("PYENV_ROOT"), "AWS_ENDPOINT_URL=" + b.url, "NO_PROXY=127.0.0.1"}
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), ":assumed-role/AWSReservedSSO_Developer_") {
			t.Fatalf("aws: %v: %s", err, out)
		}
	}
	expire := func() {
		t.Helper()
		f, err := readTokenFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f.set("expiresAt", stamp(time.Now().Add(-time.Minute)))
		b.write(path, f.encode())
	}
	ours := func() {
		t.Helper()
		if _, err := b.Perform(t.Context(), b.developer(), cred.Credentials{}); err != nil {
			t.Fatal(err)
		}
	}
	ours()
	b.expectAsked(map[string]int{"CreateToken": 1})
	aws()
	b.expectAsked(map[string]int{"CreateToken": 1, "GetRoleCredentials": 2})
	expire()
	aws()
	b.expectAsked(map[string]int{"CreateToken": 2})
	ours()
	b.expectAsked(map[string]int{"CreateToken": 2, "GetRoleCredentials": 4})
	expire()
	ours()
	aws()
	b.expectAsked(map[string]int{"CreateToken": 3})
}
