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
	bytes  []byte // unless it has a word; may be a view of the entry to be replaced
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

// preserve gives a cut that is under way what it wants of the share of the key that
// belongs here: the key, or the object behind it, is about to change, to appear or
// to vanish. Every change of data comes by here first.
func (p *place) preserve() {
	if p.shelf != nil && p.shelf.cut != nil {
		p.shelf.cut.preserve(p.slot, p.hash)
	}
}

// put makes key hold c with the deadline given (-1: none), replacing what r found,
// if it did. It is the one place where values are written. r then is the key as it
// is now. On ErrFull nothing has changed.
func (tx *ReadTx) put(r *Ref, key []byte, c *content, expiry int64) error {
	if r.hidden() {
		tx.unhide(r, key)
	}
	isNew := r.entry == nil
	if err := tx.store(r, key, c, expiry); err != nil {
		return err
	}
	tx.changed(&r.place, key)
	if isNew {
		tx.Notify(EventNew, "new", key)
	}
	return nil
}

// store is put as far as nobody hears of it.
func (tx *ReadTx) store(r *Ref, key []byte, c *content, expiry int64) error {
	r.place.preserve()
	tx.ks.furnish(tx.db, &r.place)
	if c.kind == kindObject {
		c.word = r.place.keep(tx.ks, c.object)
	}
	if tx.write(r, key, c, expiry) != nil {
		if c.kind == kindObject {
			r.place.shelf.drop(tx.ks, c.word)
		}
		return ErrFull
	}
	return nil
}

func (tx *ReadTx) write(r *Ref, key []byte, c *content, expiry int64) error {
	if r.entry != nil {
		size := table.EntrySize(len(key), c.len(), expiry >= 0)
		if arena.ClassSize(size) == arena.ClassSize(len(r.entry)) {
			tx.overwrite(r, c, expiry)
			return nil
		}
	}
	h, e, err := table.New(tx.ks.arena, c.kind, key, c.len(), expiry >= 0)
	if err != nil {
		return err
	}
	c.fill(e.Value())
	if expiry >= 0 {
		e.SetExpiry(expiry)
	}
	if r.entry != nil {
		e.SetClock(tx.clockAfter(r))
		tx.replace(r, h, expiry)
	} else {
		e.SetClock(tx.clock())
		if err := tx.insert(&r.place, h, expiry); err != nil {
			return err
		}
	}
	r.entry, r.handle = e, h
	return nil
}

// insert adds an entry to the table, or frees it.
func (tx *ReadTx) insert(p *place, h arena.Handle, expiry int64) error {
	if err := p.table.Insert(p.hash, h); err != nil {
		table.Free(tx.ks.arena, h)
		return err
	}
	bump(&p.shelf.keys, 1)
	tx.ks.fullest.raise(p.table.Len())
	tx.setDue(p, NoExpiry, expiry)
	return nil
}

// overwrite writes another value in place: the entry of r keeps its size class.
func (tx *ReadTx) overwrite(r *Ref, c *content, expiry int64) {
	clock := tx.clockAfter(r)
	tx.forget(r, tx.tuning.LazyDelete)
	tx.setDue(&r.place, r.Expiry(), expiry)
	r.entry, _ = table.Resize(tx.ks.arena, r.handle, c.len(), expiry >= 0)
	if expiry >= 0 {
		r.entry.SetExpiry(expiry)
	}
	r.entry.SetKind(c.kind)
	c.fill(r.entry.Value())
	r.entry.SetClock(clock)
}

// replace puts another entry in the place of old, whose object is let go.
func (tx *ReadTx) replace(old *Ref, h arena.Handle, expiry int64) {
	tx.forget(old, tx.tuning.LazyDelete)
	tx.setDue(&old.place, old.Expiry(), expiry)
	old.place.table.Replace(old.place.hash, old.handle, h)
	table.Free(tx.ks.arena, old.handle)
}

