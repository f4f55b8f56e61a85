package builtin

import (
	"slices"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/quicklist"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func listSpecs() []*command.Spec {
	return slices.Concat(listPushes(), listPops(), listReads(), listEdits(), listMoves(), listBlocks())
}

// end is one of the two ends of a list.
type end uint8

const (
	left end = iota
	right
)

// readEnd reads LEFT or RIGHT.
func readEnd(a *command.Args) end {
	switch a.OneOf("LEFT", "RIGHT") {
	case 0:
		return left
	case 1:
		return right
	}
	a.Syntax()
	return left
}

// push adds an element at the end e.
func (e end) push(l *quicklist.List, element []byte, o quicklist.Options) {
	if e == left {
		l.PushFront(element, o)
	} else {
		l.PushBack(element, o)
	}
}

// first is the index of the outermost of n elements at the end e.
func (e end) first(l *quicklist.List, n int) int {
	if e == left {
		return 0
	}
	return l.Len() - n
}

var (
	pushEvents = [...]string{left: "lpush", right: "rpush"}
	popEvents  = [...]string{left: "lpop", right: "rpop"}
	popWords   = [...][]byte{left: []byte("LPOP"), right: []byte("RPOP")}
)

// shrink saves a list that has lost elements, and tells of it.
func shrink(tx *keyspace.WriteTx, l *keyspace.Change[*quicklist.List], event string, key []byte) error {
	l.Value.Shrink(tx.Limits().List)
	return saveAnnounced(tx, l, keyspace.EventList, event, key)
}

// replyElements replies with n elements of l, beginning at the end e.
func replyElements(out *resp.Writer, l *quicklist.List, e end, n int) {
	if e == left {
		replyAscending(out, l, 0, n)
		return
	}
	out.Array(n)
	if n == 0 {
		return
	}
	for element := range l.Descend(l.Len() - 1) {
		out.Bulk(element)
		if n--; n == 0 {
			return
		}
	}
}

// replyAscending replies with n elements of l from index i on.
func replyAscending(out *resp.Writer, l *quicklist.List, i, n int) {
	out.Array(n)
	if n == 0 {
		return
	}
	for element := range l.Ascend(i) {
		out.Bulk(element)
		if n--; n == 0 {
			return
		}
	}
}
