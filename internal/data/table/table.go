// Package table is the hash table of the keyspace: one per database and slot. Its buckets and its
// entries live in an arena, so the garbage collector sees nothing of them.
//
// # Growth
//
// Linear hashing: the table has any number of buckets; an insert beyond the load splits one of them in
// two and a delete below it merges two, so that nothing is ever rehashed as a whole and the worst case
// of one operation is small. With 2^L <= buckets < 2^(L+1), a key belongs to the bucket named by the low
// L+1 bits of its hash or, if that bucket does not exist yet, by the low L bits.
//
// # Bucket
//
// A bucket is a cache line. Its entries stand without gaps; beyond ten of them, the last place links
// to an overflow block of m places, which holds all but the first nine.
//
//	bucket     | 10 tags | count (2 bytes) | m (2 bytes) | 10 handles of 5 bytes |    64 bytes
//	overflow   | m tags | m handles of 5 bytes |           6m bytes, m a multiple of 4
//
// A tag is one byte of the hash, never 0; unused places have tag 0. So a look-up compares all tags at
// once and nearly always touches only the bucket and the entry it seeks.
//
// # Directory
//
// Buckets lie in segments of eight; the last segment has 1, 2, 4 or 8. The handles of up to 4096 segments
// are one list; beyond, every 4096 are a page and the pages are the list. The first eight words of a list
// lie in the table itself, where they cost a look-up no further cache miss; a longer list lies in the arena.
//
// # Entry
//
//	byte 0     bits 0-3 kind (the owner's), bit 4 has expiry, bits 5-7 zero
//	bytes 1-3  access clock (the owner's), little endian
//	byte 4     length of the key; 255: the length follows the head in 4 bytes
//	bytes 5-6  length of the value
//	then       [4 bytes of key length] key, value, [8 bytes of expiry, ms since 1970]
//
// A key of 16 bytes with a value of 32 takes 55 bytes, in a place of 56. A value too large to be inline
// is the owner's business: its kind says that the value bytes are a reference.
//
// # Locks
//
// A table belongs to its owner's lock, except PrefetchBucket and PrefetchEntry: they may be called at
// any time by anyone.
package table

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"sync/atomic"

	"github.com/skeindb/skein/internal/data/arena"
)

// Table is a hash table from keys to entries in an arena. Call Init before use; an empty table
// occupies no memory but itself. It is as large as two cache lines, so that Go places it on two.
type Table struct {
	arena *arena.Arena
	seed  maphash.Seed
	n     atomic.Uint64            // buckets
	root  atomic.Uint64            // of the directory: a handle, far and paged
	near  [nearWords]atomic.Uint64 // the list, if it is not far: handles
	count int                      // entries
	mem   int                      // bytes of the index in the arena
	_     [16]byte
}

// Init makes t an empty table in arena a. The seed must be the one that its hashes are made with.
func (t *Table) Init(a *arena.Arena, seed maphash.Seed) {
	t.arena, t.seed = a, seed
}

// Hash is the hash of a key. All tables of a process may share one random seed.
func Hash(seed maphash.Seed, key []byte) uint64 { return maphash.Bytes(seed, key) }

// Len is the number of entries.
func (t *Table) Len() int { return t.count }

// Memory is the size of the index in the arena in bytes, without the entries.
func (t *Table) Memory() int { return t.mem }

// Entry is the entry at h.
func (t *Table) Entry(h arena.Handle) Entry { return At(t.arena, h) }

// Find returns the entry with the given key, 0 if there is none.
func (t *Table) Find(hash uint64, key []byte) arena.Handle {
	n := t.n.Load()
	if n == 0 {
		return 0
	}
	b := t.bucket(index(hash, n))
	tag := tagOf(hash)
	for m := b.match(tag); m != 0; m &= m - 1 {
		if h := b.handle(placeOf(m)); holds(t.arena, h, key) {
			return h
		}
	}
	if !b.overflows() {
		return 0
	}
	o := t.overflow(b)
	for i := o.next(tag, 0); i >= 0; i = o.next(tag, i+1) {
		if h := o.handle(i); holds(t.arena, h, key) {
			return h
		}
	}
	return 0
}

