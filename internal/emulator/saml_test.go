package emulator_test

import (
	"encoding/base64"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"aws-switch-role/internal/emulator"
)

const (
	samlProvider = "arn:aws:iam::111111111111:saml-provider/Corp"
	samlRole     = "arn:aws:iam::111111111111:role/Saml"
)

// AssumeRoleWithSAML takes the answers of the declared provider, for the role
// that they name, while they are good, and as they are.
func TestAssumeRoleWithSAML(t *testing.T) {
	w := emulator.Demo()
	w.Providers = append(w.Providers, emulator.Provider{ARN: samlProvider})
	for _, arn := range []string{samlRole, samlRole + "2"} {
		w.Roles = append(w.Roles, emulator.Role{ARN: arn, Trust: `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Federated": "` + samlProvider + `"}, "Action": "sts:AssumeRoleWithSAML"}]}`})
	}
	d := newDesk(t, w, emulator.Options{})
	good, err := d.server.SAMLAssertion(samlProvider, samlRole, "jane", 5*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	late, err := d.server.SAMLAssertion(samlProvider, samlRole, "jane", -time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	text, err := base64.StdEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	forged := base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(string(text), "jane", "root")))
	ask := func(role, provider, assertion string) reply {
		form := url.Values{"Action": {"AssumeRoleWithSAML"}, "Version": {"2011-06-15"}, "RoleArn": {role}, "PrincipalArn": {provider}, "SAMLAssertion": {assertion}}
		r := httptest.NewRequest("POST", "http://localhost/", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return d.do(r)
	}
	for name, tc := range map[string]struct {
		role, provider, assertion, want string
	}{
		"good":             {samlRole, samlProvider, good, "assumed-role/Saml/jane</Arn>"},
		"another role":     {samlRole + "2", samlProvider, good, "AccessDenied"},
		"no role":          {samlRole + "3", samlProvider, good, "AccessDenied"},
		"another provider": {samlRole, samlProvider + "2", good, "InvalidIdentityToken"},
		"OpenID Connect's": {samlRole, emulator.DemoProvider, good, "InvalidIdentityToken"},
		"too late":         {samlRole, samlProvider, late, "ExpiredTokenException"},
		"forged":           {samlRole, samlProvider, forged, "Response signature invalid"},
		"nothing":          {samlRole, samlProvider, "bm90aGluZw==", "InvalidIdentityToken"},
	} {
		if a := ask(tc.role, tc.provider, tc.assertion); (a.status == 200) != (name == "good") || !strings.Contains(a.body, tc.want) {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
}
