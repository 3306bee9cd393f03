package doctor

import (
	"errors"

	"aws-switch-role/internal/awsconfig"
	"aws-switch-role/internal/plan"
)

// What keeps a profile from working, or a file from being read alike.
const (
	// UnreadableLine is a line that cannot be read; Err says why.
	UnreadableLine ID = "unreadable-line"
	// Unplannable is a profile that cannot be switched to; Err says why.
	Unplannable ID = "unplannable"
)

// syntax finds the lines that cannot be read, and those that are read
// differently.
func syntax(f Facts) []Finding {
	var all []Finding
	for e := range f.Config.Malformed() {
		all = append(all, Finding{ID: UnreadableLine, Origin: e.Origin, Err: e})
	}
	for d := range f.Config.Disagreements() {
		if d.Profile != "" && !f.wanted(d.Profile) {
			continue
		}
		all = append(all, Finding{ID: ID(d.Quirk), Origin: d.Origin, Args: []string{d.Section, d.Key}})
	}
	return all
}

// chains plans every profile that names credentials. A line that stops many
// profiles is one finding.
func chains(f Facts) []Finding {
	var all []Finding
	at := map[string]int{} // of all, by place and message
	for name := range f.Config.Names() {
		if !f.wanted(name) {
			continue
		}
		p, _, err := f.Config.Profile(name)
		if err == nil && !identified(p) {
			continue
		}
		if err == nil {
			_, err = plan.For(f.Config, name, f.Options)
		}
		if err == nil {
			continue
		}
		finding := Finding{ID: Unplannable, Profile: name, Err: err}
		place := err.Error()
		if s, ok := errors.AsType[*awsconfig.SyntaxError](err); ok {
			finding.ID, finding.Origin = UnreadableLine, s.Origin
		} else if e, ok := errors.AsType[*plan.Error](err); ok {
			if elsewhere(e.Kind) {
				continue
			}
			finding.Origin = e.Origin
			if e.From == "" && e.Origin.Line > 0 {
				place = e.Origin.String() + e.Name
			}
			if len(e.Loop) > 0 {
				place = entrance(e.Loop)
			}
		}
		if i, ok := at[place]; ok {
			all[i].Others++
			continue
		}
		at[place] = len(all)
		all = append(all, finding)
	}
	return all
}

// entrance names a loop, wherever it was entered.
func entrance(loop []plan.Step) string {
	first := loop[0].Origin.String()
	for _, s := range loop[:len(loop)-1] { // the last is the first again
		first = min(first, s.Origin.String())
	}
	return "loop " + first
}

// elsewhere reports whether an error says nothing against the profile: it is
// for another machine, or for a run with other variables.
func elsewhere(k plan.Kind) bool {
	return k == plan.NoEnvironmentKeys || k == plan.LeftEnvironmentKeys || k == plan.NoContainer
}

// identities are the keys that say who a profile is. One that has none is
// there for its region or output, or to be included by others.
var identities = []string{
	"role_arn", "source_profile", "credential_source", "aws_access_key_id", "aws_secret_access_key", "credential_process",
	"web_identity_token_file", "web_identity_token_process", "sso_session", "sso_start_url", "sso_account_id", "sso_role_name",
	"login_session", "envchain_namespace", "role_name", "aws_account_id", "mfa_serial",
}

func identified(p awsconfig.Profile) bool {
	for _, k := range identities {
		if p.Keys[k].Text != "" {
			return true
		}
	}
	return false
}
