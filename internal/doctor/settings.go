package doctor

import (
	"maps"
	"strconv"
	"strings"

	"aws-switch-role/internal/awsconfig"
	"aws-switch-role/internal/plan"
)

// What is odd about a profile's settings.
const (
	// KeyTypo is a key that no tool knows, but for its spelling. Args: the
	// key, and the one that was meant.
	KeyTypo ID = "key-typo"
	// ShadowedKey is a value of the config file in whose place the credentials
	// file puts another. Args: the key, the place of the other, and the line and the file of
	// this one.
	ShadowedKey ID = "shadowed-key"
	// PlainKey is a long-lived key in plain text. Args: its id.
	PlainKey ID = "plain-key"
	// KeyInBoth is a long-lived key that is in the keyring and still in the
	// file. Args: its id.
	KeyInBoth ID = "key-in-both"
	// IdleKeys are keys of a profile that assumes a role from another source.
	// Args: the place of role_arn, the lines of the keys, and their file.
	IdleKeys ID = "idle-keys"
	// IdleProcess is a credential_process of a profile that has keys, too.
	// Args: the place of the keys, and the line and the file of this one.
	IdleProcess ID = "idle-process"
	// KeysBesideSignIn are keys of a profile that signs in as well, of which
	// the tools take one or the other. Args: the key of the sign-in, its place,
	// and the lines and the file of the keys.
	KeysBesideSignIn ID = "keys-beside-sign-in"
	// NoDevice is an mfa_serial that is the ARN of something else. Args: the
	// ARN.
	NoDevice ID = "mfa-serial-no-device"
)

// settings looks at the settings of every profile by themselves.
func settings(f Facts) []Finding {
	var all []Finding
	sessions := map[string]bool{}
	for name := range f.Config.Names() {
		p, ok, err := f.Config.Profile(name)
		if !ok || err != nil || !f.wanted(name) {
			continue // an error is told elsewhere
		}
		if s := p.Keys["sso_session"].Text; s != "" && !sessions[s] {
			sessions[s] = true
			if section, ok, err := f.Config.Section("sso-session", s); ok && err == nil {
				section.Name = "" // it is no profile's
				all = append(all, typos(section)...)
			}
		}
		all = append(all, typos(p)...)
		all = append(all, shadowed(p)...)
		all = append(all, plain(p, f.Stored)...)
		all = append(all, beside(p)...)
		all = append(all, device(p)...)
	}
	return all
}

// typos finds keys that are nearly one that is known.
func typos(p awsconfig.Profile) []Finding {
	var all []Finding
	for key, v := range p.Keys {
		if strings.Contains(key, ".") || knownKeys[key] {
			continue
		}
		meant := closest(key)
		if meant == "" {
			continue
		}
		finding := Finding{ID: KeyTypo, Profile: p.Name, Origin: v.Origin, Args: []string{key, meant}}
		// Where the right key is there, too, nobody can tell which is meant.
		if _, both := p.Keys[meant]; !both {
			finding.Fix = &Fix{Edit: &awsconfig.Edit{Line: v.Line, Key: key, Name: meant}}
		}
		all = append(all, finding)
	}
	return all
}

// closest returns the known key that a key was probably meant to be, "" when
// there is none.
func closest(key string) string {
	plain := strings.ReplaceAll(key, "-", "_")
	if knownKeys[plain] {
		return plain
	}
	if len(key) < 5 { // anything is near to a short word
		return ""
	}
	return plan.Nearest(plain, maps.Keys(knownKeys))
}

// shadowed finds values of the config file that never count. A key's parts
// are told of as one.
func shadowed(p awsconfig.Profile) []Finding {
	var all []Finding
	for key, old := range p.Replaced {
		now := p.Keys[key]
		if now.Text == old.Text || key == "aws_secret_access_key" || key == "aws_session_token" || key == "aws_security_token" {
			continue
		}
		all = append(all, Finding{ID: ShadowedKey, Profile: p.Name, Origin: old.Origin, Args: []string{key, now.Origin.String(), strconv.Itoa(old.Line), old.File}})
	}
	return all
}

// plain finds a long-lived key in plain text.
func plain(p awsconfig.Profile, stored map[string]string) []Finding {
	id, secret, token := plan.KeyOf(p)
	if id.Text == "" || secret.Text == "" || token.Text != "" {
		return nil
	}
	finding := Finding{ID: PlainKey, Profile: p.Name, Origin: id.Origin, Args: []string{id.Text}}
	if stored[p.Name] == id.Text {
		finding.ID = KeyInBoth
	}
	return []Finding{finding}
}

