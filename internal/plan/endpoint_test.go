package plan

import (
	"strings"
	"testing"
)

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

// The hosts are those of the SDKs' endpoint rules for sts, sso, sso-oidc and
// signin, with use_fips_endpoint, use_dualstack_endpoint, and both.
func TestVariants(t *testing.T) {
	for region, want := range map[string][3]string{
		"eu-west-1": {
			"sts-fips.eu-west-1.amazonaws.com portal.sso-fips.eu-west-1.amazonaws.com oidc-fips.eu-west-1.amazonaws.com signin-fips.eu-west-1.amazonaws.com",
			"sts.eu-west-1.api.aws portal.sso.eu-west-1.api.aws oidc.eu-west-1.api.aws signin.eu-west-1.api.aws",
			"sts-fips.eu-west-1.api.aws portal.sso-fips.eu-west-1.api.aws oidc-fips.eu-west-1.api.aws signin-fips.eu-west-1.api.aws",
		},
		"us-gov-west-1": {
			"sts.us-gov-west-1.amazonaws.com portal.sso.us-gov-west-1.amazonaws.com oidc.us-gov-west-1.amazonaws.com signin-fips.us-gov-west-1.amazonaws.com",
			"sts.us-gov-west-1.api.aws portal.sso.us-gov-west-1.api.aws oidc.us-gov-west-1.api.aws signin.us-gov-west-1.api.aws",
			"sts-fips.us-gov-west-1.api.aws portal.sso-fips.us-gov-west-1.api.aws oidc-fips.us-gov-west-1.api.aws signin-fips.us-gov-west-1.api.aws",
		},
		"cn-north-1": {
			"sts-fips.cn-north-1.amazonaws.com.cn portal.sso-fips.cn-north-1.amazonaws.com.cn oidc-fips.cn-north-1.amazonaws.com.cn signin-fips.cn-north-1.amazonaws.com.cn",
			"sts.cn-north-1.api.amazonwebservices.com.cn portal.sso.cn-north-1.api.amazonwebservices.com.cn oidc.cn-north-1.api.amazonwebservices.com.cn signin.cn-north-1.api.amazonwebservices.com.cn",
			"sts-fips.cn-north-1.api.amazonwebservices.com.cn portal.sso-fips.cn-north-1.api.amazonwebservices.com.cn oidc-fips.cn-north-1.api.amazonwebservices.com.cn signin-fips.cn-north-1.api.amazonwebservices.com.cn",
		},
	} {
		for i, v := range []struct{ fips, dualStack bool }{{true, false}, {false, true}, {true, true}} {
			sso := SSO{Region: region, FIPS: v.fips, DualStack: v.dualStack}
			login := Login{Region: region, FIPS: v.fips, DualStack: v.dualStack}
			sts := Endpoint{Region: region, FIPS: v.fips, DualStack: v.dualStack}
			got := strings.ReplaceAll(strings.Join([]string{sts.Host(), sso.PortalURL(), sso.OIDCURL(), login.SigninURL()}, " "), "https://", "")
			if got != want[i] {
				t.Errorf("%s, %+v:\n%s, want\n%s", region, v, got, want[i])
			}
		}
	}
}

// Where a role is assumed in a partition whose region nobody names.
func TestRegionsOfPartitions(t *testing.T) {
	for partition, want := range map[string]string{
		"aws": "sts.us-east-1.amazonaws.com", "aws-cn": "sts.cn-north-1.amazonaws.com.cn", "aws-us-gov": "sts.us-gov-west-1.amazonaws.com",
		"aws-iso": "sts.us-iso-east-1.c2s.ic.gov", "aws-iso-b": "sts.us-isob-east-1.sc2s.sgov.gov", "aws-iso-e": "sts.eu-isoe-west-1.cloud.adc-e.uk",
		"aws-iso-f": "sts.us-isof-south-1.csp.hci.ic.gov", "aws-eusc": "sts.eusc-de-east-1.amazonaws.eu",
	} {
		region := stsRegion("", partition)
		if got := (Endpoint{Region: region}).Host(); got != want {
			t.Errorf("%s: %s, want %s", partition, got, want)
		}
		if got := partitionOf(region); got != partition {
			t.Errorf("%s is a region of %s, want %s", region, got, partition)
		}
		if got := stsRegion("eu-west-1", partition); partition != "aws" && got != region {
			t.Errorf("%s: asked in %s with a region of another partition, want %s", partition, got, region)
		}
	}
}
