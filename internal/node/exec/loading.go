package exec

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/skeindb/skein/internal/node/session"
)

// LoadPatience is how long a command waits for a load that has begun, before it
// is refused. Redis reads a small file in one go and lets nobody in meanwhile: so
// with little data its clients are never told that it is loading.
const LoadPatience = 200 * time.Millisecond

// loads keeps those who came while a load had just begun.
type loads struct {
	since atomic.Int64 // Unix ms at which the load was first seen, 0: there is none

	mu     sync.Mutex
	parked []*session.Session
}

// park keeps s for a while. It refuses when the load has been going on for long.
func (w *loads) park(s *session.Session, nowMs int64) bool {
	w.since.CompareAndSwap(0, nowMs)
	if nowMs >= w.since.Load()+LoadPatience.Milliseconds() {
		return false
	}
	w.mu.Lock()
	w.parked = append(w.parked, s)
	w.mu.Unlock()
	return true
}

// tick lets those try again who have waited long enough, or for a load that is over.
func (w *loads) tick(loading bool, nowMs int64) {
	switch {
	case loading:
		w.since.CompareAndSwap(0, nowMs)
		if nowMs < w.since.Load()+LoadPatience.Milliseconds() {
			return
		}
	default:
		w.since.Store(0)
	}
	w.mu.Lock()
	parked := w.parked
	w.parked = nil
	w.mu.Unlock()
	for _, s := range parked {
		s.Wake()
	}
}
