package builtin

import (
	"encoding/binary"
	"math"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func bitFieldSpecs() []*command.Spec {
	return []*command.Spec{{
		Name: "bitfield", Group: "bitmap", Since: "3.2.0",
		Summary:    "Reads, writes and counts up integers of any width at any bit of a string.",
		Complexity: "O(1) for each subcommand specified",
		Arity:      -2, Flags: command.Write | command.DenyOOM,
		Keys: []command.KeySpec{{
			Flags: command.KeyRW | command.KeyUpdate | command.KeyAccess | command.KeyVariable,
			Notes: "With no operation but GET nothing is written", Index: 1,
		}},
		GetKeys: bitFieldKeys,
		Usage:   "key [GET <encoding offset:integer>:get-block | <[OVERFLOW <WRAP | SAT | FAIL>:overflow-block] <SET <encoding offset:integer value:integer>:set-block | INCRBY <encoding offset:integer increment:integer>:incrby-block>:write-operation>:write]:operation...",
		Write:   bitField,
	}, {
		Name: "bitfield_ro", Group: "bitmap", Since: "6.0.0",
		Summary:    "Reads integers of any width at any bit of a string.",
		Complexity: "O(1) for each subcommand specified",
		Arity:      -2, Flags: command.ReadOnly | command.Fast,
		Keys:  command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage: "key [GET <encoding offset:integer>:get-block]...",
		Read:  bitFieldRO,
	}}
}

// bitFieldKeys tells what BITFIELD does to its key: with GETs only, it reads.
func bitFieldKeys(dst []command.KeyPos, argv [][]byte) ([]command.KeyPos, error) {
	if len(argv) < 2 {
		return dst, command.ErrKeyArguments
	}
	flags := command.KeyRO | command.KeyAccess
	c := command.Call{Args: argv}
	for a := c.Parse(2); a.More(); {
		switch {
		case a.IsWith("GET", 2):
			a.Next()
			a.Next()
		case a.IsWith("OVERFLOW", 1):
			a.Next()
		default: // a write, or a mistake
			flags = command.KeyRW | command.KeyAccess | command.KeyUpdate
			a.Rest()
		}
	}
	return append(dst, command.KeyPos{Index: 1, Flags: flags}), nil
}

// fieldOp is one operation of BITFIELD.
type fieldOp struct {
	kind  fieldOpKind
	field field
	value int64 // to set or to add
	over  overflow
}

type fieldOpKind uint8

const (
	fieldGet fieldOpKind = iota
	fieldSet
	fieldIncrBy
)

// fieldOps reads the operations and the size in bytes that the writing ones need.
func fieldOps(c *command.Call, tx *keyspace.ReadTx) (ops []fieldOp, size int64, err error) {
	over := overflowWrap
	a := c.Parse(2)
	for a.More() {
		op := fieldOp{over: over}
		switch {
		case a.IsWith("GET", 2):
		case a.IsWith("SET", 3):
			op.kind = fieldSet
		case a.IsWith("INCRBY", 3):
			op.kind = fieldIncrBy
		case a.IsWith("OVERFLOW", 1):
			over = readOverflow(&a)
			continue
		default:
			a.Syntax()
		}
		op.field = readField(&a, tx)
		if op.kind != fieldGet {
			op.value = a.Int()
			size = max(size, op.field.end())
		}
		ops = append(ops, op)
	}
	return ops, size, a.Err()
}

func readOverflow(a *command.Args) overflow {
	i := a.OneOf("WRAP", "SAT", "FAIL")
	if i < 0 {
		a.Fail(command.Error("ERR Invalid OVERFLOW type specified"))
	}
	return overflow(i)
}

// readField reads an encoding, as i16 or u8, and an offset.
func readField(a *command.Args, tx *keyspace.ReadTx) (f field) {
	encoding := a.Next()
	if a.Err() != nil {
		return f
	}
	var ok bool
	if f, ok = parseEncoding(encoding); !ok {
		a.Fail(command.Error("ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is."))
		return f
	}
	off, err := bitOffset(tx, a.Next(), int64(f.bits))
	if err != nil {
		a.Fail(err)
	}
	f.off = off
	return f
}

// parseEncoding reads i1 to i64 and u1 to u63: replies have no room for u64.
func parseEncoding(b []byte) (f field, ok bool) {
	if len(b) < 2 || b[0] != 'i' && b[0] != 'u' {
		return f, false
	}
	f.signed = b[0] == 'i'
	n, ok := resp.ParseInt(b[1:])
	if !ok || n < 1 || n > 64 || n == 64 && !f.signed {
		return f, false
	}
	f.bits = uint(n)
	return f, true
}

func bitFieldRO(c *command.Call, tx *keyspace.ReadTx) {
	ops, size, err := fieldOps(c, tx)
	if err == nil && size > 0 {
		err = command.Error("ERR BITFIELD_RO only supports the GET subcommand")
	}
	if err != nil {
		c.Fail(err)
		return
	}
	replyFields(c, tx, ops)
}

// replyFields runs operations that are all GET.
func replyFields(c *command.Call, tx *keyspace.ReadTx, ops []fieldOp) {
	s, _, err := tx.Str(c.Args[1])
	if err != nil {
		c.Fail(err)
		return
	}
	c.Out.Array(len(ops))
	for _, op := range ops {
		c.Out.Int(op.field.get(s))
	}
}

func bitField(c *command.Call, tx *keyspace.WriteTx) {
	ops, size, err := fieldOps(c, &tx.ReadTx)
	if err != nil {
		c.Fail(err)
		return
	}
	if size == 0 {
		replyFields(c, &tx.ReadTx, ops)
		return
	}
	e, err := openFields(tx, c.Args[1], int(size))
	if err != nil {
		c.Fail(err)
		return
	}
	from := len(c.Out.Buf)
	c.Out.Array(len(ops))
	for _, op := range ops {
		if err := e.run(c, op); err != nil {
			failAfter(c, from, err)
			return
		}
	}
	if e.wrote > 0 {
		tx.CountMore(c.Args[1], e.wrote)
		tx.Notify(keyspace.EventString, "setbit", c.Args[1])
	}
}

// fieldEditor runs operations on one string. It opens the string for change
// when something does change, so that a BITFIELD without effect is no change.
type fieldEditor struct {
	tx    *keyspace.WriteTx
	key   []byte
	old   keyspace.Ref
	str   keyspace.Str
	edit  keyspace.Edit
	open  bool
	grown bool // every write counts, as the string is longer than before
	wrote int  // operations that changed something
	size  int
}

func openFields(tx *keyspace.WriteTx, key []byte, size int) (*fieldEditor, error) {
	e := &fieldEditor{tx: tx, key: key, size: size}
	var found bool
	if e.old, found = tx.Peek(key); found {
		var err error
		if e.str, _, err = tx.StrOf(e.old); err != nil {
			return nil, err
		}
	}
	if e.str.Len() < size {
		e.grown = true
		return e, e.begin()
	}
	return e, nil
}

// begin opens the string for change.
func (e *fieldEditor) begin() (err error) {
	if !e.open {
		e.edit, err = e.tx.EditAt(e.old, e.key, e.size)
		e.str, e.open = e.edit.Str, err == nil
	}
	return err
}

func (e *fieldEditor) run(c *command.Call, op fieldOp) error {
	old := op.field.get(e.str)
	if op.kind == fieldGet {
		c.Out.Int(old)
		return nil
	}
	value, fits := op.field.fit(op.value, 0, op.over)
	reply := old
	if op.kind == fieldIncrBy {
		value, fits = op.field.fit(old, op.value, op.over)
		reply = value
	}
	if !fits && op.over == overflowFail {
		c.Out.Null()
		return nil
	}
	c.Out.Int(reply)
	if value == old && !e.grown {
		return nil
	}
	e.wrote++
	if err := e.begin(); err != nil {
		return err
	}
	op.field.set(e.edit, value)
	return nil
}

// field is an integer of some bits at an offset in bits, big endian.
type field struct {
	off    int64
	bits   uint // 1 to 64
	signed bool
}

// end is the number of bytes that the field needs a string to have.
func (f field) end() int64 { return (f.off+int64(f.bits)-1)>>3 + 1 }

// window is the bytes of s around the field, zero beyond the end of s. A field
// begins in the first byte and ends in the ninth at the latest.
func (f field) window(s keyspace.Str) (w [9]byte) {
	from := int64(s.Len())
	from = min(f.off>>3, from)
	s.AppendRange(w[:0], int(from), int(min(f.end(), int64(s.Len()))))
	return w
}

// get reads the field.
func (f field) get(s keyspace.Str) int64 {
	w := f.window(s)
	skip := uint(f.off & 7)
	u := binary.BigEndian.Uint64(w[:8])<<skip | uint64(w[8])>>(8-skip) // the field is in the highest bits
	if f.signed {
		return int64(u) >> (64 - f.bits)
	}
	return int64(u >> (64 - f.bits))
}

// set writes the field; it must lie within e.
func (f field) set(e keyspace.Edit, value int64) {
	w := f.window(e.Str)
	skip := uint(f.off & 7)
	u, mask := uint64(value)<<(64-f.bits), ^uint64(0)<<(64-f.bits)
	head := binary.BigEndian.Uint64(w[:8])
	binary.BigEndian.PutUint64(w[:8], head&^(mask>>skip)|u>>skip)
	w[8] = w[8]&^byte(mask<<(8-skip)) | byte(u<<(8-skip))
	from := f.off >> 3
	e.WriteAt(int(from), w[:f.end()-from])
}

// overflow says what happens to a number that does not fit its field.
type overflow uint8

// In the order of the usage.
const (
	overflowWrap overflow = iota
	overflowSat
	overflowFail
)

// fit is value+by as the field can hold it, and whether it needed no help.
// Unless by is 0, value is one that the field holds.
func (f field) fit(value, by int64, over overflow) (sum int64, fits bool) {
	least, most := f.limits()
	sum = value + by
	above, below := by > 0 && sum < value, by < 0 && sum > value // past 64 bits
	if !above && !below {
		above, below = sum > most, sum < least
		if below && by == 0 && (!f.signed || sum < most-math.MaxInt64) {
			// A negative number to set is unsigned, and a large one, to an unsigned field.
			// To a signed one redis takes what is this far below for too large as well.
			above, below = true, false
		}
	}
	switch {
	case !above && !below:
		return sum, true
	case over == overflowSat && above:
		return most, false
	case over == overflowSat:
		return least, false
	}
	return f.wrap(sum), false
}

// limits are the least and the greatest number that the field holds.
func (f field) limits() (least, most int64) {
	if f.signed {
		most = int64(1)<<(f.bits-1) - 1
		return -most - 1, most
	}
	return 0, int64(1)<<f.bits - 1
}

// wrap keeps the lowest bits of n, as the field would read them.
func (f field) wrap(n int64) int64 {
	u := uint64(n) << (64 - f.bits)
	if f.signed {
		return int64(u) >> (64 - f.bits)
	}
	return int64(u >> (64 - f.bits))
}
