package builtin

import (
	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// A bitmap is a string. Bit 0 is the highest bit of byte 0, bit 8 the highest of byte 1.

func bitSpecs() []*command.Spec {
	return []*command.Spec{{
		Name: "setbit", Group: "bitmap", Since: "2.2.0",
		Summary:    "Sets or clears one bit of a string and gives its former value.",
		Complexity: "O(1)",
		Arity:      4, Flags: command.Write | command.DenyOOM,
		Keys:  command.FirstKey(command.KeyRW | command.KeyAccess | command.KeyUpdate),
		Usage: "key offset:integer value:integer",
		Write: setBit,
	}, {
		Name: "getbit", Group: "bitmap", Since: "2.2.0",
		Summary:    "Gives one bit of a string.",
		Complexity: "O(1)",
		Arity:      3, Flags: command.ReadOnly | command.Fast,
		Keys:  command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage: "key offset:integer",
		Read:  getBit,
	}}
}

const (
	errBitOffset command.Error = "ERR bit offset is not an integer or out of range"
	errBit       command.Error = "ERR bit is not an integer or out of range"
)

// bitOffset reads an offset in bits; its byte must be one that a string may have.
// The form "#n" is allowed if width is not 0 and means n times width.
func bitOffset(tx *keyspace.ReadTx, arg []byte, width int64) (int64, error) {
	unit := int64(1)
	if width > 0 && len(arg) > 0 && arg[0] == '#' {
		arg, unit = arg[1:], width
	}
	n, ok := resp.ParseInt(arg)
	n *= unit // past 64 bits it goes round, as in redis
	if !ok || n < 0 || n>>3 >= min(tx.MaxString(), maxBitByte) {
		return 0, errBitOffset
	}
	return n, nil
}

// maxBitByte keeps the number of a bit, and of one up to 64 further, within 64 bits.
const maxBitByte = 1 << 59

// bitIn gives bit off of s; beyond its end all bits are clear.
func bitIn(s keyspace.Str, off int64) byte {
	if off>>3 >= int64(s.Len()) {
		return 0
	}
	return s.At(int(off>>3)) >> (7 - off&7) & 1
}

func setBit(c *command.Call, tx *keyspace.WriteTx) {
	key := c.Args[1]
	off, err := bitOffset(&tx.ReadTx, c.Args[2], 0)
	a := c.Parse(3)
	bit := byte(a.IntOr(0, 1, errBit))
	if err == nil {
		err = a.Err()
	}
	if err != nil {
		c.Fail(err)
		return
	}
	old, found := tx.Peek(key)
	var s keyspace.Str
	if found {
		if s, _, err = tx.StrOf(old); err != nil {
			c.Fail(err)
			return
		}
	}
	was := bitIn(s, off)
	at := int(off >> 3)
	if was != bit || at >= s.Len() {
		e, err := tx.EditAt(old, key, at+1)
		if err != nil {
			c.Fail(err)
			return
		}
		mask := byte(0x80) >> (off & 7)
		e.WriteAt(at, []byte{e.At(at)&^mask | mask*bit})
		tx.Notify(keyspace.EventString, "setbit", key)
	}
	c.Out.Int(int64(was))
}

func getBit(c *command.Call, tx *keyspace.ReadTx) {
	off, err := bitOffset(tx, c.Args[2], 0)
	if err != nil {
		c.Fail(err)
		return
	}
	s, _, err := tx.Str(c.Args[1])
	if err != nil {
		c.Fail(err)
		return
	}
	c.Out.Int(int64(bitIn(s, off)))
}
