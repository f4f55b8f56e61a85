package builtin

import (
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func genericSpecs() []*command.Spec {
	return []*command.Spec{{
		Name: "del", Group: "generic", Since: "1.0.0",
		Summary:    "Deletes keys.",
		Complexity: "O(N) where N is the number of keys that will be removed. When a key to remove holds a value other than a string, the individual complexity for this key is O(M) where M is the number of elements in the list, set, sorted set or hash. Removing a single key that holds a string value is O(1).",
		Arity:      -2, Flags: command.Write,
		Keys:  command.AllKeys(command.KeyRM | command.KeyDelete),
		Tips:  []string{"request_policy:multi_shard", "response_policy:agg_sum"},
		Usage: "key...",
		Write: func(c *command.Call, tx *keyspace.WriteTx) { del(c, tx, false) },
	}, {
		Name: "unlink", Group: "generic", Since: "4.0.0",
		Summary:    "Deletes keys, leaving it to the background to free what they held.",
		Complexity: "O(1) for each key removed regardless of its size. Then the command does O(N) work in a different thread in order to reclaim memory, where N is the number of allocations the deleted objects where composed of.",
		Arity:      -2, Flags: command.Write | command.Fast,
		Keys:  command.AllKeys(command.KeyRM | command.KeyDelete),
		Tips:  []string{"request_policy:multi_shard", "response_policy:agg_sum"},
		Usage: "key...",
		Write: func(c *command.Call, tx *keyspace.WriteTx) { del(c, tx, true) },
	}, {
		Name: "exists", Group: "generic", Since: "1.0.0",
		Summary:    "Counts how many of the keys given are there, a key given twice twice.",
		Complexity: "O(N) where N is the number of keys to check.",
		Arity:      -2, Flags: command.ReadOnly | command.Fast,
		Keys:    command.AllKeys(command.KeyRO),
		Tips:    []string{"request_policy:multi_shard", "response_policy:agg_sum"},
		Usage:   "key...",
		History: [][2]string{{"3.0.3", "Several keys may be given."}},
		Read:    exists,
	}, {
		Name: "touch", Group: "generic", Since: "3.2.1",
		Summary:    "Counts how many of the keys given are there, and marks these as used just now.",
		Complexity: "O(N) where N is the number of keys that will be touched.",
		Arity:      -2, Flags: command.ReadOnly | command.Fast,
		Keys:  command.AllKeys(command.KeyRO),
		Tips:  []string{"request_policy:multi_shard", "response_policy:agg_sum"},
		Usage: "key...",
		Read:  touch,
	}, {
		Name: "type", Group: "generic", Since: "1.0.0",
		Summary:    "Tells of what type the value at a key is.",
		Complexity: "O(1)",
		Arity:      2, Flags: command.ReadOnly | command.Fast,
		Keys:  command.FirstKey(command.KeyRO),
		Usage: "key",
		Read:  typeOf,
	}}
}

// del is DEL and UNLINK: with values of this design both take the same time.
func del(c *command.Call, tx *keyspace.WriteTx, unlink bool) {
	n := int64(0)
	for _, key := range c.Args[1:] {
		if r, found := tx.Peek(key); found {
			tx.UnlinkAt(r, key, unlink)
			tx.Notify(keyspace.EventGeneric, "del", key)
			n++
		}
	}
	c.Out.Int(n)
}

func exists(c *command.Call, tx *keyspace.ReadTx) {
	n := int64(0)
	for _, key := range c.Args[1:] {
		if _, found := tx.Look(key); found {
			n++
		}
	}
	c.Out.Int(n)
}

func touch(c *command.Call, tx *keyspace.ReadTx) {
	n := int64(0)
	for _, key := range c.Args[1:] {
		if _, found := tx.Get(key); found {
			n++
		}
	}
	c.Out.Int(n)
}

func typeOf(c *command.Call, tx *keyspace.ReadTx) {
	r, found := tx.Look(c.Args[1])
	if !found {
		c.Out.SimpleString("none")
		return
	}
	c.Out.SimpleString(r.Type().String())
}
