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
		return Entry{Int: int64(b), IsInt: true}
	case b < headInt13:
		n := int(b & 0x3F)
		return Entry{Str: lp[p+1 : p+1+n : p+1+n]}
	case b < headString12:
		u := uint64(b&0x1F)<<8 | uint64(lp[p+1])
		return Entry{Int: signed(u, 13), IsInt: true}
	case b < headString32, b == headString32:
		from, to := p+headLen(b), p+extent(lp, p)
		return Entry{Str: lp[from:to:to]}
	default:
		n := extent(lp, p) - 1
		var u uint64
		for i := n; i > 0; i-- {
			u = u<<8 | uint64(lp[p+i])
		}
		return Entry{Int: signed(u, 8*n), IsInt: true}
	}
}

// signed reads the low bits of u as two's complement.
func signed(u uint64, bits int) int64 { return int64(u<<(64-bits)) >> (64 - bits) }

// An element about to be written: of a string its bytes, of an integer only its head.
type element struct {
	head [9]byte
	n    int // bytes of head
	data []byte
}

// ofBytes makes an element of s, which is an integer if it reads like one.
func ofBytes(s []byte) (e element) {
	if n, ok := resp.ParseInt(s); ok {
		return ofInt(n)
	}
	e.data = s
	switch n := len(s); {
	case n < 1<<6:
		e.head[0], e.n = headString6|byte(n), 1
	case n < 1<<12:
		e.head[0], e.head[1], e.n = headString12|byte(n>>8), byte(n), 2
	default:
		e.head[0], e.n = headString32, 5
		binary.LittleEndian.PutUint32(e.head[1:], uint32(n))
	}
	return e
}

func ofInt(v int64) (e element) {
	switch {
	case v >= 0 && v <= 127:
		e.head[0], e.n = byte(v), 1
		return e
	case v >= -1<<12 && v < 1<<12:
		e.head[0], e.head[1], e.n = headInt13|byte(v>>8)&0x1F, byte(v), 2
		return e
	case v >= math.MinInt16 && v <= math.MaxInt16:
		e.head[0], e.n = headInt16, 3
	case v >= -1<<23 && v < 1<<23:
		e.head[0], e.n = headInt24, 4
	case v >= math.MinInt32 && v <= math.MaxInt32:
		e.head[0], e.n = headInt32, 5
	default:
		e.head[0], e.n = headInt64, 9
	}
	for i := 1; i < e.n; i++ {
		e.head[i] = byte(v)
		v >>= 8
	}
	return e
}

// extent is the length of head and data.
func (e *element) extent() int { return e.n + len(e.data) }

// size is what the element takes in all.
func (e *element) size() int { return e.extent() + backBytes(e.extent()) }

// put writes the element; dst has room for it.
func (e *element) put(dst []byte) {
	n := copy(dst, e.head[:e.n])
	n += copy(dst[n:], e.data)
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
