package awsconfig

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDisagreements(t *testing.T) {
	const config = byteOrderMark + `# region = us-east-1 # no setting
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
  Use_Path = true
[profile "b c"]
[ profile d ]
[profile a]
region = eu-west-2
[e]
[preview]
[profile default]
[DEFAULT]
latin = ` + "\xe9" + `
junk
`
	const credentials = "[a]\r\naws_access_key_id = x ; mine\r\n[a]\r\n[profile b]\n[b c]"
	want := strings.TrimLeft(`
config:1 byte-order-mark  
config:2 headless-line  
config:8 trailing-comment profile a region: region = us-east-1
config:11 continued-value profile a role_arn: role_arn = arn:aws:iam::222222222222:role/Ops -and-more
config:13 capital-key profile a region: region = eu-west-1
config:13 second-key profile a region after 8
config:14 colon-separator profile a output: output = json
config:14 quoted-value profile a output: output = json
config:16 nested-comment profile a s3.max_concurrent_requests: max_concurrent_requests = 20
config:17 no-setting profile a s3
config:18 nested-capital profile a s3.use_path: use_path = true
config:19 quoted-name profile "b c" : [profile b-c]
config:20 padded-header profile d : [profile d]
config:21 second-section profile a  after 7
config:23 stray-section e : [profile e]
config:25 two-defaults profile default  after 3
config:26 inherited-section DEFAULT 
config:27 not-utf8 DEFAULT 
config:28 no-setting DEFAULT 
credentials:2 trailing-comment a aws_access_key_id: aws_access_key_id = x
credentials:3 second-section a  after 1
credentials:4 stray-section profile b : [b]
`, "\n")
	c := &Config{newFile("config", []byte(config)), newFile("credentials", []byte(credentials))}
	var got strings.Builder
	for d := range c.Disagreements() {
		fmt.Fprint(&got, d.Origin, " ", d.Quirk, " ", d.Section, " ", d.Key)
		if d.Mended != "" {
			fmt.Fprint(&got, ": ", d.Mended)
		}
		if d.Before > 0 {
			fmt.Fprint(&got, " after ", d.Before)
		}
		fmt.Fprintln(&got)
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for d := range c.Disagreements() {
		if d.Line != 1 {
			t.Errorf("after a break it went on to %s", d.Origin)
		}
		break
	}
}

// TestDisagreementsOfDialect holds what is told against what botocore does: a
// case of the dialect that it reads otherwise, or not at all, has a line that
// is told of.
func TestDisagreementsOfDialect(t *testing.T) {
	for _, test := range dialect {
		if test.otherwise == "" && !strings.Contains(test.want, " error ") || test.name == "NUL" {
			continue
		}
		c := &Config{newFile("config", []byte(test.config)), newFile("credentials", []byte(test.credentials))}
		for range c.Disagreements() {
			test.name = ""
		}
		for range c.Malformed() {
			test.name = ""
		}
		if test.name != "" {
			t.Errorf("%s: nothing is told, although %s", test.name, test.otherwise)
		}
	}
}
