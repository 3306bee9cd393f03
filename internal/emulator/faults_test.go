package emulator_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"aws-switch-role/internal/emulator"
)

// TestFaultsThatAnswer looks at what each effect sends.
func TestFaultsThatAnswer(t *testing.T) {
	for _, c := range []struct {
		name          string
		effect        emulator.Effect
		status        int
		contains, not string
		spoilsSecrets bool
	}{
		{"throttled", emulator.Throttle(), 400, "<Code>Throttling</Code>\n    <Message>Rate exceeded</Message>", "AccessKeyId", true},
		{"unavailable", emulator.Fail(503, "ServiceUnavailable", "later"), 503, "<Type>Receiver</Type>", "AccessKeyId", true},
		{"hostile message", emulator.Fail(403, "AccessDenied", emulator.HostileText), 403, emulator.HostileText, "AccessKeyId", true},
		{"markup in a message", emulator.Fail(403, "AccessDenied", "</Message><a&b>"), 403, "&lt;/Message&gt;&lt;a&amp;b&gt;", "", true},
		{"hostile value", emulator.Replace("AccessKeyId", emulator.HostileText), 200, "<AccessKeyId>" + emulator.HostileText + "</AccessKeyId>", "ASIA", false},
		{"a dollar is no group", emulator.Replace("AccessKeyId", "$1"), 200, "<AccessKeyId>$1</AccessKeyId>", "ASIA", false},
		{"expired", emulator.Replace("Expiration", "2001-01-01T00:00:00Z"), 200, "<Expiration>2001-01-01T00:00:00Z</Expiration>", "2026-", false},
		{"ends", emulator.EndAt(time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)), 200, "<Expiration>2001-01-01T00:00:00Z</Expiration>", "2026-", false},
		{"no credentials", emulator.Remove("Credentials"), 200, "<AssumedRoleUser>", "Credentials", true},
		{"captive portal", emulator.CaptivePortal(), 200, "<!DOCTYPE html>", "Credentials", true},
		{"malformed", emulator.Malformed(), 200, "<AccessKeyId>ASIA", "</AccessKeyId>", true},
		{"redirect", emulator.Redirect("https://portal.example/"), 302, "", "Credentials", true},
		{"huge", emulator.Respond(200, "text/xml", strings.Repeat("x", 1<<24)), 200, "xxxx", "Credentials", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := demo(t)
			d.server.Inject(emulator.Fault{Action: "AssumeRole", Effect: c.effect})
			r := d.sts(me, "AssumeRole", role("Open"))
			if r.status != c.status || !strings.Contains(r.body, c.contains) || c.not != "" && strings.Contains(r.body, c.not) {
				t.Errorf("%d %.500q", r.status, r.body)
			}
			if c.spoilsSecrets && strings.Contains(r.body, "SECRET") {
				t.Error("the answer has a secret in it")
			}
			if c.status == 302 && r.header.Get("Location") != "https://portal.example/" {
				t.Errorf("headers %v", r.header)
			}
			if last := d.server.Requests()[0]; last.Status != c.status {
				t.Errorf("the log says %d", last.Status)
			}
		})
	}
}

func TestFaultMatching(t *testing.T) {
	d := demo(t)
	d.server.Inject(emulator.Fault{Action: "AssumeRole", RoleARN: emulator.DemoRole("Open"), Skip: 1, Count: 2, Effect: emulator.Throttle()})
	var got []int
	for range 5 {
		d.ok(d.sts(me, "GetCallerIdentity", nil))
		d.ok(d.sts(me, "AssumeRole", role("ForMe")))
		got = append(got, d.sts(me, "AssumeRole", role("Open")).status)
	}
	for i, want := range []int{200, 400, 400, 200, 200} {
		if got[i] != want {
			t.Fatalf("statuses %v", got)
		}
	}
	d.server.Inject(emulator.Fault{Effect: emulator.Throttle()})
	if d.sts(me, "GetCallerIdentity", nil).status != 400 {
		t.Error("a fault for everything missed something")
	}
	d.server.Heal()
	d.ok(d.sts(me, "GetCallerIdentity", nil))
}

// TestFaultAndTheCode shows the difference that Acts makes.
func TestFaultAndTheCode(t *testing.T) {
	for _, acts := range []bool{false, true} {
		d := demo(t)
		d.server.Inject(emulator.Fault{Count: 1, Effect: emulator.Fail(500, "InternalFailure", "sorry"), Acts: acts})
		params := d.mfa(form())
		d.refused(d.sts(me, "GetSessionToken", params), 500, "InternalFailure", "sorry")
		r := d.sts(me, "GetSessionToken", params)
		if acts {
			d.refused(r, 403, "AccessDenied", wrongCode)
		} else {
			d.ok(r)
		}
	}
}

func TestSkewedServer(t *testing.T) {
	d := demo(t)
	d.server.Inject(emulator.Fault{Skew: 10 * time.Minute})
	r := d.sts(me, "GetCallerIdentity", nil)
	d.refused(r, 403, "SignatureDoesNotMatch", "Signature expired: 20260102T150000Z is now earlier than 20260102T150500Z (20260102T151000Z - 5 min.)")
	if r.header.Get("Date") != "Fri, 02 Jan 2026 15:10:00 GMT" {
		t.Errorf("Date %s", r.header.Get("Date"))
	}
	d.lag = -10 * time.Minute // a client that believes the Date header
	d.ok(d.sts(me, "GetCallerIdentity", nil))
}

// TestFaultsOfTheConnection needs a socket.
func TestFaultsOfTheConnection(t *testing.T) {
	for _, c := range []struct {
		name   string
		fault  emulator.Fault
		err    error
		status int // in the log
	}{
		{"hang up", emulator.Fault{Effect: emulator.HangUp()}, io.EOF, 0},
		{"stall", emulator.Fault{Effect: emulator.Stall()}, context.DeadlineExceeded, 0},
		{"truncate", emulator.Fault{Effect: emulator.Truncate()}, io.ErrUnexpectedEOF, http.StatusForbidden},
		{"delay", emulator.Fault{Delay: 50 * time.Millisecond}, nil, http.StatusForbidden},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, l := serve(t)
			s.Inject(c.fault)
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			began := time.Now()
			err := post(ctx, l.URL, "Action=GetCallerIdentity")
			if !errors.Is(err, c.err) {
				t.Errorf("error %v, want %v", err, c.err)
			}
			if took := time.Since(began); took < c.fault.Delay {
				t.Errorf("it took %v", took)
			}
			if log := s.Requests(); len(log) != 1 || log[0].Status != c.status {
				t.Errorf("log %+v", log)
			}
		})
	}
}

// post sends an unsigned form and reads the whole answer.
func post(ctx context.Context, url, body string) error {
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(ctx, "POST", url, strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	a, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	_, err = io.ReadAll(a.Body)
	return err
}
