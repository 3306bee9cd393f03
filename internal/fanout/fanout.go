// Package fanout does one thing many times at once: how many at a time, when
// to begin no more, and how fast to ask a server that many ask together. It
// knows neither what is done nor who is asked.
package fanout

import (
	"context"
	"sync"
)

// Run calls do for each number from 0 to n-1, beginning in that order, with at
// most jobs (1 or more) calls at a time. It begins no more of them once ctx is
// done or a call has returned false, waits for those that have begun and
// returns which have.
func Run(ctx context.Context, n, jobs int, do func(i int) (goOn bool)) (begun []bool) {
	var (
		mu      sync.Mutex // guards what follows
		next    int
		stopped bool
	)
	take := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		if stopped || next == n || ctx.Err() != nil {
			return 0, false
		}
		next++
		return next - 1, true
	}
	var workers sync.WaitGroup
	for range min(n, jobs) {
		workers.Go(func() {
			for {
				i, ok := take()
				if !ok {
					return
				}
				if !do(i) {
					mu.Lock()
					stopped = true
					mu.Unlock()
				}
			}
		})
	}
	workers.Wait()
	begun = make([]bool, n)
	for i := range next {
		begun[i] = true
	}
	return begun
}
