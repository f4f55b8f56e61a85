package builtin

import (
	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/zset"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func zsetSpecs() []*command.Spec {
	return []*command.Spec{{
		Name: "zcard", Group: "sorted-set", Since: "1.2.0",
		Summary:    "Counts the members of a sorted set.",
		Complexity: "O(1)",
		Arity:      2, Flags: command.ReadOnly | command.Fast,
		Keys:  command.FirstKey(command.KeyRO),
		Usage: "key",
		Read:  replyLen[*zset.ZSet],
	}, {
		Name: "zscore", Group: "sorted-set", Since: "1.2.0",
		Summary:    "Gives the score of a member of a sorted set.",
		Complexity: "O(1)",
		Arity:      3, Flags: command.ReadOnly | command.Fast,
		Keys:     command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage:    "key member",
		Elements: command.Elements{First: 2, Step: 2},
		Read:     zscore,
	}, {
		Name: "zmscore", Group: "sorted-set", Since: "6.2.0",
		Summary:    "Gives the scores of several members of a sorted set.",
		Complexity: "O(N) where N is the number of members being requested.",
		Arity:      -3, Flags: command.ReadOnly | command.Fast,
		Keys:     command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage:    "key member...",
		Elements: command.Elements{First: 2, Step: 1},
		Read:     zmscore,
	}, {
		Name: "zrank", Group: "sorted-set", Since: "2.0.0",
		Summary:    "Tells how many members of a sorted set come before one.",
		Complexity: "O(log(N))",
		Arity:      -3, Flags: command.ReadOnly | command.Fast,
		Keys:     command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage:    "key member [WITHSCORE]",
		History:  [][2]string{{"7.2.0", "`WITHSCORE` came."}},
		Elements: command.Elements{First: 2, Step: 2},
		Read:     func(c *command.Call, tx *keyspace.ReadTx) { zrank(c, tx, false) },
	}, {
		Name: "zrevrank", Group: "sorted-set", Since: "2.0.0",
		Summary:    "Tells how many members of a sorted set come behind one.",
		Complexity: "O(log(N))",
		Arity:      -3, Flags: command.ReadOnly | command.Fast,
		Keys:     command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage:    "key member [WITHSCORE]",
		History:  [][2]string{{"7.2.0", "`WITHSCORE` came."}},
		Elements: command.Elements{First: 2, Step: 2},
		Read:     func(c *command.Call, tx *keyspace.ReadTx) { zrank(c, tx, true) },
	}, {
		Name: "zcount", Group: "sorted-set", Since: "2.0.0",
		Summary:    "Counts the members of a sorted set whose scores lie in a range.",
		Complexity: "O(log(N)) with N being the number of elements in the sorted set.",
		Arity:      4, Flags: command.ReadOnly | command.Fast,
		Keys:  command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage: "key min:double max:double",
		Read:  func(c *command.Call, tx *keyspace.ReadTx) { zcount(c, tx, byScore) },
	}, {
		Name: "zlexcount", Group: "sorted-set", Since: "2.8.9",
		Summary:    "Counts the members of a sorted set that lie in a range of the alphabet.",
		Complexity: "O(log(N)) with N being the number of elements in the sorted set.",
		Arity:      4, Flags: command.ReadOnly | command.Fast,
		Keys:  command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage: "key min max",
		Read:  func(c *command.Call, tx *keyspace.ReadTx) { zcount(c, tx, byLex) },
	}}
}

// errNoFloatRange and errNoLexRange are redis's errors of bounds.
const (
	errNoFloatRange command.Error = "ERR min or max is not a float"
	errNoLexRange   command.Error = "ERR min or max not valid string range item"
)

func zscore(c *command.Call, tx *keyspace.ReadTx) {
	if z, ok := find[*zset.ZSet](c, tx); ok {
		replyScore(c.Out, z, c.Args[2])
	}
}

func zmscore(c *command.Call, tx *keyspace.ReadTx) {
	z, ok := find[*zset.ZSet](c, tx)
	if !ok {
		return
	}
	c.Out.Array(len(c.Args) - 2)
	for _, m := range c.Args[2:] {
		replyScore(c.Out, z, m)
	}
}

// replyScore replies with the score of a member, or null.
func replyScore(out *resp.Writer, z *zset.ZSet, m []byte) {
	if z != nil {
		if score, ok := z.Score(m); ok {
			out.Double(score)
			return
		}
	}
	out.Null()
}

// zrank is ZRANK and, fromTop, ZREVRANK.
func zrank(c *command.Call, tx *keyspace.ReadTx, fromTop bool) {
	if len(c.Args) > 4 {
		c.Fail(errArity(c))
		return
	}
	a := c.Parse(3)
	withScore := a.Is("WITHSCORE")
	if a.End(); a.Err() != nil {
		c.Fail(a.Err())
		return
	}
	z, ok := find[*zset.ZSet](c, tx)
	if !ok {
		return
	}
	rank, score, found := 0, 0.0, false
	if z != nil {
		rank, score, found = z.RankScore(c.Args[2])
	}
	switch {
	case !found && withScore:
		c.Out.NullArray()
		return
	case !found:
		c.Out.Null()
		return
	case fromTop:
		rank = z.Len() - 1 - rank
	}
	if withScore {
		c.Out.Array(2)
	}
	c.Out.Int(int64(rank))
	if withScore {
		c.Out.Double(score)
	}
}

// zcount is ZCOUNT and ZLEXCOUNT.
func zcount(c *command.Call, tx *keyspace.ReadTx, by zorder) {
	w := zwindow{order: by, limit: -1}
	if err := w.parseBounds(c.Args[2], c.Args[3]); err != nil {
		c.Fail(err)
		return
	}
	z, ok := find[*zset.ZSet](c, tx)
	if !ok {
		return
	}
	n := 0
	if z != nil {
		_, n = w.of(z)
	}
	c.Out.Int(int64(n))
}
