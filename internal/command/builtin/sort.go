package builtin

import (
	"bytes"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/hash"
	"github.com/skeindb/skein/internal/data/quicklist"
	"github.com/skeindb/skein/internal/data/set"
	"github.com/skeindb/skein/internal/data/value"
	"github.com/skeindb/skein/internal/data/zset"
	"github.com/skeindb/skein/internal/store/keyspace"
)

const sortComplexity = "O(N+M*log(M)) where N is the number of elements in the list or set to sort, and M the number of returned elements. When the elements are not sorted, complexity is O(N)."

const sortUsage = "key [BY by-pattern=pattern:pattern#1] [LIMIT <offset:integer count:integer>] [GET get-pattern=pattern:pattern#1]... [ASC | DESC]:order [ALPHA:sorting]"

func sortSpecs() []*command.Spec {
	reads := []command.KeySpec{
		{Flags: command.KeyRO | command.KeyAccess, Index: 1},
		{Flags: command.KeyRO | command.KeyAccess, Unknown: true,
			Notes: "For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from the content of the key we sort"},
	}
	stores := append(reads[:2:2], command.KeySpec{Flags: command.KeyOW | command.KeyUpdate, Unknown: true,
		Notes: "For the optional STORE keyword. It is marked 'unknown' because the keyword can appear anywhere in the argument array"})
	categories := []string{"set", "sortedset", "list", "dangerous"}
	return []*command.Spec{{
		Name: "sort", Group: "generic", Since: "1.0.0",
		Summary:    "Gives the elements of a list, a set or a sorted set in another order, or makes a list of them.",
		Complexity: sortComplexity,
		Arity:      -2, Flags: command.Write | command.DenyOOM,
		Categories: categories,
		Keys:       stores,
		GetKeys:    sortKeys,
		Wide:       sortsByOthers,
		Usage:      sortUsage + " [STORE destination:key#2]",
		Write:      sortAny,
	}, {
		Name: "sort_ro", Group: "generic", Since: "7.0.0",
		Summary:    "Gives the elements of a list, a set or a sorted set in another order.",
		Complexity: sortComplexity,
		Arity:      -2, Flags: command.ReadOnly,
		Categories: categories,
		Keys:       reads,
		GetKeys: func(dst []command.KeyPos, _ [][]byte) ([]command.KeyPos, error) {
			return append(dst, command.KeyPos{Index: 1, Flags: command.KeyRO | command.KeyAccess}), nil
		},
		Wide:  sortsByOthers,
		Usage: sortUsage,
		Read:  sortOnly,
	}}
}

// sortKeys finds the key to sort, and the one behind the last STORE.
func sortKeys(dst []command.KeyPos, argv [][]byte) ([]command.KeyPos, error) {
	dst = append(dst, command.KeyPos{Index: 1, Flags: command.KeyRO | command.KeyAccess})
	store := 0
	sortOptions(argv, func(i int) {
		if i+1 < len(argv) && bytes.EqualFold(argv[i], []byte("store")) {
			store = i + 1
		}
	})
	if store > 0 {
		dst = append(dst, command.KeyPos{Index: store, Flags: command.KeyOW | command.KeyUpdate})
	}
	return dst, nil
}

// sortsByOthers tells whether other keys are read, whose names come from the
// elements.
func sortsByOthers(argv [][]byte) (wide bool) {
	sortOptions(argv, func(i int) {
		if bytes.EqualFold(argv[i], []byte("by")) || bytes.EqualFold(argv[i], []byte("get")) {
			wide = true
		}
	})
	return wide
}

// sortOptions shows where words stand that may be options.
func sortOptions(argv [][]byte, visit func(i int)) {
	for i := 2; i < len(argv); i++ {
		visit(i)
		switch {
		case bytes.EqualFold(argv[i], []byte("limit")):
			i += 2
		case bytes.EqualFold(argv[i], []byte("get")), bytes.EqualFold(argv[i], []byte("by")):
			i++
		}
	}
}

const (
	errSortBy     command.Error = "ERR BY option of SORT denied in Cluster mode."
	errSortGet    command.Error = "ERR GET option of SORT denied in Cluster mode."
	errSortByACL  command.Error = "ERR BY option of SORT denied due to insufficient ACL permissions."
	errSortGetACL command.Error = "ERR GET option of SORT denied due to insufficient ACL permissions."
	errSortScore  command.Error = "ERR One or more scores can't be converted into double"
)

// sorting is one SORT.
type sorting struct {
	tx *keyspace.ReadTx

	desc, alpha bool
	asIs        bool   // BY a pattern without *: nothing is sorted
	by          []byte // nil: the elements themselves
	get         [][]byte
	offset      int64
	count       int64 // -1: all
	store       []byte

	items []sortItem
}

// sortItem is an element, and what it is sorted by.
type sortItem struct {
	text  []byte
	score float64
	other []byte // what BY has found; nil if nothing
}

// mayReadAll tells whether the caller may read keys whose names come from elements.
func mayReadAll(c *command.Call) bool {
	r, ok := c.Client.(command.KeyReader)
	return !ok || r.MayReadAll(c.Spec, c.Args)
}

