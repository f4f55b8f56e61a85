// Package hash is the hash value: a map of fields to values.
//
//	listpack     field, value, field, value ...     few and short ones: redis's own bytes
//	hashtable    package dict                       beyond the limits; it does not become a listpack again
//
// Fields may have deadlines. They stand in a sorted set beside the hash, which only hashes with such fields have. This
// package does not know the time: a field past its deadline is there until somebody deletes it.
//
// What the methods return are views, good until the next call. None of the arguments may be such a view.
package hash

import (
	"errors"
	"iter"
	"unsafe"

	"github.com/skeindb/skein/internal/data/dict"
	"github.com/skeindb/skein/internal/data/listpack"
	"github.com/skeindb/skein/internal/data/value"
	"github.com/skeindb/skein/internal/data/zset"
)

// Limits are hash-max-listpack-entries and hash-max-listpack-value: fields, and bytes of one field or value.
type Limits struct{ Entries, Value int }

// ErrCorrupt: the listpack has a field without value, or one field twice, or is empty.
var ErrCorrupt = errors.New("hash: corrupt data")

// Hash is a map from fields to values. It is never frozen and changed at once: Freeze makes a copy.
type Hash struct {
	lp     []byte
	shared bool // others have lp too
	dict   *dict.Dict
	due    *zset.ZSet // the fields that have a deadline, by it; nil if none ever had
}

// New returns an empty hash.
func New() *Hash { return &Hash{lp: listpack.New()} }

// Packed is the hash that a listpack is, which is trusted and not copied. Shared says that its bytes belong to others: a
// change then copies them first.
func Packed(lp []byte, shared bool) Hash { return Hash{lp: lp, shared: shared} }

// FromListpack makes a hash of bytes from outside, which it checks and keeps. Limits are what would make a listpack
// of fewer fields a table.
func FromListpack(lp []byte, lim Limits) (*Hash, error) {
	n, err := listpack.Validate(lp)
	if err != nil {
		return nil, err
	}
	if n == 0 || n%2 != 0 {
		return nil, ErrCorrupt
	}
	h := &Hash{lp: lp}
	seen := make(map[string]struct{}, n/2)
	for f, v := range h.All() {
		if _, twice := seen[string(f)]; twice {
			return nil, ErrCorrupt
		}
		seen[string(f)] = struct{}{}
		if len(f) > lim.Value || len(v) > lim.Value {
			n = 2*lim.Entries + 2
		}
	}
	if n/2 > lim.Entries {
		h.convert()
	}
	return h, nil
}

// Type is value.TypeHash.
func (h *Hash) Type() value.Type { return value.TypeHash }

// Encoding is "listpack" or "hashtable".
func (h *Hash) Encoding() string {
	if h.dict != nil {
		return "hashtable"
	}
	return "listpack"
}

// Bytes is the memory of it all.
func (h *Hash) Bytes() int {
	n := int(unsafe.Sizeof(*h)) + cap(h.lp)
	if h.dict != nil {
		n += h.dict.Bytes()
	}
	if h.due != nil {
		n += h.due.Bytes()
	}
	return n
}

// Freeze returns a copy in O(1). Both may go on to change.
func (h *Hash) Freeze() value.Object {
	h.shared = true
	c := *h
	if h.dict != nil {
		c.dict = h.dict.Freeze()
	}
	if h.due != nil {
		c.due = h.due.Freeze().(*zset.ZSet)
	}
	return &c
}

// Listpack is the hash as redis stores it; nil if it is a table. Nobody may change it.
func (h *Hash) Listpack() []byte { return h.lp }

// Len is the number of fields.
func (h *Hash) Len() int {
	if h.dict != nil {
		return h.dict.Len()
	}
	return listpack.Len(h.lp) / 2
}

// Get is the value of a field. A number may be written into scratch.
func (h *Hash) Get(field, scratch []byte) (val []byte, ok bool) {
	if h.dict != nil {
		id, ok := h.dict.Find(field)
		if !ok {
			return nil, false
		}
		return h.dict.Value(id), true
	}
	p := listpack.Find(h.lp, listpack.First(h.lp), field, 1)
	if p == 0 {
		return nil, false
	}
	return view(listpack.Get(h.lp, listpack.Next(h.lp, p)), scratch), true
}

