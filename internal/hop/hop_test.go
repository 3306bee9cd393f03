package hop_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/emulator"
	"aws-switch-role/internal/hop"
	"aws-switch-role/internal/plan"
)

func TestEveryKindOfHop(t *testing.T) {
	w := live(t, emulator.Options{})
	w.StoredKey = func(_ context.Context, k plan.StoredKey) (cred.Credentials, error) {
		if k.Profile != "base" {
			return cred.Credentials{}, errors.New("no such key")
		}
		return me, nil
	}
	w.EnvironmentKey = func() (cred.Credentials, error) { return me, nil }
	do := func(h plan.Hop, from cred.Credentials) cred.Credentials {
		t.Helper()
		c, err := w.perform(t, h, from)
		if err != nil {
			t.Fatalf("%T: %v", h, err)
		}
		return c
	}
	lasts := func(c cred.Credentials, d time.Duration) {
		t.Helper()
		if left := time.Until(c.Expires); left > d || left < d-time.Minute {
			t.Errorf("lasts %s, want %s", left, d)
		}
	}
	is := func(c cred.Credentials, arn, account string) {
		t.Helper()
		id, err := w.Identity(t.Context(), w.endpoint, c)
		if err != nil || id.ARN != arn || id.Account != account || id.UserID == "" || c.AccountID != account {
			t.Errorf("is %+v of account %s, %v; want %s", id, c.AccountID, err, arn)
		}
	}

	stored := do(plan.StoredKey{Profile: "base"}, cred.Credentials{})
	is(stored, emulator.DemoUser, emulator.DemoAccount)
	is(do(plan.EnvironmentKey{AccessKeyID: emulator.DemoKeyID}, cred.Credentials{}), emulator.DemoUser, emulator.DemoAccount)

	plain := do(w.session(plan.MFA{}), stored)
	lasts(plain, 12*time.Hour)
	is(plain, emulator.DemoUser, emulator.DemoAccount)
	with := do(w.session(device), stored)
	lasts(with, 12*time.Hour)

	const session = "arn:aws:sts::222222222222:assumed-role/%s/jane"
	open := do(w.role("Open", plan.MFA{}, 15*time.Minute), stored)
	lasts(open, 15*time.Minute)
	is(open, fmt.Sprintf(session, "Open"), emulator.DemoSubAccount)
	ops := do(w.role("Ops", plan.MFA{}, time.Hour), with)
	is(ops, fmt.Sprintf(session, "Ops"), emulator.DemoSubAccount)
	is(do(w.role("Chained", plan.MFA{}, time.Hour), ops), "arn:aws:sts::333333333333:assumed-role/Chained/jane", "333333333333")
	long := do(w.role("Eight", device, 8*time.Hour), stored)
	lasts(long, 8*time.Hour)
	if len(w.codes) != 2 {
		t.Errorf("%d codes were asked for, want 2", len(w.codes))
	}
}

func TestWhatIsMissing(t *testing.T) {
	other := func() (cred.Credentials, error) {
		return cred.Credentials{AccessKeyID: "AKIAOTHEROTHEROTHERO"}, nil
	}
	for _, test := range []struct {
		p    *hop.Performer
		h    plan.Hop
		want string
	}{
		{&hop.Performer{}, plan.StoredKey{}, "nothing here can provide stored keys"},
		{&hop.Performer{}, plan.EnvchainKey{}, "nothing here can provide keys of envchain"},
		{&hop.Performer{}, plan.EnvironmentKey{}, "nothing here can provide keys from the environment"},
		{&hop.Performer{}, plan.SessionToken{MFA: device}, "nothing here can provide MFA codes"},
		{&hop.Performer{}, plan.AssumeRole{MFA: device}, "nothing here can provide MFA codes"},
		{&hop.Performer{EnvironmentKey: other}, plan.EnvironmentKey{AccessKeyID: emulator.DemoKeyID}, hop.ErrKeyGone.Error()},
		{&hop.Performer{}, nil, "no way to perform a <nil>"},
	} {
		if _, err := test.p.Perform(t.Context(), test.h, me); err == nil || err.Error() != test.want {
			t.Errorf("%T: %v, want %s", test.h, err, test.want)
		}
	}
}

