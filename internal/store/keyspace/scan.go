package keyspace

import (
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/data/arena"
	"github.com/skeindb/skein/internal/data/table"
)

// A cursor of SCAN is slot<<scanBits | position within the slot's table. It
// names a place, not a state: nothing is kept between calls. 0 is both the
// beginning and the end.
const scanBits = table.CursorBits

// Scan visits about count keys of the transaction's database from cursor on and
// returns where to go on, 0 at the end. Keys that are there throughout the
// whole iteration are visited at least once. The hold is the whole keyspace.
// fn must not change keys.
func (tx *ReadTx) Scan(cursor uint64, count int, fn func(Ref)) (next uint64) {
	return tx.ScanRange(cursor, count, slot.Range{Start: 0, End: slot.Count - 1}, fn)
}

// ScanRange is Scan of the slots in a range only; cursors of other slots are the
// beginning or the end.
func (tx *ReadTx) ScanRange(cursor uint64, count int, in slot.Range, fn func(Ref)) (next uint64) {
	n, last := cursor>>scanBits, uint64(in.End)
	at := cursor & (1<<scanBits - 1)
	if n < uint64(in.Start) {
		n, at = uint64(in.Start), 0
	}
	for budget := count; n <= last; n++ {
		t := tx.ks.tableOf(tx.db, uint16(n))
		if t == nil || t.Len() == 0 {
			at = 0
			continue
		}
		for {
			if budget <= 0 {
				return n<<scanBits | at
			}
			at = t.Scan(at, func(h arena.Handle) {
				budget--
				fn(tx.viewOf(uint16(n), t, t.Entry(h)))
			})
			if at == 0 {
				break
			}
		}
	}
	return 0
}

// ScanSlot visits the keys of one slot; fn returns false to stop.
func (tx *ReadTx) ScanSlot(n uint16, fn func(Ref) bool) {
	t := tx.ks.tableOf(tx.db, n)
	if t == nil || t.Len() == 0 {
		return
	}
	more := true
	for at := uint64(0); more; {
		at = t.Scan(at, func(h arena.Handle) {
			more = more && fn(tx.viewOf(n, t, t.Entry(h)))
		})
		if at == 0 {
			return
		}
	}
}

// viewOf is a Ref for looking only: it has no handle to change the key by.
func (tx *ReadTx) viewOf(n uint16, t *table.Table, e table.Entry) Ref {
	st := tx.ks.stripeOf(n)
	return Ref{entry: e, place: place{stripe: st, shelf: st.shelves[tx.db].Load(), table: t, slot: n}}
}

// Lapsed tells whether the deadline of r is over.
func (tx *ReadTx) Lapsed(r Ref) bool { return tx.past(r.entry) && tx.access&SeeExpired == 0 }
