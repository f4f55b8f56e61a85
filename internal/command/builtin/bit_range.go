package builtin

import (
	"math/bits"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func bitRangeSpecs() []*command.Spec {
	return []*command.Spec{{
		Name: "bitcount", Group: "bitmap", Since: "2.6.0",
		Summary:    "Counts the bits that are set in a string or in a part of it.",
		Complexity: "O(N)",
		Arity:      -2, Flags: command.ReadOnly,
		Keys:    command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage:   "key [start:integer end:integer [BYTE | BIT]:unit@7.0.0]:range",
		History: [][2]string{{"7.0.0", "`BYTE` and `BIT` came."}},
		Read:    bitCount,
	}, {
		Name: "bitpos", Group: "bitmap", Since: "2.8.7",
		Summary:    "Finds the first bit that is set, or clear, in a string or in a part of it.",
		Complexity: "O(N)",
		Arity:      -3, Flags: command.ReadOnly,
		Keys:    command.FirstKey(command.KeyRO | command.KeyAccess),
		Usage:   "key bit:integer [start:integer [end:integer [BYTE | BIT]:unit@7.0.0]:end-unit-block]:range",
		History: [][2]string{{"7.0.0", "`BYTE` and `BIT` came."}},
		Read:    bitPos,
	}}
}

// bitUnit reads the unit of a range: how many bits one step of it is.
func bitUnit(a *command.Args) int64 {
	switch a.OneOf("BIT", "BYTE") {
	case 0:
		return 1
	case 1:
		return 8
	}
	a.Syntax()
	return 0
}

// bitCount looks at the key before its other arguments, as redis does: for a
// key that is not there any range will do.
func bitCount(c *command.Call, tx *keyspace.ReadTx) {
	s, found, err := tx.Str(c.Args[1])
	if err != nil {
		c.Fail(err)
		return
	}
	if !found {
		c.Out.Int(0)
		return
	}
	a := c.Parse(2)
	first, last, unit := int64(0), int64(-1), int64(8)
	switch a.Left() {
	case 0:
	case 2, 3:
		first, last = a.Int(), a.Int()
		if reversed(first, last) && a.Err() == nil {
			c.Out.Int(0)
			return
		}
		if a.More() {
			unit = bitUnit(&a)
		}
	default:
		a.Syntax()
	}
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	first, last = bitSpan(s, first, last, unit)
	if first > last {
		c.Out.Int(0)
		return
	}
	c.Out.Int(countBits(s, first, last))
}

// bitPos, too, looks at the key before the range.
func bitPos(c *command.Call, tx *keyspace.ReadTx) {
	a := c.Parse(2)
	bit := a.Int()
	if a.Err() == nil && bit != 0 && bit != 1 {
		a.Fail(command.Error("ERR The bit argument must be 1 or 0."))
	}
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	s, found, err := tx.Str(c.Args[1])
	if err != nil {
		c.Fail(err)
		return
	}
	if !found { // zeros without end
		c.Out.Int(-bit)
		return
	}
	first, last, unit := int64(0), int64(-1), int64(8)
	endless := a.Left() < 2
	if a.Left() > 3 {
		a.Syntax()
	}
	if a.More() {
		first = a.Int()
	}
	if a.More() {
		// The unit is judged before the end that stands in front of it.
		end := a.Next()
		if a.More() {
			unit = bitUnit(&a)
		}
		last = intOf(&a, end)
	}
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	first, last = bitSpan(s, first, last, unit)
	pos := int64(-1)
	if first <= last {
		pos = findBit(s, byte(bit), first, last)
		if pos < 0 && bit == 0 && endless {
			pos = int64(s.Len()) * 8 // the zeros behind the string
		}
	}
	c.Out.Int(pos)
}

// bitSpan is span in bits, for a range whose numbers count units of that many bits.
func bitSpan(s keyspace.Str, first, last, unit int64) (int64, int64) {
	first, last = span(first, last, int64(s.Len())*8/unit)
	if first > last {
		return 0, -1
	}
	return first * unit, last*unit + unit - 1
}

// pieces yields bytes [from, to) of s in pieces, each with its offset.
func pieces(s keyspace.Str, from, to int) func(yield func(int, []byte) bool) {
	return func(yield func(int, []byte) bool) {
		at := 0
		for p := range s.Chunks {
			begin, end := max(from-at, 0), min(to-at, len(p))
			if begin < end && !yield(at+begin, p[begin:end]) {
				return
			}
			if at += len(p); at >= to {
				return
			}
		}
	}
}

// countBits counts the bits set among bits first to last of s, inclusive.
func countBits(s keyspace.Str, first, last int64) int64 {
	from, to := int(first>>3), int(last>>3)
	n := 0
	for _, p := range pieces(s, from, to+1) {
		n += onesCount(p)
	}
	n -= bits.OnesCount8(s.At(from) &^ (0xff >> (first & 7)))
	n -= bits.OnesCount8(s.At(to) & (0x7f >> (last & 7)))
	return int64(n)
}

// findBit is the position of the first bit of the value given among bits first
// to last of s, inclusive, or -1.
func findBit(s keyspace.Str, bit byte, first, last int64) int64 {
	for ; first&7 != 0 && first <= last; first++ {
		if bitIn(s, first) == bit {
			return first
		}
	}
	if first > last {
		return -1
	}
	for at, p := range pieces(s, int(first>>3), int(last>>3)+1) {
		if i := firstBit(p, bit); i >= 0 {
			if pos := int64(at)*8 + int64(i); pos <= last {
				return pos
			}
			return -1
		}
	}
	return -1
}

// onesCount counts the bits set in b.
func onesCount(b []byte) (n int) {
	for ; len(b) >= 32; b = b[32:] {
		n += bits.OnesCount64(word(b)) + bits.OnesCount64(word(b[8:])) +
			bits.OnesCount64(word(b[16:])) + bits.OnesCount64(word(b[24:]))
	}
	for _, c := range b {
		n += bits.OnesCount8(c)
	}
	return n
}

// firstBit is the number of the first bit of the value given in b, or -1.
func firstBit(b []byte, bit byte) int {
	flip := uint64(bit) - 1 // all bits when a clear bit is sought: then it is the first set one
	at := 0
	for ; len(b) >= 32; b, at = b[32:], at+256 {
		if (word(b)^flip)|(word(b[8:])^flip)|(word(b[16:])^flip)|(word(b[24:])^flip) != 0 {
			break
		}
	}
	for _, c := range b {
		if c ^= byte(flip); c != 0 {
			return at + bits.LeadingZeros8(c)
		}
		at += 8
	}
	return -1
}
