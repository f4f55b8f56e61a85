package resp

import (
	"math"
	"strconv"
)

// maxIntLen is the length of the longest 64-bit integer in decimal,
// -9223372036854775808.
const maxIntLen = 20

// ParseInt reads b as a decimal 64-bit integer as strictly as redis does:
// the only form accepted is the one that AppendInt writes. Spaces, a plus
// sign, leading zeros and -0 are refused, so every integer has one spelling.
func ParseInt(b []byte) (n int64, ok bool) {
	if len(b) == 0 || len(b) > maxIntLen {
		return 0, false
	}
	digits, negative := b, false
	if b[0] == '-' {
		digits, negative = b[1:], true
	}
	if len(digits) == 0 {
		return 0, false
	}
	if digits[0] == '0' {
		return 0, len(b) == 1
	}
	// Nineteen digits cannot overflow 64 unsigned bits; twenty can, and only
	// a number without sign has room for them: it is out of range anyway.
	if len(digits) > 19 {
		return 0, false
	}
	var u uint64
	for _, c := range digits {
		c -= '0'
		if c > 9 {
			return 0, false
		}
		u = u*10 + uint64(c)
	}
	if negative {
		return -int64(u), u <= 1<<63
	}
	return int64(u), u <= math.MaxInt64
}

// AppendDouble appends d as redis formats scores and doubles: an integral
// value as an integer, others with digits that read back as d;
// inf, -inf, nan and -0 by these names.
func AppendDouble(b []byte, d float64) []byte {
	switch {
	case math.IsNaN(d):
		return append(b, "nan"...)
	case math.IsInf(d, 1):
		return append(b, "inf"...)
	case math.IsInf(d, -1):
		return append(b, "-inf"...)
	case d == 0 && math.Signbit(d):
		return append(b, "-0"...)
	case math.Abs(d) <= 1<<62 && d == math.Trunc(d):
		return strconv.AppendInt(b, int64(d), 10)
	}
	return AppendShortest(b, d)
}

// AppendShortest places the digits of d, which is finite, as redis's fpconv does. With
// digits d1 d2 … dn and the value 0.d1d2…dn * 10^point:
//
//	large:  ddd000       up to seven zeros are added
//	middle: dd.ddd or 0.000ddd
//	else:   d.ddde+20 or d.ddde-7
func AppendShortest(b []byte, d float64) []byte {
	if d == 0 {
		return append(b, '0')
	}
	var g grisu
	digits, shift := g.find(math.Abs(d)) // value = digits * 10^shift
	if d < 0 {
		b = append(b, '-')
	}
	count := len(digits)
	exponent := shift + count - 1
	size := max(exponent, -exponent)
	switch {
	case shift >= 0 && size < count+7:
		b = append(b, digits...)
		return appendZeros(b, shift)
	case shift < 0 && (shift > -7 || size < 4):
		if exponent < 0 {
			b = append(b, "0."...)
			b = appendZeros(b, -exponent-1)
			return append(b, digits...)
		}
		b = append(b, digits[:exponent+1]...)
		b = append(b, '.')
		return append(b, digits[exponent+1:]...)
	}
	b = append(b, digits[0])
	if count > 1 {
		b = append(b, '.')
		b = append(b, digits[1:]...)
	}
	b = append(b, 'e')
	if exponent < 0 {
		b = append(b, '-')
	} else {
		b = append(b, '+')
	}
	return strconv.AppendInt(b, int64(size), 10)
}

func appendZeros(b []byte, n int) []byte {
	for range n {
		b = append(b, '0')
	}
	return b
}
