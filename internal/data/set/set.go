// Package set is the set value.
//
//	intset       only integers, few: redis's own bytes
//	listpack     few and short members: redis's own bytes
//	hashtable    package dict, with empty values
//
// A set begins as an intset. The first member that is no integer, or is one too many, makes it one of the others; none
// of them goes back by itself.
//
// What the methods return are views, good until the next call. None of the arguments may be such a view.
package set

import (
	"errors"
	"iter"
	"strconv"
	"unsafe"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/data/dict"
	"github.com/skeindb/skein/internal/data/intset"
	"github.com/skeindb/skein/internal/data/listpack"
	"github.com/skeindb/skein/internal/data/value"
)

// Limits are set-max-intset-entries, set-max-listpack-entries and set-max-listpack-value (bytes of a member).
type Limits struct{ Integers, Entries, Value int }

// ErrCorrupt: the listpack has a member twice or none.
var ErrCorrupt = errors.New("set: corrupt data")

// Set is a set of strings.
type Set struct {
	small  []byte // an intset or a listpack
	packed bool   // it is a listpack
	shared bool   // others have it too
	dict   *dict.Dict
}

// New returns an empty set for a first member and about so many others (0: unknown), which decide on its encoding.
func New(first []byte, expected int, lim Limits) *Set {
	if _, ok := resp.ParseInt(first); ok && expected <= lim.Integers {
		return &Set{small: intset.New()}
	}
	if expected <= lim.Entries {
		return &Set{small: listpack.New(), packed: true}
	}
	return &Set{dict: dict.New()}
}

// Packed is the set that a listpack is, which is trusted and not copied. Shared says that its bytes belong to others: a
// change then copies them first.
func Packed(lp []byte, shared bool) Set { return Set{small: lp, packed: true, shared: shared} }

// PackedIntegers is Packed for an intset.
func PackedIntegers(is []byte, shared bool) Set { return Set{small: is, shared: shared} }

// FromIntset makes a set of bytes from outside, which it checks and keeps.
func FromIntset(is []byte, lim Limits) (*Set, error) {
	if err := intset.Validate(is); err != nil {
		return nil, err
	}
	s := &Set{small: is}
	if intset.Len(is) > lim.Integers {
		s.convert()
	}
	return s, nil
}

// FromListpack makes a set of bytes from outside, which it checks and keeps.
func FromListpack(lp []byte, lim Limits) (*Set, error) {
	n, err := listpack.Validate(lp)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, ErrCorrupt
	}
	s := &Set{small: lp, packed: true}
	seen := make(map[string]struct{}, n)
	for m := range s.All() {
		if _, twice := seen[string(m)]; twice {
			return nil, ErrCorrupt
		}
		seen[string(m)] = struct{}{}
		if len(m) > lim.Value {
			n = lim.Entries + 1
		}
	}
	if n > lim.Entries {
		s.convert()
	}
	return s, nil
}

// Type is value.TypeSet.
func (s *Set) Type() value.Type { return value.TypeSet }

// Encoding is "intset", "listpack" or "hashtable".
func (s *Set) Encoding() string {
	switch {
	case s.dict != nil:
		return "hashtable"
	case s.packed:
		return "listpack"
	}
	return "intset"
}

// Bytes is the memory of it all.
func (s *Set) Bytes() int {
	n := int(unsafe.Sizeof(*s)) + cap(s.small)
	if s.dict != nil {
		n += s.dict.Bytes()
	}
	return n
}

// Freeze returns a copy in O(1). Both may go on to change.
func (s *Set) Freeze() value.Object {
	s.shared = true
	c := *s
	if s.dict != nil {
		c.dict = s.dict.Freeze()
	}
	return &c
}

// Intset is the set as redis stores it, if that is its encoding; nobody may change it.
func (s *Set) Intset() []byte {
	if s.packed {
		return nil
	}
	return s.small
}

// Listpack is the set as redis stores it, if that is its encoding; nobody may change it.
func (s *Set) Listpack() []byte {
	if s.packed {
		return s.small
	}
	return nil
}

// Len is the number of members.
func (s *Set) Len() int {
	switch {
	case s.dict != nil:
		return s.dict.Len()
	case s.packed:
		return listpack.Len(s.small)
	}
	return intset.Len(s.small)
}

// Prefetch asks the processor for what Has and changes will read of these members.
func (s *Set) Prefetch(members [][]byte) {
	if s.dict != nil {
		var room [64]dict.ID
		s.dict.Prefetch(members, room[:0])
	}
}

// Has tells whether m is a member.
func (s *Set) Has(m []byte) bool {
	switch {
	case s.dict != nil:
		_, ok := s.dict.Find(m)
		return ok
	case s.packed:
		return listpack.Find(s.small, listpack.First(s.small), m, 0) != 0
	}
	n, ok := resp.ParseInt(m)
	return ok && intset.Has(s.small, n)
}

