// Package listpack reads and writes redis's listpack: a row of strings and integers in one piece of memory, which is
// what small lists, hashes, sets and sorted sets are made of, and each node of a large list or stream. The bytes are
// exactly those that redis 7 makes of the same elements, so they may be put into RDB files and DUMP payloads as they are.
//
//	listpack | bytes of it all (4, little endian) | count (2) | element ... | FF |
//	element  | head | data | length of head and data, to be read backwards |
//
// A count of 65535 means that one has to count. The head of an element:
//
//	0xxxxxxx                       integer 0..127
//	10llllll                       string of l bytes, up to 63
//	110xxxxx xxxxxxxx              integer of 13 bits, two's complement
//	1110llll llllllll              string of up to 4095 bytes
//	11110000 <4 bytes>             string of so many bytes, little endian
//	11110001 <2>  11110010 <3>     integer of 16, 24, 32 and 64 bits, little endian
//	11110011 <4>  11110100 <8>
//	11111111                       end
//
// The length at the end of an element has seven bits a byte, the most significant first; all bytes but the first have
// the top bit set, so that it can be read from its last byte on. A string that is the decimal form of a 64-bit integer
// is stored as that integer: the element "10" takes two bytes.
//
// A listpack is a plain []byte, and a place in it the offset of an element: 0 is none, since an element begins at 6 or
// later. The functions that change one return it, as append does, and use spare capacity; places change with it. They
// trust their listpack: bytes from outside go through Validate first.
package listpack

import (
	"encoding/binary"
	"errors"
	"strconv"

	"github.com/skeindb/skein/internal/base/resp"
)

const (
	headerBytes = 6
	unknown     = 1<<16 - 1 // the count when there are too many
	end         = 0xFF

	// EmptyBytes is the length of a listpack without elements.
	EmptyBytes = headerBytes + 1

	// MaxBytes is how long a listpack may grow: redis's limit of 1 GiB.
	MaxBytes = 1 << 30
)

// ErrCorrupt: the bytes are not a listpack.
var ErrCorrupt = errors.New("listpack: corrupt data")

// New returns an empty listpack.
func New() []byte { return []byte{EmptyBytes, 0, 0, 0, 0, 0, end} }

// Of returns a listpack of elements.
func Of(elements ...string) []byte {
	lp := New()
	for _, e := range elements {
		lp = Append(lp, []byte(e))
	}
	return lp
}

// Len is the number of elements.
func Len(lp []byte) int {
	n := int(binary.LittleEndian.Uint16(lp[4:]))
	if n != unknown {
		return n
	}
	n = 0
	for p := headerBytes; lp[p] != end; p = skip(lp, p) {
		n++
	}
	return n
}

// SafeToAdd reports whether a listpack stays within MaxBytes with so many bytes more.
func SafeToAdd(lp []byte, n int) bool { return len(lp)+n <= MaxBytes }

// First is the place of the first element, 0 if there is none.
func First(lp []byte) int { return valid(lp, headerBytes) }

// Last is the place of the last element, 0 if there is none.
func Last(lp []byte) int { return before(lp, len(lp)-1) }

// Next is the place after p, 0 at the end.
func Next(lp []byte, p int) int { return valid(lp, skip(lp, p)) }

// Prev is the place before p, 0 at the beginning.
func Prev(lp []byte, p int) int { return before(lp, p) }

// Seek is the place of the element with an index, counted from the end where it is negative (-1 is the last); 0 if there
// is none.
func Seek(lp []byte, index int) int {
	if n := int(binary.LittleEndian.Uint16(lp[4:])); n != unknown {
		if index < 0 {
			index += n
		}
		if index < 0 || index >= n {
			return 0
		}
		if index > n/2 {
			index -= n
		}
	}
	if index >= 0 {
		p := First(lp)
		for ; p != 0 && index > 0; index-- {
			p = Next(lp, p)
		}
		return p
	}
	p := Last(lp)
	for ; p != 0 && index < -1; index++ {
		p = Prev(lp, p)
	}
	return p
}

// valid is p unless the listpack ends there.
func valid(lp []byte, p int) int {
	if lp[p] == end {
		return 0
	}
	return p
}

// before is the place of the element that ends at p.
func before(lp []byte, p int) int {
	if p == headerBytes {
		return 0
	}
	n, size := backward(lp, p)
	return p - n - size
}

// skip is where the element at p ends.
func skip(lp []byte, p int) int {
	n := extent(lp, p)
	return p + n + backBytes(n)
}

// Entry is an element: an integer, or a string that is a view of the listpack.
type Entry struct {
	Str []byte // nil for an integer
	Int int64
}

// IsInt tells whether the element is an integer.
func (e Entry) IsInt() bool { return e.Str == nil }

// Append appends the element as a string.
func (e Entry) Append(dst []byte) []byte {
	if e.IsInt() {
		return strconv.AppendInt(dst, e.Int, 10)
	}
	return append(dst, e.Str...)
}

// Text is the element as a string. A number is written into scratch, which becomes memory for the next one.
func (e Entry) Text(scratch *[]byte) []byte {
	if !e.IsInt() {
		return e.Str
	}
	*scratch = e.Append((*scratch)[:0])
	return *scratch
}

// Len is the length of the element as a string.
func (e Entry) Len() int {
	if e.IsInt() {
		var scratch [20]byte
		return len(strconv.AppendInt(scratch[:0], e.Int, 10))
	}
	return len(e.Str)
}

// Equal reports whether the element is s.
func (e Entry) Equal(s []byte) bool {
	if e.IsInt() {
		n, ok := resp.ParseInt(s)
		return ok && n == e.Int
	}
	return string(e.Str) == string(s)
}

// Integer is the element as an integer, if it is one, however it is stored.
func (e Entry) Integer() (int64, bool) {
	if e.IsInt() {
		return e.Int, true
	}
	return resp.ParseInt(e.Str)
}

// Find is the place of the first element equal to s, from p on (0: none), looking at one element and passing over
// stride of them, and so on; 0 if there is none.
func Find(lp []byte, p int, s []byte, stride int) int {
	n, isInt := resp.ParseInt(s)
	for p != 0 {
		if e := Get(lp, p); e.IsInt() && isInt && e.Int == n || !e.IsInt() && string(e.Str) == string(s) {
			return p
		}
		p = Next(lp, p)
		for i := 0; i < stride && p != 0; i++ {
			p = Next(lp, p)
		}
	}
	return 0
}
