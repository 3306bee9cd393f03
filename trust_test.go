//go:build unix

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aws-switch-role/internal/emulator"
)

const (
	anyID       = "AKIAEMULATEDANYBODY0"
	anySecret   = "any/SECRET+any/SECRET+any/SECRET+any/SEC"
	trustedHome = `[default]
aws_access_key_id = ` + emulator.DemoKeyID + `
aws_secret_access_key = ` + emulator.DemoSecret + `
[anybody]
aws_access_key_id = ` + anyID + `
aws_secret_access_key = ` + anySecret + `
`
)

// grants are profiles called it, whose roles are to trust what explain prints.
var grants = []struct {
	name   string
	config string
	args   []string
	sso    bool     // the chain starts from a role of Identity Center
	refuse []string // profiles, or the profile it with arguments, that a printed condition keeps out
}{
	{"a user", `
[profile it]
role_arn = arn:aws:iam::222222222222:role/Ops
source_profile = default
[profile another]
role_arn = arn:aws:iam::222222222222:role/Ops
source_profile = anybody
`, nil, false, []string{"another"}},
	{"with MFA and an external id", `
[profile it]
role_arn = arn:aws:iam::222222222222:role/team/Ops
source_profile = default
mfa_serial = arn:aws:iam::111111111111:mfa/me
external_id = a1b2
[profile codeless]
role_arn = arn:aws:iam::222222222222:role/team/Ops
source_profile = default
external_id = a1b2
[profile idless]
role_arn = arn:aws:iam::222222222222:role/team/Ops
source_profile = default
mfa_serial = arn:aws:iam::111111111111:mfa/me
`, nil, false, []string{"codeless", "idless", "it --external-id A1B2"}},
	{"with MFA for a long session", `
[profile it]
role_arn = arn:aws:iam::222222222222:role/Ops
source_profile = default
mfa_serial = arn:aws:iam::111111111111:mfa/me
duration_seconds = 28800
[profile codeless]
role_arn = arn:aws:iam::222222222222:role/Ops
source_profile = default
`, nil, false, []string{"codeless"}},
	{"with tags and a source identity", `
[profile it]
role_arn = arn:aws:iam::222222222222:role/Ops
source_profile = default
`, []string{"--tag", "Team=red", "--source-identity", "jane"}, false, nil},
	{"a chain", `
[profile first]
role_arn = arn:aws:iam::222222222222:role/First
source_profile = default
mfa_serial = arn:aws:iam::111111111111:mfa/me
[profile it]
role_arn = arn:aws:iam::333333333333:role/Last
source_profile = first
external_id = a1b2
[profile direct]
role_arn = arn:aws:iam::333333333333:role/Last
source_profile = default
external_id = a1b2
[profile idless]
role_arn = arn:aws:iam::333333333333:role/Last
source_profile = first
`, nil, false, []string{"direct", "idless"}},
	{"a chain that inherits tags and a source identity", `
[profile first]
role_arn = arn:aws:iam::222222222222:role/First
source_profile = default
source_identity = jane
session_tags = Team=red,Project=x
transitive_session_tags = Team
[profile it]
role_arn = arn:aws:iam::333333333333:role/Last
source_profile = first
`, nil, false, nil},
	{"behind Identity Center", `
[sso-session corp]
sso_start_url = https://corp.awsapps.com/start
sso_region = us-east-1
[profile hub]
sso_session = corp
sso_account_id = 111111111111
sso_role_name = Developer
[profile it]
role_arn = arn:aws:iam::222222222222:role/Ops
source_profile = hub
external_id = a1b2
[profile another]
role_arn = arn:aws:iam::222222222222:role/Ops
source_profile = default
external_id = a1b2
`, nil, true, []string{"another", "it --external-id other"}},
}

