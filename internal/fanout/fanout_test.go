package fanout

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestRunKeepsToItsJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most, all atomic.Int64
		start := time.Now()
		begun := Run(t.Context(), 20, 4, func(int) bool {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Second)
			now.Add(-1)
			all.Add(1)
			return true
		})
		if most.Load() != 4 || all.Load() != 20 || len(begun) != 20 || time.Since(start) != 5*time.Second {
			t.Errorf("%d at once, %d in all, in %s", most.Load(), all.Load(), time.Since(start))
		}
	})
}

func TestRunStopsAndWaitsForWhatHasBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended atomic.Int64
		begun := Run(t.Context(), 20, 3, func(i int) bool {
			time.Sleep(time.Duration(i+1) * time.Second)
			ended.Add(1)
			return i != 1
		})
		// 0 ends first, and 3 begins; 1 ends the beginning.
		for i, b := range begun {
			if b != (i < 4) {
				t.Errorf("%d begun: %v", i, b)
			}
		}
		if ended.Load() != 4 {
			t.Errorf("%d ended, want those 4 that had begun", ended.Load())
		}
	})
}

func TestRunEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		begun := Run(ctx, 9, 2, func(int) bool { time.Sleep(time.Second); return true })
		n := 0
		for _, b := range begun {
			if b {
				n++
			}
		}
		if n != 4 {
			t.Errorf("%d begun, want 4", n)
		}
	})
}
