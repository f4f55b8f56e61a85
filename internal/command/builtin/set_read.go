package builtin

import (
	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/set"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func setReads() []*command.Spec {
	return []*command.Spec{{
		Name: "sismember", Group: "set", Since: "1.0.0",
		Summary:    "Tells whether something is a member of a set.",
		Complexity: "O(1)",
		Arity:      3, Flags: command.ReadOnly | command.Fast,
		Keys:     command.FirstKey(command.KeyRO),
		Usage:    "key member",
		Elements: command.Elements{First: 2, Step: 1},
		Read:     setHas,
	}, {
		Name: "smismember", Group: "set", Since: "6.2.0",
		Summary:    "Tells of several things whether each is a member of a set.",
		Complexity: "O(N) where N is the number of elements being checked for membership",
		Arity:      -3, Flags: command.ReadOnly | command.Fast,
		Keys:     command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage:    "key member...",
		Elements: command.Elements{First: 2, Step: 1},
		Read:     setHasEach,
	}, {
		Name: "scard", Group: "set", Since: "1.0.0",
		Summary:    "Counts the members of a set.",
		Complexity: "O(1)",
		Arity:      2, Flags: command.ReadOnly | command.Fast,
		Keys:  command.FirstKey(command.KeyRO),
		Usage: "key",
		Read:  replyLen[*set.Set],
	}, {
		Name: "smembers", Group: "set", Since: "1.0.0",
		Summary:    "Gives all members of a set.",
		Complexity: "O(N) where N is the set cardinality.",
		Arity:      2, Flags: command.ReadOnly,
		Keys:  command.FirstKey(command.KeyRO | command.KeyAccess),
		Tips:  []string{"nondeterministic_output_order"},
		Usage: "key",
		Read:  setMembers,
	}, {
		Name: "sscan", Group: "set", Since: "2.8.0",
		Summary:    "Gives some members of a set, and says where to go on for more.",
		Complexity: "O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return back to 0. N is the number of elements inside the collection.",
		Arity:      -3, Flags: command.ReadOnly,
		Keys:  command.FirstKey(command.KeyRO | command.KeyAccess),
		Tips:  []string{"nondeterministic_output"},
		Usage: "key cursor:integer [MATCH pattern] [COUNT count:integer]",
		Read:  setScan,
	}}
}

func setHas(c *command.Call, tx *keyspace.ReadTx) {
	s, ok := find[*set.Set](c, tx)
	if !ok {
		return
	}
	replyHas(c, s, c.Args[2])
}

// replyHas replies whether m is a member of s, which may be nil.
func replyHas(c *command.Call, s *set.Set, m []byte) {
	if s != nil && s.Has(m) {
		c.Out.Int(1)
		return
	}
	c.Out.Int(0)
}

func setHasEach(c *command.Call, tx *keyspace.ReadTx) {
	s, ok := find[*set.Set](c, tx)
	if !ok {
		return
	}
	c.Out.Array(len(c.Args) - 2)
	for _, m := range c.Args[2:] {
		replyHas(c, s, m)
	}
}

func setMembers(c *command.Call, tx *keyspace.ReadTx) {
	s, ok := find[*set.Set](c, tx)
	if !ok {
		return
	}
	replySet(c, s)
}

// replySet replies with the members of s, which may be nil.
func replySet(c *command.Call, s *set.Set) {
	if s == nil {
		c.Out.Set(0)
		return
	}
	c.Out.Set(s.Len())
	for m := range s.All() {
		c.Out.Bulk(m)
	}
}

func setScan(c *command.Call, tx *keyspace.ReadTx) {
	var s *set.Set
	scanInside(c, func() (there, ok bool) {
		s, ok = find[*set.Set](c, tx)
		return s != nil, ok
	}, func(cursor uint64, o *scanOptions, items *resp.Writer) (next uint64, n int) {
		next = s.Scan(cursor, o.count, func(m []byte) {
			if o.acceptsName(m) {
				items.Bulk(m)
				n++
			}
		})
		return next, n
	})
}
