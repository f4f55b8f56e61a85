package builtin

import (
	"math/big"
	"strconv"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func hashCounters() []*command.Spec {
	flags := command.Write | command.DenyOOM | command.Fast
	keys := command.FirstKey(command.KeyRW | command.KeyAccess | command.KeyUpdate)
	return []*command.Spec{{
		Name: "hincrby", Group: "hash", Since: "2.0.0",
		Summary:    "Adds a number to the integer in a field, which begins as 0.",
		Complexity: "O(1)",
		Arity:      4, Flags: flags, Keys: keys,
		Usage:    "key field increment:integer",
		Elements: command.Elements{First: 2, Step: 2},
		Write:    hincrBy,
	}, {
		Name: "hincrbyfloat", Group: "hash", Since: "2.6.0",
		Summary:    "Adds a floating point number to the number in a field, which begins as 0.",
		Complexity: "O(1)",
		Arity:      4, Flags: flags, Keys: keys,
		Usage:    "key field increment:double",
		Elements: command.Elements{First: 2, Step: 2},
		Write:    hincrByFloat,
	}}
}

func hincrBy(c *command.Call, tx *keyspace.WriteTx) {
	a := c.Parse(3)
	by := a.Int()
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	var h hashChange
	if !makeHash(&h, c, tx, c.Args[2:3], 1) {
		return
	}
	field, n := c.Args[2], int64(0)
	var scratch [20]byte
	if val, found := h.Value.Get(field, scratch[:]); found {
		var ok bool
		if n, ok = resp.ParseInt(val); !ok {
			c.Out.Error("ERR hash value is not an integer")
			return
		}
	}
	sum, ok := addInts(n, by)
	if !ok {
		c.Out.Error(errIncrOverflow)
		return
	}
	h.Value.Set(field, strconv.AppendInt(scratch[:0], sum, 10), tx.Limits().Hash)
	if saveHash(c, tx, &h, len(c.Out.Buf), "hincrby") {
		c.Out.Int(sum)
	}
}

func hincrByFloat(c *command.Call, tx *keyspace.WriteTx) {
	by, ok := parseLongDouble(c.Args[3])
	if !ok {
		c.Out.Error(command.ErrNotFloat)
		return
	}
	if by.IsInf() {
		c.Out.Error("ERR value is NaN or Infinity")
		return
	}
	var h hashChange
	if !makeHash(&h, c, tx, c.Args[2:3], 1) {
		return
	}
	field, n := c.Args[2], new(big.Float)
	var scratch [20]byte
	if val, found := h.Value.Get(field, scratch[:]); found {
		if n, ok = parseLongDouble(val); !ok {
			c.Out.Error("ERR hash value is not a float")
			return
		}
	}
	sum, err := sumLongDoubles(by, n)
	if err != nil {
		c.Fail(err)
		return
	}
	h.Value.Set(field, sum, tx.Limits().Hash)
	_, expires := h.Value.Expiry(field)
	if !saveHash(c, tx, &h, len(c.Out.Buf), "hincrbyfloat") {
		return
	}
	if pair := [][]byte{field, sum}; expires { // a deadline, which HSET would take away
		propagateFields(c, tx, "HSETEX", [][]byte{[]byte("KEEPTTL")}, pair, 2)
	} else {
		tx.Propagate([]byte("HSET"), c.Args[1], field, sum)
	}
	c.Out.Bulk(sum)
}
