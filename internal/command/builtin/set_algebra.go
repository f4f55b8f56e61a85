package builtin

import (
	"cmp"
	"math"
	"slices"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/set"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func setAlgebra() []*command.Spec {
	const (
		product = "O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets."
		sum     = "O(N) where N is the total number of elements in all given sets."
	)
	return []*command.Spec{
		setAlgebraSpec("sinter", "Gives what all of several sets have.", product, interReply),
		setStoreSpec("sinterstore", "Makes a set of what all of several sets have.", product, command.KeyRW, interStore),
		{
			Name: "sintercard", Group: "set", Since: "7.0.0",
			Summary:    "Counts what all of several sets have.",
			Complexity: product,
			Arity:      -3, Flags: command.ReadOnly | command.MovableKeys,
			Keys:  []command.KeySpec{{Flags: command.KeyRO | command.KeyAccess, Index: 1, NumKeys: true, FirstKey: 1}},
			Usage: "numkeys:integer key... [LIMIT limit:integer]",
			Read:  interCount,
		},
		setAlgebraSpec("sunion", "Gives what any of several sets has.", sum, unionReply),
		setStoreSpec("sunionstore", "Makes a set of what any of several sets has.", sum, command.KeyOW, unionStore),
		setAlgebraSpec("sdiff", "Gives what the first of several sets has and none of the others.", sum, diffReply),
		setStoreSpec("sdiffstore", "Makes a set of what the first of several sets has and none of the others.", sum, command.KeyOW, diffStore),
	}
}

func setAlgebraSpec(name, summary, complexity string, read func(*command.Call, *keyspace.ReadTx)) *command.Spec {
	return &command.Spec{
		Name: name, Group: "set", Since: "1.0.0",
		Summary:    summary,
		Complexity: complexity,
		Arity:      -2, Flags: command.ReadOnly,
		Keys:  command.AllKeys(command.KeyRO | command.KeyAccess),
		Tips:  []string{"nondeterministic_output_order"},
		Usage: "key...",
		Read:  read,
	}
}

func setStoreSpec(name, summary, complexity string, dst command.KeyFlags, write func(*command.Call, *keyspace.WriteTx)) *command.Spec {
	return &command.Spec{
		Name: name, Group: "set", Since: "1.0.0",
		Summary:    summary,
		Complexity: complexity,
		Arity:      -3, Flags: command.Write | command.DenyOOM,
		Keys: []command.KeySpec{
			{Flags: dst | command.KeyUpdate, Index: 1},
			{Flags: command.KeyRO | command.KeyAccess, Index: 2, Last: -1},
		},
		Usage: "destination:key key...",
		Write: write,
	}
}

// findSets finds the sets at keys; nil stands for one that is not there.
func findSets(tx *keyspace.ReadTx, keys [][]byte) ([]*set.Set, error) {
	sets := make([]*set.Set, len(keys))
	for i, key := range keys {
		var err error
		if sets[i], err = keyspace.Find[*set.Set](tx, key); err != nil {
			return nil, err
		}
	}
	return sets, nil
}

// intersect yields what all sets have, until yield returns false. It goes through
// the smallest, which becomes the first.
func intersect(sets []*set.Set, yield func(m []byte) bool) {
	if slices.Contains(sets, nil) {
		return
	}
	slices.SortStableFunc(sets, func(a, b *set.Set) int { return cmp.Compare(a.Len(), b.Len()) })
	for m := range sets[0].All() {
		if haveAll(sets[1:], m) && !yield(m) {
			return
		}
	}
}

func haveAll(sets []*set.Set, m []byte) bool {
	for _, s := range sets {
		if !s.Has(m) {
			return false
		}
	}
	return true
}

func interReply(c *command.Call, tx *keyspace.ReadTx) {
	sets, err := findSets(tx, c.Args[1:])
	if err != nil {
		c.Fail(err)
		return
	}
	m, n := c.Out.Begin(), 0
	intersect(sets, func(m []byte) bool {
		c.Out.Bulk(m)
		n++
		return true
	})
	c.Out.EndSet(m, n)
}

func interCount(c *command.Call, tx *keyspace.ReadTx) {
	keys, limit, err := interCountArgs(c)
	if err != nil {
		c.Fail(err)
		return
	}
	sets, err := findSets(tx, keys)
	if err != nil {
		c.Fail(err)
		return
	}
	n := int64(0)
	intersect(sets, func([]byte) bool {
		n++
		return n != limit
	})
	c.Out.Int(n)
}

