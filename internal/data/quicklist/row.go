package quicklist

import (
	"iter"
	"unsafe"

	"github.com/skeindb/skein/internal/data/listpack"
	"github.com/skeindb/skein/internal/data/tree"
)

// row is the nodes of a quicklist. Most changes of a list are at its ends, so the first node and the last one lie outside
// the tree, where they are changed in place:
//
//	front | inner ... | back
//
// Either may be missing (n is 0) where nothing has asked for that end yet. These two have room to grow; a node that goes
// into the tree gives back what it has too much.
type row struct {
	front, back node
	inner       tree.Tree[node]
	own         *token
	bytes       int // of all nodes' memory
}

// token tells the nodes of lists apart; see package tree.
type token struct{ _ byte }

// node is a listpack of n elements, or one element as it is. It begins behind a gap, into which a listpack grows
// downwards: who adds elements at the front moves none.
type node struct {
	buf   []byte
	own   *token
	n     int32
	gap   int32
	plain bool
}

func newRow() *row {
	return &row{inner: tree.Weighed(func(n *node) int { return int(n.n) })}
}

// data is the listpack, or the element.
func (n *node) data() []byte { return n.buf[n.gap:] }

// set puts what a change made of the listpack in its place: there, or in other memory.
func (n *node) set(lp []byte) {
	if &lp[0] == &n.buf[n.gap] {
		n.buf = n.buf[:int(n.gap)+len(lp)]
		return
	}
	n.buf, n.gap = lp, 0
}

// Len is the number of nodes.
func (r *row) Len() int { return r.inFront() + r.inner.Len() + min(int(r.back.n), 1) }

// Weight is the number of elements.
func (r *row) Weight() int { return int(r.front.n) + r.inner.Weight() + int(r.back.n) }

// Bytes is the memory of it all.
func (r *row) Bytes() int { return int(unsafe.Sizeof(*r)) + r.inner.Bytes() + r.bytes }

// inFront is how many nodes come before the tree.
func (r *row) inFront() int { return min(int(r.front.n), 1) }

// Freeze returns a copy in O(1). Both may go on to change.
func (r *row) Freeze() *row {
	r.own = nil
	c := *r
	c.inner = r.inner.Freeze()
	return &c
}

// owner is the token of the nodes that r may change.
func (r *row) owner() *token {
	if r.own == nil {
		r.own = new(token)
	}
	return r.own
}

// At is node i.
func (r *row) At(i int) node {
	if p := r.outside(i); p != nil {
		return *p
	}
	return r.inner.At(i - r.inFront())
}

// outside is node i if it is not in the tree.
func (r *row) outside(i int) *node {
	switch f := r.inFront(); {
	case i < f:
		return &r.front
	case i >= f+r.inner.Len():
		return &r.back
	}
	return nil
}

// Locate finds by element: the node that has element at, and which of its elements that is.
func (r *row) Locate(at int) (i, offset int) {
	f := r.inFront()
	if at < int(r.front.n) {
		return 0, at
	}
	if at -= int(r.front.n); at < r.inner.Weight() {
		i, offset = r.inner.Locate(at)
		return f + i, offset
	}
	return f + r.inner.Len(), at - r.inner.Weight()
}

// find is the data of the node that has element at, and which of its elements that is: Locate and At in one, which for the
// ends copies no node.
func (r *row) find(at int) (data []byte, offset int, plain bool) {
	if at < int(r.front.n) {
		return r.front.data(), at, r.front.plain
	}
	if at -= int(r.front.n); at >= r.inner.Weight() {
		return r.back.data(), at - r.inner.Weight(), r.back.plain
	}
	i, offset := r.inner.Locate(at)
	n := r.inner.At(i)
	return n.data(), offset, n.plain
}

// Ascend yields the nodes from number i on.
func (r *row) Ascend(i int) iter.Seq[node] {
	return func(yield func(node) bool) {
		f := r.inFront()
		if i < f && !yield(r.front) {
			return
		}
		for n := range r.inner.Ascend(max(i-f, 0)) {
			if !yield(n) {
				return
			}
		}
		if r.back.n > 0 && i < r.Len() {
			yield(r.back)
		}
	}
}

// Descend yields the nodes from number i down to the first.
func (r *row) Descend(i int) iter.Seq[node] {
	return func(yield func(node) bool) {
		f := r.inFront()
		if i >= f+r.inner.Len() && r.back.n > 0 && !yield(r.back) {
			return
		}
		for n := range r.inner.Descend(min(i-f, r.inner.Len()-1)) {
			if !yield(n) {
				return
			}
		}
		if f > 0 && i >= 0 {
			yield(r.front)
		}
	}
}

