package fanout

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// The simulation is of what cannot be run here: 10,000 roles, assumed at an STS
// that throttles as AWS's does, by a token bucket for each account that asks and
// each Region that is asked (600 requests a second: IAM User Guide, "IAM and AWS
// STS quotas"), of which others use a part. Answers take 80 ms in the median and
// half a second in the slowest hundredth, and one in a hundred fails for a
// passing reason.
const (
	simulatedRoles = 10_000
	quota          = 600
	failing        = 0.01
)

var errThrottled, errPassing = errors.New("throttled"), errors.New("busy")

// bucketOf says who asks, and where.
type bucketOf struct{ account, region int }

// bucket holds what may be asked at once.
type bucket struct {
	tokens float64
	filled time.Time
}

// simulatedSTS answers by its own, virtual clock.
type simulatedSTS struct {
	mu               sync.Mutex
	random           *rand.Rand
	rate             float64 // tokens a second left to us in each bucket
	buckets          map[bucketOf]*bucket
	asked, throttled int
}

func (s *simulatedSTS) ask(of bucketOf) error {
	s.mu.Lock()
	now := time.Now()
	b := s.buckets[of]
	if b == nil {
		b = &bucket{s.rate, now}
		s.buckets[of] = b
	}
	b.tokens = min(s.rate, b.tokens+s.rate*now.Sub(b.filled).Seconds())
	b.filled = now
	s.asked++
	latency := time.Duration(80 * math.Exp(0.79*s.random.NormFloat64()) * float64(time.Millisecond))
	var err error
	switch {
	case b.tokens < 1:
		s.throttled++
		latency, err = 20*time.Millisecond, errThrottled
	default:
		b.tokens--
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
func (s *simulatedSTS) alone(of bucketOf) bool {
	for try := 1; ; try++ {
		if s.ask(of) == nil {
			return true
		}
		if try == 3 {
			return false
		}
		backoff(try)
	}
}

// together gets a role at the pace of all that ask in its Region.
func (s *simulatedSTS) together(t *testing.T, p *Pace, of bucketOf) bool {
	for turn, try := 0, 1; turn < 20; turn++ {
		done, err := p.Turn(t.Context(), fmt.Sprint("sts.", of.region))
		if err != nil {
			return false
		}
		err = s.ask(of)
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
		jobs              int
		share             float64 // of the quota that is left to us
		accounts, regions int
		paced             bool
	}{
		{8, 1, 1, 1, true},
		{64, 1, 1, 1, true},
		{64, 1, 1, 1, false},
		{64, 0.1, 1, 1, true},
		{64, 0.1, 1, 1, false},
		{256, 0.1, 1, 1, true},
		{256, 0.1, 1, 1, false},
		{256, 0.1, 1, 4, true},
		{256, 0.1, 2, 4, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &simulatedSTS{random: rand.New(rand.NewPCG(1, 2)), rate: quota * tt.share, buckets: map[bucketOf]*bucket{}}
			var p Pace
			var mu sync.Mutex
			failed := 0
			var waits []time.Duration // of each run, until it had its session
			start := time.Now()
			Run(t.Context(), simulatedRoles, tt.jobs, func(i int) bool {
				of := bucketOf{i % tt.accounts, i / tt.accounts % tt.regions}
				begun, ok := time.Now(), false
				if tt.paced {
					ok = s.together(t, &p, of)
				} else {
					ok = s.alone(of)
				}
				mu.Lock()
				defer mu.Unlock()
				waits = append(waits, time.Since(begun))
				if !ok {
					failed++
				}
				return true
			})
			took := time.Since(start)
			slices.Sort(waits)
			at := func(part float64) time.Duration {
				return waits[int(part*float64(len(waits)-1))].Round(10 * time.Millisecond)
			}
			t.Logf("%3d jobs, %3.0f requests a second, %d accounts, %d regions, together %-5v: %6s, %5d requests, %5d throttled, %4d roles without a session; a run waits %s, %s, %s (median, 99 %%, most)",
				tt.jobs, quota*tt.share, tt.accounts, tt.regions, tt.paced, took.Round(100*time.Millisecond), s.asked, s.throttled, failed, at(0.5), at(0.99), at(1))
			// At the best, all tokens are used and none is asked for in vain.
			best := max(simulatedRoles/(s.rate*float64(tt.accounts*tt.regions)), simulatedRoles*0.11/float64(tt.jobs))
			if tt.paced && (took.Seconds() > 1.3*best || s.throttled > simulatedRoles/20 || failed > 5) {
				t.Errorf("%d jobs took %s, at the best %.0f s; %d requests were throttled, %d roles have no session", tt.jobs, took, best, s.throttled, failed)
			}
		})
	}
}
