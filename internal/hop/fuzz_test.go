package hop_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"aws-switch-role/internal/emulator"
	"aws-switch-role/internal/hop"
	"aws-switch-role/internal/plan"
)

// FuzzSTSAnswer answers a request with anything at all: what comes out is an
// error of this package, or credentials that are safe to hand on.
func FuzzSTSAnswer(f *testing.F) {
	const credentials = `<Credentials><AccessKeyId>ASIAEXAMPLEEXAMPLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>` +
		`<SessionToken>token</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration></Credentials>`
	for _, body := range []string{
		"", "<", "<a/>", "{}", "<AssumeRoleResponse><AssumeRoleResult>" + credentials + "</AssumeRoleResult></AssumeRoleResponse>",
		"<AssumeRoleResponse><AssumeRoleResult><Credentials/></AssumeRoleResult></AssumeRoleResponse>",
		"<GetSessionTokenResponse><GetSessionTokenResult>" + credentials + "</GetSessionTokenResult></GetSessionTokenResponse>",
		"<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error><RequestId>1</RequestId></ErrorResponse>",
		"<ErrorResponse><Error><Code>AccessDenied</Code><Message>MultiFactorAuthentication failed with invalid MFA one time pass code.</Message></Error></ErrorResponse>",
		"<ErrorResponse><Error><Code>ValidationError</Code><Message>exceeds the MaxSessionDuration</Message></Error></ErrorResponse>",
	} {
		for _, status := range []uint16{200, 403, 503} {
			f.Add(status, "text/xml", body, status == 200)
		}
	}
	f.Add(uint16(302), "text/html", "<html>", true)
	var status int
	var contentType, body string
	w := newWorld(f, emulator.Options{})
	w.Log = nil
	w.MFACode = func(context.Context, plan.MFA, error) (string, error) { return "123456", nil }
	w.serve(f, http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
		out.Header()["Content-Type"] = []string{contentType}
		out.Header().Set("Location", "https://portal.example.com/")
		out.WriteHeader(status)
		_, _ = out.Write([]byte(body))
	}))
	f.Fuzz(func(t *testing.T, s uint16, kind, text string, assume bool) {
		// A code goes with the request: it is sent once, and nothing waits.
		status, contentType, body = 200+int(s)%400, kind, text
		var h plan.Hop = w.session(device)
		if assume {
			h = w.role("Ops", device, 0)
		}
		c, err := w.Perform(t.Context(), h, me)
		if err != nil {
			switch err.(type) {
			case *hop.APIError, *hop.AnswerError, *hop.NetworkError, *hop.CodeError:
			default:
				t.Fatalf("%T: %v", err, err)
			}
			if c.AccessKeyID+c.SecretAccessKey.Reveal()+c.SessionToken.Reveal() != "" {
				t.Fatalf("credentials beside the error %v", err)
			}
			return
		}
		for _, v := range []string{c.AccessKeyID, c.SecretAccessKey.Reveal(), c.SessionToken.Reveal()} {
			if v == "" || len(v) > 64<<10 || strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r > '~' }) {
				t.Fatalf("credentials with %q", v)
			}
		}
		if len(c.AccessKeyID) < 16 || strings.ToUpper(c.AccessKeyID) != c.AccessKeyID || !c.Expires.After(time.Now()) {
			t.Fatalf("credentials %+v", c)
		}
	})
}
