package keyspace

import (
	"encoding/binary"
	"github.com/skeindb/skein/internal/base/slot"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/data/value"
)

// WriteTx reads and changes keys under a Hold.
type WriteTx struct{ ReadTx }

// Deadlines that the writers take besides Unix ms.
const (
	NoExpiry   int64 = -1 // the key has none, whatever it had
	KeepExpiry int64 = -2 // the key keeps what it has
)

// SetStr makes key hold val, in the most compact encoding. A key of any type
// is overwritten.
func (tx *WriteTx) SetStr(key, val []byte, expiry int64) error {
	var old Ref
	tx.PeekTo(&old, key)
	return tx.SetStrAt(&old, key, val, expiry)
}

// SetInt makes key hold the integer n.
func (tx *WriteTx) SetInt(key []byte, n int64, expiry int64) error {
	old, _ := tx.Peek(key)
	return tx.SetIntAt(&old, key, n, expiry)
}

// SetObject makes key hold o, which the keyspace owns from now on.
func (tx *WriteTx) SetObject(key []byte, o value.Object, expiry int64) error {
	old, _ := tx.Peek(key)
	return tx.SetObjectAt(&old, key, o, expiry)
}

// encode makes c hold val in the most compact encoding.
func (c *content) encode(val []byte) {
	if len(val) <= 20 {
		if n, ok := resp.ParseInt(val); ok {
			c.kind, c.word = kindInt, uint64(n)
			return
		}
	}
	c.text(val)
}

// text makes c hold val as it stands, inside the entry if it is not too long.
func (c *content) text(val []byte) {
	if len(val) > inlineMax {
		c.kind, c.object = kindObject, value.NewString(val)
		return
	}
	c.kind, c.bytes = kindString, val
}

// set is put for deadlines that may be KeepExpiry.
func (tx *WriteTx) set(r *Ref, key []byte, c *content, expiry int64) error {
	if expiry == KeepExpiry {
		if expiry = NoExpiry; r.entry != nil {
			expiry = r.Expiry()
		}
	}
	return tx.put(r, key, c, expiry)
}

// Delete removes key and tells whether it was there.
func (tx *WriteTx) Delete(key []byte) bool {
	r, ok := tx.Peek(key)
	if ok {
		tx.DeleteAt(r, key)
	}
	return ok
}

// Expire sets the deadline of key (Unix ms), or takes it away with NoExpiry.
// It tells whether the key was there.
func (tx *WriteTx) Expire(key []byte, expiry int64) (bool, error) {
	r, ok := tx.Peek(key)
	if !ok {
		return false, nil
	}
	return true, tx.ExpireAt(r, key, expiry)
}

// Rename gives the value and deadline of src to dst, which loses what it had.
// src must be there and differ from dst.
func (tx *WriteTx) Rename(src, dst []byte) error {
	return tx.transfer(src, tx.db, dst, tx.db, true)
}

// MoveTo moves key to another database, where it must not be.
func (tx *WriteTx) MoveTo(key []byte, db int) error {
	return tx.transfer(key, tx.db, key, db, true)
}

// Copy makes dst in database db a copy of src.
func (tx *WriteTx) Copy(src, dst []byte, db int) error {
	return tx.transfer(src, tx.db, dst, db, false)
}

// transfer writes first and removes then: without memory nothing is lost.
func (tx *WriteTx) transfer(src []byte, from int, dst []byte, to int, move bool) error {
	r, ok := tx.Peek(src)
	if !ok {
		return nil
	}
	c := content{kind: r.entry.Kind()}
	switch o := r.object(); {
	case o != nil && move:
		c.object = o
	case o != nil:
		c.object = o.Freeze() // shares everything; whoever writes first copies
	case c.kind == kindInt:
		c.word = binary.LittleEndian.Uint64(r.entry.Value())
	default:
		c.bytes = r.entry.Value()
	}
	tx.db = to
	defer func() { tx.db = from }()
	made, replaced := tx.Peek(dst)
	if err := tx.put(&made, dst, &c, r.Expiry()); err != nil {
		return err
	}
	if replaced { // what was there is deleted, in redis's eyes, and another key made
		tx.Notify(EventNew, "new", dst)
	}
	if move {
		made.entry.SetClock(r.entry.Clock())
		tx.db = from
		tx.remove(r, src, false) // with put it is one change
	}
	return nil
}

// Propagate replaces what the command appends to the log: argv instead of the
// command as it was called. Several calls append several commands.
func (tx *WriteTx) Propagate(argv ...[]byte) {
	tx.effects.rewritten = true
	tx.effects.say(&tx.ReadTx, argv)
}

// Logged tells whether anybody will read what Propagate is given; if not, nothing need be put together for it.
func (tx *WriteTx) Logged() bool { return tx.effects.wanted(&tx.ReadTx) }

// Silent keeps the command out of the log though it changed data.
func (tx *WriteTx) Silent() { tx.effects.rewritten = true }

// CountMore makes the change of key that a command has made count as n changes, such
// as of elements, where it has counted as one.
func (tx *WriteTx) CountMore(key []byte, n int) {
	if n != 1 {
		bump(&tx.ks.stripeOf(slot.Of(key)).stats.changes, int64(n-1))
	}
}

// DirtyKey makes the command one that has changed something, and count one change more,
// of key: a change that Change.Keep has not counted.
func (tx *WriteTx) DirtyKey(key []byte) {
	tx.effects.changed = true
	bump(&tx.ks.stripeOf(slot.Of(key)).stats.changes, 1)
}

// Dirty makes the command count as a change though no key did.
func (tx *WriteTx) Dirty() { tx.effects.changed = true }

// DirtyAll makes the command count as one change, of something that belongs to no key. All stripes are held.
func (tx *WriteTx) DirtyAll() {
	tx.effects.changed = true
	bump(&tx.ks.stripes[0].stats.changes, 1)
}

// Changed tells whether the running command has changed anything.
func (tx *WriteTx) Changed() bool { return tx.effects.changed }
