package builtin

import (
	"bytes"
	"math"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/quicklist"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func listReads() []*command.Spec {
	return []*command.Spec{{
		Name: "llen", Group: "list", Since: "1.0.0",
		Summary:    "Tells how many elements a list has.",
		Complexity: "O(1)",
		Arity:      2, Flags: command.ReadOnly | command.Fast,
		Keys:  command.FirstKey(command.KeyRO),
		Usage: "key",
		Read:  replyLen[*quicklist.List],
	}, {
		Name: "lindex", Group: "list", Since: "1.0.0",
		Summary:    "Gives the element of a list that has an index.",
		Complexity: "O(N) where N is the number of elements to traverse to get to the element at index. This makes asking for the first or the last element of the list O(1).",
		Arity:      3, Flags: command.ReadOnly,
		Keys:  command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage: "key index:integer",
		Read:  listIndex,
	}, {
		Name: "lrange", Group: "list", Since: "1.0.0",
		Summary:    "Gives the elements of a list between two indexes, both included.",
		Complexity: "O(S+N) where S is the distance of start offset from HEAD for small lists, from nearest end (HEAD or TAIL) for large lists; and N is the number of elements in the specified range.",
		Arity:      4, Flags: command.ReadOnly,
		Keys:  command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage: "key start:integer stop:integer",
		Read:  listRange,
	}, {
		Name: "lpos", Group: "list", Since: "6.0.6",
		Summary:    "Tells at which indexes an element stands in a list.",
		Complexity: "O(N) where N is the number of elements in the list, for the average case. When searching for elements near the head or the tail of the list, or when the MAXLEN option is provided, the command may run in constant time.",
		Arity:      -3, Flags: command.ReadOnly,
		Keys:  command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage: "key element [RANK rank:integer] [COUNT num-matches:integer] [MAXLEN len:integer]",
		Read:  listPos,
	}}
}

// indexIn reads an index into l, counted from its end if negative. ok is false if
// there is no such element.
func indexIn(a *command.Args, l *quicklist.List) (i int, ok bool) {
	n := a.Int()
	if n < 0 {
		n += int64(l.Len())
	}
	return int(n), n >= 0 && n < int64(l.Len())
}

func listIndex(c *command.Call, tx *keyspace.ReadTx) {
	l, err := keyspace.Find[*quicklist.List](tx, c.Args[1])
	switch {
	case err != nil:
		c.Fail(err)
		return
	case l == nil:
		c.Out.Null()
		return
	}
	a := c.Parse(2)
	i, ok := indexIn(&a, l)
	switch {
	case a.Err() != nil:
		c.Fail(a.Err())
	case !ok:
		c.Out.Null()
	default:
		var scratch [20]byte
		c.Out.Bulk(l.At(i, scratch[:]))
	}
}

func listRange(c *command.Call, tx *keyspace.ReadTx) {
	a := c.Parse(2)
	first, last := a.Int(), a.Int()
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	l, err := keyspace.Find[*quicklist.List](tx, c.Args[1])
	switch {
	case err != nil:
		c.Fail(err)
		return
	case l == nil:
		c.Out.EmptyArray()
		return
	}
	from, n := cutOut(l, first, last)
	replyAscending(c.Out, l, from, n)
}

// cutOut is the part of l between two indexes, both included.
func cutOut(l *quicklist.List, first, last int64) (from, n int) {
	size := int64(l.Len())
	if first < 0 {
		first = max(first+size, 0)
	}
	if last < 0 {
		last += size
	}
	if last = min(last, size-1); first > last {
		return 0, 0
	}
	return int(first), int(last - first + 1)
}

// listSearch is what LPOS is asked for.
type listSearch struct {
	rank   int64 // the first match that counts, from the end if negative
	count  int64 // how many matches at most, 0: all; -1: one, not in an array
	maxLen int64 // how many elements are looked at, 0: all
}

func (s *listSearch) read(a *command.Args) error {
	s.rank, s.count = 1, -1
	for a.More() {
		switch {
		case a.IsWith("RANK", 1):
			if s.rank = a.IntIn(-math.MaxInt64, math.MaxInt64); a.Err() == nil && s.rank == 0 {
				a.Fail(command.Error("ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list"))
			}
		case a.IsWith("COUNT", 1):
			s.count = a.IntOr(0, math.MaxInt64, "ERR COUNT can't be negative")
		case a.IsWith("MAXLEN", 1):
			s.maxLen = a.IntOr(0, math.MaxInt64, "ERR MAXLEN can't be negative")
		default:
			a.Syntax()
		}
	}
	return a.Err()
}

func listPos(c *command.Call, tx *keyspace.ReadTx) {
	var s listSearch
	a := c.Parse(3)
	if err := s.read(&a); err != nil {
		c.Fail(err)
		return
	}
	l, ok := find[*quicklist.List](c, tx)
	if !ok {
		return
	}
	if s.count < 0 {
		found := false
		s.each(l, c.Args[2], 1, func(i int) {
			found = true
			c.Out.Int(int64(i))
		})
		if !found {
			c.Out.Null()
		}
		return
	}
	mark, n := c.Out.BeginArray(), 0
	s.each(l, c.Args[2], s.count, func(i int) {
		n++
		c.Out.Int(int64(i))
	})
	c.Out.EndArray(mark, n)
}

// each calls found with the index of each match, up to count of them (0: all).
func (s *listSearch) each(l *quicklist.List, element []byte, count int64, found func(i int)) {
	if l == nil {
		return
	}
	elements, i, step, skip := l.Ascend(0), 0, 1, s.rank-1
	if s.rank < 0 {
		elements, i, step, skip = l.Descend(l.Len()-1), l.Len()-1, -1, -s.rank-1
	}
	var seen, matches int64
	for e := range elements {
		if s.maxLen > 0 && seen == s.maxLen {
			return
		}
		if bytes.Equal(e, element) {
			if matches++; matches > skip {
				found(i)
				if matches-skip == count {
					return
				}
			}
		}
		seen++
		i += step
	}
}
