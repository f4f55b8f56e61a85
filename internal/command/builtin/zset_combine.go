package builtin

import (
	"iter"
	"math"
	"slices"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/set"
	"github.com/skeindb/skein/internal/data/value"
	"github.com/skeindb/skein/internal/data/zset"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func zsetCombineSpecs() []*command.Spec {
	return []*command.Spec{{
		Name: "zunion", Group: "sorted-set", Since: "6.2.0",
		Summary:    "Lists the members of any of several sorted sets.",
		Complexity: "O(N)+O(M*log(M)) with N being the sum of the sizes of the input sorted sets, and M being the number of elements in the resulting sorted set.",
		Arity:      -3, Flags: command.ReadOnly,
		Keys: []command.KeySpec{
			{Flags: command.KeyRO | command.KeyAccess, Index: 1, NumKeys: true, KeyNum: 0, FirstKey: 1},
		},
		Usage: "numkeys:integer key... [WEIGHTS weight:integer...] [AGGREGATE <SUM | MIN | MAX>] [WITHSCORES]",
		Read:  func(c *command.Call, tx *keyspace.ReadTx) { zcombine(c, tx, zunion) },
	}, {
		Name: "zinter", Group: "sorted-set", Since: "6.2.0",
		Summary:    "Lists the members that several sorted sets have in common.",
		Complexity: "O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being the number of input sorted sets and M being the number of elements in the resulting sorted set.",
		Arity:      -3, Flags: command.ReadOnly,
		Keys: []command.KeySpec{
			{Flags: command.KeyRO | command.KeyAccess, Index: 1, NumKeys: true, KeyNum: 0, FirstKey: 1},
		},
		Usage: "numkeys:integer key... [WEIGHTS weight:integer...] [AGGREGATE <SUM | MIN | MAX>] [WITHSCORES]",
		Read:  func(c *command.Call, tx *keyspace.ReadTx) { zcombine(c, tx, zinter) },
	}, {
		Name: "zdiff", Group: "sorted-set", Since: "6.2.0",
		Summary:    "Lists the members of a sorted set that others do not have.",
		Complexity: "O(L + (N-K)log(N)) worst case where L is the total number of elements in all the sets, N is the size of the first set, and K is the size of the result set.",
		Arity:      -3, Flags: command.ReadOnly,
		Keys: []command.KeySpec{
			{Flags: command.KeyRO | command.KeyAccess, Index: 1, NumKeys: true, KeyNum: 0, FirstKey: 1},
		},
		Usage: "numkeys:integer key... [WITHSCORES]",
		Read:  func(c *command.Call, tx *keyspace.ReadTx) { zcombine(c, tx, zdiff) },
	}, {
		Name: "zintercard", Group: "sorted-set", Since: "7.0.0",
		Summary:    "Counts the members that several sorted sets have in common.",
		Complexity: "O(N*K) worst case with N being the smallest input sorted set, K being the number of input sorted sets.",
		Arity:      -3, Flags: command.ReadOnly,
		Keys: []command.KeySpec{
			{Flags: command.KeyRO | command.KeyAccess, Index: 1, NumKeys: true, KeyNum: 0, FirstKey: 1},
		},
		Usage: "numkeys:integer key... [LIMIT limit:integer]",
		Read:  zinterCard,
	}, {
		Name: "zunionstore", Group: "sorted-set", Since: "2.0.0",
		Summary:    "Stores the members of any of several sorted sets at a key.",
		Complexity: "O(N)+O(M log(M)) with N being the sum of the sizes of the input sorted sets, and M being the number of elements in the resulting sorted set.",
		Arity:      -4, Flags: command.Write | command.DenyOOM,
		Keys: []command.KeySpec{
			{Flags: command.KeyOW | command.KeyUpdate, Index: 1},
			{Flags: command.KeyRO | command.KeyAccess, Index: 2, NumKeys: true, KeyNum: 0, FirstKey: 1},
		},
		Usage: "destination:key numkeys:integer key... [WEIGHTS weight:integer...] [AGGREGATE <SUM | MIN | MAX>]",
		Write: func(c *command.Call, tx *keyspace.WriteTx) { zcombineStore(c, tx, zunion) },
	}, {
		Name: "zinterstore", Group: "sorted-set", Since: "2.0.0",
		Summary:    "Stores the members that several sorted sets have in common at a key.",
		Complexity: "O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being the number of input sorted sets and M being the number of elements in the resulting sorted set.",
		Arity:      -4, Flags: command.Write | command.DenyOOM,
		Keys: []command.KeySpec{
			{Flags: command.KeyOW | command.KeyUpdate, Index: 1},
			{Flags: command.KeyRO | command.KeyAccess, Index: 2, NumKeys: true, KeyNum: 0, FirstKey: 1},
		},
		Usage: "destination:key numkeys:integer key... [WEIGHTS weight:integer...] [AGGREGATE <SUM | MIN | MAX>]",
		Write: func(c *command.Call, tx *keyspace.WriteTx) { zcombineStore(c, tx, zinter) },
	}, {
		Name: "zdiffstore", Group: "sorted-set", Since: "6.2.0",
		Summary:    "Stores the members of a sorted set that others do not have at a key.",
		Complexity: "O(L + (N-K)log(N)) worst case where L is the total number of elements in all the sets, N is the size of the first set, and K is the size of the result set.",
		Arity:      -4, Flags: command.Write | command.DenyOOM,
		Keys: []command.KeySpec{
			{Flags: command.KeyOW | command.KeyUpdate, Index: 1},
			{Flags: command.KeyRO | command.KeyAccess, Index: 2, NumKeys: true, KeyNum: 0, FirstKey: 1},
		},
		Usage: "destination:key numkeys:integer key...",
		Write: func(c *command.Call, tx *keyspace.WriteTx) { zcombineStore(c, tx, zdiff) },
	}}
}

// zop is how sets are combined.
type zop uint8

const (
	zunion zop = iota
	zinter
	zdiff
)

var zstoreEvents = [...]string{zunion: "zunionstore", zinter: "zinterstore", zdiff: "zdiffstore"}

// aggregate is what becomes of a member's several scores.
type aggregate uint8

const (
	aggregateSum aggregate = iota
	aggregateMin
	aggregateMax
)

// of is a and b together. Infinities of both signs make 0.
func (g aggregate) of(a, b float64) float64 {
	switch {
	case g == aggregateMin && b < a, g == aggregateMax && b > a:
		return b
	case g != aggregateSum:
		return a
	}
	return orZero(a + b)
}

func orZero(f float64) float64 {
	if math.IsNaN(f) {
		return 0
	}
	return f
}

// zsource is one of the sets to be combined: a sorted set, or a set whose members all
// have score 1, or neither.
type zsource struct {
	z      *zset.ZSet
	s      *set.Set
	weight float64
}

// find looks up a source.
func (s *zsource) find(tx *keyspace.ReadTx, key []byte) (err error) {
	r, ok := tx.Get(key)
	switch {
	case !ok:
		return nil
	case r.Type() == value.TypeSet:
		s.s, err = keyspace.Of[*set.Set](tx, r)
	default:
		s.z, err = keyspace.Of[*zset.ZSet](tx, r)
	}
	return err
}

func (s *zsource) len() int {
	switch {
	case s.z != nil:
		return s.z.Len()
	case s.s != nil:
		return s.s.Len()
	}
	return 0
}

// score is the score of a member, without the weight.
func (s *zsource) score(m []byte) (score float64, ok bool) {
	switch {
	case s.z != nil:
		return s.z.Score(m)
	case s.s != nil:
		return 1, s.s.Has(m)
	}
	return 0, false
}

// all yields the members with their scores, without the weight.
func (s *zsource) all() iter.Seq2[[]byte, float64] {
	if s.z != nil {
		return s.z.Ascend(0)
	}
	return func(yield func([]byte, float64) bool) {
		if s.s == nil {
			return
		}
		for m := range s.s.All() {
			if !yield(m, 1) {
				return
			}
		}
	}
}

// zcombination is what the commands take.
type zcombination struct {
	op         zop
	sources    []zsource
	aggregate  aggregate
	withScores bool
	limit      int64 // of ZINTERCARD; 0: none
}

// read reads the arguments from the number of keys on, and finds the keys.
func (z *zcombination) read(c *command.Call, tx *keyspace.ReadTx, at int, store, count bool) error {
	a := c.Parse(at)
	keys := a.Int()
	switch {
	case a.Err() != nil:
		return a.Err()
	case keys < 1:
		return command.Error("ERR at least 1 input key is needed for '" + c.Spec.FullName() + "' command")
	case keys > int64(a.Left()):
		return command.Error(command.ErrSyntax)
	}
	z.sources = make([]zsource, keys)
	for i := range z.sources {
		z.sources[i].weight = 1
		if err := z.sources[i].find(tx, a.Next()); err != nil {
			return err
		}
	}
	for a.More() {
		switch weighs := z.op != zdiff && !count; {
		case weighs && a.IsWith("WEIGHTS", int(keys)):
			for i := range z.sources {
				z.sources[i].weight = floatOr(&a, "ERR weight value is not a float")
			}
		case weighs && a.IsWith("AGGREGATE", 1):
			if by := a.OneOf("SUM", "MIN", "MAX"); by >= 0 {
				z.aggregate = aggregate(by)
			} else {
				a.Syntax()
			}
		case !store && !count && a.Is("WITHSCORES"):
			z.withScores = true
		case count && a.IsWith("LIMIT", 1):
			z.limit = a.IntOr(0, math.MaxInt64, "ERR LIMIT can't be negative")
		default:
			a.Syntax()
		}
	}
	return a.Err()
}

// floatOr is a.Float with another error.
func floatOr(a *command.Args, or command.Error) float64 {
	f, ok := command.ParseFloat(a.Next())
	if !ok {
		a.Fail(or)
	}
	return f
}

// result is the combination, in no order.
func (z *zcombination) result() []zset.Item {
	var l zlist
	switch z.op {
	case zinter:
		z.eachCommon(func(m []byte, score float64) bool {
			l.add(m, score)
			return true
		})
	case zunion:
		z.sort()
		z.union(&l)
	default:
		for m, score := range z.sources[0].all() {
			if !z.inOthers(m) {
				l.add(m, score)
			}
		}
	}
	return l.items
}

// sort puts small sets first, which decides in which order scores are added.
func (z *zcombination) sort() {
	slices.SortStableFunc(z.sources, func(a, b zsource) int { return a.len() - b.len() })
}

// inOthers tells whether any source but the first has m.
func (z *zcombination) inOthers(m []byte) bool {
	for i := range z.sources[1:] {
		if _, ok := z.sources[1+i].score(m); ok {
			return true
		}
	}
	return false
}

// eachCommon shows what all sources have, until visit has enough.
func (z *zcombination) eachCommon(visit func(m []byte, score float64) bool) {
	z.sort()
members:
	for m, score := range z.sources[0].all() {
		score = orZero(score * z.sources[0].weight)
		for i := range z.sources[1:] {
			s := &z.sources[1+i]
			other, ok := s.score(m)
			if !ok {
				continue members
			}
			score = z.aggregate.of(score, other*s.weight)
		}
		if !visit(m, score) {
			return
		}
	}
}

// union gathers what any source has.
func (z *zcombination) union(l *zlist) {
	if len(z.sources) == 1 {
		for m, score := range z.sources[0].all() {
			l.add(m, orZero(score*z.sources[0].weight))
		}
		return
	}
	places := make(map[string]int, z.sources[len(z.sources)-1].len())
	for i := range z.sources {
		s := &z.sources[i]
		for m, score := range s.all() {
			score = orZero(score * s.weight)
			if at, ok := places[string(m)]; ok {
				l.items[at].Score = z.aggregate.of(l.items[at].Score, score)
				continue
			}
			places[string(m)] = len(l.items)
			l.add(m, score)
		}
	}
}

// zlist gathers members, of which it keeps copies.
type zlist struct {
	items []zset.Item
	room  []byte
}

func (l *zlist) add(m []byte, score float64) {
	from := len(l.room)
	l.room = append(l.room, m...)
	l.items = append(l.items, zset.Item{Member: l.room[from:len(l.room):len(l.room)], Score: score})
}

// zcombine is ZUNION, ZINTER and ZDIFF.
func zcombine(c *command.Call, tx *keyspace.ReadTx, op zop) {
	z := zcombination{op: op}
	if err := z.read(c, tx, 1, false, false); err != nil {
		c.Fail(err)
		return
	}
	items := z.result()
	zset.Sort(items)
	membersHead(c.Out, len(items), z.withScores)
	for _, i := range items {
		replyMember(c.Out, i.Member, i.Score, z.withScores)
	}
}

// zcombineStore is ZUNIONSTORE, ZINTERSTORE and ZDIFFSTORE.
func zcombineStore(c *command.Call, tx *keyspace.WriteTx, op zop) {
	z := zcombination{op: op}
	if err := z.read(c, &tx.ReadTx, 2, true, false); err != nil {
		c.Fail(err)
		return
	}
	storeZSet(c, tx, c.Args[1], z.result(), zstoreEvents[op])
}

func zinterCard(c *command.Call, tx *keyspace.ReadTx) {
	z := zcombination{op: zinter}
	if err := z.read(c, tx, 1, false, true); err != nil {
		c.Fail(err)
		return
	}
	n := int64(0)
	z.eachCommon(func([]byte, float64) bool {
		n++
		return n != z.limit
	})
	c.Out.Int(n)
}
