package builtin

import (
	"math"
	"math/rand/v2"
	"strconv"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/zset"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func zsetScanSpecs() []*command.Spec {
	return []*command.Spec{{
		Name: "zscan", Group: "sorted-set", Since: "2.8.0",
		Summary:    "Lists some members of a sorted set with their scores, and says where to go on for more.",
		Complexity: "O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return back to 0. N is the number of elements inside the collection.",
		Arity:      -3, Flags: command.ReadOnly,
		Keys:  command.FirstKey(command.KeyRO | command.KeyAccess),
		Tips:  []string{"nondeterministic_output"},
		Usage: "key cursor:integer [MATCH pattern] [COUNT count:integer]",
		Read:  zscan,
	}, {
		Name: "zrandmember", Group: "sorted-set", Since: "6.2.0",
		Summary:    "Gives random members of a sorted set.",
		Complexity: "O(N) where N is the number of members returned",
		Arity:      -2, Flags: command.ReadOnly,
		Keys:  command.FirstKey(command.KeyRO | command.KeyAccess),
		Tips:  []string{"nondeterministic_output"},
		Usage: "key [count:integer [WITHSCORES]]:options",
		Read:  zrandmember,
	}}
}

func zscan(c *command.Call, tx *keyspace.ReadTx) {
	var z *zset.ZSet
	scanInside(c, func() (there, ok bool) {
		z, ok = find[*zset.ZSet](c, tx)
		return z != nil, ok
	}, func(cursor uint64, o *scanOptions, items *resp.Writer) (next uint64, n int) {
		text := resp.AppendDouble
		if z.Listpack() == nil {
			text = appendDouble17
		}
		next = z.Scan(cursor, o.count, func(m []byte, score float64) {
			if o.acceptsName(m) {
				var scratch [32]byte
				items.Bulk(m)
				items.Bulk(text(scratch[:0], score))
				n += 2
			}
		})
		return next, n
	})
}

// appendDouble17 appends d as C's %.17g does: so redis shows the scores of a large
// set when it is scanned.
func appendDouble17(dst []byte, d float64) []byte {
	switch {
	case math.IsInf(d, 1):
		return append(dst, "inf"...)
	case math.IsInf(d, -1):
		return append(dst, "-inf"...)
	}
	return strconv.AppendFloat(dst, d, 'g', 17, 64)
}

func zrandmember(c *command.Call, tx *keyspace.ReadTx) {
	if len(c.Args) == 2 {
		zrandmemberOne(c, tx)
		return
	}
	a := c.Parse(2)
	count := a.IntIn(-math.MaxInt64, math.MaxInt64)
	withScores := a.Is("WITHSCORES")
	a.End()
	if withScores && (count < -math.MaxInt64/2 || count > math.MaxInt64/2) {
		a.Fail(command.Error("ERR value is out of range"))
	}
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	z, ok := find[*zset.ZSet](c, tx)
	switch {
	case !ok:
	case z == nil || count == 0:
		c.Out.EmptyArray()
	case count < -maxRepeats:
		c.Fail(errRepeats)
	case count < 0:
		replyRandomMembers(c, z, int(-count), withScores)
	default:
		replySampledMembers(c.Out, z, int(min(count, int64(z.Len()))), withScores)
	}
}

func zrandmemberOne(c *command.Call, tx *keyspace.ReadTx) {
	z, ok := find[*zset.ZSet](c, tx)
	switch {
	case !ok:
	case z == nil:
		c.Out.Null()
	default:
		var scratch [20]byte
		m, _ := z.At(rand.IntN(z.Len()), scratch[:])
		c.Out.Bulk(m)
	}
}

// replyRandomMembers replies with n members, each drawn from all.
func replyRandomMembers(c *command.Call, z *zset.ZSet, n int, withScores bool) {
	membersHead(c.Out, n, withScores)
	for range repeats(c, n) {
		replyMemberAt(c.Out, z, rand.IntN(z.Len()), withScores)
	}
}

// replySampledMembers replies with n different members.
func replySampledMembers(out *resp.Writer, z *zset.ZSet, n int, withScores bool) {
	if n == z.Len() {
		replyMembers(out, z, 0, n, false, withScores)
		return
	}
	membersHead(out, n, withScores)
	for _, rank := range sample(z.Len(), n) {
		replyMemberAt(out, z, rank, withScores)
	}
}

func replyMemberAt(out *resp.Writer, z *zset.ZSet, rank int, withScore bool) {
	var scratch [20]byte
	m, score := z.At(rank, scratch[:])
	replyMember(out, m, score, withScore)
}