func TestParametersReachAWS(t *testing.T) {
	w := live(t, emulator.Options{})
	w.endpoint.Region = "ap-northeast-1"
	full := w.role("Ops", device, 90*time.Minute)
	full.ExternalID, full.SourceIdentity = "an-id", "jane@example.com"
	full.Tags = []plan.Tag{{Key: "Project", Value: "x & y = ü"}, {Key: "Team", Value: ""}}
	full.TransitiveTags = []string{"Project"}
	short := w.session(plan.MFA{})
	short.Duration = 15 * time.Minute
	bare := w.role("Ops", plan.MFA{}, time.Hour)
	for _, test := range []struct {
		h    plan.Hop
		want map[string]string
	}{
		{full, map[string]string{
			"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": emulator.DemoRole("Ops"), "RoleSessionName": "jane", "DurationSeconds": "5400",
			"ExternalId": "an-id", "SourceIdentity": "jane@example.com", "SerialNumber": emulator.DemoDevice,
			"Tags.member.1.Key": "Project", "Tags.member.1.Value": "x & y = ü", "Tags.member.2.Key": "Team", "Tags.member.2.Value": "",
			"TransitiveTagKeys.member.1": "Project",
		}},
		{bare, map[string]string{
			"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": emulator.DemoRole("Ops"), "RoleSessionName": "jane", "DurationSeconds": "3600",
		}},
		{short, map[string]string{"Action": "GetSessionToken", "Version": "2011-06-15", "DurationSeconds": "900"}},
		{w.session(device), map[string]string{"Action": "GetSessionToken", "Version": "2011-06-15", "DurationSeconds": "43200", "SerialNumber": emulator.DemoDevice}},
	} {
		_, _ = w.perform(t, test.h, me) // some are denied; what was sent is the point
		all := w.Requests()
		r := all[len(all)-1]
		if d := cmp.Diff(test.want, r.Params); d != "" {
			t.Errorf("%T (-want +sent):\n%s", test.h, d)
		}
		if r.HasCode != (test.want["SerialNumber"] != "") || r.Region != "ap-northeast-1" || r.AccessKeyID != emulator.DemoKeyID {
			t.Errorf("%T: %+v", test.h, r)
		}
	}
}

// troubles are what may befall a request, and what becomes of it.
var troubles = []struct {
	name  string
	fault emulator.Fault
	retry bool // one without a code is sent again
}{
	{"throttle", emulator.Fault{Effect: emulator.Throttle()}, true},
	{"500", emulator.Fault{Effect: emulator.Fail(500, "InternalFailure", "oops")}, true},
	{"503", emulator.Fault{Effect: emulator.Fail(503, "ServiceUnavailable", "")}, true},
	{"503 of a proxy", emulator.Fault{Effect: emulator.Respond(503, "text/plain", "busy")}, true},
	{"hang-up", emulator.Fault{Effect: emulator.HangUp()}, true},
	{"hang-up afterwards", emulator.Fault{Effect: emulator.HangUp(), Acts: true}, true},
	{"no answer", emulator.Fault{Effect: emulator.Stall()}, true},
	{"slow beyond bearing", emulator.Fault{Delay: hop.HeaderTimeout + time.Second}, true},
	{"denied", emulator.Fault{Effect: emulator.Fail(403, "AccessDenied", "no")}, false},
	{"web page", emulator.Fault{Effect: emulator.CaptivePortal()}, false},
	{"redirect", emulator.Fault{Effect: emulator.Redirect("https://portal.example.com/")}, false},
	{"too large", emulator.Fault{Effect: emulator.Respond(200, "text/xml", "<a>"+strings.Repeat("x", 4<<20)+"</a>")}, false},
	{"malformed", emulator.Fault{Effect: emulator.Malformed()}, false},
}

