package hll

import "slices"

// The limits of what one run can say.
const (
	valueMax   = 32
	valueSpan  = 4
	zeroSpan   = 64
	scanValues = 5 // so many runs are looked at for neighbours that can be joined
)

// run is a run of registers with one value, in so many bytes.
type run struct {
	span, size int
	value      uint8
}

// read reads the run at p; false if it is cut off.
func read(b []byte, p int) (run, bool) {
	c := b[p]
	switch {
	case c&0x80 != 0:
		return run{int(c&3) + 1, 1, c>>2&0x1F + 1}, true
	case c&0x40 == 0:
		return run{int(c&0x3F) + 1, 1, 0}, true
	case p+1 < len(b):
		return run{(int(c&0x3F)<<8 | int(b[p+1])) + 1, 2, 0}, true
	}
	return run{}, false
}

func appendValue(b []byte, value uint8, span int) []byte {
	return append(b, 0x80|(value-1)<<2|byte(span-1))
}

// appendZeros appends a run of zeros, which may be empty.
func appendZeros(b []byte, span int) []byte {
	switch {
	case span == 0:
		return b
	case span > zeroSpan:
		return append(b, 0x40|byte((span-1)>>8), byte(span-1))
	}
	return append(b, byte(span-1))
}

// setSparse raises register i. The run that it lies in is split in up to three, and then neighbours of equal value are
// joined, from the run before on: exactly as far as redis does it, or the bytes would differ.
func setSparse(b []byte, i int, value uint8, sparseMax int) (_ []byte, changed bool, err error) {
	if value > valueMax {
		return promote(b, i, value)
	}
	p, before, first := headerBytes, headerBytes, 0
	var op run
	for {
		if p >= len(b) {
			return b, false, ErrCorrupt
		}
		var ok bool
		if op, ok = read(b, p); !ok {
			return b, false, ErrCorrupt
		}
		if i < first+op.span {
			break
		}
		before = p
		p += op.size
		first += op.span
	}
	if op.value >= value {
		return b, false, nil
	}
	var scratch [5]byte
	pieces, left, right := scratch[:0], i-first, first+op.span-1-i
	if op.value == 0 {
		pieces = appendZeros(appendValue(appendZeros(pieces, left), value, 1), right)
	} else {
		if left > 0 {
			pieces = appendValue(pieces, op.value, left)
		}
		if pieces = appendValue(pieces, value, 1); right > 0 {
			pieces = appendValue(pieces, op.value, right)
		}
	}
	if len(pieces) > op.size && len(b)+len(pieces)-op.size > sparseMax {
		return promote(b, i, value)
	}
	b = join(slices.Replace(b, p, p+op.size, pieces...), before)
	Invalidate(b)
	return b, true, nil
}

// join joins neighbours from p on.
func join(b []byte, p int) []byte {
	for range scanValues {
		if p >= len(b) {
			break
		}
		op, ok := read(b, p)
		if !ok {
			break
		}
		if op.value > 0 && p+1 < len(b) {
			if next, _ := read(b, p+1); next.value == op.value && op.span+next.span <= valueSpan {
				b = slices.Delete(b, p, p+1)
				appendValue(b[:p], op.value, op.span+next.span)
				continue
			}
		}
		p += op.size
	}
	return b
}

// promote makes the string dense and raises a register.
func promote(b []byte, i int, value uint8) ([]byte, bool, error) {
	d, err := ToDense(b)
	if err != nil {
		return b, false, err
	}
	return Set(d, i, value, 0)
}
