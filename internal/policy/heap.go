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
	watched map[*evaluation]int // with their order
	order   int
	running bool
}

// evaluation is one rule being asked.
type evaluation struct {
	stop  topdown.Cancel
	limit uint64
	over  atomic.Bool // it was stopped for its memory
}

// look is how often the heap is looked at. A rule can make some 2 GB a second.
const look = 5 * time.Millisecond

// enter begins with a plan and gives the heap as it was before the first of
// those that are judged now.
func (h *heapWatch) enter() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.judging++; h.judging == 1 {
		h.before = heapSize()
	}
	return h.before
}

// leave ends with a plan.
func (h *heapWatch) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.judging--
}

// watch stops an evaluation when the heap passes the limit, in bytes.
func (h *heapWatch) watch(stop topdown.Cancel, limit uint64) *evaluation {
	e := &evaluation{stop: stop, limit: limit}
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
		longest := h.longest(size)
		h.mu.Unlock()
		if longest == nil {
			continue
		}
		// What nothing refers to any more counts until it is collected. That
		// takes time, of which at most a part goes into it.
		if time.Now().Before(rest) && size < longest.limit+longest.limit/2 {
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

// longest gives the evaluation that is at it for longest of those whose limit
// the heap has passed, and that were not stopped yet.
func (h *heapWatch) longest(size uint64) (e *evaluation) {
	first := 0
	for w, order := range h.watched {
		if size > w.limit && !w.over.Load() && (e == nil || order < first) {
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
