package quicklist

import (
	"errors"
	"iter"

	"github.com/skeindb/skein/internal/data/listpack"
)

// ErrCorrupt: a node without elements.
var ErrCorrupt = errors.New("quicklist: corrupt data")

// At is the element with index i, 0 <= i < Len. A number is written into scratch.
func (l *List) At(i int, scratch []byte) []byte {
	lp := l.lp
	if l.nodes != nil {
		var plain bool
		if lp, i, plain = l.nodes.find(i); plain {
			return lp
		}
	}
	return view(listpack.Get(lp, listpack.Seek(lp, i)), scratch)
}

func view(e listpack.Entry, scratch []byte) []byte {
	if e.IsInt() {
		return e.Append(scratch[:0])
	}
	return e.Str
}

// Ascend yields the elements from index i on. The list must not change meanwhile.
func (l *List) Ascend(i int) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if i >= l.Len() {
			return
		}
		if l.nodes == nil {
			ascend(l.lp, listpack.Seek(l.lp, i), yield)
			return
		}
		at, off := l.nodes.Locate(i)
		for n := range l.nodes.Ascend(at) {
			if n.plain {
				if !yield(n.data()) {
					return
				}
			} else if !ascend(n.data(), listpack.Seek(n.data(), off), yield) {
				return
			}
			off = 0
		}
	}
}

func ascend(lp []byte, p int, yield func([]byte) bool) bool {
	var scratch []byte
	for ; p != 0; p = listpack.Next(lp, p) {
		if !yield(listpack.Get(lp, p).Text(&scratch)) {
			return false
		}
	}
	return true
}

// Descend yields the elements from index i down to the first. The list must not change meanwhile.
func (l *List) Descend(i int) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if i < 0 || i >= l.Len() {
			return
		}
		if l.nodes == nil {
			descend(l.lp, listpack.Seek(l.lp, i), yield)
			return
		}
		at, off := l.nodes.Locate(i)
		for n := range l.nodes.Descend(at) {
			if n.plain {
				if !yield(n.data()) {
					return
				}
			} else if !descend(n.data(), listpack.Seek(n.data(), off), yield) {
				return
			}
			off = -1
		}
	}
}

func descend(lp []byte, p int, yield func([]byte) bool) bool {
	var scratch []byte
	for ; p != 0; p = listpack.Prev(lp, p) {
		if !yield(listpack.Get(lp, p).Text(&scratch)) {
			return false
		}
	}
	return true
}

// Nodes yields the list as redis stores it in an RDB file: listpacks, and elements that stand on their own. Nobody may
// change them.
func (l *List) Nodes() iter.Seq2[[]byte, bool] {
	return func(yield func(data []byte, plain bool) bool) {
		if l.nodes == nil {
			yield(l.lp, false)
			return
		}
		for n := range l.nodes.Ascend(0) {
			if !yield(n.data(), n.plain) {
				return
			}
		}
	}
}

// NodeCount is how many Nodes yields.
func (l *List) NodeCount() int {
	if l.nodes == nil {
		return 1
	}
	return l.nodes.Len()
}

// AppendNode adds at the end what Nodes yielded somewhere else, and keeps the bytes. A listpack is checked; an empty one
// adds nothing. Call Pack when all are there.
func (l *List) AppendNode(data []byte, plain bool) error {
	n := 1
	if !plain {
		var err error
		if n, err = listpack.Validate(data); err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
	}
	if l.nodes == nil {
		l.spread()
	}
	l.nodes.Insert(l.nodes.Len(), node{buf: data, n: int32(n), plain: plain})
	return nil
}
