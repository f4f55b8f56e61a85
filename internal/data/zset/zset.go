// Package zset is the sorted set value: members with scores, in the order of their scores and, where these are equal, of
// the members' bytes.
//
//	listpack     member, score, member, score ... in order: redis's own bytes
//	skiplist     beyond the limits (redis's word; it is none)
//
// The large form has two parts:
//
//	dictionary (package dict)         member -> score
//	order      (package tree)         | score (8 bytes) | number of the entry in the dictionary (4) | ...
//
// Since the tree counts, rank and range by rank are as fast as a look-up, and a range by score or member is two ranks.
// A member lies in memory once. With 16 bytes it costs about 60 in all, where a skip list with a dictionary takes about
// 110. Only to compare members of equal score, and to show them, does the order look into the dictionary.
//
// Freeze is O(1), as it is of both parts.
//
// What the methods return are views, good until the next call. None of the arguments may be such a view. Scores are
// never NaN.
package zset

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"unsafe"

	"github.com/skeindb/skein/internal/data/dict"
	"github.com/skeindb/skein/internal/data/listpack"
	"github.com/skeindb/skein/internal/data/tree"
	"github.com/skeindb/skein/internal/data/value"
)

// Limits are zset-max-listpack-entries and zset-max-listpack-value: members, and bytes of a member.
type Limits struct{ Entries, Value int }

// ZSet is a sorted set.
type ZSet struct {
	lp     []byte
	shared bool // others have lp too
	big    *big
}

// big is the large form.
type big struct {
	dict  *dict.Dict // the value is the score, 8 bytes little endian
	order tree.Tree[place]
}

// place is an item of the order, without padding.
type place struct {
	high, low uint32 // the score, so that it compares as an integer
	id        dict.ID
}

func placeOf(score float64, id dict.ID) place {
	k := sortable(score)
	return place{uint32(k >> 32), uint32(k), id}
}

func (p *place) score() uint64 { return uint64(p.high)<<32 | uint64(p.low) }

// sortable maps scores to integers of the same order; 0 and -0 to the same.
func sortable(score float64) uint64 {
	u := math.Float64bits(score + 0) // -0 + 0 is 0
	if u>>63 != 0 {
		return ^u
	}
	return u | 1<<63
}

// New returns an empty sorted set for a first member of so many bytes and about so many members in all.
func New(expected, firstLen int, lim Limits) *ZSet {
	z := &ZSet{lp: listpack.New()}
	if lim.Entries == 0 || expected > lim.Entries || firstLen > lim.Value {
		z.convert()
	}
	return z
}

// Packed is the sorted set that a listpack is, which is trusted and not copied. Shared says that its bytes belong to
// others: a change then copies them first.
func Packed(lp []byte, shared bool) ZSet { return ZSet{lp: lp, shared: shared} }

// Type is value.TypeZSet.
func (z *ZSet) Type() value.Type { return value.TypeZSet }

// Encoding is "listpack" or "skiplist".
func (z *ZSet) Encoding() string {
	if z.big != nil {
		return "skiplist"
	}
	return "listpack"
}

// Bytes is the memory of it all.
func (z *ZSet) Bytes() int {
	n := int(unsafe.Sizeof(*z)) + cap(z.lp)
	if z.big != nil {
		n += int(unsafe.Sizeof(*z.big)) + z.big.dict.Bytes() + z.big.order.Bytes()
	}
	return n
}

// Freeze returns a copy in O(1). Both may go on to change.
func (z *ZSet) Freeze() value.Object {
	z.shared = true
	c := *z
	if z.big != nil {
		c.big = &big{dict: z.big.dict.Freeze(), order: z.big.order.Freeze()}
	}
	return &c
}

// Listpack is the set as redis stores it; nil in the large form. Nobody may change it.
func (z *ZSet) Listpack() []byte { return z.lp }

// Len is the number of members.
func (z *ZSet) Len() int {
	if z.big != nil {
		return z.big.dict.Len()
	}
	return listpack.Len(z.lp) / 2
}

// Score is the score of a member.
func (z *ZSet) Score(m []byte) (score float64, ok bool) {
	if z.big != nil {
		id, ok := z.big.dict.Find(m)
		if !ok {
			return 0, false
		}
		return z.big.scoreOf(id), true
	}
	p := listpack.Find(z.lp, listpack.First(z.lp), m, 1)
	if p == 0 {
		return 0, false
	}
	return packedScore(z.lp, listpack.Next(z.lp, p)), true
}

// Set gives a member a score, and tells whether the member is new.
func (z *ZSet) Set(m []byte, score float64, lim Limits) (isNew bool) {
	_, was := z.Put(m, score, lim)
	return !was
}

