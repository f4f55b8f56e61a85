package table

import "math/bits"

// split divides the next bucket in turn in two. On an error nothing has changed.
func (t *Table) split() error {
	n := t.n.Load()
	bit := uint64(1) << (bits.Len64(n) - 1) // the hash bit that tells the two apart
	from := t.bucket(n - bit)

	var buf, stayBuf, goBuf [inline]place
	list := t.list(from, buf[:0])
	for _, p := range list {
		t.arena.Prefetch(p.h)
	}
	stay, leave := stayBuf[:0], goBuf[:0]
	for _, p := range list {
		if Hash(t.seed, t.Entry(p.h).Key())&bit == 0 {
			stay = append(stay, p)
		} else {
			leave = append(leave, p)
		}
	}
	bl, err := t.newBlock(len(leave))
	if err != nil {
		return err
	}
	if err := t.grow(n); err != nil {
		t.freeBlock(bl)
		return err
	}
	t.fill(t.bucket(n), leave, bl)
	from = t.bucket(n - bit) // its segment may have moved
	bl, _ = t.blockFor(from, len(stay))
	t.fill(from, stay, bl)
	return nil
}

// merge undoes the last split; from the last bucket, if it is empty, it frees the index. On an error
// nothing has changed.
func (t *Table) merge() error {
	n := t.n.Load()
	if n <= 1 {
		if t.count == 0 {
			t.freeIndex()
		}
		return nil
	}
	bit := uint64(1) << (bits.Len64(n-1) - 1)
	last, into := t.bucket(n-1), t.bucket(n-1-bit)

	var buf [inline]place
	list := t.list(last, t.list(into, buf[:0]))
	bl, err := t.blockFor(into, len(list))
	if err != nil {
		return err
	}
	old := last.block()
	if err := t.shrink(n); err != nil {
		if bl != into.block() {
			t.freeBlock(bl)
		}
		return err
	}
	t.freeBlock(old)
	t.fill(t.bucket(n-1-bit), list, bl)
	return nil
}

// freeIndex frees the segments and the directory. The entries and overflow blocks are freed before.
func (t *Table) freeIndex() {
	n := t.n.Load()
	if n == 0 {
		return
	}
	segments := (n + segmentBuckets - 1) / segmentBuckets
	for s := range segments {
		t.free(t.segment(s), t.segmentBytes(s, n))
	}
	t.n.Store(0)
	t.freeDirectory(segments)
}