// remove takes a key away. key must not be a view of the entry. Lazily is a word
// for INFO: it takes the same time.
func (tx *ReadTx) remove(r Ref, key []byte, lazily bool) {
	p := &r.place
	p.preserve()
	tx.forget(&r, lazily)
	tx.setDue(p, r.Expiry(), NoExpiry)
	p.table.Delete(p.hash, r.handle)
	table.Free(tx.ks.arena, r.handle)
	bump(&p.shelf.keys, -1)
	tx.touched(p, key, true)
	p.shelf.sweep(tx.ks, p.stripe, sweepSteps)
}

// delete is remove as a change that a command makes.
func (tx *ReadTx) delete(r Ref, key []byte, lazily bool) {
	tx.remove(r, key, lazily)
	tx.count(r.place.stripe)
}

// unhide removes the key that a look-up hid because it is past its deadline and
// only a master may delete it: a writable replica writes it anew, and the master's
// word about the old one finds nothing.
func (tx *ReadTx) unhide(old *Ref, key []byte) {
	r := *old
	r.entry = r.place.table.Entry(r.handle)
	old.handle = 0
	tx.expire(r, key)
}

// setExpiry gives a key a deadline, another one, or none (-1).
func (tx *ReadTx) setExpiry(r Ref, key []byte, expiry int64) (Ref, error) {
	r.place.preserve()
	n := len(r.entry.Value())
	if arena.ClassSize(table.EntrySize(len(key), n, expiry >= 0)) != arena.ClassSize(len(r.entry)) {
		return tx.moveExpiry(r, key, expiry)
	}
	tx.setDue(&r.place, r.Expiry(), expiry)
	if !r.entry.Expires() || expiry < 0 {
		r.entry, _ = table.Resize(tx.ks.arena, r.handle, n, expiry >= 0) // the value stays where it is
	}
	if expiry >= 0 {
		r.entry.SetExpiry(expiry)
	}
	tx.changed(&r.place, key)
	return r, nil
}

// moveExpiry is setExpiry for an entry that needs another size class for it.
func (tx *ReadTx) moveExpiry(r Ref, key []byte, expiry int64) (Ref, error) {
	h, e, err := table.New(tx.ks.arena, r.entry.Kind(), key, len(r.entry.Value()), expiry >= 0)
	if err != nil {
		return Ref{}, ErrFull
	}
	copy(e.Value(), r.entry.Value())
	e.SetClock(r.entry.Clock())
	if expiry >= 0 {
		e.SetExpiry(expiry)
	}
	r.entry.SetKind(kindRaw) // its object, if it has one, belongs to the new entry
	tx.replace(&r, h, expiry)
	tx.changed(&r.place, key)
	return Ref{e, h, r.place}, nil
}

// setDue notes in the index of deadlines that a key's deadline was and is so
// many ms, or none (-1).
func (tx *ReadTx) setDue(p *place, was, is int64) {
	if was == is {
		return
	}
	if is >= 0 && tx.access&Applied == 0 && tx.ks.Replica.Load() {
		tx.ks.owns.note(ownKey{tx.db, p.slot, p.hash})
	}
	tx.ks.time()
	p.shelf.weigh(tx.ks, p.shelf.due.move(was, is, p.slot, p.hash))
	tx.ks.mostDue.raise(int(p.shelf.due.items.Load()))
}

// changed is what every change of a key that stays has in common.
func (tx *ReadTx) changed(p *place, key []byte) {
	tx.touched(p, key, false)
	p.shelf.sweep(tx.ks, p.stripe, sweepSteps)
	tx.count(p.stripe)
}

// count counts a change, which makes the running command one that is logged.
func (tx *ReadTx) count(st *stripe) {
	bump(&st.stats.changes, 1)
	tx.effects.changed = true
}

// forget lets go of the object of an entry about to be overwritten or freed.
func (tx *ReadTx) forget(r *Ref, lazily bool) {
	if r.entry.Kind() == kindObject {
		if lazily && isLarge(r.object()) {
			tx.ks.graves.freed.Add(1)
		}
		r.place.shelf.drop(tx.ks, binary.LittleEndian.Uint64(r.entry.Value()))
	}
}
