package builtin

import (
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/hash"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func hashExpireSpecs() []*command.Spec {
	spec := func(name, unit, summary string, unitMs int64, relative bool) *command.Spec {
		return &command.Spec{
			Name: name, Group: "hash",
			Summary:    summary,
			Complexity: "O(N) where N is the number of fields.",
			Arity:      -6, Flags: command.Write | command.DenyOOM | command.Fast,
			Keys:  command.FirstKey(command.KeyRW | command.KeyUpdate),
			Usage: "key " + unit + " [NX | XX | GT | LT]:condition FIELDS <numfields:integer field...>",
			Write: func(c *command.Call, tx *keyspace.WriteTx) {
				baseMs := int64(0)
				if relative {
					baseMs = c.Now
				}
				hexpire(c, tx, unitMs, baseMs)
			},
		}
	}
	return []*command.Spec{
		spec("hexpire", "seconds:integer", "Gives fields of a hash a number of seconds to live.", 1000, true),
		spec("hpexpire", "milliseconds:integer", "Gives fields of a hash a number of milliseconds to live.", 1, true),
		spec("hexpireat", "unix-time-seconds:unix-time", "Gives fields of a hash a deadline in Unix seconds.", 1000, false),
		spec("hpexpireat", "unix-time-milliseconds:unix-time", "Gives fields of a hash a deadline in Unix milliseconds.", 1, false),
		{
			Name: "hpersist", Group: "hash",
			Summary:    "Takes the deadlines of fields of a hash away.",
			Complexity: "O(N) where N is the number of fields.",
			Arity:      -5, Flags: command.Write | command.Fast,
			Keys:  command.FirstKey(command.KeyRW | command.KeyUpdate),
			Usage: "key FIELDS <numfields:integer field...>",
			Write: hpersist,
		},
	}
}

// What HEXPIRE, HPERSIST, HTTL and their like reply for each field, beside what they
// mean by themselves.
const (
	fieldNone      = -2 // there is no such field
	fieldForever   = -1 // it has no deadline
	fieldUnwilling = 0  // the condition does not hold
	fieldDone      = 1
	fieldGone      = 2 // the deadline is past and the field removed
)

// fieldExpiry is what the arguments of HEXPIRE and its like say.
type fieldExpiry struct {
	at     int64 // ms
	cond   expireIf
	fields [][]byte
}

func (o *fieldExpiry) read(c *command.Call, unitMs, baseMs int64) error {
	a := c.Parse(2)
	n := a.Int()
	if n < 0 {
		a.Fail(command.Error("ERR invalid expire time, must be >= 0"))
	}
	at, ok := deadlineOf(n, unitMs, baseMs)
	if !ok {
		a.Fail(errExpireTime(c))
	}
	o.at = at
	switch a.OneOf("NX", "XX", "GT", "LT") {
	case 0:
		o.cond.nx = true
	case 1:
		o.cond.xx = true
	case 2:
		o.cond.gt = true
	case 3:
		o.cond.lt = true
	}
	o.fields = readFields(&a, 1, fieldErrors{"ERR Parameter `numFields` should be greater than 0", errNumFields})
	return a.Err()
}

// hexpire is HEXPIRE, HPEXPIRE, HEXPIREAT and HPEXPIREAT: the number given is in units
// of unitMs and counts from baseMs.
func hexpire(c *command.Call, tx *keyspace.WriteTx, unitMs, baseMs int64) {
	var o fieldExpiry
	if err := o.read(c, unitMs, baseMs); err != nil {
		c.Fail(err)
		return
	}
	var h hashChange
	if !openHash(&h, c, tx, o.fields, 1) {
		return
	}
	from, past := len(c.Out.Buf), tx.IsPast(o.at)
	c.Out.Array(len(o.fields))
	var changed [][]byte
	for _, f := range o.fields {
		result := o.apply(h.Value, f, past)
		if result > 0 {
			changed = append(changed, f)
		}
		c.Out.Int(int64(result))
	}
	switch {
	case changed == nil:
	case past && saveHash(c, tx, &h, from, "hdel"):
		propagateHDel(c, tx, changed)
	case !past && saveHash(c, tx, &h, from, "hexpire"):
		propagateExpireFields(c, tx, o.at, changed)
	}
}

// apply does to one field what is to be done.
func (o *fieldExpiry) apply(h *hash.Hash, field []byte, past bool) (result int) {
	if h == nil || !h.Has(field) {
		return fieldNone
	}
	now, expires := h.Expiry(field)
	if !expires {
		now = -1
	}
	switch {
	case !o.cond.allow(now, o.at):
		return fieldUnwilling
	case past:
		h.Delete(field)
		return fieldGone
	}
	h.SetExpiry(field, o.at)
	return fieldDone
}

func hpersist(c *command.Call, tx *keyspace.WriteTx) {
	a := c.Parse(2)
	fields := readFields(&a, 1, fieldErrors{errFieldsNumber, errNumFields})
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	var h hashChange
	if !openHash(&h, c, tx, fields, 1) {
		return
	}
	from, changed := len(c.Out.Buf), false
	c.Out.Array(len(fields))
	for _, f := range fields {
		switch {
		case !h.Found() || !h.Value.Has(f):
			c.Out.Int(fieldNone)
		case !h.Value.Persist(f):
			c.Out.Int(fieldForever)
		default:
			changed = true
			c.Out.Int(fieldDone)
		}
	}
	if changed {
		saveHash(c, tx, &h, from, "hpersist")
	}
}
