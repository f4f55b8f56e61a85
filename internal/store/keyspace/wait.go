package keyspace

import (
	"container/list"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/skeindb/skein/internal/data/table"
	"github.com/skeindb/skein/internal/data/value"
)

// Waiter is somebody who waits until a key holds something. He stands in a line at
// each of his keys, in the order in which all have come. A change of the key does not
// serve him: it makes the key ready, which whoever made the change is told when the
// transaction is over (TakeReady), and serves those in line then.
type Waiter struct {
	Type value.Type // what he waits for
	Gone bool       // he wants to know as well that a key went away
	Who  any        // whose the Waiter is

	at []spot
}

// spot is a place in a line.
type spot struct {
	key watchKey
	in  *list.Element
}

// line is those who wait at one key, under its stripe.
type line struct {
	list.List     // of *Waiter
	gone      int // how many of them want to know that the key went away
}

// ReadyKey is a key at which somebody waits and that has changed.
type ReadyKey struct{ at watchKey }

// Wait puts w at the end of the line of each key.
func (tx *ReadTx) Wait(w *Waiter, keys [][]byte) {
	for _, key := range keys {
		p := tx.locate(key)
		at := watchKey{tx.db, p.slot, string(key)}
		if slices.ContainsFunc(w.at, func(s spot) bool { return s.key == at }) {
			continue
		}
		w.at = append(w.at, spot{at, p.stripe.lineAt(at).add(w)})
		p.stripe.count()
	}
}

func (st *stripe) lineAt(at watchKey) *line {
	if st.lines == nil {
		st.lines = map[watchKey]*line{}
	}
	l := st.lines[at]
	if l == nil {
		l = new(line)
		st.lines[at] = l
	}
	return l
}

func (l *line) add(w *Waiter) *list.Element {
	if w.Gone {
		l.gone++
	}
	return l.PushBack(w)
}

// Unwait takes w out of all lines. It locks each key's stripe itself; the caller
// holds none.
func (ks *Keyspace) Unwait(w *Waiter) {
	for _, s := range w.at {
		st := ks.stripeOf(s.key.slot)
		st.mu.Lock()
		st.leave(w, s)
		st.mu.Unlock()
	}
	w.at = nil
}

// UnwaitHeld is Unwait for a caller who holds the stripes of all his keys.
func (ks *Keyspace) UnwaitHeld(w *Waiter) {
	for _, s := range w.at {
		ks.stripeOf(s.key.slot).leave(w, s)
	}
	w.at = nil
}

func (st *stripe) leave(w *Waiter, s spot) {
	l := st.lines[s.key]
	l.Remove(s.in)
	if w.Gone {
		l.gone--
	}
	if l.Len() == 0 {
		delete(st.lines, s.key)
	}
	st.count()
}

// count derives what the gate looks at.
func (st *stripe) count() { st.visitors = len(st.watchers) + len(st.lines) + len(st.tracked) }

// Waiters appends those who wait at k, in their order. Its stripe is held.
func (ks *Keyspace) Waiters(dst []*Waiter, k ReadyKey) []*Waiter {
	l := ks.stripeOf(k.at.slot).lines[k.at]
	if l == nil {
		return dst
	}
	for e := l.Front(); e != nil; e = e.Next() {
		dst = append(dst, e.Value.(*Waiter))
	}
	return dst
}

// Brings tells whether w is to be served because k is ready.
func (tx *ReadTx) Brings(k ReadyKey, w *Waiter) bool {
	if w.Gone {
		return true
	}
	at := k.at
	e, there := tx.ks.stripeOf(at.slot).shelves[at.db].Load().raw(tx.ks, at)
	if !there || tx.past(e) && tx.access&SeeExpired == 0 {
		return false
	}
	return tx.typeOf(at, e) == w.Type
}

func (tx *ReadTx) typeOf(at watchKey, e table.Entry) value.Type {
	r := Ref{entry: e, place: tx.locate([]byte(at.key))}
	return r.Type()
}

// AddKey adds the stripe of k.
func (h *Hold) AddKey(k ReadyKey) { h.AddSlot(k.at.slot) }

// awaited notes that a key has changed at which somebody waits.
func (tx *ReadTx) awaited(st *stripe, at watchKey, gone bool) {
	l := st.lines[at]
	if l == nil || gone && l.gone == 0 {
		return
	}
	k := ReadyKey{at}
	if tx.access&Serves == 0 {
		tx.ks.Defer(k)
		return
	}
	const look = 16 // further back a key may stand twice, which does no harm
	if !slices.Contains(tx.ready[max(len(tx.ready)-look, 0):], k) {
		tx.ready = append(tx.ready, k)
	}
}

// wake makes a key ready that is there.
func (tx *ReadTx) wake(p *place, key []byte) {
	if len(p.stripe.lines) > 0 {
		tx.awaited(p.stripe, watchKey{tx.db, p.slot, string(key)}, false)
	}
}

// Ready tells whether a key has become ready since the last TakeReady.
func (tx *ReadTx) Ready() bool { return len(tx.ready) > 0 }

// TakeReady appends the keys that have become ready to dst, in order.
func (tx *ReadTx) TakeReady(dst []ReadyKey) []ReadyKey {
	dst = append(dst, tx.ready...)
	clear(tx.ready)
	tx.ready = tx.ready[:0]
	return dst
}

// deferred are ready keys that nobody serves yet: their stripes were owned, clients
// are paused, or the change was no command's.
type deferred struct {
	n    atomic.Int32
	mu   sync.Mutex
	keys []ReadyKey
}

// Defer leaves k for the next TakeDeferred.
func (ks *Keyspace) Defer(k ReadyKey) {
	d := &ks.deferred
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Contains(d.keys, k) {
		d.keys = append(d.keys, k)
		d.n.Store(int32(len(d.keys)))
	}
}

// TakeDeferred appends the keys that Defer was given to dst.
func (ks *Keyspace) TakeDeferred(dst []ReadyKey) []ReadyKey {
	d := &ks.deferred
	if d.n.Load() == 0 {
		return dst
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	dst = append(dst, d.keys...)
	d.keys = nil
	d.n.Store(0)
	return dst
}

// Awaited is at how many keys somebody waits, and at how many somebody wants to
// know, too, that they went away.
func (ks *Keyspace) Awaited() (keys, gone int) {
	for i := range ks.stripes {
		st := &ks.stripes[i]
		st.mu.Lock()
		keys += len(st.lines)
		for _, l := range st.lines {
			if l.gone > 0 {
				gone++
			}
		}
		st.mu.Unlock()
	}
	return keys, gone
}

// awaitedIn notes which keys of database db are ready now that it has to instead of
// from; either may be nil.
func (tx *ReadTx) awaitedIn(st *stripe, db int, from, to *shelf) {
	for at := range st.lines {
		if at.db != db {
			continue
		}
		_, before := from.raw(tx.ks, at)
		_, after := to.raw(tx.ks, at)
		if before || after {
			tx.awaited(st, at, !after)
		}
	}
}
