package builtin

import (
	"crypto/subtle"
	"encoding/binary"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func bitOpSpecs() []*command.Spec {
	return []*command.Spec{{
		Name: "bitop", Group: "bitmap", Since: "2.6.0",
		Summary:    "Combines strings bit by bit and stores the result.",
		Complexity: "O(N)",
		Arity:      -4, Flags: command.Write | command.DenyOOM,
		Keys: []command.KeySpec{
			{Flags: command.KeyOW | command.KeyUpdate, Index: 2},
			{Flags: command.KeyRO | command.KeyAccess, Index: 3, Last: -1},
		},
		Usage: "<AND | OR | XOR | NOT>:operation destkey:key key...",
		Write: bitOp,
	}}
}

// The operations of BITOP, in the order of its usage.
const (
	bitAnd = iota
	bitOr
	bitXor
	bitNot
)

func bitOp(c *command.Call, tx *keyspace.WriteTx) {
	a := c.Parse(1)
	op := a.OneOf("AND", "OR", "XOR", "NOT")
	if op < 0 {
		a.Syntax()
	}
	dst, keys := a.Next(), a.Rest()
	if op == bitNot && len(keys) != 1 {
		a.Fail(command.Error("ERR BITOP NOT must be called with a single source key."))
	}
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	result, err := combine(tx, op, keys)
	if err != nil {
		c.Fail(err)
		return
	}
	old, found := tx.Peek(dst)
	switch {
	case len(result) > 0:
		if err := tx.SetRawAt(&old, dst, result, keyspace.NoExpiry); err != nil {
			c.Fail(err)
			return
		}
		tx.Notify(keyspace.EventString, "set", dst)
	case found:
		tx.DeleteAt(old, dst)
		tx.Notify(keyspace.EventGeneric, "del", dst)
	}
	c.Out.Int(int64(len(result)))
}

// combine is the result of op over the strings at keys, as long as the longest.
func combine(tx *keyspace.WriteTx, op int, keys [][]byte) ([]byte, error) {
	sources := make([]keyspace.Str, len(keys))
	longest := 0
	for i, key := range keys {
		var err error
		if sources[i], _, err = tx.Str(key); err != nil {
			return nil, err
		}
		longest = max(longest, sources[i].Len())
	}
	result := sources[0].AppendTo(make([]byte, 0, longest))[:longest]
	if op == bitNot {
		invert(result)
		return result, nil
	}
	for _, s := range sources[1:] {
		for at, p := range pieces(s, 0, s.Len()) {
			fold(op, result[at:], p)
		}
		if op == bitAnd {
			clear(result[s.Len():])
		}
	}
	return result, nil
}

// fold combines the first len(src) bytes of dst with src. Four words a turn
// take a third of the time of one.
func fold(op int, dst, src []byte) {
	switch op {
	case bitAnd:
		for ; len(src) >= 32 && len(dst) >= 32; dst, src = dst[32:], src[32:] {
			putWord(dst, word(dst)&word(src))
			putWord(dst[8:], word(dst[8:])&word(src[8:]))
			putWord(dst[16:], word(dst[16:])&word(src[16:]))
			putWord(dst[24:], word(dst[24:])&word(src[24:]))
		}
		for i, c := range src {
			dst[i] &= c
		}
	case bitOr:
		for ; len(src) >= 32 && len(dst) >= 32; dst, src = dst[32:], src[32:] {
			putWord(dst, word(dst)|word(src))
			putWord(dst[8:], word(dst[8:])|word(src[8:]))
			putWord(dst[16:], word(dst[16:])|word(src[16:]))
			putWord(dst[24:], word(dst[24:])|word(src[24:]))
		}
		for i, c := range src {
			dst[i] |= c
		}
	case bitXor:
		subtle.XORBytes(dst, dst[:len(src)], src)
	}
}

func invert(b []byte) {
	for ; len(b) >= 32; b = b[32:] {
		putWord(b, ^word(b))
		putWord(b[8:], ^word(b[8:]))
		putWord(b[16:], ^word(b[16:]))
		putWord(b[24:], ^word(b[24:]))
	}
	for i := range b {
		b[i] = ^b[i]
	}
}

func word(b []byte) uint64       { return binary.LittleEndian.Uint64(b) }
func putWord(b []byte, w uint64) { binary.LittleEndian.PutUint64(b, w) }
