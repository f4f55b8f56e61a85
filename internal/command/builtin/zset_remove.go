package builtin

import (
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/zset"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func zsetRemoveSpecs() []*command.Spec {
	return []*command.Spec{{
		Name: "zrem", Group: "sorted-set", Since: "1.2.0",
		Summary:    "Removes members from a sorted set.",
		Complexity: "O(M*log(N)) with N being the number of elements in the sorted set and M the number of elements to be removed.",
		Arity:      -3, Flags: command.Write | command.Fast,
		Keys:     command.FirstKey(command.KeyRW | command.KeyDelete),
		Usage:    "key member...",
		History:  [][2]string{{"2.4.0", "Several members may be given."}},
		Elements: command.Elements{First: 2, Step: 1},
		Write:    zrem,
	}, {
		Name: "zremrangebyrank", Group: "sorted-set", Since: "2.0.0",
		Summary:    "Removes from a sorted set the members in a range of ranks.",
		Complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements removed by the operation.",
		Arity:      4, Flags: command.Write,
		Keys:  command.FirstKey(command.KeyRW | command.KeyDelete),
		Usage: "key start:integer stop:integer",
		Write: func(c *command.Call, tx *keyspace.WriteTx) { zremRange(c, tx, byRank) },
	}, {
		Name: "zremrangebyscore", Group: "sorted-set", Since: "1.2.0",
		Summary:    "Removes from a sorted set the members whose scores lie in a range.",
		Complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements removed by the operation.",
		Arity:      4, Flags: command.Write,
		Keys:  command.FirstKey(command.KeyRW | command.KeyDelete),
		Usage: "key min:double max:double",
		Write: func(c *command.Call, tx *keyspace.WriteTx) { zremRange(c, tx, byScore) },
	}, {
		Name: "zremrangebylex", Group: "sorted-set", Since: "2.8.9",
		Summary:    "Removes from a sorted set the members in a range of the alphabet.",
		Complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements removed by the operation.",
		Arity:      4, Flags: command.Write,
		Keys:  command.FirstKey(command.KeyRW | command.KeyDelete),
		Usage: "key min max",
		Write: func(c *command.Call, tx *keyspace.WriteTx) { zremRange(c, tx, byLex) },
	}}
}

func zrem(c *command.Call, tx *keyspace.WriteTx) {
	var open keyspace.Change[*zset.ZSet]
	if err := open.Open(tx, c.Args[1]); err != nil {
		c.Fail(err)
		return
	}
	n := int64(0)
	if z := open.Value; z != nil {
		for _, m := range c.Args[2:] {
			if z.Delete(m) {
				n++
			}
		}
	}
	if n > 0 {
		if !saveZSet(c, tx, &open, "zrem") {
			return
		}
		tx.CountMore(c.Args[1], int(n))
	}
	c.Out.Int(n)
}

// zremRange removes the members of a range.
func zremRange(c *command.Call, tx *keyspace.WriteTx, by zorder) {
	w := zwindow{order: by, limit: -1}
	if err := w.parseBounds(c.Args[2], c.Args[3]); err != nil {
		c.Fail(err)
		return
	}
	var open keyspace.Change[*zset.ZSet]
	if err := open.Open(tx, c.Args[1]); err != nil {
		c.Fail(err)
		return
	}
	first, n := 0, 0
	if open.Value != nil {
		first, n = w.of(open.Value)
	}
	if n > 0 {
		open.Value.DeleteRange(first, n)
		if !saveZSet(c, tx, &open, c.Spec.Name) {
			return
		}
		tx.CountMore(c.Args[1], n)
	}
	c.Out.Int(int64(n))
}

// saveZSet saves what a command took from the sorted set at its first key, and
// announces it. False means that the error has been replied.
func saveZSet(c *command.Call, tx *keyspace.WriteTx, open *keyspace.Change[*zset.ZSet], event string) bool {
	if err := saveAnnounced(tx, open, keyspace.EventZSet, event, c.Args[1]); err != nil {
		c.Fail(err)
		return false
	}
	return true
}

// storeZSet makes key hold items, which it brings into order, or nothing if there are
// none, and replies with their number.
func storeZSet(c *command.Call, tx *keyspace.WriteTx, key []byte, items []zset.Item, event string) {
	if len(items) == 0 {
		storeNothing(c, tx, key)
		return
	}
	storeResult(c, tx, key, zset.Of(items, tx.Limits().ZSet), keyspace.EventZSet, event)
}