func (s *sorting) read(c *command.Call, mayStore bool) error {
	s.count = -1
	cluster := s.tx.Keyspace().Cluster()
	a := c.Parse(2)
	for a.More() {
		switch {
		case a.Is("ASC"):
			s.desc = false
		case a.Is("DESC"):
			s.desc = true
		case a.Is("ALPHA"):
			s.alpha = true
		case a.IsWith("LIMIT", 2):
			s.offset, s.count = a.Int(), a.Int()
		case mayStore && a.IsWith("STORE", 1):
			s.store = a.Next()
		case a.IsWith("BY", 1):
			s.by = a.Next()
			if bytes.IndexByte(s.by, '*') < 0 {
				s.asIs = true
			} else if cluster {
				a.Fail(errSortBy)
			} else if !mayReadAll(c) {
				a.Fail(errSortByACL)
			}
		case a.IsWith("GET", 1):
			s.get = append(s.get, a.Next())
			if cluster {
				a.Fail(errSortGet)
			} else if !mayReadAll(c) {
				a.Fail(errSortGetACL)
			}
		default:
			a.Syntax()
		}
	}
	return a.Err()
}

func sortOnly(c *command.Call, tx *keyspace.ReadTx) {
	s := sorting{tx: tx}
	if err := s.run(c, false); err != nil {
		c.Fail(err)
		return
	}
	s.reply(c)
}

func sortAny(c *command.Call, tx *keyspace.WriteTx) {
	s := sorting{tx: &tx.ReadTx}
	if err := s.run(c, true); err != nil {
		c.Fail(err)
		return
	}
	if s.store == nil {
		s.reply(c)
		return
	}
	s.keep(c, tx)
}

// run finds out which elements are the result, in order.
func (s *sorting) run(c *command.Call, mayStore bool) error {
	if err := s.read(c, mayStore); err != nil {
		return err
	}
	r, found := s.tx.Get(c.Args[1])
	t := value.TypeList
	if found {
		t = r.Type()
	}
	if t != value.TypeList && t != value.TypeSet && t != value.TypeZSet {
		return command.Error(command.ErrWrongType)
	}
	if t == value.TypeSet && s.asIs && (s.store != nil || c.InScript()) { // a set has no order, but what comes of it must have one
		s.asIs, s.alpha, s.by = false, true, nil
	}
	if found {
		if err := s.load(r, t); err != nil {
			return err
		}
	}
	if !s.asIs {
		if err := s.sort(t == value.TypeList); err != nil {
			return err
		}
	}
	s.limit()
	return nil
}

// load copies the elements, in the order of the value or, if nothing is sorted, in
// the reverse for DESC.
func (s *sorting) load(r keyspace.Ref, t value.Type) error {
	add := func(e []byte) { s.items = append(s.items, sortItem{text: bytes.Clone(e)}) }
	back := s.asIs && s.desc
	switch t {
	case value.TypeList:
		l, err := keyspace.Of[*quicklist.List](s.tx, r)
		if err != nil {
			return err
		}
		each := l.Ascend(0)
		if back {
			each = l.Descend(l.Len() - 1)
		}
		for e := range each {
			add(e)
		}
	case value.TypeSet:
		members, err := keyspace.Of[*set.Set](s.tx, r)
		if err != nil {
			return err
		}
		for m := range members.All() {
			add(m)
		}
	case value.TypeZSet:
		z, err := keyspace.Of[*zset.ZSet](s.tx, r)
		if err != nil {
			return err
		}
		each := z.Ascend(0)
		if back {
			each = z.Descend(z.Len() - 1)
		}
		for m := range each {
			add(m)
		}
	}
	return nil
}

// limit leaves the part of the items that LIMIT asks for.
func (s *sorting) limit() {
	n := int64(len(s.items))
	from := min(max(s.offset, 0), n)
	to := n
	if s.count >= 0 {
		to = from + min(s.count, n-from)
	}
	s.items = s.items[from:to]
}

// reply writes the result, with null for what GET does not find.
func (s *sorting) reply(c *command.Call) {
	if s.get == nil {
		c.Out.Array(len(s.items))
		for i := range s.items {
			c.Out.Bulk(s.items[i].text)
		}
		return
	}
	c.Out.Array(len(s.items) * len(s.get))
	for i := range s.items {
		for _, pattern := range s.get {
			if v, ok := s.lookup(pattern, s.items[i].text); ok {
				c.Out.Bulk(v)
			} else {
				c.Out.Null()
			}
		}
	}
}

// keep makes the result a list, with empty elements for what GET does not find.
func (s *sorting) keep(c *command.Call, tx *keyspace.WriteTx) {
	l, lim := quicklist.Built(), tx.Limits().List
	for i := range s.items {
		if s.get == nil {
			l.PushBack(s.items[i].text, lim)
			continue
		}
		for _, pattern := range s.get {
			v, _ := s.lookup(pattern, s.items[i].text)
			l.PushBack(v, lim)
		}
	}
	l.Pack(lim)
	storeResult(c, tx, s.store, l, keyspace.EventList, "sortstore")
	tx.CountMore(s.store, max(l.Len(), 1))
}

// lookup is the string that a pattern leads to from an element: # is the element
// itself, * stands for it in the name of a key, -> precedes a field of a hash. What
// is found is good until the next one.
func (s *sorting) lookup(pattern, element []byte) ([]byte, bool) {
	if string(pattern) == "#" {
		return element, true
	}
	before, after, ok := bytes.Cut(pattern, []byte("*"))
	if !ok {
		return nil, false
	}
	var field []byte
	if name, f, ok := bytes.Cut(after, []byte("->")); ok && len(f) > 0 {
		after, field = name, f
	}
	key := append(append(append(make([]byte, 0, len(before)+len(element)+len(after)), before...), element...), after...)
	r, found := s.tx.Get(key)
	if !found {
		return nil, false
	}
	if field != nil {
		h, err := keyspace.Of[*hash.Hash](s.tx, r)
		if err != nil {
			return nil, false
		}
		return h.Get(field, make([]byte, 0, 20))
	}
	str, isString, err := s.tx.StrOf(r)
	if err != nil || !isString && r.Type() != value.TypeString {
		return nil, false
	}
	return str.Bytes(), true
}
