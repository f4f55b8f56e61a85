package keyspace

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/skeindb/skein/internal/base/slot"
)

// Hold names a set of stripes to be locked together. The zero value is empty.
// A Hold belongs to one goroutine and is reused from command to command.
type Hold struct {
	stripes []uint16 // ascending, each once, when acquired
	slots   []uint16 // those that were added, in any order; none: all of the stripes
	all     bool
	owner   *Owner
	busy    *Owner // that the last Acquire met
	n       int    // stripes of the keyspace, to derive an index from a slot
}

// Reset empties the set for use with ks.
func (h *Hold) Reset(ks *Keyspace) {
	h.stripes, h.slots, h.all, h.n = h.stripes[:0], h.slots[:0], false, len(ks.stripes)
}

// AddSlot adds the stripe of slot n.
func (h *Hold) AddSlot(n uint16) {
	h.stripes = append(h.stripes, n&uint16(h.n-1))
	h.slots = append(h.slots, n)
}

// AddAll makes the set the whole keyspace.
func (h *Hold) AddAll() { h.all = true }

// Add adds the stripes of o.
func (h *Hold) Add(o *Hold) {
	h.all = h.all || o.all
	h.stripes = append(h.stripes, o.stripes...)
	h.slots = append(h.slots, o.slots...)
}

// All tells whether the set is the whole keyspace.
func (h *Hold) All() bool { return h.all }

// Empty tells whether the set has no stripe.
func (h *Hold) Empty() bool { return !h.all && len(h.stripes) == 0 }

// Covers tells whether the set contains the stripe of slot n.
func (h *Hold) Covers(n uint16) bool {
	return h.all || slices.Contains(h.stripes, n&uint16(h.n-1))
}

// Names tells whether the set was made for slot n.
func (h *Hold) Names(n uint16) bool { return h.all || slices.Contains(h.slots, n) }

// Contains tells whether the stripes of o are among those of h.
func (h *Hold) Contains(o *Hold) bool {
	if h.all || o.all {
		return h.all
	}
	for _, s := range o.stripes {
		if !slices.Contains(h.stripes, s) {
			return false
		}
	}
	return true
}

// As makes the next Acquire pass stripes that o owns.
func (h *Hold) As(o *Owner) { h.owner = o }

// Set makes h the set of o.
func (h *Hold) Set(o *Hold) {
	h.stripes, h.slots = append(h.stripes[:0], o.stripes...), append(h.slots[:0], o.slots...)
	h.all, h.n = o.all, o.n
}

// Busy is the owner for whom the last Acquire did not wait, since he is Busy; nil:
// there was none.
func (h *Hold) Busy() *Owner { return h.busy }

// Waker is told, from another goroutine, that it may try again to acquire.
type Waker interface{ Wake() }

// Owner is long work that keeps others from its stripes without holding their locks.
type Owner struct {
	// What the work is, for messages: "script", "MIGRATE".
	What    string
	stripes []uint16 // by Own or Claim
	slots   []uint16 // by Shut, ascending

	// busy says that nobody is to wait for the end any more.
	busy atomic.Bool
}

// guard is the lock of a stripe.
type guard struct {
	mu     sync.Mutex
	owner  *Owner
	parked []Waker
	shut   []*shut // see Shut
}

// Acquire locks the stripes of h in ascending order. If one of them has an
// owner other than h's own, or one of the slots does, it locks none, queues w there
// and returns false; for an owner who is busy w is not queued, and Hold.Busy tells. A
// nil w is never queued.
func (ks *Keyspace) Acquire(h *Hold, w Waker) bool {
	if !h.all && len(h.stripes) == 1 { // nearly every command
		st := &ks.stripes[h.stripes[0]]
		st.mu.Lock()
		if st.owner == nil || st.owner == h.owner {
			return len(st.shut) == 0 || ks.admit(h, w)
		}
		if h.waits(st.owner, w) {
			st.parked = append(st.parked, w)
		}
		st.mu.Unlock()
		return false
	}
	h.normalize()
	for i, s := range h.stripes {
		st := &ks.stripes[s]
		st.mu.Lock()
		if st.owner != nil && st.owner != h.owner {
			if h.waits(st.owner, w) {
				st.parked = append(st.parked, w)
			}
			for _, t := range h.stripes[:i+1] {
				ks.stripes[t].mu.Unlock()
			}
			return false
		}
	}
	return ks.admit(h, w)
}

