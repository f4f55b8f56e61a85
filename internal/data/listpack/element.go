package listpack

import (
	"encoding/binary"
	"math"

	"github.com/skeindb/skein/internal/base/resp"
)

// Heads of elements; see the package comment.
const (
	headString12 = 0xE0
	headString32 = 0xF0
	headInt13    = 0xC0
	headInt16    = 0xF1
	headInt24    = 0xF2
	headInt32    = 0xF3
	headInt64    = 0xF4
	headString6  = 0x80
)

// headLen is how many bytes say the kind and the length of the element that begins with byte b; 0 for a byte that begins
// none.
func headLen(b byte) int {
	switch {
	case b < headString12 || b >= headInt16 && b <= headInt64:
		return 1
	case b < headString32:
		return 2
	case b == headString32:
		return 5
	}
	return 0
}

// extent is the length of head and data of the element at p.
func extent(lp []byte, p int) int {
	switch b := lp[p]; {
	case b < headString6:
		return 1
	case b < headInt13:
		return 1 + int(b&0x3F)
	case b < headString12:
		return 2
	case b < headString32:
		return 2 + int(b&0x0F)<<8 + int(lp[p+1])
	case b == headString32:
		return 5 + int(binary.LittleEndian.Uint32(lp[p+1:]))
	case b == headInt64:
		return 9
	default: // 16, 24 and 32 bits
		return int(b-headInt16) + 3
	}
}

// Get is the element at p.
func Get(lp []byte, p int) Entry {
	switch b := lp[p]; {
	case b < headString6:
		return Entry{Int: int64(b)}
	case b < headInt13:
		n := int(b & 0x3F)
		return Entry{Str: lp[p+1 : p+1+n : p+1+n]}
	case b < headString12:
		u := uint64(b&0x1F)<<8 | uint64(lp[p+1])
		return Entry{Int: signed(u, 13)}
	case b < headString32, b == headString32:
		from, to := p+headLen(b), p+extent(lp, p)
		return Entry{Str: lp[from:to:to]}
	default:
		n := extent(lp, p) - 1
		var u uint64
		for i := n; i > 0; i-- {
			u = u<<8 | uint64(lp[p+i])
		}
		return Entry{Int: signed(u, 8*n)}
	}
}

// signed reads the low bits of u as two's complement.
func signed(u uint64, bits int) int64 { return int64(u<<(64-bits)) >> (64 - bits) }

// An element about to be written: its head, and how many bytes of text follow that. It is so small that the compiler hands
// it on in registers, and so does not hold the text itself.
type element struct {
	first byte   // of head
	n     uint8  // bytes of head
	text  int    // 0 of an integer, which is all head
	rest  uint64 // of head, little endian
}

// ofBytes makes an element of s, which is an integer if it reads like one.
func ofBytes(s []byte) element {
	if n, ok := resp.ParseInt(s); ok {
		return ofInt(n)
	}
	switch n := len(s); {
	case n < 1<<6:
		return element{first: headString6 | byte(n), n: 1, text: n}
	case n < 1<<12:
		return element{first: headString12 | byte(n>>8), n: 2, text: n, rest: uint64(n)}
	default:
		return element{first: headString32, n: 5, text: n, rest: uint64(n)}
	}
}

func ofInt(v int64) element {
	u := uint64(v)
	switch {
	case v >= 0 && v <= 127:
		return element{first: byte(v), n: 1}
	case v >= -1<<12 && v < 1<<12:
		return element{first: headInt13 | byte(v>>8)&0x1F, rest: u, n: 2}
	case v >= math.MinInt16 && v <= math.MaxInt16:
		return element{first: headInt16, rest: u, n: 3}
	case v >= -1<<23 && v < 1<<23:
		return element{first: headInt24, rest: u, n: 4}
	case v >= math.MinInt32 && v <= math.MaxInt32:
		return element{first: headInt32, rest: u, n: 5}
	default:
		return element{first: headInt64, rest: u, n: 9}
	}
}

// extent is the length of head and text.
func (e element) extent() int { return int(e.n) + e.text }

// size is what the element takes in all.
func (e element) size() int { return e.extent() + backBytes(e.extent()) }

// put writes the element, made of s or of an integer; dst has room for it.
func (e element) put(dst, s []byte) {
	dst[0] = e.first
	switch e.n {
	case 2:
		dst[1] = byte(e.rest)
	case 3:
		binary.LittleEndian.PutUint16(dst[1:], uint16(e.rest))
	case 4:
		binary.LittleEndian.PutUint16(dst[1:], uint16(e.rest))
		dst[3] = byte(e.rest >> 16)
	case 5:
		binary.LittleEndian.PutUint32(dst[1:], uint32(e.rest))
	case 9:
		binary.LittleEndian.PutUint64(dst[1:], e.rest)
	}
	n := int(e.n) + copy(dst[e.n:], s[:e.text])
	putBackward(dst[n:], n)
}

// backBytes is how many bytes the backward length n takes. The bounds are one lower than seven bits a byte would allow,
// from the second on, because redis has them so.
func backBytes(n int) int {
	switch {
	case n <= 127:
		return 1
	case n < 16383:
		return 2
	case n < 2097151:
		return 3
	case n < 268435455:
		return 4
	}
	return 5
}

func putBackward(dst []byte, n int) {
	size := backBytes(n)
	for i := size - 1; i > 0; i-- {
		dst[i] = byte(n)&0x7F | 0x80
		n >>= 7
	}
	dst[0] = byte(n)
}

// backward reads the length that ends before p, and how many bytes it takes itself; -1 if it takes more than five.
func backward(lp []byte, p int) (n, size int) {
	for size < 5 {
		size++
		b := lp[p-size]
		n |= int(b&0x7F) << (7 * (size - 1))
		if b < 0x80 {
			return n, size
		}
	}
	return -1, size
}

// ElementBytes is what element s would take in a listpack.
func ElementBytes(s []byte) int {
	e := ofBytes(s)
	return e.size()
}
