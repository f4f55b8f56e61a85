package builtin

import (
	"math"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/zset"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func zsetRangeSpecs() []*command.Spec {
	return []*command.Spec{{
		Name: "zrange", Group: "sorted-set", Since: "1.2.0",
		Summary:    "Lists the members of a sorted set in a range of ranks, scores or the alphabet.",
		Complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements returned.",
		Arity:      -4, Flags: command.ReadOnly,
		Keys:    command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage:   "key start stop [BYSCORE | BYLEX]:sortby@6.2.0 [REV@6.2.0] [LIMIT <offset:integer count:integer>@6.2.0] [WITHSCORES]",
		History: [][2]string{{"6.2.0", "`REV`, `BYSCORE`, `BYLEX` and `LIMIT` came."}},
		Read:    func(c *command.Call, tx *keyspace.ReadTx) { zrange(c, tx, zwindow{}) },
	}, {
		Name: "zrevrange", Group: "sorted-set", Since: "1.2.0",
		Summary:    "Lists the members of a sorted set in a range of ranks, counted from the highest score down.",
		Complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements returned.",
		Arity:      -4, Flags: command.ReadOnly,
		Keys:       command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage:      "key start:integer stop:integer [WITHSCORES]",
		DocFlags:   []string{"deprecated"},
		Deprecated: "6.2.0",
		ReplacedBy: "`ZRANGE` with the `REV` argument",
		Read: func(c *command.Call, tx *keyspace.ReadTx) {
			zrange(c, tx, zwindow{order: byRank, reverse: true, fixed: true})
		},
	}, {
		Name: "zrangebyscore", Group: "sorted-set", Since: "1.0.5",
		Summary:    "Lists the members of a sorted set whose scores lie in a range.",
		Complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you can consider it O(log(N)).",
		Arity:      -4, Flags: command.ReadOnly,
		Keys:       command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage:      "key min:double max:double [WITHSCORES@2.0.0] [LIMIT <offset:integer count:integer>]",
		History:    [][2]string{{"2.0.0", "`WITHSCORES` came."}},
		DocFlags:   []string{"deprecated"},
		Deprecated: "6.2.0",
		ReplacedBy: "`ZRANGE` with the `BYSCORE` argument",
		Read:       func(c *command.Call, tx *keyspace.ReadTx) { zrange(c, tx, zwindow{order: byScore, fixed: true}) },
	}, {
		Name: "zrevrangebyscore", Group: "sorted-set", Since: "2.2.0",
		Summary:    "Lists the members of a sorted set whose scores lie in a range, from the highest down.",
		Complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you can consider it O(log(N)).",
		Arity:      -4, Flags: command.ReadOnly,
		Keys:       command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage:      "key max:double min:double [WITHSCORES] [LIMIT <offset:integer count:integer>]",
		History:    [][2]string{{"2.1.6", "`min` and `max` may be exclusive."}},
		DocFlags:   []string{"deprecated"},
		Deprecated: "6.2.0",
		ReplacedBy: "`ZRANGE` with the `REV` and `BYSCORE` arguments",
		Read: func(c *command.Call, tx *keyspace.ReadTx) {
			zrange(c, tx, zwindow{order: byScore, reverse: true, fixed: true})
		},
	}, {
		Name: "zrangebylex", Group: "sorted-set", Since: "2.8.9",
		Summary:    "Lists the members of a sorted set in a range of the alphabet.",
		Complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you can consider it O(log(N)).",
		Arity:      -4, Flags: command.ReadOnly,
		Keys:       command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage:      "key min max [LIMIT <offset:integer count:integer>]",
		DocFlags:   []string{"deprecated"},
		Deprecated: "6.2.0",
		ReplacedBy: "`ZRANGE` with the `BYLEX` argument",
		Read:       func(c *command.Call, tx *keyspace.ReadTx) { zrange(c, tx, zwindow{order: byLex, fixed: true}) },
	}, {
		Name: "zrevrangebylex", Group: "sorted-set", Since: "2.8.9",
		Summary:    "Lists the members of a sorted set in a range of the alphabet, from the last one back.",
		Complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you can consider it O(log(N)).",
		Arity:      -4, Flags: command.ReadOnly,
		Keys:       command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage:      "key max min [LIMIT <offset:integer count:integer>]",
		DocFlags:   []string{"deprecated"},
		Deprecated: "6.2.0",
		ReplacedBy: "`ZRANGE` with the `REV` and `BYLEX` arguments",
		Read: func(c *command.Call, tx *keyspace.ReadTx) {
			zrange(c, tx, zwindow{order: byLex, reverse: true, fixed: true})
		},
	}, {
		Name: "zrangestore", Group: "sorted-set", Since: "6.2.0",
		Summary:    "Stores the members of a sorted set in a range at another key.",
		Complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements stored into the destination key.",
		Arity:      -5, Flags: command.Write | command.DenyOOM,
		Keys: []command.KeySpec{
			{Flags: command.KeyOW | command.KeyUpdate, Index: 1},
			{Flags: command.KeyRO | command.KeyAccess, Index: 2},
		},
		Usage: "dst:key src:key min max [BYSCORE | BYLEX]:sortby [REV] [LIMIT <offset:integer count:integer>]",
		Write: zrangeStore,
	}}
}

