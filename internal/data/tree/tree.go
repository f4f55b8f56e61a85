// Package tree is a counted B+tree whose copies are free: a sequence of items, in whatever order its owner keeps them, in
// which the i-th item and the first one beyond a bound are found in O(log n).
//
// All large values are made of it: the nodes of a list, the scores of a sorted set, the hashes of a dictionary's keys,
// the blocks of a stream and what its consumers have not acknowledged.
//
//	inner    | first item of kid 0 | first item of kid 1 | ...     to find by order
//	         | kid 0: items, weight | kid 1: items, weight | ...   to find by number
//	leaf     | item | item | ...   up to 64
//
// Items are of any type; they are copied about, so they should be small. All changes name an index: who wants order
// asks Seek for the index first. Each item may have a weight, by which positions are found too, as the elements of a
// list's node.
//
// # Copies
//
// Freeze returns a copy in O(1). Each node belongs to the tree that made it; a tree that is to change a node of another
// copies it first, with the way to it: some kilobytes, once for each node between two freezes. A frozen tree may be read
// while the live one changes, without a lock.
package tree

import "unsafe"

// Max is how many items a leaf, or kids an inner node, may have.
const Max = 64

// Few is below how many a node is joined with a neighbour, if both fit one.
const few = Max / 4

// Tree is a sequence of items. The zero value is empty and ready for use; items then weigh 1 each.
type Tree[T any] struct {
	root  *node[T]
	own   *token
	n, w  int
	mem   int
	weigh func(*T) int
}

// Weighed returns an empty tree in which weigh tells the weight of an item.
func Weighed[T any](weigh func(*T) int) Tree[T] { return Tree[T]{weigh: weigh} }

// token tells trees apart. (It has a size, or all would have one address.)
type token struct{ _ byte }

type node[T any] struct {
	own   *token
	items []T      // of an inner node: the first item of each kid
	kids  []kid[T] // nil in a leaf
}

type kid[T any] struct {
	node *node[T]
	n, w int // items below, and their weight
}

// Len is the number of items.
func (t *Tree[T]) Len() int { return t.n }

// Weight is the weight of all items.
func (t *Tree[T]) Weight() int { return t.w }

// Bytes is the memory of the nodes, without what the items refer to.
func (t *Tree[T]) Bytes() int { return t.mem }

// Freeze returns a copy in O(1). Both may go on to change: each copies what it shares with the other.
func (t *Tree[T]) Freeze() Tree[T] {
	t.own = nil
	return *t
}

// Copy is Freeze of a tree that is frozen already, which others may be reading.
func (t *Tree[T]) Copy() Tree[T] {
	c := *t
	c.own = nil
	return c
}

// owner is the token of what t may change.
func (t *Tree[T]) owner() *token {
	if t.own == nil {
		t.own = new(token)
	}
	return t.own
}

// mine is n, or a copy of it that t may change.
func (t *Tree[T]) mine(n *node[T]) *node[T] {
	if n.own == t.owner() {
		return n
	}
	c := &node[T]{own: t.own, items: roomFor(n.items, 1)}
	if n.kids != nil {
		c.kids = roomFor(n.kids, 1)
	}
	t.mem += c.bytes() - n.bytes()
	return c
}

func (n *node[T]) bytes() int {
	var item T
	return int(unsafe.Sizeof(*n)) + cap(n.items)*int(unsafe.Sizeof(item)) + cap(n.kids)*int(unsafe.Sizeof(kid[T]{}))
}

// sum is the items of the subtree and their weight.
func (t *Tree[T]) sum(n *node[T]) kid[T] {
	k := kid[T]{node: n}
	if n.kids == nil {
		k.n, k.w = len(n.items), len(n.items)
		if t.weigh != nil {
			k.w = 0
			for i := range n.items {
				k.w += t.weigh(&n.items[i])
			}
		}
		return k
	}
	for i := range n.kids {
		k.n += n.kids[i].n
		k.w += n.kids[i].w
	}
	return k
}

// weightOf is the weight of an item in a node.
func (t *Tree[T]) weightOf(item *T) int {
	if t.weigh == nil {
		return 1
	}
	return t.weigh(item)
}

// weightOfNew is the weight of an item that is in no node yet.
func (t *Tree[T]) weightOfNew(item T) int {
	if t.weigh == nil {
		return 1
	}
	given := item // lies on the heap, for it is not known what weigh does with it
	return t.weigh(&given)
}

// roomFor is a copy of s with room for some more.
func roomFor[E any](s []E, more int) []E {
	want := len(s) + more
	if more > 0 {
		want += min(len(s)/8, Max-len(s)%Max)
	}
	c := append([]E(nil), make([]E, max(want, 1))...) // all of a size class
	copy(c, s)
	return c[:len(s)]
}

// insertAt is slices.Insert with memory that grows by an eighth.
func insertAt[E any](s []E, i int, e E) []E {
	if len(s) == cap(s) {
		s = roomFor(s, 1)
	}
	s = s[:len(s)+1]
	copy(s[i+1:], s[i:])
	s[i] = e
	return s
}

// deleteAt is slices.Delete that gives memory back.
func deleteAt[E any](s []E, i int) []E {
	copy(s[i:], s[i+1:])
	clear(s[len(s)-1:])
	s = s[:len(s)-1]
	if len(s) < cap(s)/2 {
		return roomFor(s, 0)
	}
	return s
}
