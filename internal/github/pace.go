package github

import (
	"context"
	"slices"
	"sync"
	"time"
)

// The buckets that a request draws from. GitHub limits all that writes, what
// is newly created, and the points of all requests together.
const (
	allWrites = iota
	newContent
	allPoints
	buckets
)

// What a request costs in points: GitHub counts writes five times.
const (
	readPoints  = 1
	writePoints = 5
)

// draw is what a request takes out of each bucket.
type draw [buckets]float64

// bucket fills steadily up to its size. The zero bucket limits nothing.
type bucket struct {
	size, perSecond float64
	level           float64
	at              time.Time // when level was right
}

func full(size, perSecond float64) bucket {
	return bucket{size: size, perSecond: perSecond, level: size}
}

func (b *bucket) fill(now time.Time) {
	if !b.at.IsZero() {
		b.level = min(b.size, b.level+now.Sub(b.at).Seconds()*b.perSecond)
	}
	b.at = now
}

// waiter is a request that waits for its turn.
type waiter struct {
	draw      draw
	important bool
}

// pacer spaces requests. Whoever waits stands in a line, the important ones
// before the others: a limiter that hands out reservations, as
// golang.org/x/time/rate does, would keep an apply behind all comments that
// came before it.
type pacer struct {
	clock Clock

	mu      sync.Mutex
	buckets [buckets]bucket
	line    []*waiter
}

// set replaces buckets; who waits already goes by the new ones.
func (p *pacer) set(b [buckets]bucket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.buckets = b
}

// wait returns when the request may go. It fails with a LimitError, and takes
// nothing, where that would be later than most from now, be it because more
// important ones have come meanwhile.
func (p *pacer) wait(ctx context.Context, d draw, important bool, most time.Duration) error {
	if d == (draw{}) {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	w := &waiter{draw: d, important: important}
	at := len(p.line)
	if important {
		if at = slices.IndexFunc(p.line, func(o *waiter) bool { return !o.important }); at < 0 {
			at = len(p.line)
		}
	}
	p.line = slices.Insert(p.line, at, w)
	defer func() { // p.mu is held whichever way out
		p.line = slices.DeleteFunc(p.line, func(o *waiter) bool { return o == w })
	}()
	start := p.clock.Now()
	for {
		now := p.clock.Now()
		left := p.left(w, now)
		if left <= 0 {
			for i := range p.buckets {
				p.buckets[i].level -= d[i]
			}
			return nil
		}
		if now.Add(left).Sub(start) > most {
			return &LimitError{After: left}
		}
		p.mu.Unlock()
		err := p.clock.Sleep(ctx, left)
		p.mu.Lock()
		if err != nil {
			return err
		}
	}
}

// left returns how long it takes until the buckets hold what w and all before
// it want.
func (p *pacer) left(w *waiter, now time.Time) time.Duration {
	var want draw
	for _, o := range p.line {
		for i := range want {
			want[i] += o.draw[i]
		}
		if o == w {
			break
		}
	}
	var left time.Duration
	for i := range p.buckets {
		b := &p.buckets[i]
		if b.size == 0 || w.draw[i] == 0 {
			continue
		}
		b.fill(now)
		// A millionth of a token is rounding, not a reason to wait.
		if missing := want[i] - b.level; missing > 1e-6 {
			left = max(left, time.Duration(missing/b.perSecond*float64(time.Second)))
		}
	}
	return left
}