// beside finds keys of a profile that has another source of credentials, too:
// what counts is in the order of botocore's create_credential_resolver and of
// the SDK for Go's resolveCredsFromProfile.
func beside(p awsconfig.Profile) []Finding {
	id, secret, token := plan.KeyOf(p)
	if id.Text == "" || secret.Text == "" {
		return nil
	}
	var lines []string
	for _, v := range []awsconfig.Value{id, secret, token} {
		if v.Line > 0 {
			lines = append(lines, "-e "+strconv.Itoa(v.Line)+"d")
		}
	}
	keys := strings.Join(lines, " ")
	role, source := p.Keys["role_arn"], p.Keys["source_profile"].Text
	_, ofService := p.Keys["credential_source"]
	if process := p.Keys["credential_process"]; process.Text != "" && role.Text == "" {
		return []Finding{{ID: IdleProcess, Profile: p.Name, Origin: process.Origin, Args: []string{id.Origin.String(), strconv.Itoa(process.Line), process.File}}}
	}
	if role.Text != "" && (source != "" && source != p.Name || ofService) {
		return []Finding{{ID: IdleKeys, Profile: p.Name, Origin: id.Origin, Args: []string{role.Origin.String(), keys, id.File}}}
	}
	for _, key := range []string{"sso_session", "sso_start_url", "web_identity_token_file"} {
		if v := p.Keys[key]; v.Text != "" {
			return []Finding{{ID: KeysBesideSignIn, Profile: p.Name, Origin: id.Origin, Args: []string{key, v.Origin.String(), keys, id.File}}}
		}
	}
	return nil
}

// device finds an mfa_serial that STS will refuse: the ARN of a virtual device
// is arn:PARTITION:iam::ACCOUNT:mfa/NAME, and hardware tokens have no ARN (IAM
// User Guide, "MFA"). Security keys, whose ARNs say u2f, are an error of the
// plan.
func device(p awsconfig.Profile) []Finding {
	v := p.Keys["mfa_serial"]
	f := strings.SplitN(v.Text, ":", 6)
	if len(f) < 6 || f[0] != "arn" || strings.HasPrefix(f[5], "mfa/") || strings.HasPrefix(f[5], "u2f/") {
		return nil
	}
	return []Finding{{ID: NoDevice, Profile: p.Name, Origin: v.Origin, Args: []string{v.Text}}}
}

// knownKeys are the keys of a profile that some tool reads: botocore's
// (botocore.configprovider and .credentials), the AWS CLI's and the SDKs' (AWS
// SDKs and Tools Reference Guide, "Settings reference"), ours, and those of
// tools that share the files.
var knownKeys = setOf(`
	region output role_arn source_profile credential_source external_id mfa_serial role_session_name duration_seconds
	aws_access_key_id aws_secret_access_key aws_session_token aws_security_token aws_account_id aws_account_id_endpoint_mode
	credential_process web_identity_token_file login_session
	sso_session sso_start_url sso_region sso_account_id sso_role_name sso_registration_scopes
	account_id_endpoint_mode api_versions auth_scheme_preference aws_csm_client_id ca_bundle cli_auto_prompt cli_binary_format
	cli_error_format cli_follow_urlparam cli_help_output cli_history cli_pager cli_timestamp_format csm_client_id csm_clientid csm_enabled
	csm_host csm_port
	defaults_mode disable_request_compression ec2_metadata_service_endpoint ec2_metadata_service_endpoint_mode ec2_metadata_v1_disabled
	endpoint_discovery_enabled endpoint_url ignore_configured_endpoint_urls max_attempts max_bandwidth metadata_service_num_attempts
	metadata_service_timeout parameter_validation plugins payload_signing_enabled proxies request_checksum_calculation
	request_min_compression_size_bytes response_checksum_validation retry_mode s3 s3api s3_disable_multiregion_access_points
	s3_disable_express_session_auth s3_use_arn_region s3_us_east_1_regional_endpoint sdk_ua_app_id services sigv4a_signing_region_set
	signature_version sts_regional_endpoints tcp_keepalive user_agent_appid user_agent_extra use_dualstack_endpoint use_fips_endpoint
	connect_timeout read_timeout cli_connect_timeout cli_read_timeout
	session_tags transitive_session_tags source_identity include_profile mfa_process mfa_prompt parent_profile web_identity_token_process
	envchain_namespace switch_role_protected switch_role_secretless
	role_name target_role_name target_region color image display_name tag group
	granted_sso_start_url granted_sso_region granted_sso_account_id granted_sso_role_name granted_sso_registration_scopes
	saml_auth_url saml_username saml_provider saml_url jump_role credentials_duration federated_username auth_url
	x_security_token_expires x_principal_arn expiration assumed_role assumed_role_arn
`)

// hidden are those of them whose value may be, or hold, a secret.
var hidden = setOf(`
	aws_secret_access_key aws_session_token aws_security_token credential_process mfa_process web_identity_token_process mfa_prompt
`)

// Showable reports whether the value of a key may be shown to whoever looks at
// the screen: not that of a key that nobody knows.
func Showable(key string) bool {
	inner := key[strings.LastIndexByte(key, '.')+1:]
	return (knownKeys[key] || knownKeys[inner] || strings.HasPrefix(key, "s3.")) && !hidden[inner]
}

func setOf(words string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		set[w] = true
	}
	return set
}
