package doctor

import (
	"strconv"
	"strings"
	"time"
)

// What is odd about the environment.
const (
	// TwoProfiles: AWS_PROFILE and AWS_DEFAULT_PROFILE differ, and tools
	// disagree on which counts. Args: the two.
	TwoProfiles ID = "two-profiles"
	// UnknownProfile: a variable names a profile that no file has. Args: the
	// variable, and the name.
	UnknownProfile ID = "unknown-profile"
	// EmptyVariable: a variable is set and empty, which the AWS CLI takes for
	// a name. Args: the variable.
	EmptyVariable ID = "empty-variable"
	// KeysOverProfile: keys in the environment go before the profile that is
	// named there, for most tools. Args: the profile.
	KeysOverProfile ID = "keys-over-profile"
	// HalfKey: one half of a key is in the environment. Args: the half that
	// is there, and the one that is missing.
	HalfKey ID = "half-key"
	// LoneToken: a session token without a key, or one that belongs to
	// another. Args: the variable.
	LoneToken ID = "lone-token"
	// TwoTokens: AWS_SESSION_TOKEN and AWS_SECURITY_TOKEN differ.
	TwoTokens ID = "two-tokens"
	// OtherEndpoint: requests go to an endpoint that is not AWS's. Args: the
	// variable, and the URL.
	OtherEndpoint ID = "other-endpoint"
	// TwoRegions: AWS_REGION and AWS_DEFAULT_REGION differ, and boto3 reads
	// only the second. Args: the two.
	TwoRegions ID = "two-regions"
	// MissingFile: a variable names a file that is not there. Args: the
	// variable, and the path.
	MissingFile ID = "missing-file"
	// EndedKeys: the keys in the environment have ended. Args: the time.
	EndedKeys ID = "ended-keys"
)

// environment looks at the variables that go before the files. In a shell
// that this program opened they are its own.
func environment(f Facts) []Finding {
	if f.Lookup == nil || f.Options.Environment.InRole {
		return nil
	}
	var all []Finding
	tell := func(id ID, args ...string) { all = append(all, Finding{ID: id, Args: args}) }
	get := func(name string) string { v, _ := f.Lookup(name); return v }

	profile, older := get("AWS_PROFILE"), get("AWS_DEFAULT_PROFILE")
	if profile != "" && older != "" && profile != older {
		tell(TwoProfiles, profile, older)
	}
	for _, name := range []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE"} {
		switch v, set := f.Lookup(name); {
		case set && v == "":
			tell(EmptyVariable, name)
		case set && f.Stored[v] == "":
			if _, ok, _ := f.Config.Profile(v); !ok {
				tell(UnknownProfile, name, v)
			}
		}
	}
	id, secret := get("AWS_ACCESS_KEY_ID"), get("AWS_SECRET_ACCESS_KEY")
	token, olderToken := get("AWS_SESSION_TOKEN"), get("AWS_SECURITY_TOKEN")
	switch {
	case id != "" && secret == "":
		tell(HalfKey, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
	case id == "" && secret != "":
		tell(HalfKey, "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID")
	case id != "" && profile+older != "":
		name := profile
		if name == "" {
			name = older
		}
		tell(KeysOverProfile, name)
	}
	// Long-lived ids begin with AKIA and have no token (IAM User Guide, "IAM
	// identifiers").
	if lone := id == "" || strings.HasPrefix(id, "AKIA"); lone && token != "" {
		tell(LoneToken, "AWS_SESSION_TOKEN")
	} else if lone && olderToken != "" {
		tell(LoneToken, "AWS_SECURITY_TOKEN")
	}
	if token != "" && olderToken != "" && token != olderToken {
		tell(TwoTokens)
	}
	if region, older := get("AWS_REGION"), get("AWS_DEFAULT_REGION"); region != "" && older != "" && region != older {
		tell(TwoRegions, region, older)
	}
	for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_SSO_OIDC", "AWS_ENDPOINT_URL_SIGNIN", "AWS_ENDPOINT_URL_IAM"} {
		if v := get(name); v != "" && !OfAWS(v) {
			tell(OtherEndpoint, name, v)
		}
	}
	for _, name := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CA_BUNDLE", "AWS_WEB_IDENTITY_TOKEN_FILE"} {
		if v := get(name); v != "" && f.Exists != nil && !f.Exists(v) {
			tell(MissingFile, name, v)
		}
	}
	if ends := get("AWS_CREDENTIAL_EXPIRATION"); id != "" && ends != "" {
		if t, err := time.Parse(time.RFC3339, ends); err == nil && t.Before(f.Now) {
			tell(EndedKeys, ends)
		}
	}
	return all
}

// What goes before the files, which may well be meant.
const (
	// RegionOverProfiles: a variable's region goes before that of profiles.
	// Args: the variable, its value, and how many profiles name another.
	RegionOverProfiles ID = "region-over-profiles"
	// KeysOverDefault: keys in the environment go before the profile default.
	KeysOverDefault ID = "keys-over-default"
	// OtherFile: a variable names another file than the usual one. Args: the
	// variable, and the file.
	OtherFile ID = "other-file"
)

// overrides notes what goes before the files.
func overrides(f Facts) []Note {
	if f.Lookup == nil || f.Config == nil || f.Options.Environment.InRole {
		return nil
	}
	var all []Note
	get := func(name string) string { v, _ := f.Lookup(name); return v }
	for _, name := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
		if v := get(name); v != "" {
			all = append(all, Note{OtherFile, []string{name, v}})
		}
	}
	if p, ok, err := f.Config.Profile("default"); ok && err == nil && identified(p) && get("AWS_ACCESS_KEY_ID") != "" && get("AWS_PROFILE")+get("AWS_DEFAULT_PROFILE") == "" {
		all = append(all, Note{ID: KeysOverDefault})
	}
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
		region, others := get(name), 0
		if region == "" {
			continue
		}
		for profile := range f.Config.Names() {
			if p, ok, err := f.Config.Profile(profile); ok && err == nil && p.Keys["region"].Text != "" && p.Keys["region"].Text != region {
				others++
			}
		}
		if others > 0 {
			all = append(all, Note{RegionOverProfiles, []string{name, region, strconv.Itoa(others)}})
		}
		break // the first of the two goes before the second
	}
	return all
}

// awsDomains end the names of AWS's own hosts, by partition.
var awsDomains = []string{".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".aws.dev", ".c2s.ic.gov", ".sc2s.sgov.gov", ".cloud.adc-e.uk", ".csp.hci.ic.gov", ".amazonaws.eu", ".api.amazonwebservices.com.cn"}

// OfAWS reports whether a URL is of one of AWS's own hosts.
func OfAWS(url string) bool {
	host := strings.TrimPrefix(strings.TrimPrefix(url, "https://"), "http://")
	host, _, _ = strings.Cut(host, "/")
	host, _, _ = strings.Cut(host, ":")
	for _, d := range awsDomains {
		if strings.HasSuffix(host, d) {
			return true
		}
	}
	return false
}