// TestCodeIsSentOnce: AWS takes a code once and may have taken it even when
// no answer came, so that a request which carries one is never repeated.
func TestCodeIsSentOnce(t *testing.T) {
	for _, trouble := range append(slices.Clone(troubles), struct {
		name  string
		fault emulator.Fault
		retry bool
	}{"cut short", emulator.Fault{Effect: emulator.Truncate()}, true}) {
		for _, kind := range []string{"GetSessionToken", "AssumeRole"} {
			t.Run(trouble.name+" "+kind, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := bubbled(t, emulator.Options{})
					w.Inject(trouble.fault)
					var h plan.Hop = w.session(device)
					if kind == "AssumeRole" {
						h = w.role("Ops", device, time.Hour)
					}
					begun := time.Now()
					_, err := w.perform(t, h, me)
					if all, codes := w.sent(); all != 1 || codes != 1 || len(w.codes) != 1 {
						t.Errorf("%d requests, %d codes sent, %d asked for; want one of each", all, codes, len(w.codes))
					}
					var mfa bool
					switch e := err.(type) {
					case *hop.APIError:
						mfa = e.MFA && e.Op == kind
					case *hop.NetworkError:
						mfa = e.MFA && e.Op == kind
					case *hop.AnswerError:
						mfa = e.MFA && e.Op == kind
					}
					if !mfa {
						t.Errorf("the error does not tell of the code: %#v", err)
					}
					if took := time.Since(begun); took > hop.HeaderTimeout {
						t.Errorf("took %s", took)
					}
				})
			})
		}
	}
}

func TestRetries(t *testing.T) {
	for _, trouble := range troubles {
		t.Run(trouble.name, func(t *testing.T) {
			want := 1
			if trouble.retry {
				want = hop.MaxAttempts
			}
			synctest.Test(t, func(t *testing.T) { // for good
				w := bubbled(t, emulator.Options{})
				w.Inject(trouble.fault)
				begun := time.Now()
				_, err := w.perform(t, w.role("Open", plan.MFA{}, time.Hour), me)
				if all, _ := w.sent(); err == nil || all != want {
					t.Errorf("%d requests, want %d: %v", all, want, err)
				}
				if took := time.Since(begun); took > hop.TotalTimeout {
					t.Errorf("took %s", took)
				}
			})
			synctest.Test(t, func(t *testing.T) { // but for the last try
				w := bubbled(t, emulator.Options{})
				trouble.fault.Count = hop.MaxAttempts - 1
				w.Inject(trouble.fault)
				c, err := w.perform(t, w.role("Open", plan.MFA{}, time.Hour), me)
				if all, _ := w.sent(); (err == nil) != trouble.retry || all != want {
					t.Errorf("%d requests, want %d: %v, %v", all, want, c, err)
				}
			})
		})
	}
}

func TestWrongCodes(t *testing.T) {
	const good = "the device's code"
	tests := []struct {
		name            string
		codes           []string
		asked, sent     int
		refused, passes bool // the last error is of AWS's; none
	}{
		{"right at once", []string{good}, 1, 1, false, true},
		{"mistyped once", []string{"314159", good}, 2, 2, false, true},
		{"mistyped twice", []string{"314159", "271828"}, 2, 2, true, false},
		{"too short, then right", []string{"12345", good}, 2, 1, false, true},
		{"letters, then right", []string{"12345a", good}, 2, 1, false, true},
		{"other digits, then right", []string{"１２３４５６", good}, 2, 1, false, true},
		{"nothing, twice", []string{"", ""}, 2, 0, false, false},
		{"too long, then mistyped", []string{"1234567", "314159"}, 2, 1, true, false},
	}
	for _, test := range tests {
		for _, kind := range []string{"GetSessionToken", "AssumeRole"} {
			t.Run(test.name+" "+kind, func(t *testing.T) {
				w := live(t, emulator.Options{})
				codes := slices.Clone(test.codes)
				for i, code := range codes {
					if code == good {
						var err error
						if codes[i], err = w.Code(emulator.DemoDevice); err != nil {
							t.Fatal(err)
						}
					}
				}
				w.types(codes...)
				var h plan.Hop = w.session(device)
				if kind == "AssumeRole" {
					h = w.role("Ops", device, time.Hour)
				}
				_, err := w.perform(t, h, me)
				if (err == nil) != test.passes {
					t.Fatal(err)
				}
				if all, _ := w.sent(); all != test.sent || len(w.problems) != test.asked {
					t.Errorf("asked %d times, sent %d; want %d and %d", len(w.problems), all, test.asked, test.sent)
				}
				for i, problem := range w.problems {
					e, ok := errors.AsType[*hop.CodeError](problem)
					if ok != (i > 0) || ok && (e.Serial != emulator.DemoDevice || e.Msg.String() == "") {
						t.Errorf("question %d was asked with %v", i, problem)
					}
				}
				e, ok := errors.AsType[*hop.CodeError](err)
				if ok == test.passes {
					t.Fatalf("%#v", err)
				}
				api, ok := errors.AsType[*hop.APIError](err)
				if ok != test.refused || ok && (e.Err == nil || api.Code != "AccessDenied" || !api.MFA) {
					t.Errorf("refused by AWS: %v, want %v: %v", ok, test.refused, err)
				}
			})
		}
	}
}

