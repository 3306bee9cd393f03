//go:build unix

package main

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"aws-switch-role/internal/emulator"
)

// A refresh token is good once. However early or late a switch is killed that
// renews a sign-in, the next one goes on with it, wherever it is kept.
func TestKilledRefreshes(t *testing.T) {
	useRealProgram(t)
	for name, args := range map[string][]string{"sealed": nil, "shared": {"--share"}} {
		t.Run(name, func(t *testing.T) {
			h := &keyHome{t: t}
			var err error
			if h.server, err = emulator.New(emulator.Demo(), emulator.Options{DeviceInterval: time.Second}); err != nil {
				t.Fatal(err)
			}
			l, err := h.server.Listen("")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = l.Close() })
			h.url = l.URL
			h.settle(t)
			h.environ = append(h.environ, "AWS_SWITCH_ROLE_NO_CACHE=1")
			write(t, filepath.Join(h.dir, ".aws", "config"), ssoConfig, 0o600)
			// Every sign-in is so near its end that each switch renews it.
			h.server.Inject(emulator.Fault{Action: "CreateToken", Effect: emulator.EndIn(10 * time.Minute)})
			h.signIn(args...)

			const moments, tried = 60, 5
			renewed, usual := h.renewals(), patience
			for range tried {
				begun := time.Now()
				h.must("renewing", "dev", "--", "true")
				usual = min(usual, time.Since(begun))
			}
			if n := h.renewals() - renewed; n != tried {
				t.Fatalf("%d switches renew the sign-in %d times", tried, n)
			}
			killed := 0
			for i := range moments {
				cmd := h.command("aws-switch-role", "dev", "--", "true")
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				time.Sleep(usual * time.Duration(i) * 5 / 4 / moments)
				_ = cmd.Process.Kill()
				if err := cmd.Wait(); err != nil {
					killed++
				}
				h.must("after a kill", "dev", "--", "true")
			}
			t.Logf("%d of %d were killed within %v", killed, moments, usual)
			if killed < moments/10 {
				t.Errorf("only %d of %d were killed", killed, moments)
			}
			for _, r := range h.server.Requests() {
				if r.Action == "CreateToken" && r.Status != http.StatusOK && r.ErrorCode != "AuthorizationPendingException" {
					t.Errorf("a token was lost: %d %s", r.Status, r.ErrorCode)
				}
			}
		})
	}
}

// signIn signs in as a person with a browser elsewhere does.
func (h *keyHome) signIn(args ...string) {
	h.t.Helper()
	cmd := h.command(append([]string{"aws-switch-role", "sso", "login", "corp", "--device"}, args...)...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	var codes []string
	for deadline := time.Now().Add(patience); len(codes) == 0; codes = h.server.WaitingDevices() {
		if time.Now().After(deadline) {
			h.t.Fatal("no device shows a code")
		}
		time.Sleep(10 * time.Millisecond)
	}
	resp, err := http.PostForm(h.url+"/device?user_code="+url.QueryEscape(codes[0]), url.Values{"person": {emulator.DemoPerson}})
	if err != nil {
		h.t.Fatal(err)
	}
	_ = resp.Body.Close()
	if err := cmd.Wait(); err != nil {
		h.t.Fatal(err)
	}
}

// renewals counts the tokens that were given.
func (h *keyHome) renewals() (n int) {
	for _, r := range h.server.Requests() {
		if r.Action == "CreateToken" && r.Status == http.StatusOK {
			n++
		}
	}
	return n
}
