package deliver

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"aws-switch-role/internal/cred"

	"github.com/google/go-cmp/cmp"
)

// session is what the tests hand on: a token with the characters of base64,
// and a year's expiry in a zone that is not UTC.
func session() (cred.Credentials, As) {
	return cred.Credentials{
			AccessKeyID:     "ASIAEXAMPLE",
			SecretAccessKey: cred.NewSecret("a/SECRET+key="),
			SessionToken:    cred.NewSecret("IQoJb3JpZ2lu//SECRET+token=="),
			Expires:         time.Date(2026, 1, 3, 0, 4, 5, 600, time.FixedZone("JST", 9*60*60)),
			AccountID:       "222222222222",
		}, As{
			Profile: "sub-account", InFiles: true, RoleARN: "arn:aws:iam::222222222222:role/Ops", SessionName: "jane",
			Region: "ap-northeast-1", Depth: 1, BaseKeyID: "AKIAEXAMPLE",
		}
}

func TestEnv(t *testing.T) {
	c, as := session()
	longLived := cred.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: cred.NewSecret("SECRET")}
	shellAs := As{Profile: "Ops@1", SessionDir: "/run/1", ConfigFile: "/run/1/config", CredentialsFile: "/run/1/credentials", OwnConfigFile: "/mine"}
	tests := []struct {
		name string
		base []string
		c    cred.Credentials
		as   As
		want []string
	}{
		{
			"everything", []string{"HOME=/h", "AWS_CA_BUNDLE=/ca", "AWS_REGION=us-east-1"}, c, as,
			[]string{
				"HOME=/h", "AWS_CA_BUNDLE=/ca",
				"AWS_ACCESS_KEY_ID=ASIAEXAMPLE",
				"AWS_SECRET_ACCESS_KEY=a/SECRET+key=",
				"AWS_SESSION_TOKEN=IQoJb3JpZ2lu//SECRET+token==",
				"AWS_SESSION_EXPIRATION=2026-01-02T15:04:05Z",
				"AWS_PROFILE=sub-account",
				"AWS_SDK_LOAD_CONFIG=1",
				"AWS_REGION=ap-northeast-1",
				"AWS_DEFAULT_REGION=ap-northeast-1",
				"AWS_SWITCH_ROLE_PROFILE=sub-account",
				"AWS_SWITCH_ROLE_ROLE_ARN=arn:aws:iam::222222222222:role/Ops",
				"AWS_SWITCH_ROLE_SESSION_NAME=jane",
				"AWS_SWITCH_ROLE_DEPTH=1",
				"AWS_SWITCH_ROLE_KEY_ID=ASIAEXAMPLE",
				"AWS_SWITCH_ROLE_BASE_KEY_ID=AKIAEXAMPLE",
			},
		},
		{
			"a long-lived key inside a switched shell", Env([]string{"HOME=/h", "AWS_DEFAULT_REGION=eu-west-1"}, c, As{Profile: "x", RoleARN: "r", BaseKeyID: "b"}),
			longLived, As{Profile: "ops@1", Depth: 2},
			[]string{
				"HOME=/h", "AWS_DEFAULT_REGION=eu-west-1",
				"AWS_ACCESS_KEY_ID=AKIAEXAMPLE",
				"AWS_SECRET_ACCESS_KEY=SECRET",
				"AWS_SDK_LOAD_CONFIG=1",
				"AWS_SWITCH_ROLE_PROFILE=ops@1",
				"AWS_SWITCH_ROLE_DEPTH=2",
				"AWS_SWITCH_ROLE_KEY_ID=AKIAEXAMPLE",
			},
		},
		{
			"choices stay and answers go",
			[]string{
				"AWS_SWITCH_ROLE_KEYRING=pass", "AWS_SWITCH_ROLE_MFA_CODE=123456", "AWS_SWITCH_ROLE_SECRETLESS=1",
				"AWS_SWITCH_ROLE_PASSPHRASE=SECRET", "AWS_SWITCH_ROLE_ASKPASS=/bin/ask",
				"AWS_CONFIG_FILE=/c", "AWS_SHARED_CREDENTIALS_FILE=/s",
			},
			longLived, As{Profile: "p"},
			[]string{
				"AWS_SWITCH_ROLE_KEYRING=pass", "AWS_SWITCH_ROLE_SECRETLESS=1", "AWS_SWITCH_ROLE_ASKPASS=/bin/ask",
				"AWS_CONFIG_FILE=/c", "AWS_SHARED_CREDENTIALS_FILE=/s",
				"AWS_ACCESS_KEY_ID=AKIAEXAMPLE",
				"AWS_SECRET_ACCESS_KEY=SECRET",
				"AWS_SDK_LOAD_CONFIG=1",
				"AWS_SWITCH_ROLE_PROFILE=p",
				"AWS_SWITCH_ROLE_DEPTH=0",
				"AWS_SWITCH_ROLE_KEY_ID=AKIAEXAMPLE",
			},
		},
		{
			"files of its own", []string{"AWS_CONFIG_FILE=/mine", "AWS_SHARED_CREDENTIALS_FILE=/secret"},
			longLived, shellAs,
			[]string{
				"AWS_CONFIG_FILE=/run/1/config",
				"AWS_SHARED_CREDENTIALS_FILE=/run/1/credentials",
				"AWS_SWITCH_ROLE_SESSION=/run/1",
				"AWS_SWITCH_ROLE_CONFIG_FILE=/mine",
				"AWS_ACCESS_KEY_ID=AKIAEXAMPLE",
				"AWS_SECRET_ACCESS_KEY=SECRET",
				"AWS_PROFILE=Ops@1",
				"AWS_SDK_LOAD_CONFIG=1",
				"AWS_SWITCH_ROLE_PROFILE=Ops@1",
				"AWS_SWITCH_ROLE_DEPTH=0",
				"AWS_SWITCH_ROLE_KEY_ID=AKIAEXAMPLE",
			},
		},
		{
			"the user's own files again", Env(nil, c, shellAs),
			longLived, As{Profile: "p", OwnConfigFile: "/mine"},
			[]string{
				"AWS_CONFIG_FILE=/mine",
				"AWS_ACCESS_KEY_ID=AKIAEXAMPLE",
				"AWS_SECRET_ACCESS_KEY=SECRET",
				"AWS_SDK_LOAD_CONFIG=1",
				"AWS_SWITCH_ROLE_PROFILE=p",
				"AWS_SWITCH_ROLE_DEPTH=0",
				"AWS_SWITCH_ROLE_KEY_ID=AKIAEXAMPLE",
			},
		},
		{
			"files that the user set in a shell stay", []string{"AWS_SWITCH_ROLE_SESSION=/run/1", "AWS_CONFIG_FILE=/run/1/config", "AWS_SHARED_CREDENTIALS_FILE=/new"},
			longLived, As{Profile: "p", OwnCredentialsFile: "/new"},
			[]string{
				"AWS_SHARED_CREDENTIALS_FILE=/new",
				"AWS_ACCESS_KEY_ID=AKIAEXAMPLE",
				"AWS_SECRET_ACCESS_KEY=SECRET",
				"AWS_SDK_LOAD_CONFIG=1",
				"AWS_SWITCH_ROLE_PROFILE=p",
				"AWS_SWITCH_ROLE_DEPTH=0",
				"AWS_SWITCH_ROLE_KEY_ID=AKIAEXAMPLE",
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, Env(tt.base, tt.c, tt.as)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestScrubbedNames is the list by which every AWS tool and SDK known to us is
// kept from finding another identity, written out once more: a name that falls
// out of the table is a wrong identity somewhere.
func TestScrubbedNames(t *testing.T) {
	const names = `
		AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_SECURITY_TOKEN AWS_ACCESS_KEY AWS_SECRET_KEY
		AMAZON_ACCESS_KEY_ID AMAZON_SECRET_ACCESS_KEY AMAZON_SESSION_TOKEN AWS_ACCOUNT_ID AWS_CREDENTIAL_FILE
		AWS_CREDENTIAL_EXPIRATION AWS_SESSION_EXPIRATION AWS_PROFILE AWS_DEFAULT_PROFILE AWS_WEB_IDENTITY_TOKEN_FILE
		AWS_ROLE_ARN AWS_ROLE_SESSION_NAME AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_CREDENTIALS_FULL_URI
		AWS_CONTAINER_AUTHORIZATION_TOKEN AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE AWS_VAULT AWSUME_PROFILE
		AWSUME_EXPIRATION AWSU_PROFILE AWS_SSO_PROFILE AWSRUNAS_PROFILE
		AWS_SWITCH_ROLE_PROFILE AWS_SWITCH_ROLE_ROLE_ARN AWS_SWITCH_ROLE_SESSION_NAME AWS_SWITCH_ROLE_DEPTH
		AWS_SWITCH_ROLE_ACCOUNT AWS_SWITCH_ROLE_ROLE_NAME
		AWS_SWITCH_ROLE_KEY_ID AWS_SWITCH_ROLE_BASE_KEY_ID AWS_SWITCH_ROLE_SESSION AWS_SWITCH_ROLE_CONFIG_FILE
		AWS_SWITCH_ROLE_CREDENTIALS_FILE AWS_SWITCH_ROLE_MFA_CODE AWS_SWITCH_ROLE_PASSPHRASE`
	if diff := cmp.Diff(slices.Sorted(strings.FieldsSeq(names)), slices.Sorted(slices.Values(scrubbed))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for name := range strings.FieldsSeq(names) {
		for _, entry := range Env([]string{name + "=stale", name, name + "="}, cred.Credentials{AccessKeyID: "new"}, As{}) {
			if entry == name || entry == name+"=" || strings.Contains(entry, "stale") {
				t.Errorf("%q passed into the child", entry)
			}
		}
	}
}

// TestOverlayOfRandomEnvironments checks overlay, under the rules of Unix and
// of Windows, by what must hold for any environment: our variables are there
// once, the scrubbed ones not at all, and all else is as it was.
func TestOverlayOfRandomEnvironments(t *testing.T) {
	folds := map[string]func(string) string{
		"unix":    func(s string) string { return s },
		"windows": strings.ToUpper,
	}
	for system, fold := range folds {
		t.Run(system, func(t *testing.T) {
			seed := rand.Uint64()
			random := rand.New(rand.NewPCG(seed, 1))
			ours := append(slices.Clone(scrubbed), "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SDK_LOAD_CONFIG")
			for range 10_000 {
				base := randomEnv(random, ours)
				vars := randomVariables(random)
				before := slices.Clone(base)
				got := overlay(base, nil, vars, fold)

				if !slices.Equal(base, before) {
					t.Fatalf("seed %d: the base was changed", seed)
				}
				kept := got[:len(got)-len(vars)]
				for i, v := range vars {
					if got[len(kept)+i] != v.name+"="+v.value {
						t.Fatalf("seed %d: %q is not %s=%s", seed, got[len(kept)+i], v.name, v.value)
					}
				}
				gone := func(entry string) bool {
					set := func(name string) bool {
						folded := fold(entry)
						return folded == name || strings.HasPrefix(folded, name+"=")
					}
					return entry == "" || slices.ContainsFunc(scrubbed, set) ||
						slices.ContainsFunc(vars, func(v variable) bool { return set(v.name) })
				}
				if i := slices.IndexFunc(kept, gone); i >= 0 {
					t.Fatalf("seed %d: %q passed", seed, kept[i])
				}
				if want := slices.DeleteFunc(before, gone); !slices.Equal(kept, want) {
					t.Fatalf("seed %d: the rest was changed:\n got %q\nwant %q", seed, kept, want)
				}
			}
		})
	}
}

// randomEnv returns an environment full of duplicates, case variants, names
// that resemble ours, and entries that are none.
func randomEnv(random *rand.Rand, ours []string) []string {
	env := make([]string, random.IntN(60))
	for i := range env {
		name := ours[random.IntN(len(ours))]
		switch random.IntN(10) {
		case 0:
			name = strings.ToLower(name)
		case 1:
			name = name[:1] + strings.ToLower(name[1:])
		case 2:
			name += "_X"
		case 3:
			name = name[:len(name)-1]
		case 4:
			name = "=" + name
		case 5:
			name = []string{"PATH", "HOME", "LANG", "BASH_FUNC_f%%", "", " AWS_PROFILE", "é"}[random.IntN(7)]
		}
		switch random.IntN(6) {
		case 0:
			env[i] = name // no sign
		case 1:
			env[i] = name + "="
		case 2:
			env[i] = "=C:=C:\\" + name
		default:
			env[i] = fmt.Sprintf("%s=%d=\n=%s", name, random.IntN(3), name)
		}
	}
	return env
}

func randomVariables(random *rand.Rand) []variable {
	c, as := session()
	if random.IntN(2) == 0 {
		c.SessionToken = cred.Secret{}
	}
	if random.IntN(2) == 0 {
		c.Expires = time.Time{}
	}
	if random.IntN(2) == 0 {
		as.Region = ""
	}
	as.InFiles = random.IntN(2) == 0
	return variables(nil, c, as)
}

func TestLookup(t *testing.T) {
	env := []string{"", "PATH", "PATHS=no", "PATH=/a=b", "PATH=/second", "EMPTY=", "=C:=C:\\dir"}
	tests := []struct {
		name, want string
		ok         bool
	}{
		{"PATH", "/a=b", true},
		{"EMPTY", "", true},
		{"PAT", "", false},
		{"=C:", "C:\\dir", true},
	}
	for _, tt := range tests {
		if got, ok := lookup(env, tt.name); got != tt.want || ok != tt.ok {
			t.Errorf("lookup(%q) = %q, %v; want %q, %v", tt.name, got, ok, tt.want, tt.ok)
		}
	}
}
