package script

import (
	"math"
	"strconv"

	"github.com/skeindb/skein/internal/base/resp"
	lua "github.com/yuin/gopher-lua"
)

// numberText is a number as Lua 5.1 writes it: C's "%.14g".
func numberText(n lua.LNumber) string {
	f := float64(n)
	if f == math.Trunc(f) && math.Abs(f) < 1e14 && (f != 0 || !math.Signbit(f)) {
		return strconv.FormatInt(int64(f), 10)
	}
	return string(appendG(nil, f, 14, false, false))
}

// argumentText is a number as redis writes it when it becomes an argument of a command:
// with as many digits as it takes to tell it from others.
func argumentText(dst []byte, n lua.LNumber) []byte { return resp.AppendDouble(dst, float64(n)) }

// textOf is v as a string if it is one, or a number.
func textOf(v lua.LValue) (string, bool) {
	switch v := v.(type) {
	case lua.LString:
		return string(v), true
	case lua.LNumber:
		return numberText(v), true
	}
	return "", false
}

// truncated is C's (long long)f on the machines that we know: what does not fit is the least number.
func truncated(n lua.LNumber) int64 {
	f := float64(n)
	if f >= math.MinInt64 && f < -math.MinInt64 {
		return int64(f)
	}
	return math.MinInt64
}

// appendG is C's %g with a precision; alt keeps trailing zeros (the flag #).
func appendG(dst []byte, f float64, precision int, upper, alt bool) []byte {
	switch {
	case math.IsNaN(f):
		return appendCased(dst, signed(math.Signbit(f), "nan"), upper)
	case math.IsInf(f, 0):
		return appendCased(dst, signed(f < 0, "inf"), upper)
	}
	if precision == 0 {
		precision = 1
	}
	exp := 0
	if f != 0 {
		e := strconv.FormatFloat(f, 'e', precision-1, 64)
		exp, _ = strconv.Atoi(e[indexE(e)+1:])
	}
	from := len(dst)
	if exp < -4 || exp >= precision {
		dst = strconv.AppendFloat(dst, f, 'e', precision-1, 64)
		if !alt {
			dst = trimExp(dst, from)
		}
	} else {
		dst = strconv.AppendFloat(dst, f, 'f', precision-1-exp, 64)
		if !alt {
			dst = trimZeros(dst, from)
		}
	}
	if upper {
		return appendCased(dst[:from], string(dst[from:]), true)
	}
	return dst
}

func signed(negative bool, word string) string {
	if negative {
		return "-" + word
	}
	return word
}

func appendCased(dst []byte, s string, upper bool) []byte {
	for i := range len(s) {
		c := s[i]
		if upper && c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

func indexE(s string) int {
	for i := range len(s) {
		if s[i] == 'e' {
			return i
		}
	}
	return len(s)
}

// trimZeros removes the zeros at the end of a fraction, and a point without one.
func trimZeros(b []byte, from int) []byte {
	point := -1
	for i := from; i < len(b); i++ {
		if b[i] == '.' {
			point = i
		}
	}
	if point < 0 {
		return b
	}
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	if b[len(b)-1] == '.' {
		b = b[:len(b)-1]
	}
	return b
}

// trimExp is trimZeros for a number with an exponent.
func trimExp(b []byte, from int) []byte {
	at := from + indexE(string(b[from:]))
	exp := string(b[at:])
	return append(trimZeros(b[:at], from), exp...)
}