func TestOtherRefusalsAskNoSecondCode(t *testing.T) {
	w := live(t, emulator.Options{})
	unknown := plan.MFA{Serial: "arn:aws:iam::111111111111:mfa/other"}
	w.types("123456", "234567")
	_, err := w.perform(t, w.session(unknown), me)
	if e, ok := errors.AsType[*hop.APIError](err); !ok || !strings.Contains(e.Message, "unable to validate MFA code") || len(w.problems) != 1 {
		t.Errorf("asked %d times: %v", len(w.problems), err)
	}
	gone := errors.New("nobody there")
	w.MFACode = func(context.Context, plan.MFA, error) (string, error) { return "", gone }
	before, _ := w.sent()
	if _, err := w.perform(t, w.session(device), me); err != gone {
		t.Error(err)
	}
	if after, _ := w.sent(); after != before {
		t.Error("a request without a code was sent")
	}
}

// asked lists the lengths that AWS was asked for, in hours.
func (w *world) asked() []string {
	var hours []string
	for _, r := range w.Requests() {
		d, _ := time.ParseDuration(r.Params["DurationSeconds"] + "s")
		hours = append(hours, fmt.Sprint(d.Hours()))
	}
	return hours
}

func TestLongest(t *testing.T) {
	const down = "12 11 10 9 8 7 6 5 4 3 2 1"
	for _, test := range []struct {
		role  string
		mfa   plan.MFA
		known time.Duration
		asked string
		want  time.Duration
	}{
		{"Free1", plan.MFA{}, 0, down, time.Hour},
		{"Free8", plan.MFA{}, 0, "12 11 10 9 8", 8 * time.Hour},
		{"Free12", plan.MFA{}, 0, "12", 12 * time.Hour},
		{"Ops", device, 0, down, time.Hour},
		{"Eight", device, 0, "12 11 10 9 8", 8 * time.Hour},
		{"Long", device, 0, "12", 12 * time.Hour},
		{"Eight", device, 8 * time.Hour, "8", 8 * time.Hour},
		{"Eight", device, 9 * time.Hour, "9 8", 8 * time.Hour}, // it was made shorter since
		{"Long", device, 4 * time.Hour, "4", 4 * time.Hour},    // it was made longer since
		{"Open", plan.MFA{}, time.Hour, "1", time.Hour},        //
		{"Missing", plan.MFA{}, 0, "12", 0},                    // denied: the length is not why
		{"Ops", plan.MFA{}, 0, "12", 0},                        // denied
		{"External", device, 0, "12", 0},                       // denied
	} {
		t.Run(fmt.Sprint(test.role, test.mfa.Serial, test.known), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := bubbled(t, emulator.Options{})
				arn := emulator.DemoRole(test.role)
				known := map[string]time.Duration{arn: test.known}
				w.LongestKnown = func(arn string) time.Duration { return known[arn] }
				w.Learn = func(arn string, d time.Duration) { known[arn] = d }
				c, err := w.perform(t, w.role(test.role, test.mfa, 0), me)
				if (err == nil) != (test.want > 0) {
					t.Fatal(err)
				}
				if got := strings.Join(w.asked(), " "); got != test.asked {
					t.Errorf("asked for %s hours, want %s", got, test.asked)
				}
				if test.want == 0 {
					if known[arn] != test.known {
						t.Errorf("learnt %s from a denial", known[arn])
					}
					return
				}
				if left := time.Until(c.Expires); left != test.want {
					t.Errorf("lasts %s, want %s", left, test.want)
				}
				if len(w.codes) > 1 {
					t.Errorf("%d codes were asked for", len(w.codes))
				}
				if learnt := known[arn]; learnt != test.want && strings.Contains(test.asked, " ") {
					t.Errorf("learnt %s, want %s", learnt, test.want)
				}
				before, _ := w.sent()
				if _, err := w.perform(t, w.role(test.role, test.mfa, 0), me); err != nil {
					t.Error(err)
				}
				if after, _ := w.sent(); after != before+1 {
					t.Errorf("the second time %d requests, want 1", after-before)
				}
			})
		})
	}
}

