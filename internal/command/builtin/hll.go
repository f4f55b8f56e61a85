package builtin

import (
	"bytes"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/hll"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func hllSpecs() []*command.Spec {
	return []*command.Spec{{
		Name: "pfadd", Group: "hyperloglog", Since: "2.8.9",
		Summary:    "Adds elements to a HyperLogLog, which begins empty if the key does not exist.",
		Complexity: "O(1) to add every element.",
		Arity:      -2, Flags: command.Write | command.DenyOOM | command.Fast,
		Keys:  command.FirstKey(command.KeyRW | command.KeyInsert),
		Usage: "key [element...]",
		Write: pfAdd,
	}, {
		Name: "pfcount", Group: "hyperloglog", Since: "2.8.9",
		Summary:    "Estimates how many different elements were added to any of several HyperLogLogs.",
		Complexity: "O(1) with a very small average constant time when called with a single key. O(N) with N being the number of keys, and much bigger constant times, when called with multiple keys.",
		Arity:      -2, Flags: command.ReadOnly | command.MayReplicate,
		Keys: []command.KeySpec{{
			Flags: command.KeyRW | command.KeyAccess, Index: 1, Last: -1,
			Notes: "RW because it may change the internal representation of the key, and propagate to replicas",
		}},
		Usage: "key...",
		Write: pfCount,
	}, {
		Name: "pfmerge", Group: "hyperloglog", Since: "2.8.9",
		Summary:    "Adds to a HyperLogLog what was added to others.",
		Complexity: "O(N) to merge N HyperLogLogs, but with high constant times.",
		Arity:      -2, Flags: command.Write | command.DenyOOM,
		Keys: []command.KeySpec{
			{Flags: command.KeyRW | command.KeyAccess | command.KeyInsert, Index: 1},
			{Flags: command.KeyRO | command.KeyAccess, Index: 2, Last: -1},
		},
		Usage: "destkey:key [sourcekey:key...]",
		Write: pfMerge,
	}}
}

const (
	errNotHLL     command.Error = "WRONGTYPE Key is not a valid HyperLogLog string value."
	errCorruptHLL command.Error = "INVALIDOBJ Corrupted HLL object detected"
)

// hllOf is the HyperLogLog of a key that was found: a view that nobody may change.
func hllOf(tx *keyspace.ReadTx, r keyspace.Ref) ([]byte, error) {
	s, _, err := tx.StrOf(r)
	if err != nil {
		return nil, err
	}
	b := s.Bytes()
	if hll.Check(b) != nil {
		return nil, errNotHLL
	}
	return b, nil
}

func pfAdd(c *command.Call, tx *keyspace.WriteTx) {
	key := c.Args[1]
	changes, err := addElements(tx, key, c.Args[2:])
	switch {
	case err != nil:
		c.Fail(err)
	case changes > 0:
		tx.CountMore(key, changes)
		tx.Notify(keyspace.EventString, "pfadd", key)
		c.Out.Int(1)
	default:
		c.Out.Int(0)
	}
}

// addElements adds elements to the HyperLogLog at key. It counts those that changed it;
// a missing one is made, which is a change, too.
func addElements(tx *keyspace.WriteTx, key []byte, elements [][]byte) (changes int, err error) {
	r, found := tx.Peek(key)
	b := hll.New()
	if found {
		if b, err = hllOf(&tx.ReadTx, r); err != nil {
			return 0, err
		}
		if hll.IsDense(b) {
			return addDense(tx, r, key, b, elements)
		}
		b = bytes.Clone(b)
	}
	for _, e := range elements {
		var more bool
		if b, more, err = hll.Add(b, e, tx.Limits().HLL); err != nil {
			return 0, errCorruptHLL
		}
		if more {
			changes++
		}
	}
	if !found {
		changes++
	}
	if changes == 0 {
		return 0, nil
	}
	hll.Invalidate(b)
	return changes, tx.SetRawAt(&r, key, b, keyspace.KeepExpiry)
}

// addDense adds elements to the dense string at key, of which b is a view, in place.
func addDense(tx *keyspace.WriteTx, r keyspace.Ref, key, b []byte, elements [][]byte) (changes int, err error) {
	for len(elements) > 0 && !hll.Raises(b, elements[0]) {
		elements = elements[1:]
	}
	if len(elements) == 0 {
		return 0, nil
	}
	edit, err := tx.EditAt(r, key, 0)
	if err != nil {
		return 0, err
	}
	b = edit.Bytes()
	for _, e := range elements {
		if _, more, _ := hll.Add(b, e, 0); more {
			changes++
		}
	}
	return changes, nil
}

// pfCount is PFCOUNT. What it counted of a single key it stores there, which is a
// change that replicas get, too; it is a command that reads all the same, and one
// that a replica runs: there it changes the replica's own copy only.
func pfCount(c *command.Call, tx *keyspace.WriteTx) {
	count := countUnion
	if len(c.Args) == 2 {
		count = countOne
	}
	n, err := count(tx, c.Args[1:])
	if err != nil {
		c.Fail(err)
		return
	}
	c.Out.Int(int64(n))
}

func countOne(tx *keyspace.WriteTx, keys [][]byte) (uint64, error) {
	r, found := tx.Get(keys[0])
	if !found {
		return 0, nil
	}
	b, err := hllOf(&tx.ReadTx, r)
	if err != nil {
		return 0, err
	}
	n, ok := hll.Cached(b)
	if ok {
		return n, nil
	}
	if n, err = hll.Cardinality(b); err != nil {
		return 0, errCorruptHLL
	}
	edit, err := tx.EditAt(r, keys[0], 0)
	if err == nil {
		hll.SetCached(edit.Bytes(), n)
	}
	return n, err
}

func countUnion(tx *keyspace.WriteTx, keys [][]byte) (uint64, error) {
	var all hll.Registers
	if _, err := mergeAll(tx, &all, keys); err != nil {
		return 0, err
	}
	return all.Cardinality(), nil
}

// mergeAll raises the registers of all to those at keys, and tells whether any of
// them is dense.
func mergeAll(tx *keyspace.WriteTx, all *hll.Registers, keys [][]byte) (dense bool, err error) {
	for _, key := range keys {
		r, found := tx.Get(key)
		if !found {
			continue
		}
		b, err := hllOf(&tx.ReadTx, r)
		if err != nil {
			return false, err
		}
		if all.Merge(b) != nil {
			return false, errCorruptHLL
		}
		dense = dense || hll.IsDense(b)
	}
	return dense, nil
}

func pfMerge(c *command.Call, tx *keyspace.WriteTx) {
	key := c.Args[1]
	if err := mergeInto(tx, key, c.Args[1:]); err != nil {
		c.Fail(err)
		return
	}
	tx.Notify(keyspace.EventString, "pfadd", key)
	c.Out.OK()
}

// mergeInto makes key the union of keys, of which it is one. It becomes dense if any
// of them is.
func mergeInto(tx *keyspace.WriteTx, key []byte, keys [][]byte) error {
	var all hll.Registers
	dense, err := mergeAll(tx, &all, keys)
	if err != nil {
		return err
	}
	r, found := tx.Peek(key)
	b := hll.New()
	if found {
		if b, err = hllOf(&tx.ReadTx, r); err != nil {
			return err
		}
		b = bytes.Clone(b)
	}
	if dense {
		if b, err = hll.ToDense(b); err != nil {
			return errCorruptHLL
		}
	}
	if b, err = all.Store(b, tx.Limits().HLL); err != nil {
		return errCorruptHLL
	}
	return tx.SetRawAt(&r, key, b, keyspace.KeepExpiry)
}
