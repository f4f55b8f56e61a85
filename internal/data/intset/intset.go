// Package intset reads and writes redis's intset: a sorted row of different integers, which is what a small set of
// integers is made of. The bytes are exactly those of redis, so they may be put into RDB files and DUMP payloads as they
// are.
//
//	intset | bytes of an integer: 2, 4 or 8 (4, little endian) | count (4) | integer, little endian ... |
//
// All integers have the width that the widest one ever added needs: it grows, and does not shrink again.
//
// An intset is a plain []byte. The functions that change one return it, as append does, and use spare capacity. They
// trust their intset: bytes from outside go through Validate first.
package intset

import (
	"encoding/binary"
	"errors"
	"iter"
	"math"
	"sort"
)

const headerBytes = 8

// MaxLen is how many integers redis lets an intset have.
const MaxLen = 1 << 30

// ErrCorrupt: the bytes are not an intset.
var ErrCorrupt = errors.New("intset: corrupt data")

// New returns an empty intset.
func New() []byte { return []byte{2, 0, 0, 0, 0, 0, 0, 0} }

// Len is the number of integers.
func Len(is []byte) int { return int(binary.LittleEndian.Uint32(is[4:])) }

// At is the integer with index i in ascending order, 0 <= i < Len.
func At(is []byte, i int) int64 {
	switch width(is) {
	case 2:
		return int64(int16(binary.LittleEndian.Uint16(is[headerBytes+2*i:])))
	case 4:
		return int64(int32(binary.LittleEndian.Uint32(is[headerBytes+4*i:])))
	}
	return int64(binary.LittleEndian.Uint64(is[headerBytes+8*i:]))
}

// All yields the integers in ascending order.
func All(is []byte) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for i := range Len(is) {
			if !yield(At(is, i)) {
				return
			}
		}
	}
}

// Has reports whether v is in the set.
func Has(is []byte, v int64) bool {
	i := search(is, v)
	return i < Len(is) && At(is, i) == v
}

// Add adds v, and reports whether it was not there.
func Add(is []byte, v int64) ([]byte, bool) {
	i, n, w := search(is, v), Len(is), width(is)
	if i < n && At(is, i) == v {
		return is, false
	}
	if need := widthOf(v); need > w {
		is, w = widen(is, need), need
	}
	old := len(is)
	is = resize(is, old+w)
	copy(is[headerBytes+(i+1)*w:], is[headerBytes+i*w:old])
	set(is, i, v)
	binary.LittleEndian.PutUint32(is[4:], uint32(n+1))
	return is, true
}

// Remove takes v away, and reports whether it was there.
func Remove(is []byte, v int64) ([]byte, bool) {
	i, n, w := search(is, v), Len(is), width(is)
	if i == n || At(is, i) != v {
		return is, false
	}
	copy(is[headerBytes+i*w:], is[headerBytes+(i+1)*w:])
	is = resize(is, len(is)-w)
	binary.LittleEndian.PutUint32(is[4:], uint32(n-1))
	return is, true
}

// Validate checks bytes from outside: width, count, and that the integers ascend. An empty intset is refused, as redis
// does: it keeps no empty sets.
func Validate(is []byte) error {
	if len(is) < headerBytes {
		return ErrCorrupt
	}
	w := binary.LittleEndian.Uint32(is)
	if w != 2 && w != 4 && w != 8 {
		return ErrCorrupt
	}
	n := Len(is)
	if n == 0 || headerBytes+n*int(w) != len(is) {
		return ErrCorrupt
	}
	for i := 1; i < n; i++ {
		if At(is, i-1) >= At(is, i) {
			return ErrCorrupt
		}
	}
	return nil
}

// search is the index of the first integer that is not less than v.
func search(is []byte, v int64) int {
	return sort.Search(Len(is), func(i int) bool { return At(is, i) >= v })
}

func width(is []byte) int { return int(is[0]) }

func widthOf(v int64) int {
	switch {
	case v < math.MinInt32 || v > math.MaxInt32:
		return 8
	case v < math.MinInt16 || v > math.MaxInt16:
		return 4
	}
	return 2
}

func set(is []byte, i int, v int64) {
	switch width(is) {
	case 2:
		binary.LittleEndian.PutUint16(is[headerBytes+2*i:], uint16(v))
	case 4:
		binary.LittleEndian.PutUint32(is[headerBytes+4*i:], uint32(v))
	default:
		binary.LittleEndian.PutUint64(is[headerBytes+8*i:], uint64(v))
	}
}

// widen is the same set with wider integers.
func widen(is []byte, w int) []byte {
	n := Len(is)
	wide := make([]byte, headerBytes+n*w, headerBytes+(n+1)*w)
	wide[0] = byte(w)
	binary.LittleEndian.PutUint32(wide[4:], uint32(n))
	for i := range n {
		set(wide, i, At(is, i))
	}
	return wide
}

// spare is how much memory an intset may always have: more is given back when half of it would do.
const spare = 512

// resize makes is n bytes long, in memory of the size class of n bytes unless there is room.
func resize(is []byte, n int) []byte {
	if n <= cap(is) && (n > cap(is)/2 || cap(is) <= spare) {
		return is[:n]
	}
	room := append([]byte(nil), make([]byte, n)...)
	copy(room, is)
	return room
}