// TestLongestWhereARefusalSpendsTheCode: should AWS take the code of a request
// that it refuses for its length, each code still teaches one hour, and no
// code is sent that AWS has told to be spent.
func TestLongestWhereARefusalSpendsTheCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubbled(t, emulator.Options{StrictMFA: true})
		known := map[string]time.Duration{}
		w.LongestKnown = func(arn string) time.Duration { return known[arn] }
		w.Learn = func(arn string, d time.Duration) { known[arn] = d }
		for run := 1; ; run++ {
			c, err := w.perform(t, w.role("Eight", device, 0), me)
			if err == nil {
				if left := time.Until(c.Expires); left != 8*time.Hour || run != 3 {
					t.Errorf("lasts %s, in run %d", left, run)
				}
				break
			}
			if _, ok := errors.AsType[*hop.CodeError](err); !ok || run == 3 {
				t.Fatalf("run %d: %v", run, err)
			}
		}
		if got, want := strings.Join(w.asked(), " "), "12 11 11 10 10 9 9 8 8"; got != want {
			t.Errorf("asked for %s, want %s", got, want)
		}
	})
}

func TestRefusedAnswers(t *testing.T) {
	text := func(element, s string) emulator.Effect { return emulator.Replace(element, s) }
	xml := func(body string) emulator.Effect { return emulator.Respond(200, "text/xml", body) }
	const cannot = "the answer cannot be read"
	for _, test := range []struct {
		name   string
		effect emulator.Effect
		want   string // in the error's Msg
	}{
		{"no credentials", emulator.Remove("Credentials"), "holds no credentials"},
		{"no id", emulator.Remove("AccessKeyId"), "access key id is none"},
		{"no secret", emulator.Remove("SecretAccessKey"), "secret access key is none"},
		{"no token", emulator.Remove("SessionToken"), "session token is none"},
		{"no end", emulator.Remove("Expiration"), "does not say when"},
		{"hostile id", text("AccessKeyId", "ASIA\x1b[31mEVILEVILEVIL"), ""},
		{"lower-case id", text("AccessKeyId", "asiaexampleexample"), "access key id is none"},
		{"short id", text("AccessKeyId", "ASIA"), "access key id is none"},
		{"long id", text("AccessKeyId", strings.Repeat("A", 129)), "access key id is none"},
		{"id with a newline", text("AccessKeyId", "ASIAEXAMPLEEXAMPLE\nX=Y"), "access key id is none"},
		{"secret with a newline", text("SecretAccessKey", "SECRET\nX=Y"), "secret access key is none"},
		{"secret with a blank", text("SecretAccessKey", "SEC RET"), "secret access key is none"},
		{"secret with an umlaut", text("SecretAccessKey", "SECRETü"), "secret access key is none"},
		{"secret with DEL", text("SecretAccessKey", "SECRET\x7f"), "secret access key is none"},
		{"secret with C1", text("SecretAccessKey", "SECRET\u009b"), "secret access key is none"},
		{"long secret", text("SecretAccessKey", strings.Repeat("S", 1025)), "secret access key is none"},
		{"empty secret", text("SecretAccessKey", ""), "secret access key is none"},
		{"token with a return", text("SessionToken", "SECRET\rX"), "session token is none"},
		{"long token", text("SessionToken", strings.Repeat("t", 64<<10+1)), "session token is none"},
		{"token of no UTF-8", text("SessionToken", "SECRET\xff"), ""},
		{"token with NUL", text("SessionToken", "SECRET\x00"), ""},
		{"ended", text("Expiration", "1999-12-31T23:59:59Z"), "have ended already, at 1999-12-31T23:59:59Z"},
		{"garbled end", text("Expiration", "tomorrow"), cannot},
		{"empty end", text("Expiration", ""), cannot},
		{"HTML", emulator.CaptivePortal(), "a web page (HTTP status 200)"},
		{"HTML that lies", xml("<!DOCTYPE html><html><body>hello"), ""},
		{"empty", xml(""), ""},
		{"blank", xml(" \n"), ""},
		{"JSON", emulator.Respond(200, "application/json", `{"Credentials": {"AccessKeyId": "ASIASECRET"}}`), ""},
		{"plain text", emulator.Respond(200, "text/plain", "SECRET"), ""},
		{"other XML", xml("<a><b>SECRET</b></a>"), ""},
		{"malformed", emulator.Malformed(), cannot},
		{"too large", xml("<a>" + strings.Repeat("x", hop.MaxBody) + "</a>"), "larger than any of AWS's"},
		{"an error too large", emulator.Respond(403, "text/xml", "<a>"+strings.Repeat("x", hop.MaxBody)+"</a>"), "larger than any of AWS's"},
		{"redirect", emulator.Redirect("https://portal.example.com/login?SECRET"), "a redirect to portal.example.com, which AWS never sends"},
		{"redirect to nowhere", emulator.Redirect("::"), "a redirect, which AWS never sends"},
		{"an error with escapes", emulator.Fail(403, "AccessDenied", "a\x1b[31m\u202e"), "HTTP status 403 without an AWS error"},
		{"an error without words", emulator.Respond(403, "text/xml", ""), "403"},
		{"an error in HTML", emulator.Respond(403, "text/html", "<html>"), "a web page (HTTP status 403)"},
		{"an error in JSON", emulator.Respond(403, "application/json", `{"message": "SECRET"}`), ""},
	} {
		for _, kind := range []string{"GetSessionToken", "AssumeRole"} {
			t.Run(test.name+" "+kind, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := bubbled(t, emulator.Options{})
					w.Inject(emulator.Fault{Effect: test.effect})
					var h plan.Hop = w.session(plan.MFA{})
					if kind == "AssumeRole" {
						h = w.role("Open", plan.MFA{}, time.Hour)
					}
					_, err := w.perform(t, h, me)
					e, ok := err.(*hop.AnswerError)
					if !ok || e.Op != kind || e.Host != w.endpoint.URL || e.MFA || !strings.Contains(e.Msg.String(), test.want) || len(e.Msg.String()) > 200 {
						t.Errorf("%#v (%v), want an AnswerError with %q", err, errors.Unwrap(err), test.want)
					}
				})
			})
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	var hits atomic.Int32
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer target.Close()
	for _, status := range []int{301, 302, 303, 307, 308, 399} {
		w := live(t, emulator.Options{})
		h := http.RedirectHandler(target.URL+"/", status)
		server := httptest.NewServer(h)
		w.endpoint.URL = server.URL
		_, err := w.perform(t, w.role("Open", plan.MFA{}, time.Hour), me)
		server.Close()
		if e, ok := err.(*hop.AnswerError); !ok || !strings.Contains(e.Msg.String(), "a redirect") {
			t.Errorf("%d: %v", status, err)
		}
	}
	if n := hits.Load(); n != 0 {
		t.Errorf("the target was asked %d times", n)
	}
}

