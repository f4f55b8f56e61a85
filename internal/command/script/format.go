package script

import (
	"math"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// stringFormat is string.format: C's printf, as far as Lua 5.1 lets it through.
func stringFormat(L *lua.LState) int {
	format := checkString(L, 1)
	var b []byte
	arg := 1
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b = append(b, format[i])
			continue
		}
		if i++; i < len(format) && format[i] == '%' {
			b = append(b, '%')
			continue
		}
		spec, n := readDirective(L, format[i:])
		i += n
		if i >= len(format) {
			L.RaiseError("invalid option '%%' to 'format'")
		}
		arg++
		b = spec.append(L, b, format[i], arg)
		bound(L, len(b))
	}
	L.Push(lua.LString(b))
	return 1
}

// directive is what stands between % and the letter.
type directive struct {
	left, plus, space, alt, zero bool
	width, precision             int // precision -1: none
}

func readDirective(L *lua.LState, s string) (d directive, n int) {
	d.precision = -1
	for ; n < len(s) && strings.IndexByte("-+ #0", s[n]) >= 0; n++ {
		switch s[n] {
		case '-':
			d.left = true
		case '+':
			d.plus = true
		case ' ':
			d.space = true
		case '#':
			d.alt = true
		case '0':
			d.zero = true
		}
	}
	if n >= 6 {
		L.RaiseError("invalid format (repeated flags)")
	}
	number := func() (v int) {
		for digits := 0; digits < 2 && n < len(s) && s[n] >= '0' && s[n] <= '9'; digits++ {
			v = v*10 + int(s[n]-'0')
			n++
		}
		return v
	}
	d.width = number()
	if n < len(s) && s[n] == '.' {
		n++
		d.precision = number()
	}
	if n < len(s) && s[n] >= '0' && s[n] <= '9' {
		L.RaiseError("invalid format (width or precision too long)")
	}
	return d, n
}

// append appends argument i, formatted by letter.
func (d *directive) append(L *lua.LState, b []byte, letter byte, i int) []byte {
	switch letter {
	case 'c':
		return d.pad(b, string([]byte{byte(number(L, i))}), false)
	case 'd', 'i':
		return d.integer(b, truncated(number(L, i)))
	case 'o', 'u', 'x', 'X':
		return d.unsigned(b, uint64(truncated(number(L, i))), letter)
	case 'e', 'E', 'f', 'g', 'G':
		return d.float(b, float64(number(L, i)), letter)
	case 'q':
		return appendQuoted(b, checkString(L, i))
	case 's':
		s := checkString(L, i)
		if d.precision >= 0 && len(s) > d.precision {
			s = s[:d.precision]
		}
		return d.pad(b, s, false)
	}
	L.RaiseError("invalid option '%%%s' to 'format'", string(letter))
	return b
}

// number is argument i; that it is missing is told as Lua does.
func number(L *lua.LState, i int) lua.LNumber {
	if i > L.GetTop() {
		L.ArgError(i, "no value")
	}
	return L.CheckNumber(i)
}

// pad appends s in the width given; zeros says that they may fill it.
func (d *directive) pad(b []byte, s string, zeros bool) []byte {
	fill := d.width - len(s)
	if fill <= 0 {
		return append(b, s...)
	}
	switch {
	case d.left:
		return append(append(b, s...), strings.Repeat(" ", fill)...)
	case d.zero && zeros:
		sign := 0
		if s != "" && strings.IndexByte("+- ", s[0]) >= 0 {
			sign = 1
		}
		if len(s) > sign+1 && s[sign] == '0' && (s[sign+1] == 'x' || s[sign+1] == 'X') {
			sign += 2
		}
		b = append(b, s[:sign]...)
		b = append(b, strings.Repeat("0", fill)...)
		return append(b, s[sign:]...)
	}
	return append(append(b, strings.Repeat(" ", fill)...), s...)
}

// sign is what stands before a number.
func (d *directive) sign(negative bool) string {
	switch {
	case negative:
		return "-"
	case d.plus:
		return "+"
	case d.space:
		return " "
	}
	return ""
}

// digits fills s with zeros up to the precision.
func (d *directive) digits(s string) string {
	if d.precision == 0 && s == "0" {
		return ""
	}
	if fill := d.precision - len(s); fill > 0 {
		return strings.Repeat("0", fill) + s
	}
	return s
}

func (d *directive) integer(b []byte, n int64) []byte {
	magnitude := uint64(n)
	if n < 0 {
		magnitude = -magnitude
	}
	return d.pad(b, d.sign(n < 0)+d.digits(strconv.FormatUint(magnitude, 10)), d.precision < 0)
}

func (d *directive) unsigned(b []byte, n uint64, letter byte) []byte {
	base, prefix := 10, ""
	switch letter {
	case 'o':
		base, prefix = 8, "0"
	case 'x':
		base, prefix = 16, "0x"
	case 'X':
		base, prefix = 16, "0X"
	}
	s := d.digits(strconv.FormatUint(n, base))
	if letter == 'X' {
		s = strings.ToUpper(s)
	}
	if d.alt && n != 0 {
		s = prefix + s
	}
	return d.pad(b, s, d.precision < 0)
}

func (d *directive) float(b []byte, f float64, letter byte) []byte {
	precision := d.precision
	if precision < 0 {
		precision = 6
	}
	sign := d.sign(math.Signbit(f))
	magnitude := math.Abs(f)
	upper := letter == 'E' || letter == 'G'
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return d.pad(b, sign+string(appendG(nil, magnitude, 1, upper, false)), false)
	}
	var s []byte
	switch letter {
	case 'e', 'E':
		s = strconv.AppendFloat(nil, magnitude, letter, precision, 64)
	case 'f':
		s = strconv.AppendFloat(nil, magnitude, 'f', precision, 64)
	default:
		s = appendG(nil, magnitude, precision, upper, d.alt)
	}
	return d.pad(b, sign+string(s), true)
}

// appendQuoted is %q: a string that Lua reads back.
func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	for _, c := range []byte(s) {
		switch c {
		case '"', '\\', '\n':
			b = append(b, '\\', c)
		case '\r':
			b = append(b, "\\r"...)
		case 0:
			b = append(b, "\\000"...)
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
