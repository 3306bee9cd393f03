package emulator_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"aws-switch-role/internal/emulator"
)

// desk is where a test asks an emulated world: its own clock, no socket, and
// the signer of the AWS SDK, which shares no code with the emulator.
type desk struct {
	t      *testing.T
	server *emulator.Server
	now    time.Time
	lag    time.Duration // of the client's clock behind the world's
	region string
	host   string
}

func newDesk(t *testing.T, w emulator.World, o emulator.Options) *desk {
	t.Helper()
	d := &desk{t: t, now: time.Date(2026, 1, 2, 15, 0, 0, 0, time.UTC), region: "us-east-1", host: "localhost"}
	o.Now = func() time.Time { return d.now }
	var err error
	if d.server, err = emulator.New(w, o); err != nil {
		t.Fatal(err)
	}
	return d
}

var (
	me  = aws.Credentials{AccessKeyID: emulator.DemoKeyID, SecretAccessKey: emulator.DemoSecret}
	bot = aws.Credentials{AccessKeyID: emulator.DemoBotKeyID, SecretAccessKey: emulator.DemoBotSecret}
)

// reply is what came back: the text of every XML element by its name.
type reply struct {
	status int
	header http.Header
	body   string
	text   map[string]string
}

func (r reply) credentials() aws.Credentials {
	return aws.Credentials{AccessKeyID: r.text["AccessKeyId"], SecretAccessKey: r.text["SecretAccessKey"], SessionToken: r.text["SessionToken"]}
}

