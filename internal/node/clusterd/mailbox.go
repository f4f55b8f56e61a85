package clusterd

import (
	"math"
	"sync"
)

// mailbox is a queue that anybody fills without waiting and one goroutine empties.
type mailbox[T any] struct {
	mu     sync.Mutex
	filled sync.Cond
	items  []T
	closed bool
}

func (m *mailbox[T]) init() { m.filled.L = &m.mu }

// put appends an item. What is put into a closed mailbox is lost.
func (m *mailbox[T]) put(item T) { m.putUnless(item, math.MaxInt) }

// putUnless appends an item unless there are as many as limit already, and reports whether there was room.
func (m *mailbox[T]) putUnless(item T, limit int) bool {
	m.mu.Lock()
	room := len(m.items) < limit
	if room && !m.closed {
		m.items = append(m.items, item)
	}
	m.mu.Unlock()
	m.filled.Signal()
	return room
}

// take waits until there is something and takes all of it. It returns nothing when the mailbox is closed and empty.
func (m *mailbox[T]) take() []T {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.items) == 0 && !m.closed {
		m.filled.Wait()
	}
	items := m.items
	m.items = nil
	return items
}

func (m *mailbox[T]) close() {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.filled.Broadcast()
}

// ring keeps the last items that were added.
type ring[T any] struct {
	items []T
	next  int
	full  bool
}

func newRing[T any](n int) ring[T] { return ring[T]{items: make([]T, n)} }

func (r *ring[T]) add(item T) {
	r.items[r.next] = item
	r.next++
	if r.next == len(r.items) {
		r.next, r.full = 0, true
	}
}

// list returns the items, oldest first.
func (r *ring[T]) list() []T {
	if !r.full {
		return append([]T(nil), r.items[:r.next]...)
	}
	return append(append([]T(nil), r.items[r.next:]...), r.items[:r.next]...)
}
