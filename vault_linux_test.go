package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"
)

// vault stands in for aws-vault: it stores the key in the environment for a
// profile, in the Secret Service of the session, as aws-vault's library does
// (99designs/keyring, secretservice.go): as JSON within JSON, in a collection of
// its own. GNOME Keyring would ask for the password of that; its internal
// interface takes one.
func vault() {
	const service = "/org/freedesktop/secrets"
	profile := os.Args[1]
	type secret struct {
		Session           dbus.ObjectPath
		Parameters, Value []byte
		Type              string
	}
	key, err := json.Marshal(map[string]string{"AccessKeyID": os.Getenv("KEY_ID"), "SecretAccessKey": os.Getenv("KEY")})
	if err != nil {
		fatal(err)
	}
	item, err := json.Marshal(map[string]any{"Key": profile, "Data": key, "Label": "aws-vault (" + profile + ")", "Description": "", "KeychainNotTrustApplication": true})
	if err != nil {
		fatal(err)
	}
	bus, err := dbus.ConnectSessionBus()
	if err != nil {
		fatal(err)
	}
	call := func(path dbus.ObjectPath, method string, args []any, returns ...any) {
		if err := bus.Object("org.freedesktop.secrets", path).Call(method, 0, args...).Store(returns...); err != nil {
			fatal(err)
		}
	}
	var session, collection, stored, prompt dbus.ObjectPath
	var none dbus.Variant
	call(service, "org.freedesktop.Secret.Service.OpenSession", []any{"plain", dbus.MakeVariant("")}, &none, &session)
	call(service, "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface.CreateWithMasterPassword", []any{
		map[string]dbus.Variant{"org.freedesktop.Secret.Collection.Label": dbus.MakeVariant("awsvault")},
		secret{session, []byte{}, []byte("password"), "text/plain"},
	}, &collection)
	call(collection, "org.freedesktop.Secret.Collection.CreateItem", []any{
		map[string]dbus.Variant{
			"org.freedesktop.Secret.Item.Label":      dbus.MakeVariant(profile),
			"org.freedesktop.Secret.Item.Attributes": dbus.MakeVariant(map[string]string{"profile": profile}),
		},
		secret{session, []byte{}, item, "application/json"}, true,
	}, &stored, &prompt)
}

// TestAWSVault copies a key out of aws-vault, and goes on with it.
func TestAWSVault(t *testing.T) {
	h := newKeyHome(t, nil)
	h.environ = append(h.environ, "AWS_SWITCH_ROLE_KEYRING=", "KEY_ID=AKIAEMULATEDBOTBOTBO", "KEY=bot/SECRETbot/SECRETbot/SECRETbot/SECRET")
	write(t, filepath.Join(h.dir, ".aws", "config"), `[profile open]
role_arn = arn:aws:iam::222222222222:role/Open
source_profile = mine
`, 0o600)
	if err := os.Remove(h.credentials()); err != nil {
		t.Fatal(err)
	}
	out, err := h.session(`
aws-switch-role keys import mine --from-aws-vault work || true
vault work
aws-switch-role keys import mine --from-aws-vault nobody || true
aws-switch-role keys import mine --from-aws-vault work --from-envchain work || true
aws-switch-role keys import mine --from-aws-vault work
aws-switch-role keys list
aws-switch-role open --no-cache -- echo as open
aws-switch-role keys import again --from-aws-vault work
`)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		"aws-switch-role: key mine: aws-vault's profile work: not in the keyring\n",
		"aws-switch-role: key mine: aws-vault's profile nobody: not in the keyring\n",
		"--from-envchain or --from-aws-vault, not both\n",
		"stored the key AKIA…OTBO as mine in the keyring (secret-service)\n",
		"aws-vault work  secret-service",
		"as open\n",
		"stored the key AKIA…OTBO as again in the keyring (secret-service)\n", // it is still there
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
