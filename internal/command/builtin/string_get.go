package builtin

import (
	"strconv"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func stringReads() []*command.Spec {
	return []*command.Spec{{
		Name: "get", Group: "string", Since: "1.0.0",
		Summary:    "Gives the string at a key.",
		Complexity: "O(1)",
		Arity:      2, Flags: command.ReadOnly | command.Fast,
		Keys:  command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage: "key",
		Read:  get,
	}, {
		Name: "mget", Group: "string", Since: "1.0.0",
		Summary:    "Gives the strings at several keys, in one moment.",
		Complexity: "O(N) where N is the number of keys to retrieve.",
		Arity:      -2, Flags: command.ReadOnly | command.Fast,
		Keys:  command.AllKeys(command.KeyRO | command.KeyAccess),
		Tips:  []string{"request_policy:multi_shard"},
		Usage: "key...",
		Read:  mget,
	}, {
		Name: "strlen", Group: "string", Since: "2.2.0",
		Summary:    "Gives the length of a string in bytes.",
		Complexity: "O(1)",
		Arity:      2, Flags: command.ReadOnly | command.Fast,
		Keys:  command.FirstKey(command.KeyRO),
		Usage: "key",
		Read:  strlen,
	}, {
		Name: "getrange", Group: "string", Since: "2.4.0",
		Summary:    "Gives the bytes of a string between two offsets.",
		Complexity: "O(N) where N is the length of the returned string. The complexity is ultimately determined by the returned length, but because creating a substring from an existing string is very cheap, it can be considered O(1) for small strings.",
		Arity:      4, Flags: command.ReadOnly,
		Keys:  command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage: "key start:integer end:integer",
		Read:  getRange,
	}, {
		Name: "substr", Group: "string", Since: "1.0.0",
		Summary:    "Gives the bytes of a string between two offsets.",
		Complexity: "O(N) where N is the length of the returned string. The complexity is ultimately determined by the returned length, but because creating a substring from an existing string is very cheap, it can be considered O(1) for small strings.",
		Arity:      4, Flags: command.ReadOnly,
		Keys:       command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage:      "key start:integer end:integer",
		DocFlags:   []string{"deprecated"},
		Deprecated: "2.0.0",
		ReplacedBy: "`GETRANGE`",
		Read:       getRange,
	}, {
		Name: "getdel", Group: "string", Since: "6.2.0",
		Summary:    "Gives the string at a key and deletes the key.",
		Complexity: "O(1)",
		Arity:      2, Flags: command.Write | command.Fast,
		Keys:  command.FirstKey(command.KeyRW | command.KeyAccess | command.KeyDelete),
		Usage: "key",
		Write: getDel,
	}, {
		Name: "delifeq", Group: "string",
		Summary:    "Deletes a key if it holds this very string.",
		Complexity: "O(1)",
		Arity:      3, Flags: command.Write | command.Fast,
		Keys:  command.FirstKey(command.KeyRW | command.KeyAccess | command.KeyDelete),
		Usage: "key value",
		Write: delIfEq,
	}, {
		Name: "getex", Group: "string", Since: "6.2.0",
		Summary:    "Gives the string at a key and sets, changes or removes the key's deadline.",
		Complexity: "O(1)",
		Arity:      -2, Flags: command.Write | command.Fast,
		Keys: []command.KeySpec{{
			Flags: command.KeyRW | command.KeyAccess | command.KeyUpdate,
			Notes: "The value is read only; what is written is the deadline", Index: 1,
		}},
		Usage: "key [EX seconds:integer | PX milliseconds:integer | EXAT unix-time-seconds:unix-time | PXAT unix-time-milliseconds:unix-time | PERSIST]:expiration",
		Write: getEx,
	}}
}

func get(c *command.Call, tx *keyspace.ReadTx) {
	var r keyspace.Ref
	if !tx.GetTo(&r, c.Args[1]) {
		c.Out.Null()
		return
	}
	if err := r.Write(c.Out); err != nil {
		c.Fail(err)
	}
}

func mget(c *command.Call, tx *keyspace.ReadTx) {
	c.Out.Array(len(c.Args) - 1)
	for _, key := range c.Args[1:] {
		var r keyspace.Ref
		if !tx.GetTo(&r, key) || r.Write(c.Out) != nil {
			c.Out.Null()
		}
	}
}

func strlen(c *command.Call, tx *keyspace.ReadTx) {
	r, found := tx.Get(c.Args[1])
	if !found {
		c.Out.Int(0)
		return
	}
	n, err := r.Len()
	if err != nil {
		c.Fail(err)
		return
	}
	c.Out.Int(int64(n))
}

func getRange(c *command.Call, tx *keyspace.ReadTx) {
	a := c.Parse(2)
	first, last := a.Int(), a.Int()
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	s, _, err := tx.Str(c.Args[1])
	if err != nil {
		c.Fail(err)
		return
	}
	from, to := span(first, last, int64(s.Len()))
	if from > to || reversed(first, last) {
		c.Out.Bulk(nil)
		return
	}
	replyRange(c.Out, s, int(from), int(to)+1)
}

func getDel(c *command.Call, tx *keyspace.WriteTx) {
	key := c.Args[1]
	r, found, ok := replyValue(c, &tx.ReadTx, key)
	if !found || !ok {
		return
	}
	tx.DeleteAt(r, key)
	tx.Propagate([]byte("DEL"), key)
	tx.Notify(keyspace.EventGeneric, "del", key)
}

// delIfEq is DELIFEQ, of Valkey 9.
func delIfEq(c *command.Call, tx *keyspace.WriteTx) {
	key := c.Args[1]
	r, found := tx.Peek(key)
	if !found {
		c.Out.Int(0)
		return
	}
	switch same, err := holdsText(tx, r, c.Args[2]); {
	case err != nil:
		c.Fail(err)
	case !same:
		c.Out.Int(0)
	default:
		tx.DeleteAt(r, key)
		tx.Propagate([]byte("DEL"), key)
		tx.Notify(keyspace.EventGeneric, "del", key)
		c.Out.Int(1)
	}
}

func getEx(c *command.Call, tx *keyspace.WriteTx) {
	var life lifetime
	a := c.Parse(2)
	for a.More() {
		if !life.isTimed(&a) && !life.is(&a, "PERSIST", lifePersist) {
			a.Syntax()
		}
	}
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	from := len(c.Out.Buf)
	r, found, ok := replyValue(c, &tx.ReadTx, c.Args[1])
	if !found || !ok {
		return
	}
	if err := touchDeadline(c, tx, r, life); err != nil {
		failAfter(c, from, err)
	}
}

// touchDeadline does what GETEX does beyond GET to the key at r.
func touchDeadline(c *command.Call, tx *keyspace.WriteTx, r keyspace.Ref, life lifetime) error {
	key := c.Args[1]
	if life.kind == lifePersist && r.Expiry() >= 0 {
		if err := tx.ExpireAt(r, key, keyspace.NoExpiry); err != nil {
			return err
		}
		tx.Propagate([]byte("PERSIST"), key)
		tx.Notify(keyspace.EventGeneric, "persist", key)
		return nil
	}
	if !life.timed() {
		return nil
	}
	at, err := life.deadline(c)
	if err != nil {
		return err
	}
	if (life.kind == lifeEXAT || life.kind == lifePXAT) && tx.IsPast(at) {
		tx.LapseAt(r, key)
		tx.Notify(keyspace.EventGeneric, "del", key)
		return nil
	}
	if err := tx.ExpireAt(r, key, at); err != nil {
		return err
	}
	var scratch [20]byte
	tx.Propagate([]byte("PEXPIREAT"), key, strconv.AppendInt(scratch[:0], at, 10))
	tx.Notify(keyspace.EventGeneric, "expire", key)
	return nil
}
