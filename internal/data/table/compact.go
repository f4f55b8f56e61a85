package table

import "github.com/skeindb/skein/internal/data/arena"

// moveSparse copies n bytes at h to another place if the arena wants that.
func (t *Table) moveSparse(h arena.Handle, n int) (arena.Handle, bool) {
	if !t.arena.Sparse(h, n) {
		return h, false
	}
	now, err := t.arena.Alloc(n)
	if err != nil {
		return h, false
	}
	copy(t.arena.Bytes(now, n), t.arena.Bytes(h, n))
	return now, true
}

func (t *Table) compactBucket(b *bucket, moved func(old, now arena.Handle)) {
	if bl := b.block(); bl.places > 0 {
		if now, ok := t.moveSparse(bl.h, bl.bytes()); ok {
			b.set(linkPlace, place{0, now})
			t.arena.Free(bl.h, bl.bytes())
		}
	}
	for i := range b.count() {
		p := t.get(b, i)
		n := len(t.Entry(p.h))
		now, ok := t.moveSparse(p.h, n)
		if !ok {
			continue
		}
		t.set(b, i, place{p.tag, now})
		if moved != nil {
			moved(p.h, now)
		}
		t.arena.Free(p.h, n)
	}
}

func (t *Table) compactSegment(s uint64) {
	h, n := t.segment(s), t.segmentBytes(s, t.n.Load())
	if now, ok := t.moveSparse(h, n); ok {
		t.setSegment(s, now)
		t.arena.Free(h, n)
	}
}

func (t *Table) compactDirectory() {
	root := t.root.Load()
	words := (t.n.Load() + segmentBuckets - 1) / segmentBuckets
	if root&paged != 0 {
		words = (words + pageSegments - 1) >> pageShift
		for i := range words {
			page := t.listed(root, i)
			if now, ok := t.moveSparse(page, pageBytes); ok {
				t.setListed(root, i, now)
				t.arena.Free(page, pageBytes)
			}
		}
	}
	if root&far == 0 {
		return
	}
	list := arena.Handle(root & handleMask)
	if now, ok := t.moveSparse(list, int(8*words)); ok {
		t.root.Store(root&^handleMask | uint64(now))
		t.arena.Free(list, int(8*words))
	}
}
