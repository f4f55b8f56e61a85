// Package quicklist is the list value.
//
//	listpack     one listpack of all elements: redis's own bytes
//	quicklist    a row of nodes in a counted tree: listpacks, and elements too large for one (plain nodes)
//
// How large a listpack may be says list-max-listpack-size, here called fill: so many elements, or if negative one of the
// sizes 4, 8, 16, 32 and 64 KiB (-1 to -5). A list becomes a quicklist when it would exceed that, and a listpack again
// when Shrink finds it at half of it. (list-compress-depth is for others: nothing is compressed here.)
//
// An element is found by index in O(log nodes) and a walk in one node. Freeze is O(1): each node belongs to the list
// that made it, as the tree's nodes do, and is copied when another list changes it.
//
// What the methods return are views, good until the next call. None of the arguments may be such a view.
package quicklist

import (
	"unsafe"

	"github.com/skeindb/skein/internal/data/listpack"
	"github.com/skeindb/skein/internal/data/tree"
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
	nodes  *tree.Tree[node]
	own    *token
	bytes  int // of all nodes
}

// token tells the nodes of lists apart; see package tree.
type token struct{ _ byte }

// node is a listpack of n elements, or one element as it is.
type node struct {
	data  []byte
	own   *token
	n     int32
	plain bool
}

// New returns an empty list.
func New() *List { return &List{lp: listpack.New()} }

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
		n += l.bytes + l.nodes.Bytes() + int(unsafe.Sizeof(*l.nodes))
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
	l.shared, l.own = true, nil
	c := *l
	if l.nodes != nil {
		nodes := l.nodes.Freeze()
		c.nodes = &nodes
	}
	return &c
}

// Grow makes the list a quicklist if so many elements more, of so many bytes in all, would exceed a listpack: what redis
// decides for a command as a whole before it adds the first one.
func (l *List) Grow(bytes, count int, opt Options) {
	if l.nodes == nil && opt.exceeds(len(l.lp)+bytes, listpack.Len(l.lp)+count) {
		l.spread()
	}
}

// spread makes a quicklist of a listpack.
func (l *List) spread() {
	nodes := tree.Weighed(func(n *node) int { return int(n.n) })
	l.nodes = &nodes
	if n := listpack.Len(l.lp); n > 0 {
		l.ownPacked()
		l.put(0, node{data: l.lp, n: int32(n)})
	}
	l.lp, l.shared = nil, false
}

// Shrink makes the list a listpack if it has one node, of at most half the size allowed: what redis does after a command
// that removed elements.
func (l *List) Shrink(opt Options) {
	if l.nodes == nil || l.nodes.Len() > 1 {
		return
	}
	lp := listpack.New()
	if l.nodes.Len() == 1 {
		n := l.nodes.At(0)
		bytes, count := opt.limit()
		if n.plain || bytes > 0 && len(n.data) > bytes/2 || bytes == 0 && int(n.n) > count/2 {
			return
		}
		l.shared = n.own != l.own || l.own == nil
		lp = n.data
	}
	l.lp, l.nodes, l.bytes = lp, nil, 0
}

// Pack makes the list a listpack if it is one node of the size allowed: what redis does with a list that it has just
// built.
func (l *List) Pack(opt Options) {
	bytes, count := opt.limit()
	if l.nodes != nil && l.nodes.Len() == 1 {
		if n := l.nodes.At(0); bytes > 0 && len(n.data) <= bytes || bytes == 0 && int(n.n) <= count {
			l.Shrink(Options{Fill: 1<<31 - 1})
		}
	}
}

// ownPacked makes the listpack one that may be changed.
func (l *List) ownPacked() {
	if l.shared {
		l.lp = append([]byte(nil), l.lp...)
		l.shared = false
	}
}

// owner is the token of the nodes that l may change.
func (l *List) owner() *token {
	if l.own == nil {
		l.own = new(token)
	}
	return l.own
}

// put makes n, whose memory is ours, node number i.
func (l *List) put(i int, n node) {
	n.own = l.owner()
	l.bytes += cap(n.data)
	l.nodes.Insert(i, n)
}

// edit lets change alter the listpack of node i, and updates its count by more.
func (l *List) edit(i, more int, change func(lp []byte) []byte) {
	l.nodes.Update(i, func(n *node) {
		l.bytes -= cap(n.data)
		if n.own != l.owner() {
			n.data, n.own = append([]byte(nil), n.data...), l.own
		}
		n.data = change(n.data)
		n.n += int32(more)
		l.bytes += cap(n.data)
	})
}

// drop removes node i.
func (l *List) drop(i int) {
	n := l.nodes.Delete(i)
	l.bytes -= cap(n.data)
}
