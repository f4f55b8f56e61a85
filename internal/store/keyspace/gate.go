package keyspace

import (
	"encoding/binary"

	"github.com/skeindb/skein/internal/data/arena"
	"github.com/skeindb/skein/internal/data/table"
	"github.com/skeindb/skein/internal/data/value"
)

// inlineMax is the longest value kept inside its entry.
const inlineMax = 4096

// content is what a gate method is to write: the value part of an entry.
type content struct {
	kind   uint8
	bytes  []byte // of kindString, kindRaw; may be a view of the entry to be replaced
	tail   []byte // more bytes behind them
	size   int    // zero bytes follow until the value is this long
	word   uint64 // of kindInt the integer, of kindObject the reference
	object value.Object
}

// len is how many bytes the value part has.
func (c *content) len() int {
	if c.kind >= kindInt {
		return 8
	}
	return max(c.size, len(c.bytes)+len(c.tail))
}

// fill writes the value part. Bytes of the value that it replaces in place are
// where they belong.
func (c *content) fill(dst []byte) {
	if c.kind >= kindInt {
		binary.LittleEndian.PutUint64(dst, c.word)
		return
	}
	n := copy(dst, c.bytes)
	if n < len(dst) {
		n += copy(dst[n:], c.tail)
		clear(dst[n:])
	}
}

// put makes key hold c with the deadline given (-1: none), replacing old if it
// is there (old.entry != nil). It is the one place where entries are written.
func (tx *ReadTx) put(old Ref, key []byte, c content, expiry int64) (Ref, error) {
	p := old.place
	if c.kind == kindObject {
		c.word = p.stripe.keep(c.object)
		tx.ks.external.Add(int64(c.object.Bytes()))
	}
	if old.entry != nil {
		if e, ok := tx.overwrite(old, c.len(), expiry); ok {
			e.SetKind(c.kind)
			c.fill(e.Value())
			e.SetClock(tx.clockAfter(old))
			tx.changed(p, key)
			return Ref{e, old.handle, p}, nil
		}
	}
	h, e, err := table.New(tx.ks.arena, c.kind, key, c.len(), expiry >= 0)
	if err == nil {
		c.fill(e.Value())
		err = tx.enter(old, &p, h, e, expiry)
	}
	if err != nil {
		if c.kind == kindObject {
			tx.ks.external.Add(-int64(c.object.Bytes()))
			p.stripe.drop(c.word)
		}
		return Ref{}, ErrFull
	}
	tx.changed(p, key)
	if old.entry == nil {
		tx.Notify(EventNew, "new", key)
	}
	return Ref{e, h, p}, nil
}

// overwrite makes room in place for another value, if the entry of old keeps
// its size class. Object and deadline of the old value are let go then.
func (tx *ReadTx) overwrite(old Ref, valueLen int, expiry int64) (table.Entry, bool) {
	size := table.EntrySize(len(old.entry.Key()), valueLen, expiry >= 0)
	if arena.ClassSize(size) != arena.ClassSize(len(old.entry)) {
		return nil, false
	}
	tx.forget(old)
	tx.setDue(old.place, old.entry, expiry)
	e, ok := table.Resize(tx.ks.arena, old.handle, valueLen, expiry >= 0)
	if expiry >= 0 {
		e.SetExpiry(expiry)
	}
	return e, ok
}

// enter puts a new entry into the table, in the place of old if that is there.
func (tx *ReadTx) enter(old Ref, p *place, h arena.Handle, e table.Entry, expiry int64) error {
	if old.entry != nil {
		e.SetClock(tx.clockAfter(old))
		tx.forget(old)
		tx.setDue(*p, old.entry, expiry)
		p.table.Replace(p.hash, old.handle, h)
		table.Free(tx.ks.arena, old.handle)
	} else {
		e.SetClock(tx.clock())
		tx.ks.furnish(tx.db, p)
		if err := p.table.Insert(p.hash, h); err != nil {
			table.Free(tx.ks.arena, h)
			return err
		}
		p.shelf.keys.Add(1)
		if expiry >= 0 {
			p.shelf.due.add(expiry, p.hash, p.slot)
		}
	}
	if expiry >= 0 {
		e.SetExpiry(expiry)
	}
	return nil
}

