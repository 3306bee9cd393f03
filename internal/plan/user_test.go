package plan

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUserOf(t *testing.T) {
	const (
		me    = "arn:aws:iam::111111111111:mfa/me"
		other = "arn:aws:iam::111111111111:mfa/other"
		id    = "AKIAEXAMPLEKEYRING1"
	)
	role := func(name, device string) string {
		return "[profile " + name + "]\nrole_arn = arn:aws:iam::222222222222:role/Ops\nsource_profile = main\nmfa_serial = " + device + "\n"
	}
	for _, c := range []struct {
		name, config, device string
		options              Options
		sts, iam             Endpoint
	}{
		{"no section", "", "", Options{}, Endpoint{Region: "us-east-1"}, Endpoint{Region: "us-east-1"}},
		{"its own device", "[profile main]\nmfa_serial = " + me + "\nregion = eu-west-1\n", me, Options{}, Endpoint{Region: "eu-west-1"}, Endpoint{Region: "eu-west-1"}},
		{"the device of its roles", role("a", me) + role("b", me), me, Options{}, Endpoint{Region: "us-east-1"}, Endpoint{Region: "us-east-1"}},
		{"the device of who includes it", "[profile main]\nregion = us-east-1\n[profile a]\ninclude_profile = main\nmfa_serial = " + me + "\n", me,
			Options{InKeyring: only("main", id)}, Endpoint{Region: "us-east-1"}, Endpoint{Region: "us-east-1"}},
		{"two devices", role("a", me) + role("b", other), "", Options{}, Endpoint{Region: "us-east-1"}, Endpoint{Region: "us-east-1"}},
		{"two devices and a flag", role("a", me) + role("b", other), other, Options{MFASerial: other}, Endpoint{Region: "us-east-1"}, Endpoint{Region: "us-east-1"}},
		{"a security key", role("a", "arn:aws:iam::111111111111:u2f/user/me/k"), "", Options{}, Endpoint{Region: "us-east-1"}, Endpoint{Region: "us-east-1"}},
		{"China", "", "", Options{Region: "cn-northwest-1"}, Endpoint{Region: "cn-northwest-1"}, Endpoint{Region: "cn-northwest-1"}},
		{"one URL for all", "[profile main]\nendpoint_url = https://aws.example.com/\n", "", Options{},
			Endpoint{Region: "us-east-1", URL: "https://aws.example.com"}, Endpoint{Region: "us-east-1", URL: "https://aws.example.com"}},
		{"a URL of each", "", "", Options{Environment: Environment{EndpointURLSTS: "https://sts.example.com", EndpointURLIAM: "https://iam.example.com"}},
			Endpoint{Region: "us-east-1", URL: "https://sts.example.com"}, Endpoint{Region: "us-east-1", URL: "https://iam.example.com"}},
		{"a URL of STS alone", "", "", Options{Environment: Environment{EndpointURLSTS: "https://sts.example.com"}},
			Endpoint{Region: "us-east-1", URL: "https://sts.example.com"}, Endpoint{Region: "us-east-1"}},
		{"the global STS", "", "", Options{Region: "eu-west-1", Environment: Environment{STSRegional: "legacy"}},
			Endpoint{Region: "us-east-1", URL: "https://sts.amazonaws.com"}, Endpoint{Region: "eu-west-1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			u, err := UserOf(load(t, c.config), "main", id, c.options)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]Endpoint{c.sts, c.iam}, []Endpoint{u.STS, u.IAM}); diff != "" {
				t.Errorf("endpoints (-want +got):\n%s", diff)
			}
			if c.device == "" {
				if len(u.Session.Hops) != 0 {
					t.Errorf("a session for no device: %+v", u.Session)
				}
				return
			}
			want := []MFA{{Serial: c.device}}
			if diff := cmp.Diff(want, u.Session.Asks()); diff != "" {
				t.Errorf("devices (-want +got):\n%s", diff)
			}
			if u.Session.Source() != (StoredKey{Profile: "main", AccessKeyID: id, Keyring: true}) {
				t.Errorf("the source is %+v", u.Session.Source())
			}
			checkInvariants(t, u.Session)
		})
	}
}

