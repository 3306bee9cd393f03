package keeper

import (
	"bytes"

	"strings"
	"testing"
	"time"

	"aws-switch-role/internal/cred"
)

func TestVault(t *testing.T) {
	var v Vault
	if _, ok := v.Get("ops"); ok {
		t.Error("an empty vault holds something")
	}
	for _, want := range []cred.Credentials{
		{AccessKeyID: "ASIAOPS", SecretAccessKey: cred.NewSecret("s"), SessionToken: cred.NewSecret(strings.Repeat("t", 70_000)), Expires: time.Unix(1_800_000_000, 0).UTC(), AccountID: "222222222222"},
		{AccessKeyID: "ASIANEXT", SecretAccessKey: cred.NewSecret("other"), SessionToken: cred.NewSecret("token")},
	} {
		v.Put("ops", want)
		got, ok := v.Get("ops")
		if !ok || got.AccessKeyID != want.AccessKeyID || !got.Expires.Equal(want.Expires) || got.AccountID != want.AccountID ||
			!got.SecretAccessKey.Equal(want.SecretAccessKey) || !got.SessionToken.Equal(want.SessionToken) {
			t.Errorf("put %v, got %v, %v", want, got, ok)
		}
	}
}

func TestOrders(t *testing.T) {
	want := Orders{
		Dir: "/run/x", Environ: []string{"A=1"}, Switch: []byte(`{"profile":"ops"}`),
		Sessions:  map[string]cred.Credentials{"k": {AccessKeyID: "ASIA", SecretAccessKey: cred.NewSecret("s"), SessionToken: cred.NewSecret("t"), Expires: time.Unix(1_800_000_000, 0).UTC(), AccountID: "1"}},
		Admission: Admission{Key: []byte("key"), Shell: 42},
	}
	var b bytes.Buffer
	if err := writeOrders(&b, want); err != nil {
		t.Fatal(err)
	}
	got, err := readOrders(&b)
	if err != nil {
		t.Fatal(err)
	}
	a, b2 := got.Sessions["k"], want.Sessions["k"]
	if got.Dir != want.Dir || string(got.Switch) != string(want.Switch) || got.Admission.Shell != 42 || string(got.Admission.Key) != "key" ||
		a.AccessKeyID != b2.AccessKeyID || !a.SecretAccessKey.Equal(b2.SecretAccessKey) || !a.SessionToken.Equal(b2.SessionToken) || !a.Expires.Equal(b2.Expires) {
		t.Errorf("got %+v", got)
	}
}
