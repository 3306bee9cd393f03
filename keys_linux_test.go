package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// session runs a script within a session bus and an unlocked GNOME Keyring of
// its own, where envchain's items are made as envchain makes them.
func (h *keyHome) session(script string) (string, error) {
	h.t.Helper()
	for _, program := range []string{"dbus-run-session", "gnome-keyring-daemon", "secret-tool"} {
		if _, err := exec.LookPath(program); err != nil {
			h.t.Fatalf("no %s here: install dbus-daemon, gnome-keyring and libsecret-tools", program)
		}
	}
	const begin = `set -e
eval "$(printf '\n' | gnome-keyring-daemon --unlock --components=secrets)"
set_() { printf %s "$3" | secret-tool store --label="$1.$2" xdg:schema envchain.EnvironmentVariable name "$1" key "$2"; }
`
	cmd := h.command("dbus-run-session", "--", "sh", "-c", begin+script)
	if err := os.MkdirAll(filepath.Join(h.dir, "run"), 0o700); err != nil {
		h.t.Fatal(err)
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestEnvchain reads keys straight from envchain's own store, and imports one
// into the Secret Service.
func TestEnvchain(t *testing.T) {
	h := newKeyHome(t, nil)
	h.environ = append(h.environ, "AWS_SWITCH_ROLE_KEYRING=", "BOT_SECRET=bot/SECRETbot/SECRETbot/SECRETbot/SECRET")
	write(t, filepath.Join(h.dir, ".aws", "config"), `[profile main]
envchain_namespace = aws-main
[profile open]
role_arn = arn:aws:iam::222222222222:role/Open
envchain_namespace = aws-main
[profile behind]
role_arn = arn:aws:iam::222222222222:role/Open
source_profile = main
[profile imported]
role_arn = arn:aws:iam::222222222222:role/Open
source_profile = from-envchain
[profile nothing]
envchain_namespace = nobody
[profile half]
envchain_namespace = aws-half
`, 0o600)
	if err := os.Remove(h.credentials()); err != nil {
		t.Fatal(err)
	}
	out, err := h.session(`
set_ aws-main AWS_ACCESS_KEY_ID AKIAEMULATEDBOTBOTBO
set_ aws-main AWS_SECRET_ACCESS_KEY "$BOT_SECRET"
set_ aws-half AWS_ACCESS_KEY_ID AKIAEMULATEDBOTBOTBO
for p in main open behind; do aws-switch-role $p --no-cache -- echo as $p; done
aws-switch-role keys import from-envchain --from-envchain aws-main
aws-switch-role imported --no-cache -- echo as imported
aws-switch-role keys list
aws-switch-role keys rotate from-envchain
aws-switch-role imported --no-cache -- echo rotated
for p in nothing half; do aws-switch-role $p -- true || true; done
`)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		"as main\n", "as open\n", "as behind\n", "as imported\n", "rotated\n",
		"envchain aws-main  secret-service",
		"stored the key AKIA…OTBO as from-envchain in the keyring (secret-service)\n",
		"envchain has no namespace nobody with an AWS key in it\n",
		"hint: envchain --set nobody AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY\n",
		"envchain's namespace aws-half has no AWS_SECRET_ACCESS_KEY\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if leaky(out) {
		t.Errorf("a secret in\n%s", out)
	}
	h.mustBeSealed("afterwards")
}