// TestGrants makes worlds in which the roles trust exactly what explain
// --trust-policy prints, and the callers may do exactly what it prints. There
// the switch works, and what a printed condition keeps out stays out.
func TestGrants(t *testing.T) {
	for _, g := range grants {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			world := bareWorld()
			args := append([]string{"it"}, g.args...)

			// Before anybody trusts anybody, AWS tells at least who one is.
			ask := append([]string{"explain", "--trust-policy", "--json", "--no-cache"}, args...)
			if !g.sso {
				ask = append(ask, "--online")
			}
			_, before := serveWorld(t, world)
			out, err := switchIn(t, newHome(t, g.config), before, ask...)
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			var printed []struct {
				Role       string
				Caller     string
				Trust      json.RawMessage `json:"trust_policy"`
				Permission json.RawMessage
			}
			if err := json.Unmarshal(out, &printed); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}

			for i, p := range printed {
				world.Roles = append(world.Roles, emulator.Role{ARN: p.Role, MaxSession: 12 * time.Hour, Trust: string(p.Trust), Policy: nothing})
				switch {
				case i > 0: // the role before it is the caller
					world.Roles[len(world.Roles)-2].Policy = string(p.Permission)
				case g.sso:
					world.Centers[0].People[0].Roles[0].Policy = string(p.Permission)
				default:
					world.Users[0].Policy = string(p.Permission)
				}
			}
			if got := granted(t, world, g.config, args); got != "" {
				t.Errorf("with all that was printed the switch fails: %s", got)
			}
			for _, r := range g.refuse {
				if got := granted(t, world, g.config, strings.Fields(r)); !strings.Contains(got, "AccessDenied") {
					t.Errorf("%s is let in: %q", r, got)
				}
			}
			if g.sso {
				world.Centers[0].People[0].Roles[0].Policy = nothing
			} else {
				world.Users[0].Policy = nothing
			}
			if got := granted(t, world, g.config, args); !strings.Contains(got, "AccessDenied") {
				t.Errorf("the permission is not needed: %q", got)
			}
		})
	}
}

// nothing is a policy that allows nothing here.
const nothing = `{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "sns:*", "Resource": "*"}]}`

// bareWorld has callers who may do nothing, but for one who may do anything,
// and no role.
func bareWorld() emulator.World {
	return emulator.World{
		Users: []emulator.User{
			{
				ARN: emulator.DemoUser, Policy: nothing, Keys: []emulator.AccessKey{{ID: emulator.DemoKeyID, Secret: emulator.DemoSecret}},
				Devices: []emulator.Device{{Serial: emulator.DemoDevice, Seed: []byte("emulated SECRET seed")}},
			},
			{ARN: "arn:aws:iam::111111111111:user/anybody", Keys: []emulator.AccessKey{{ID: anyID, Secret: anySecret}}},
		},
		Centers: []emulator.IdentityCenter{{StartURL: emulator.DemoStartURL, People: []emulator.Person{{
			Name: emulator.DemoPerson, Roles: []emulator.Assignment{{Account: "111111111111", Role: "Developer", Policy: nothing}},
		}}}},
	}
}

func serveWorld(t *testing.T, w emulator.World) (*emulator.Server, string) {
	t.Helper()
	server, err := emulator.New(w, emulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return server, "http://" + overHTTP(t, server)
}

// granted makes the switch in a world of its own, with a code at hand, and
// returns what is said when it fails.
func granted(t *testing.T, w emulator.World, config string, args []string) string {
	t.Helper()
	home := newHome(t, config) // one that remembers no code
	server, url := serveWorld(t, w)
	token, err := server.SSOToken(emulator.SSOSignIn{StartURL: emulator.DemoStartURL, Person: emulator.DemoPerson, Region: "us-east-1", Life: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	cache := filepath.Join(home, ".aws", "sso", "cache")
	// The file's name is the digest of the session's, corp (botocore,
	// SSOTokenLoader).
	if err := os.MkdirAll(cache, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(cache, corpDigest+".json"), token, 0o600); err != nil {
		t.Fatal(err)
	}
	code, err := server.Code(emulator.DemoDevice)
	if err != nil {
		t.Fatal(err)
	}
	out, err := switchIn(t, home, url, append([]string{"export", "--no-cache", "--mfa-code", code}, args...)...)
	if err != nil {
		return string(out)
	}
	return ""
}

// corpDigest is the SHA-1 of "corp".
const corpDigest = "ee0bfd2552fbd840c02cc48b6e823320543c450f"

// newHome is a home with these AWS files.
func newHome(t *testing.T, config string) string {
	t.Helper()
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, ".aws"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"config": config, "credentials": trustedHome} {
		if err := os.WriteFile(filepath.Join(home, ".aws", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return home
}

// switchIn runs the program in a home, with the world at url, and returns all
// that it prints.
func switchIn(t *testing.T, home, url string, args ...string) ([]byte, error) {
	t.Helper()
	return commandIn(t, home, url, args...).CombinedOutput()
}

// commandIn is such a run that has not begun.
func commandIn(t *testing.T, home, url string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "aws-switch-role", args...)
	cmd.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "USER=jane", "XDG_RUNTIME_DIR=" + filepath.Join(home, "run"), "AWS_ENDPOINT_URL=" + url, "AWS_SWITCH_ROLE_KEYRING=passphrase", "AWS_SWITCH_ROLE_PASSPHRASE=correct horse", "GORACE=atexit_sleep_ms=0"}
	return cmd
}
