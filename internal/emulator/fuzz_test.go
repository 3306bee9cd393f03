package emulator

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzServeHTTP throws requests at the demo: whatever comes, it answers, and
// nothing but a right signature opens anything.
func FuzzServeHTTP(f *testing.F) {
	const auth = algorithm + " Credential=" + DemoKeyID + "/20260102/us-east-1/sts/aws4_request, SignedHeaders=host;x-amz-date, Signature=00"
	f.Add("POST", "/", auth, "Action=AssumeRole&Version=2011-06-15&RoleArn=x&Tags.member.1.Key=a")
	f.Add("POST", "/", "", "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn:aws:iam::222222222222:role/Web&RoleSessionName=me&WebIdentityToken=a.e30.c")
	f.Add("GET", "/bucketname?list-type=2", strings.Replace(auth, "/sts/", "/s3/", 1), "")
	f.Add("GET", "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=60&X-Amz-Credential=a/b/c/d/aws4_request&X-Amz-Date=20260102T150000Z", "", "")
	s, err := New(Demo(), Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, method, target, auth, body string) {
		r, err := http.NewRequest(method, "http://localhost/"+strings.TrimPrefix(target, "/"), strings.NewReader(body))
		if err != nil {
			return
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("X-Amz-Date", "20260102T150000Z")
		if auth != "" {
			r.Header.Set("Authorization", auth)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code < 400 && r.URL.Path != "/switchrole" { // which anybody may look at
			t.Errorf("%s %q with %q and %q: %d %s", method, target, auth, body, w.Code, w.Body)
		}
	})
}

// FuzzPolicy throws documents at the reader of policies, and questions at what
// it takes.
func FuzzPolicy(f *testing.F) {
	for _, r := range Demo().Roles {
		f.Add(r.Trust)
	}
	for _, text := range managed {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePolicy(text, nil)
		if err != nil {
			return
		}
		if p.judge(question{action: "s3:GetObject", resource: "arn:aws:s3:::b/k"}) == account {
			t.Error("an identity policy defers to an account")
		}
		p.trusts(question{action: "sts:AssumeRole", who: identity{principal: arn{account: "111111111111"}}})
	})
}
