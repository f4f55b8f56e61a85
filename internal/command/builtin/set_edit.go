package builtin

import (
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/set"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func setEdits() []*command.Spec {
	return []*command.Spec{{
		Name: "sadd", Group: "set", Since: "1.0.0",
		Summary:    "Puts members into a set, which begins empty if the key does not exist.",
		Complexity: "O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.",
		Arity:      -3, Flags: command.Write | command.DenyOOM | command.Fast,
		Keys:     command.FirstKey(command.KeyRW | command.KeyInsert),
		Usage:    "key member...",
		History:  [][2]string{{"2.4.0", "Several members may be given."}},
		Elements: command.Elements{First: 2, Step: 1},
		Write:    setAdd,
	}, {
		Name: "srem", Group: "set", Since: "1.0.0",
		Summary:    "Takes members out of a set, which goes away with its last one.",
		Complexity: "O(N) where N is the number of members to be removed.",
		Arity:      -3, Flags: command.Write | command.Fast,
		Keys:     command.FirstKey(command.KeyRW | command.KeyDelete),
		Usage:    "key member...",
		History:  [][2]string{{"2.4.0", "Several members may be given."}},
		Elements: command.Elements{First: 2, Step: 1},
		Write:    setRemove,
	}, {
		Name: "smove", Group: "set", Since: "1.0.0",
		Summary:    "Takes a member out of one set and puts it into another.",
		Complexity: "O(1)",
		Arity:      4, Flags: command.Write | command.Fast,
		Keys: []command.KeySpec{
			{Flags: command.KeyRW | command.KeyAccess | command.KeyDelete, Index: 1},
			{Flags: command.KeyRW | command.KeyInsert, Index: 2},
		},
		Usage: "source:key destination:key member",
		Write: setMove,
	}}
}

func setAdd(c *command.Call, tx *keyspace.WriteTx) {
	key, members := c.Args[1], c.Args[2:]
	var s keyspace.Change[*set.Set]
	if err := s.Open(tx, key); err != nil {
		c.Fail(err)
		return
	}
	lim := tx.Limits().Set
	if s.Value == nil {
		s.Value = set.New(members[0], len(members), lim)
	} else if len(members) > min(lim.Integers, lim.Entries) {
		if members = withoutHead(s.Value, members); len(members) == 0 {
			c.Out.Int(0)
			return
		}
		s.Value.Expect(len(c.Args)-2, lim)
	}
	added := int64(0)
	for _, m := range members {
		if s.Value.Add(m, lim) {
			added++
		}
	}
	if added > 0 {
		if _, err := s.Save(); err != nil {
			c.Fail(err)
			return
		}
		tx.CountMore(key, int(added))
		tx.Notify(keyspace.EventSet, "sadd", key)
	}
	c.Out.Int(added)
}

// withoutHead is members from the first on that s does not have: so many at once
// may change its encoding, which must not happen if none of them is new.
func withoutHead(s *set.Set, members [][]byte) [][]byte {
	for len(members) > 0 && s.Has(members[0]) {
		members = members[1:]
	}
	return members
}

func setRemove(c *command.Call, tx *keyspace.WriteTx) {
	key := c.Args[1]
	var s keyspace.Change[*set.Set]
	if err := s.Open(tx, key); err != nil {
		c.Fail(err)
		return
	}
	removed := int64(0)
	if s.Value != nil {
		for _, m := range c.Args[2:] {
			if s.Value.Remove(m) {
				removed++
			}
		}
	}
	if removed > 0 {
		if err := saveSet(tx, &s, "srem", key); err != nil {
			c.Fail(err)
			return
		}
		tx.CountMore(key, int(removed))
	}
	c.Out.Int(removed)
}

// saveSet saves a set that shrank, and announces event and whether the key is gone.
func saveSet(tx *keyspace.WriteTx, s *keyspace.Change[*set.Set], event string, key []byte) error {
	return saveAnnounced(tx, s, keyspace.EventSet, event, key)
}

func setMove(c *command.Call, tx *keyspace.WriteTx) {
	from, to, m := c.Args[1], c.Args[2], c.Args[3]
	moved, err := moveMember(tx, from, to, m)
	switch {
	case err != nil:
		c.Fail(err)
	case moved:
		c.Out.Int(1)
	default:
		c.Out.Int(0)
	}
}

func moveMember(tx *keyspace.WriteTx, from, to, m []byte) (moved bool, err error) {
	var src keyspace.Change[*set.Set]
	err = src.Open(tx, from)
	if err != nil || src.Value == nil {
		return false, err
	}
	if err := checkSet(tx, to); err != nil {
		return false, err
	}
	if string(from) == string(to) {
		return src.Value.Has(m), nil
	}
	if !src.Value.Remove(m) {
		return false, nil
	}
	if err := saveSet(tx, &src, "srem", from); err != nil {
		return false, err
	}
	var dst keyspace.Change[*set.Set]
	if err := dst.Open(tx, to); err != nil {
		return true, err
	}
	lim := tx.Limits().Set
	if dst.Value == nil {
		dst.Value = set.New(m, 1, lim)
	}
	if dst.Value.Add(m, lim) {
		if _, err := dst.Save(); err != nil {
			return true, err
		}
		tx.Notify(keyspace.EventSet, "sadd", to)
	}
	return true, nil
}

// checkSet is an error if key holds something else than a set.
func checkSet(tx *keyspace.WriteTx, key []byte) error {
	r, found := tx.Peek(key)
	if !found {
		return nil
	}
	_, err := keyspace.Of[*set.Set](&tx.ReadTx, r)
	return err
}