// view is the element as bytes, which for a number are made in scratch.
func view(e listpack.Entry, scratch []byte) []byte {
	if e.IsInt() {
		return e.Append(scratch[:0])
	}
	return e.Str
}

// Prefetch asks the processor for what Has and changes will read of these fields.
func (h *Hash) Prefetch(fields [][]byte) {
	if h.dict != nil {
		var room [64]dict.ID
		h.dict.Prefetch(fields, room[:0])
	}
}

// Has tells whether there is such a field.
func (h *Hash) Has(field []byte) bool {
	if h.dict != nil {
		_, ok := h.dict.Find(field)
		return ok
	}
	return listpack.Find(h.lp, listpack.First(h.lp), field, 1) != 0
}

// Expect makes the hash a table if it is about to get so many fields more, or one field or value that is so long, or so
// many bytes in all: what redis decides for a command as a whole before the first field is set.
func (h *Hash) Expect(fields, longest, total int, lim Limits) {
	if h.dict == nil && (fields > lim.Entries || longest > lim.Value || !listpack.SafeToAdd(h.lp, total)) {
		h.convert()
	}
}

// Set gives a field a value, and tells whether the field is new. A deadline stays as it is; see Persist.
func (h *Hash) Set(field, val []byte, lim Limits) (isNew bool) {
	h.Expect(0, max(len(field), len(val)), len(field)+len(val), lim)
	if h.dict != nil {
		_, isNew = h.dict.Put(field, val)
		return isNew
	}
	h.own()
	if p := listpack.Find(h.lp, listpack.First(h.lp), field, 1); p != 0 {
		h.lp = listpack.Replace(h.lp, listpack.Next(h.lp, p), val)
		return false
	}
	h.lp = listpack.Append(listpack.Append(h.lp, field), val)
	if h.Len() > lim.Entries {
		h.convert()
	}
	return true
}

// Delete removes a field with its deadline, and tells whether it was there.
func (h *Hash) Delete(field []byte) bool {
	h.Persist(field)
	if h.dict != nil {
		return h.dict.Delete(field)
	}
	p := listpack.Find(h.lp, listpack.First(h.lp), field, 1)
	if p == 0 {
		return false
	}
	h.own()
	h.lp = listpack.Delete(h.lp, p, 2)
	return true
}

// At is field and value number i, 0 <= i < Len, in some order: with a random i, a random field.
func (h *Hash) At(i int, scratch []byte) (field, val []byte) {
	if h.dict != nil {
		return h.dict.Get(h.dict.At(i))
	}
	p := listpack.Seek(h.lp, 2*i)
	field = view(listpack.Get(h.lp, p), scratch)
	return field, view(listpack.Get(h.lp, listpack.Next(h.lp, p)), nil)
}

// All yields all fields and values. The hash must not change meanwhile.
func (h *Hash) All() iter.Seq2[[]byte, []byte] {
	return func(yield func(field, val []byte) bool) {
		if h.dict != nil {
			for id := range h.dict.All() {
				if !yield(h.dict.Get(id)) {
					return
				}
			}
			return
		}
		var a, b []byte // memory of numbers
		for p := listpack.First(h.lp); p != 0; p = listpack.Next(h.lp, p) {
			field := listpack.Get(h.lp, p).Text(&a)
			p = listpack.Next(h.lp, p)
			if !yield(field, listpack.Get(h.lp, p).Text(&b)) {
				return
			}
		}
	}
}

// Scan shows about count fields, from where the last call ended; see dict.Dict.Scan. Of a listpack it shows all at once.
func (h *Hash) Scan(cursor uint64, count int, visit func(field, val []byte)) (next uint64) {
	if h.dict != nil {
		return h.dict.Scan(cursor, count, func(id dict.ID) { visit(h.dict.Get(id)) })
	}
	for f, v := range h.All() {
		visit(f, v)
	}
	return 0
}

// own makes the listpack one that may be changed.
func (h *Hash) own() {
	if h.shared {
		h.lp = append([]byte(nil), h.lp...)
		h.shared = false
	}
}

func (h *Hash) convert() {
	d := dict.New()
	for f, v := range h.All() {
		d.Put(f, v)
	}
	h.dict, h.lp, h.shared = d, nil, false
}
