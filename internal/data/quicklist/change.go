package quicklist

import "github.com/skeindb/skein/internal/data/listpack"

// PushBack adds an element at the end.
func (l *List) PushBack(e []byte, opt Options) { l.push(e, true, opt) }

// PushFront adds an element at the beginning.
func (l *List) PushFront(e []byte, opt Options) { l.push(e, false, opt) }

func (l *List) push(e []byte, back bool, opt Options) {
	if l.Grow(len(e), 1, opt); l.nodes == nil {
		l.ownPacked()
		l.lp = add(l.lp, e, back)
		return
	}
	if n := l.nodes.end(back); n != nil && n.takes(e, opt) {
		l.nodes.add(n, e, back, opt)
	} else if back {
		l.nodes.Insert(l.nodes.Len(), newNode(e, opt))
	} else {
		l.nodes.Insert(0, newNode(e, opt))
	}
}

func add(lp, e []byte, back bool) []byte {
	if back {
		return listpack.Append(lp, e)
	}
	return listpack.Prepend(lp, e)
}

func newNode(e []byte, opt Options) node {
	if opt.large(e) {
		return node{buf: fitting(e), n: 1, plain: true}
	}
	return node{buf: listpack.Append(listpack.New(), e), n: 1}
}

// takes tells whether node i has room for e.
func (l *List) takes(i int, e []byte, opt Options) bool {
	if i < 0 || i >= l.nodes.Len() {
		return false
	}
	n := l.nodes.At(i)
	return n.takes(e, opt)
}

func (n *node) takes(e []byte, opt Options) bool {
	return !n.plain && !opt.large(e) && !opt.exceeds(len(n.data())+len(e)+overhead, int(n.n)+1)
}

// Insert puts an element before the one with index i, 0 <= i <= Len.
func (l *List) Insert(i int, e []byte, opt Options) {
	if l.Grow(len(e), 1, opt); l.nodes == nil {
		l.ownPacked()
		l.lp = insert(l.lp, i, e)
		return
	}
	if i == 0 || i == l.Len() {
		l.push(e, i > 0, opt)
		return
	}
	at, off := l.nodes.Locate(i)
	switch {
	case l.takes(at, e, opt):
		l.nodes.Edit(at, 1, func(lp []byte) []byte { return insert(lp, off, e) })
	case off == 0 && l.takes(at-1, e, opt):
		l.nodes.Edit(at-1, 1, func(lp []byte) []byte { return listpack.Append(lp, e) })
	case off == 0:
		l.nodes.Insert(at, newNode(e, opt))
	default:
		l.split(at, off)
		l.nodes.Insert(at+1, newNode(e, opt))
		l.merge(at+1, opt)
		l.merge(at, opt)
	}
}

func insert(lp []byte, i int, e []byte) []byte {
	return listpack.InsertBefore(lp, listpack.Seek(lp, i), e)
}

// split divides node at before its element off, 0 < off < n.
func (l *List) split(at, off int) {
	n := l.nodes.At(at)
	left, right := listpack.Split(n.data(), off)
	l.nodes.Delete(at)
	l.nodes.Insert(at, node{buf: right, n: n.n - int32(off)})
	l.nodes.Insert(at, node{buf: left, n: int32(off)})
}

// merge makes one node of at and the next one, if they fit.
func (l *List) merge(at int, opt Options) {
	if at+1 >= l.nodes.Len() {
		return
	}
	a, b := l.nodes.At(at), l.nodes.At(at+1)
	if a.plain || b.plain || opt.exceeds(len(a.data())+len(b.data())-listpack.EmptyBytes, int(a.n+b.n)) {
		return
	}
	l.nodes.Edit(at, int(b.n), func(lp []byte) []byte { return listpack.Concat(lp, b.data()) })
	l.nodes.Delete(at + 1)
}

// Set replaces the element with index i, 0 <= i < Len.
func (l *List) Set(i int, e []byte, opt Options) {
	if l.Grow(len(e), 1, opt); l.nodes == nil {
		l.ownPacked()
		l.lp = listpack.Replace(l.lp, listpack.Seek(l.lp, i), e)
		return
	}
	at, off := l.nodes.Locate(i)
	n := l.nodes.At(at)
	switch {
	case !n.plain && !opt.large(e): // however long the node becomes, as in redis
		l.nodes.Edit(at, 0, func(lp []byte) []byte { return listpack.Replace(lp, listpack.Seek(lp, off), e) })
	case n.plain, n.n == 1:
		l.nodes.Delete(at)
		l.nodes.Insert(at, newNode(e, opt))
	default:
		l.DeleteRange(i, 1)
		l.Insert(i, e, opt)
	}
}

// DeleteRange removes n elements from index i on, all of which there are.
func (l *List) DeleteRange(i, n int) {
	if n <= 0 {
		return
	}
	if l.nodes == nil {
		l.ownPacked()
		l.lp = listpack.DeleteRange(l.lp, i, n)
		return
	}
	switch {
	case i == 0:
		l.nodes.cutEnd(n, false)
	case i+n == l.nodes.Weight():
		l.nodes.cutEnd(n, true)
	default:
		l.nodes.cutInside(i, n)
	}
}

// cutEnd removes n elements at an end.
func (r *row) cutEnd(n int, back bool) {
	for n > 0 {
		node := r.end(back)
		k := min(n, int(node.n))
		if k == int(node.n) {
			r.drop(node)
		} else {
			r.cut(node, k, back)
		}
		n -= k
	}
}

// cutInside removes n elements from index i on.
func (r *row) cutInside(i, n int) {
	at, off := r.Locate(i)
	for n > 0 {
		has := int(r.At(at).n)
		k := min(n, has-off)
		if k == has {
			r.Delete(at)
		} else {
			r.Edit(at, -k, func(lp []byte) []byte { return listpack.DeleteRange(lp, off, k) })
			at++
		}
		n -= k
		off = 0
	}
}

// PopFront removes the first element, which there is, and appends it to dst.
func (l *List) PopFront(dst []byte) []byte { return l.pop(dst, 0) }

// PopBack removes the last element, which there is, and appends it to dst.
func (l *List) PopBack(dst []byte) []byte { return l.pop(dst, l.Len()-1) }

func (l *List) pop(dst []byte, i int) []byte {
	var scratch [20]byte
	dst = append(dst, l.At(i, scratch[:])...)
	l.DeleteRange(i, 1)
	return dst
}
