package listpack

import (
	"encoding/binary"
	"slices"
)

// Who adds many elements at once lifts the end, appends the elements one by one, and lets the end down again:
//
//	b := listpack.Lift(lp)
//	b = listpack.AppendElement(b, s)
//	lp = listpack.Lower(b, 1)
//
// It is append's memory, which grows as append lets it.

// Lift is a listpack without its end.
func Lift(lp []byte) []byte { return lp[:len(lp)-1] }

// Lower is the listpack that b is, to which so many elements were appended, with its end.
func Lower(b []byte, more int) []byte {
	lp := append(b, end)
	setBytes(lp)
	if n := int(binary.LittleEndian.Uint16(lp[4:])); n != unknown {
		setCount(lp, n+more)
	}
	return lp
}

// AppendElement appends an element.
func AppendElement(b, s []byte) []byte {
	return ofBytes(s).append(b, s)
}

// AppendElementInt appends an integer.
func AppendElementInt(b []byte, n int64) []byte {
	if n >= 0 && n <= 127 {
		return append(b, byte(n), 1)
	}
	return ofInt(n).append(b, nil)
}

// MaxElementBytes is the most that an element of n bytes takes.
func MaxElementBytes(n int) int { return n + 10 }

func (e element) append(b, s []byte) []byte {
	at, size := len(b), e.size()
	b = slices.Grow(b, size)[:at+size]
	e.put(b[at:], s)
	return b
}

// PutInt makes the element at p the integer n if that takes as many bytes; else it returns false.
func PutInt(lp []byte, p int, n int64) bool {
	e := ofInt(n)
	if e.size() != skip(lp, p)-p {
		return false
	}
	e.put(lp[p:], nil)
	return true
}
