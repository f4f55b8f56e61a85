package keyspace

import (
	"github.com/skeindb/skein/internal/data/hash"
	"github.com/skeindb/skein/internal/data/table"
	"github.com/skeindb/skein/internal/data/value"
)

// Fields of hashes have deadlines of their own. What is past its deadline is hidden
// from every command at once, and removed by whoever meets it and by the expiry cycle:
// on a master only, which logs it as HDEL. However many fields end in one moment, none
// of these removes more than fieldSlice of them in one go.
const fieldSlice = 64

// fieldsFrom is the moment, in ms, before which the deadline of a hidden field lies.
func (tx *ReadTx) fieldsFrom() int64 {
	if tx.access&SeeExpired != 0 {
		return 0
	}
	return tx.now
}

// FindHash finds the hash at key to be read, as it is now: Find that knows of
// deadlines of fields. Without such a key the view is empty.
func FindHash(tx *ReadTx, key []byte) (hash.View, error) {
	var r Ref
	if !tx.GetTo(&r, key) {
		return hash.View{}, nil
	}
	h, err := of[*hash.Hash](tx, &r)
	if err != nil {
		return hash.View{}, err
	}
	if tx.mayExpire() && h.Past(tx.fieldsFrom()) > 0 && tx.expireFields(r, key, h) {
		return hash.View{}, nil
	}
	return h.Seen(tx.fieldsFrom()), nil
}

// OpenHash is c.Open for a hash that the command will look at, or change, in these
// fields only: of names, those at 0, step, 2*step ... Such as are past their deadline
// are not there any more.
func OpenHash(c *Change[*hash.Hash], tx *WriteTx, key []byte, names [][]byte, step int) error {
	err := c.Open(tx, key)
	if err != nil || c.Value == nil || c.Value.Past(tx.fieldsFrom()) == 0 {
		return err
	}
	gone := tx.expireNamed(c.ref, key, c.Value, names, step)
	if !gone && tx.mayExpire() && c.Value.Past(tx.fieldsFrom()) > 0 {
		gone = tx.expireFields(c.ref, key, c.Value)
	}
	if gone {
		*c = Change[*hash.Hash]{}
		return c.Open(tx, key)
	}
	return nil
}

// mayExpire tells whether what is past its deadline may be removed by whoever meets it.
func (tx *ReadTx) mayExpire() bool {
	return tx.access&SeeExpired == 0 && !tx.ks.Replica.Load() && !tx.ks.Frozen.Load()
}

// expireNamed removes those of the fields that are past their deadline. A writable
// replica does it too, for what it is about to write anew.
func (tx *ReadTx) expireNamed(r Ref, key []byte, h *hash.Hash, names [][]byte, step int) (gone bool) {
	argv := [][]byte{wordHDel, key}
	r.place.preserve()
	for i := 0; i < len(names); i += step {
		if at, ok := h.Expiry(names[i]); ok && at < tx.fieldsFrom() && h.Delete(names[i]) {
			argv = append(argv, names[i])
		}
	}
	return len(argv) > 2 && tx.expired(r, key, h, argv)
}

// expireFields removes the first of the fields that are past their deadline; gone
// tells that none is left and the hash is gone.
func (tx *ReadTx) expireFields(r Ref, key []byte, h *hash.Hash) (gone bool) {
	argv := [][]byte{wordHDel, key}
	for field, at := range h.Deadlines() {
		if at >= tx.now || len(argv) == 2+fieldSlice {
			break
		}
		argv = append(argv, append([]byte(nil), field...))
	}
	r.place.preserve()
	for _, field := range argv[2:] {
		h.Delete(field)
	}
	return tx.expired(r, key, h, argv)
}

// expired makes it known that fields of h were removed; argv is the HDEL that does it.
func (tx *ReadTx) expired(r Ref, key []byte, h *hash.Hash, argv [][]byte) (gone bool) {
	tx.effects.add(tx, argv)
	if gone = h.Len() == 0; gone {
		tx.remove(r, key, false)
	} else {
		r.place.shelf.object(r.entry).settle(tx.ks, &r.place)
		tx.touched(&r.place, key, false)
	}
	tx.Notify(EventHash, "hexpired", key)
	if gone {
		tx.Notify(EventGeneric, "del", key)
	}
	return gone
}

var wordHDel = []byte("HDEL")

// track keeps the index up to date with the fields of a hash at p.
func (k *kept) track(ks *Keyspace, p *place) {
	if next := nextField(k.object); next != k.next {
		ks.time()
		p.shelf.weigh(ks, p.shelf.fields.move(k.next, next, p.slot, p.hash))
		k.next = next
	}
}

// nextField is the earliest deadline of a field of o, or -1.
func nextField(o value.Object) int64 {
	if h, ok := o.(*hash.Hash); ok {
		if at, ok := h.NextExpiry(); ok {
			return at
		}
	}
	return NoExpiry
}

// lookupFields returns the hash that an item of the index of fields stands for.
func (sh *shelf) lookupFields(ks *Keyspace, st *stripe, it due) (Ref, bool) {
	return sh.find(ks, st, it, func(e table.Entry) bool { return e.Kind() == kindObject && sh.object(e).next >= 0 })
}

// VolatileHash is the name of a hash whose fields have deadlines, "" if there is none.
// The caller holds all stripes.
func (ks *Keyspace) VolatileHash() string {
	for db := range ks.opt.Databases {
		for i := range ks.stripes {
			st := &ks.stripes[i]
			sh := st.shelves[db].Load()
			if sh == nil || sh.fields.live.Load() == 0 {
				continue
			}
			for _, it := range sh.fields.heap { // some stand for nothing any more
				if r, ok := sh.lookupFields(ks, st, it); ok {
					return string(r.Key())
				}
			}
		}
	}
	return ""
}

// sweepFields tidies the index of fields a little, if it needs it.
func (sh *shelf) sweepFields(ks *Keyspace, st *stripe, steps int) {
	if !sh.fields.crowded() {
		return
	}
	sh.weigh(ks, sh.fields.sweep(steps, func(it due) int64 {
		r, ok := sh.lookupFields(ks, st, it)
		if !ok {
			return NoExpiry
		}
		return sh.object(r.entry).next
	}))
}

// expireFieldsOf removes some fields that are due from the hashes of a shelf, and tells
// whether there may be more.
func (ks *Keyspace) expireFieldsOf(st *stripe, sh *shelf, db int, nowMs int64) (more bool) {
	a := &ks.ager
	a.tx.Begin(ks, nil, db, nowMs, SeeExpired|Apart)
	for removed, n := 0, 0; len(sh.fields.heap) > 0 && sh.fields.heap[0].at() < nowMs; n++ {
		if n == expireSlice || removed >= fieldSlice {
			more = true
			break
		}
		r, ok := sh.lookupFields(ks, st, sh.fields.heap[0])
		if !ok {
			sh.fields.remove(0)
			continue
		}
		if at := sh.object(r.entry).next; at >= nowMs {
			sh.fields.delay(0, at)
			continue
		}
		h := r.object().(*hash.Hash)
		was := h.Len()
		a.key = append(a.key[:0], r.Key()...)
		a.tx.expireFields(r, a.key, h)
		removed += was - h.Len()
	}
	sh.fields.look()
	a.tx.Commit(nil)
	return more
}
