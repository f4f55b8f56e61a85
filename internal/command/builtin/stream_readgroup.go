package builtin

import (
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/stream"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// newEntries is the ID that stands for >: the entries nobody in the group was given.
var newEntries = stream.Highest

func xreadgroup(c *command.Call, tx *keyspace.WriteTx) {
	tx.Silent() // what came of it is logged
	var r reading
	if err := r.read(c, true); err != nil {
		c.Fail(err)
		return
	}
	for i := range r.keys {
		if err := r.findGroup(tx, i); err != nil {
			c.Fail(err)
			return
		}
	}
	m, n := c.Out.Begin(), 0
	for i := range r.keys {
		if r.serve(c, tx, i) {
			n++
		}
	}
	if n == 0 {
		c.Out.Rewind(m)
		r.wait(c)
		return
	}
	endStreams(c, m, n)
}

// findGroup checks that stream i has the group, and reads where to begin in it.
func (r *reading) findGroup(tx *keyspace.WriteTx, i int) error {
	s, err := keyspace.Find[*stream.Stream](&tx.ReadTx, r.keys[i])
	if err != nil {
		return err
	}
	if s == nil || s.Group(r.group) == nil {
		return command.Errorf("NOGROUP No such key '%s' or consumer group '%s' in XREADGROUP with GROUP option", r.keys[i], r.group)
	}
	mark := r.marks[i]
	switch {
	case isByte(mark, '$'):
		return errGroupTop
	case isByte(mark, '>'):
		r.ids[i] = newEntries
		return nil
	}
	id, ok := parseID(mark, 0)
	if !ok {
		return errStreamID
	}
	r.ids[i] = id
	return nil
}

// serve replies with what stream i has for the consumer. False means that there is
// nothing new, which was not replied.
func (r *reading) serve(c *command.Call, tx *keyspace.WriteTx, i int) bool {
	key := r.keys[i]
	change, ok := openRead(c, tx, key)
	if !ok || !change.Found() {
		return false
	}
	s := change.Value
	g := groupChange{tx, key, r.group, s.Edit(r.group)}
	if g.consumer(r.consumer, c.Now) && r.noAck {
		tx.Propagate([]byte("XGROUP"), []byte("CREATECONSUMER"), key, r.group, r.consumer)
	}
	history := r.ids[i] != newEntries
	if !history && (s.Len() == 0 || !g.group.Last.Less(s.Final())) {
		change.Keep()
		return false
	}
	beginStream(c, key)
	if history {
		from, _ := r.ids[i].Next()
		r.replyHistory(c, s, g.group, from)
	} else {
		r.deliver(c, s, &g)
	}
	tx.DirtyKey(key)
	change.Keep()
	return true
}

// deliver replies with entries that the group was not given yet.
func (r *reading) deliver(c *command.Call, s *stream.Stream, g *groupChange) {
	name := g.group.Consumer(r.consumer).Name()
	m, n := c.Out.BeginArray(), 0
	for e := range s.Unread(g.group) {
		s.Advance(g.group, e.ID)
		replyEntry(c.Out, e)
		if !r.noAck {
			p := stream.Pending{ID: e.ID, Consumer: name, Delivered: c.Now, Count: 1}
			g.group.Deliver(p)
			g.claimed(nil, p)
		}
		if n++; int64(n) == r.count {
			break
		}
	}
	if r.noAck {
		g.moved()
	} else {
		g.group.Touch(r.consumer, c.Now, c.Now)
	}
	c.Out.EndArray(m, n)
}

// replyHistory replies with what is pending for the consumer from an ID on, delivering
// it once more. Of what is deleted only the ID is left.
func (r *reading) replyHistory(c *command.Call, s *stream.Stream, g *stream.Group, from stream.ID) {
	var again []stream.Pending
	m, n := c.Out.BeginArray(), 0
	for id := range g.Consumer(r.consumer).PendingFrom(from) {
		if replyEntryAt(c.Out, s, id) {
			p, _ := g.PendingAt(id)
			p.Delivered, p.Count = c.Now, p.Count+1
			again = append(again, p)
		} else {
			c.Out.Array(2)
			replyID(c.Out, id)
			c.Out.NullArray()
		}
		if n++; int64(n) == r.count {
			break
		}
	}
	for _, p := range again {
		g.Deliver(p)
	}
	c.Out.EndArray(m, n)
}
