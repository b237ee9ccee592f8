package checkout

import (
	"container/list"
	"sync"
)

// memory keeps what was worked out of contents, under keys that name the
// content by its hash, so that nothing in it is ever out of date. What was not
// asked for the longest goes when it holds too much.
type memory struct {
	mu    sync.Mutex
	max   int // bytes, about
	held  int
	byKey map[string]*list.Element
	order *list.List // of *memo, the last used first
}

// shelf is one repository's part of a memory: what is known of one repository
// must not answer for another, which may name a hash that it doesn't have.
type shelf struct {
	memory *memory
	prefix string
}

func (s shelf) recall(key string) (any, bool) {
	if s.memory == nil {
		return nil, false
	}
	return s.memory.recall(s.prefix + key)
}

func (s shelf) remember(key string, value any, weight int) {
	if s.memory != nil {
		s.memory.remember(s.prefix+key, value, weight)
	}
}

type memo struct {
	key    string
	value  any
	weight int
}

func newMemory(max int) *memory {
	return &memory{max: max, byKey: map[string]*list.Element{}, order: list.New()}
}

func (m *memory) recall(key string) (any, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.byKey[key]
	if e == nil {
		return nil, false
	}
	m.order.MoveToFront(e)
	return e.Value.(*memo).value, true
}

func (m *memory) remember(key string, value any, weight int) {
	const own = 200 // of the list, the map and the key, about
	weight += own
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byKey[key] != nil || weight > m.max/2 {
		return
	}
	m.byKey[key] = m.order.PushFront(&memo{key, value, weight})
	m.held += weight
	for m.held > m.max {
		e := m.order.Back()
		old := m.order.Remove(e).(*memo)
		delete(m.byKey, old.key)
		m.held -= old.weight
	}
}
