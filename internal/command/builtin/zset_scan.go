package builtin

import (
	"math"
	"math/rand/v2"
	"strconv"

	"github.com/skeindb/skein/internal/base/glob"
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

// zscan is ZSCAN.
func zscan(c *command.Call, tx *keyspace.ReadTx) {
	cursor, ok := parseCursor(c.Args[2])
	if !ok {
		c.Out.Error("ERR invalid cursor")
		return
	}
	z, ok := findZSet(c, tx)
	if !ok {
		return
	}
	if z == nil {
		replyCursor(c.Out, 0)
		c.Out.EmptyArray()
		return
	}
	var pattern []byte
	count := int64(10)
	a := c.Parse(3)
	for a.More() {
		switch {
		case a.IsWith("COUNT", 1):
			if count = a.Int(); count < 1 {
				a.Syntax()
			}
		case a.IsWith("MATCH", 1):
			pattern = a.Next()
		default:
			a.Syntax()
		}
	}
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	replyScan(c.Out, z, cursor, int(count), pattern)
}

// replyScan replies with the next cursor and the members that match.
func replyScan(out *resp.Writer, z *zset.ZSet, cursor uint64, count int, pattern []byte) {
	text := resp.AppendDouble
	if z.Listpack() == nil {
		text = appendDouble17
	}
	m, n := resp.Writer{Proto: out.Proto}, 0
	next := z.Scan(cursor, count, func(member []byte, score float64) {
		if pattern == nil || glob.Match(pattern, member, false) {
			var scratch [32]byte
			m.Bulk(member)
			m.Bulk(text(scratch[:0], score))
			n += 2
		}
	})
	replyCursor(out, next)
	out.Array(n)
	out.Raw(m.Buf)
}

// replyCursor writes the first of the two parts of a scan's reply.
func replyCursor(out *resp.Writer, next uint64) {
	out.Array(2)
	out.BulkString(strconv.FormatUint(next, 10))
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
	z, ok := findZSet(c, tx)
	switch {
	case !ok:
	case z == nil || count == 0:
		c.Out.EmptyArray()
	case count < 0 || count == 1:
		replyDraws(c.Out, z, int(max(count, -count)), withScores)
	default:
		replySample(c.Out, z, int(min(count, int64(z.Len()))), withScores)
	}
}

func zrandmemberOne(c *command.Call, tx *keyspace.ReadTx) {
	z, ok := findZSet(c, tx)
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

// replyDraws replies with n members, each drawn from all.
func replyDraws(out *resp.Writer, z *zset.ZSet, n int, withScores bool) {
	membersHead(out, n, withScores)
	for range n {
		var scratch [20]byte
		m, score := z.At(rand.IntN(z.Len()), scratch[:])
		replyMember(out, m, score, withScores)
	}
}

// replySample replies with n of the members, no one twice: a walk in order takes each
// with the chance that makes all samples equally likely.
func replySample(out *resp.Writer, z *zset.ZSet, n int, withScores bool) {
	membersHead(out, n, withScores)
	if size := z.Len(); size > 8*n {
		replyFewOfMany(out, z, n, withScores)
		return
	}
	left := z.Len()
	for m, score := range z.Ascend(0) {
		if rand.IntN(left) < n {
			replyMember(out, m, score, withScores)
			if n--; n == 0 {
				return
			}
		}
		left--
	}
}

// replyFewOfMany is replySample that draws ranks until there are enough.
func replyFewOfMany(out *resp.Writer, z *zset.ZSet, n int, withScores bool) {
	drawn := make(map[int]struct{}, n)
	for len(drawn) < n {
		rank := rand.IntN(z.Len())
		if _, twice := drawn[rank]; twice {
			continue
		}
		drawn[rank] = struct{}{}
		var scratch [20]byte
		m, score := z.At(rank, scratch[:])
		replyMember(out, m, score, withScores)
	}
}