// interCountArgs reads SINTERCARD's arguments; limit 0 is none.
func interCountArgs(c *command.Call) (keys [][]byte, limit int64, err error) {
	a := c.Parse(1)
	n := a.IntOr(1, math.MaxInt64, "ERR numkeys should be greater than 0")
	if n > int64(a.Left()) {
		a.Fail(command.Error("ERR Number of keys can't be greater than number of args"))
	}
	if err := a.Err(); err != nil {
		return nil, 0, err
	}
	keys = c.Args[2 : 2+n]
	for a = c.Parse(2 + int(n)); a.More(); {
		if !a.IsWith("LIMIT", 1) {
			a.Syntax()
			break
		}
		limit = a.IntOr(0, math.MaxInt64, "ERR LIMIT can't be negative")
	}
	return keys, limit, a.Err()
}

func interStore(c *command.Call, tx *keyspace.WriteTx) {
	sets, err := findSets(&tx.ReadTx, c.Args[2:])
	if err != nil {
		c.Fail(err)
		return
	}
	var result *set.Set
	lim := tx.Limits().Set
	intersect(sets, func(m []byte) bool {
		if result == nil {
			result = emptySet(sets[0].Encoding() == "intset")
		}
		return result.Add(m, lim) || true
	})
	if result != nil {
		result.Integers(lim)
	}
	storeSet(c, tx, "sinterstore", result)
}

// emptySet is an empty set that is an intset, or else a listpack, whatever the
// limits are: it is they that make it another one.
func emptySet(integers bool) *set.Set {
	if integers {
		return set.New([]byte{'0'}, 0, set.Limits{})
	}
	return set.New(nil, 0, set.Limits{})
}

// storeSet makes the first key of the call hold result, which may be nil.
func storeSet(c *command.Call, tx *keyspace.WriteTx, event string, result *set.Set) {
	key := c.Args[1]
	if result == nil {
		storeNothing(c, tx, key)
		return
	}
	storeResult(c, tx, key, result, keyspace.EventSet, event)
}

// union is what any of sets has.
func union(sets []*set.Set, lim set.Limits) *set.Set {
	result := emptySet(true)
	for _, s := range sets {
		addAll(result, s, lim)
	}
	return result
}

// addAll adds the members of s, which may be nil.
func addAll(to, s *set.Set, lim set.Limits) {
	if s == nil {
		return
	}
	for m := range s.All() {
		to.Add(m, lim)
	}
}

func unionReply(c *command.Call, tx *keyspace.ReadTx) {
	sets, err := findSets(tx, c.Args[1:])
	if err != nil {
		c.Fail(err)
		return
	}
	if len(sets) == 1 {
		replySet(c, sets[0])
		return
	}
	replySet(c, union(sets, tx.Limits().Set))
}

func unionStore(c *command.Call, tx *keyspace.WriteTx) {
	sets, err := findSets(&tx.ReadTx, c.Args[2:])
	if err != nil {
		c.Fail(err)
		return
	}
	storeSet(c, tx, "sunionstore", union(sets, tx.Limits().Set))
}

// difference is what the first of keys, which hold sets, has and none of the others.
func difference(keys [][]byte, sets []*set.Set, lim set.Limits) *set.Set {
	result := emptySet(true)
	first, others := sets[0], sets[1:]
	if first == nil || slices.ContainsFunc(keys[1:], func(k []byte) bool { return string(k) == string(keys[0]) }) {
		return result
	}
	others = slices.DeleteFunc(others, func(s *set.Set) bool { return s == nil })
	if asking(first, others) {
		askOthers(result, first, others, lim)
		return result
	}
	addAll(result, first, lim)
	for _, s := range others {
		for m := range s.All() {
			result.Remove(m)
		}
		if result.Len() == 0 {
			break
		}
	}
	return result
}

// asking tells whether it takes less to look up each member of first in all others
// than to remove all members of the others from a copy of first. Half the price is
// put on a look-up: the first that finds something ends the search.
func asking(first *set.Set, others []*set.Set) bool {
	all := first.Len()
	for _, s := range others {
		all += s.Len()
	}
	return first.Len()*(1+len(others))/2 <= all
}

// askOthers adds to result the members of first that none of others has. The large
// ones are asked first, since they are the more likely to have a member.
func askOthers(result, first *set.Set, others []*set.Set, lim set.Limits) {
	slices.SortStableFunc(others, func(a, b *set.Set) int { return cmp.Compare(b.Len(), a.Len()) })
	for m := range first.All() {
		if !slices.ContainsFunc(others, func(s *set.Set) bool { return s.Has(m) }) {
			result.Add(m, lim)
		}
	}
}

func diffReply(c *command.Call, tx *keyspace.ReadTx) {
	keys := c.Args[1:]
	sets, err := findSets(tx, keys)
	if err != nil {
		c.Fail(err)
		return
	}
	replySet(c, difference(keys, sets, tx.Limits().Set))
}

func diffStore(c *command.Call, tx *keyspace.WriteTx) {
	keys := c.Args[2:]
	sets, err := findSets(&tx.ReadTx, keys)
	if err != nil {
		c.Fail(err)
		return
	}
	storeSet(c, tx, "sdiffstore", difference(keys, sets, tx.Limits().Set))
}
