package builtin

import (
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/stream"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func streamRangeSpecs() []*command.Spec {
	history := [][2]string{{"6.2.0", "Bounds may be exclusive."}}
	return []*command.Spec{{
		Name: "xlen", Group: "stream", Since: "5.0.0",
		Summary:    "Counts the entries of a stream.",
		Complexity: "O(1)",
		Arity:      2, Flags: command.ReadOnly | command.Fast,
		Keys:  command.FirstKey(command.KeyRO),
		Usage: "key",
		Read:  replyLen[*stream.Stream],
	}, {
		Name: "xrange", Group: "stream", Since: "5.0.0",
		Summary:    "Gives the entries from one ID up to another.",
		Complexity: "O(N) with N being the number of elements being returned. If N is constant (e.g. always asking for the first 10 elements with COUNT), you can consider it O(1).",
		Arity:      -4, Flags: command.ReadOnly,
		Keys:    command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage:   "key start end [COUNT count:integer]",
		History: history,
		Read:    func(c *command.Call, tx *keyspace.ReadTx) { xrange(c, tx, false) },
	}, {
		Name: "xrevrange", Group: "stream", Since: "5.0.0",
		Summary:    "Gives the entries from one ID down to another.",
		Complexity: "O(N) with N being the number of elements returned. If N is constant (e.g. always asking for the first 10 elements with COUNT), you can consider it O(1).",
		Arity:      -4, Flags: command.ReadOnly,
		Keys:    command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage:   "key end start [COUNT count:integer]",
		History: history,
		Read:    func(c *command.Call, tx *keyspace.ReadTx) { xrange(c, tx, true) },
	}}
}

func xrange(c *command.Call, tx *keyspace.ReadTx, reverse bool) {
	start, end, count, err := readRange(c, reverse)
	if err != nil {
		c.Fail(err)
		return
	}
	s, err := keyspace.Find[*stream.Stream](tx, c.Args[1])
	switch {
	case err != nil:
		c.Fail(err)
	case s == nil:
		c.Out.EmptyArray()
	case count == 0:
		c.Out.NullArray()
	case reverse:
		replyEntries(c.Out, s.Descend(end, start), count)
	default:
		replyEntries(c.Out, s.Ascend(start, end), count)
	}
}

// readRange reads the arguments of XRANGE, the start first even where it stands
// second. Without COUNT, count is -1.
func readRange(c *command.Call, reverse bool) (start, end stream.ID, count int64, err error) {
	first, second := c.Parse(2), c.Parse(3)
	if reverse {
		first, second = second, first
	}
	if start = startID(&first); first.Err() != nil {
		return start, end, 0, first.Err()
	}
	if end = endID(&second); second.Err() != nil {
		return start, end, 0, second.Err()
	}
	a := c.Parse(4)
	count = -1
	for a.More() {
		if !a.IsWith("COUNT", 1) {
			a.Syntax()
			break
		}
		count = max(a.Int(), 0)
	}
	return start, end, count, a.Err()
}
