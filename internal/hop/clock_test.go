package hop

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"aws-switch-role/internal/emulator"
	"aws-switch-role/internal/plan"
)

// tolerance is how far an expiry may be off: Date headers tell whole seconds,
// and an uncorrected difference stays below noticeable.
const tolerance = 5 * time.Second

func TestClockSkew(t *testing.T) {
	const refused = 5 * time.Minute // STS refuses signatures from there on
	for _, skew := range []time.Duration{-24 * time.Hour, -time.Hour, -6 * time.Minute, -4 * time.Minute, 0, 4 * time.Minute, 6 * time.Minute, time.Hour, 24 * time.Hour} {
		t.Run(skew.String(), func(t *testing.T) {
			c := newCloud(t, emulator.Demo())
			asked := 0
			switched := func(requests int) {
				t.Helper()
				got := c.must(c.role("Open"), me)
				if off := time.Until(got.Expires) - time.Hour; off.Abs() > tolerance {
					t.Errorf("the session ends %v beside what this machine's clock will say then", off)
				}
				if n := c.count("AssumeRole") - asked; n != requests {
					t.Errorf("AWS was asked %d times, want %d", n, requests)
				}
				asked = c.count("AssumeRole")
			}
			learning := 1
			if skew.Abs() > refused {
				learning = 2
			}
			var told []time.Duration
			c.performer.ClockOff = func(ahead time.Duration) { told = append(told, ahead) }
			c.server.Inject(emulator.Fault{Skew: skew})
			switched(learning)
			switched(1) // what was learnt is kept
			switch {
			case skew == 0 && len(told) > 0:
				t.Errorf("a clock that is right is told to be off by %v", told)
			case skew != 0 && (len(told) != 1 || (told[0]-skew).Abs() > tolerance):
				t.Errorf("told %v, want %v once", told, skew)
			}
			c.server.Heal()
			switched(learning) // and unlearnt when the clocks agree again
			switched(1)
		})
	}
}

// A request refused for its time has not spent its code, which is sent again
// and asked for once.
func TestClockSkewKeepsCode(t *testing.T) {
	c := newCloud(t, emulator.Demo())
	asked := 0
	c.performer.Now = func() time.Time { return time.Now().Add(-time.Hour) }
	c.performer.MFACode = func(ctx context.Context, m plan.MFA, problem error) (string, error) {
		asked++
		return c.code(ctx, m, problem)
	}
	got := c.must(plan.SessionToken{MFA: plan.MFA{Serial: emulator.DemoDevice}, Duration: time.Hour, Endpoint: plan.SessionEndpoint{Region: "us-east-1", URL: c.url}}, me)
	if asked != 1 {
		t.Errorf("the code was asked for %d times", asked)
	}
	if off := got.Expires.Sub(c.performer.Now()) - time.Hour; off.Abs() > tolerance {
		t.Errorf("the session ends %v beside this machine's clock", off)
	}
}

// Refusals that a clock has nothing to do with are not tried again, and one
// whose Date does not explain it is not either.
func TestClockSkewOnlyForTime(t *testing.T) {
	for name, message := range map[string]string{
		"signature": "The request signature we calculated does not match the signature you provided.",
		"no skew":   "Signature expired: 20260102T030405Z is now earlier than 20260102T030905Z",
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, emulator.Demo())
			c.server.Inject(emulator.Fault{Effect: emulator.Fail(403, "SignatureDoesNotMatch", message)})
			_, err := c.performer.Perform(t.Context(), c.role("Open"), me)
			if e, ok := errors.AsType[*APIError](err); !ok || e.Code != "SignatureDoesNotMatch" {
				t.Errorf("error is %v", err)
			}
			if n := c.count("AssumeRole"); n != 1 {
				t.Errorf("AWS was asked %d times", n)
			}
		})
	}
}

// A server whose clock is never right is asked twice, not for ever.
func TestClockSkewEnds(t *testing.T) {
	c := newCloud(t, emulator.Demo())
	c.server.Inject(emulator.Fault{Skew: time.Hour, Count: 1})
	c.server.Inject(emulator.Fault{Skew: -time.Hour, Count: 1})
	_, err := c.performer.Perform(t.Context(), c.role("Open"), me)
	if e, ok := errors.AsType[*APIError](err); !ok || !e.RefusedTime() {
		t.Errorf("error is %v", err)
	}
	if n := c.count("AssumeRole"); n != 2 {
		t.Errorf("AWS was asked %d times", n)
	}
}

// Requests that were under way when another one learnt the offset learn it
// for themselves.
func TestClockSkewTogether(t *testing.T) {
	c := newCloud(t, emulator.Demo())
	c.server.Inject(emulator.Fault{Skew: time.Hour})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := c.performer.Perform(t.Context(), c.role("Open"), me); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestToldTime(t *testing.T) {
	for message, want := range map[string]string{
		"Signature expired: 20260102T150000Z is now earlier than 20260102T150500Z (20260102T151000Z - 5 min.)":         "2026-01-02T15:10:00Z",
		"Signature not yet current: 20260102T151000Z is still later than 20260102T150500Z (20260102T150000Z + 5 min.)": "2026-01-02T15:00:00Z",
		"Signature expired: 20260102T150000Z is now earlier than 20260102T150500Z":                                     "",
		"Signature expired: x (y":                    "",
		"The security token (20260102T150000Z) ends": "",
	} {
		got := ""
		if at, ok := toldTime(message); ok {
			got = at.Format(time.RFC3339)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", message, got, want)
		}
	}
}

// A proxy may set the Date header: the words of the refusal go before it.
func TestClockByWords(t *testing.T) {
	c := newCloud(t, emulator.Demo())
	aws := time.Now().UTC().Add(time.Hour)
	const form = "20060102T150405Z"
	c.server.Inject(emulator.Fault{Effect: emulator.Fail(403, "SignatureDoesNotMatch", "Signature expired: x is now earlier than y ("+aws.Format(form)+" - 5 min.)")})
	_, err := c.performer.Perform(t.Context(), c.role("Open"), me)
	e, ok := errors.AsType[*APIError](err)
	if !ok || (e.Skew-time.Hour).Abs() > time.Minute {
		t.Errorf("%v, want a clock that is an hour ahead", err)
	}
}
