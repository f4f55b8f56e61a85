package builtin

import (
	"math"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func objectSpecs() []*command.Spec {
	sub := func(name, since, summary string, read func(*command.Call, *keyspace.ReadTx)) *command.Spec {
		return &command.Spec{
			Name: name, Group: "generic", Since: since,
			Summary:    summary,
			Complexity: "O(1)",
			Arity:      3, Flags: command.ReadOnly,
			Keys:  []command.KeySpec{{Flags: command.KeyRO, Index: 2}},
			Tips:  []string{"nondeterministic_output"},
			Usage: "key",
			Read:  read,
		}
	}
	return []*command.Spec{{
		Name: "object", Group: "generic", Since: "2.2.3",
		Summary:    "Tells what there is to know about a value beside its contents.",
		Complexity: "Depends on subcommand.",
		Arity:      -2,
		Subs: []*command.Spec{
			sub("encoding", "2.2.3", "Tells how the value is kept in memory.", objectEncoding),
			sub("freq", "4.0.0", "Tells how often the key was used, as a logarithmic counter.", objectFreq),
			{
				Name: "help", Group: "generic", Since: "6.2.0",
				Summary:    "Lists the subcommands.",
				Complexity: "O(1)",
				Arity:      2, Flags: command.Loading | command.Stale,
			},
			sub("idletime", "2.2.3", "Tells how many seconds ago the key was used last.", objectIdleTime),
			sub("refcount", "2.2.3", "Tells how many share the value.", objectRefCount),
		},
	}}
}

const (
	errIsLFU  command.Error = "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust."
	errNotLFU command.Error = "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust."
)

// object finds the key that OBJECT is asked about, leaving no trace. False means
// that null has been replied.
func object(c *command.Call, tx *keyspace.ReadTx) (keyspace.Ref, bool) {
	r, found := tx.Peek(c.Args[2])
	if !found {
		c.Out.Null()
	}
	return r, found
}

func objectEncoding(c *command.Call, tx *keyspace.ReadTx) {
	if r, found := object(c, tx); found {
		c.Out.BulkString(r.Encoding())
	}
}

func objectFreq(c *command.Call, tx *keyspace.ReadTx) {
	r, found := object(c, tx)
	switch {
	case !found:
	case !tx.Keyspace().Tuned().Policy.Frequency():
		c.Fail(errNotLFU)
	default:
		c.Out.Int(tx.Frequency(r))
	}
}

func objectIdleTime(c *command.Call, tx *keyspace.ReadTx) {
	r, found := object(c, tx)
	switch {
	case !found:
	case tx.Keyspace().Tuned().Policy.Frequency():
		c.Fail(errIsLFU)
	default:
		c.Out.Int(tx.IdleSeconds(r))
	}
}

// sharedIntegers is how many integers, from 0 on, redis has only one object of
// each for, with a reference count that stands for many, unless the policy wants
// an access clock for every key.
const sharedIntegers = 10000

func shared(r keyspace.Ref, p keyspace.Policy) bool {
	switch p {
	case keyspace.AllKeysLRU, keyspace.AllKeysLFU, keyspace.VolatileLRU, keyspace.VolatileLFU:
		return false
	}
	n, isInt := r.Int()
	return isInt && n >= 0 && n < sharedIntegers
}

func objectRefCount(c *command.Call, tx *keyspace.ReadTx) {
	r, found := object(c, tx)
	switch {
	case !found:
	case shared(r, tx.Keyspace().Tuned().Policy):
		c.Out.Int(math.MaxInt32)
	default:
		c.Out.Int(1)
	}
}
