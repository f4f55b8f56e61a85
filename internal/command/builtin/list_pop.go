package builtin

import (
	"math"
	"strconv"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/quicklist"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func listPops() []*command.Spec {
	pop := func(name, summary string, e end) *command.Spec {
		return &command.Spec{
			Name: name, Group: "list", Since: "1.0.0", Summary: summary,
			Complexity: "O(N) where N is the number of elements returned",
			Arity:      -2, Flags: command.Write | command.Fast,
			Keys:    command.FirstKey(command.KeyRW | command.KeyAccess | command.KeyDelete),
			Usage:   "key [count:integer@6.2.0]",
			History: [][2]string{{"6.2.0", "`count` came."}},
			Write:   func(c *command.Call, tx *keyspace.WriteTx) { pop(c, tx, e) },
		}
	}
	return []*command.Spec{
		pop("lpop", "Removes the first element or elements of a list and gives them.", left),
		pop("rpop", "Removes the last element or elements of a list and gives them.", right),
		{
			Name: "lmpop", Group: "list", Since: "7.0.0",
			Summary:    "Removes elements from an end of the first list that exists, of several, and gives them.",
			Complexity: "O(N+M) where N is the number of provided keys and M is the number of elements returned.",
			Arity:      -4, Flags: command.Write,
			Keys: []command.KeySpec{{
				Flags: command.KeyRW | command.KeyAccess | command.KeyDelete,
				Index: 1, NumKeys: true, FirstKey: 1,
			}},
			Usage: "numkeys:integer key... <LEFT | RIGHT>:where [COUNT count:integer]",
			Write: popFromOneOf,
		},
	}
}

// pop is LPOP and RPOP.
func pop(c *command.Call, tx *keyspace.WriteTx, e end) {
	if len(c.Args) > 3 {
		c.Fail(errArity(c))
		return
	}
	a := c.Parse(2)
	count, several := int64(1), a.More()
	if several {
		count = a.Positive()
	}
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	key := c.Args[1]
	var l keyspace.Change[*quicklist.List]
	err := l.Open(tx, key)
	switch {
	case err != nil:
		c.Fail(err)
	case !l.Found() && several:
		c.Out.NullArray()
	case !l.Found():
		c.Out.Null()
	case count == 0:
		c.Out.EmptyArray()
	default:
		from := len(c.Out.Buf)
		if _, err := popOpened(c, tx, &l, key, e, count, several); err != nil {
			failAfter(c, from, err)
		}
	}
}

// popOpened removes up to count elements from the end e of a list that is there and
// replies with them, in an array if several were asked for. It returns how many.
func popOpened(c *command.Call, tx *keyspace.WriteTx, l *keyspace.Change[*quicklist.List], key []byte, e end, count int64, several bool) (popped int, err error) {
	n := int(min(count, int64(l.Value.Len())))
	if several {
		replyElements(c.Out, l.Value, e, n)
	} else {
		var scratch [20]byte
		c.Out.Bulk(l.Value.At(e.first(l.Value, 1), scratch[:]))
	}
	l.Value.DeleteRange(e.first(l.Value, n), n)
	if err := shrink(tx, l, popEvents[e], key); err != nil {
		return n, err
	}
	tx.CountMore(key, n)
	return n, nil
}

// multiPop is what the arguments of LMPOP say, and those of BLMPOP behind the time.
type multiPop struct {
	keys  [][]byte
	from  end
	count int64
}

func (p *multiPop) read(a *command.Args) {
	n := a.IntOr(1, math.MaxInt64, "ERR numkeys should be greater than 0")
	if a.Err() == nil && n >= int64(a.Left()) {
		a.Syntax()
	}
	for ; n > 0 && a.Err() == nil; n-- {
		p.keys = append(p.keys, a.Next())
	}
	p.from, p.count = readEnd(a), 1
	if a.IsWith("COUNT", 1) {
		p.count = a.IntOr(1, math.MaxInt64, "ERR count should be greater than 0")
	}
	a.End()
}

func popFromOneOf(c *command.Call, tx *keyspace.WriteTx) {
	var p multiPop
	a := c.Parse(1)
	p.read(&a)
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	if !p.run(c, tx) {
		c.Out.NullArray()
	}
}

// run pops from the first list that is there; ok is false, and nothing replied, if
// none is. It is logged as a pop from that list.
func (p *multiPop) run(c *command.Call, tx *keyspace.WriteTx) (ok bool) {
	for _, key := range p.keys {
		var l keyspace.Change[*quicklist.List]
		if err := l.Open(tx, key); err != nil {
			c.Fail(err)
			return true
		}
		if !l.Found() {
			continue
		}
		from := len(c.Out.Buf)
		c.Out.Array(2)
		c.Out.Bulk(key)
		n, err := popOpened(c, tx, &l, key, p.from, p.count, true)
		if err != nil {
			failAfter(c, from, err)
			return true
		}
		tx.Propagate(popWords[p.from], key, strconv.AppendInt(nil, int64(n), 10))
		return true
	}
	return false
}
