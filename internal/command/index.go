package command

import (
	"encoding/binary"
	"math/bits"
)

// index finds Specs by name in any case. It is an open-addressed hash table at
// most a quarter full, so a look-up mostly costs one hash and one comparison.
// It does not change once built, and any number of goroutines may read it.
type index struct {
	entries []indexEntry // a power of two
	shift   int          // the hash's top bits number the entries
}

type indexEntry struct {
	key  nameKey
	name string // lower case; "" only for a free entry
	spec *Spec
}

// newIndex builds an index of the names, which are in lower case.
func newIndex(names map[string]*Spec) *index {
	size := 4
	for size < 4*len(names) {
		size *= 2
	}
	x := &index{entries: make([]indexEntry, size), shift: 64 - bits.Len(uint(size-1))}
	for name, spec := range names {
		key := keyOf([]byte(name))
		i := x.home(key)
		for x.entries[i].name != "" {
			i = (i + 1) % size
		}
		x.entries[i] = indexEntry{key, name, spec}
	}
	return x
}

// find returns the Spec called name, or nil. It does not allocate.
func (x *index) find(name []byte) *Spec {
	key := keyOf(name)
	for i := x.home(key); ; i = (i + 1) & (len(x.entries) - 1) {
		e := &x.entries[i]
		if e.key == key && (len(name) <= wholeName || equalFold(name, e.name)) || e.name == "" {
			return e.spec
		}
	}
}

// home is the entry at which the search for key begins.
func (x *index) home(key nameKey) int {
	h := (key.head ^ uint64(key.len)) * 0x9e3779b97f4a7c15
	return int((h ^ key.tail) * 0xff51afd7ed558ccd >> x.shift)
}

// nameKey is a name in lower case, as two machine words: its first and its last
// eight bytes. Up to wholeName bytes that is all of it.
type nameKey struct {
	head, tail uint64
	len        int
}

const wholeName = 16

func keyOf(name []byte) nameKey {
	n := len(name)
	k := nameKey{len: n}
	switch {
	case n >= 8:
		k.head = binary.LittleEndian.Uint64(name)
		k.tail = lowerWord(binary.LittleEndian.Uint64(name[n-8:]))
	case n >= 4:
		k.head = uint64(binary.LittleEndian.Uint32(name)) | uint64(binary.LittleEndian.Uint32(name[n-4:]))<<32
	case n > 0:
		k.head = uint64(name[0]) | uint64(name[n/2])<<8 | uint64(name[n-1])<<16
	}
	k.head = lowerWord(k.head)
	return k
}

// lowerWord is lower for eight bytes at once. Bit 7 of a byte of above is set
// from 'A' on and of beyond behind 'Z'; carries never leave their byte.
func lowerWord(w uint64) uint64 {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	above := w&^tops + ones*(0x80-'A')
	beyond := w&^tops + ones*(0x80-'Z'-1)
	return w | (above^beyond)&tops&^w>>2
}
