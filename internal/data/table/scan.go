package table

import (
	"math/bits"

	"github.com/skeindb/skein/internal/data/arena"
)

// CursorBits is the width of a scan cursor.
const CursorBits = 48

// Scan shows one bucket's entries to visit and returns the cursor of the next, 0 after the last. Begin
// with 0. fn must not change the table; it may write to the entries.
//
// The order is that of the hashes read from the lowest bit: a bucket is then a contiguous range of
// positions, which a split halves and a merge joins with its neighbour. The cursor is such a position, so
// every entry that is in the table throughout is shown, whatever happens between the calls; some
// may be shown twice.
func (t *Table) Scan(cursor uint64, fn func(arena.Handle)) (next uint64) {
	n := t.n.Load()
	if n == 0 {
		return 0
	}
	i, next := bucketAt(cursor, n)
	b := t.bucket(i)
	for j := range b.count() {
		fn(t.get(b, j).h)
	}
	return next
}

// bucketAt is the bucket that holds a position, in a table of n > 0 buckets, and the position after it.
func bucketAt(cursor, n uint64) (i, next uint64) {
	i = index(bits.Reverse64(cursor<<(64-CursorBits)), n)
	rest := restBits(i, n)
	next = (cursor>>rest + 1) << rest
	return i, next & (1<<CursorBits - 1)
}

// restBits says how many positions bucket i of n has: so many bits of them do not name the bucket.
func restBits(i, n uint64) int {
	used := bits.Len64(n) - 1 // hash bits that name the bucket
	if half := uint64(1) << used; i >= half || i < n-half {
		used++
	}
	return CursorBits - used
}

// Buckets is the number of buckets, 0 while the table has never had an entry.
func (t *Table) Buckets() uint64 { return t.n.Load() }

// ShareOf is the share that a hash belongs to when a table is divided by the n > 0 buckets that it had at some
// time: the bucket, and one of eight bits, for an eighth of it.
func ShareOf(hash, n uint64) (bucket uint64, eighth uint8) {
	return index(hash, n), eighthOf(tagOf(hash))
}

func eighthOf(tag uint8) uint8 { return 1 << (tag & 7) }

// Share shows fn the entries of some eighths of bucket i of n: those that would stand there if the table had n
// buckets, whatever number it has by now. All buckets and eighths together are all entries, each once. It is
// quick while the number is the same, and then reads no entry. fn must not change the table.
func (t *Table) Share(i, n uint64, eighths uint8, fn func(arena.Handle)) {
	buckets := t.n.Load()
	switch {
	case buckets == 0:
		return
	case buckets == n:
		t.show(t.bucket(i), eighths, fn)
		return
	}
	rest := restBits(i, n)
	at := bits.Reverse64(i) >> (64 - CursorBits)
	for end := at + 1<<rest; at < end; {
		j, next := bucketAt(at, buckets)
		if restBits(j, buckets) <= rest {
			t.show(t.bucket(j), eighths, fn)
		} else { // the bucket is merged of several
			t.show(t.bucket(j), eighths, func(h arena.Handle) {
				if index(Hash(t.seed, t.Entry(h).Key()), n) == i {
					fn(h)
				}
			})
		}
		if next <= at {
			return // that was the last position of all
		}
		at = next
	}
}

// show shows some eighths of b to fn, which will read the entries: they are fetched all at once.
func (t *Table) show(b *bucket, eighths uint8, fn func(arena.Handle)) {
	var found [2 * bucketPlaces]arena.Handle
	handles := found[:0]
	for i := range b.count() {
		if p := t.get(b, i); eighthOf(p.tag)&eighths != 0 {
			t.arena.Prefetch(p.h)
			handles = append(handles, p.h)
		}
	}
	for _, h := range handles {
		fn(h)
	}
}

// Random returns an entry, each with the same chance, or 0 if the table is empty. rnd gives
// random 64 bits.
func (t *Table) Random(rnd func() uint64) arena.Handle {
	n := t.n.Load()
	if t.count == 0 {
		return 0
	}
	// A place is drawn among more than a bucket usually has, so that full buckets weigh more.
	const places = 24
	for range 16 * places {
		r := rnd()
		b := t.bucket(r >> 32 * n >> 32)
		if i := int(r & 0xffffffff * places >> 32); i < b.count() {
			return t.get(b, i).h
		}
	}
	// Nearly all buckets are empty: the next entry from somewhere is fair enough.
	i, _ := bucketAt(rnd()>>(64-CursorBits), n)
	for t.bucket(i).count() == 0 {
		i = (i + 1) % n
	}
	return t.get(t.bucket(i), 0).h
}

// Compact moves what lies where the arena wants to be emptied, in some buckets from a cursor on: their
// entries and the parts of the index that hold them. It returns the cursor to continue from, 0 after the last
// bucket. moved, which may be nil, hears of every entry that has a new handle; the old one is still
// readable then. Without memory to move to, things stay where they are.
func (t *Table) Compact(cursor uint64, buckets int, moved func(old, now arena.Handle)) (next uint64) {
	n := t.n.Load()
	if n == 0 {
		return 0
	}
	if cursor == 0 {
		t.compactDirectory()
	}
	for range buckets {
		var i uint64
		i, cursor = bucketAt(cursor, n)
		t.compactSegment(i / segmentBuckets)
		t.compactBucket(t.bucket(i), moved)
		if cursor == 0 {
			break
		}
	}
	return cursor
}
