package table

import "github.com/skeindb/skein/internal/data/arena"

// Hint is where a bucket was when it was asked for; zero if it was nowhere. It is good for a prefetch only.
type Hint arena.Handle

// Prefetch brings nearer what PrefetchBucket and Find read first, if that is in no cache either.
func (t *Table) Prefetch() { arena.PrefetchValue(&t.n) }

// PrefetchBucket brings the bucket of a hash nearer and tells where it is, for PrefetchEntry. The two hide
// the cache misses of a batch of look-ups: call one for all keys, then the other for all keys, then
// look them up.
//
// Both may be called by anyone at any time, also without the owner's lock. They may then see parts of
// the index that are gone, and so follow handles only inside committed memory, which is always
// readable, and use what they read for nothing but a hint.
func (t *Table) PrefetchBucket(hash uint64) Hint {
	h := t.hintBucket(hash)
	if h != 0 {
		t.arena.Prefetch(h)
	}
	return Hint(h)
}

// PrefetchEntry brings the entries nearer that the bucket of a hash holds under its tag.
func (t *Table) PrefetchEntry(hash uint64) { PrefetchEntryAt(t.arena, Hint(t.hintBucket(hash)), hash) }

// PrefetchEntryAt is PrefetchEntry for the bucket that PrefetchBucket told of; a is the table's arena.
func PrefetchEntryAt(a *arena.Arena, at Hint, hash uint64) {
	if at == 0 {
		return
	}
	b := (*bucket)(a.Line(arena.Handle(at)))
	m := b.match(tagOf(hash))
	if m == 0 && b.overflows() {
		a.Prefetch(b.handle(linkPlace))
	}
	for ; m != 0; m &= m - 1 {
		h := b.handle(placeOf(m))
		a.Prefetch(h)
		a.Prefetch(h + lineUnits) // most entries reach into a second line
	}
}

// hintBucket is where the bucket of a hash is or recently was, 0 if that is not known.
func (t *Table) hintBucket(hash uint64) arena.Handle {
	n, root := t.n.Load(), t.root.Load()
	if n == 0 {
		return 0
	}
	i := index(hash, n)
	s := i / segmentBuckets
	var h arena.Handle
	if root&paged == 0 {
		h = t.hintListed(root, s)
	} else {
		h = t.hintWord(t.hintListed(root, s>>pageShift), s%pageSegments)
	}
	h += arena.Handle(i % segmentBuckets * bucketUnits)
	if !t.arena.Mapped(h) {
		return 0
	}
	return h
}

func (t *Table) hintListed(root, i uint64) arena.Handle {
	if root&far == 0 {
		return arena.Handle(t.near[i%nearWords].Load())
	}
	return t.hintWord(arena.Handle(root&handleMask), i)
}

func (t *Table) hintWord(list arena.Handle, i uint64) arena.Handle {
	if at := list + arena.Handle(i); t.arena.Mapped(at) {
		return t.word(at, 0)
	}
	return 0
}
