package builtin

import (
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/stream"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func streamPendingSpecs() []*command.Spec {
	return []*command.Spec{{
		Name: "xack", Group: "stream", Since: "5.0.0",
		Summary:    "Counts how many of the given entries were pending in a group, and makes them acknowledged.",
		Complexity: "O(1) for each message ID processed.",
		Arity:      -4, Flags: command.Write | command.Fast,
		Keys:  command.FirstKey(command.KeyRW | command.KeyUpdate),
		Usage: "key group id...",
		Write: xack,
	}, {
		Name: "xpending", Group: "stream", Since: "5.0.0",
		Summary:    "Tells what a group was given and has not acknowledged.",
		Complexity: "O(N) with N being the number of elements returned, so asking for a small fixed number of entries per call is O(1). O(M), where M is the total number of entries scanned when used with the IDLE filter. When the command returns just the summary and the list of consumers is small, it runs in O(1) time; otherwise, an additional O(N) time for iterating every consumer.",
		Arity:      -3, Flags: command.ReadOnly,
		Keys:    command.FirstKey(command.KeyRO | command.KeyAccess),
		Tips:    []string{"nondeterministic_output"},
		Usage:   "key group [[IDLE min-idle-time:integer@6.2.0] start end count:integer [consumer]]:filters",
		History: [][2]string{{"6.2.0", "`IDLE` and exclusive bounds came."}},
		Read:    xpending,
	}}
}

func xack(c *command.Call, tx *keyspace.WriteTx) {
	change, ok := openRead(c, tx, c.Args[1])
	if !ok {
		return
	}
	if !change.Found() || change.Value.Group(c.Args[2]) == nil {
		c.Out.Int(0)
		return
	}
	a := c.Parse(3)
	ids := strictIDs(&a)
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	g, n := change.Value.Edit(c.Args[2]), int64(0)
	for _, id := range ids {
		if g.Ack(id) {
			tx.DirtyKey(c.Args[1])
			n++
		}
	}
	if n > 0 {
		change.Keep()
	}
	c.Out.Int(n)
}

// pendingFilter is which of a group's pending entries XPENDING is to show.
type pendingFilter struct {
	minIdle, count int64
	start, end     stream.ID
	consumer       []byte // if named
	named          bool   // one consumer, not all
}

func (f *pendingFilter) read(c *command.Call) error {
	a := c.Parse(3)
	if n := a.Left(); n < 3 || n > 6 {
		a.Syntax()
	}
	if a.Is("IDLE") {
		f.minIdle = a.Int()
		if a.Left() < 3 {
			a.Syntax()
		}
	}
	number := c.Parse(a.Index() + 2) // is read, and found wrong, before the bounds
	if a.Err() == nil {
		f.count = number.Int()
	}
	if err := number.Err(); err != nil {
		a.Fail(err)
	}
	f.start = startID(&a)
	f.end = endID(&a)
	a.Next() // the count
	if f.named = a.More(); f.named {
		f.consumer = a.Next()
	}
	return a.Err()
}

func xpending(c *command.Call, tx *keyspace.ReadTx) {
	var f pendingFilter
	if len(c.Args) > 3 {
		if err := f.read(c); err != nil {
			c.Fail(err)
			return
		}
	}
	key, name := c.Args[1], c.Args[2]
	s, err := keyspace.Find[*stream.Stream](tx, key)
	if err == nil && (s == nil || s.Group(name) == nil) {
		err = errNoGroup(key, name)
	}
	switch {
	case err != nil:
		c.Fail(err)
	case len(c.Args) == 3:
		replyPendingSummary(c, s.Group(name))
	default:
		f.reply(c, s.Group(name))
	}
}

// replyPendingSummary replies with how much is pending, between which IDs, and for whom.
func replyPendingSummary(c *command.Call, g *stream.Group) {
	c.Out.Array(4)
	c.Out.Int(int64(g.Pending()))
	if g.Pending() == 0 {
		c.Out.Null()
		c.Out.Null()
		c.Out.NullArray()
		return
	}
	replyID(c.Out, g.PendingFirst())
	replyID(c.Out, g.PendingLast())
	m, n := c.Out.BeginArray(), 0
	for consumer := range g.Consumers() {
		if consumer.Pending() == 0 {
			continue
		}
		c.Out.Array(2)
		c.Out.BulkString(consumer.Name())
		c.Out.BulkInt(int64(consumer.Pending()))
		n++
	}
	c.Out.EndArray(m, n)
}

// reply replies with what the filter lets through.
func (f *pendingFilter) reply(c *command.Call, g *stream.Group) {
	m, n := c.Out.BeginArray(), 0
	show := func(p stream.Pending) bool {
		if int64(n) >= f.count || f.end.Less(p.ID) {
			return false
		}
		if f.minIdle != 0 && c.Now-p.Delivered < f.minIdle {
			return true
		}
		c.Out.Array(4)
		replyID(c.Out, p.ID)
		c.Out.BulkString(p.Consumer)
		c.Out.Int(max(c.Now-p.Delivered, 0))
		c.Out.Int(int64(p.Count))
		n++
		return true
	}
	if !f.named {
		g.PendingFrom(f.start)(show)
	} else if consumer := g.Consumer(f.consumer); consumer != nil {
		for id := range consumer.PendingFrom(f.start) {
			if p, _ := g.PendingAt(id); !show(p) {
				break
			}
		}
	}
	c.Out.EndArray(m, n)
}
