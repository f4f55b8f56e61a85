package builtin

import (
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/hash"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func hashWrites() []*command.Spec {
	flags := command.Write | command.DenyOOM | command.Fast
	return []*command.Spec{{
		Name: "hset", Group: "hash", Since: "2.0.0",
		Summary:    "Gives fields values, making those that are missing.",
		Complexity: "O(1) for each field/value pair added, so O(N) to add N field/value pairs when the command is called with multiple field/value pairs.",
		Arity:      -4, Flags: flags,
		Keys:     command.FirstKey(command.KeyRW | command.KeyUpdate),
		Usage:    "key <field value>:data...",
		History:  [][2]string{{"4.0.0", "Takes several fields with their values."}},
		Elements: command.Elements{First: 2, Step: 2},
		Write:    hset,
	}, {
		Name: "hmset", Group: "hash", Since: "2.0.0",
		Summary:    "Gives fields values, making those that are missing.",
		Complexity: "O(N) where N is the number of fields being set.",
		Arity:      -4, Flags: flags,
		Keys:       command.FirstKey(command.KeyRW | command.KeyUpdate),
		Usage:      "key <field value>:data...",
		DocFlags:   []string{"deprecated"},
		Deprecated: "4.0.0",
		ReplacedBy: "`HSET` with several fields",
		Elements:   command.Elements{First: 2, Step: 2},
		Write:      hset,
	}, {
		Name: "hsetnx", Group: "hash", Since: "2.0.0",
		Summary:    "Gives a field a value unless the field exists.",
		Complexity: "O(1)",
		Arity:      4, Flags: flags,
		Keys:     command.FirstKey(command.KeyRW | command.KeyInsert),
		Usage:    "key field value",
		Elements: command.Elements{First: 2, Step: 2},
		Write:    hsetNX,
	}, {
		Name: "hdel", Group: "hash", Since: "2.0.0",
		Summary:    "Removes fields, and the hash with the last of them.",
		Complexity: "O(N) where N is the number of fields to be removed.",
		Arity:      -3, Flags: command.Write | command.Fast,
		Keys:     command.FirstKey(command.KeyRW | command.KeyDelete),
		Usage:    "key field...",
		History:  [][2]string{{"2.4.0", "Takes several fields."}},
		Elements: command.Elements{First: 2, Step: 1},
		Write:    hdel,
	}}
}

// setFields gives the fields in pairs, each followed by its value, these values,
// and tells how many of them are new. Deadlines stay.
func setFields(h *hash.Hash, pairs [][]byte, lim hash.Limits) (added int) {
	longest, total := 0, 0
	for _, arg := range pairs {
		longest, total = max(longest, len(arg)), total+len(arg)
	}
	h.Expect(len(pairs)/2, longest, total, lim)
	for i := 0; i < len(pairs); i += 2 {
		if h.Set(pairs[i], pairs[i+1], lim) {
			added++
		}
	}
	return added
}

// persistFields takes away the deadlines of the fields among names, one every step.
func persistFields(h *hash.Hash, names [][]byte, step int) {
	for i := 0; i < len(names) && h.Volatile() > 0; i += step {
		h.Persist(names[i])
	}
}

// hset is HSET and HMSET.
func hset(c *command.Call, tx *keyspace.WriteTx) {
	if len(c.Args)%2 == 1 {
		c.Fail(errArity(c))
		return
	}
	var h hashChange
	if !makeHash(&h, c, tx, c.Args[2:], 2) {
		return
	}
	added := setFields(h.Value, c.Args[2:], tx.Limits().Hash)
	persistFields(h.Value, c.Args[2:], 2)
	switch {
	case !saveHash(c, tx, &h, len(c.Out.Buf), "hset"):
		return
	case c.Spec.Name == "hset":
		c.Out.Int(int64(added))
	default:
		c.Out.OK()
	}
	tx.CountMore(c.Args[1], len(c.Args)/2-1)
}

func hsetNX(c *command.Call, tx *keyspace.WriteTx) {
	var h hashChange
	if !makeHash(&h, c, tx, c.Args[2:], 2) {
		return
	}
	if h.Value.Has(c.Args[2]) {
		c.Out.Int(0)
		return
	}
	setFields(h.Value, c.Args[2:], tx.Limits().Hash)
	if saveHash(c, tx, &h, len(c.Out.Buf), "hset") {
		c.Out.Int(1)
	}
}

func hdel(c *command.Call, tx *keyspace.WriteTx) {
	var h hashChange
	if !openHash(&h, c, tx, c.Args[2:], 1) {
		return
	}
	n := 0
	if h.Found() {
		for _, field := range c.Args[2:] {
			if h.Value.Delete(field) {
				n++
			}
		}
	}
	if n > 0 {
		if !saveHash(c, tx, &h, len(c.Out.Buf), "hdel") {
			return
		}
		tx.CountMore(c.Args[1], n)
	}
	c.Out.Int(int64(n))
}
