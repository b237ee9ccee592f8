package capacity

import (
	"context"
	"slices"
	"sync"
)

// Gate lets runs in as Admit decides. It is safe for concurrent use.
type Gate struct {
	measure func() Limits

	mu      sync.Mutex
	limits  Limits
	running map[string]Need
	waiting []*waiter
}

type waiter struct {
	Waiting
	lack Lack
	told Lack          // what onWait was told
	in   chan struct{} // closed when it is let in
	news chan Lack     // what it waits for now
}

// New returns a gate. measure says what there is; it is asked whenever nothing
// runs, so that what else the machine does then counts, and must be quick.
func New(measure func() Limits) *Gate {
	return &Gate{measure: measure, limits: measure(), running: map[string]Need{}}
}

// Enter waits until the run may begin, and counts it from then on, until
// Leave. onWait, which may be nil, is called, from Enter's goroutine, with what
// it waits for, as that changes. A run that is in already is let in. The error
// is ctx's, and the run counts for nothing then.
func (g *Gate) Enter(ctx context.Context, n Need, onWait func(Lack)) error {
	g.mu.Lock()
	if _, in := g.running[n.Run]; in {
		g.mu.Unlock()
		return nil
	}
	w := &waiter{Waiting: Waiting{Need: n}, in: make(chan struct{}), news: make(chan Lack, 1)}
	g.waiting = append(g.waiting, w)
	g.turn()
	g.mu.Unlock()
	for {
		select {
		case <-w.in:
			return nil
		default:
		}
		select {
		case <-w.in:
			return nil
		case lack := <-w.news:
			if onWait != nil {
				onWait(lack)
			}
		case <-ctx.Done():
			g.mu.Lock()
			defer g.mu.Unlock()
			select {
			case <-w.in: // at the same moment
				delete(g.running, n.Run)
			default:
				g.waiting = slices.DeleteFunc(g.waiting, func(o *waiter) bool { return o == w })
			}
			g.turn()
			return ctx.Err()
		}
	}
}

// Hold counts a run that is under way, whether or not there is room for it: one
// that an earlier server started, or that must go on.
func (g *Gate) Hold(n Need) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, in := g.running[n.Run]; !in {
		g.running[n.Run] = n
	}
}

// Leave counts a run no more, and lets in who waits for what it had. One that
// is not in is left alone.
func (g *Gate) Leave(run string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, in := g.running[run]; in {
		delete(g.running, run)
		g.turn()
	}
}

// turn lets in who may begin now.
func (g *Gate) turn() {
	if len(g.waiting) == 0 {
		return
	}
	if len(g.running) == 0 {
		g.limits = g.measure()
	}
	waiting := make([]Waiting, len(g.waiting))
	for i, w := range g.waiting {
		waiting[i] = w.Waiting
	}
	var left []*waiter
	decisions := Admit(g.limits, g.needs(), waiting)
	for i, w := range g.waiting {
		d := decisions[i]
		w.Passed, w.lack = d.Passed, d.Lack
		if d.Admit {
			g.running[w.Run] = w.Need
			close(w.in)
			continue
		}
		left = append(left, w)
		if w.told != d.Lack {
			w.told = d.Lack
			select { // an older word that nobody has read is out of date
			case <-w.news:
			default:
			}
			w.news <- d.Lack
		}
	}
	g.waiting = left
}

func (g *Gate) needs() []Need {
	out := make([]Need, 0, len(g.running))
	for _, n := range g.running {
		out = append(out, n)
	}
	return out
}

// State is what there is, who has it, and who waits, by age.
type State struct {
	Limits  Limits
	Running []Need
	Waiting []Waiting
}

// State returns the gate's state at this moment.
func (g *Gate) State() State {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := State{Limits: g.limits, Running: g.needs()}
	slices.SortFunc(s.Running, func(a, b Need) int {
		if a.Run < b.Run {
			return -1
		}
		return 1
	})
	for _, w := range g.waiting {
		s.Waiting = append(s.Waiting, w.Waiting)
	}
	return s
}
