package deliver

import (
	"bytes"
	"net/url"
	"slices"
	"strings"
	"testing"

	"aws-switch-role/internal/cred"
)

func TestLoginURL(t *testing.T) {
	const destination = "https://eu-west-1.console.aws.amazon.com/ec2/home?region=eu-west-1#Instances:"
	secret := LoginURL("https://eu-west-1.signin.aws.amazon.com", cred.NewSecret("a+b/c="), destination)
	var b bytes.Buffer
	if err := PrintURL(&b, secret); err != nil {
		t.Fatal(err)
	}
	text, whole := strings.CutSuffix(b.String(), "\n")
	u, err := url.Parse(text)
	if err != nil || !whole || u.Scheme+"://"+u.Host+u.Path != "https://eu-west-1.signin.aws.amazon.com/federation" {
		t.Fatalf("%q, %v", b.String(), err)
	}
	q := u.Query()
	for name, want := range map[string]string{"Action": "login", "Issuer": "aws-switch-role", "Destination": destination, "SigninToken": "a+b/c="} {
		if got := q[name]; len(got) != 1 || got[0] != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if len(q) != 4 {
		t.Errorf("%d parameters", len(q))
	}
}

func TestDestination(t *testing.T) {
	const regional, home = "https://eu-west-1.console.aws.amazon.com", "https://console.aws.amazon.com"
	for _, tc := range []struct{ console, region, path, want string }{
		{regional, "eu-west-1", "", regional + "/console/home?region=eu-west-1"},
		{home, "", "", home + "/console/home"},
		{regional, "eu-west-1", "/s3/home", regional + "/s3/home?region=eu-west-1"},
		{regional, "eu-west-1", "s3/home", regional + "/s3/home?region=eu-west-1"},
		{home, "", "s3/home", home + "/s3/home"},
		{regional, "eu-west-1", "/ec2/home#Instances:", regional + "/ec2/home?region=eu-west-1#Instances:"},
		{regional, "eu-west-1", "/ec2/home?region=us-east-1#Instances:", regional + "/ec2/home?region=us-east-1#Instances:"},
		{regional, "eu-west-1", "/x?a=1&b=2", regional + "/x?a=1&b=2&region=eu-west-1"},
		{regional, "eu-west-1", "/x?subregion=1", regional + "/x?subregion=1&region=eu-west-1"},
		{regional, "eu-west-1", "@evil.example/x", regional + "/@evil.example/x?region=eu-west-1"},
		{regional, "eu-west-1", "/cloudwatch/home#logsV2:log-groups/log-group/$252Faws$252Flambda", regional + "/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Faws$252Flambda"},
	} {
		got, err := Destination(tc.console, tc.region, tc.path)
		if err != nil || got != tc.want {
			t.Errorf("%s in %s: %s, %v, want %s", tc.path, tc.region, got, err, tc.want)
		}
		if u, err := url.Parse(got); err != nil || u.Scheme+"://"+u.Host != tc.console {
			t.Errorf("%s leads to %s: %v", tc.path, u.Host, err)
		}
	}
	for _, path := range []string{"//evil.example/x", "https://evil.example/x", "/a b", "/a\nb", "/\x7f"} {
		if got, err := Destination(regional, "eu-west-1", path); err == nil {
			t.Errorf("%q leads to %s", path, got)
		}
	}
}

func TestServicePath(t *testing.T) {
	for name, want := range map[string]string{
		"s3": "s3/home", "EC2": "ec2/home", "cfn": "cloudformation/home", "sso": "singlesignon/home",
		"unheard-of": "unheard-of", "some/path#x": "some/path#x",
	} {
		if got := ServicePath(name); got != want {
			t.Errorf("%s is at %s, want %s", name, got, want)
		}
	}
	names := Services()
	if !slices.IsSorted(names) || len(names) < 40 {
		t.Errorf("%d services: %v", len(names), names)
	}
	for _, name := range names {
		if name != strings.ToLower(name) {
			t.Errorf("%s cannot be found", name)
		}
		if _, err := Destination("https://console.aws.amazon.com", "eu-west-1", ServicePath(name)); err != nil || strings.HasPrefix(ServicePath(name), "/") {
			t.Errorf("%s is at %s: %v", name, ServicePath(name), err)
		}
	}
}

func TestSwitchURL(t *testing.T) {
	const signin = "https://signin.aws.amazon.com"
	for want, got := range map[string]string{
		signin + "/switchrole?account=222222222222&roleName=Ops&displayName=sub-account":                  SwitchURL(signin, "222222222222", "Ops", "sub-account", ""),
		signin + "/switchrole?account=222222222222&roleName=team%2FDeploy&displayName=a%26b&color=ffaaee": SwitchURL(signin, "222222222222", "team/Deploy", "a&b", "ffaaee"),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
