package builtin

import (
	"bytes"
	"math"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func nameSpecs() []*command.Spec {
	return []*command.Spec{{
		Name: "rename", Group: "generic", Since: "1.0.0",
		Summary:    "Gives a key another name, in place of whatever had it.",
		Complexity: "O(1)",
		Arity:      3, Flags: command.Write,
		Keys: []command.KeySpec{
			{Flags: command.KeyRW | command.KeyAccess | command.KeyDelete, Index: 1},
			{Flags: command.KeyOW | command.KeyUpdate, Index: 2},
		},
		Usage: "key newkey:key",
		Write: func(c *command.Call, tx *keyspace.WriteTx) {
			if rename(c, tx, true) >= 0 {
				c.Out.OK()
			}
		},
	}, {
		Name: "renamenx", Group: "generic", Since: "1.0.0",
		Summary:    "Gives a key another name unless there is a key of that name.",
		Complexity: "O(1)",
		Arity:      3, Flags: command.Write | command.Fast,
		Keys: []command.KeySpec{
			{Flags: command.KeyRW | command.KeyAccess | command.KeyDelete, Index: 1},
			{Flags: command.KeyOW | command.KeyInsert, Index: 2},
		},
		Usage:   "key newkey:key",
		History: [][2]string{{"3.2.0", "Two equal names are no error any more."}},
		Write: func(c *command.Call, tx *keyspace.WriteTx) {
			if n := rename(c, tx, false); n >= 0 {
				c.Out.Int(int64(n))
			}
		},
	}, {
		Name: "copy", Group: "generic", Since: "6.2.0",
		Summary:    "Makes another key with the value and the deadline of a key.",
		Complexity: "O(N) worst case for collections, where N is the number of nested items. O(1) for string values.",
		Arity:      -3, Flags: command.Write | command.DenyOOM,
		Keys: []command.KeySpec{
			{Flags: command.KeyRO | command.KeyAccess, Index: 1},
			{Flags: command.KeyOW | command.KeyUpdate, Index: 2},
		},
		Usage: "source:key destination:key [DB destination-db:integer] [REPLACE]",
		Write: copyKey,
	}, {
		Name: "move", Group: "generic", Since: "1.0.0",
		Summary:    "Takes a key to another database.",
		Complexity: "O(1)",
		Arity:      3, Flags: command.Write | command.Fast,
		Keys:  command.FirstKey(command.KeyRW | command.KeyAccess | command.KeyUpdate),
		Usage: "key db:integer",
		Write: move,
	}}
}

const errSameObject = "ERR source and destination objects are the same"

// rename is RENAME and RENAMENX. It returns how many keys were renamed, -1 if an
// error has been replied. RENAME succeeds even if both names are the same.
func rename(c *command.Call, tx *keyspace.WriteTx, overwrite bool) (n int) {
	src, dst := c.Args[1], c.Args[2]
	if _, found := tx.Peek(src); !found {
		c.Out.Error(command.ErrNoKey)
		return -1
	}
	if bytes.Equal(src, dst) || !overwrite && tx.Has(dst) {
		return 0
	}
	if err := tx.Rename(src, dst); err != nil {
		c.Fail(err)
		return -1
	}
	tx.Notify(keyspace.EventGeneric, "rename_from", src)
	tx.Notify(keyspace.EventGeneric, "rename_to", dst)
	return 1
}

// database is the next argument as the number of a database.
func database(a *command.Args, ks *keyspace.Keyspace) int {
	n := a.IntIn(math.MinInt32, math.MaxInt32)
	if n < 0 || n >= int64(ks.Databases()) {
		a.Fail(errDBIndex)
		return 0
	}
	return int(n)
}

func copyKey(c *command.Call, tx *keyspace.WriteTx) {
	src, dst := c.Args[1], c.Args[2]
	from, to, replace := tx.DB(), tx.DB(), false
	a := c.Parse(3)
	for a.More() {
		switch {
		case a.Is("REPLACE"):
			replace = true
		case a.IsWith("DB", 1):
			to = database(&a, tx.Keyspace())
		default:
			a.Syntax()
		}
	}
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	if tx.Keyspace().Cluster() && (from != 0 || to != 0) {
		c.Out.Error("ERR Copying to another database is not allowed in cluster mode")
		return
	}
	if from == to && bytes.Equal(src, dst) {
		c.Out.Error(errSameObject)
		return
	}
	if _, found := tx.Get(src); !found || hasIn(tx, to, dst) && !replace {
		c.Out.Int(0)
		return
	}
	if err := tx.Copy(src, dst, to); err != nil {
		c.Fail(err)
		return
	}
	notifyIn(tx, to, "copy_to", dst)
	c.Out.Int(1)
}

func move(c *command.Call, tx *keyspace.WriteTx) {
	ks := tx.Keyspace()
	if ks.Cluster() {
		c.Out.Error("ERR MOVE is not allowed in cluster mode")
		return
	}
	a := c.Parse(2)
	key, to := c.Args[1], database(&a, ks)
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	if to == tx.DB() {
		c.Out.Error(errSameObject)
		return
	}
	if !tx.Has(key) || hasIn(tx, to, key) {
		c.Out.Int(0)
		return
	}
	if err := tx.MoveTo(key, to); err != nil {
		c.Fail(err)
		return
	}
	tx.Notify(keyspace.EventGeneric, "move_from", key)
	notifyIn(tx, to, "move_to", key)
	c.Out.Int(1)
}

// hasIn tells whether key is in database db.
func hasIn(tx *keyspace.WriteTx, db int, key []byte) bool {
	selected := tx.DB()
	defer tx.SelectDB(selected)
	tx.SelectDB(db)
	return tx.Has(key)
}

// notifyIn announces an event in database db.
func notifyIn(tx *keyspace.WriteTx, db int, event string, key []byte) {
	selected := tx.DB()
	defer tx.SelectDB(selected)
	tx.SelectDB(db)
	tx.Notify(keyspace.EventGeneric, event, key)
}
