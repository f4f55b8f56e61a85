package tree

import "github.com/skeindb/skein/internal/data/arena"

// Node is a node of a tree, for owners who know more of the order of their items than Seek can: it calls a function for
// each comparison. It is good until the next change.
type Node[T any] struct{ n *node[T] }

// Root is the uppermost node of a tree that is not empty.
func (t *Tree[T]) Root() Node[T] { return Node[T]{t.root} }

// Inner tells whether the node has kids; else it is a leaf.
func (n Node[T]) Inner() bool { return n.n.kids != nil }

// Items are those of a leaf, and the first ones of the kids of an inner node.
func (n Node[T]) Items() []T { return n.n.items }

// Kid is kid k of an inner node.
func (n Node[T]) Kid(k int) Node[T] { return Node[T]{n.n.kids[k].node} }

// Before is how many items lie in the kids of an inner node before kid k.
func (n Node[T]) Before(k int) (items int) {
	for i := range n.n.kids[:k] {
		items += n.n.kids[i].n
	}
	return items
}

// Prefetch asks the processor for what Items will read.
func (n Node[T]) Prefetch() { arena.PrefetchValue(n.n) }

// PrefetchAround asks the processor for the items from i to j, which are few, and for what Kid will read for them.
func (n Node[T]) PrefetchAround(i, j int) {
	arena.PrefetchPair(&n.n.items[i], &n.n.items[j])
	if n.n.kids != nil {
		arena.PrefetchPair(&n.n.kids[i], &n.n.kids[j])
	}
}
