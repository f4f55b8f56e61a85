package builtin

import (
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/hash"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// hashSetEx is what the arguments of HSETEX say.
type hashSetEx struct {
	fnx, fxx bool
	life     fieldLife
	pairs    [][]byte
}

func (o *hashSetEx) read(c *command.Call) error {
	a := c.Parse(2)
	for a.More() && (o.readCondition(&a) || o.life.is(&a, "KEEPTTL", lifeKeepTTL)) {
	}
	o.pairs = readFields(&a, 2, fieldErrors{errFieldsInvalid, errNumfields})
	o.life.settle(c, &a)
	return a.Err()
}

func (o *hashSetEx) readCondition(a *command.Args) bool {
	said := o.fnx || o.fxx
	switch a.OneOf("FNX", "FXX") {
	case 0:
		o.fnx = true
	case 1:
		o.fxx = true
	default:
		return false
	}
	if said {
		a.Fail(command.Error("ERR Only one of FXX or FNX arguments can be specified"))
	}
	return true
}

// holds tells whether the condition does.
func (o *hashSetEx) holds(h *hash.Hash) bool {
	for i := 0; i < len(o.pairs) && (o.fnx || o.fxx); i += 2 {
		if h.Has(o.pairs[i]) != o.fxx {
			return false
		}
	}
	return true
}

func hsetEx(c *command.Call, tx *keyspace.WriteTx) {
	var o hashSetEx
	if err := o.read(c); err != nil {
		c.Fail(err)
		return
	}
	var h hashChange
	switch {
	case !makeHash(&h, c, tx, o.pairs, 2):
	case !o.holds(h.Value):
		c.Out.Int(0)
	case o.life.past(tx):
		o.remove(c, tx, &h)
	default:
		o.set(c, tx, &h)
	}
}

// set gives the fields their values and, if there is one, their deadline.
func (o *hashSetEx) set(c *command.Call, tx *keyspace.WriteTx, h *hashChange) {
	setFields(h.Value, o.pairs, tx.Limits().Hash)
	var life [][]byte
	events := []string{"hset"}
	switch {
	case o.life.timed():
		for i := 0; i < len(o.pairs); i += 2 {
			h.Value.SetExpiry(o.pairs[i], o.life.at)
		}
		life, events = o.life.absolute(), append(events, "hexpire")
	case o.life.kind == lifeKeepTTL:
		life = [][]byte{[]byte("KEEPTTL")}
	default:
		persistFields(h.Value, o.pairs, 2)
	}
	if saveHash(c, tx, h, len(c.Out.Buf), events...) {
		propagateFields(c, tx, "HSETEX", life, o.pairs, 2)
		c.Out.Int(1)
	}
}

// remove is set with a deadline that is past already: what was there goes.
func (o *hashSetEx) remove(c *command.Call, tx *keyspace.WriteTx, h *hashChange) {
	var fields [][]byte
	for i := 0; i < len(o.pairs); i += 2 {
		fields = append(fields, o.pairs[i])
	}
	if removeFields(c, tx, h, fields, len(c.Out.Buf)) {
		c.Out.Int(1)
	}
}