// end is the first node or the last one, which it takes out of the tree; nil if there is none.
func (r *row) end(back bool) *node {
	at, other, i := &r.front, &r.back, 0
	if back {
		at, other, i = other, at, r.inner.Len()-1
	}
	switch {
	case at.n > 0:
	case r.inner.Len() > 0:
		*at = r.inner.Delete(i)
	case other.n > 0:
		return other
	default:
		return nil
	}
	return at
}

// Insert makes n, whose memory is ours, node number i.
func (r *row) Insert(i int, n node) {
	n.own = r.owner()
	r.bytes += cap(n.buf)
	switch last := r.Len(); {
	case i == last:
		if r.back.n > 0 {
			r.inner.Insert(r.inner.Len(), r.fit(r.back))
		}
		r.back = n
	case i > 0:
		r.inner.Insert(i-r.inFront(), n)
	case r.front.n == 0:
		r.front = n
	case r.back.n == 0 && r.inner.Len() == 0:
		r.front, r.back = n, r.front // which is the only one
	default:
		r.inner.Insert(0, r.fit(r.front))
		r.front = n
	}
}

// fit is n without the memory that it does not need.
func (r *row) fit(n node) node {
	if d := n.data(); n.own == r.own && len(d) < cap(n.buf)-cap(n.buf)/8 {
		r.bytes -= cap(n.buf)
		n.buf, n.gap = fitting(d), 0
		r.bytes += cap(n.buf)
	}
	return n
}

// fitting is a copy of b in memory of the next size class.
func fitting(b []byte) []byte { return append([]byte(nil), b...) }

// Delete removes node i.
func (r *row) Delete(i int) {
	n := r.outside(i)
	if n == nil {
		gone := r.inner.Delete(i - r.inFront())
		n = &gone
	}
	r.drop(n)
}

// drop removes a node that is in the tree no more, or never was.
func (r *row) drop(n *node) {
	r.bytes -= cap(n.buf)
	*n = node{}
}

// Edit lets change alter the listpack of node i, and updates its count by more.
func (r *row) Edit(i, more int, change func(lp []byte) []byte) {
	edit := func(n *node) {
		r.seize(n)
		r.bytes -= cap(n.buf)
		n.set(change(n.data()))
		n.n += int32(more)
		r.bytes += cap(n.buf)
	}
	if p := r.outside(i); p != nil {
		edit(p)
		return
	}
	r.inner.Update(i-r.inFront(), edit)
}

// seize makes the memory of n one that may be changed.
func (r *row) seize(n *node) {
	if n.own != r.own || r.own == nil {
		r.bytes -= cap(n.buf)
		n.buf, n.gap, n.own = fitting(n.data()), 0, r.owner()
		r.bytes += cap(n.buf)
	}
}

const (
	leastRoom = 512 // bytes of a node that begins to grow
	manyNodes = 4   // from how many on another one is made as large as it may become
)

// add adds an element to the node n at an end, which takes it.
func (r *row) add(n *node, e []byte, back bool, opt Options) {
	r.seize(n)
	if !n.add(e, back) {
		r.enlarge(n, len(n.data())+listpack.ElementBytes(e), back, opt)
		n.add(e, back)
	}
	n.n++
}

// add adds an element if there is room for it.
func (n *node) add(e []byte, back bool) (ok bool) {
	if back {
		n.buf, ok = listpack.AppendWithin(n.buf, int(n.gap), int(n.n), e)
		return ok
	}
	gap, ok := listpack.PrependWithin(n.buf, int(n.gap), int(n.n), e)
	n.gap = int32(gap)
	return ok
}

// enlarge gives n, which is ours, room for more elements at an end, at least so many bytes in all: as many as such a
// node may have, unless the list is short.
func (r *row) enlarge(n *node, want int, back bool, opt Options) {
	most, _ := opt.limit()
	if most == 0 {
		most = safety
	}
	if r.inner.Len() < manyNodes || opt.Fill >= 0 {
		most = min(most, max(2*want, leastRoom))
	}
	old, room := n.data(), n.buf
	if cap(room) < max(most, want) {
		r.bytes -= cap(room)
		room = append([]byte(nil), make([]byte, max(most, want))...) // all of a size class
		r.bytes += cap(room)
	}
	room = room[:cap(room)]
	gap := 0
	switch free := len(room) - len(old); {
	case r.Len() == 1: // both ends are here
		gap = min(free/2, cap(room)-want)
		if !back {
			gap = free - gap
		}
	case !back:
		gap = free
	}
	n.buf, n.gap = room[:gap+copy(room[gap:], old)], int32(gap)
}

// cut removes k elements of the node n at an end, which has more.
func (r *row) cut(n *node, k int, back bool) {
	r.seize(n)
	if back {
		n.buf = listpack.CutLast(n.buf, int(n.gap), int(n.n), k)
	} else {
		n.gap = int32(listpack.CutFirst(n.buf, int(n.gap), int(n.n), k))
	}
	n.n -= int32(k)
}
