package stream

import (
	"iter"
	"slices"
	"unsafe"

	"github.com/skeindb/skein/internal/data/tree"
)

// Group is a consumer group. What Stream.Group returns may only be read; what Stream.Edit returns may be changed until
// the stream is frozen.
type Group struct {
	name      string
	Last      ID    // delivered last
	Read      int64 // entries read, as far as one can know; -1 if one cannot
	own       *token
	pending   tree.Tree[Pending]
	consumers tree.Tree[*Consumer]
	kept      int // bytes of the consumers
	place     place

	counted int  // bytes that the stream has counted
	touched bool // they may be others now
}

// Pending is an entry that was delivered and not acknowledged.
type Pending struct {
	ID        ID
	Consumer  string
	Delivered int64 // last, ms since 1970
	Count     uint64
}

// Consumer is a consumer of a group, to be read only.
type Consumer struct {
	name    string
	own     *token
	pending tree.Tree[ID]

	Seen   int64 // when it last tried something, ms since 1970
	Active int64 // when it last got something; -1 for never
}

// Name is the consumer's name.
func (c *Consumer) Name() string { return c.name }

// Pending is how many entries it has not acknowledged.
func (c *Consumer) Pending() int { return c.pending.Len() }

// PendingFrom yields the IDs of those from one on.
func (c *Consumer) PendingFrom(from ID) iter.Seq[ID] {
	return c.pending.Ascend(c.pending.Seek(func(id *ID) bool { return id.Less(from) }))
}

func (c *Consumer) bytes() int { return int(unsafe.Sizeof(*c)) + len(c.name) + c.pending.Bytes() }

func (g *Group) bytes() int {
	return int(unsafe.Sizeof(*g)) + len(g.name) + g.kept + g.pending.Bytes() + g.consumers.Bytes()
}

// Groups yields all groups by name.
func (s *Stream) Groups() iter.Seq[*Group] { return s.groups.Ascend(0) }

// GroupCount is how many groups there are.
func (s *Stream) GroupCount() int { return s.groups.Len() }

// Group is a group to be read; nil if there is none of that name.
func (s *Stream) Group(name []byte) *Group {
	_, g, ok := s.findGroup(name)
	if !ok {
		return nil
	}
	return g
}

func (s *Stream) findGroup(name []byte) (i int, g *Group, ok bool) {
	i, g, ok = s.groups.First(func(g **Group) bool { return (*g).name < string(name) })
	return i, g, ok && g.name == string(name)
}

// Edit is a group to be changed; nil if there is none of that name.
func (s *Stream) Edit(name []byte) *Group {
	i, g, ok := s.findGroup(name)
	if !ok {
		return nil
	}
	if g.own != s.owner() {
		c := *g
		c.own, c.pending, c.consumers = s.own, g.pending.Copy(), g.consumers.Copy()
		g = &c
		s.groups.Update(i, func(at **Group) { *at = g })
	}
	s.touch(g)
	return g
}

// touch notes that g, which is ours, may change.
func (s *Stream) touch(g *Group) {
	if !g.touched {
		g.touched = true
		s.touched = append(s.touched, g)
	}
}

// AddGroup makes a group; false if there is one of that name.
func (s *Stream) AddGroup(name []byte, last ID, read int64) bool {
	i, _, ok := s.findGroup(name)
	if !ok {
		g := &Group{name: string(name), own: s.owner(), Last: last, Read: read}
		s.groups.Insert(i, g)
		s.touch(g)
	}
	return !ok
}

// RemoveGroup removes a group; false if there is none of that name.
func (s *Stream) RemoveGroup(name []byte) bool {
	i, g, ok := s.findGroup(name)
	if ok {
		s.groups.Delete(i)
		s.bytes -= g.counted
		s.touched = slices.DeleteFunc(s.touched, func(t *Group) bool { return t == g })
	}
	return ok
}

// Name is the group's name.
func (g *Group) Name() string { return g.name }

// Pending is how many entries were not acknowledged.
func (g *Group) Pending() int { return g.pending.Len() }

// PendingFrom yields those from one ID on. The group must not change meanwhile.
func (g *Group) PendingFrom(from ID) iter.Seq[Pending] {
	return g.pending.Ascend(g.pending.Seek(func(p *Pending) bool { return p.ID.Less(from) }))
}

// PendingAt is what is known of an entry that was not acknowledged.
func (g *Group) PendingAt(id ID) (p Pending, ok bool) {
	_, p, ok = g.find(id)
	return p, ok
}

