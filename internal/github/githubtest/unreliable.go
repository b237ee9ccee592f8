package githubtest

import (
	"math/rand/v2"
	"sync"
)

// Unreliable is how GitHub delivers on a bad day. The chances are between 0
// and 1; the same seed gives the same luck in the same order of events.
type Unreliable struct {
	Seed    uint64
	Lost    float64 // forgotten altogether: in no log
	Dropped float64 // lost on the way; the log has it as failed
	Doubled float64 // delivered twice
	Window  int     // a webhook may overtake so many
}

// luck rolls the dice of an Unreliable.
type luck struct {
	mu   sync.Mutex
	with Unreliable
	rand *rand.Rand
	tell struct{ lost, dropped, doubled int }
}

// Unreliable makes GitHub so until the returned function is called, which
// tells how many webhooks were lost, dropped and doubled.
func (f *Faults) Unreliable(u Unreliable) (end func() (lost, dropped, doubled int)) {
	l := &luck{with: u, rand: rand.New(rand.NewPCG(u.Seed, 1))}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.luck = l
	return func() (int, int, int) {
		f.mu.Lock()
		f.luck = nil
		f.mu.Unlock()
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.tell.lost, l.tell.dropped, l.tell.doubled
	}
}

func (f *Faults) today() *luck {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.luck
}

// roll reports whether a chance came true, and counts it.
func (l *luck) roll(chance func(Unreliable) float64, count func(*luck) *int) bool {
	if l == nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rand.Float64() >= chance(l.with) {
		return false
	}
	*count(l)++
	return true
}

func (l *luck) lost() bool {
	return l.roll(func(u Unreliable) float64 { return u.Lost }, func(l *luck) *int { return &l.tell.lost })
}

func (l *luck) dropped() bool {
	return l.roll(func(u Unreliable) float64 { return u.Dropped }, func(l *luck) *int { return &l.tell.dropped })
}

func (l *luck) doubled() bool {
	return l.roll(func(u Unreliable) float64 { return u.Doubled }, func(l *luck) *int { return &l.tell.doubled })
}

// next is which of n waiting webhooks goes out.
func (l *luck) next(n int) int {
	if l == nil || l.with.Window < 2 || n < 2 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rand.IntN(min(n, l.with.Window))
}
