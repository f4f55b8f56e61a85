package builtin

import (
	"bytes"
	"math"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/quicklist"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func listEdits() []*command.Spec {
	return []*command.Spec{{
		Name: "lset", Group: "list", Since: "1.0.0",
		Summary:    "Replaces the element of a list that has an index.",
		Complexity: "O(N) where N is the length of the list. Setting either the first or the last element of the list is O(1).",
		Arity:      4, Flags: command.Write | command.DenyOOM,
		Keys:  command.FirstKey(command.KeyRW | command.KeyUpdate),
		Usage: "key index:integer element",
		Write: listSet,
	}, {
		Name: "linsert", Group: "list", Since: "2.2.0",
		Summary:    "Puts an element before or behind another one of a list.",
		Complexity: "O(N) where N is the number of elements to traverse before seeing the value pivot. This means that inserting somewhere on the left end on the list (head) can be considered O(1) and inserting somewhere on the right end (tail) is O(N).",
		Arity:      5, Flags: command.Write | command.DenyOOM,
		Keys:  command.FirstKey(command.KeyRW | command.KeyInsert),
		Usage: "key <BEFORE | AFTER>:where pivot element",
		Write: listInsert,
	}, {
		Name: "lrem", Group: "list", Since: "1.0.0",
		Summary:    "Removes the elements of a list that equal one, or some of them.",
		Complexity: "O(N+M) where N is the length of the list and M is the number of elements removed.",
		Arity:      4, Flags: command.Write,
		Keys:  command.FirstKey(command.KeyRW | command.KeyDelete),
		Usage: "key count:integer element",
		Write: listRemove,
	}, {
		Name: "ltrim", Group: "list", Since: "1.0.0",
		Summary:    "Removes the elements of a list that are not between two indexes.",
		Complexity: "O(N) where N is the number of elements to be removed by the operation.",
		Arity:      4, Flags: command.Write,
		Keys:  command.FirstKey(command.KeyRW | command.KeyDelete),
		Usage: "key start:integer stop:integer",
		Write: listTrim,
	}}
}

func listSet(c *command.Call, tx *keyspace.WriteTx) {
	key, element := c.Args[1], c.Args[3]
	var l keyspace.Change[*quicklist.List]
	err := l.Open(tx, key)
	switch {
	case err != nil:
		c.Fail(err)
		return
	case !l.Found():
		c.Out.Error(command.ErrNoKey)
		return
	}
	a := c.Parse(2)
	i, ok := indexIn(&a, l.Value)
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	o := tx.Limits().List
	if !ok {
		if growInVain(c, &l, element, o) {
			c.Out.Error(command.ErrOutOfRange)
		}
		return
	}
	l.Value.Set(i, element, o)
	l.Value.Shrink(o)
	if _, err := l.Save(); err != nil {
		c.Fail(err)
		return
	}
	tx.Notify(keyspace.EventList, "lset", key)
	c.Out.OK()
}

func listInsert(c *command.Call, tx *keyspace.WriteTx) {
	a := c.Parse(2)
	behind := a.OneOf("BEFORE", "AFTER")
	if behind < 0 {
		c.Out.Error(command.ErrSyntax)
		return
	}
	key, pivot, element := c.Args[1], c.Args[3], c.Args[4]
	var l keyspace.Change[*quicklist.List]
	err := l.Open(tx, key)
	switch {
	case err != nil:
		c.Fail(err)
		return
	case !l.Found():
		c.Out.Int(0)
		return
	}
	i, ok := indexOf(l.Value, pivot)
	if !ok {
		if growInVain(c, &l, element, tx.Limits().List) {
			c.Out.Int(-1)
		}
		return
	}
	l.Value.Insert(i+behind, element, tx.Limits().List)
	n := l.Value.Len()
	if _, err := l.Save(); err != nil {
		c.Fail(err)
		return
	}
	tx.Notify(keyspace.EventList, "linsert", key)
	c.Out.Int(int64(n))
}

// growInVain makes a list ready to get element, which then does not come: redis makes it a quicklist before it looks for the
// place. False means that the error has been replied.
func growInVain(c *command.Call, l *keyspace.Change[*quicklist.List], element []byte, o quicklist.Options) bool {
	was := l.Value.Encoding()
	if l.Value.Grow(len(element), 1, o); l.Value.Encoding() == was {
		return true
	}
	if err := l.Recode(); err != nil {
		c.Fail(err)
		return false
	}
	return true
}

// indexOf is the index of the first element that equals element.
func indexOf(l *quicklist.List, element []byte) (i int, ok bool) {
	for e := range l.Ascend(0) {
		if bytes.Equal(e, element) {
			return i, true
		}
		i++
	}
	return 0, false
}

func listRemove(c *command.Call, tx *keyspace.WriteTx) {
	key, element := c.Args[1], c.Args[3]
	a := c.Parse(2)
	count := a.Int()
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	var l keyspace.Change[*quicklist.List]
	err := l.Open(tx, key)
	switch {
	case err != nil:
		c.Fail(err)
		return
	case !l.Found():
		c.Out.Int(0)
		return
	}
	removed := removeEqual(l.Value, element, count)
	if removed > 0 {
		if err := shrink(tx, &l, "lrem", key); err != nil {
			c.Fail(err)
			return
		}
		tx.CountMore(key, removed)
	}
	c.Out.Int(int64(removed))
}

// removeEqual removes count elements that equal element, the last ones if count is
// negative, all if it is 0.
func removeEqual(l *quicklist.List, element []byte, count int64) (removed int) {
	s := listSearch{rank: 1}
	switch {
	case count == math.MinInt64:
		s.rank, count = -1, 0
	case count < 0:
		s.rank, count = -1, -count
	}
	var at []int
	s.each(l, element, count, func(i int) { at = append(at, i) })
	for k := range at { // from the last on: the others keep their indexes
		i := at[k]
		if s.rank > 0 {
			i = at[len(at)-1-k]
		}
		l.DeleteRange(i, 1)
	}
	return len(at)
}

func listTrim(c *command.Call, tx *keyspace.WriteTx) {
	key := c.Args[1]
	a := c.Parse(2)
	first, last := a.Int(), a.Int()
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	var l keyspace.Change[*quicklist.List]
	err := l.Open(tx, key)
	switch {
	case err != nil:
		c.Fail(err)
		return
	case !l.Found():
		c.Out.OK()
		return
	}
	from, n := cutOut(l.Value, first, last)
	if n == l.Value.Len() {
		l.Touch()
		tx.Notify(keyspace.EventList, "ltrim", key)
		c.Out.OK()
		return
	}
	removed := l.Value.Len() - n
	l.Value.DeleteRange(from+n, l.Value.Len()-from-n)
	l.Value.DeleteRange(0, from)
	if err := shrink(tx, &l, "ltrim", key); err != nil {
		c.Fail(err)
		return
	}
	tx.CountMore(key, removed)
	c.Out.OK()
}
