package keyspace

import (
	"math/rand/v2"
	"sync/atomic"

	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/data/table"
)

// How a random key is drawn, each with the same chance, from tables of very
// different sizes and without a sum over all of them: a table is drawn blindly
// and accepted with the odds of its size over that of the fullest. Where too many
// are refused, because few hold nearly everything, the sum decides after all.

// pickTries is how many tables are drawn before the sum is made.
const pickTries = 8

// peak is a number that only grows until it is set anew.
type peak struct{ atomic.Int64 }

func (p *peak) raise(n int) {
	for {
		now := p.Load()
		if int64(n) <= now || p.CompareAndSwap(now, int64(n)) {
			return
		}
	}
}

// picker draws keys at random.
type picker struct {
	ks       *Keyspace
	held     bool // all stripes are locked
	volatile bool // only keys with a deadline
}

// lock locks a stripe unless it is held. It fails for one that long work owns.
func (p *picker) lock(st *stripe) bool {
	if p.held {
		return true
	}
	st.mu.Lock()
	if !st.busy() {
		return true
	}
	st.mu.Unlock()
	return false
}

func (p *picker) unlock(st *stripe) {
	if !p.held {
		st.mu.Unlock()
	}
}

// pick shows a random key of database db to fn, under its stripe. It may fail to
// find one though there are some.
func (p *picker) pick(db int, fn func(Ref)) bool {
	for range pickTries {
		n := uint16(rand.Uint32N(slot.Count))
		if p.inSlot(db, n, fn) {
			return true
		}
	}
	return p.bySum(db, fn)
}

func (p *picker) inSlot(db int, n uint16, fn func(Ref)) bool {
	st := p.ks.stripeOf(n)
	sh := st.shelves[db].Load()
	if sh == nil || p.size(sh) == 0 || !p.lock(st) {
		return false
	}
	defer p.unlock(st)
	if sh = st.shelves[db].Load(); sh == nil {
		return false
	}
	if p.volatile {
		return rand.Int64N(max(p.ks.mostDue.Load(), 1)) < sh.due.items.Load() && p.ofIndex(st, sh, fn)
	}
	t := sh.tables[n>>p.ks.shift].Load()
	return t != nil && rand.Int64N(max(p.ks.fullest.Load(), 1)) < int64(t.Len()) && p.ofTable(st, sh, t, fn)
}

// size is how much a shelf weighs.
func (p *picker) size(sh *shelf) int64 {
	switch {
	case sh == nil:
		return 0
	case p.volatile:
		return sh.due.items.Load()
	}
	return sh.keys.Load()
}

// bySum draws a shelf with the odds of its size, then a table.
func (p *picker) bySum(db int, fn func(Ref)) bool {
	stripes := p.ks.stripes
	var total int64
	for i := range stripes {
		total += p.size(stripes[i].shelves[db].Load())
	}
	if total <= 0 {
		return false
	}
	at := rand.Int64N(total)
	for i := range stripes {
		st := &stripes[i]
		if at -= p.size(st.shelves[db].Load()); at >= 0 {
			continue
		}
		if !p.lock(st) {
			return false
		}
		defer p.unlock(st)
		sh := st.shelves[db].Load()
		return sh != nil && p.ofShelf(st, sh, fn)
	}
	return false
}

func (p *picker) ofShelf(st *stripe, sh *shelf, fn func(Ref)) bool {
	if p.volatile {
		for range 4 * pickTries { // an item may stand for nothing
			if p.ofIndex(st, sh, fn) {
				return true
			}
		}
		return false
	}
	at := rand.Int64N(max(sh.keys.Load(), 1))
	for i := range sh.tables {
		if t := sh.tables[i].Load(); t != nil {
			if at -= int64(t.Len()); at < 0 {
				return p.ofTable(st, sh, t, fn)
			}
		}
	}
	return false
}

func (p *picker) ofTable(st *stripe, sh *shelf, t *table.Table, fn func(Ref)) bool {
	h := t.Random(rand.Uint64)
	if h == 0 {
		return false
	}
	e := t.Entry(h)
	fn(Ref{e, h, place{st, sh, t, slot.Of(e.Key()), p.ks.Hash(e.Key())}})
	return true
}

func (p *picker) ofIndex(st *stripe, sh *shelf, fn func(Ref)) bool {
	if len(sh.due.heap) == 0 {
		return false
	}
	r, ok := sh.lookup(p.ks, st, sh.due.heap[rand.IntN(len(sh.due.heap))])
	if ok {
		fn(r)
	}
	return ok
}

// Random returns a random key of the transaction's database, each with the same
// chance. The hold is the whole keyspace.
func (tx *ReadTx) Random() (r Ref, ok bool) {
	p := picker{ks: tx.ks, held: true}
	ok = p.pick(tx.db, func(found Ref) { r = found })
	return r, ok
}
