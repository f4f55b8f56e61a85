package builtin

import (
	"math"
	"strconv"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func expireSpecs() []*command.Spec {
	history := [][2]string{{"7.0.0", "`NX`, `XX`, `GT` and `LT` came."}}
	return []*command.Spec{{
		Name: "expire", Group: "generic", Since: "1.0.0",
		Summary:    "Gives a key a number of seconds to live.",
		Complexity: "O(1)",
		Arity:      -3, Flags: command.Write | command.Fast,
		Keys:    command.FirstKey(command.KeyRW | command.KeyUpdate),
		Usage:   "key seconds:integer [NX | XX | GT | LT]:condition@7.0.0",
		History: history,
		Write:   func(c *command.Call, tx *keyspace.WriteTx) { expire(c, tx, 1000, c.Now) },
	}, {
		Name: "pexpire", Group: "generic", Since: "2.6.0",
		Summary:    "Gives a key a number of milliseconds to live.",
		Complexity: "O(1)",
		Arity:      -3, Flags: command.Write | command.Fast,
		Keys:    command.FirstKey(command.KeyRW | command.KeyUpdate),
		Usage:   "key milliseconds:integer [NX | XX | GT | LT]:condition@7.0.0",
		History: history,
		Write:   func(c *command.Call, tx *keyspace.WriteTx) { expire(c, tx, 1, c.Now) },
	}, {
		Name: "expireat", Group: "generic", Since: "1.2.0",
		Summary:    "Gives a key a deadline in Unix seconds.",
		Complexity: "O(1)",
		Arity:      -3, Flags: command.Write | command.Fast,
		Keys:    command.FirstKey(command.KeyRW | command.KeyUpdate),
		Usage:   "key unix-time-seconds:unix-time [NX | XX | GT | LT]:condition@7.0.0",
		History: history,
		Write:   func(c *command.Call, tx *keyspace.WriteTx) { expire(c, tx, 1000, 0) },
	}, {
		Name: "pexpireat", Group: "generic", Since: "2.6.0",
		Summary:    "Gives a key a deadline in Unix milliseconds.",
		Complexity: "O(1)",
		Arity:      -3, Flags: command.Write | command.Fast,
		Keys:    command.FirstKey(command.KeyRW | command.KeyUpdate),
		Usage:   "key unix-time-milliseconds:unix-time [NX | XX | GT | LT]:condition@7.0.0",
		History: history,
		Write:   func(c *command.Call, tx *keyspace.WriteTx) { expire(c, tx, 1, 0) },
	}, {
		Name: "persist", Group: "generic", Since: "2.2.0",
		Summary:    "Takes a key's deadline away.",
		Complexity: "O(1)",
		Arity:      2, Flags: command.Write | command.Fast,
		Keys:  command.FirstKey(command.KeyRW | command.KeyUpdate),
		Usage: "key",
		Write: persist,
	}}
}

// expireIf are the conditions that EXPIRE and its like may come with.
type expireIf struct{ nx, xx, gt, lt bool }

const (
	errExpireNX   command.Error = "ERR NX and XX, GT or LT options at the same time are not compatible"
	errExpireGTLT command.Error = "ERR GT and LT options at the same time are not compatible"
)

func (o *expireIf) read(c *command.Call) error {
	a := c.Parse(3)
	for a.More() {
		switch a.OneOf("NX", "XX", "GT", "LT") {
		case 0:
			o.nx = true
		case 1:
			o.xx = true
		case 2:
			o.gt = true
		case 3:
			o.lt = true
		default:
			a.Fail(command.Error("ERR Unsupported option " + string(a.Next())))
		}
	}
	switch {
	case o.nx && (o.xx || o.gt || o.lt):
		a.Fail(errExpireNX)
	case o.gt && o.lt:
		a.Fail(errExpireGTLT)
	}
	return a.Err()
}

// allow tells whether a key with deadline now (-1: none, which is later than any)
// may get the deadline at.
func (o *expireIf) allow(now, at int64) bool {
	switch {
	case o.nx && now >= 0, o.xx && now < 0:
		return false
	case o.gt && (now < 0 || at <= now):
		return false
	case o.lt && now >= 0 && at >= now:
		return false
	}
	return true
}

// expire is EXPIRE, PEXPIRE, EXPIREAT and PEXPIREAT: the number given is in units
// of unitMs and counts from baseMs.
func expire(c *command.Call, tx *keyspace.WriteTx, unitMs, baseMs int64) {
	var cond expireIf
	if err := cond.read(c); err != nil {
		c.Fail(err)
		return
	}
	a := c.Parse(2)
	at := a.Int()
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	if at > math.MaxInt64/unitMs || at < math.MinInt64/unitMs || at*unitMs > math.MaxInt64-baseMs {
		c.Fail(errExpireTime(c))
		return
	}
	at = at*unitMs + baseMs
	key := c.Args[1]
	r, found := tx.Peek(key)
	if !found || !cond.allow(r.Expiry(), at) {
		c.Out.Int(0)
		return
	}
	if tx.IsPast(at) {
		tx.LapseAt(r, key)
		tx.Notify(keyspace.EventGeneric, "del", key)
		c.Out.Int(1)
		return
	}
	if err := tx.ExpireAt(r, key, max(at, 0)); err != nil {
		c.Fail(err)
		return
	}
	propagateExpire(c, tx, at)
	tx.Notify(keyspace.EventGeneric, "expire", key)
	c.Out.Int(1)
}

// propagateExpire logs the command as the PEXPIREAT it is, conditions and all.
func propagateExpire(c *command.Call, tx *keyspace.WriteTx, at int64) {
	if c.Spec.Name == "pexpireat" {
		return
	}
	if len(c.Args) == 3 { // which is nearly always, and needs no memory
		var scratch [20]byte
		tx.Propagate([]byte("PEXPIREAT"), c.Args[1], strconv.AppendInt(scratch[:0], at, 10))
		return
	}
	argv := append([][]byte{[]byte("PEXPIREAT"), c.Args[1], strconv.AppendInt(nil, at, 10)}, c.Args[3:]...)
	tx.Propagate(argv...)
}

func persist(c *command.Call, tx *keyspace.WriteTx) {
	key := c.Args[1]
	r, found := tx.Peek(key)
	if !found || r.Expiry() < 0 {
		c.Out.Int(0)
		return
	}
	if err := tx.ExpireAt(r, key, keyspace.NoExpiry); err != nil {
		c.Fail(err)
		return
	}
	tx.Notify(keyspace.EventGeneric, "persist", key)
	c.Out.Int(1)
}