// Put gives a member a score, and tells which it had.
func (z *ZSet) Put(m []byte, score float64, lim Limits) (old float64, was bool) {
	if z.big == nil {
		p := listpack.Find(z.lp, listpack.First(z.lp), m, 1)
		if p != 0 {
			if old = packedScore(z.lp, listpack.Next(z.lp, p)); old != score {
				z.own()
				z.lp = listpack.Delete(z.lp, p, 2)
				z.insert(m, score)
			}
			return old, true
		}
		if z.Len()+1 <= lim.Entries && len(m) <= lim.Value && listpack.SafeToAdd(z.lp, len(m)) {
			z.own()
			z.insert(m, score)
			return 0, false
		}
		z.convert()
	}
	return z.big.put(m, score)
}

// Expect makes the set a large one if it is about to get so many members.
func (z *ZSet) Expect(members int, lim Limits) {
	if z.big == nil && members > lim.Entries {
		z.convert()
	}
}

func (b *big) put(m []byte, score float64) (old float64, was bool) {
	var bits [8]byte
	binary.LittleEndian.PutUint64(bits[:], math.Float64bits(score))
	id, isNew := b.dict.Ensure(m, bits[:])
	if !isNew {
		if old = b.scoreOf(id); old == score {
			return old, true
		}
		b.order.Delete(b.rank(old, id, m))
		b.dict.SetValue(id, bits[:])
	}
	b.order.Insert(b.below(score, m), placeOf(score, id))
	return old, !isNew
}

func (b *big) scoreOf(id dict.ID) float64 {
	return math.Float64frombits(binary.LittleEndian.Uint64(b.dict.Value(id)))
}

// Delete removes a member, and tells whether it was there.
func (z *ZSet) Delete(m []byte) bool {
	if z.big != nil {
		id, ok := z.big.dict.Find(m)
		if ok {
			z.big.order.Delete(z.big.rank(z.big.scoreOf(id), id, m))
			z.big.dict.Delete(m)
		}
		return ok
	}
	p := listpack.Find(z.lp, listpack.First(z.lp), m, 1)
	if p == 0 {
		return false
	}
	z.own()
	z.lp = listpack.Delete(z.lp, p, 2)
	return true
}

// DeleteRange removes n members from rank i on, all of which there are.
func (z *ZSet) DeleteRange(i, n int) {
	if z.big == nil {
		z.own()
		z.lp = listpack.DeleteRange(z.lp, 2*i, 2*n)
		return
	}
	for range n {
		p := z.big.order.Delete(i)
		z.big.dict.Delete(z.big.dict.Key(p.id))
	}
}

// own makes the listpack one that may be changed.
func (z *ZSet) own() {
	if z.shared {
		z.lp = append([]byte(nil), z.lp...)
		z.shared = false
	}
}

func (z *ZSet) convert() {
	b := &big{dict: dict.New()}
	for m, score := range z.Ascend(0) {
		b.append(m, score)
	}
	*z = ZSet{big: b}
}

// Item is a member with its score.
type Item struct {
	Member []byte
	Score  float64
}

// Sort brings items, no member of which is there twice, into the order of a set.
func Sort(items []Item) {
	slices.SortFunc(items, func(a, b Item) int {
		if c := cmp.Compare(a.Score, b.Score); c != 0 {
			return c
		}
		return bytes.Compare(a.Member, b.Member)
	})
}

// Of makes a set of items, which it brings into order: a listpack if they are few and short enough.
func Of(items []Item, lim Limits) *ZSet {
	Sort(items)
	longest, all := 0, 0
	for _, i := range items {
		longest, all = max(longest, len(i.Member)), all+len(i.Member)
	}
	if len(items) > lim.Entries || longest > lim.Value || !listpack.SafeToAdd(nil, all) {
		b := &big{dict: dict.New()}
		for _, i := range items {
			b.append(i.Member, i.Score)
		}
		return &ZSet{big: b}
	}
	z := &ZSet{lp: listpack.New()}
	for _, i := range items {
		z.lp = appendScore(listpack.Append(z.lp, i.Member), i.Score)
	}
	return z
}

// append puts a member behind all others.
func (b *big) append(m []byte, score float64) {
	var bits [8]byte
	binary.LittleEndian.PutUint64(bits[:], math.Float64bits(score))
	id, _ := b.dict.Ensure(m, bits[:])
	b.order.Insert(b.order.Len(), placeOf(score, id))
}

// Pack makes the set a listpack if it is small enough, and no member is longer than longest: what redis does with the
// result of a command that stores one.
func (z *ZSet) Pack(longest int, lim Limits) {
	if z.big == nil || z.Len() > lim.Entries || longest > lim.Value {
		return
	}
	small := &ZSet{lp: listpack.New()}
	for m, score := range z.Ascend(0) {
		small.lp = appendScore(listpack.Append(small.lp, m), score)
	}
	*z = *small
}