// only is a keyring that holds one key.
func only(name, id string) func(string) (string, error) {
	return func(other string) (string, error) {
		if other == name {
			return id, nil
		}
		return "", nil
	}
}

// TestUserSharesTheSession: the MFA session is the one that roles behind the
// same key and device use, so that the code of one serves all.
func TestUserSharesTheSession(t *testing.T) {
	c := load(t, "[profile a]\nrole_arn = arn:aws:iam::222222222222:role/Ops\nsource_profile = main\nmfa_serial = arn:aws:iam::111111111111:mfa/me\n")
	in := Options{InKeyring: only("main", "AKIAEXAMPLEKEYRING1")}
	p, err := For(c, "a", in)
	if err != nil {
		t.Fatal(err)
	}
	u, err := UserOf(c, "main", "AKIAEXAMPLEKEYRING1", in)
	if err != nil || u.Session.Key(1) != p.Key(1) {
		t.Errorf("%+v and %+v are two sessions, %v", u.Session.Hops, p.Hops, err)
	}
}

func TestBaseOf(t *testing.T) {
	const (
		me   = "arn:aws:iam::111111111111:mfa/me"
		key  = "[profile main]\naws_access_key_id = AKIAEXAMPLEKEY00001\naws_secret_access_key = s\n"
		role = "[profile x]\nrole_arn = arn:aws:iam::222222222222:role/Ops\nsource_profile = main\n"
	)
	stored := StoredKey{Profile: "main", AccessKeyID: "AKIAEXAMPLEKEY00001"}
	for _, c := range []struct {
		name, config, device, iam string
		source                    Hop
	}{
		{"a role", key + role, "", "us-east-1", stored},
		{"a role with a device", key + role + "mfa_serial = " + me, me, "us-east-1", stored},
		{"a role with a security key", key + role + "mfa_serial = arn:aws:iam::111111111111:u2f/user/me/k", "", "us-east-1", stored},
		{"two roles", key + role + "mfa_serial = " + me + "\n[profile y]\nrole_arn = arn:aws:iam::222222222222:role/Ops\nsource_profile = x\n", me, "us-east-1", stored},
		{"a role in China", key + "[profile x]\nrole_arn = arn:aws-cn:iam::222222222222:role/Ops\nsource_profile = main\n", "", "cn-north-1", stored},
		{"a key", "[profile x]\naws_access_key_id = AKIAEXAMPLEKEY00001\naws_secret_access_key = s\nregion = eu-west-1", "", "eu-west-1",
			StoredKey{Profile: "x", AccessKeyID: "AKIAEXAMPLEKEY00001"}},
		{"a session", "[profile x]\naws_access_key_id = ASIAEXAMPLEKEY00001\naws_secret_access_key = s\naws_session_token = t\nmfa_serial = " + me, "", "us-east-1",
			StoredKey{Profile: "x", AccessKeyID: "ASIAEXAMPLEKEY00001", Temporary: true}},
	} {
		name := "x"
		if c.name == "two roles" {
			name = "y"
		}
		u, err := BaseOf(load(t, c.config), name, Options{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if diff := cmp.Diff([]Hop{c.source}, u.Source.Hops); diff != "" {
			t.Errorf("%s: the source (-want +got):\n%s", c.name, diff)
		}
		if u.IAM.Region != c.iam {
			t.Errorf("%s: IAM is asked in %s, want %s", c.name, u.IAM.Region, c.iam)
		}
		device := ""
		if len(u.Session.Hops) > 0 {
			device = u.Session.Asks()[0].Serial
			checkInvariants(t, u.Session)
		}
		if device != c.device {
			t.Errorf("%s: the device is %q, want %q", c.name, device, c.device)
		}
	}
	for _, config := range []string{
		"[profile x]\nrole_arn = arn:aws:iam::222222222222:role/Ops\ncredential_source = Ec2InstanceMetadata\n",
		"[profile x]\nsso_start_url = https://x.awsapps.com/start\nsso_region = us-east-1\nsso_account_id = 222222222222\nsso_role_name = Ops\n",
	} {
		_, err := BaseOf(load(t, config), "x", Options{})
		if e, ok := errors.AsType[*Error](err); !ok || e.Kind != NoUser {
			t.Errorf("a chain without a user: %v", err)
		}
	}
}
