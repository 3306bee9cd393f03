package fanout

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// How a pace changes. A server that refuses one of us for asking too often
// would refuse the others next, so one refusal slows all: the rate falls to a
// part of what was sent in the last second and then grows steadily, as TCP's
// window does (additive increase, multiplicative decrease: Chiu and Jain 1989),
// which shares a limit fairly with others who do the same.
const (
	slowDown  = 0.7             // what is left of the rate after a refusal, as in the AWS SDKs' adaptive mode
	speedUp   = 0.25            // of the highest rate, added each second
	forget    = 0.8             // what is left of the highest rate after a refusal
	slowest   = 0.5             // requests a second
	firstRest = time.Second / 4 // nobody asks for so long after a refusal
	lastRest  = 8 * time.Second // nor, after many in a row, for longer
)

// Pace is how fast requests go to each of several servers, for all callers
// together. As long as a server refuses none, they go as they come. The zero
// value is ready for use.
type Pace struct {
	mu    sync.Mutex
	lanes map[string]*lane
}

// lane is the pace towards one server.
type lane struct {
	rate     float64   // requests a second; 0 is without bound
	highest  float64   // rate that was reached, less with each refusal
	free     time.Time // when the next request may go
	refusals int       // in a row
	epoch    int       // counts the refusals that slowed us down
	second   time.Time // the second that is being counted
	sent     int       // in it
	before   int       // in the one before
}

// Turn waits until a request may go to a server. done must be called when it
// was answered, and told whether the server refused it for asking too often.
// The error is of ctx.
func (p *Pace) Turn(ctx context.Context, server string) (done func(refused bool), err error) {
	for {
		wait, epoch := p.reserve(server)
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
		if begun, ok := p.begin(server, epoch); ok {
			return func(refused bool) { p.answered(server, begun, refused) }, nil
		}
	}
}

func (p *Pace) lane(server string) *lane {
	l, ok := p.lanes[server]
	if !ok {
		l = &lane{}
		if p.lanes == nil {
			p.lanes = map[string]*lane{}
		}
		p.lanes[server] = l
	}
	return l
}

// reserve takes the next free moment.
func (p *Pace) reserve(server string) (wait time.Duration, epoch int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l, now := p.lane(server), time.Now()
	if l.rate == 0 {
		return 0, l.epoch
	}
	if l.free.Before(now) {
		l.free = now
	}
	wait = l.free.Sub(now)
	l.free = l.free.Add(time.Duration(float64(time.Second) / l.rate))
	return wait, l.epoch
}

// begin counts a request that goes now. A refusal in the meantime has made the
// moment that was reserved void.
func (p *Pace) begin(server string, epoch int) (begun int, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.lane(server)
	if l.epoch != epoch {
		return 0, false
	}
	l.count(time.Now())
	l.sent++
	return epoch, true
}

// count begins a new second when the one before is over.
func (l *lane) count(now time.Time) {
	switch age := now.Sub(l.second); {
	case age >= 2*time.Second:
		l.second, l.before, l.sent = now, 0, 0
	case age >= time.Second:
		l.second, l.before, l.sent = l.second.Add(time.Second), l.sent, 0
	}
}

// answered learns from an answer. Of the requests that were on their way
// together, the first refusal slows all down; the others say the same.
func (p *Pace) answered(server string, begun int, refused bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l, now := p.lane(server), time.Now()
	switch {
	case !refused && l.rate > 0:
		l.refusals = 0
		l.rate += max(slowest, speedUp*l.highest) / l.rate // as many answers come in a second
	case refused && begun == l.epoch:
		l.count(now)
		was := float64(max(l.before, l.sent))
		if l.rate > 0 {
			was = min(was, l.rate)
		}
		l.rate = max(slowest, slowDown*was)
		l.highest = max(was, forget*l.highest)
		rest := min(lastRest, firstRest<<min(l.refusals, 10))
		l.free = now.Add(rest/2 + rand.N(rest/2))
		l.refusals++
		l.epoch++
	}
}

// sleep waits for d or the end of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
