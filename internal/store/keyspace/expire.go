package keyspace

import (
	"bytes"
	"sync/atomic"
	"time"

	"github.com/skeindb/skein/internal/data/arena"
)

// deadlines is the index of one shelf's keys that have a deadline: a 4-ary heap
// of (deadline, hash, slot), without pointers.
//
// A key that loses its deadline or changes it leaves its item behind; an item
// counts only while its key still has exactly that deadline. When more than
// half of the items are left-overs the heap is built anew, so that its size
// follows the number of volatile keys.
type deadlines struct {
	heap []due
	live atomic.Int64 // keys with a deadline
	sum  atomic.Int64 // of their deadlines, ms: for INFO's avg_ttl
}

type due struct {
	at   int64 // Unix ms
	hash uint64
	slot uint16
}

func (d *deadlines) add(at int64, hash uint64, slot uint16) {
	d.live.Add(1)
	d.sum.Add(at)
	d.heap = append(d.heap, due{at, hash, slot})
	i := len(d.heap) - 1
	for i > 0 {
		up := (i - 1) / 4
		if d.heap[up].at <= d.heap[i].at {
			break
		}
		d.heap[up], d.heap[i] = d.heap[i], d.heap[up]
		i = up
	}
}

// drop notes that a key no longer has the deadline at.
func (d *deadlines) drop(at int64) {
	d.live.Add(-1)
	d.sum.Add(-at)
}

func (d *deadlines) pop() {
	last := len(d.heap) - 1
	d.heap[0] = d.heap[last]
	d.heap = d.heap[:last]
	d.sink(0)
}

func (d *deadlines) sink(i int) {
	for {
		least := i
		for c := 4*i + 1; c <= 4*i+4 && c < len(d.heap); c++ {
			if d.heap[c].at < d.heap[least].at {
				least = c
			}
		}
		if least == i {
			return
		}
		d.heap[i], d.heap[least] = d.heap[least], d.heap[i]
		i = least
	}
}

// crowded tells that left-overs outnumber the living.
func (d *deadlines) crowded() bool { return len(d.heap) > 64+2*int(d.live.Load()) }

// tidy builds the heap anew from the items that count, each key once.
func (d *deadlines) tidy(counts func(due) bool) {
	seen := make(map[uint64]struct{}, d.live.Load())
	kept := d.heap[:0]
	for _, it := range d.heap {
		if _, twice := seen[it.hash]; !twice && counts(it) {
			seen[it.hash] = struct{}{}
			kept = append(kept, it)
		}
	}
	d.heap = kept
	if cap(kept) > 4*len(kept)+64 {
		d.heap = append([]due(nil), kept...)
	}
	for i := len(d.heap) / 4; i >= 0; i-- {
		d.sink(i)
	}
}

// find returns the key that an item of the index stands for, if it still does.
func (ks *Keyspace) find(st *stripe, sh *shelf, it due) (Ref, bool) {
	t := sh.tables[it.slot>>ks.shift].Load()
	if t == nil {
		return Ref{}, false
	}
	h := t.FindHash(it.hash, func(h arena.Handle) bool {
		e := t.Entry(h)
		return e.Expires() && e.Expiry() == it.at
	})
	if h == 0 {
		return Ref{}, false
	}
	return Ref{t.Entry(h), h, place{st, sh, t, it.slot, it.hash}}, true
}

// SetActiveExpire switches the expiry cycles on or off (DEBUG SET-ACTIVE-EXPIRE).
func (ks *Keyspace) SetActiveExpire(on bool) { ks.aging.Store(on) }

// ExpireCycle removes keys past their deadline, for at most budget. The node
// calls it often; with nothing due it costs a look at each heap's top. It
// returns how many keys it removed.
func (ks *Keyspace) ExpireCycle(nowMs int64, budget time.Duration) (removed int) {
	if !ks.aging.Load() || ks.Replica.Load() || ks.Frozen.Load() {
		return 0
	}
	end := time.Now().Add(budget)
	var tx WriteTx
	var hold Hold
	for i := range ks.stripes {
		for more := true; more; {
			var n int
			n, more = ks.expireStripe(i, &tx, &hold, nowMs)
			removed += n
			if more && time.Now().After(end) {
				return removed
			}
		}
	}
	return removed
}

// expireSlice is how many keys go while a stripe is held once.
const expireSlice = 32

func (ks *Keyspace) expireStripe(i int, tx *WriteTx, hold *Hold, nowMs int64) (removed int, more bool) {
	st := &ks.stripes[i]
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.owner != nil {
		return 0, false
	}
	for db := range st.shelves {
		sh := st.shelves[db].Load()
		if sh == nil || len(sh.due.heap) == 0 {
			continue
		}
		if sh.due.crowded() {
			sh.due.tidy(func(it due) bool { _, ok := ks.find(st, sh, it); return ok })
		}
		tx.Begin(ks, hold, db, nowMs, SeeExpired)
		for len(sh.due.heap) > 0 && sh.due.heap[0].at < nowMs {
			it := sh.due.heap[0]
			sh.due.pop()
			if r, ok := ks.find(st, sh, it); ok {
				key := bytes.Clone(r.Key())
				tx.evict(r, key, tx.tuning.LazyExpire)
				st.stats.expired.Add(1)
				tx.Notify(EventExpired, "expired", key)
				if removed++; removed == expireSlice {
					more = true
					break
				}
			}
		}
		tx.Commit(nil)
	}
	return removed, more
}
