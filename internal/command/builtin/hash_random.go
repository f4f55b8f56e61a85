package builtin

import (
	"math"
	"math/rand/v2"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/hash"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func hashRandomSpecs() []*command.Spec {
	return []*command.Spec{{
		Name: "hrandfield", Group: "hash", Since: "6.2.0",
		Summary:    "Gives random fields of a hash.",
		Complexity: "O(N) where N is the number of fields returned",
		Arity:      -2, Flags: command.ReadOnly,
		Keys:  command.FirstKey(command.KeyRO | command.KeyAccess),
		Tips:  []string{"nondeterministic_output"},
		Usage: "key [<count:integer [WITHVALUES]>:options]",
		Read:  hrandField,
	}}
}

// randomFields is what HRANDFIELD with a count asks for.
type randomFields struct {
	count      int64 // below 0: so many, of which some may be the same
	withValues bool
}

func (o *randomFields) read(c *command.Call) error {
	a := c.Parse(2)
	o.count = a.IntIn(-math.MaxInt64, math.MaxInt64)
	o.withValues = a.Is("WITHVALUES")
	a.End()
	if o.withValues && (o.count < -math.MaxInt64/2 || o.count > math.MaxInt64/2) {
		a.Fail(command.Error("ERR value is out of range"))
	}
	if o.count < -maxRepeats {
		a.Fail(errRepeats)
	}
	return a.Err()
}

func hrandField(c *command.Call, tx *keyspace.ReadTx) {
	if len(c.Args) == 2 {
		hrandOne(c, tx)
		return
	}
	var o randomFields
	if err := o.read(c); err != nil {
		c.Fail(err)
		return
	}
	h, ok := findHash(c, tx, c.Args[1])
	switch {
	case !ok:
	case h.Len() == 0 || o.count == 0:
		c.Out.EmptyArray()
	case o.count < 0:
		o.head(c, -o.count)
		places := h.Places()
		for range repeats(c, int(-o.count)) {
			o.reply(c, places, rand.IntN(h.Len()))
		}
	case o.count >= int64(h.Len()):
		o.head(c, int64(h.Len()))
		for field, val := range h.All() {
			o.pair(c, field, val)
		}
	default:
		o.head(c, o.count)
		places := h.Places()
		for _, i := range sample(h.Len(), int(o.count)) {
			o.reply(c, places, i)
		}
	}
}

func hrandOne(c *command.Call, tx *keyspace.ReadTx) {
	h, ok := findHash(c, tx, c.Args[1])
	switch {
	case !ok:
	case h.Len() == 0:
		c.Out.Null()
	default:
		var scratch [20]byte
		field, _ := h.Random(scratch[:])
		c.Out.Bulk(field)
	}
}

// head begins a reply of n fields.
func (o *randomFields) head(c *command.Call, n int64) {
	if o.withValues && c.Out.Proto < 3 {
		n *= 2
	}
	c.Out.Array(int(n))
}

func (o *randomFields) reply(c *command.Call, h hash.Places, i int) {
	var scratch [20]byte
	field, val := h.At(i, scratch[:])
	o.pair(c, field, val)
}

func (o *randomFields) pair(c *command.Call, field, val []byte) {
	if o.withValues && c.Out.Proto >= 3 {
		c.Out.Array(2)
	}
	c.Out.Bulk(field)
	if o.withValues {
		c.Out.Bulk(val)
	}
}
