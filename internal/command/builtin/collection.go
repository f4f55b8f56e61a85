package builtin

import (
	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// What lists, sets, sorted sets and streams, and partly hashes, have in common.

// find finds the collection at the command's key to be read, nil if there is none.
// False means that the error has been replied.
func find[T keyspace.Collection](c *command.Call, tx *keyspace.ReadTx) (o T, ok bool) {
	o, err := keyspace.Find[T](tx, c.Args[1])
	if err != nil {
		c.Fail(err)
		return o, false
	}
	return o, true
}

// replyLen is LLEN, SCARD, ZCARD and XLEN.
func replyLen[T keyspace.Collection](c *command.Call, tx *keyspace.ReadTx) {
	var none T
	o, ok := find[T](c, tx)
	switch {
	case !ok:
	case o == none:
		c.Out.Int(0)
	default:
		c.Out.Int(int64(o.Len()))
	}
}

// scanInside is HSCAN, SSCAN and ZSCAN. Look finds the collection; ok is false if the
// error has been replied. Scan adds what the options accept to items, and returns
// where to go on and how many items it has added.
func scanInside(c *command.Call, look func() (there, ok bool), scan func(cursor uint64, o *scanOptions, items *resp.Writer) (next uint64, n int)) {
	cursor, ok := parseCursor(c.Args[2])
	if !ok {
		c.Fail(errCursor)
		return
	}
	there, ok := look()
	if !ok {
		return
	}
	items := resp.Writer{Proto: c.Out.Proto}
	if !there { // which redis says before it reads the options
		replyScan(c, 0, &items, 0)
		return
	}
	var o scanOptions
	if err := o.read(c, 3, false); err != nil {
		c.Fail(err)
		return
	}
	next, n := scan(cursor, &o, &items)
	replyScan(c, next, &items, n)
}

// saveAnnounced saves a collection that lost something, and announces event, and that
// the key is gone if nothing is left.
func saveAnnounced[T keyspace.Collection](tx *keyspace.WriteTx, open *keyspace.Change[T], class keyspace.Class, event string, key []byte) error {
	gone, err := open.Save()
	if err != nil {
		return err
	}
	tx.Notify(class, event, key)
	if gone {
		tx.Notify(keyspace.EventGeneric, "del", key)
	}
	return nil
}

// storeResult makes key hold o, whatever it held, or nothing if o is empty, and replies
// with its size.
func storeResult[T keyspace.Collection](c *command.Call, tx *keyspace.WriteTx, key []byte, o T, class keyspace.Class, event string) {
	n := o.Len()
	if n == 0 {
		storeNothing(c, tx, key)
		return
	}
	if err := tx.SetObject(key, o, keyspace.NoExpiry); err != nil {
		c.Fail(err)
		return
	}
	tx.Notify(class, event, key)
	c.Out.Int(int64(n))
}

// storeNothing deletes the key that an empty result was to be stored at, and replies
// with 0.
func storeNothing(c *command.Call, tx *keyspace.WriteTx, key []byte) {
	if tx.Delete(key) {
		tx.Notify(keyspace.EventGeneric, "del", key)
	}
	c.Out.Int(0)
}
