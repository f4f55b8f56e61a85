package keyspace

import (
	"github.com/skeindb/skein/internal/data/hash"
	"github.com/skeindb/skein/internal/data/quicklist"
	"github.com/skeindb/skein/internal/data/set"
	"github.com/skeindb/skein/internal/data/stream"
	"github.com/skeindb/skein/internal/data/value"
	"github.com/skeindb/skein/internal/data/zset"
)

// Collection is a value that holds others: *quicklist.List, *set.Set, *zset.ZSet,
// *hash.Hash or *stream.Stream.
type Collection interface {
	value.Object
	comparable
	Len() int
}

// Limits say up to what size collections are compact, as the directives named
// *-max-listpack-* and their like do.
type Limits struct {
	List   quicklist.Options
	Set    set.Limits
	ZSet   zset.Limits
	Hash   hash.Limits
	Stream stream.Options
	HLL    int // hll-sparse-max-bytes
}

// defaultLimits are redis's.
var defaultLimits = Limits{
	List:   quicklist.Options{Fill: -2},
	Set:    set.Limits{Integers: 512, Entries: 128, Value: 64},
	ZSet:   zset.Limits{Entries: 128, Value: 64},
	Hash:   hash.Limits{Entries: 512, Value: 64},
	Stream: stream.Options{BlockBytes: 4096, BlockEntries: 100},
	HLL:    3000,
}

// Limits are those in force. They stay valid during the command.
func (tx *ReadTx) Limits() *Limits { return &tx.tuning.Limits }

// Find finds a collection to be read, counting and touching as Get does: nil if
// there is no such key, ErrWrongType if it holds something else. The value is valid
// until the next change of the key or the end of the command.
func Find[T Collection](tx *ReadTx, key []byte) (T, error) {
	var r Ref
	if !tx.GetTo(&r, key) {
		var none T
		return none, nil
	}
	return of[T](tx, &r)
}

// Of is the collection of a key that was found.
func Of[T Collection](tx *ReadTx, r Ref) (T, error) { return of[T](tx, &r) }

func of[T Collection](tx *ReadTx, r *Ref) (T, error) {
	c, ok := tx.collection(r).(T)
	if !ok {
		return c, ErrWrongType
	}
	return c, nil
}

// collection is the value to be read, nil for a string inside the entry.
func (tx *ReadTx) collection(r *Ref) value.Object {
	if k := r.entry.Kind(); isPacked(k) {
		return tx.made().unpack(k, r.entry.Value(), true)
	}
	return r.object()
}

// Change is a collection open for change: the handler changes Value and then calls
// Save; or, if it turns out that there is nothing to change, does neither. Value is
// nil if there is no such key; the handler may then put a new collection there.
//
//	var c keyspace.Change[*hash.Hash]
//	err := c.Open(tx, key)             // ErrWrongType
//	if c.Value == nil { c.Value = hash.New() }
//	c.Value.Set(field, val, tx.Limits().Hash)
//	gone, err := c.Save()              // ErrFull: nothing has changed
//
// A key must not be opened again, nor changed otherwise, before it is saved.
type Change[T Collection] struct {
	Value T
	tx    *WriteTx
	key   []byte
	ref   Ref
	room  *[]byte // of the copy that Value is, if it is one
}

// Open makes c, which is empty, the collection at key, open for change.
func (c *Change[T]) Open(tx *WriteTx, key []byte) error {
	c.tx, c.key = tx, key
	tx.PeekTo(&c.ref, key)
	return c.open()
}

// OpenAt is Open for a key that was just looked up, found or not.
func (c *Change[T]) OpenAt(tx *WriteTx, r Ref, key []byte) error {
	c.tx, c.key, c.ref = tx, key, r
	return c.open()
}

func (c *Change[T]) open() error {
	r := &c.ref
	if r.entry == nil {
		return nil
	}
	var o value.Object
	if k := r.entry.Kind(); isPacked(k) {
		o, c.room = c.tx.made().copy(k, r.entry.Value())
	} else {
		o = r.object()
	}
	var ok bool
	if c.Value, ok = o.(T); !ok {
		return ErrWrongType
	}
	r.place.preserve()
	return nil
}

// Found tells whether the key was there when it was opened.
func (c *Change[T]) Found() bool { return c.ref.entry != nil }

// Save makes the change the key's: it counts as changed. A collection that is empty
// now, unless it is a stream, goes away with its key, which gone tells.
func (c *Change[T]) Save() (gone bool, err error) {
	tx := c.tx
	if c.Value.Len() == 0 && c.Value.Type() != value.TypeStream {
		if c.Found() {
			tx.delete(c.ref, c.key, false)
		}
		return true, nil
	}
	return false, c.write()
}

// SaveAlong is Save for a change that is one with another of the same command: it is
// not counted.
func (c *Change[T]) SaveAlong() (gone bool, err error) {
	changes := &c.ref.place.stripe.stats.changes
	before := changes.Load()
	gone, err = c.Save()
	changes.Store(before)
	return gone, err
}

// Touch tells those who watch the key that a command was at it, which has changed
// nothing: it neither counts nor is logged.
func (c *Change[T]) Touch() { c.tx.touched(&c.ref.place, c.key, false) }

// Recode makes the change the key's without telling anybody, like Keep, for a Value that has the same elements in an
// encoding that is not packed.
func (c *Change[T]) Recode() error {
	tx, r := c.tx, &c.ref
	if c.room == nil {
		r.place.shelf.object(r.entry).settle(tx.ks, &r.place)
		return nil
	}
	is := content{kind: kindObject, object: tx.scratch.detach(c.Value, c.room)}
	return tx.store(r, c.key, &is, r.Expiry())
}

// write makes Value the key's value, in the form that suits it now.
func (c *Change[T]) write() error {
	tx := c.tx
	var o value.Object = c.Value
	if c.Found() && c.room == nil && !packs(o, repackMax) && o == c.ref.object() {
		tx.edited(&c.ref, c.key)
		return nil
	}
	most := inlineMax
	if c.Found() && c.room == nil {
		most = repackMax
	}
	var is content
	switch is.hold(o, most); {
	case is.kind == kindObject && c.room != nil:
		is.object = tx.scratch.detach(o, c.room)
	case c.room != nil && cap(is.bytes) > cap(*c.room):
		*c.room = is.bytes
	}
	return tx.set(&c.ref, c.key, &is, KeepExpiry)
}

// Keep makes the change the key's without telling anybody: neither watchers nor
// waiters hear of it, and it does not make the command one that is logged (see
// WriteTx.Dirty). So redis treats what consumer groups remember. The key was found,
// and its Value is a stream.
func (c *Change[T]) Keep() {
	tx, r := c.tx, c.ref
	r.place.shelf.object(r.entry).settle(tx.ks, &r.place)
	r.entry.SetClock(tx.clockAfter(&r))
	r.place.shelf.sweep(tx.ks, r.place.stripe, sweepSteps)
}

// Wake serves those who wait at the key, of a change that was kept and that nobody else
// is to hear of.
func (c *Change[T]) Wake() { c.tx.wake(&c.ref.place, c.key) }
