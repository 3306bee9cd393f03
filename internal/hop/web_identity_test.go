package hop

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/emulator"
	"aws-switch-role/internal/plan"
)

// federated is the hop into the role that trusts the world's provider, with
// the token of a file.
func (c *cloud) federated(text string) plan.WebIdentity {
	c.t.Helper()
	file := filepath.Join(c.t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return plan.WebIdentity{RoleARN: emulator.DemoRole("Federated"), SessionName: "me", TokenFile: file, Duration: 20 * time.Minute, Endpoint: c.endpoint()}
}

func (c *cloud) token(life time.Duration) string {
	c.t.Helper()
	token, err := c.server.WebIdentityToken(emulator.DemoProvider, "me", life)
	if err != nil {
		c.t.Fatal(err)
	}
	return token
}

func TestWebIdentity(t *testing.T) {
	c := newCloud(t, emulator.Demo())
	h := c.federated(" " + c.token(time.Hour) + "\r\n")
	h.Policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	h.PolicyARNs = []string{"arn:aws:iam::aws:policy/ReadOnlyAccess"}
	got := c.must(h, cred.Credentials{})
	if off := time.Until(got.Expires) - h.Duration; off.Abs() > tolerance {
		t.Errorf("the session ends at %v", got.Expires)
	}
	if got.AccountID != emulator.DemoAccount {
		t.Errorf("the account is %q", got.AccountID)
	}
	r := c.server.Requests()[0]
	if r.AccessKeyID != "" || r.Params["Policy"] != h.Policy || r.Params["PolicyArns.member.1.arn"] != h.PolicyARNs[0] || r.Params["RoleSessionName"] != "me" {
		t.Errorf("the request was %+v", r)
	}
	id, err := c.performer.Identity(t.Context(), c.endpoint(), got)
	if err != nil || id.ARN != "arn:aws:sts::111111111111:assumed-role/Federated/me" {
		t.Errorf("the session is %s (%v)", id.ARN, err)
	}
}

func TestWebIdentityProcess(t *testing.T) {
	c := newCloud(t, emulator.Demo())
	h := c.federated("")
	h.TokenFile, h.TokenProcess = "", "print-token"
	if _, err := c.performer.Perform(t.Context(), h, cred.Credentials{}); err == nil {
		t.Error("no error without a way to run the command")
	}
	printed := cred.Secret{}
	c.performer.IdentityToken = func(_ context.Context, command string) (cred.Secret, error) {
		if command != "print-token" {
			t.Errorf("the command is %q", command)
		}
		return printed, nil
	}
	if e := c.fails(h); e.Kind != NoToken {
		t.Errorf("error is %v", e)
	}
	printed = cred.NewSecret(c.token(time.Hour))
	c.must(h, cred.Credentials{})
}

func TestWebIdentityFile(t *testing.T) {
	c := newCloud(t, emulator.Demo())
	missing := c.federated("")
	missing.TokenFile += "-not"
	for name, tt := range map[string]struct {
		h    plan.WebIdentity
		want string
	}{
		"missing": {missing, "cannot be read: no such file"},
		"empty":   {c.federated(" \n"), "is empty"},
		"huge":    {c.federated(strings.Repeat("SECRET", 20_000)), "is larger than any token"},
	} {
		if e := c.fails(tt.h); e.Kind != NoToken || e.Name != tt.h.TokenFile || !strings.Contains(e.Msg.String(), tt.h.TokenFile) || !strings.Contains(e.Msg.String(), tt.want) {
			t.Errorf("%s: error is %v", name, e)
		}
	}
	if n := len(c.server.Requests()); n != 0 {
		t.Errorf("AWS was asked %d times", n)
	}
}

func TestWebIdentityRefused(t *testing.T) {
	for code, tt := range map[string]struct {
		token func(c *cloud) string
		fault emulator.Fault
		asked int
	}{
		"InvalidIdentityToken":  {token: func(*cloud) string { return "not.a.token" }, asked: 1},
		"ExpiredTokenException": {token: func(c *cloud) string { return c.token(-time.Minute) }, asked: 1},
		"IDPCommunicationError": {token: func(c *cloud) string { return c.token(time.Hour) }, asked: 3, fault: emulator.Fault{Effect: emulator.Fail(400, "IDPCommunicationError", "try later")}},
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, emulator.Demo())
			if tt.asked > 1 {
				c.server.Inject(tt.fault)
			}
			_, err := c.performer.Perform(t.Context(), c.federated(tt.token(c)), cred.Credentials{})
			if e, ok := errors.AsType[*APIError](err); !ok || e.Code != code {
				t.Errorf("error is %v", err)
			}
			if n := c.count("AssumeRoleWithWebIdentity"); n != tt.asked {
				t.Errorf("AWS was asked %d times, want %d", n, tt.asked)
			}
		})
	}
}
