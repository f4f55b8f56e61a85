package config

import (
	"math"
	"strconv"
	"strings"

	"github.com/skeindb/skein/internal/base/glob"
)

// leadingInt reads an integer at the start of s as C's strtoll does: blanks and a
// sign may go before it, values out of range become the largest of that sign. rest is what follows it,
// and all of s when there is no digit.
func leadingInt(s string, base uint64) (n int64, rest string) {
	t := strings.TrimLeft(s, " \t\n\v\f\r")
	negative := strings.HasPrefix(t, "-")
	if negative || strings.HasPrefix(t, "+") {
		t = t[1:]
	}
	digits := len(t)
	var u uint64
	for t != "" && t[0] >= '0' && uint64(t[0]-'0') < base {
		if u > math.MaxInt64/base {
			u = math.MaxInt64 + 1
		} else {
			u = u*base + uint64(t[0]-'0')
		}
		t = t[1:]
	}
	if len(t) == digits {
		return 0, s
	}
	if negative {
		return -int64(min(u, math.MaxInt64)), t
	}
	return int64(min(u, math.MaxInt64)), t
}

// wholeInt reads s as leadingInt does and reports whether nothing is left over.
// As in C, an empty string is zero.
func wholeInt(s string, base uint64) (n int64, ok bool) {
	n, rest := leadingInt(s, base)
	return n, rest == ""
}

// units are the suffixes of an amount of memory: powers of ten, and of two with b.
var units = map[string]uint64{
	"": 1, "b": 1,
	"k": 1000, "kb": 1 << 10,
	"m": 1000 * 1000, "mb": 1 << 20,
	"g": 1000 * 1000 * 1000, "gb": 1 << 30,
}

// maxAmountDigits is how many digits redis reads of an amount of memory.
const maxAmountDigits = 127

// parseBytes reads an amount of memory, digits and a unit in any case. An amount
// without digits is zero, as in redis.
func parseBytes(s string) (bytes uint64, ok bool) {
	unit := strings.TrimLeft(s, "0123456789")
	digits := s[:len(s)-len(unit)]
	scale, ok := units[glob.LowerString(unit)]
	if !ok || len(digits) > maxAmountDigits {
		return 0, false
	}
	if digits == "" {
		return 0, true
	}
	// Out of range saturates.
	n, _ := strconv.ParseUint(digits, 10, 64)
	return n * scale, true
}

// formatBytes writes an amount of memory as a rewritten file has it: in the
// largest unit that divides it.
func formatBytes(bytes uint64) string {
	for _, unit := range []string{"gb", "mb", "kb"} {
		if bytes != 0 && bytes%units[unit] == 0 {
			return strconv.FormatUint(bytes/units[unit], 10) + unit
		}
	}
	return strconv.FormatUint(bytes, 10)
}