func TestRefusalsByAWS(t *testing.T) {
	for _, test := range []struct {
		name   string
		fault  emulator.Fault
		from   cred.Credentials
		role   string
		status int
		code   string
		msg    string
	}{
		{"denied", emulator.Fault{}, me, "Ops", 403, "AccessDenied", "is not authorized to perform: sts:AssumeRole"},
		{"unknown key", emulator.Fault{}, cred.Credentials{AccessKeyID: "AKIANOBODYNOBODYNOBO", SecretAccessKey: cred.NewSecret("SECRET")}, "Open", 403, "InvalidClientTokenId", ""},
		{"wrong secret", emulator.Fault{}, cred.Credentials{AccessKeyID: emulator.DemoKeyID, SecretAccessKey: cred.NewSecret("SECRET")}, "Open", 403, "SignatureDoesNotMatch", ""},
		{"throttled", emulator.Fault{Effect: emulator.Throttle()}, me, "Open", 400, "Throttling", "Rate exceeded"},
		{"busy", emulator.Fault{Effect: emulator.Fail(503, "ServiceUnavailable", "later")}, me, "Open", 503, "ServiceUnavailable", "later"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := bubbled(t, emulator.Options{})
				w.Inject(test.fault)
				_, err := w.perform(t, w.role(test.role, plan.MFA{}, time.Hour), test.from)
				e, ok := err.(*hop.APIError)
				if !ok || e.Op != "AssumeRole" || e.Host != w.endpoint.URL || e.Status != test.status || e.Code != test.code ||
					!strings.Contains(e.Message, test.msg) || e.RequestID == "" || e.MFA || e.Skew.Abs() > time.Second {
					t.Errorf("%#v", err)
				}
			})
		})
	}
}