// waits tells whether w is to wait for the owner o whom an Acquire of h has met.
func (h *Hold) waits(o *Owner, w Waker) bool {
	h.busy = nil
	if p, ok := w.(Patient); o.busy.Load() && !(ok && p.Patient()) {
		h.busy = o
		return false
	}
	return w != nil
}

// Patient is a Waker that may wait for an owner who is busy, too.
type Patient interface {
	Waker
	Patient() bool
}

// AcquireAll locks all stripes, whoever owns them: for those who change the
// routing view or the role and do not touch what an owner works on.
func (ks *Keyspace) AcquireAll(h *Hold) {
	h.Reset(ks)
	h.AddAll()
	h.normalize()
	for _, s := range h.stripes {
		ks.stripes[s].mu.Lock()
	}
}

// Release unlocks what Acquire locked. h keeps its set.
func (ks *Keyspace) Release(h *Hold) {
	for _, s := range h.stripes {
		ks.stripes[s].mu.Unlock()
	}
}

// Own makes o the owner of the stripes of h, which the caller has acquired,
// and releases their locks.
func (ks *Keyspace) Own(h *Hold, o *Owner) {
	o.stripes = append(o.stripes[:0], h.stripes...)
	for _, s := range h.stripes {
		ks.stripes[s].owner = o
		ks.stripes[s].mu.Unlock()
	}
}

// Claim makes o the owner of the stripes of h, whose locks are held and stay so:
// it is for a command whose work goes on when its handler has returned and the
// engine releases the locks.
func (ks *Keyspace) Claim(h *Hold, o *Owner) {
	h.normalize()
	o.stripes = append(o.stripes[:0], h.stripes...)
	for _, s := range h.stripes {
		ks.stripes[s].owner = o
	}
}

// Busy says that the owner's work takes too long to wait for: those parked at his
// stripes are woken, to meet him again.
func (ks *Keyspace) Busy(o *Owner) {
	o.busy.Store(true)
	var wake []Waker
	for _, s := range o.stripes {
		st := &ks.stripes[s]
		st.mu.Lock()
		wake = append(wake, st.parked...)
		st.parked = nil
		st.mu.Unlock()
	}
	for _, n := range o.slots {
		st := ks.stripeOf(n)
		st.mu.Lock()
		for _, x := range st.shut {
			if x.owner == o {
				wake = append(wake, x.parked...)
				x.parked = nil
			}
		}
		st.mu.Unlock()
	}
	for _, w := range wake {
		w.Wake()
	}
}

// Disown ends the ownership and wakes, in order, those parked meanwhile.
func (ks *Keyspace) Disown(o *Owner) {
	var wake []Waker
	for _, s := range o.stripes {
		st := &ks.stripes[s]
		st.mu.Lock()
		st.owner = nil
		wake = append(wake, st.parked...)
		st.parked = nil
		st.mu.Unlock()
	}
	for _, w := range wake {
		w.Wake()
	}
}

// Free is Disown and Reopen for who holds the stripes. It returns those who are to be
// woken when they are released.
func (ks *Keyspace) Free(o *Owner) (parked []Waker) {
	for _, s := range o.stripes {
		st := &ks.stripes[s]
		st.owner = nil
		parked = append(parked, st.parked...)
		st.parked = nil
	}
	for _, n := range o.slots {
		parked = append(parked, ks.stripeOf(n).open(n)...)
	}
	return parked
}

func (h *Hold) normalize() {
	if h.all {
		h.stripes = h.stripes[:0]
		for i := range h.n {
			h.stripes = append(h.stripes, uint16(i))
		}
		return
	}
	if len(h.stripes) > 1 {
		slices.Sort(h.stripes)
		h.stripes = slices.Compact(h.stripes)
	}
}

var _ [slot.Count]struct{} = [16384]struct{}{} // stripes are derived from slots by masking
