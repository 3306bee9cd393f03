package plan

import "testing"

// The hosts are those of the SDKs' endpoint rules for sso, sso-oidc and signin.
func TestSignInURLs(t *testing.T) {
	for region, want := range map[string][3]string{
		"eu-west-1":      {"https://portal.sso.eu-west-1.amazonaws.com", "https://oidc.eu-west-1.amazonaws.com", "https://eu-west-1.signin.aws.amazon.com"},
		"cn-north-1":     {"https://portal.sso.cn-north-1.amazonaws.com.cn", "https://oidc.cn-north-1.amazonaws.com.cn", "https://cn-north-1.signin.amazonaws.cn"},
		"us-gov-west-1":  {"https://portal.sso.us-gov-west-1.amazonaws.com", "https://oidc.us-gov-west-1.amazonaws.com", "https://us-gov-west-1.signin.amazonaws-us-gov.com"},
		"eusc-de-east-1": {"https://portal.sso.eusc-de-east-1.amazonaws.eu", "https://oidc.eusc-de-east-1.amazonaws.eu", "https://signin.eusc-de-east-1.amazonaws.eu"},
	} {
		h := SSO{Region: region}
		if got := [3]string{h.PortalURL(), h.OIDCURL(), (Login{Region: region}).SigninURL()}; got != want {
			t.Errorf("%s: %q, want %q", region, got, want)
		}
	}
	const url = "https://here.example.com"
	h := SSO{Region: "eu-west-1", Endpoint: url + "/portal", OIDCEndpoint: url + "/oidc"}
	if h.PortalURL() != url+"/portal" || h.OIDCURL() != url+"/oidc" || (Login{Endpoint: url}).SigninURL() != url {
		t.Error("a configured URL is not used")
	}
}
