package builtin

import (
	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/hash"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func hashScanSpecs() []*command.Spec {
	return []*command.Spec{{
		Name: "hscan", Group: "hash", Since: "2.8.0",
		Summary:    "Lists some fields of a hash with their values, and says where to go on for more.",
		Complexity: "O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return back to 0. N is the number of elements inside the collection.",
		Arity:      -3, Flags: command.ReadOnly,
		Keys:  command.FirstKey(command.KeyRO | command.KeyAccess),
		Tips:  []string{"nondeterministic_output"},
		Usage: "key cursor:integer [MATCH pattern] [COUNT count:integer]",
		Read:  hscan,
	}}
}

func hscan(c *command.Call, tx *keyspace.ReadTx) {
	var h hash.View
	scanInside(c, func() (there, ok bool) {
		h, ok = findHash(c, tx, c.Args[1])
		return !h.None(), ok
	}, func(cursor uint64, o *scanOptions, items *resp.Writer) (next uint64, n int) {
		next = h.Scan(cursor, o.count, func(field, val []byte) {
			if o.acceptsName(field) {
				items.Bulk(field)
				items.Bulk(val)
				n += 2
			}
		})
		return next, n
	})
}
