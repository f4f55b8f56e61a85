package builtin

import (
	"math"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func stringCounters() []*command.Spec {
	flags := command.Write | command.DenyOOM | command.Fast
	keys := command.FirstKey(command.KeyRW | command.KeyAccess | command.KeyUpdate)
	return []*command.Spec{{
		Name: "incr", Group: "string", Since: "1.0.0",
		Summary:    "Adds one to the integer at a key, which begins as 0.",
		Complexity: "O(1)",
		Arity:      2, Flags: flags, Keys: keys,
		Usage: "key",
		Write: func(c *command.Call, tx *keyspace.WriteTx) { addInt(c, tx, 1) },
	}, {
		Name: "decr", Group: "string", Since: "1.0.0",
		Summary:    "Takes one from the integer at a key, which begins as 0.",
		Complexity: "O(1)",
		Arity:      2, Flags: flags, Keys: keys,
		Usage: "key",
		Write: func(c *command.Call, tx *keyspace.WriteTx) { addInt(c, tx, -1) },
	}, {
		Name: "incrby", Group: "string", Since: "1.0.0",
		Summary:    "Adds a number to the integer at a key, which begins as 0.",
		Complexity: "O(1)",
		Arity:      3, Flags: flags, Keys: keys,
		Usage: "key increment:integer",
		Write: incrBy,
	}, {
		Name: "decrby", Group: "string", Since: "1.0.0",
		Summary:    "Takes a number from the integer at a key, which begins as 0.",
		Complexity: "O(1)",
		Arity:      3, Flags: flags, Keys: keys,
		Usage: "key decrement:integer",
		Write: decrBy,
	}, {
		Name: "incrbyfloat", Group: "string", Since: "2.6.0",
		Summary:    "Adds a floating point number to the number at a key, which begins as 0.",
		Complexity: "O(1)",
		Arity:      3, Flags: flags, Keys: keys,
		Usage: "key increment:double",
		Write: incrByFloat,
	}}
}

func incrBy(c *command.Call, tx *keyspace.WriteTx) {
	a := c.Parse(2)
	by := a.Int()
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	addInt(c, tx, by)
}

func decrBy(c *command.Call, tx *keyspace.WriteTx) {
	a := c.Parse(2)
	by := a.Int()
	if by == math.MinInt64 { // which has no opposite
		a.Fail(command.Error("ERR decrement would overflow"))
	}
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	addInt(c, tx, -by)
}

func addInt(c *command.Call, tx *keyspace.WriteTx, by int64) {
	key := c.Args[1]
	old, found := tx.Peek(key)
	n := int64(0)
	if found {
		var err error
		if n, err = integerAt(&tx.ReadTx, old); err != nil {
			c.Fail(err)
			return
		}
	}
	sum, ok := addInts(n, by)
	if !ok {
		c.Out.Error(errIncrOverflow)
		return
	}
	if err := tx.SetIntAt(&old, key, sum, keyspace.KeepExpiry); err != nil {
		c.Fail(err)
		return
	}
	tx.Notify(keyspace.EventString, "incrby", key)
	c.Out.Int(sum)
}

const errIncrOverflow = "ERR increment or decrement would overflow"

// addInts is a + b; not ok if there is no such integer of 64 bits.
func addInts(a, b int64) (sum int64, ok bool) {
	sum = a + b
	return sum, !(a < 0 && b < 0 && sum >= 0 || a > 0 && b > 0 && sum < 0)
}

// integerAt reads the string at r as an integer.
func integerAt(tx *keyspace.ReadTx, r keyspace.Ref) (int64, error) {
	if n, ok := r.Int(); ok {
		return n, nil
	}
	s, _, err := tx.StrOf(r)
	if err != nil {
		return 0, err
	}
	if s.Len() > len("-9223372036854775808") {
		return 0, command.Error(command.ErrNotInteger)
	}
	n, ok := resp.ParseInt(s.Bytes())
	if !ok {
		return 0, command.Error(command.ErrNotInteger)
	}
	return n, nil
}

func incrByFloat(c *command.Call, tx *keyspace.WriteTx) {
	key := c.Args[1]
	old, found := tx.Peek(key)
	text := []byte("0")
	if found {
		s, _, err := tx.StrOf(old)
		if err != nil {
			c.Fail(err)
			return
		}
		if s.Len() > longDoubleMax {
			c.Out.Error(command.ErrNotFloat)
			return
		}
		text = s.Bytes()
	}
	sum, err := addLongDoubles(text, c.Args[2])
	if err != nil {
		c.Fail(err)
		return
	}
	if err := tx.SetTextAt(&old, key, sum, keyspace.KeepExpiry); err != nil {
		c.Fail(err)
		return
	}
	tx.Propagate([]byte("SET"), key, sum, []byte("KEEPTTL"))
	tx.Notify(keyspace.EventString, "incrbyfloat", key)
	c.Out.Bulk(sum)
}
