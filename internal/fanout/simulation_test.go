package fanout

import (
	"errors"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// The simulation is of what cannot be run here: 10,000 roles, assumed at an STS
// that throttles by a token bucket as AWS's does (600 requests a second for each
// account and region: IAM User Guide, "IAM and AWS STS quotas"), of which others
// use a part; answers take 80 ms in the median and half a second in the slowest
// hundredth, and one in a hundred fails for a passing reason.
const (
	simulatedRoles = 10_000
	quota          = 600
	failing        = 0.01
)

var errThrottled, errPassing = errors.New("throttled"), errors.New("busy")

// simulatedSTS answers by its own, virtual clock.
type simulatedSTS struct {
	mu               sync.Mutex
	random           *rand.Rand
	rate             float64 // tokens a second left to us
	tokens           float64
	filled           time.Time
	asked, throttled int
}

func (s *simulatedSTS) ask() error {
	s.mu.Lock()
	now := time.Now()
	s.tokens = min(s.rate, s.tokens+s.rate*now.Sub(s.filled).Seconds())
	s.filled = now
	s.asked++
	latency := time.Duration(80 * math.Exp(0.79*s.random.NormFloat64()) * float64(time.Millisecond))
	var err error
	switch {
	case s.tokens < 1:
		s.throttled++
		latency, err = 20*time.Millisecond, errThrottled
	default:
		s.tokens--
		if s.random.Float64() < failing {
			err = errPassing
		}
	}
	s.mu.Unlock()
	time.Sleep(latency)
	return err
}

// backoff waits as the AWS SDKs do in their standard mode: by chance, up to a
// bound that doubles.
func backoff(try int) { time.Sleep(rand.N(min(5*time.Second, time.Second<<try))) }

// alone gets a role as the SDKs do, three tries and each run for itself.
func (s *simulatedSTS) alone() bool {
	for try := 1; ; try++ {
		if s.ask() == nil {
			return true
		}
		if try == 3 {
			return false
		}
		backoff(try)
	}
}

// together gets a role at the pace of all.
func (s *simulatedSTS) together(t *testing.T, p *Pace) bool {
	for turn, try := 0, 1; turn < 20; turn++ {
		done, err := p.Turn(t.Context(), "sts")
		if err != nil {
			return false
		}
		err = s.ask()
		done(err == errThrottled)
		switch {
		case err == nil:
			return true
		case err == errPassing:
			if try++; try > 3 {
				return false
			}
			backoff(try - 1)
		}
	}
	return false
}

func TestSimulation(t *testing.T) {
	for _, tt := range []struct {
		jobs  int
		share float64 // of the quota that is left to us
		paced bool
	}{{8, 1, true}, {64, 1, true}, {64, 1, false}, {64, 0.1, true}, {64, 0.1, false}, {256, 0.1, true}, {256, 0.1, false}} {
		synctest.Test(t, func(t *testing.T) {
			s := &simulatedSTS{random: rand.New(rand.NewPCG(1, 2)), rate: quota * tt.share, tokens: quota * tt.share, filled: time.Now()}
			var p Pace
			var mu sync.Mutex
			failed := 0
			start := time.Now()
			Run(t.Context(), simulatedRoles, tt.jobs, func(int) bool {
				ok := false
				if tt.paced {
					ok = s.together(t, &p)
				} else {
					ok = s.alone()
				}
				if !ok {
					mu.Lock()
					failed++
					mu.Unlock()
				}
				return true
			})
			took := time.Since(start)
			t.Logf("%3d jobs, %3.0f requests a second, together %-5v: %6s, %5d requests, %5d throttled, %5d roles without a session",
				tt.jobs, quota*tt.share, tt.paced, took.Round(100*time.Millisecond), s.asked, s.throttled, failed)
			// At the best, all tokens are used and none is asked for in vain.
			best := max(simulatedRoles/s.rate, simulatedRoles*0.11/float64(tt.jobs))
			if tt.paced && (took.Seconds() > 1.3*best || s.throttled > simulatedRoles/20 || failed > 5) {
				t.Errorf("%d jobs took %s, at the best %.0f s; %d requests were throttled, %d roles have no session", tt.jobs, took, best, s.throttled, failed)
			}
		})
	}
}
