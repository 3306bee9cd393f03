package doctor

import (
	"errors"
	"strconv"
	"strings"

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
	return append(all, disagreements(f)...)
}

// disagreements finds the lines that the AWS tools read differently. Args: the
// section, the key, how the line should read, and, where it repeats an earlier
// line, the number of that one and the file.
func disagreements(f Facts) []Finding {
	var all []Finding
	type name struct{ file, section, key string }
	twice := map[name]bool{}
	for d := range f.Config.Disagreements() {
		if d.Before > 0 {
			twice[name{d.File, d.Section, d.Key}] = true
		}
		if d.Profile != "" && !f.wanted(d.Profile) && !refused[d.Quirk] {
			continue
		}
		finding := Finding{ID: ID(d.Quirk), Origin: d.Origin, Args: []string{d.Section, d.Key, mended(d), strconv.Itoa(d.Before), d.File}}
		// What is safe is what means the same to all who read it before.
		switch d.Quirk {
		case awsconfig.CapitalKey:
			finding.Fix = &Fix{Edit: &awsconfig.Edit{Line: d.Line, Key: d.Key, Name: d.Key}}
		case awsconfig.ColonSeparator:
			finding.Fix = &Fix{Edit: &awsconfig.Edit{Line: d.Line, Key: d.Key, Name: d.Key, Equals: true}}
		case awsconfig.ByteOrderMark:
			finding.Fix = &Fix{Edit: &awsconfig.Edit{Line: d.Line, Unmarked: true}}
		case awsconfig.PaddedHeader:
			finding.Fix = &Fix{Edit: &awsconfig.Edit{Line: d.Line, Header: d.Section}}
		}
		all = append(all, finding)
	}
	for i, f := range all {
		if twice[name{f.Origin.File, f.Args[0], f.Args[1]}] {
			all[i].Fix = nil // which of the two counts is for a person to say
		}
	}
	return all
}

// refused are the quirks for which the AWS CLI refuses the whole file, and with
// it every profile.
var refused = map[awsconfig.Quirk]bool{
	awsconfig.SecondSection: true, awsconfig.SecondKey: true, awsconfig.NoSetting: true,
	awsconfig.HeadlessLine: true, awsconfig.ByteOrderMark: true, awsconfig.NotUTF8: true,
}

// mended is how the line of a disagreement should read, less what may be a
// secret.
func mended(d awsconfig.Disagreement) string {
	if d.Value == "" || Showable(d.Key) {
		return d.Mended
	}
	return strings.TrimSuffix(d.Mended, d.Value) + "…"
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
