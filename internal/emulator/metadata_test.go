package emulator_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aws-switch-role/internal/emulator"
)

const (
	tokenPath = "/latest/api/token"
	rolesPath = "/latest/meta-data/iam/security-credentials/"
	tokenTTL  = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
	tokenName = "X-Aws-Ec2-Metadata-Token"
)

// ask sends a request with headers, names and values by turns.
func ask(h http.Handler, method, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://local"+path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// answered demands a status and, where want is not empty, a body.
func answered(t *testing.T, w *httptest.ResponseRecorder, status int, want string) string {
	t.Helper()
	if w.Code != status || want != "" && w.Body.String() != want {
		t.Errorf("%d %s\nwant %d %s", w.Code, w.Body, status, want)
	}
	return w.Body.String()
}

// sessionIn reads the document of a role's credentials.
func sessionIn(t *testing.T, text string) aws.Credentials {
	t.Helper()
	var k struct{ AccessKeyID, SecretAccessKey, Token, Expiration string }
	if err := json.Unmarshal([]byte(text), &k); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return aws.Credentials{AccessKeyID: k.AccessKeyID, SecretAccessKey: k.SecretAccessKey, SessionToken: k.Token}
}

// caller is who STS takes c for.
func (d *desk) caller(c aws.Credentials) string {
	d.t.Helper()
	r := d.sts(c, "GetCallerIdentity", nil)
	d.ok(r)
	return r.text["Arn"]
}

func TestMetadata(t *testing.T) {
	d := demo(t)
	h := d.server.Metadata()
	token := answered(t, ask(h, "PUT", tokenPath, tokenTTL, "60"), 200, "")
	answered(t, ask(h, "GET", rolesPath, tokenName, token), 200, "Machine")
	c := sessionIn(t, answered(t, ask(h, "GET", rolesPath+"Machine", tokenName, token), 200, ""))
	if got, want := d.caller(c), "arn:aws:sts::111111111111:assumed-role/Machine/i-0123456789abcdef0"; got != want {
		t.Errorf("the instance is %s, want %s", got, want)
	}
	d.ok(d.sts(c, "AssumeRole", role("Open")))

	answered(t, ask(h, "GET", rolesPath, tokenName, "x"+token), 401, "")
	answered(t, ask(h, "GET", rolesPath), 200, "Machine") // IMDSv1
	answered(t, ask(h, "GET", rolesPath+"Other"), 404, "")
	answered(t, ask(h, "POST", rolesPath), 405, "")
	answered(t, ask(h, "GET", tokenPath, tokenTTL, "60"), 405, "")
	answered(t, ask(h, "PUT", tokenPath, tokenTTL, "60", "X-Forwarded-For", "10.0.0.1"), 403, "")
	for _, ttl := range []string{"", "0", "-1", "x", "21601"} {
		answered(t, ask(h, "PUT", tokenPath, tokenTTL, ttl), 400, "")
	}
	d.now = d.now.Add(time.Minute)
	answered(t, ask(h, "GET", rolesPath, tokenName, token), 401, "")
}

func TestMetadataTokenRequired(t *testing.T) {
	w := emulator.Demo()
	w.Instance.TokenRequired = true
	h := newDesk(t, w, emulator.Options{}).server.Metadata()
	answered(t, ask(h, "GET", rolesPath), 401, "")
	token := answered(t, ask(h, "PUT", tokenPath, tokenTTL, "21600"), 200, "")
	answered(t, ask(h, "GET", rolesPath, tokenName, token), 200, "Machine")
}

func TestMetadataWithoutRole(t *testing.T) {
	w := emulator.Demo()
	w.Instance.RoleARN = ""
	answered(t, ask(newDesk(t, w, emulator.Options{}).server.Metadata(), "GET", rolesPath), 404, "")
}

// A role that does not trust the service is told of with status 200.
func TestMetadataUntrusted(t *testing.T) {
	w := emulator.Demo()
	w.Instance.RoleARN = emulator.DemoRole("Ops")
	text := answered(t, ask(newDesk(t, w, emulator.Options{}).server.Metadata(), "GET", rolesPath+"Ops"), 200, "")
	var told struct{ Code, AccessKeyID string }
	if err := json.Unmarshal([]byte(text), &told); err != nil || told.Code != "AssumeRoleUnauthorizedAccess" || told.AccessKeyID != "" {
		t.Errorf("%v: %s", err, text)
	}
}

func TestContainer(t *testing.T) {
	d := demo(t)
	h := d.server.Container()
	c := sessionIn(t, answered(t, ask(h, "GET", emulator.DemoTaskPath), 200, ""))
	if got, want := d.caller(c), "arn:aws:sts::111111111111:assumed-role/Task/0123456789abcdef0123456789abcdef"; got != want {
		t.Errorf("the container is %s, want %s", got, want)
	}
	d.caller(sessionIn(t, answered(t, ask(h, "GET", emulator.DemoPodPath, "Authorization", emulator.DemoPodToken), 200, "")))
	answered(t, ask(h, "GET", emulator.DemoPodPath), 401, "")
	answered(t, ask(h, "GET", emulator.DemoPodPath, "Authorization", "Bearer x"), 401, "")
	answered(t, ask(h, "GET", "/other"), 404, "")
	answered(t, ask(h, "POST", emulator.DemoTaskPath), 405, "")
}

func TestContainerUntrusted(t *testing.T) {
	w := emulator.Demo()
	w.Containers = []emulator.Container{{Path: "/x", RoleARN: emulator.DemoRole("Ops")}, {Path: "/machine", RoleARN: emulator.DemoRole("Machine")}}
	h := newDesk(t, w, emulator.Options{}).server.Container()
	answered(t, ask(h, "GET", "/x"), 400, "")
	answered(t, ask(h, "GET", "/machine"), 400, "")
}

// Faults reach the services that nobody signs for, too, and what was asked is
// written down without a token.
func TestMetadataFaults(t *testing.T) {
	d := demo(t)
	d.server.Inject(emulator.Fault{Action: "GetToken", Count: 1, Effect: emulator.Fail(503, "Busy", "later")})
	answered(t, ask(d.server.Metadata(), "PUT", tokenPath, tokenTTL, "60"), 503, `{"code":"Busy","message":"later"}`)
	answered(t, ask(d.server.Container(), "GET", emulator.DemoPodPath, "Authorization", "wrong"), 401, "")
	got := d.server.Requests()
	if len(got) != 2 || got[0].Service != "instance" || got[0].ErrorCode != "Busy" || got[1].Action != "GetContainerCredentials" || len(got[1].Params) != 0 {
		t.Errorf("requests are %+v", got)
	}
}

func TestMetadataWorldSlips(t *testing.T) {
	for name, slip := range map[string]func(w *emulator.World){
		"instance role":  func(w *emulator.World) { w.Instance.RoleARN = "x" },
		"container role": func(w *emulator.World) { w.Containers[0].RoleARN = "x" },
		"container path": func(w *emulator.World) { w.Containers[0].Path = "x" },
		"twice":          func(w *emulator.World) { w.Containers[0].Path = w.Containers[1].Path },
	} {
		w := emulator.Demo()
		slip(&w)
		if _, err := emulator.New(w, emulator.Options{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