func (g *Group) find(id ID) (i int, p Pending, ok bool) {
	i, p, ok = g.pending.First(func(p *Pending) bool { return p.ID.Less(id) })
	return i, p, ok && p.ID == id
}

// Deliver notes that an entry is pending for a consumer, which there is, whether it was so for another one or not.
func (g *Group) Deliver(p Pending) {
	i, old, there := g.find(p.ID)
	if there {
		if old.Consumer != p.Consumer {
			g.consume(old.Consumer, p.ID, false)
			p.Consumer = g.consume(p.Consumer, p.ID, true)
		} else {
			p.Consumer = old.Consumer
		}
		g.pending.Update(i, func(at *Pending) { *at = p })
		return
	}
	p.Consumer = g.consume(p.Consumer, p.ID, true)
	g.pending.Insert(i, p)
}

// consume puts an ID among those of a consumer, or takes it away, and returns the consumer's name as it is stored.
func (g *Group) consume(name string, id ID, add bool) string {
	c := g.edit([]byte(name))
	if c == nil {
		return name
	}
	was := c.bytes()
	i := c.pending.Seek(func(x *ID) bool { return x.Less(id) })
	if add {
		c.pending.Insert(i, id)
	} else {
		c.pending.Delete(i)
	}
	g.kept += c.bytes() - was
	return c.name
}

// Ack forgets that an entry is pending, and tells whether it was.
func (g *Group) Ack(id ID) bool {
	i, p, ok := g.find(id)
	if ok {
		g.pending.Delete(i)
		g.consume(p.Consumer, id, false)
	}
	return ok
}

// Consumers yields all consumers by name.
func (g *Group) Consumers() iter.Seq[*Consumer] { return g.consumers.Ascend(0) }

// ConsumerCount is how many there are.
func (g *Group) ConsumerCount() int { return g.consumers.Len() }

// Consumer is the consumer of that name; nil if there is none.
func (g *Group) Consumer(name []byte) *Consumer {
	if _, c, ok := g.findConsumer(name); ok {
		return c
	}
	return nil
}

func (g *Group) findConsumer(name []byte) (i int, c *Consumer, ok bool) {
	i, c, ok = g.consumers.First(func(c **Consumer) bool { return (*c).name < string(name) })
	return i, c, ok && c.name == string(name)
}

// edit is a consumer to be changed.
func (g *Group) edit(name []byte) *Consumer {
	i, c, ok := g.findConsumer(name)
	if !ok {
		return nil
	}
	if c.own != g.own {
		mine := *c
		mine.own, mine.pending = g.own, c.pending.Copy()
		c = &mine
		g.consumers.Update(i, func(at **Consumer) { *at = c })
	}
	return c
}

// AddConsumer makes a consumer that was seen at this time; false if there is one of that name.
func (g *Group) AddConsumer(name []byte, seenMs int64) bool {
	i, _, ok := g.findConsumer(name)
	if !ok {
		c := &Consumer{name: string(name), own: g.own, Seen: seenMs, Active: -1}
		g.kept += c.bytes()
		g.consumers.Insert(i, c)
	}
	return !ok
}

// Touch notes when a consumer, which there is, was seen and active.
func (g *Group) Touch(name []byte, seenMs, activeMs int64) {
	if c := g.edit(name); c != nil {
		c.Seen, c.Active = seenMs, activeMs
	}
}

// RemoveConsumer removes a consumer with all that is pending for it, and tells how much that was; false if there is none
// of that name.
func (g *Group) RemoveConsumer(name []byte) (pending int, ok bool) {
	i, c, ok := g.findConsumer(name)
	if !ok {
		return 0, false
	}
	for id := range c.pending.Ascend(0) {
		if at, _, ok := g.find(id); ok {
			g.pending.Delete(at)
		}
	}
	g.kept -= c.bytes()
	g.consumers.Delete(i)
	return c.pending.Len(), true
}

// PendingFirst is the lowest ID that is pending; zero if there is none.
func (g *Group) PendingFirst() ID {
	if g.pending.Len() == 0 {
		return ID{}
	}
	return g.pending.At(0).ID
}

// PendingLast is the highest ID that is pending; zero if there is none.
func (g *Group) PendingLast() ID {
	if g.pending.Len() == 0 {
		return ID{}
	}
	return g.pending.At(g.pending.Len() - 1).ID
}

// PendingNext is the first entry pending from an ID on; false if there is none.
func (g *Group) PendingNext(from ID) (p Pending, ok bool) {
	_, p, ok = g.pending.First(func(p *Pending) bool { return p.ID.Less(from) })
	return p, ok
}
