package hop_test

import (
	"errors"
	"io/fs"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aws-switch-role/internal/emulator"
	"aws-switch-role/internal/hop"
	"aws-switch-role/internal/plan"
)

// device signs in to the demo's Identity Center without a browser; f is what a
// person does who sees the code.
func (w *world) device(t *testing.T, f func(hop.DeviceCode)) error {
	t.Helper()
	w.SSOCache = t.TempDir()
	w.Vault = &hop.Vault{
		Load: func(string) ([]byte, error) { return nil, fs.ErrNotExist },
		Reserve: func(string) (func([]byte) error, func(), error) {
			return func([]byte) error { return nil }, func() {}, nil
		},
	}
	h := plan.SSO{Session: "corp", StartURL: emulator.DemoStartURL, Region: "us-east-1", Scopes: []string{"sso:account:access"}, Endpoint: w.endpoint.URL, OIDCEndpoint: w.endpoint.URL}
	return w.SignIn(t.Context(), h, hop.Visitor{ShowCode: f})
}

// press answers the page on which a person types a device's code.
func (w *world) press(t *testing.T, c hop.DeviceCode, field, value string) {
	t.Helper()
	r := httptest.NewRequest("POST", "http://127.0.0.1/device?user_code="+c.UserCode, strings.NewReader(url.Values{field: {value}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	out := httptest.NewRecorder()
	if w.Server.ServeHTTP(out, r); out.Code != 200 {
		t.Errorf("%d %s", out.Code, out.Body)
	}
}

// The answer is asked for every 5 seconds, and less often where AWS says so.
func TestSignInByDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubbled(t, emulator.Options{})
		w.Inject(emulator.Fault{Action: "CreateToken", Count: 1, Effect: emulator.FailOAuth(400, "AuthorizationPendingException", "authorization_pending")})
		begun := time.Now()
		err := w.device(t, func(c hop.DeviceCode) {
			if !strings.Contains(c.Complete, c.UserCode) || c.Page == "" || c.Expires.Sub(begun) != 10*time.Minute {
				t.Errorf("%+v", c)
			}
			go func() {
				time.Sleep(time.Minute)
				w.press(t, c, "person", emulator.DemoPerson)
			}()
		})
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took < time.Minute || took > 66*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestSignInByDeviceSlowsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubbled(t, emulator.Options{})
		w.Inject(emulator.Fault{Action: "CreateToken", Count: 2, Effect: emulator.FailOAuth(400, "SlowDownException", "slow_down")})
		begun := time.Now()
		err := w.device(t, func(c hop.DeviceCode) { w.press(t, c, "person", emulator.DemoPerson) })
		if took := time.Since(begun); err != nil || took != 30*time.Second {
			t.Errorf("%v after %v", err, took) // 5, 10 and 15 seconds
		}
	})
}

func TestSignInByDeviceFails(t *testing.T) {
	for want, act := range map[string]func(*testing.T, *world, hop.DeviceCode){
		"the sign-in was refused in the browser": func(t *testing.T, w *world, c hop.DeviceCode) { w.press(t, c, "refuse", "access_denied") },
		"nobody has signed in within 10 minutes": func(*testing.T, *world, hop.DeviceCode) {},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := bubbled(t, emulator.Options{})
			err := w.device(t, func(c hop.DeviceCode) { act(t, w, c) })
			if e, ok := errors.AsType[*hop.SignInError](err); !ok || e.Msg.String() != want && !(strings.HasPrefix(want, "nobody") && e.Msg.String() == "nobody has typed the code in time") {
				t.Errorf("err = %v, want %s", err, want)
			}
		})
	}
}
