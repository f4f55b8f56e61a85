package builtin

import (
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/hash"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func hashReads() []*command.Spec {
	look, access := command.FirstKey(command.KeyRO), command.FirstKey(command.KeyRO|command.KeyAccess)
	anyOrder := []string{"nondeterministic_output_order"}
	return []*command.Spec{{
		Name: "hget", Group: "hash", Since: "2.0.0",
		Summary:    "Gives the value of a field.",
		Complexity: "O(1)",
		Arity:      3, Flags: command.ReadOnly | command.Fast,
		Keys: access, Usage: "key field", Read: hget,
		Elements: command.Elements{First: 2, Step: 1},
	}, {
		Name: "hmget", Group: "hash", Since: "2.0.0",
		Summary:    "Gives the values of several fields.",
		Complexity: "O(N) where N is the number of fields being requested.",
		Arity:      -3, Flags: command.ReadOnly | command.Fast,
		Keys: access, Usage: "key field...", Read: hmget,
		Elements: command.Elements{First: 2, Step: 1},
	}, {
		Name: "hlen", Group: "hash", Since: "2.0.0",
		Summary:    "Counts the fields of a hash.",
		Complexity: "O(1)",
		Arity:      2, Flags: command.ReadOnly | command.Fast,
		Keys: look, Usage: "key", Read: hlen,
	}, {
		Name: "hstrlen", Group: "hash", Since: "3.2.0",
		Summary:    "Gives the length of a field's value in bytes.",
		Complexity: "O(1)",
		Arity:      3, Flags: command.ReadOnly | command.Fast,
		Keys: look, Usage: "key field", Read: hstrlen,
		Elements: command.Elements{First: 2, Step: 1},
	}, {
		Name: "hexists", Group: "hash", Since: "2.0.0",
		Summary:    "Tells whether a hash has a field.",
		Complexity: "O(1)",
		Arity:      3, Flags: command.ReadOnly | command.Fast,
		Keys: look, Usage: "key field", Read: hexists,
		Elements: command.Elements{First: 2, Step: 1},
	}, {
		Name: "hkeys", Group: "hash", Since: "2.0.0",
		Summary:    "Lists all fields of a hash.",
		Complexity: "O(N) where N is the size of the hash.",
		Arity:      2, Flags: command.ReadOnly,
		Keys: access, Tips: anyOrder, Usage: "key",
		Read: func(c *command.Call, tx *keyspace.ReadTx) { hashAll(c, tx, true, false) },
	}, {
		Name: "hvals", Group: "hash", Since: "2.0.0",
		Summary:    "Lists the values of all fields of a hash.",
		Complexity: "O(N) where N is the size of the hash.",
		Arity:      2, Flags: command.ReadOnly,
		Keys: access, Tips: anyOrder, Usage: "key",
		Read: func(c *command.Call, tx *keyspace.ReadTx) { hashAll(c, tx, false, true) },
	}, {
		Name: "hgetall", Group: "hash", Since: "2.0.0",
		Summary:    "Lists all fields of a hash with their values.",
		Complexity: "O(N) where N is the size of the hash.",
		Arity:      2, Flags: command.ReadOnly,
		Keys: access, Tips: anyOrder, Usage: "key",
		Read: func(c *command.Call, tx *keyspace.ReadTx) { hashAll(c, tx, true, true) },
	}}
}

// replyField replies with the value of a field, or null.
func replyField(c *command.Call, h hash.View, field []byte) {
	var scratch [20]byte
	if val, ok := h.Get(field, scratch[:]); ok {
		c.Out.Bulk(val)
		return
	}
	c.Out.Null()
}

func hget(c *command.Call, tx *keyspace.ReadTx) {
	if h, ok := findHash(c, tx, c.Args[1]); ok {
		replyField(c, h, c.Args[2])
	}
}

func hmget(c *command.Call, tx *keyspace.ReadTx) {
	h, ok := findHash(c, tx, c.Args[1])
	if !ok {
		return
	}
	c.Out.Array(len(c.Args) - 2)
	for _, field := range c.Args[2:] {
		replyField(c, h, field)
	}
}

func hlen(c *command.Call, tx *keyspace.ReadTx) {
	if h, ok := findHash(c, tx, c.Args[1]); ok {
		c.Out.Int(int64(h.Len()))
	}
}

func hstrlen(c *command.Call, tx *keyspace.ReadTx) {
	if h, ok := findHash(c, tx, c.Args[1]); ok {
		var scratch [20]byte
		val, _ := h.Get(c.Args[2], scratch[:])
		c.Out.Int(int64(len(val)))
	}
}

func hexists(c *command.Call, tx *keyspace.ReadTx) {
	h, ok := findHash(c, tx, c.Args[1])
	switch {
	case !ok:
	case h.Has(c.Args[2]):
		c.Out.Int(1)
	default:
		c.Out.Int(0)
	}
}

// hashAll is HKEYS, HVALS and HGETALL.
func hashAll(c *command.Call, tx *keyspace.ReadTx, fields, values bool) {
	h, ok := findHash(c, tx, c.Args[1])
	if !ok {
		return
	}
	if fields && values {
		c.Out.Map(h.Len())
	} else {
		c.Out.Array(h.Len())
	}
	for field, val := range h.All() {
		if fields {
			c.Out.Bulk(field)
		}
		if values {
			c.Out.Bulk(val)
		}
	}
}
