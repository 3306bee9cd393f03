package hop

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/emulator"
	"aws-switch-role/internal/plan"
)

// console is the hop to the sign-in of the demo's user.
func (b *bench) console() plan.Login {
	return plan.Login{Profile: "console", Session: emulator.DemoUser, Region: "us-east-1", Endpoint: b.url}
}

// logIn signs the demo's user in with aws login, for life.
func (b *bench) logIn(life time.Duration) (path string) {
	b.t.Helper()
	token, err := b.server.LoginToken(emulator.DemoUser, life)
	if err != nil {
		b.t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(emulator.DemoUser))
	path = filepath.Join(b.LoginCache, hex.EncodeToString(sum[:])+".json")
	b.write(path, token)
	return path
}

func TestLoginIsUsedWhileItLives(t *testing.T) {
	b := newBench(t)
	b.logIn(6 * time.Minute)
	c, err := b.Perform(t.Context(), b.console(), cred.Credentials{})
	if err != nil {
		t.Fatal(err)
	}
	if arn := b.who(c); arn != emulator.DemoUser || c.AccountID != emulator.DemoAccount || c.Expires.IsZero() {
		t.Errorf("these are the credentials of %s in account %s, until %v", arn, c.AccountID, c.Expires)
	}
	b.expectAsked(map[string]int{"CreateOAuth2Token": 0})
}

func TestManyRenewALoginOnce(t *testing.T) {
	b := newBench(t)
	b.Lock = memoryLock()
	path := b.logIn(4 * time.Minute)
	was := string(b.read(path))
	before := b.fields(path)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			c, err := b.Perform(t.Context(), b.console(), cred.Credentials{})
			if err != nil {
				t.Error(err)
			} else if !c.GoodFor(b.clock(), 14*time.Minute) {
				t.Errorf("the credentials end at %v", c.Expires)
			}
		})
	}
	wg.Wait()
	b.expectAsked(map[string]int{"CreateOAuth2Token": 1})
	b.alone(path)

	// All but what is new is as it was, byte for byte.
	after := b.fields(path)
	want := was
	replace := func(was, is any) {
		if was == is {
			t.Errorf("%v was not renewed", was)
		}
		want = strings.Replace(want, string(quote(was.(string))), string(quote(is.(string))), 1)
	}
	old, fresh := before["accessToken"].(map[string]any), after["accessToken"].(map[string]any)
	for _, name := range []string{"accessKeyId", "secretAccessKey", "sessionToken", "expiresAt"} {
		replace(old[name], fresh[name])
	}
	replace(before["refreshToken"], after["refreshToken"])
	if got := string(b.read(path)); got != want {
		t.Errorf("the file is\n%s\nwant\n%s", got, want)
	}

	// The new refresh token is good for the next renewal.
	b.advance(12 * time.Minute)
	if _, err := b.Perform(t.Context(), b.console(), cred.Credentials{}); err != nil {
		t.Error(err)
	}
	b.expectAsked(map[string]int{"CreateOAuth2Token": 2})
}

func TestLoginErrors(t *testing.T) {
	refuse := func(status int, reason string) func(*bench, string) {
		body, _ := json.Marshal(map[string]string{"error": reason, "message": "no", "__type": "AccessDeniedException"})
		return func(b *bench, _ string) {
			b.server.Inject(emulator.Fault{Effect: emulator.Respond(status, "application/json", string(body))})
		}
	}
	edit := func(name, value string) func(*bench, string) {
		return func(b *bench, path string) {
			f, err := readTokenFile(path)
			if err != nil {
				b.t.Fatal(err)
			}
			f.set(name, []byte(value))
			b.write(path, f.encode())
		}
	}
	reason := func(err error) string {
		if e, ok := errors.AsType[*APIError](err); ok {
			return e.Reason
		}
		return ""
	}
	for name, tc := range map[string]struct {
		change func(*bench, string)
		msg    string // of the SignInError; empty when it is none
		reason string // of the refusal
	}{
		"expired":                  {refuse(401, "TOKEN_EXPIRED"), ended().String(), "TOKEN_EXPIRED"},
		"changed":                  {func(b *bench, _ string) { b.server.ChangePassword(emulator.DemoUser) }, ended().String() + ": the user's password or another credential has changed", "USER_CREDENTIALS_CHANGED"},
		"insufficient permissions": {refuse(403, "INSUFFICIENT_PERMISSIONS"), "", "INSUFFICIENT_PERMISSIONS"},
		"spent":                    {edit("refreshToken", `"another"`), ended().String(), "TOKEN_EXPIRED"},
		"no refresh token":         {edit("refreshToken", `null`), ended().String(), ""},
		"no key":                   {edit("dpopKey", `"SECRET"`), ended().String(), ""},
		"another key":              {edit("dpopKey", string(quote(otherKey))), "", "INVALID_REQUEST"},
		"no credentials":           {edit("accessToken", `"SECRET"`), unreadable().String(), ""},
		"no account":               {edit("accessToken", `{"expiresAt": "2999-01-01T00:00:00Z"}`), unreadable().String(), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			path := b.logIn(-time.Minute)
			tc.change(b, path)
			before := string(b.read(path))
			_, err := b.Perform(t.Context(), b.console(), cred.Credentials{})
			e, is := errors.AsType[*SignInError](err)
			if is != (tc.msg != "") || is && (e.Msg.String() != tc.msg || !e.Login || e.Profile != "console") || reason(err) != tc.reason {
				t.Errorf("err = %#v", err)
			}
			if e != nil && e.Err != nil && strings.Contains(e.Err.Error(), "SECRET") {
				t.Errorf("the error tells of what is in the file: %v", e.Err)
			}
			if string(b.read(path)) != before {
				t.Error("the file has changed")
			}
			b.alone(path)
		})
	}
}

// otherKey is a key on the curve P-256 that no sign-in is bound to.
const otherKey = `-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIAnQPDRD2KVM6Vy3unftisrTaL/pzdC3BTAOF2MNYbuboAoGCCqGSM49
AwEHoUQDQgAEFxlEXypuTBet/EfAhs24DMz8TsUir0SW0L3Dwb5F9cTsbx748HcV
m5K960PWWTT5YhHPFWDR6XJqJbm9QxmHFw==
-----END EC PRIVATE KEY-----
`
