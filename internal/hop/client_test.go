package hop

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"aws-switch-role/internal/emulator"
	"aws-switch-role/internal/plan"
)

// A chain of ten hops asks AWS ten times, over one connection.
func TestChainOverOneConnection(t *testing.T) {
	const hops = 10
	w := emulator.World{Users: emulator.Demo().Users}
	var chain []plan.AssumeRole
	for i := range hops {
		arn := "arn:aws:iam::222222222222:role/R" + strconv.Itoa(i)
		w.Roles = append(w.Roles, emulator.Role{ARN: arn, Trust: `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}`})
		chain = append(chain, plan.AssumeRole{RoleARN: arn, SessionName: "me", Duration: time.Hour})
	}
	c := newCloud(t, w)
	var connections atomic.Int32
	s := httptest.NewUnstartedServer(c.server)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	from := me
	for _, h := range chain {
		h.Endpoint = plan.Endpoint{Region: "us-east-1", URL: s.URL}
		from = c.must(h, from)
	}
	if n := c.count("AssumeRole"); n != hops {
		t.Errorf("AWS was asked %d times, want %d", n, hops)
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections were made, want 1", n)
	}
}

func TestRetry(t *testing.T) {
	tests := []struct {
		name   string
		fault  emulator.Fault
		asked  int // requests that AWS sees
		passes bool
	}{
		{"throttled once", emulator.Fault{Effect: emulator.Throttle(), Count: 1}, 2, true},
		{"busy twice", emulator.Fault{Effect: emulator.Fail(503, "ServiceUnavailable", ""), Count: 2}, 3, true},
		{"busy for good", emulator.Fault{Effect: emulator.Fail(500, "InternalFailure", "")}, 3, false},
		{"hangs up once", emulator.Fault{Effect: emulator.HangUp(), Count: 1}, 2, true},
		{"denied", emulator.Fault{Effect: emulator.Fail(403, "AccessDenied", "no")}, 1, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, emulator.Demo())
			c.server.Inject(tt.fault)
			_, err := c.performer.Perform(t.Context(), c.role("Open"), me)
			if (err == nil) != tt.passes {
				t.Errorf("error is %v", err)
			}
			if n := c.count("AssumeRole"); n != tt.asked {
				t.Errorf("AWS was asked %d times, want %d", n, tt.asked)
			}
		})
	}
}

// A request with a code in it is sent once, whatever becomes of it.
func TestNoRetryWithCode(t *testing.T) {
	for name, effect := range map[string]emulator.Effect{
		"throttled": emulator.Throttle(),
		"busy":      emulator.Fail(503, "ServiceUnavailable", ""),
		"hangs up":  emulator.HangUp(),
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, emulator.Demo())
			c.performer.MFACode = c.code
			c.server.Inject(emulator.Fault{Effect: effect})
			h := c.role("Ops")
			h.MFA.Serial = emulator.DemoDevice
			if _, err := c.performer.Perform(t.Context(), h, me); err == nil {
				t.Error("no error")
			}
			if n := c.count("AssumeRole"); n != 1 {
				t.Errorf("AWS was asked %d times", n)
			}
		})
	}
}

// The waits between tries are drawn evenly from nothing to a bound that
// doubles, so that all tries of a request end well within its time.
func TestRetryWaits(t *testing.T) {
	r := (&Performer{}).retryer()
	if n := r.MaxAttempts(); n != maxAttempts {
		t.Errorf("at most %d tries, want %d", n, maxAttempts)
	}
	for try, bound := range map[int]time.Duration{1: 2 * time.Second, 2: 4 * time.Second} {
		var longest time.Duration
		shortest := bound
		for range 500 {
			d, err := r.RetryDelay(try, errors.New("busy"))
			if err != nil {
				t.Fatal(err)
			}
			longest, shortest = max(longest, d), min(shortest, d)
		}
		if longest > bound || longest < bound*9/10 || shortest > bound/10 {
			t.Errorf("waits after try %d are from %v to %v, want all of 0 to %v", try, shortest, longest, bound)
		}
	}
}

// The same of requests that the SDK does not make.
func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for attempt, bound := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second} {
			var longest time.Duration
			shortest := bound
			for range 500 {
				begun := time.Now()
				if !pause(t.Context(), attempt) {
					t.Fatal("it was cut short")
				}
				d := time.Since(begun)
				longest, shortest = max(longest, d), min(shortest, d)
			}
			if longest > bound || longest < bound*9/10 || shortest > bound/10 {
				t.Errorf("waits after try %d are from %v to %v, want all of 0 to %v", attempt, shortest, longest, bound)
			}
		}
	})
}

// The host that people are told of is the one that the SDK asks, in every
// partition.
func TestHosts(t *testing.T) {
	for _, region := range []string{
		"us-east-1", "eu-west-1", "ap-east-1", "us-gov-west-1", "us-gov-east-1", "cn-north-1", "cn-northwest-1",
		"us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1", "us-isof-south-1", "eusc-de-east-1",
	} {
		for _, fips := range []bool{false, true} {
			for _, dualStack := range []bool{false, true} {
				e := plan.Endpoint{Region: region, FIPS: fips, DualStack: dualStack}
				p := &Performer{}
				client, err := p.sts(e, me, true)
				if err != nil {
					t.Fatal(err)
				}
				dialled := ""
				p.client.transport.Proxy = nil
				p.client.transport.DialContext = func(_ context.Context, _, address string) (net.Conn, error) {
					dialled = address
					return nil, errors.New("no network")
				}
				if _, err := client.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); err == nil {
					t.Fatal("somebody answered")
				}
				if want := e.Host() + ":443"; dialled != want {
					t.Errorf("%+v: %s was dialled, want %s", e, dialled, want)
				}
			}
		}
	}
}
