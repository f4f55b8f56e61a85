package builtin

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/set"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func setRandoms() []*command.Spec {
	return []*command.Spec{{
		Name: "srandmember", Group: "set", Since: "1.0.0",
		Summary:    "Gives one or several random members of a set.",
		Complexity: "Without the count argument O(1), otherwise O(N) where N is the absolute value of the passed count.",
		Arity:      -2, Flags: command.ReadOnly,
		Keys:    command.FirstKey(command.KeyRO | command.KeyAccess),
		Tips:    []string{"nondeterministic_output"},
		Usage:   "key [count:integer@2.6.0]",
		History: [][2]string{{"2.6.0", "`count` came."}},
		Read:    randomMember,
	}, {
		Name: "spop", Group: "set", Since: "1.0.0",
		Summary:    "Takes one or several random members out of a set and gives them.",
		Complexity: "Without the count argument O(1), otherwise O(N) where N is the value of the passed count.",
		Arity:      -2, Flags: command.Write | command.Fast,
		Keys:    command.FirstKey(command.KeyRW | command.KeyAccess | command.KeyDelete),
		Tips:    []string{"nondeterministic_output"},
		Usage:   "key [count:integer@3.2.0]",
		History: [][2]string{{"3.2.0", "`count` came."}},
		Write:   popMember,
	}}
}

// randomMember is SRANDMEMBER.
func randomMember(c *command.Call, tx *keyspace.ReadTx) {
	if len(c.Args) > 2 {
		randomMembers(c, tx)
		return
	}
	s, err := keyspace.Find[*set.Set](tx, c.Args[1])
	switch {
	case err != nil:
		c.Fail(err)
	case s == nil:
		c.Out.Null()
	default:
		var b [20]byte
		c.Out.Bulk(s.At(rand.IntN(s.Len()), b[:]))
	}
}

// randomMembers is SRANDMEMBER with a count: that many different members, or if it
// is negative, as many as that, each chosen from all.
func randomMembers(c *command.Call, tx *keyspace.ReadTx) {
	a := c.Parse(2)
	count := int64(0)
	if a.Left() > 1 {
		a.Syntax()
	} else {
		count = a.IntIn(-math.MaxInt64, math.MaxInt64)
	}
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	s, err := keyspace.Find[*set.Set](tx, c.Args[1])
	switch {
	case err != nil:
		c.Fail(err)
	case s == nil || count == 0:
		c.Out.EmptyArray()
	case count < 0:
		replyRepeats(c, s, -count)
	default:
		replySample(c, s, int(min(count, int64(s.Len()))))
	}
}

// replyRepeats replies with n random members, each chosen from all.
func replyRepeats(c *command.Call, s *set.Set, n int64) {
	if n > maxRepeats {
		c.Fail(errRepeats)
		return
	}
	var b [20]byte
	c.Out.Array(int(n))
	for range repeats(c, int(n)) {
		c.Out.Bulk(s.At(rand.IntN(s.Len()), b[:]))
	}
}

// replySample replies with n different members.
func replySample(c *command.Call, s *set.Set, n int) {
	c.Out.Array(n)
	var b [20]byte
	for _, i := range sample(s.Len(), n) {
		c.Out.Bulk(s.At(i, b[:]))
	}
}

// popMember is SPOP.
func popMember(c *command.Call, tx *keyspace.WriteTx) {
	if len(c.Args) > 2 {
		popMembers(c, tx)
		return
	}
	key := c.Args[1]
	var s keyspace.Change[*set.Set]
	if err := s.Open(tx, key); err != nil {
		c.Fail(err)
		return
	}
	if s.Value == nil {
		c.Out.Null()
		return
	}
	m := takeRandom(s.Value)
	if err := saveSet(tx, &s, "spop", key); err != nil {
		c.Fail(err)
		return
	}
	tx.Propagate([]byte("SREM"), key, m)
	c.Out.Bulk(m)
}

// takeRandom removes a random member and returns it.
func takeRandom(s *set.Set) []byte {
	var b [20]byte
	m := bytes.Clone(s.At(rand.IntN(s.Len()), b[:]))
	s.Remove(m)
	return m
}

// popMembers is SPOP with a count.
func popMembers(c *command.Call, tx *keyspace.WriteTx) {
	key := c.Args[1]
	a := c.Parse(2)
	if a.Left() > 1 {
		a.Syntax()
	}
	count := a.Positive()
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	var s *set.Set
	r, ok := tx.Peek(key)
	if ok {
		var err error
		if s, err = keyspace.Of[*set.Set](&tx.ReadTx, r); err != nil {
			c.Fail(err)
			return
		}
	}
	switch {
	case s == nil || count == 0:
		c.Out.Set(0)
	case count >= int64(s.Len()):
		popAll(c, tx, r, s)
	case (int64(s.Len())-count)*popFew > count:
		popSome(c, tx, r, int(count))
	default:
		popMost(c, tx, r, s, int(count))
	}
}

// popFew is how many times as many members may be popped as stay before those
// that stay are picked out instead, into a new set.
const popFew = 5

// popAll replies with all members and removes the key.
func popAll(c *command.Call, tx *keyspace.WriteTx, r keyspace.Ref, s *set.Set) {
	key := c.Args[1]
	n := s.Len()
	replySet(c, s)
	tx.DeleteAt(r, key)
	tx.CountMore(key, n)
	tx.Notify(keyspace.EventSet, "spop", key)
	tx.Notify(keyspace.EventGeneric, "del", key)
	tx.Propagate(tx.DelWord(), key)
}

// popSome pops n members, less than there are, one by one.
func popSome(c *command.Call, tx *keyspace.WriteTx, r keyspace.Ref, n int) {
	key := c.Args[1]
	var s keyspace.Change[*set.Set]
	if err := s.OpenAt(tx, r, key); err != nil {
		c.Fail(err)
		return
	}
	popped := make([][]byte, n)
	for i := range popped {
		popped[i] = takeRandom(s.Value)
	}
	if _, err := s.Save(); err != nil {
		c.Fail(err)
		return
	}
	replyPopped(c, tx, popped)
}

// popMost pops n members by making a new set of those that stay, which as in redis
// may be of another encoding.
func popMost(c *command.Call, tx *keyspace.WriteTx, r keyspace.Ref, s *set.Set, n int) {
	key, lim := c.Args[1], tx.Limits().Set
	stay := sample(s.Len(), s.Len()-n)
	slices.Sort(stay)
	kept, popped := emptySet(s.Encoding() == "intset"), make([][]byte, 0, n)
	i := 0
	for m := range s.All() {
		if len(stay) > 0 && stay[0] == i {
			kept.Add(m, lim)
			stay = stay[1:]
		} else {
			popped = append(popped, bytes.Clone(m))
		}
		i++
	}
	if err := tx.SetObjectAt(&r, key, kept, r.Expiry()); err != nil {
		c.Fail(err)
		return
	}
	replyPopped(c, tx, popped)
}

// popBatch is how many members one logged SREM removes.
const popBatch = 1024

// replyPopped replies with the members that were popped of the call's key, logs that
// they are removed, and announces it.
func replyPopped(c *command.Call, tx *keyspace.WriteTx, popped [][]byte) {
	key := c.Args[1]
	tx.CountMore(key, len(popped))
	tx.Notify(keyspace.EventSet, "spop", key)
	c.Out.Set(len(popped))
	for _, m := range popped {
		c.Out.Bulk(m)
	}
	for len(popped) > 0 {
		n := min(len(popped), popBatch)
		tx.Propagate(append([][]byte{[]byte("SREM"), key}, popped[:n]...)...)
		popped = popped[n:]
	}
}
