package builtin

import (
	"math"
	"strconv"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/zset"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func zsetPopSpecs() []*command.Spec {
	return []*command.Spec{{
		Name: "zpopmin", Group: "sorted-set", Since: "5.0.0",
		Summary:    "Removes and gives the members of a sorted set with the lowest scores.",
		Complexity: "O(log(N)*M) with N being the number of elements in the sorted set, and M being the number of elements popped.",
		Arity:      -2, Flags: command.Write | command.Fast,
		Keys:  command.FirstKey(command.KeyRW | command.KeyAccess | command.KeyDelete),
		Usage: "key [count:integer]",
		Write: func(c *command.Call, tx *keyspace.WriteTx) { zpop(c, tx, false) },
	}, {
		Name: "zpopmax", Group: "sorted-set", Since: "5.0.0",
		Summary:    "Removes and gives the members of a sorted set with the highest scores.",
		Complexity: "O(log(N)*M) with N being the number of elements in the sorted set, and M being the number of elements popped.",
		Arity:      -2, Flags: command.Write | command.Fast,
		Keys:  command.FirstKey(command.KeyRW | command.KeyAccess | command.KeyDelete),
		Usage: "key [count:integer]",
		Write: func(c *command.Call, tx *keyspace.WriteTx) { zpop(c, tx, true) },
	}, {
		Name: "zmpop", Group: "sorted-set", Since: "7.0.0",
		Summary:    "Removes and gives members from either end of the first sorted set that is there.",
		Complexity: "O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of elements in the sorted set, and M being the number of elements popped.",
		Arity:      -4, Flags: command.Write,
		Keys: []command.KeySpec{
			{Flags: command.KeyRW | command.KeyAccess | command.KeyDelete, Index: 1, NumKeys: true, KeyNum: 0, FirstKey: 1},
		},
		Usage: "numkeys:integer key... <MIN | MAX>:where [COUNT count:integer]",
		Write: zmpop,
	}}
}

// zpop is ZPOPMIN and, fromTop, ZPOPMAX.
func zpop(c *command.Call, tx *keyspace.WriteTx, fromTop bool) {
	if len(c.Args) > 3 {
		c.Out.Error(command.ErrSyntax)
		return
	}
	count, counted := int64(1), len(c.Args) == 3
	if counted {
		a := c.Parse(2)
		if count = a.Positive(); a.Err() != nil {
			c.Fail(a.Err())
			return
		}
	}
	var open keyspace.Change[*zset.ZSet]
	err := open.Open(tx, c.Args[1])
	switch {
	case err != nil:
		c.Fail(err)
		return
	case open.Value == nil || count == 0:
		c.Out.EmptyArray()
		return
	}
	p := zpopper{fromTop: fromTop, pairs: counted && c.Out.Proto >= 3}
	p.n = int(min(count, int64(open.Value.Len())))
	from := len(c.Out.Buf)
	if p.pairs {
		c.Out.Array(p.n)
	} else {
		c.Out.Array(2 * p.n)
	}
	p.pop(c, tx, &open, c.Args[1], from)
}

// zpopper takes n members from an end of a sorted set.
type zpopper struct {
	n              int
	fromTop, pairs bool // pairs: each in an array with its score
}

// pop takes them and writes them behind what was replied since the buffer had the
// length from. False means that the error has been replied instead.
func (p *zpopper) pop(c *command.Call, tx *keyspace.WriteTx, open *keyspace.Change[*zset.ZSet], key []byte, from int) bool {
	z := open.Value
	first, event := 0, "zpopmin"
	if p.fromTop {
		first, event = z.Len()-p.n, "zpopmax"
	}
	p.reply(c.Out, z)
	z.DeleteRange(first, p.n)
	if err := saveAnnounced(tx, open, keyspace.EventZSet, event, key); err != nil {
		failAfter(c, from, err)
		return false
	}
	tx.CountMore(key, p.n)
	return true
}

// reply writes the members to be taken, the outermost first.
func (p *zpopper) reply(out *resp.Writer, z *zset.ZSet) {
	left := p.n
	if p.fromTop {
		for m, score := range z.Descend(z.Len() - 1) {
			p.replyOne(out, m, score)
			if left--; left == 0 {
				return
			}
		}
	}
	for m, score := range z.Ascend(0) {
		p.replyOne(out, m, score)
		if left--; left == 0 {
			return
		}
	}
}

func (p *zpopper) replyOne(out *resp.Writer, m []byte, score float64) {
	if p.pairs {
		out.Array(2)
	}
	out.Bulk(m)
	out.Double(score)
}

// log logs a pop by the name that does not depend on other keys; counted, with the
// number of members.
func (p *zpopper) log(tx *keyspace.WriteTx, key []byte, counted bool) {
	word := []byte("ZPOPMIN")
	if p.fromTop {
		word = []byte("ZPOPMAX")
	}
	if !counted {
		tx.Propagate(word, key)
		return
	}
	tx.Propagate(word, key, strconv.AppendInt(nil, int64(p.n), 10))
}

// openFirst opens the first sorted set among keys that is there; none if there is
// none.
func openFirst(tx *keyspace.WriteTx, keys [][]byte) (open keyspace.Change[*zset.ZSet], key []byte, err error) {
	for _, key = range keys {
		open = keyspace.Change[*zset.ZSet]{}
		err = open.Open(tx, key)
		if err != nil || open.Value != nil {
			return open, key, err
		}
	}
	return open, nil, nil
}

// zmpopArgs are what ZMPOP and BZMPOP take, from the number of keys on.
type zmpopArgs struct {
	keys    [][]byte
	fromTop bool
	count   int64
}

func (z *zmpopArgs) read(c *command.Call, at int) error {
	a := c.Parse(at)
	keys := a.IntOr(1, math.MaxInt64, "ERR numkeys should be greater than 0")
	if a.Err() != nil {
		return a.Err()
	}
	if keys >= int64(a.Left()) {
		return command.Error(command.ErrSyntax)
	}
	z.keys = c.Args[at+1:][:keys]
	a = c.Parse(at + 1 + int(keys))
	switch a.OneOf("MIN", "MAX") {
	case 0:
	case 1:
		z.fromTop = true
	default:
		a.Syntax()
	}
	z.count = 1
	for counted := false; a.More(); {
		if counted || !a.IsWith("COUNT", 1) {
			a.Syntax()
			break
		}
		z.count, counted = a.IntOr(1, math.MaxInt64, "ERR count should be greater than 0"), true
	}
	return a.Err()
}

// serve pops and replies with the key and the members. False means that there is no
// key that could serve, and nothing was replied.
func (z *zmpopArgs) serve(c *command.Call, tx *keyspace.WriteTx) bool {
	open, key, err := openFirst(tx, z.keys)
	if err != nil {
		c.Fail(err)
		return true
	}
	if open.Value == nil {
		return false
	}
	p := zpopper{fromTop: z.fromTop, pairs: true, n: int(min(z.count, int64(open.Value.Len())))}
	from := len(c.Out.Buf)
	c.Out.Array(2)
	c.Out.Bulk(key)
	c.Out.Array(p.n)
	if p.pop(c, tx, &open, key, from) {
		p.log(tx, key, true)
	}
	return true
}

func zmpop(c *command.Call, tx *keyspace.WriteTx) {
	var z zmpopArgs
	if err := z.read(c, 1); err != nil {
		c.Fail(err)
		return
	}
	if !z.serve(c, tx) {
		c.Out.NullArray()
	}
}
