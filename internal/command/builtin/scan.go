package builtin

import (
	"bytes"
	"math"
	"strconv"

	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func scanSpecs() []*command.Spec {
	return []*command.Spec{{
		Name: "keys", Group: "generic", Since: "1.0.0",
		Summary:    "Lists all keys whose names match a pattern.",
		Complexity: "O(N) with N being the number of keys in the database, under the assumption that the key names in the database and the given pattern have limited length.",
		Arity:      2, Flags: command.ReadOnly | command.Whole,
		Categories: []string{"keyspace", "dangerous"},
		Tips:       []string{"request_policy:all_shards", "nondeterministic_output_order"},
		Usage:      "pattern",
		Read:       keys,
	}, {
		Name: "scan", Group: "generic", Since: "2.8.0",
		Summary:    "Lists some keys, and says where to go on for more.",
		Complexity: "O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return back to 0. N is the number of elements inside the collection.",
		Arity:      -2, Flags: command.ReadOnly | command.TouchesArbitraryKeys | command.Whole,
		Tips:    []string{"nondeterministic_output", "request_policy:special", "response_policy:special"},
		Usage:   "cursor:integer [MATCH pattern] [COUNT count:integer] [TYPE type@6.0.0]",
		History: [][2]string{{"6.0.0", "`TYPE` came."}},
		Read:    scan,
	}, {
		Name: "randomkey", Group: "generic", Since: "1.0.0",
		Summary:    "Gives the name of a random key.",
		Complexity: "O(1)",
		Arity:      1, Flags: command.ReadOnly | command.TouchesArbitraryKeys | command.Whole,
		Tips: []string{"request_policy:all_shards", "response_policy:special", "nondeterministic_output"},
		Read: randomKey,
	}, {
		Name: "dbsize", Group: "server", Since: "1.0.0",
		Summary:    "Counts the keys of the database.",
		Complexity: "O(1)",
		Arity:      1, Flags: command.ReadOnly | command.Fast,
		Categories: []string{"keyspace"},
		Tips:       []string{"request_policy:all_shards", "response_policy:agg_sum"},
		Read:       dbSize,
	}}
}

// allSlots is where the keys of a pattern are that names no slot.
var allSlots = slot.Range{Start: 0, End: slot.Count - 1}

// slotsOf is where keys that match pattern are: in one slot, if what stands
// before the first special character settles the slot.
func slotsOf(pattern []byte) slot.Range {
	literal := pattern
	if i := bytes.IndexAny(pattern, `*?[\`); i >= 0 {
		literal = pattern[:i]
		if len(slot.Tag(literal)) == len(literal) { // no tag, or not all of it
			return allSlots
		}
	}
	n := slot.Of(literal)
	return slot.Range{Start: n, End: n}
}

func keys(c *command.Call, tx *keyspace.ReadTx) {
	f := filter{pattern: c.Args[1]}
	in := slotsOf(f.pattern)
	if string(f.pattern) == "*" {
		f.pattern = nil
	}
	m, n := c.Out.BeginArray(), 0
	tx.ScanRange(0, math.MaxInt, in, func(r keyspace.Ref) {
		if f.acceptsName(r.Key()) && !tx.Lapsed(r) {
			c.Out.Bulk(r.Key())
			n++
		}
	})
	c.Out.EndArray(m, n)
}

func scan(c *command.Call, tx *keyspace.ReadTx) {
	cursor, ok := parseCursor(c.Args[1])
	if !ok {
		c.Fail(errCursor)
		return
	}
	var o scanOptions
	if err := o.read(c, 2, true); err != nil {
		c.Fail(err)
		return
	}
	in := allSlots
	if o.pattern != nil {
		in = slotsOf(o.pattern)
	}
	var found, lapsed [][]byte
	next := tx.ScanRange(cursor, o.count, in, func(r keyspace.Ref) {
		switch {
		case !o.acceptsName(r.Key()):
		case tx.Lapsed(r): // of whatever type
			lapsed = append(lapsed, bytes.Clone(r.Key()))
		case o.acceptsType(r):
			found = append(found, r.Key())
		}
	})
	c.Out.Array(2)
	c.Out.BulkString(strconv.FormatUint(next, 10))
	c.Out.Array(len(found))
	for _, key := range found {
		c.Out.Bulk(key)
	}
	for _, key := range lapsed {
		tx.Peek(key) // which removes it
	}
}

// randomTries is how many keys past their deadline RANDOMKEY steps over on a
// node that may not remove them.
const randomTries = 100

func randomKey(c *command.Call, tx *keyspace.ReadTx) {
	ks := tx.Keyspace()
	removes := !ks.Replica.Load() && !ks.Frozen.Load()
	for tries := 0; ; tries++ {
		r, found := tx.Random()
		switch {
		case !found:
			c.Out.Null()
			return
		case !tx.Lapsed(r), !removes && tries == randomTries:
			c.Out.Bulk(r.Key())
			return
		}
		tx.Peek(bytes.Clone(r.Key())) // which removes it, if it may
	}
}

func dbSize(c *command.Call, tx *keyspace.ReadTx) {
	c.Out.Int(tx.Keyspace().Size(tx.DB()))
}
