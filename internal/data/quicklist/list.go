// Package quicklist is the list value.
//
//	listpack     one listpack of all elements: redis's own bytes
//	quicklist    a row of nodes in a counted tree: listpacks, and elements too large for one (plain nodes)
//
// How large a listpack may be says list-max-listpack-size, here called fill: so many elements, or if negative one of the
// sizes 4, 8, 16, 32 and 64 KiB (-1 to -5). A list becomes a quicklist when it would exceed that, and a listpack again
// when Shrink finds it at half of it. (list-compress-depth is for others: nothing is compressed here.)
//
// An element is found by index in O(log nodes) and a walk in one node; the nodes at the ends are at hand. Freeze is O(1):
// each node belongs to the list that made it, as the tree's nodes do, and is copied when another list changes it.
//
// What the methods return are views, good until the next call. None of the arguments may be such a view.
package quicklist

import (
	"unsafe"

	"github.com/skeindb/skein/internal/data/listpack"
	"github.com/skeindb/skein/internal/data/value"
)

// Options are what redis keeps in each list. They may change from call to call.
type Options struct {
	Fill int // list-max-listpack-size
	// Plain is from how many bytes on an element has a node to itself, outside a listpack; 0 means 1 GiB.
	Plain int
}

const (
	// overhead is what redis adds to the length of an element when it estimates whether a node can take it.
	overhead = 8
	// safety is the most bytes of a node whose elements are counted.
	safety = 8192
)

// limit is the most bytes or, if that is 0, the most elements of a listpack.
func (o Options) limit() (bytes, count int) {
	if o.Fill < 0 {
		return 4096 << (min(-o.Fill, 5) - 1), 0
	}
	return 0, max(o.Fill, 1)
}

// exceeds tells whether a listpack of such a size is too large.
func (o Options) exceeds(bytes, count int) bool {
	b, n := o.limit()
	if b > 0 {
		return bytes > b
	}
	return bytes > safety || count > n
}

func (o Options) large(element []byte) bool {
	plain := o.Plain
	if plain <= 0 {
		plain = 1 << 30
	}
	return len(element) >= plain
}

// List is a list of strings.
type List struct {
	lp     []byte // the list, unless nodes has it
	shared bool   // others have lp too
	nodes  *row
}

// New returns an empty list.
func New() *List { return &List{lp: listpack.New()} }

// Built returns an empty quicklist, for who builds a list of elements as they come and then calls Pack.
func Built() *List { return &List{nodes: newRow()} }

// Packed is the list that a listpack is, which is trusted and not copied. Shared says that its bytes belong to others: a
// change then copies them first.
func Packed(lp []byte, shared bool) List { return List{lp: lp, shared: shared} }

// Listpack is the list as redis stores it, if that is its encoding; nobody may change it.
func (l *List) Listpack() []byte { return l.lp }

// Type is value.TypeList.
func (l *List) Type() value.Type { return value.TypeList }

// Encoding is "listpack" or "quicklist".
func (l *List) Encoding() string {
	if l.nodes != nil {
		return "quicklist"
	}
	return "listpack"
}

// Bytes is the memory of it all.
func (l *List) Bytes() int {
	n := int(unsafe.Sizeof(*l)) + cap(l.lp)
	if l.nodes != nil {
		n += l.nodes.Bytes()
	}
	return n
}

// Len is the number of elements.
func (l *List) Len() int {
	if l.nodes != nil {
		return l.nodes.Weight()
	}
	return listpack.Len(l.lp)
}

// Freeze returns a copy in O(1). Both may go on to change.
func (l *List) Freeze() value.Object {
	l.shared = true
	c := *l
	if l.nodes != nil {
		c.nodes = l.nodes.Freeze()
	}
	return &c
}

// Grow makes the list a quicklist if so many elements more, of so many bytes in all, would exceed a listpack: what redis
// decides for a command as a whole before it adds the first one.
func (l *List) Grow(bytes, count int, opt Options) {
	if l.nodes == nil {
		l.grow(bytes, count, opt)
	}
}

func (l *List) grow(bytes, count int, opt Options) {
	if opt.exceeds(len(l.lp)+bytes, listpack.Len(l.lp)+count) {
		l.spread()
	}
}

// spread makes a quicklist of a listpack.
func (l *List) spread() {
	l.nodes = newRow()
	if n := listpack.Len(l.lp); n > 0 {
		l.ownPacked()
		l.nodes.Insert(0, node{buf: l.lp, n: int32(n)})
	}
	l.lp, l.shared = nil, false
}

// Shrink makes the list a listpack if it has one node, of at most half the size allowed: what redis does after a command
// that removed elements.
func (l *List) Shrink(opt Options) {
	if l.nodes == nil || l.nodes.Len() > 1 {
		return
	}
	lp, shared := listpack.New(), false
	if l.nodes.Len() == 1 {
		n := l.nodes.At(0)
		lp = n.data()
		bytes, count := opt.limit()
		if n.plain || bytes > 0 && len(lp) > bytes/2 || bytes == 0 && int(n.n) > count/2 {
			return
		}
		if shared = n.own != l.nodes.own || n.own == nil; cap(n.buf) > len(lp) {
			lp, shared = fitting(lp), false
		}
	}
	l.lp, l.shared, l.nodes = lp, shared, nil
}

// Pack makes the list a listpack if it is one node of the size allowed: what redis does with a list that it has just
// built.
func (l *List) Pack(opt Options) {
	bytes, count := opt.limit()
	if l.nodes != nil && l.nodes.Len() == 1 {
		if n := l.nodes.At(0); bytes > 0 && len(n.data()) <= bytes || bytes == 0 && int(n.n) <= count {
			l.Shrink(Options{Fill: 1<<31 - 1})
		}
	}
}

// ownPacked makes the listpack one that may be changed.
func (l *List) ownPacked() {
	if l.shared {
		l.lp = fitting(l.lp)
		l.shared = false
	}
}
