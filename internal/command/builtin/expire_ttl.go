package builtin

import (
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func ttlSpecs() []*command.Spec {
	history := [][2]string{{"2.8.0", "-2 is the reply for a key that is not there."}}
	return []*command.Spec{{
		Name: "ttl", Group: "generic", Since: "1.0.0",
		Summary:    "Tells how many seconds a key has left.",
		Complexity: "O(1)",
		Arity:      2, Flags: command.ReadOnly | command.Fast,
		Keys:    command.FirstKey(command.KeyRO | command.KeyAccess),
		Tips:    []string{"nondeterministic_output"},
		Usage:   "key",
		History: history,
		Read:    func(c *command.Call, tx *keyspace.ReadTx) { ttl(c, tx, 1000, c.Now) },
	}, {
		Name: "pttl", Group: "generic", Since: "2.6.0",
		Summary:    "Tells how many milliseconds a key has left.",
		Complexity: "O(1)",
		Arity:      2, Flags: command.ReadOnly | command.Fast,
		Keys:    command.FirstKey(command.KeyRO | command.KeyAccess),
		Tips:    []string{"nondeterministic_output"},
		Usage:   "key",
		History: history,
		Read:    func(c *command.Call, tx *keyspace.ReadTx) { ttl(c, tx, 1, c.Now) },
	}, {
		Name: "expiretime", Group: "generic", Since: "7.0.0",
		Summary:    "Tells a key's deadline in Unix seconds.",
		Complexity: "O(1)",
		Arity:      2, Flags: command.ReadOnly | command.Fast,
		Keys:  command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage: "key",
		Read:  func(c *command.Call, tx *keyspace.ReadTx) { ttl(c, tx, 1000, 0) },
	}, {
		Name: "pexpiretime", Group: "generic", Since: "7.0.0",
		Summary:    "Tells a key's deadline in Unix milliseconds.",
		Complexity: "O(1)",
		Arity:      2, Flags: command.ReadOnly | command.Fast,
		Keys:  command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage: "key",
		Read:  func(c *command.Call, tx *keyspace.ReadTx) { ttl(c, tx, 1, 0) },
	}}
}

// ttl replies with the time from baseMs to the key's deadline, rounded to units
// of unitMs; -1 without a deadline, -2 without a key.
func ttl(c *command.Call, tx *keyspace.ReadTx, unitMs, baseMs int64) {
	r, found := tx.Look(c.Args[1])
	switch {
	case !found:
		c.Out.Int(-2)
	case r.Expiry() < 0:
		c.Out.Int(-1)
	default:
		left := uint64(max(r.Expiry()-baseMs, 0)) // to which half a unit can be added
		c.Out.Int(int64((left + uint64(unitMs)/2) / uint64(unitMs)))
	}
}
