package hop

import (
	"context"
	"errors"
	"sync"
	"testing"

	"aws-switch-role/internal/cred"
	"aws-switch-role/internal/emulator"
)

// turns counts the turns that were taken and what they were told.
type turns struct {
	mu               sync.Mutex
	taken, throttled int
	hosts            map[string]bool
}

func (n *turns) turn(_ context.Context, host string) (func(bool), error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.taken++
	if n.hosts == nil {
		n.hosts = map[string]bool{}
	}
	n.hosts[host] = true
	return func(throttled bool) {
		n.mu.Lock()
		defer n.mu.Unlock()
		if throttled {
			n.throttled++
		}
	}, nil
}

func TestTurns(t *testing.T) {
	for _, tt := range []struct {
		name             string
		fault            emulator.Fault
		asked            int // requests that AWS sees
		taken, throttled int
		passes           bool
	}{
		{"well", emulator.Fault{}, 1, 1, 0, true},
		{"throttled", emulator.Fault{Effect: emulator.Throttle(), Count: 7}, 8, 8, 7, true},
		{"throttled for ever", emulator.Fault{Effect: emulator.Throttle()}, maxTurns, maxTurns, maxTurns, false},
		{"busy once", emulator.Fault{Effect: emulator.Fail(503, "ServiceUnavailable", ""), Count: 1}, 2, 1, 0, true},
		{"denied", emulator.Fault{Effect: emulator.Fail(403, "AccessDenied", "no")}, 1, 1, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, emulator.Demo())
			var n turns
			c.performer.Turn = n.turn
			c.server.Inject(tt.fault)
			_, err := c.performer.Perform(t.Context(), c.role("Open"), me)
			if (err == nil) != tt.passes {
				t.Errorf("error is %v", err)
			}
			if asked := c.count("AssumeRole"); asked != tt.asked || n.taken != tt.taken || n.throttled != tt.throttled || len(n.hosts) != 1 {
				t.Errorf("AWS was asked %d times in %d turns at %v, %d of them throttled; want %d, %d, %d", asked, n.taken, n.hosts, n.throttled, tt.asked, tt.taken, tt.throttled)
			}
		})
	}
}

// A code is sent once, by whatever pace.
func TestTurnsWithCode(t *testing.T) {
	c := newCloud(t, emulator.Demo())
	var n turns
	c.performer.MFACode, c.performer.Turn = c.code, n.turn
	c.server.Inject(emulator.Fault{Effect: emulator.Throttle()})
	h := c.role("Ops")
	h.MFA.Serial = emulator.DemoDevice
	if _, err := c.performer.Perform(t.Context(), h, me); err == nil || c.count("AssumeRole") != 1 || n.throttled != 1 {
		t.Errorf("AWS was asked %d times, %d times throttled: %v", c.count("AssumeRole"), n.throttled, err)
	}
}

func TestNoTurn(t *testing.T) {
	c := newCloud(t, emulator.Demo())
	told := errors.New("no turn")
	c.performer.Turn = func(context.Context, string) (func(bool), error) { return nil, told }
	if got, err := c.performer.Perform(t.Context(), c.role("Open"), me); !errors.Is(err, told) || got != (cred.Credentials{}) || c.count("AssumeRole") != 0 {
		t.Errorf("without a turn: %v", err)
	}
}
