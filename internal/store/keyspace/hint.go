package keyspace

import (
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/data/hash"
	"github.com/skeindb/skein/internal/data/set"
	"github.com/skeindb/skein/internal/data/table"
	"github.com/skeindb/skein/internal/data/zset"
)

// Hint is what can be told of a key without a lock.
type Hint struct {
	Slot   uint16
	db     uint32
	Hash   uint64
	table  *table.Table
	bucket table.Hint
}

// Hint computes in place where key belongs in a database.
func (ks *Keyspace) Hint(h *Hint, db int, key []byte) {
	h.Slot, h.db, h.Hash = slot.Of(key), uint32(db), ks.Hash(key)
}

// Prefetch asks the processor for what leads to the keys of hints: in turn for
// their tables, their buckets and their entries.
func (ks *Keyspace) Prefetch(hints []Hint) {
	for i := range hints {
		h := &hints[i]
		if h.table = ks.tableOf(int(h.db), h.Slot); h.table != nil {
			h.table.Prefetch()
		}
	}
	for i := range hints {
		h := &hints[i]
		if h.bucket = 0; h.table != nil {
			h.bucket = h.table.PrefetchBucket(h.Hash)
		}
	}
	for i := range hints {
		h := &hints[i]
		table.PrefetchEntryAt(ks.arena, h.bucket, h.Hash)
	}
}

// Expect makes look-ups of key, this very slice, go by h. It holds until the
// next Begin; the bytes of key must not change before.
func (tx *ReadTx) Expect(key []byte, h *Hint) {
	e := &tx.expected
	e.key, e.slot, e.hash = key, h.Slot, h.Hash
}

type expected struct {
	key  []byte
	slot uint16
	hash uint64
}

func (e *expected) is(key []byte) bool {
	return len(key) == len(e.key) && len(key) > 0 && &key[0] == &e.key[0]
}

// locate is where key belongs in the transaction's database.
func (tx *ReadTx) locate(key []byte) (p place) {
	p.set(tx, key)
	return p
}

// set makes p, which is empty, where key belongs.
func (p *place) set(tx *ReadTx, key []byte) {
	if e := &tx.expected; e.is(key) {
		p.slot, p.hash = e.slot, e.hash
	} else {
		p.slot, p.hash = slot.Of(key), tx.ks.Hash(key)
	}
	p.reach(tx.ks, tx.db)
}

// reach goes on from p's slot to what holds its keys in a database.
func (p *place) reach(ks *Keyspace, db int) {
	p.stripe = ks.stripeOf(p.slot)
	if p.shelf = p.stripe.shelves[db].Load(); p.shelf != nil {
		p.table = p.shelf.tables[p.slot>>ks.shift].Load()
	}
}

// Sought are elements of a collection that commands are about to look for, and the
// scores that some of them are to get.
type Sought struct {
	Elements [][]byte
	Scores   []float64
}

// Reset empties s.
func (s *Sought) Reset() { s.Elements, s.Scores = s.Elements[:0], s.Scores[:0] }

// PrefetchElements asks the processor for what leads to elements of the collection at
// key, if it is a large one.
func (tx *ReadTx) PrefetchElements(key []byte, s *Sought) {
	p := tx.locate(key)
	p.prefetchElements(key, s)
}

// PrefetchElements is that of ReadTx for one who holds no stripe: if somebody else is at the one of key, which h was made
// of, it does nothing.
func (ks *Keyspace) PrefetchElements(h *Hint, key []byte, s *Sought) {
	st := ks.stripeOf(h.Slot)
	if !st.mu.TryLock() {
		return
	}
	defer st.mu.Unlock()
	if st.owner != nil || len(st.shut) > 0 { // who changes what is there without the lock
		return
	}
	p := place{slot: h.Slot, hash: h.Hash}
	p.reach(ks, int(h.db))
	p.prefetchElements(key, s)
}

func (p *place) prefetchElements(key []byte, s *Sought) {
	if p.table == nil {
		return
	}
	h := p.table.Find(p.hash, key)
	if h == 0 {
		return
	}
	r := Ref{entry: p.table.Entry(h), handle: h, place: *p}
	switch o := r.object().(type) {
	case *set.Set:
		o.Prefetch(s.Elements)
	case *hash.Hash:
		o.Prefetch(s.Elements)
	case *zset.ZSet:
		o.Prefetch(s.Elements)
		o.PrefetchScores(s.Scores)
	}
}
