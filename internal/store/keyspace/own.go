package keyspace

import (
	"sync"
	"sync/atomic"
)

// A replica leaves it to its master when keys expire. What clients of a writable
// replica gave a deadline themselves the master does not know: those keys are
// noted here, and expire here.

// ownKey stands for a key, as an item of the index of deadlines does.
type ownKey struct {
	db   int
	slot uint16
	hash uint64
}

// owns are the keys that got their deadline on this replica.
type owns struct {
	n    atomic.Int64
	mu   sync.Mutex
	keys map[ownKey]struct{}
}

func (o *owns) note(k ownKey) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.keys == nil {
		o.keys = map[ownKey]struct{}{}
	}
	o.keys[k] = struct{}{}
	o.n.Store(int64(len(o.keys)))
}

func (o *owns) forget(k ownKey) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.keys, k)
	o.n.Store(int64(len(o.keys)))
}

func (o *owns) clear() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.keys = nil
	o.n.Store(0)
}

// some are a few of the keys, others each time.
func (o *owns) some() (list []ownKey) {
	if o.n.Load() == 0 {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for k := range o.keys {
		if list = append(list, k); len(list) == expireSlice {
			break
		}
	}
	return list
}

// expireOwn removes some of the keys past the deadline that they got here. The lock
// of the cycles is held.
func (ks *Keyspace) expireOwn(nowMs int64) {
	for _, k := range ks.owns.some() {
		if !ks.Replica.Load() || ks.expireOne(k, nowMs) {
			ks.owns.forget(k)
		}
	}
}

// expireOne tells whether the key need not be looked at again.
func (ks *Keyspace) expireOne(k ownKey, nowMs int64) bool {
	st := ks.stripeOf(k.slot)
	st.mu.Lock()
	defer st.mu.Unlock()
	sh := st.shelves[k.db].Load()
	if sh == nil {
		return true
	}
	r, ok := sh.lookup(ks, st, newDue(0, k.slot, k.hash))
	if !ok || st.busy() || ks.Frozen.Load() {
		return !ok
	}
	a := &ks.ager
	a.tx.Begin(ks, nil, k.db, nowMs, SeeExpired)
	past := a.tx.past(r.entry)
	if past {
		a.key = append(a.key[:0], r.Key()...)
		a.tx.expire(r, a.key)
	}
	a.tx.Commit(nil)
	return past
}