func TestNoAnswer(t *testing.T) {
	refuse := func(err error) func(context.Context, string, string) (net.Conn, error) {
		return func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
		}
	}
	for _, test := range []struct {
		name    string
		dial    func(context.Context, string, string) (net.Conn, error)
		timeout bool
		lookup  bool
	}{
		{"refused", refuse(errors.New("connection refused")), false, false},
		{"no such name", refuse(&net.DNSError{Err: "no such host", Name: "sts.example", IsNotFound: true}), false, true},
		{"no name server", refuse(&net.DNSError{Err: "i/o timeout", Name: "sts.example", IsTimeout: true}), true, true},
		{"no route", func(context.Context, string, string) (net.Conn, error) {
			time.Sleep(5 * time.Second) // which a dialer's own bound ends
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}
		}, true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := bubbled(t, emulator.Options{})
				if err := w.DialWith(test.dial); err != nil {
					t.Fatal(err)
				}
				begun := time.Now()
				_, err := w.perform(t, w.session(plan.MFA{}), me)
				e, ok := err.(*hop.NetworkError)
				if !ok || e.Op != "GetSessionToken" || e.Host != w.endpoint.URL || e.MFA || e.Timeout() != test.timeout || e.Lookup() != test.lookup {
					t.Errorf("%#v", err)
				}
				if took := time.Since(begun); took > hop.TotalTimeout {
					t.Errorf("took %s", took)
				}
			})
		})
	}
	for cause, effect := range map[error]emulator.Effect{io.EOF: emulator.HangUp(), io.ErrUnexpectedEOF: emulator.Truncate()} {
		t.Run(cause.Error(), func(t *testing.T) {
			w := live(t, emulator.Options{})
			w.Inject(emulator.Fault{Effect: effect})
			_, err := w.perform(t, w.session(device), me)
			if e, ok := err.(*hop.NetworkError); !ok || !errors.Is(err, cause) || e.Timeout() || e.Lookup() || !e.MFA {
				t.Errorf("%#v", err)
			}
		})
	}
}

// TestTimeouts waits at each stage at which a server may stall.
func TestTimeouts(t *testing.T) {
	stall := func(r *http.Request) { <-r.Context().Done() }
	for _, test := range []struct {
		name string
		h    http.HandlerFunc
		mfa  plan.MFA
		want time.Duration
	}{
		{"no headers, with a code", func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); stall(r) }, device, hop.HeaderTimeout},
		{"no headers", func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); stall(r) }, plan.MFA{}, hop.TotalTimeout},
		{"no body", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "text/xml")
			_ = http.NewResponseController(w).Flush()
			stall(r)
		}, plan.MFA{}, hop.TotalTimeout},
		{"a byte a second", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "text/xml")
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, " ")
				_ = http.NewResponseController(w).Flush()
				select {
				case <-r.Context().Done():
				case <-time.After(time.Second):
				}
			}
		}, device, hop.TotalTimeout},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, emulator.Options{})
				w.serve(t, test.h)
				begun := time.Now()
				_, err := w.perform(t, w.session(test.mfa), me)
				if took := time.Since(begun); took != test.want {
					t.Errorf("took %s, want %s", took, test.want)
				}
				if e, ok := err.(*hop.NetworkError); !ok || !e.Timeout() || e.MFA != (test.mfa != plan.MFA{}) {
					t.Errorf("%#v", err)
				}
			})
		})
	}
}

func TestCancel(t *testing.T) {
	for _, m := range []plan.MFA{{}, device} {
		synctest.Test(t, func(t *testing.T) {
			w := bubbled(t, emulator.Options{})
			w.Inject(emulator.Fault{Effect: emulator.Stall()})
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(3*time.Second, cancel)
			begun := time.Now()
			_, err := w.Perform(ctx, w.session(m), me)
			if !errors.Is(err, context.Canceled) || time.Since(begun) != 3*time.Second {
				t.Errorf("after %s: %v", time.Since(begun), err)
			}
		})
	}
}
