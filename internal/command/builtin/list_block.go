package builtin

import (
	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/quicklist"
	"github.com/skeindb/skein/internal/data/value"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func listBlocks() []*command.Spec {
	const fraction = "`timeout` may have a fraction."
	pop := func(name, summary string, e end) *command.Spec {
		return &command.Spec{
			Name: name, Group: "list", Since: "2.0.0", Summary: summary,
			Complexity: "O(N) where N is the number of provided keys.",
			Arity:      -3, Flags: command.Write | command.Blocking,
			Keys: []command.KeySpec{{
				Flags: command.KeyRW | command.KeyAccess | command.KeyDelete, Index: 1, Last: -2,
			}},
			Usage:   "key... timeout:double",
			History: [][2]string{{"6.0.0", fraction}},
			Write:   func(c *command.Call, tx *keyspace.WriteTx) { blockingPop(c, tx, e) },
		}
	}
	return []*command.Spec{
		pop("blpop", "Removes the first element of the first list that exists, of several, and gives it; waits for one if there is none.", left),
		pop("brpop", "Removes the last element of the first list that exists, of several, and gives it; waits for one if there is none.", right),
		{
			Name: "blmove", Group: "list", Since: "6.2.0",
			Summary:    "Takes an element from an end of one list to an end of another and gives it; waits for one if there is none.",
			Complexity: "O(1)",
			Arity:      6, Flags: command.Write | command.DenyOOM | command.Blocking,
			Keys:  moveKeys(),
			Usage: "source:key destination:key <LEFT | RIGHT>:wherefrom <LEFT | RIGHT>:whereto timeout:double",
			Write: blockingMove,
		}, {
			Name: "brpoplpush", Group: "list", Since: "2.2.0",
			Summary:    "Takes the last element of one list to the beginning of another and gives it; waits for one if there is none.",
			Complexity: "O(1)",
			Arity:      4, Flags: command.Write | command.DenyOOM | command.Blocking,
			Keys:       moveKeys(),
			Usage:      "source:key destination:key timeout:double",
			History:    [][2]string{{"6.0.0", fraction}},
			DocFlags:   []string{"deprecated"},
			Deprecated: "6.2.0",
			ReplacedBy: "`BLMOVE` with the `RIGHT` and `LEFT` arguments",
			Write:      blockingRPopLPush,
		}, {
			Name: "blmpop", Group: "list", Since: "7.0.0",
			Summary:    "Removes elements from an end of the first list that exists, of several, and gives them; waits for some if there are none.",
			Complexity: "O(N+M) where N is the number of provided keys and M is the number of elements returned.",
			Arity:      -5, Flags: command.Write | command.Blocking,
			Keys: []command.KeySpec{{
				Flags: command.KeyRW | command.KeyAccess | command.KeyDelete,
				Index: 2, NumKeys: true, FirstKey: 1,
			}},
			Usage: "timeout:double numkeys:integer key... <LEFT | RIGHT>:where [COUNT count:integer]",
			Write: blockingPopFromOneOf,
		},
	}
}

// blockingPop is BLPOP and BRPOP.
func blockingPop(c *command.Call, tx *keyspace.WriteTx, e end) {
	last := len(c.Args) - 1
	until, err := secondsUntil(c, c.Args[last])
	if err != nil {
		c.Fail(err)
		return
	}
	keys := c.Args[1:last]
	for _, key := range keys {
		var l keyspace.Change[*quicklist.List]
		if err := l.Open(tx, key); err != nil {
			c.Fail(err)
			return
		}
		if l.Found() {
			popWithKey(c, tx, &l, key, e)
			return
		}
	}
	awaitList(c, keys, until, (*resp.Writer).NullArray)
}

// popWithKey removes one element from a list that is there, which is logged as a pop
// from it, and replies with key and element.
func popWithKey(c *command.Call, tx *keyspace.WriteTx, l *keyspace.Change[*quicklist.List], key []byte, e end) {
	from := len(c.Out.Buf)
	c.Out.Array(2)
	c.Out.Bulk(key)
	if _, err := popOpened(c, tx, l, key, e, 1, false); err != nil {
		failAfter(c, from, err)
		return
	}
	tx.Propagate(popWords[e], key)
}

// awaitList makes the call wait until one of keys holds a list.
func awaitList(c *command.Call, keys [][]byte, untilMs int64, null func(*resp.Writer)) {
	c.Block(&command.Wait{Keys: keys, Type: value.TypeList, UntilMs: untilMs, Null: null})
}

func blockingPopFromOneOf(c *command.Call, tx *keyspace.WriteTx) {
	var p multiPop
	a := c.Parse(2)
	p.read(&a)
	err := a.Err()
	var until int64
	if err == nil {
		until, err = secondsUntil(c, c.Args[1])
	}
	if err != nil {
		c.Fail(err)
		return
	}
	if !p.run(c, tx) {
		awaitList(c, p.keys, until, (*resp.Writer).NullArray)
	}
}

func blockingMove(c *command.Call, tx *keyspace.WriteTx) {
	a := c.Parse(3)
	from, to := readEnd(&a), readEnd(&a)
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	moveOrWait(c, tx, from, to, c.Args[5], []byte("LMOVE"), c.Args[1], c.Args[2], c.Args[3], c.Args[4])
}

func blockingRPopLPush(c *command.Call, tx *keyspace.WriteTx) {
	moveOrWait(c, tx, right, left, c.Args[3], []byte("RPOPLPUSH"), c.Args[1], c.Args[2])
}

// moveOrWait moves an element, which is logged as argv, or waits for one.
func moveOrWait(c *command.Call, tx *keyspace.WriteTx, from, to end, timeout []byte, argv ...[]byte) {
	until, err := secondsUntil(c, timeout)
	if err != nil {
		c.Fail(err)
		return
	}
	switch found, err := moveElement(c, tx, from, to); {
	case err != nil:
		c.Fail(err)
	case found:
		tx.Propagate(argv...)
	default:
		awaitList(c, c.Args[1:2], until, (*resp.Writer).Null)
	}
}
