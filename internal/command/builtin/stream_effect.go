package builtin

import (
	"github.com/skeindb/skein/internal/data/stream"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// groupChange is a consumer group that a command changes, and how the log hears of
// it. Commands that deliver entries are not logged as they were called but as what
// came of them.
type groupChange struct {
	tx        *keyspace.WriteTx
	key, name []byte
	group     *stream.Group
}

// claimed logs that an entry is pending as p says: to the letter, in a form that a
// replica may run again without harm. ID is how the entry's ID is written; nil: as usual.
func (g *groupChange) claimed(id []byte, p stream.Pending) {
	if g.tx.Silent(); !g.tx.Logged() {
		return
	}
	if id == nil {
		id = p.ID.Append(nil)
	}
	g.tx.Propagate([]byte("XCLAIM"), g.key, g.name, []byte(p.Consumer), []byte("0"), id,
		[]byte("TIME"), keyspace.Decimal(p.Delivered), []byte("RETRYCOUNT"), keyspace.Decimal(int64(p.Count)),
		[]byte("FORCE"), []byte("JUSTID"), []byte("LASTID"), g.group.Last.Append(nil))
}

// moved logs the ID that was delivered last, where no claim tells it.
func (g *groupChange) moved() {
	g.tx.Propagate([]byte("XGROUP"), []byte("SETID"), g.key, g.name, g.group.Last.Append(nil),
		[]byte("ENTRIESREAD"), keyspace.Decimal(g.group.Read))
}

// consumer finds the consumer that a command works for, or makes it, and notes that
// it was seen. It says whether it was made.
func (g *groupChange) consumer(name []byte, now int64) (made bool) {
	made = g.group.AddConsumer(name, now)
	if made {
		g.tx.DirtyKey(g.key)
		g.tx.Notify(keyspace.EventStream, "xgroup-createconsumer", g.key)
	}
	g.group.Touch(name, now, g.group.Consumer(name).Active)
	return made
}