// form makes parameters of names and values by turns.
func form(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

// role is the form of an AssumeRole request for a role of the demo.
func role(name string, pairs ...string) url.Values {
	return form(append([]string{"RoleArn", emulator.DemoRole(name), "RoleSessionName", "session"}, pairs...)...)
}

func (d *desk) sts(with aws.Credentials, action string, params url.Values) reply {
	d.t.Helper()
	return d.query(with, "sts", "2011-06-15", action, params)
}

func (d *desk) iam(with aws.Credentials, action string, params url.Values) reply {
	d.t.Helper()
	return d.query(with, "iam", "2010-05-08", action, params)
}

func (d *desk) query(with aws.Credentials, service, version, action string, params url.Values) reply {
	d.t.Helper()
	if params == nil {
		params = url.Values{}
	}
	params.Set("Action", action)
	params.Set("Version", version)
	r := httptest.NewRequest("POST", "http://"+d.host+"/", strings.NewReader(params.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	d.sign(r, with, service, params.Encode())
	return d.do(r)
}

func (d *desk) s3(with aws.Credentials, method, target string) reply {
	d.t.Helper()
	r := httptest.NewRequest(method, "http://"+d.host+target, nil)
	r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
	d.sign(r, with, "s3", "")
	return d.do(r)
}

// sign signs r unless with is the zero value.
func (d *desk) sign(r *http.Request, with aws.Credentials, service, body string) {
	d.t.Helper()
	if with.AccessKeyID == "" {
		return
	}
	hash := r.Header.Get("X-Amz-Content-Sha256")
	if hash == "" {
		sum := sha256.Sum256([]byte(body))
		hash = hex.EncodeToString(sum[:])
	}
	err := v4.NewSigner().SignHTTP(d.t.Context(), with, r, hash, service, d.region, d.now.Add(-d.lag), func(o *v4.SignerOptions) {
		o.DisableURIPathEscaping = service == "s3"
	})
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) do(r *http.Request) reply {
	d.t.Helper()
	w := httptest.NewRecorder()
	d.server.ServeHTTP(w, r)
	a := reply{status: w.Code, header: w.Header(), body: w.Body.String(), text: map[string]string{}}
	x := xml.NewDecoder(strings.NewReader(a.body))
	name := ""
	for {
		token, err := x.Token()
		if err == io.EOF || err != nil {
			return a
		}
		switch token := token.(type) {
		case xml.StartElement:
			name = token.Name.Local
		case xml.CharData:
			if text := strings.TrimSpace(string(token)); text != "" {
				a.text[name] += text
			}
		}
	}
}

// code is a code that STS takes now.
func (d *desk) code() string {
	d.t.Helper()
	code, err := d.server.Code(emulator.DemoDevice)
	if err != nil {
		d.t.Fatal(err)
	}
	return code
}

// mfa adds a device and a good code to params.
func (d *desk) mfa(params url.Values) url.Values {
	d.t.Helper()
	params.Set("SerialNumber", emulator.DemoDevice)
	params.Set("TokenCode", d.code())
	return params
}

// ok demands success and returns the credentials in the answer, if any.
func (d *desk) ok(r reply) aws.Credentials {
	d.t.Helper()
	if r.status != http.StatusOK {
		d.t.Fatalf("%d %s: %s", r.status, r.text["Code"], r.text["Message"])
	}
	return r.credentials()
}

// refused demands an error: its status, its code and the whole message.
func (d *desk) refused(r reply, status int, code, message string) {
	d.t.Helper()
	if r.status != status || r.text["Code"] != code || r.text["Message"] != message {
		d.t.Errorf("%d %s: %s\nwant %d %s: %s", r.status, r.text["Code"], r.text["Message"], status, code, message)
	}
}

// denied demands a denial whose words go on as told behind "to perform".
func (d *desk) denied(r reply, who, rest string) {
	d.t.Helper()
	d.refused(r, 403, "AccessDenied", "User: "+who+" is not authorized to perform: "+rest)
}

// notAuthorized demands the denial of action on the role, for which AWS gives
// no reason.
func (d *desk) notAuthorized(r reply, who, action, role string) {
	d.t.Helper()
	d.refused(r, 403, "AccessDenied", "User: "+who+" is not authorized to perform: "+action+" on resource: "+role)
}

// TestSecretsCarryTheMark: whoever looks for the mark finds every secret that
// the server makes.
func TestSecretsCarryTheMark(t *testing.T) {
	const mark = "SECRETABCDEFGHIJKLMNOPQRSTUVWXYZ"
	d := newDesk(t, emulator.Demo(), emulator.Options{Mark: mark})
	sso, legacy := jane, jane
	legacy.Legacy = true
	session := d.sts(me, "AssumeRole", role("Open")).credentials()
	of := d.sts(me, "GetSessionToken", nil).credentials()
	fresh := d.iam(me, "CreateAccessKey", nil).credentials()
	signedIn, old := d.signIn(sso), d.signIn(legacy)
	login, _ := d.logIn(time.Hour)
	metadata := httptest.NewRecorder()
	r := httptest.NewRequest("PUT", "http://169.254.169.254/latest/api/token", nil)
	r.Header.Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "60")
	d.server.Metadata().ServeHTTP(metadata, r)
	for what, secret := range map[string]string{
		"a role session's secret":   session.SecretAccessKey,
		"a role session's token":    session.SessionToken,
		"a user session's secret":   of.SecretAccessKey,
		"a user session's token":    of.SessionToken,
		"a new key's secret":        fresh.SecretAccessKey,
		"an SSO access token":       signedIn["accessToken"],
		"an SSO refresh token":      signedIn["refreshToken"],
		"an SSO client's secret":    signedIn["clientSecret"],
		"a legacy SSO token":        old["accessToken"],
		"a sign-in's secret":        login.AccessToken.SecretAccessKey,
		"a sign-in's token":         login.AccessToken.SessionToken,
		"a sign-in's refresh token": login.RefreshToken,
		"a metadata token":          metadata.Body.String(),
	} {
		if !strings.Contains(secret, mark) {
			t.Errorf("%s is %q", what, secret)
		}
	}
	if len(session.SecretAccessKey) != 40 {
		t.Errorf("a secret has %d characters", len(session.SecretAccessKey))
	}
}