// FindHash returns the first entry that may have the given hash, going by its tag, and that match
// accepts; 0 if there is none.
func (t *Table) FindHash(hash uint64, match func(arena.Handle) bool) arena.Handle {
	n := t.n.Load()
	if n == 0 {
		return 0
	}
	b, tag := t.bucket(index(hash, n)), tagOf(hash)
	for i := range b.count() {
		if p := t.get(b, i); p.tag == tag && match(p.h) {
			return p.h
		}
	}
	return 0
}

// Insert adds entry h, whose key must not be in the table. On arena.ErrFull nothing has changed.
func (t *Table) Insert(hash uint64, h arena.Handle) error {
	if t.n.Load() == 0 {
		if err := t.grow(0); err != nil {
			return err
		}
	}
	if err := t.add(t.bucket(index(hash, t.n.Load())), place{tagOf(hash), h}); err != nil {
		return err
	}
	t.count++
	if t.count > t.splitAbove() {
		// Without memory for a split the bucket overflows instead.
		_ = t.split()
	}
	return nil
}

// Replace puts entry h in the place of old, which has the same key. It reports whether old was there.
func (t *Table) Replace(hash uint64, old, h arena.Handle) bool {
	b, i := t.locate(hash, old)
	if b == nil {
		return false
	}
	t.set(b, i, place{tagOf(hash), h})
	return true
}

// Delete takes entry h out of the table and reports whether it was there. The entry stays
// allocated; Free gives it back.
func (t *Table) Delete(hash uint64, h arena.Handle) bool {
	b, i := t.locate(hash, h)
	if b == nil {
		return false
	}
	t.remove(b, i)
	t.count--
	if t.count < t.mergeBelow() || t.count == 0 {
		// Without memory for a merge the table stays larger than it need be.
		_ = t.merge()
	}
	return true
}

// Drop empties the table and frees its entries and its index. Each entry is shown to visit, which may
// be nil, before it is freed.
func (t *Table) Drop(visit func(arena.Handle)) {
	for i := range t.n.Load() {
		b := t.bucket(i)
		for j := range b.count() {
			h := t.get(b, j).h
			if visit != nil {
				visit(h)
			}
			Free(t.arena, h)
		}
		t.freeBlock(b.block())
	}
	t.freeIndex()
	t.count = 0
}

// splitAbove is the number of entries beyond which a bucket is split: 8 per bucket on average, which
// costs the least memory without long overflows.
func (t *Table) splitAbove() int {
	if n := int(t.n.Load()); n > 1 {
		return 8 * n
	}
	return bucketPlaces
}

// mergeBelow is the number of entries under which two buckets are merged, far enough from
// splitAbove that a table does not swing between the two.
func (t *Table) mergeBelow() int { return 6 * (int(t.n.Load()) - 1) }

// index is the bucket of a hash in a table of n buckets.
func index(hash, n uint64) uint64 {
	mask := uint64(1)<<bits.Len64(n) - 1
	if i := hash & mask; i < n {
		return i
	}
	return hash & (mask >> 1)
}

// tagOf takes the bits that no table is large enough to use for the bucket.
func tagOf(hash uint64) uint8 { return uint8(max(hash>>56, 1)) }

// locate finds the place of entry h: its bucket, nil if it is not there, and its number.
func (t *Table) locate(hash uint64, h arena.Handle) (*bucket, int) {
	n := t.n.Load()
	if n == 0 {
		return nil, 0
	}
	b := t.bucket(index(hash, n))
	tag := tagOf(hash)
	for m := b.match(tag); m != 0; m &= m - 1 {
		if i := placeOf(m); b.handle(i) == h {
			return b, i
		}
	}
	if b.overflows() {
		o := t.overflow(b)
		for i := o.next(tag, 0); i >= 0; i = o.next(tag, i+1) {
			if o.handle(i) == h {
				return b, linkPlace + i
			}
		}
	}
	return nil, 0
}

// holds tells whether the entry at h has the given key.
func holds(a *arena.Arena, h arena.Handle, key []byte) bool {
	at := headBytes
	if len(key) >= longKey {
		at += 4
		if a.Line(h)[4] != longKey || int(binary.LittleEndian.Uint32(a.Line(h)[headBytes:])) != len(key) {
			return false
		}
	} else if int(a.Line(h)[4]) != len(key) {
		return false
	}
	return string(a.Bytes(h, at+len(key))[at:]) == string(key)
}