// zrange is ZRANGE and its older forms.
func zrange(c *command.Call, tx *keyspace.ReadTx, w zwindow) {
	if err := w.read(c, 2, true); err != nil {
		c.Fail(err)
		return
	}
	z, ok := find[*zset.ZSet](c, tx)
	switch {
	case !ok:
	case z == nil:
		c.Out.EmptyArray()
	default:
		first, n := w.of(z)
		replyMembers(c.Out, z, first, n, w.reverse, w.withScores)
	}
}

// read reads the arguments from the first bound on.
func (w *zwindow) read(c *command.Call, at int, mayShowScores bool) error {
	w.limit = -1
	a := c.Parse(at + 2)
	for a.More() {
		switch {
		case mayShowScores && a.Is("WITHSCORES"):
			w.withScores = true
		case a.IsWith("LIMIT", 2):
			w.offset, w.limit = a.Int(), a.Int()
		case !w.fixed && !w.reverse && a.Is("REV"):
			w.reverse = true
		case !w.fixed && w.order == byRank && a.Is("BYLEX"):
			w.order = byLex
		case !w.fixed && w.order == byRank && a.Is("BYSCORE"):
			w.order = byScore
		default:
			a.Syntax()
		}
	}
	switch {
	case a.Err() != nil:
		return a.Err()
	case w.limit != -1 && w.order == byRank:
		return command.Error("ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX")
	case w.withScores && w.order == byLex:
		return command.Error("ERR syntax error, WITHSCORES not supported in combination with BYLEX")
	}
	return w.parseBounds(c.Args[at], c.Args[at+1])
}

// membersHead writes the head of an array of n members, with their scores perhaps:
// pairs of its own in RESP3, one flat array in RESP2.
func membersHead(out *resp.Writer, n int, withScores bool) {
	if withScores && out.Proto < 3 {
		n *= 2
	}
	out.Array(n)
}

// replyMember writes one of the members behind membersHead.
func replyMember(out *resp.Writer, m []byte, score float64, withScore bool) {
	if !withScore {
		out.Bulk(m)
		return
	}
	if out.Proto >= 3 {
		out.Array(2)
	}
	out.Bulk(m)
	out.Double(score)
}

// replyMembers replies with n members from a rank on, up or down.
func replyMembers(out *resp.Writer, z *zset.ZSet, first, n int, down, withScores bool) {
	membersHead(out, n, withScores)
	switch {
	case n == 0:
	case !withScores:
		for m := range z.Members(first, n, down) {
			out.Bulk(m)
		}
	case down:
		for m, score := range z.Descend(first) {
			replyMember(out, m, score, true)
			if n--; n == 0 {
				return
			}
		}
	default:
		for m, score := range z.Ascend(first) {
			replyMember(out, m, score, true)
			if n--; n == 0 {
				return
			}
		}
	}
}

func zrangeStore(c *command.Call, tx *keyspace.WriteTx) {
	w := zwindow{}
	if err := w.read(c, 3, false); err != nil {
		c.Fail(err)
		return
	}
	z, err := keyspace.Find[*zset.ZSet](&tx.ReadTx, c.Args[2])
	if err != nil {
		c.Fail(err)
		return
	}
	first, n := 0, 0
	if z != nil {
		first, n = w.of(z)
	}
	if n == 0 {
		storeNothing(c, tx, c.Args[1])
		return
	}
	expected := n
	if w.order != byRank {
		expected = math.MaxInt // redis does not know how many there will be, and prepares for the worst
	}
	limits := tx.Limits().ZSet
	part := zset.New(expected, 0, limits)
	for m, score := range z.Ascend(w.lower(first, n)) {
		part.Set(m, score, limits)
		if n--; n == 0 {
			break
		}
	}
	storeResult(c, tx, c.Args[1], part, keyspace.EventZSet, "zrangestore")
}

// lower is the lowest rank of n members from first on.
func (w *zwindow) lower(first, n int) int {
	if w.reverse {
		return first - (n - 1)
	}
	return first
}
