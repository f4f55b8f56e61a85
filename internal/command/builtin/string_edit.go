package builtin

import (
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func stringEdits() []*command.Spec {
	return []*command.Spec{{
		Name: "append", Group: "string", Since: "2.0.0",
		Summary:    "Puts bytes behind a string, which begins empty if the key does not exist.",
		Complexity: "O(1). The amortized time complexity is O(1) assuming the appended value is small and the already present value is of any size, since the dynamic string library used by Redis will double the free space available on every reallocation.",
		Arity:      3, Flags: command.Write | command.DenyOOM | command.Fast,
		Keys:  command.FirstKey(command.KeyRW | command.KeyInsert),
		Usage: "key value",
		Write: appendTo,
	}, {
		Name: "setrange", Group: "string", Since: "2.2.0",
		Summary:    "Overwrites a string from an offset on, lengthening it with zero bytes as needed.",
		Complexity: "O(1), not counting the time taken to copy the new string in place. Usually, this string is very small so the amortized complexity is O(1). Otherwise, complexity is O(M) with M being the length of the value argument.",
		Arity:      4, Flags: command.Write | command.DenyOOM,
		Keys:  command.FirstKey(command.KeyRW | command.KeyUpdate),
		Usage: "key offset:integer value",
		Write: setRange,
	}}
}

// errTooLong is the answer to a string that would grow past proto-max-bulk-len.
const errTooLong command.Error = "ERR string exceeds maximum allowed size (proto-max-bulk-len)"

// tooLong tells whether a string of n bytes may not get more bytes behind it.
// The master's word to a replica has no limit.
func tooLong(tx *keyspace.WriteTx, n, more int64) bool {
	total := n + more
	return total < n || total > tx.MaxString()
}

func appendTo(c *command.Call, tx *keyspace.WriteTx) {
	key, tail := c.Args[1], c.Args[2]
	old, found := tx.Peek(key)
	if found {
		n, err := old.Len()
		if err != nil {
			c.Fail(err)
			return
		}
		if tooLong(tx, int64(n), int64(len(tail))) {
			c.Fail(errTooLong)
			return
		}
	}
	n, err := tx.AppendAt(old, key, tail)
	if err != nil {
		c.Fail(err)
		return
	}
	tx.Notify(keyspace.EventString, "append", key)
	c.Out.Int(int64(n))
}

func setRange(c *command.Call, tx *keyspace.WriteTx) {
	key, val := c.Args[1], c.Args[3]
	a := c.Parse(2)
	off := a.Int()
	if a.Err() == nil && off < 0 {
		a.Fail(command.Error("ERR offset is out of range"))
	}
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	old, found := tx.Peek(key)
	n := 0
	if found {
		var err error
		if n, err = old.Len(); err != nil {
			c.Fail(err)
			return
		}
	}
	if len(val) == 0 {
		c.Out.Int(int64(n))
		return
	}
	if tooLong(tx, off, int64(len(val))) {
		c.Fail(errTooLong)
		return
	}
	e, err := tx.EditAt(old, key, int(off)+len(val))
	if err != nil {
		c.Fail(err)
		return
	}
	e.WriteAt(int(off), val)
	tx.Notify(keyspace.EventString, "setrange", key)
	c.Out.Int(int64(e.Len()))
}
