package table

import (
	"encoding/binary"
	"math/bits"

	"github.com/skeindb/skein/internal/data/arena"
)

const (
	segmentBuckets = 8
	pageShift      = 12 // segments in a directory page
	pageSegments   = 1 << pageShift
	pageBytes      = 8 * pageSegments

	nearWords = 8 // of a list that lies in the table itself

	// Of the root word, beside the handle of a list in the arena.
	far        = 1 << 40 // there is one: the list does not lie in Table.near
	paged      = 1 << 41 // the list is one of directory pages, not of segments
	handleMask = far - 1
)

// bucket is bucket i of those that exist.
func (t *Table) bucket(i uint64) *bucket {
	return (*bucket)(t.arena.Line(t.segment(i/segmentBuckets) + arena.Handle(i%segmentBuckets*bucketUnits)))
}

// segment is the handle of segment s.
func (t *Table) segment(s uint64) arena.Handle {
	root := t.root.Load()
	if root&paged == 0 {
		return t.listed(root, s)
	}
	return t.word(t.listed(root, s>>pageShift), s%pageSegments)
}

// setSegment changes the handle of segment s.
func (t *Table) setSegment(s uint64, h arena.Handle) {
	root := t.root.Load()
	if root&paged == 0 {
		t.setListed(root, s, h)
		return
	}
	t.setWord(t.listed(root, s>>pageShift), s%pageSegments, h)
}

// listed is word i of the list that root names.
func (t *Table) listed(root, i uint64) arena.Handle {
	if root&far == 0 {
		return arena.Handle(t.near[i%nearWords].Load())
	}
	return t.word(arena.Handle(root&handleMask), i)
}

func (t *Table) setListed(root, i uint64, h arena.Handle) {
	if root&far == 0 {
		t.near[i].Store(uint64(h))
		return
	}
	t.setWord(arena.Handle(root&handleMask), i, h)
}

// word is handle i of the directory at dir.
func (t *Table) word(dir arena.Handle, i uint64) arena.Handle {
	return arena.Handle(binary.LittleEndian.Uint64(t.arena.Line(dir + arena.Handle(i))[:8]))
}

func (t *Table) setWord(dir arena.Handle, i uint64, h arena.Handle) {
	binary.LittleEndian.PutUint64(t.arena.Line(dir + arena.Handle(i))[:8], uint64(h))
}

// segmentBytes is the size of segment s in a table of n buckets.
func (t *Table) segmentBytes(s, n uint64) int {
	used := min(n-s*segmentBuckets, segmentBuckets)
	return bucketBytes << bits.Len64(used-1)
}

// grow adds an empty bucket to the n there are. On an error nothing has changed.
func (t *Table) grow(n uint64) error {
	s, i := n/segmentBuckets, n%segmentBuckets
	if i&(i-1) == 0 { // the segment is new or full
		h, err := t.alloc(t.segmentBytes(s, n+1))
		if err != nil {
			return err
		}
		if i > 0 {
			t.moveSegment(s, h, int(i)*bucketBytes, t.segmentBytes(s, n))
		} else if err := t.addSegment(s, h); err != nil {
			t.free(h, t.segmentBytes(s, n+1))
			return err
		}
	}
	*t.bucket(n) = bucket{}
	t.n.Store(n + 1)
	return nil
}

// shrink removes the last of n buckets, n > 1, whose entries have gone elsewhere. On an error nothing
// has changed.
func (t *Table) shrink(n uint64) error {
	s, i := (n-1)/segmentBuckets, (n-1)%segmentBuckets
	switch {
	case i == 0:
		h := t.segment(s)
		if err := t.dropSegment(s); err != nil {
			return err
		}
		t.free(h, t.segmentBytes(s, n))
	case i&(i-1) == 0:
		h, err := t.alloc(t.segmentBytes(s, n-1))
		if err != nil {
			return err
		}
		t.moveSegment(s, h, int(i)*bucketBytes, t.segmentBytes(s, n))
	}
	t.n.Store(n - 1)
	return nil
}

