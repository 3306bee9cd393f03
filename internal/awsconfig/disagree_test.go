package awsconfig

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDisagreements(t *testing.T) {
	const config = `# region = us-east-1 # no setting
stray : before any section
[default]
region = us-east-1
sso_start_url = https://example.awsapps.com/start#/
credential_process = "/opt/a b/c" "d"
[profile a]
region = us-east-1 # home
role_arn = arn:aws:iam::222222222222:role/Ops
 # no part of it
  -and-more
  -and-more
Region = eu-west-1
output: "json"
s3 =
  max_concurrent_requests = 20 # nested
  addressing_style: path
[profile "b c"]
[ profile d ]
[profile a]
region = eu-west-2
[e]
[preview]
`
	const credentials = "[a]\r\naws_access_key_id = x ; mine\r\n[a]\r\n[profile b]\n[b c]"
	want := strings.TrimLeft(`
config:8 trailing-comment profile a region
config:11 continued-value profile a role_arn
config:13 capital-key profile a region
config:13 second-key profile a region
config:14 colon-separator profile a output
config:14 quoted-value profile a output
config:18 quoted-name profile "b c" 
config:19 padded-header profile d 
config:20 second-section profile a 
config:22 stray-section e 
credentials:2 trailing-comment a aws_access_key_id
credentials:3 second-section a 
credentials:4 stray-section profile b 
`, "\n")
	c := &Config{config: file{path: "config", data: []byte(config)}, credentials: file{path: "credentials", data: []byte(credentials)}}
	var got strings.Builder
	for d := range c.Disagreements() {
		fmt.Fprintln(&got, d.Origin, d.Quirk, d.Section, d.Key)
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for d := range c.Disagreements() {
		if d.Line != 8 {
			t.Errorf("after a break it went on to %s", d.Origin)
		}
		break
	}
}
