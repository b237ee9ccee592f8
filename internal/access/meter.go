package access

import (
	"sync"
	"time"
)

// Meter counts what happens in a minute, by key, and says when it is too much.
// It is safe for concurrent use.
type Meter struct {
	most int
	now  func() time.Time

	mu     sync.Mutex
	minute int64
	counts map[string]int
}

// NewMeter returns a meter that lets most through of each key in a minute; now
// is time.Now if nil.
func NewMeter(most int, now func() time.Time) *Meter {
	if now == nil {
		now = time.Now
	}
	return &Meter{most: most, now: now}
}

// Count counts one more and reports whether it is still within bounds.
func (m *Meter) Count(key string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if minute := m.now().Unix() / 60; minute != m.minute || m.counts == nil {
		m.minute, m.counts = minute, map[string]int{}
	}
	if len(m.counts) > 10_000 { // by so many addresses: nobody is told one by one any more
		return false
	}
	m.counts[key]++
	return m.counts[key] <= m.most
}
