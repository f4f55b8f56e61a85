package builtin

import (
	"math"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func flushSpecs() []*command.Spec {
	history := [][2]string{{"4.0.0", "`ASYNC` came."}, {"6.2.0", "`SYNC` came."}}
	return []*command.Spec{{
		Name: "flushall", Group: "server", Since: "1.0.0",
		Summary:    "Removes all keys of all databases.",
		Complexity: "O(N) where N is the total number of keys in all databases",
		Arity:      -1, Flags: command.Write | command.Whole,
		Categories: []string{"keyspace", "dangerous"},
		Tips:       []string{"request_policy:all_shards", "response_policy:all_succeeded"},
		Usage:      "[ASYNC@4.0.0 | SYNC@6.2.0]:flush-type",
		History:    history,
		Write: func(c *command.Call, tx *keyspace.WriteTx) {
			flush(c, tx, 0, tx.Keyspace().Databases())
		},
	}, {
		Name: "flushdb", Group: "server", Since: "1.0.0",
		Summary:    "Removes all keys of the selected database.",
		Complexity: "O(N) where N is the number of keys in the selected database",
		Arity:      -1, Flags: command.Write | command.Whole,
		Categories: []string{"keyspace", "dangerous"},
		Tips:       []string{"request_policy:all_shards", "response_policy:all_succeeded"},
		Usage:      "[ASYNC@4.0.0 | SYNC@6.2.0]:flush-type",
		History:    history,
		Write:      func(c *command.Call, tx *keyspace.WriteTx) { flush(c, tx, tx.DB(), tx.DB()+1) },
	}, {
		Name: "swapdb", Group: "server", Since: "4.0.0",
		Summary:    "Exchanges the contents of two databases.",
		Complexity: "O(N) where N is the count of clients watching or blocking on keys from both databases.",
		Arity:      3, Flags: command.Write | command.Fast | command.Whole,
		Categories: []string{"keyspace", "dangerous"},
		Usage:      "index1:integer index2:integer",
		Write:      swapDB,
	}}
}

// flush empties the databases [from, to). It is logged even if they were empty.
func flush(c *command.Call, tx *keyspace.WriteTx, from, to int) {
	later := tx.Keyspace().Tuned().LazyFlush
	if len(c.Args) > 1 {
		a := c.Parse(1)
		word := a.OneOf("ASYNC", "SYNC")
		later = word == 0
		if word < 0 || a.More() {
			c.Out.Error(command.ErrSyntax)
			return
		}
	}
	selected := tx.DB()
	for db := from; db < to; db++ {
		tx.SelectDB(db)
		tx.Clear(later)
	}
	tx.SelectDB(selected)
	tx.Dirty()
	c.Out.OK()
}

const errDBIndex command.Error = "ERR DB index is out of range"

func swapDB(c *command.Call, tx *keyspace.WriteTx) {
	ks := tx.Keyspace()
	if ks.Cluster() {
		c.Out.Error("ERR SWAPDB is not allowed in cluster mode")
		return
	}
	a := c.Parse(1)
	x := a.IntOr(math.MinInt32, math.MaxInt32, command.Error("ERR invalid first DB index"))
	y := a.IntOr(math.MinInt32, math.MaxInt32, command.Error("ERR invalid second DB index"))
	if last := int64(ks.Databases()) - 1; x < 0 || y < 0 || x > last || y > last {
		a.Fail(errDBIndex)
	}
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	if x == y {
		tx.DirtyAll()
	} else {
		tx.Swap(int(x), int(y))
	}
	c.Out.OK()
}