// Expect makes the set a table if it is about to have so many members.
func (s *Set) Expect(members int, lim Limits) {
	if s.packed && members > lim.Entries || s.dict == nil && !s.packed && members > lim.Integers {
		s.convert()
	}
}

// Add adds m, and tells whether it is new.
func (s *Set) Add(m []byte, lim Limits) bool {
	if s.dict == nil && !s.packed {
		if n, ok := resp.ParseInt(m); ok {
			return s.addInt(n, lim)
		}
		s.leaveIntset(m, lim)
	}
	if s.dict == nil {
		if listpack.Find(s.small, listpack.First(s.small), m, 0) != 0 {
			return false
		}
		if s.Len() < lim.Entries && len(m) <= lim.Value && listpack.SafeToAdd(s.small, len(m)) {
			s.own()
			s.small = listpack.Append(s.small, m)
			return true
		}
		s.convert()
	}
	_, isNew := s.dict.Put(m, nil)
	return isNew
}

func (s *Set) addInt(n int64, lim Limits) (isNew bool) {
	s.own()
	s.small, isNew = intset.Add(s.small, n)
	if s.Len() > min(lim.Integers, intset.MaxLen) {
		s.convert()
	}
	return isNew
}

// leaveIntset makes the set one that can have m, which is no integer.
func (s *Set) leaveIntset(m []byte, lim Limits) {
	n, widest := s.Len(), 0
	if n > 0 {
		widest = max(digits(intset.At(s.small, 0)), digits(intset.At(s.small, n-1)))
	}
	if n >= lim.Entries || len(m) > lim.Value || widest > lim.Value || len(m)+n*(widest+2) > listpack.MaxBytes {
		s.convert()
		return
	}
	lp := listpack.New()
	for v := range intset.All(s.small) {
		lp = listpack.AppendInt(lp, v)
	}
	s.small, s.packed, s.shared = lp, true, false
}

func digits(n int64) int {
	var b [20]byte
	return len(strconv.AppendInt(b[:0], n, 10))
}

// Remove takes m away, and tells whether it was a member.
func (s *Set) Remove(m []byte) (was bool) {
	switch {
	case s.dict != nil:
		return s.dict.Delete(m)
	case s.packed:
		p := listpack.Find(s.small, listpack.First(s.small), m, 0)
		if p == 0 {
			return false
		}
		s.own()
		s.small = listpack.Delete(s.small, p, 1)
		return true
	}
	if n, ok := resp.ParseInt(m); ok && intset.Has(s.small, n) {
		s.own()
		s.small, was = intset.Remove(s.small, n)
	}
	return was
}

// At is member number i, 0 <= i < Len, in some order: with a random i, a random member. A number is written into scratch.
func (s *Set) At(i int, scratch []byte) []byte {
	switch {
	case s.dict != nil:
		return s.dict.Key(s.dict.At(i))
	case s.packed:
		return view(listpack.Get(s.small, listpack.Seek(s.small, i)), scratch)
	}
	return strconv.AppendInt(scratch[:0], intset.At(s.small, i), 10)
}

func view(e listpack.Entry, scratch []byte) []byte {
	if e.IsInt() {
		return e.Append(scratch[:0])
	}
	return e.Str
}

// All yields all members. The set must not change meanwhile.
func (s *Set) All() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		var b []byte // memory of numbers
		switch {
		case s.dict != nil:
			for id := range s.dict.All() {
				if !yield(s.dict.Key(id)) {
					return
				}
			}
		case s.packed:
			for p := listpack.First(s.small); p != 0; p = listpack.Next(s.small, p) {
				if !yield(listpack.Get(s.small, p).Text(&b)) {
					return
				}
			}
		default:
			for n := range intset.All(s.small) {
				if b = strconv.AppendInt(b[:0], n, 10); !yield(b) {
					return
				}
			}
		}
	}
}

// Scan shows about count members, from where the last call ended; see dict.Dict.Scan. Of a small set it shows all at once.
func (s *Set) Scan(cursor uint64, count int, visit func(m []byte)) (next uint64) {
	if s.dict != nil {
		return s.dict.Scan(cursor, count, func(id dict.ID) { visit(s.dict.Key(id)) })
	}
	for m := range s.All() {
		visit(m)
	}
	return 0
}

// Integers makes a set of nothing but integers an intset, if it is not too large: redis does so with the result of
// SINTER and its kin. It does nothing to others.
func (s *Set) Integers(lim Limits) {
	if s.Encoding() == "intset" || s.Len() > min(lim.Integers, intset.MaxLen) {
		return
	}
	is := intset.New()
	for m := range s.All() {
		n, ok := resp.ParseInt(m)
		if !ok {
			return
		}
		is, _ = intset.Add(is, n)
	}
	*s = Set{small: is}
}

// own makes the small form one that may be changed.
func (s *Set) own() {
	if s.shared {
		s.small = append([]byte(nil), s.small...)
		s.shared = false
	}
}

func (s *Set) convert() {
	d := dict.New()
	for m := range s.All() {
		d.Put(m, nil)
	}
	*s = Set{dict: d}
}
