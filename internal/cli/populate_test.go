package cli

import (
	"maps"
	"slices"
	"testing"

	"aws-switch-role/internal/hop"
	"aws-switch-role/internal/plan"
)

// Accounts are named by people: whatever they thought of, a profile's name
// needs no quotes, is no flag, and is that of one role.
func TestNamesOfPopulatedProfiles(t *testing.T) {
	for name, tc := range map[string]struct {
		f       populateFlags
		account string
		want    []string
	}{
		"plain":        {account: "prod", want: []string{"prod-R"}},
		"blanks":       {account: " Prod  (EU) ", want: []string{"Prod-EU-R"}},
		"a dash":       {account: "-rf", want: []string{"rf-R"}},
		"marks":        {account: "[x] #;", want: []string{"x-R"}},
		"no name":      {account: "", want: []string{"111111111111-R"}},
		"nothing left": {account: "!!!", want: []string{"111111111111-R"}},
		"Japanese":     {account: "本社 dev", want: []string{"本社-dev-R"}},
		"the same":     {account: "two", want: []string{"two-R-111111111111", "two-R-222222222222"}},
		"hostile":      {account: "\x1b[31m]\n[default]\u202e", want: []string{"31m-default-R"}},
		"a prefix":     {f: populateFlags{prefix: "-corp/"}, account: "prod", want: []string{"corp/prod-R"}},
		"a template":   {f: populateFlags{template: "{session}:{role_name}@{account_id}"}, account: "prod", want: []string{"corp-R@111111111111"}},
		"a filter":     {f: populateFlags{filters: []string{"dev-*"}}, account: "prod"},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.f.template == "" {
				tc.f.template = defaultTemplate
			}
			roles := []hop.AssignedRole{{AccountID: "111111111111", AccountName: tc.account, Role: "R"}}
			if len(tc.want) > 1 {
				roles = append(roles, hop.AssignedRole{AccountID: "222222222222", AccountName: tc.account, Role: "R"})
			}
			got := slices.Sorted(maps.Keys(tc.f.profiles(plan.SSO{Session: "corp"}, roles)))
			if !slices.Equal(got, tc.want) {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}