// moveSegment copies the used bytes of segment s to h and frees the old size.
func (t *Table) moveSegment(s uint64, h arena.Handle, used, oldSize int) {
	old := t.segment(s)
	copy(t.arena.Bytes(h, used), t.arena.Bytes(old, used))
	t.setSegment(s, h)
	t.free(old, oldSize)
}

// addSegment appends segment h to the s segments there are.
func (t *Table) addSegment(s uint64, h arena.Handle) error {
	switch {
	case s < pageSegments:
		return t.push(s, h)
	case s%pageSegments > 0:
		t.setSegment(s, h)
		return nil
	}
	page, err := t.alloc(pageBytes)
	if err != nil {
		return err
	}
	t.setWord(page, 0, h)
	if s == pageSegments { // the list there is becomes the first page
		t.near[0].Store(t.root.Load() & handleMask)
		t.root.Store(paged)
	}
	if err := t.push(s>>pageShift, page); err != nil {
		t.free(page, pageBytes)
		return err
	}
	return nil
}

// dropSegment removes the last segment, which is s > 0, from the directory.
func (t *Table) dropSegment(s uint64) error {
	switch {
	case s < pageSegments:
		return t.pop(s + 1)
	case s%pageSegments > 0:
		return nil
	}
	pages := s >> pageShift
	page := t.listed(t.root.Load(), pages)
	if err := t.pop(pages + 1); err != nil {
		return err
	}
	t.free(page, pageBytes)
	if pages == 1 { // the page that is left is the list
		t.root.Store(far | t.near[0].Load())
	}
	return nil
}

// freeDirectory frees what leads to the given number of segments.
func (t *Table) freeDirectory(segments uint64) {
	root, words := t.root.Load(), segments
	t.root.Store(0)
	if root&paged != 0 {
		words = (segments + pageSegments - 1) >> pageShift
		for i := range words {
			t.free(t.listed(root, i), pageBytes)
		}
	}
	if root&far != 0 {
		t.free(arena.Handle(root&handleMask), int(8*words))
	}
}

// push appends a word to the list, which has n.
func (t *Table) push(n uint64, word arena.Handle) error {
	if n < nearWords {
		t.near[n].Store(uint64(word))
		return nil
	}
	root := t.root.Load()
	list, err := t.resize(root, n, n+1)
	if err != nil {
		return err
	}
	t.setWord(list, n, word)
	t.root.Store(root&paged | far | uint64(list))
	return nil
}

// pop removes the last of the n > 1 words of the list.
func (t *Table) pop(n uint64) error {
	if n <= nearWords {
		return nil
	}
	root := t.root.Load()
	if n-1 > nearWords {
		list, err := t.resize(root, n, n-1)
		if err == nil {
			t.root.Store(root&paged | far | uint64(list))
		}
		return err
	}
	for i := range t.near {
		t.near[i].Store(uint64(t.listed(root, uint64(i))))
	}
	t.root.Store(root & paged)
	t.free(arena.Handle(root&handleMask), int(8*n))
	return nil
}

// resize makes room for another number of words in a list that is in the arena then: it returns the list,
// which may have moved.
func (t *Table) resize(root, from, to uint64) (arena.Handle, error) {
	old := arena.Handle(root & handleMask)
	if root&far != 0 && arena.ClassSize(int(8*from)) == arena.ClassSize(int(8*to)) {
		return old, nil
	}
	list, err := t.alloc(int(8 * to))
	if err != nil {
		return 0, err
	}
	if root&far == 0 {
		for i := range from {
			t.setWord(list, i, t.listed(root, i))
		}
		return list, nil
	}
	n := int(8 * min(from, to))
	copy(t.arena.Bytes(list, n), t.arena.Bytes(old, n))
	t.free(old, int(8*from))
	return list, nil
}
