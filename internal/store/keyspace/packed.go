package keyspace

import (
	"github.com/skeindb/skein/internal/data/hash"
	"github.com/skeindb/skein/internal/data/quicklist"
	"github.com/skeindb/skein/internal/data/set"
	"github.com/skeindb/skein/internal/data/value"
	"github.com/skeindb/skein/internal/data/zset"
)

// A collection that is nothing but one listpack or intset of moderate length lies
// packed inside its key's entry, so that there is no Go object for it:
//
//	entry    | head | key | listpack or intset | deadline |
//
// To read it, a Go object is made as a view of the entry; to change it, one of a
// copy, which then replaces the value of the entry. Both come from the scratch of
// the transaction and are used anew with its next command.
//
// A hash whose fields have deadlines and a stream are never packed.

// repackMax is how long a collection that is an object may be to become packed
// again: not every change near inlineMax makes it the one and then the other.
const repackMax = inlineMax / 2

// isPacked tells whether entries of a kind have a packed collection as value.
func isPacked(kind uint8) bool { return kind >= kindList && kind <= kindHash }

// packedTypes and packedEncodings are what packed collections are, from kindList on.
var (
	packedTypes     = [...]value.Type{value.TypeList, value.TypeSet, value.TypeSet, value.TypeZSet, value.TypeHash}
	packedEncodings = [...]string{"listpack", "listpack", "intset", "listpack", "listpack"}
)

// pack returns the listpack or intset that o is, and the kind of an entry that has
// it as value; nil if o is more than that.
func pack(o value.Object) (kind uint8, b []byte) {
	switch o := o.(type) {
	case *quicklist.List:
		return kindList, o.Listpack()
	case *set.Set:
		if is := o.Intset(); is != nil {
			return kindIntset, is
		}
		return kindSet, o.Listpack()
	case *zset.ZSet:
		return kindZSet, o.Listpack()
	case *hash.Hash:
		if o.Volatile() == 0 {
			return kindHash, o.Listpack()
		}
	}
	return 0, nil
}

// packs tells whether o can be packed and then has at most so many bytes.
func packs(o value.Object, most int) bool {
	_, b := pack(o)
	return b != nil && len(b) <= most
}

// hold makes c hold o: packed, if it can be and has at most so many bytes.
func (c *content) hold(o value.Object, most int) {
	if kind, b := pack(o); b != nil && len(b) <= most {
		c.kind, c.bytes = kind, b
		return
	}
	c.kind, c.object = kindObject, o
}

// scratch is where Go objects for packed collections are made.
type scratch struct {
	lists  slots[quicklist.List]
	sets   slots[set.Set]
	zsets  slots[zset.ZSet]
	hashes slots[hash.Hash]
	rooms  slots[[]byte] // copies to be changed
}

// unpack makes a Go object of a packed collection. Shared says that b is not to be
// changed.
func (s *scratch) unpack(kind uint8, b []byte, shared bool) value.Object {
	switch kind {
	case kindList:
		return s.lists.next(quicklist.Packed(b, shared))
	case kindSet:
		return s.sets.next(set.Packed(b, shared))
	case kindIntset:
		return s.sets.next(set.PackedIntegers(b, shared))
	case kindZSet:
		return s.zsets.next(zset.Packed(b, shared))
	default:
		return s.hashes.next(hash.Packed(b, shared))
	}
}

// copy makes a Go object of a copy of a packed collection, and returns the room
// that the copy is in.
func (s *scratch) copy(kind uint8, b []byte) (value.Object, *[]byte) {
	room, n := s.rooms.take(), max(len(b)*3/2, roomLeast) // listpacks leave a room that is twice too large
	if cap(*room) < n {
		*room = make([]byte, 2*n)
	}
	return s.unpack(kind, append((*room)[:0:n], b...), false), room
}

// detach makes an object of scratch one that lasts; its room is not used again.
func (s *scratch) detach(o value.Object, room *[]byte) value.Object {
	*room = nil
	switch o := o.(type) {
	case *quicklist.List:
		c := *o
		return &c
	case *set.Set:
		c := *o
		return &c
	case *zset.ZSet:
		c := *o
		return &c
	case *hash.Hash:
		c := *o
		return &c
	}
	return o
}

// reset ends the use of all that was made.
func (s *scratch) reset() {
	s.lists.reset()
	s.sets.reset()
	s.zsets.reset()
	s.hashes.reset()
	for _, room := range s.rooms.made[:s.rooms.used] {
		if cap(*room) > roomMax {
			*room = nil
		}
	}
	s.rooms.used = 0
	s.rooms.trim()
}

const (
	roomLeast = 512           // bytes
	roomMax   = 4 * inlineMax // the largest room that is kept
	slotsKept = 16            // objects of one type that are kept
)

// slots are values that are used one after the other, and all again after a reset.
type slots[V any] struct {
	made []*V
	used int
}

// next is the next one, which is made to be v.
func (s *slots[V]) next(v V) *V {
	p := s.take()
	*p = v
	return p
}

// take is the next one, as it was left.
func (s *slots[V]) take() *V {
	if s.used == len(s.made) {
		s.made = append(s.made, new(V))
	}
	s.used++
	return s.made[s.used-1]
}

// reset forgets what the values refer to.
func (s *slots[V]) reset() {
	var none V
	for _, v := range s.made[:s.used] {
		*v = none
	}
	s.used = 0
	s.trim()
}

func (s *slots[V]) trim() {
	if len(s.made) > slotsKept {
		clear(s.made[slotsKept:])
		s.made = s.made[:slotsKept]
	}
}

// made is the scratch of the transaction.
func (tx *ReadTx) made() *scratch {
	if tx.scratch == nil {
		tx.scratch = tx.ks.scratches.Get().(*scratch)
	}
	return tx.scratch
}

// clean ends the use of what a command has made.
func (tx *ReadTx) clean() {
	if tx.scratch != nil {
		tx.scratch.reset()
	}
}

// leaveScratch leaves the scratch to other transactions: there are many sessions,
// and few of them at work.
func (tx *ReadTx) leaveScratch() {
	if tx.scratch != nil {
		tx.scratch.reset()
		tx.ks.scratches.Put(tx.scratch)
		tx.scratch = nil
	}
}
