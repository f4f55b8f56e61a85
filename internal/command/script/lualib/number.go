package lualib

import (
	"math"
	"strconv"
	"strings"
)

// formatNumber writes a number as C's %.*g does.
func formatNumber(f float64, precision int) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case math.IsNaN(f):
		if math.Signbit(f) {
			return "-nan"
		}
		return "nan"
	}
	return strconv.FormatFloat(f, 'g', precision, 64)
}

// parseNumber reads a string that is a number from its first to its last byte, but for spaces around it.
func parseNumber(s string) (float64, bool) {
	const spaces = " \t\n\v\f\r"
	s = strings.Trim(s, spaces)
	f, n := strtod(s)
	return f, n > 0 && n == len(s)
}

// strtod reads the longest number that s begins with, and tells its length, 0 if there is none. Like the
// function of C it takes signs, infinity, nan and hexadecimal numbers.
func strtod(s string) (value float64, length int) {
	i := 0
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	rest := s[i:]
	switch {
	case foldPrefix(rest, "infinity"):
		return sign(math.Inf(1), s), i + 8
	case foldPrefix(rest, "inf"):
		return sign(math.Inf(1), s), i + 3
	case foldPrefix(rest, "nan"):
		return sign(math.NaN(), s), i + 3 + parenthesis(rest[3:])
	case foldPrefix(rest, "0x"):
		if n := scan(rest[2:], isHex, 'p'); n > 0 {
			return parse("0x"+rest[2:2+n], 'p', s), i + 2 + n
		}
		return sign(0, s), i + 1
	}
	n := scan(rest, isDigit, 'e')
	if n == 0 {
		return 0, 0
	}
	return parse(rest[:n], 'e', s), i + n
}

// scan finds the end of digits, fraction and exponent.
func scan(s string, digit func(byte) bool, exponent byte) int {
	i, digits := 0, 0
	for ; i < len(s) && digit(s[i]); i++ {
		digits++
	}
	if i < len(s) && s[i] == '.' {
		for i++; i < len(s) && digit(s[i]); i++ {
			digits++
		}
	}
	if digits == 0 {
		return 0
	}
	if i < len(s) && s[i]|0x20 == exponent {
		j := i + 1
		if j < len(s) && (s[j] == '+' || s[j] == '-') {
			j++
		}
		if j < len(s) && isDigit(s[j]) {
			for i = j; i < len(s) && isDigit(s[i]); i++ {
			}
		}
	}
	return i
}

// parse reads what scan has found. What is too large is infinite, as in C.
func parse(digits string, exponent byte, signed string) float64 {
	if exponent == 'p' && !strings.ContainsAny(digits, "pP") {
		digits += "p0"
	}
	f, _ := strconv.ParseFloat(digits, 64)
	return sign(f, signed)
}

func sign(f float64, s string) float64 {
	if s[0] == '-' {
		return math.Copysign(f, -1)
	}
	return f
}

// parenthesis is the length of the payload that may follow a nan: "(1f)".
func parenthesis(s string) int {
	if s == "" || s[0] != '(' {
		return 0
	}
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == ')':
			return i + 1
		case !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'z') && c != '_':
			return 0
		}
	}
	return 0
}

func foldPrefix(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isHex(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

// toInt64 is the conversion of x86: what does not fit is the smallest integer.
func toInt64(f float64) int64 {
	if f >= -1<<63 && f < 1<<63 {
		return int64(f)
	}
	return math.MinInt64
}

// toUint64 is what compilers make of the conversion to unsigned on x86.
func toUint64(f float64) uint64 {
	if f >= 1<<63 {
		return uint64(toInt64(f-1<<63)) ^ 1<<63
	}
	return uint64(toInt64(f))
}
