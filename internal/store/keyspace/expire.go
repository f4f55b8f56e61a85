package keyspace

import (
	"sync"
	"time"

	"github.com/skeindb/skein/internal/base/polite"
	"github.com/skeindb/skein/internal/data/arena"
	"github.com/skeindb/skein/internal/data/table"
)

// ager is the state of the expiry cycles.
type ager struct {
	mu  sync.Mutex // one cycle at a time
	at  int        // the stripe where the next cycle goes on
	dbs []int      // that have, or had, keys
	tx  WriteTx
	key []byte

	rester polite.Worker
}

// lookup returns the key that an item of the index of deadlines stands for.
func (sh *shelf) lookup(ks *Keyspace, st *stripe, it due) (Ref, bool) {
	return sh.find(ks, st, it, table.Entry.Expires)
}

// find returns the key that an item of an index stands for, of those that like. The
// item has no name, only a hash; two such keys with the same one are as good as
// never, and then one of them would expire when it is looked at.
func (sh *shelf) find(ks *Keyspace, st *stripe, it due, like func(table.Entry) bool) (Ref, bool) {
	t := sh.tables[it.slot()>>ks.shift].Load()
	if t == nil {
		return Ref{}, false
	}
	h := t.FindHash(it.hash, func(h arena.Handle) bool {
		e := t.Entry(h)
		return like(e) && ks.Hash(e.Key()) == it.hash
	})
	if h == 0 {
		return Ref{}, false
	}
	return Ref{t.Entry(h), h, place{st, sh, t, it.slot(), it.hash}}, true
}

// sweepSteps is how many items of a crowded index a writer looks at: more than
// it adds, so that the index stays within a multiple of what it indexes.
const sweepSteps = 4

// sweep tidies the indexes of deadlines of sh a little, if they need it.
func (sh *shelf) sweep(ks *Keyspace, st *stripe, steps int) {
	sh.sweepFields(ks, st, steps)
	if !sh.due.crowded() {
		return
	}
	sh.weigh(ks, sh.due.sweep(steps, func(it due) int64 {
		r, ok := sh.lookup(ks, st, it)
		if !ok {
			return NoExpiry
		}
		return r.entry.Expiry()
	}))
}

// SetActiveExpire switches the expiry cycles on or off (DEBUG SET-ACTIVE-EXPIRE).
func (ks *Keyspace) SetActiveExpire(on bool) { ks.aging.Store(on) }

// ExpireCycle removes keys past their deadline, for at most budget. The node
// calls it often: a stripe with nothing due is not even locked, and none is looked at as
// long as nothing ever had a deadline. It returns how many keys it removed.
func (ks *Keyspace) ExpireCycle(nowMs int64, budget time.Duration) (removed int) {
	a := &ks.ager
	if !a.mu.TryLock() {
		return 0
	}
	defer a.mu.Unlock()
	if !ks.timed.Load() {
		return 0
	}
	if ks.aging.Load() {
		ks.expireOwn(nowMs)
	}
	may := ks.aging.Load() && !ks.Replica.Load() && !ks.Frozen.Load()
	end := time.Now().Add(budget)
	a.dbs = a.dbs[:0]
	for db := range ks.inUse {
		if ks.inUse[db].Load() {
			a.dbs = append(a.dbs, db)
		}
	}
	slices := 0
	for range ks.stripes {
		st := &ks.stripes[a.at]
		for more := st.needsCare(a.dbs, nowMs, may); more; {
			var n int
			n, more = ks.expireStripe(st, nowMs, may)
			removed += n
			if slices++; slices%restAfterExpired == 0 {
				a.rester.Rest()
			}
			if more && time.Now().After(end) {
				return removed // the next cycle goes on here: each stripe has its turn
			}
		}
		a.at = (a.at + 1) % len(ks.stripes)
	}
	return removed
}

// time notes that something has a deadline.
func (ks *Keyspace) time() {
	if !ks.timed.Load() {
		ks.timed.Store(true)
	}
}

// needsCare tells, without the lock, whether a key may be due or an index crowded.
func (st *stripe) needsCare(dbs []int, nowMs int64, may bool) bool {
	for _, db := range dbs {
		sh := st.shelves[db].Load()
		if sh != nil && (sh.due.wants(nowMs, may) || sh.fields.wants(nowMs, may)) {
			return true
		}
	}
	return false
}

// expireSlice is how many items are looked at while a stripe is held once.
const expireSlice = 32

// restAfterExpired is how many slices a cycle takes between two rests: a hundred
// microseconds and more, if there is much to expire.
const restAfterExpired = 8

func (ks *Keyspace) expireStripe(st *stripe, nowMs int64, may bool) (removed int, more bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.busy() {
		return 0, false
	}
	may = may && !ks.Replica.Load() && !ks.Frozen.Load() // both are set under the stripes
	for _, db := range ks.ager.dbs {
		sh := st.shelves[db].Load()
		if sh == nil {
			continue
		}
		sh.sweep(ks, st, expireSlice)
		more = more || sh.due.crowded() || sh.fields.crowded()
		if may {
			n, left := ks.expireShelf(st, sh, db, nowMs)
			removed, more = removed+n, more || left
			more = ks.expireFieldsOf(st, sh, db, nowMs) || more
		}
	}
	return removed, more
}

func (ks *Keyspace) expireShelf(st *stripe, sh *shelf, db int, nowMs int64) (removed int, more bool) {
	a := &ks.ager
	a.tx.Begin(ks, nil, db, nowMs, SeeExpired|Apart)
	for n := 0; len(sh.due.heap) > 0 && sh.due.heap[0].at() < nowMs; n++ {
		if n == expireSlice {
			more = true
			break
		}
		r, ok := sh.lookup(ks, st, sh.due.heap[0])
		switch {
		case !ok:
			sh.due.remove(0)
		case !a.tx.past(r.entry):
			sh.due.delay(0, r.entry.Expiry())
		default:
			sh.due.remove(0)
			a.key = append(a.key[:0], r.Key()...)
			a.tx.expire(r, a.key)
			removed++
		}
	}
	sh.due.look()
	a.tx.Commit(nil)
	return removed, more
}

// expire removes a key past its deadline. key is no view of its entry.
func (tx *ReadTx) expire(r Ref, key []byte) {
	began := tx.tuning.clock()
	tx.evict(r, key, tx.tuning.LazyExpire)
	tx.tuning.took("expire-del", began)
	bump(&r.place.stripe.stats.expired, 1)
	tx.Notify(EventExpired, "expired", key)
}

// clock is the time for took, if anybody wants to know.
func (t *Tuning) clock() (now time.Time) {
	if t.Took != nil {
		now = time.Now()
	}
	return now
}

func (t *Tuning) took(event string, began time.Time) {
	if t.Took != nil && !began.IsZero() {
		t.Took(event, time.Since(began))
	}
}
