package listpack

import "encoding/binary"

// Validate checks bytes from outside: that every element lies within them, reads the same forwards and backwards, and
// that length and count are right. Whatever passes can be given to all functions of this package. It returns the number
// of elements. It accepts what redis's deep check accepts.
func Validate(lp []byte) (count int, err error) {
	if len(lp) < EmptyBytes || len(lp) > MaxBytes+EmptyBytes || int(binary.LittleEndian.Uint32(lp)) != len(lp) || lp[len(lp)-1] != end {
		return 0, ErrCorrupt
	}
	last := len(lp) - 1
	p := headerBytes
	for lp[p] != end {
		head := headLen(lp[p])
		if head == 0 || p+head > last {
			return 0, ErrCorrupt
		}
		n := extent(lp, p)
		size := n + backBytes(n)
		if size > last-p {
			return 0, ErrCorrupt
		}
		p += size
		if back, bytes := backward(lp, p); back != n || bytes != backBytes(n) { // nobody writes a longer one than need be
			return 0, ErrCorrupt
		}
		count++
	}
	if p != last {
		return 0, ErrCorrupt
	}
	if said := int(binary.LittleEndian.Uint16(lp[4:])); said != unknown && said != count {
		return 0, ErrCorrupt
	}
	return count, nil
}
