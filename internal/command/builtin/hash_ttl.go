package builtin

import (
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func hashTTLSpecs() []*command.Spec {
	spec := func(name, summary string, unitMs int64, relative bool) *command.Spec {
		s := &command.Spec{
			Name: name, Group: "hash",
			Summary:    summary,
			Complexity: "O(N) where N is the number of fields.",
			Arity:      -5, Flags: command.ReadOnly | command.Fast,
			Keys:  command.FirstKey(command.KeyRO | command.KeyAccess),
			Usage: "key FIELDS <numfields:integer field...>",
			Read: func(c *command.Call, tx *keyspace.ReadTx) {
				baseMs := int64(0)
				if relative {
					baseMs = c.Now
				}
				httl(c, tx, unitMs, baseMs)
			},
		}
		if relative {
			s.Tips = []string{"nondeterministic_output"}
		}
		return s
	}
	return []*command.Spec{
		spec("httl", "Tells how many seconds fields of a hash have left.", 1000, true),
		spec("hpttl", "Tells how many milliseconds fields of a hash have left.", 1, true),
		spec("hexpiretime", "Tells the deadlines of fields of a hash in Unix seconds.", 1000, false),
		spec("hpexpiretime", "Tells the deadlines of fields of a hash in Unix milliseconds.", 1, false),
	}
}

// httl replies for each field with the time from baseMs to its deadline, rounded to
// units of unitMs.
func httl(c *command.Call, tx *keyspace.ReadTx, unitMs, baseMs int64) {
	a := c.Parse(2)
	fields := readFields(&a, 1, fieldErrors{errFieldsNumber, errNumFields})
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	h, ok := findHash(c, tx, c.Args[1])
	if !ok {
		return
	}
	c.Out.Array(len(fields))
	for _, f := range fields {
		at, expires := h.Expiry(f)
		switch {
		case !h.Has(f):
			c.Out.Int(fieldNone)
		case !expires:
			c.Out.Int(fieldForever)
		default:
			c.Out.Int((max(at-baseMs, 0) + unitMs/2) / unitMs)
		}
	}
}
