package builtin

import (
	"bytes"
	"math/big"

	"github.com/skeindb/skein/internal/command"
)

// Redis adds floating point numbers as C's long double, on amd64 the extended
// format of the x87: 64 bits of mantissa and 15 of exponent. The functions here
// give what redis gives there, digit for digit, on every machine.
const (
	longDoubleBits = 64
	// longDoubleTop: a finite number is below 2^longDoubleTop.
	longDoubleTop = 16384
	// longDoubleFloor: a number up to 2^longDoubleFloor rounds to zero.
	longDoubleFloor = -16446
	// longDoubleMax is the greatest length of a number's text.
	longDoubleMax = 5*1024 - 1
	// longDoublePlaces are the decimal places of a result, before trailing zeros go.
	longDoublePlaces = 17
)

// addLongDoubles adds two numbers given as text and gives the sum as text, in
// plain decimal notation.
func addLongDoubles(a, b []byte) ([]byte, error) {
	x, ok := parseLongDouble(a)
	y, alsoOK := parseLongDouble(b)
	if !ok || !alsoOK {
		return nil, command.Error(command.ErrNotFloat)
	}
	return sumLongDoubles(x, y)
}

// sumLongDoubles is addLongDoubles of numbers that were read already; x becomes the
// sum.
func sumLongDoubles(x, y *big.Float) ([]byte, error) {
	if !x.IsInf() && !y.IsInf() {
		x.Add(x, y)
	}
	if x.IsInf() || y.IsInf() || x.MantExp(nil) > longDoubleTop {
		return nil, command.Error("ERR increment would produce NaN or Infinity")
	}
	return appendLongDouble(nil, x), nil
}

// appendLongDouble appends x with at most 17 decimal places, without zeros at
// the end and without a sign before zero.
func appendLongDouble(dst []byte, x *big.Float) []byte {
	from := len(dst)
	dst = x.Append(dst, 'f', longDoublePlaces)
	dst = bytes.TrimRight(dst, "0")
	dst = bytes.TrimSuffix(dst, []byte("."))
	if string(dst[from:]) == "-0" {
		dst = append(dst[:from], '0')
	}
	return dst
}

// parseLongDouble reads what C's strtold takes as a whole: a decimal or
// hexadecimal number or an infinity. It refuses NaN, leading space, and what is
// too large or, not being zero, too small for the format.
func parseLongDouble(b []byte) (x *big.Float, ok bool) {
	if len(b) == 0 || len(b) > longDoubleMax {
		return nil, false
	}
	digits, negative := b, false
	if b[0] == '+' || b[0] == '-' {
		digits, negative = b[1:], b[0] == '-'
	}
	if equalsWord(digits, "inf") || equalsWord(digits, "infinity") {
		return new(big.Float).SetInf(negative), true
	}
	n := numeral{base: 10, mark: 'e'}
	if len(digits) > 2 && digits[0] == '0' && digits[1]|0x20 == 'x' {
		n = numeral{base: 16, mark: 'p'}
		digits = digits[2:]
	}
	if !n.scan(digits) {
		return nil, false
	}
	x, ok = n.round()
	if ok && negative {
		x.Neg(x)
	}
	return x, ok
}

func equalsWord(b []byte, lower string) bool { return string(bytes.ToLower(b)) == lower }

// numeral is the number mantissa * 10^exponent, or mantissa * 2^exponent if it
// was written in base 16.
type numeral struct {
	base     int
	mark     byte // the lower case letter before an exponent
	mantissa big.Int
	exponent int
}

// exponentMax bounds exponents where it no longer matters how large they are.
const exponentMax = 1 << 20

// scan reads digits [. digits] [mark [sign] digits].
func (n *numeral) scan(b []byte) bool {
	var digits []byte // without the point
	point := -1
	i := 0
	for ; i < len(b) && (n.isDigit(b[i]) || b[i] == '.' && point < 0); i++ {
		if b[i] == '.' {
			point = len(digits)
		} else {
			digits = append(digits, b[i])
		}
	}
	if len(digits) == 0 {
		return false
	}
	n.mantissa.SetString(string(digits), n.base)
	if i < len(b) && b[i]|0x20 == n.mark {
		var ok bool
		if n.exponent, ok = scanExponent(b[i+1:]); !ok {
			return false
		}
		i = len(b)
	}
	if point >= 0 {
		places := len(digits) - point
		if n.base == 16 {
			places *= 4
		}
		n.exponent -= places
	}
	return i == len(b)
}

func (n *numeral) isDigit(c byte) bool {
	return '0' <= c && c <= '9' || n.base == 16 && 'a' <= c|0x20 && c|0x20 <= 'f'
}

// scanExponent reads all of b as an exponent. Huge ones are cut to exponentMax.
func scanExponent(b []byte) (n int, ok bool) {
	negative := false
	if len(b) > 0 && (b[0] == '+' || b[0] == '-') {
		b, negative = b[1:], b[0] == '-'
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = min(n*10+int(c-'0'), exponentMax)
	}
	if negative {
		n = -n
	}
	return n, len(b) > 0
}

// round is the number rounded once, to the nearest long double, half to even.
func (n *numeral) round() (x *big.Float, ok bool) {
	x = new(big.Float).SetPrec(longDoubleBits)
	if n.mantissa.Sign() == 0 {
		return x, true
	}
	if n.base == 16 {
		x.SetInt(&n.mantissa).SetMantExp(x, n.exponent)
		return x, inLongDouble(x)
	}
	// 10^5000 is far out of range already: keep the power from growing past use.
	if size := n.exponent + n.mantissa.BitLen()*3/10; size > 5000 || size < -5000 {
		return nil, false
	}
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(n.exponent, -n.exponent))), nil)
	if n.exponent >= 0 {
		x.SetInt(power.Mul(power, &n.mantissa))
	} else {
		// Operands without a precision take all of their bits: Quo is exact but for its one rounding.
		x.Quo(new(big.Float).SetInt(&n.mantissa), new(big.Float).SetInt(power))
	}
	return x, inLongDouble(x)
}

// inLongDouble tells whether x, not zero, has a long double other than zero and infinity.
func inLongDouble(x *big.Float) bool {
	e := x.MantExp(nil) // 2^(e-1) <= |x| < 2^e
	if e > longDoubleTop || e <= longDoubleFloor {
		return false
	}
	half := new(big.Float).SetMantExp(big.NewFloat(1), longDoubleFloor)
	return new(big.Float).Abs(x).Cmp(half) > 0
}
