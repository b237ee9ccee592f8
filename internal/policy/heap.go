package policy

import (
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"

	"github.com/open-policy-agent/opa/v1/topdown"
)

// heap watches the memory of the process while plans are judged. Go tells of no
// memory by goroutine, so that it is the process's as a whole that is held to
// the bound; where several rules are asked at that moment, the one that has
// been at it for longest is stopped, and then the next.
var heap heapWatch

type heapWatch struct {
	mu      sync.Mutex
	judging int
	before  uint64              // when the first that is judged now began
	allowed uint64              // what they all may add to it
	watched map[*evaluation]int // with their order
	order   int
	running bool
}

// evaluation is one rule being asked.
type evaluation struct {
	stop topdown.Cancel
	over atomic.Bool // it was stopped for its memory
}

// look is how often the heap is looked at. A rule can make some 2 GB a second.
const look = 5 * time.Millisecond

// enter begins with a plan, for which the heap may grow by the bytes.
func (h *heapWatch) enter(allow uint64) (leave func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.judging++; h.judging == 1 {
		h.before = heapSize()
	}
	h.allowed += allow
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.judging--
		h.allowed -= allow
	}
}

// watch stops an evaluation when the heap has grown by more than it may. Whoever
// calls it has entered.
func (h *heapWatch) watch(stop topdown.Cancel) *evaluation {
	e := &evaluation{stop: stop}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.watched == nil {
		h.watched = map[*evaluation]int{}
	}
	h.order++
	h.watched[e] = h.order
	if !h.running {
		h.running = true
		go h.run()
	}
	return e
}

func (h *heapWatch) forget(e *evaluation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.watched, e)
}

// run looks until a while has passed in which nothing was asked: a plan has a
// hundred rules, and a goroutine for each would be wasteful.
func (h *heapWatch) run() {
	tick := time.NewTicker(look)
	defer tick.Stop()
	idle, rest := 0, time.Time{}
	for range tick.C {
		size := heapSize()
		h.mu.Lock()
		if len(h.watched) == 0 {
			if idle++; idle > 20 {
				h.running = false
				h.mu.Unlock()
				return
			}
		} else {
			idle = 0
		}
		longest, limit := h.longest(size), h.before+h.allowed
		h.mu.Unlock()
		if longest == nil {
			continue
		}
		// What nothing refers to any more counts until it is collected. That
		// takes time, of which at most a part goes into it.
		if time.Now().Before(rest) && size < limit+limit/2 {
			continue
		}
		began := time.Now()
		runtime.GC()
		rest = time.Now().Add(4 * time.Since(began))
		size = heapSize()
		h.mu.Lock()
		if longest := h.longest(size); longest != nil {
			longest.over.Store(true)
			longest.stop.Cancel()
		}
		h.mu.Unlock()
	}
}

// longest gives the evaluation that is at it for longest of those that were not
// stopped yet, nil while the heap is no larger than it may be.
func (h *heapWatch) longest(size uint64) (e *evaluation) {
	if size <= h.before+h.allowed {
		return nil
	}
	first := 0
	for w, order := range h.watched {
		if !w.over.Load() && (e == nil || order < first) {
			e, first = w, order
		}
	}
	return e
}

// heapSize is the bytes of the heap that are used, or were and are not
// collected yet.
func heapSize() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
