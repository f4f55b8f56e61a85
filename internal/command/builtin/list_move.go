package builtin

import (
	"bytes"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/quicklist"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// moveKeys are the keys of the commands that take an element from one list to another.
func moveKeys() []command.KeySpec {
	return []command.KeySpec{
		{Flags: command.KeyRW | command.KeyAccess | command.KeyDelete, Index: 1},
		{Flags: command.KeyRW | command.KeyInsert, Index: 2},
	}
}

func listMoves() []*command.Spec {
	return []*command.Spec{{
		Name: "lmove", Group: "list", Since: "6.2.0",
		Summary:    "Takes an element from an end of one list to an end of another and gives it.",
		Complexity: "O(1)",
		Arity:      5, Flags: command.Write | command.DenyOOM,
		Keys:  moveKeys(),
		Usage: "source:key destination:key <LEFT | RIGHT>:wherefrom <LEFT | RIGHT>:whereto",
		Write: listMove,
	}, {
		Name: "rpoplpush", Group: "list", Since: "1.2.0",
		Summary:    "Takes the last element of one list to the beginning of another and gives it.",
		Complexity: "O(1)",
		Arity:      3, Flags: command.Write | command.DenyOOM,
		Keys:       moveKeys(),
		Usage:      "source:key destination:key",
		DocFlags:   []string{"deprecated"},
		Deprecated: "6.2.0",
		ReplacedBy: "`LMOVE` with the `RIGHT` and `LEFT` arguments",
		Write:      func(c *command.Call, tx *keyspace.WriteTx) { moveAtOnce(c, tx, right, left) },
	}}
}

func listMove(c *command.Call, tx *keyspace.WriteTx) {
	a := c.Parse(3)
	from, to := readEnd(&a), readEnd(&a)
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	moveAtOnce(c, tx, from, to)
}

func moveAtOnce(c *command.Call, tx *keyspace.WriteTx, from, to end) {
	switch found, err := moveElement(c, tx, from, to); {
	case err != nil:
		c.Fail(err)
	case !found:
		c.Out.Null()
	}
}

// moveElement takes an element from the list at argument 1 to that at argument 2
// and replies with it, if there is such a list.
func moveElement(c *command.Call, tx *keyspace.WriteTx, from, to end) (found bool, err error) {
	srcKey, dstKey := c.Args[1], c.Args[2]
	var src keyspace.Change[*quicklist.List]
	err = src.Open(tx, srcKey)
	if err != nil || !src.Found() {
		return false, err
	}
	var scratch [64]byte
	if bytes.Equal(srcKey, dstKey) {
		return true, rotate(c, tx, &src, scratch[:0], from, to)
	}
	return true, moveTo(c, tx, &src, scratch[:0], from, to)
}

// rotate moves an element within one list.
func rotate(c *command.Call, tx *keyspace.WriteTx, l *keyspace.Change[*quicklist.List], scratch []byte, from, to end) error {
	var digits [20]byte
	at := from.first(l.Value, 1)
	element := append(scratch, l.Value.At(at, digits[:])...)
	l.Value.DeleteRange(at, 1)
	to.push(l.Value, element, tx.Limits().List)
	l.Value.Shrink(tx.Limits().List)
	if _, err := l.Save(); err != nil {
		return err
	}
	tx.Notify(keyspace.EventList, pushEvents[to], c.Args[1])
	tx.Notify(keyspace.EventList, popEvents[from], c.Args[1])
	c.Out.Bulk(element)
	return nil
}

// moveTo moves an element to another list. That gets it first: it is what memory
// may be lacking for.
func moveTo(c *command.Call, tx *keyspace.WriteTx, src *keyspace.Change[*quicklist.List], scratch []byte, from, to end) error {
	dstKey := c.Args[2]
	var dst keyspace.Change[*quicklist.List]
	if err := dst.Open(tx, dstKey); err != nil {
		return err
	}
	if !dst.Found() {
		dst.Value = quicklist.New()
	}
	var digits [20]byte
	at := from.first(src.Value, 1)
	element := append(scratch, src.Value.At(at, digits[:])...)
	to.push(dst.Value, element, tx.Limits().List)
	if _, err := dst.SaveAlong(); err != nil {
		return err
	}
	tx.Notify(keyspace.EventList, pushEvents[to], dstKey)
	src.Value.DeleteRange(at, 1)
	if err := shrink(tx, src, popEvents[from], c.Args[1]); err != nil {
		return err
	}
	c.Out.Bulk(element)
	return nil
}
