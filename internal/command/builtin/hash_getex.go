package builtin

import (
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/hash"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func hashGetExSpecs() []*command.Spec {
	return []*command.Spec{{
		Name: "hgetex", Group: "hash",
		Summary:    "Gives the values of fields and sets, changes or removes the fields' deadlines.",
		Complexity: "O(N) where N is the number of fields.",
		Arity:      -5, Flags: command.Write | command.Fast,
		Keys: []command.KeySpec{{
			Flags: command.KeyRW | command.KeyAccess | command.KeyUpdate,
			Notes: "The values are read only; what is written is the deadline", Index: 1,
		}},
		Usage: "key [EX seconds:integer | PX milliseconds:integer | EXAT unix-time-seconds:unix-time | PXAT unix-time-milliseconds:unix-time | PERSIST]:expiration FIELDS <numfields:integer field...>",
		Write: hgetEx,
	}, {
		Name: "hgetdel", Group: "hash",
		Summary:    "Gives the values of fields and removes the fields.",
		Complexity: "O(N) where N is the number of fields.",
		Arity:      -5, Flags: command.Write | command.Fast,
		Keys:  command.FirstKey(command.KeyRW | command.KeyAccess | command.KeyDelete),
		Usage: "key FIELDS <numfields:integer field...>",
		Write: hgetDel,
	}, {
		Name: "hsetex", Group: "hash",
		Summary:    "Gives fields values, and a deadline.",
		Complexity: "O(N) where N is the number of fields.",
		Arity:      -6, Flags: command.Write | command.DenyOOM | command.Fast,
		Keys:  command.FirstKey(command.KeyRW | command.KeyUpdate),
		Usage: "key [FNX | FXX]:condition [EX seconds:integer | PX milliseconds:integer | EXAT unix-time-seconds:unix-time | PXAT unix-time-milliseconds:unix-time | KEEPTTL]:expiration FIELDS <numfields:integer <field value>:data...>",
		Write: hsetEx,
	}}
}

// replyOpen replies with the values of fields of a hash that is open, as far as they
// are there.
func replyOpen(c *command.Call, h *hashChange, fields [][]byte) {
	var view hash.View
	if h.Found() {
		view = h.Value.Seen(0) // openHash has removed what is past its deadline
	}
	c.Out.Array(len(fields))
	for _, f := range fields {
		replyField(c, view, f)
	}
}

func hgetEx(c *command.Call, tx *keyspace.WriteTx) {
	var life fieldLife
	a := c.Parse(2)
	for a.More() && life.is(&a, "PERSIST", lifePersist) {
	}
	fields := readFields(&a, 1, fieldErrors{errFieldsInvalid, errNumfields})
	life.settle(c, &a)
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	var h hashChange
	if !openHash(&h, c, tx, fields, 1) {
		return
	}
	from := len(c.Out.Buf)
	replyOpen(c, &h, fields)
	if h.Found() {
		life.touch(c, tx, &h, fields, from)
	}
}

// touch does to the deadlines of fields what HGETEX asks for.
func (l *fieldLife) touch(c *command.Call, tx *keyspace.WriteTx, h *hashChange, fields [][]byte, from int) {
	var changed [][]byte
	switch {
	case l.kind == lifePersist:
		for _, f := range fields {
			if h.Value.Persist(f) {
				changed = append(changed, f)
			}
		}
		if changed != nil && saveHash(c, tx, h, from, "hpersist") {
			propagateFields(c, tx, "HPERSIST", nil, changed, 1)
		}
	case l.past(tx):
		removeFields(c, tx, h, fields, from)
	case l.timed():
		for _, f := range fields {
			if h.Value.SetExpiry(f, l.at) {
				changed = append(changed, f)
			}
		}
		if changed != nil && saveHash(c, tx, h, from, "hexpire") {
			propagateExpireFields(c, tx, l.at, changed)
		}
	}
}

func hgetDel(c *command.Call, tx *keyspace.WriteTx) {
	a := c.Parse(2)
	fields := readFields(&a, 1, fieldErrors{errFieldsNumber, errNumfields})
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	var h hashChange
	if !openHash(&h, c, tx, fields, 1) {
		return
	}
	from := len(c.Out.Buf)
	replyOpen(c, &h, fields)
	if h.Found() {
		removeFields(c, tx, &h, fields, from)
	}
}

// removeFields removes fields of a hash that is there, in place of the command. False
// means that the error has been replied.
func removeFields(c *command.Call, tx *keyspace.WriteTx, h *hashChange, fields [][]byte, from int) bool {
	var removed [][]byte
	for _, f := range fields {
		if h.Value.Delete(f) {
			removed = append(removed, f)
		}
	}
	if removed == nil {
		return true
	}
	if !saveHash(c, tx, h, from, "hdel") {
		return false
	}
	propagateHDel(c, tx, removed)
	return true
}
