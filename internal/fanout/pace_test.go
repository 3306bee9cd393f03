package fanout

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestPaceIsNoneUntilARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Pace
		start := time.Now()
		for range 1000 {
			done, err := p.Turn(t.Context(), "sts")
			if err != nil {
				t.Fatal(err)
			}
			done(false)
		}
		if d := time.Since(start); d != 0 {
			t.Errorf("1,000 requests without a refusal waited %s", d)
		}
	})
}

// A refusal of one makes all wait, those for another server not.
func TestOneRefusalSlowsAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Pace
		var done []func(bool)
		for range 100 {
			d, err := p.Turn(t.Context(), "sts")
			if err != nil {
				t.Fatal(err)
			}
			done = append(done, d)
		}
		for _, d := range done {
			d(true)
		}
		start := time.Now()
		for range 140 {
			if _, err := p.Turn(t.Context(), "sts"); err != nil {
				t.Fatal(err)
			}
		}
		// 100 refusals at once are one: 70 a second are left, after the rest.
		if d := time.Since(start); d < 2*time.Second || d > 3*time.Second {
			t.Errorf("140 requests after a refusal at 100 a second took %s", d)
		}
		start = time.Now()
		if _, err := p.Turn(t.Context(), "another"); err != nil || time.Since(start) != 0 {
			t.Errorf("another server was waited for: %s, %v", time.Since(start), err)
		}
	})
}

// Who waited for a moment at the old pace waits again after a refusal.
func TestARefusalDelaysThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Pace
		first, err := p.Turn(t.Context(), "sts")
		if err != nil {
			t.Fatal(err)
		}
		first(true)
		second, err := p.Turn(t.Context(), "sts")
		if err != nil {
			t.Fatal(err)
		}
		went := make(chan time.Time)
		go func() {
			if _, err := p.Turn(t.Context(), "sts"); err != nil {
				t.Error(err)
			}
			went <- time.Now()
		}()
		synctest.Wait()
		second(true)
		refused := time.Now()
		if d := (<-went).Sub(refused); d < firstRest/2 {
			t.Errorf("a request went %s after a refusal", d)
		}
	})
}

func TestPaceGrowsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Pace
		for range 100 {
			if _, err := p.Turn(t.Context(), "sts"); err != nil {
				t.Fatal(err)
			}
		}
		p.answered("sts", 0, true)
		slow := p.lanes["sts"].rate
		begun := time.Now()
		for time.Since(begun) < 3*time.Second {
			done, err := p.Turn(t.Context(), "sts")
			if err != nil {
				t.Fatal(err)
			}
			done(false)
		}
		if rate := p.lanes["sts"].rate; rate < 1.8*slow || rate > 2.2*slow {
			t.Errorf("3 s after a fall to %.1f a second the pace is %.1f, want about twice that", slow, rate)
		}
	})
}

func TestTurnEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Pace
		done, err := p.Turn(t.Context(), "sts")
		if err != nil {
			t.Fatal(err)
		}
		done(true)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := p.Turn(ctx, "sts"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a wait past its time ended with %v", err)
		}
	})
}
