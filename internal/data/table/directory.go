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

	depthShift = 40
	handleMask = 1<<depthShift - 1
)

// bucket is bucket i of those that exist.
func (t *Table) bucket(i uint64) *bucket {
	return (*bucket)(t.arena.Line(t.segment(i/segmentBuckets) + arena.Handle(i%segmentBuckets*bucketUnits)))
}

// segment is the handle of segment s.
func (t *Table) segment(s uint64) arena.Handle {
	root := t.root.Load()
	h := arena.Handle(root & handleMask)
	switch root >> depthShift {
	case 0:
		return h
	case 1:
		return t.word(h, s)
	}
	return t.word(t.word(h, s>>pageShift), s%pageSegments)
}

// setSegment changes the handle of segment s.
func (t *Table) setSegment(s uint64, h arena.Handle) {
	root := t.root.Load()
	dir := arena.Handle(root & handleMask)
	switch root >> depthShift {
	case 0:
		t.root.Store(uint64(h))
		return
	case 2:
		dir, s = t.word(dir, s>>pageShift), s%pageSegments
	}
	t.setWord(dir, s, h)
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
func (t *Table) addSegment(s uint64, h arena.Handle) (err error) {
	list := arena.Handle(t.root.Load() & handleMask)
	switch {
	case s < pageSegments:
		if list, err = t.push(list, s, h); err == nil {
			t.setRoot(list, s+1)
		}
	case s%pageSegments == 0:
		page, err := t.alloc(pageBytes)
		if err != nil {
			return err
		}
		t.setWord(page, 0, h)
		if list, err = t.push(list, s>>pageShift, page); err != nil {
			t.free(page, pageBytes)
			return err
		}
		t.setRoot(list, s+1)
	default:
		t.setSegment(s, h)
	}
	return err
}

// dropSegment removes the last segment, which is s > 0, from the directory.
func (t *Table) dropSegment(s uint64) (err error) {
	list := arena.Handle(t.root.Load() & handleMask)
	switch {
	case s < pageSegments:
		if list, err = t.pop(list, s+1); err == nil {
			t.setRoot(list, s)
		}
	case s%pageSegments == 0:
		pages := s >> pageShift
		page := t.word(list, pages)
		if list, err = t.pop(list, pages+1); err == nil {
			t.free(page, pageBytes)
			t.setRoot(list, s)
		}
	}
	return err
}

// freeDirectory frees what leads to the given number of segments.
func (t *Table) freeDirectory(segments uint64) {
	list := arena.Handle(t.root.Load() & handleMask)
	t.root.Store(0)
	words := segments
	if segments > pageSegments {
		words = (segments + pageSegments - 1) >> pageShift
		for i := range words {
			t.free(t.word(list, i), pageBytes)
		}
	}
	if words > 1 {
		t.free(list, int(8*words))
	}
}

// setRoot makes list the way to the given number of segments.
func (t *Table) setRoot(list arena.Handle, segments uint64) {
	depth := uint64(0)
	switch {
	case segments > pageSegments:
		depth = 2
	case segments > 1:
		depth = 1
	}
	t.root.Store(uint64(list) | depth<<depthShift)
}

// push appends a word to a list of n and returns the list. A list of one word is the word itself.
func (t *Table) push(list arena.Handle, n uint64, word arena.Handle) (arena.Handle, error) {
	if n == 0 {
		return word, nil
	}
	longer, err := t.resize(list, n, n+1)
	if err == nil {
		t.setWord(longer, n, word)
	}
	return longer, err
}

// pop removes the last word from a list of n > 1 and returns the list.
func (t *Table) pop(list arena.Handle, n uint64) (arena.Handle, error) {
	if n == 2 {
		only := t.word(list, 0)
		t.free(list, 16)
		return only, nil
	}
	return t.resize(list, n, n-1)
}

// resize moves a list to where it has room for another number of words, at least two, if it must.
func (t *Table) resize(list arena.Handle, from, to uint64) (arena.Handle, error) {
	if from > 1 && arena.ClassSize(int(8*from)) == arena.ClassSize(int(8*to)) {
		return list, nil
	}
	moved, err := t.alloc(int(8 * to))
	if err != nil {
		return 0, err
	}
	if from == 1 {
		t.setWord(moved, 0, list)
		return moved, nil
	}
	n := int(8 * min(from, to))
	copy(t.arena.Bytes(moved, n), t.arena.Bytes(list, n))
	t.free(list, int(8*from))
	return moved, nil
}
