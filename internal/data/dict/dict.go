// Package dict maps keys to values, both byte strings, for large hashes, sets and sorted sets: with few pointers and
// little memory, cursors that miss nothing, and copies for free.
//
// Entries lie in pages of 64, and each has a number that it keeps as long as it lives: by it others refer to an entry,
// as the order of a sorted set does.
//
//	entry number | page | place in the page (6 bits) |
//	page         | 64 ends (2 bytes each) | data: the records, one behind the other, by place |
//	record       | length of the key (1 byte; 254: 2 bytes follow) | key | value |     nothing: the place is free
//	             | 255 | which of the page's long records (1 byte) |                   more than 512 bytes: on their own
//
// The index is one sorted sequence of words (package tree):
//
//	word         | hash of the key (32 bits) | number of the entry (32) |
//
// To find a key is to look for its hash among them, so there are no buckets, nothing is ever rehashed, and neither growth
// nor shrinking has a worst case. A scan goes by ascending hash, which no change of the dictionary changes: its cursor is
// the hash to go on with, and every key that is there all the time comes exactly once. The i-th word is found as fast as
// a key, so drawing a number draws a key, each as likely as any other.
//
// Freeze shares everything; whoever writes then copies a page (some kilobytes) and a way of the index.
//
// A dictionary has at most 2^32 entries of at most 2^32 bytes.
package dict

import (
	"hash/maphash"
	"iter"
	"unsafe"

	"github.com/skeindb/skein/internal/data/tree"
)

// ID is the number of an entry.
type ID uint32

// Dict is a dictionary. Its methods are called under the owner's lock; what Freeze returned may be read beside that.
type Dict struct {
	seed  maphash.Seed
	index tree.Tree[uint64]
	rooms []*room // of roomPages pages each
	own   *token
	ours  *token   // whose rooms is
	pages int      // that there ever were
	holes []uint32 // pages with free places
	mem   int

	recent *recent // nil until the first Prefetch
}

// token tells what a dictionary may change from what it shares; see package tree.
type token struct{ _ byte }

const (
	roomPages = 512
	idBits    = 32
)

// room is a row of pages, so that a frozen dictionary shares even the list of its pages.
type room struct {
	own   *token
	pages []*page
}

// New returns an empty dictionary.
func New() *Dict { return &Dict{seed: maphash.MakeSeed(), mem: int(unsafe.Sizeof(Dict{}))} }

// Len is the number of entries.
func (d *Dict) Len() int { return d.index.Len() }

// Bytes is the memory of it all.
func (d *Dict) Bytes() int { return d.mem + d.index.Bytes() }

// Freeze returns a copy in O(1). Both may go on to change.
func (d *Dict) Freeze() *Dict {
	d.own, d.ours = nil, nil
	c := *d
	c.index = d.index.Freeze()
	c.mem -= 4 * cap(c.holes)
	if c.recent != nil { // whoever reads the copy does so without a lock
		c.recent = nil
		c.mem -= int(unsafe.Sizeof(recent{}))
	}
	c.holes = nil // should the copy grow, it does so in new pages
	return &c
}

func (d *Dict) hash(key []byte) uint64 { return maphash.Bytes(d.seed, key) >> idBits }

// find is lookup that also tells the place in the index: where the key's word is, or belongs.
func (d *Dict) find(hash uint64, key []byte) (at int, id ID, ok bool) {
	at, w, there := d.index.First(func(w *uint64) bool { return *w < hash<<idBits })
	for i := at; there && w>>idBits == hash; w = d.index.At(i) {
		if string(d.Key(ID(w))) == string(key) {
			return i, ID(w), true
		}
		i++
		if there = i < d.index.Len(); !there {
			break
		}
	}
	return at, 0, false
}

// seek is the index of the first word not below want.
func (d *Dict) seek(want uint64) int {
	return d.index.Seek(func(w *uint64) bool { return *w < want })
}

// Key is the key of an entry: a view that is good until the next change.
func (d *Dict) Key(id ID) []byte {
	key, _ := split(d.page(id).record(id))
	return key
}

// Value is the value of an entry: a view that is good until the next change.
func (d *Dict) Value(id ID) []byte {
	_, value := split(d.page(id).record(id))
	return value
}

// Get is both.
func (d *Dict) Get(id ID) (key, value []byte) { return split(d.page(id).record(id)) }

// Put makes key have a value, neither of which may be a view of the dictionary, and tells whether it is new.
func (d *Dict) Put(key, value []byte) (id ID, isNew bool) {
	if id, isNew = d.Ensure(key, value); !isNew {
		d.SetValue(id, value)
	}
	return id, isNew
}

// Ensure is Put that leaves the value of a key that is there as it is.
func (d *Dict) Ensure(key, value []byte) (id ID, isNew bool) {
	hash := d.hash(key)
	if id, ok := d.lookup(hash, key); ok {
		return id, false
	}
	at := d.seek(hash << idBits)
	id = d.place()
	d.write(id, key, value)
	word := hash<<idBits | uint64(id)
	for at < d.index.Len() && d.index.At(at) < word { // others of the same hash
		at++
	}
	d.index.Insert(at, word)
	return id, true
}

// SetValue gives an entry another value, which may not be a view of the dictionary.
func (d *Dict) SetValue(id ID, value []byte) {
	key, old := d.Get(id)
	if len(old) == len(value) {
		if string(old) == string(value) {
			return
		}
		d.mine(id)
		_, old = d.Get(id)
		copy(old, value)
		return
	}
	var scratch [128]byte
	d.write(id, append(scratch[:0], key...), value)
}

// Delete removes a key, and tells whether it was there.
func (d *Dict) Delete(key []byte) bool {
	at, id, ok := d.find(d.hash(key), key)
	if ok {
		d.recent.forget(d.index.Delete(at))
		d.free(id)
	}
	return ok
}

// At is the i-th entry by hash, 0 <= i < Len: with a random i, a random entry.
func (d *Dict) At(i int) ID { return ID(d.index.At(i)) }

// All yields all entries in the order in which they lie in memory.
func (d *Dict) All() iter.Seq[ID] {
	return func(yield func(ID) bool) {
		for i := range d.pages {
			p := d.rooms[i/roomPages].pages[i%roomPages]
			if p == nil {
				continue
			}
			for place := range pagePlaces {
				if from, to := p.span(place); from < to && !yield(ID(i*pagePlaces+place)) {
					return
				}
			}
		}
	}
}

// Scan shows entries to visit, about count of them, beginning where the last call ended: with the cursor that it
// returned, 0 at first. It returns 0 when that was all. Every entry that is there from the first call to the last comes
// exactly once; others at most once each time that they are put in.
func (d *Dict) Scan(cursor uint64, count int, visit func(ID)) (next uint64) {
	if cursor >= 1<<(64-idBits) {
		return 0
	}
	last := uint64(1 << 63) // no hash
	for w := range d.index.Ascend(d.seek(cursor << idBits)) {
		if hash := w >> idBits; hash != last && count <= 0 {
			return hash
		} else {
			last = hash
		}
		visit(ID(w))
		count--
	}
	return 0
}
