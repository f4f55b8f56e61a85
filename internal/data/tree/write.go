package tree

// Insert puts item before the one with index i, 0 <= i <= Len.
func (t *Tree[T]) Insert(i int, item T) {
	if t.root == nil {
		t.root = t.make(nil, nil)
	}
	edge := 0
	switch i { // who always adds at one end gets full nodes
	case t.n:
		edge = 1
	case 0:
		edge = -1
	}
	w := t.weightOfNew(item)
	left, right := t.insert(t.root, i, item, w, edge)
	t.root = left
	t.n++
	t.w += w
	if right != nil {
		t.root = t.make([]T{left.items[0], right.items[0]}, []kid[T]{t.sum(left), t.sum(right)})
	}
}

// insert returns what the subtree of n has become: one node, or two if it had to be split.
func (t *Tree[T]) insert(n *node[T], i int, item T, w, edge int) (self, right *node[T]) {
	n = t.mine(n)
	was := n.bytes()
	if n.kids == nil {
		n.items = insertAt(n.items, i, item)
	} else {
		k := 0
		for ; i > n.kids[k].n; k++ {
			i -= n.kids[k].n
		}
		left, added := t.insert(n.kids[k].node, i, item, w, edge)
		n.items[k] = left.items[0]
		n.kids[k] = kid[T]{left, n.kids[k].n + 1, n.kids[k].w + w}
		if added != nil {
			more := t.sum(added)
			n.kids[k].n -= more.n
			n.kids[k].w -= more.w
			n.items = insertAt(n.items, k+1, added.items[0])
			n.kids = insertAt(n.kids, k+1, more)
		}
	}
	t.mem += n.bytes() - was
	if len(n.items) > Max {
		return n, t.split(n, edge)
	}
	return n, nil
}

// split moves a part of n into a new node, and returns that.
func (t *Tree[T]) split(n *node[T], edge int) *node[T] {
	at := len(n.items) / 2
	switch edge {
	case 1:
		at = len(n.items) - 1
	case -1:
		at = 1
	}
	var kids, rest []kid[T]
	if n.kids != nil {
		kids, rest = n.kids[:at], n.kids[at:]
	}
	right := t.make(n.items[at:], rest)
	t.mem -= n.bytes()
	more := 1
	if edge > 0 {
		more = 0 // nothing more comes here
	}
	n.items = roomFor(n.items[:at], more)
	if kids != nil {
		n.kids = roomFor(kids, more)
	}
	t.mem += n.bytes()
	return right
}

// make makes a node of copies of items and kids.
func (t *Tree[T]) make(items []T, kids []kid[T]) *node[T] {
	n := &node[T]{own: t.owner(), items: roomFor(items, 1)}
	if kids != nil {
		n.kids = roomFor(kids, 1)
	}
	t.mem += n.bytes()
	return n
}

// Update lets change alter the item with index i, which must keep its place in the order.
func (t *Tree[T]) Update(i int, change func(*T)) {
	var more int
	t.root, more = t.update(t.root, i, change)
	t.w += more
}

func (t *Tree[T]) update(n *node[T], i int, change func(*T)) (self *node[T], more int) {
	n = t.mine(n)
	if n.kids == nil {
		was := t.weightOf(&n.items[i])
		change(&n.items[i])
		return n, t.weightOf(&n.items[i]) - was
	}
	k := 0
	for ; i >= n.kids[k].n; k++ {
		i -= n.kids[k].n
	}
	kid := &n.kids[k]
	kid.node, more = t.update(kid.node, i, change)
	kid.w += more
	n.items[k] = kid.node.items[0]
	return n, more
}

// Delete removes the item with index i and returns it.
func (t *Tree[T]) Delete(i int) T {
	var item T
	var w int
	t.root, item, w = t.delete(t.root, i)
	t.n--
	t.w -= w
	for len(t.root.kids) == 1 {
		t.mem -= t.root.bytes()
		t.root = t.root.kids[0].node
	}
	if t.n == 0 {
		t.root, t.mem = nil, 0
	}
	return item
}

func (t *Tree[T]) delete(n *node[T], i int) (self *node[T], item T, w int) {
	n = t.mine(n)
	was := n.bytes()
	if n.kids == nil {
		item, w = n.items[i], t.weightOf(&n.items[i])
		n.items = deleteAt(n.items, i)
		t.mem += n.bytes() - was
		return n, item, w
	}
	k := 0
	for ; i >= n.kids[k].n; k++ {
		i -= n.kids[k].n
	}
	var below *node[T]
	below, item, w = t.delete(n.kids[k].node, i)
	n.kids[k] = kid[T]{below, n.kids[k].n - 1, n.kids[k].w - w}
	switch {
	case len(below.items) == 0:
		t.mem -= below.bytes()
		n.items, n.kids = deleteAt(n.items, k), deleteAt(n.kids, k)
	default:
		n.items[k] = below.items[0]
		if len(below.items) < few {
			t.join(n, k)
		}
	}
	t.mem += n.bytes() - was
	return n, item, w
}

// join makes one node of kid k of n and a neighbour, if they are few enough. What it does to n itself the caller accounts
// for.
func (t *Tree[T]) join(n *node[T], k int) {
	k = max(k-1, 0)
	if k+1 == len(n.kids) {
		return
	}
	a, b := n.kids[k].node, n.kids[k+1].node
	if len(a.items)+len(b.items) > Max*3/4 {
		return
	}
	var kids []kid[T]
	if a.kids != nil {
		kids = append(append(kids, a.kids...), b.kids...)
	}
	t.mem -= a.bytes() + b.bytes()
	one := t.make(append(append([]T(nil), a.items...), b.items...), kids)
	n.items[k] = one.items[0]
	n.kids[k] = kid[T]{one, n.kids[k].n + n.kids[k+1].n, n.kids[k].w + n.kids[k+1].w}
	n.items, n.kids = deleteAt(n.items, k+1), deleteAt(n.kids, k+1)
}
