package tree

import "iter"

// At is the item with index i, 0 <= i < Len.
func (t *Tree[T]) At(i int) T {
	n := t.root
	for n.kids != nil {
		k := 0
		for i >= n.kids[k].n {
			i -= n.kids[k].n
			k++
		}
		n = n.kids[k].node
	}
	return n.items[i]
}

// Seek is the index of the first item for which before is false, Len if there is none. Before must be true for all items
// up to some place, and false from there on.
func (t *Tree[T]) Seek(before func(*T) bool) int {
	i, n := 0, t.root
	if n == nil {
		return 0
	}
	for n.kids != nil {
		k := max(search(n.items, before)-1, 0) // the last kid that begins before the place
		for j := range k {
			i += n.kids[j].n
		}
		n = n.kids[k].node
	}
	return i + search(n.items, before)
}

// First is Seek that also returns the item, if there is one.
func (t *Tree[T]) First(before func(*T) bool) (i int, item T, ok bool) {
	n := t.root
	if n == nil {
		return 0, item, false
	}
	for n.kids != nil {
		k := max(search(n.items, before)-1, 0)
		for j := range k {
			i += n.kids[j].n
		}
		n = n.kids[k].node
	}
	k := search(n.items, before)
	if i += k; k < len(n.items) {
		return i, n.items[k], true
	}
	if i < t.n { // it begins the next leaf
		return i, t.At(i), true
	}
	return i, item, false
}

// search is Seek in one node.
func search[T any](items []T, before func(*T) bool) int {
	from, to := 0, len(items)
	for from < to {
		if m := (from + to) / 2; before(&items[m]) {
			from = m + 1
		} else {
			to = m
		}
	}
	return from
}

// Locate finds by weight: the index of the item in which position at lies, 0 <= at < Weight, and how far in.
func (t *Tree[T]) Locate(at int) (index, offset int) {
	n := t.root
	for n.kids != nil {
		k := 0
		for at >= n.kids[k].w {
			at -= n.kids[k].w
			index += n.kids[k].n
			k++
		}
		n = n.kids[k].node
	}
	k := 0
	for {
		w := t.weightOf(&n.items[k])
		if at < w {
			return index + k, at
		}
		at -= w
		k++
	}
}

// Ascend yields the items from index i on. The tree must not change meanwhile.
func (t *Tree[T]) Ascend(i int) iter.Seq[T] {
	return func(yield func(T) bool) {
		if i < t.n {
			t.root.ascend(i, yield)
		}
	}
}

func (n *node[T]) ascend(i int, yield func(T) bool) bool {
	if n.kids == nil {
		for ; i < len(n.items); i++ {
			if !yield(n.items[i]) {
				return false
			}
		}
		return true
	}
	for k := range n.kids {
		if i < n.kids[k].n {
			if !n.kids[k].node.ascend(i, yield) {
				return false
			}
			i = 0
		} else {
			i -= n.kids[k].n
		}
	}
	return true
}

// Descend yields the items from index i down to 0. The tree must not change meanwhile.
func (t *Tree[T]) Descend(i int) iter.Seq[T] {
	return func(yield func(T) bool) {
		if i >= 0 && t.n > 0 {
			t.root.descend(t.n-1-i, yield)
		}
	}
}

// descend passes by the last skip items.
func (n *node[T]) descend(skip int, yield func(T) bool) bool {
	if n.kids == nil {
		for i := len(n.items) - 1 - skip; i >= 0; i-- {
			if !yield(n.items[i]) {
				return false
			}
		}
		return true
	}
	for k := len(n.kids) - 1; k >= 0; k-- {
		if skip < n.kids[k].n {
			if !n.kids[k].node.descend(skip, yield) {
				return false
			}
			skip = 0
		} else {
			skip -= n.kids[k].n
		}
	}
	return true
}
