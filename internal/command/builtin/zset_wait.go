package builtin

import (
	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/value"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func zsetWaitSpecs() []*command.Spec {
	return []*command.Spec{{
		Name: "bzpopmin", Group: "sorted-set", Since: "5.0.0",
		Summary:    "Removes and gives the member with the lowest score of the first sorted set that is there, or waits for one.",
		Complexity: "O(log(N)) with N being the number of elements in the sorted set.",
		Arity:      -3, Flags: command.Write | command.Fast | command.Blocking,
		Keys: []command.KeySpec{
			{Flags: command.KeyRW | command.KeyAccess | command.KeyDelete, Index: 1, Last: -2},
		},
		Usage:   "key... timeout:double",
		History: [][2]string{{"6.0.0", "The timeout may have decimals."}},
		Write:   func(c *command.Call, tx *keyspace.WriteTx) { bzpop(c, tx, false) },
	}, {
		Name: "bzpopmax", Group: "sorted-set", Since: "5.0.0",
		Summary:    "Removes and gives the member with the highest score of the first sorted set that is there, or waits for one.",
		Complexity: "O(log(N)) with N being the number of elements in the sorted set.",
		Arity:      -3, Flags: command.Write | command.Fast | command.Blocking,
		Keys: []command.KeySpec{
			{Flags: command.KeyRW | command.KeyAccess | command.KeyDelete, Index: 1, Last: -2},
		},
		Usage:   "key... timeout:double",
		History: [][2]string{{"6.0.0", "The timeout may have decimals."}},
		Write:   func(c *command.Call, tx *keyspace.WriteTx) { bzpop(c, tx, true) },
	}, {
		Name: "bzmpop", Group: "sorted-set", Since: "7.0.0",
		Summary:    "Removes and gives members from either end of the first sorted set that is there, or waits for one.",
		Complexity: "O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of elements in the sorted set, and M being the number of elements popped.",
		Arity:      -5, Flags: command.Write | command.Blocking,
		Keys: []command.KeySpec{
			{Flags: command.KeyRW | command.KeyAccess | command.KeyDelete, Index: 2, NumKeys: true, KeyNum: 0, FirstKey: 1},
		},
		Usage: "timeout:double numkeys:integer key... <MIN | MAX>:where [COUNT count:integer]",
		Write: bzmpop,
	}}
}

// bzpop is BZPOPMIN and, fromTop, BZPOPMAX.
func bzpop(c *command.Call, tx *keyspace.WriteTx, fromTop bool) {
	last := len(c.Args) - 1
	untilMs, err := secondsUntil(c, c.Args[last])
	if err != nil {
		c.Fail(err)
		return
	}
	keys := c.Args[1:last]
	open, key, err := openFirst(tx, keys)
	switch {
	case err != nil:
		c.Fail(err)
		return
	case open.Value == nil:
		waitForZSet(c, keys, untilMs)
		return
	}
	p := zpopper{fromTop: fromTop, n: 1}
	from := len(c.Out.Buf)
	c.Out.Array(3)
	c.Out.Bulk(key)
	if p.pop(c, tx, &open, key, from) {
		p.log(tx, key, false)
	}
}

func bzmpop(c *command.Call, tx *keyspace.WriteTx) {
	var z zmpopArgs
	if err := z.read(c, 2); err != nil {
		c.Fail(err)
		return
	}
	untilMs, err := secondsUntil(c, c.Args[1])
	if err != nil {
		c.Fail(err)
		return
	}
	if !z.serve(c, tx) {
		waitForZSet(c, z.keys, untilMs)
	}
}

func waitForZSet(c *command.Call, keys [][]byte, untilMs int64) {
	c.Block(&command.Wait{Keys: keys, Type: value.TypeZSet, UntilMs: untilMs, Null: (*resp.Writer).NullArray})
}