// remove takes a key away. key must not be a view of the entry.
func (tx *ReadTx) remove(r Ref, key []byte) {
	p := r.place
	tx.forget(r)
	if r.entry.Expires() {
		p.shelf.due.drop(r.entry.Expiry())
	}
	p.table.Delete(p.hash, r.handle)
	table.Free(tx.ks.arena, r.handle)
	p.shelf.keys.Add(-1)
	tx.changed(p, key)
}

// setExpiry gives a key a deadline, another one, or none (-1).
func (tx *ReadTx) setExpiry(r Ref, key []byte, expiry int64) (Ref, error) {
	p := r.place
	if r.entry.Expires() && expiry >= 0 {
		p.shelf.due.drop(r.entry.Expiry())
		p.shelf.due.add(expiry, p.hash, p.slot)
		r.entry.SetExpiry(expiry)
		tx.changed(p, key)
		return r, nil
	}
	n := len(r.entry.Value())
	if arena.ClassSize(table.EntrySize(len(key), n, expiry >= 0)) == arena.ClassSize(len(r.entry)) {
		tx.setDue(p, r.entry, expiry)
		e, _ := table.Resize(tx.ks.arena, r.handle, n, expiry >= 0) // the value stays where it is
		if expiry >= 0 {
			e.SetExpiry(expiry)
		}
		tx.changed(p, key)
		return Ref{e, r.handle, p}, nil
	}
	h, e, err := table.New(tx.ks.arena, r.entry.Kind(), key, n, expiry >= 0)
	if err != nil {
		return Ref{}, ErrFull
	}
	copy(e.Value(), r.entry.Value())
	e.SetClock(r.entry.Clock())
	if expiry >= 0 {
		e.SetExpiry(expiry)
	}
	tx.setDue(p, r.entry, expiry)
	p.table.Replace(p.hash, r.handle, h)
	table.Free(tx.ks.arena, r.handle)
	tx.changed(p, key)
	return Ref{e, h, p}, nil
}

// setDue moves a key of entry e in the index of deadlines to expiry.
func (tx *ReadTx) setDue(p place, e table.Entry, expiry int64) {
	if e.Expires() {
		if e.Expiry() == expiry {
			return
		}
		p.shelf.due.drop(e.Expiry())
	}
	if expiry >= 0 {
		p.shelf.due.add(expiry, p.hash, p.slot)
	}
}

// changed is what every change of a key has in common.
func (tx *ReadTx) changed(p place, key []byte) {
	p.stripe.touched(tx.db, key)
	p.stripe.stats.changes.Add(1)
	tx.effects.changed = true
}

// forget lets go of the object of an entry about to be overwritten or freed.
func (tx *ReadTx) forget(r Ref) {
	if r.entry.Kind() == kindObject {
		r.place.stripe.dropObject(tx.ks, r.entry)
	}
}

func (st *stripe) dropObject(ks *Keyspace, e table.Entry) {
	i := binary.LittleEndian.Uint64(e.Value())
	ks.external.Add(-int64(st.objects[i].Bytes()))
	st.drop(i)
}

// keep stores an object and returns its index.
func (st *stripe) keep(o value.Object) uint64 {
	if n := len(st.holes); n > 0 {
		i := st.holes[n-1]
		st.holes = st.holes[:n-1]
		st.objects[i] = o
		return uint64(i)
	}
	st.objects = append(st.objects, o)
	return uint64(len(st.objects) - 1)
}

func (st *stripe) drop(i uint64) {
	st.objects[i] = nil
	st.holes = append(st.holes, uint32(i))
}
