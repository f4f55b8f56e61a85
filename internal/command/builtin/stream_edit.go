package builtin

import (
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/stream"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func streamEditSpecs() []*command.Spec {
	return []*command.Spec{{
		Name: "xdel", Group: "stream", Since: "5.0.0",
		Summary:    "Removes entries of a stream by their IDs.",
		Complexity: "O(1) for each single item to delete in the stream, regardless of the stream size.",
		Arity:      -3, Flags: command.Write | command.Fast,
		Keys:  command.FirstKey(command.KeyRW | command.KeyDelete),
		Usage: "key id...",
		Write: xdel,
	}, {
		Name: "xsetid", Group: "stream", Since: "5.0.0",
		Summary:    "Sets what a stream remembers of entries past: for replication.",
		Complexity: "O(1)",
		Arity:      -3, Flags: command.Write | command.DenyOOM | command.Fast,
		Keys:    command.FirstKey(command.KeyRW | command.KeyUpdate),
		Usage:   "key last-id [ENTRIESADDED entries-added:integer@7.0.0] [MAXDELETEDID max-deleted-id@7.0.0]",
		History: [][2]string{{"7.0.0", "`ENTRIESADDED` and `MAXDELETEDID` came."}},
		Write:   xsetid,
	}}
}

func xdel(c *command.Call, tx *keyspace.WriteTx) {
	key := c.Args[1]
	var change streamChange
	err := change.Open(tx, key)
	switch {
	case err != nil:
		c.Fail(err)
		return
	case !change.Found():
		c.Out.Int(0)
		return
	}
	a := c.Parse(2)
	ids := strictIDs(&a)
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	n := int64(0)
	for _, id := range ids {
		if change.Value.Delete(id) {
			n++
		}
	}
	if n > 0 {
		change.Save()
		tx.Notify(keyspace.EventStream, "xdel", key)
	}
	c.Out.Int(n)
}

const (
	errAddedSign     command.Error = "ERR entries_added must be positive"
	errSetIDDeleted  command.Error = "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id"
	errSetIDKnown    command.Error = "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id"
	errSetIDTop      command.Error = "ERR The ID specified in XSETID is smaller than the target stream top item"
	errSetAddedCount command.Error = "ERR The entries_added specified in XSETID is smaller than the target stream length"
)

// streamPast is what XSETID makes a stream remember.
type streamPast struct {
	last, deleted stream.ID
	added         int64 // -1: as it is
}

func (p *streamPast) read(a *command.Args) error {
	p.added = -1
	p.last = strictID(a)
	for a.More() {
		switch {
		case a.IsWith("ENTRIESADDED", 1):
			p.added = nonNegative(a, errAddedSign)
		case a.IsWith("MAXDELETEDID", 1):
			if p.deleted = strictID(a); p.last.Less(p.deleted) {
				a.Fail(errSetIDDeleted)
			}
		default:
			a.Syntax()
		}
	}
	return a.Err()
}

// fits checks it against what the stream holds.
func (p *streamPast) fits(s *stream.Stream) error {
	switch {
	case p.last.Less(s.Info().MaxDeleted):
		return errSetIDKnown
	case s.Len() == 0:
	case p.last.Less(s.Final()):
		return errSetIDTop
	case p.added >= 0 && int64(s.Len()) > p.added:
		return errSetAddedCount
	}
	return nil
}

func xsetid(c *command.Call, tx *keyspace.WriteTx) {
	var p streamPast
	a := c.Parse(2)
	if err := p.read(&a); err != nil {
		c.Fail(err)
		return
	}
	key := c.Args[1]
	var change streamChange
	err := change.Open(tx, key)
	switch {
	case err != nil:
		c.Fail(err)
		return
	case !change.Found():
		c.Out.Error(command.ErrNoKey)
		return
	}
	s := change.Value
	if err := p.fits(s); err != nil {
		c.Fail(err)
		return
	}
	info := s.Info()
	info.Last = p.last
	if p.added >= 0 {
		info.Added = uint64(p.added)
	}
	if p.deleted != (stream.ID{}) {
		info.MaxDeleted = p.deleted
	}
	s.SetInfo(info)
	change.Keep()
	tx.DirtyKey(key)
	tx.Notify(keyspace.EventStream, "xsetid", key)
	c.Out.OK()
}
