package lualib

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// A format of struct is a row of letters:
//
//	> <      big endian, little endian (as is native)
//	![n]     align to n bytes at most, a power of two (8 without a number, 1 without this option)
//	x        a byte of padding
//	b h l i  signed integers of 1, 2, 8 and 4 bytes; in: of n bytes, up to 32
//	B H L I  the same unsigned; T: of 8 bytes
//	f d      float, double
//	s        a string and a zero byte
//	c[n]     n bytes; c0: the whole string, or as many bytes as the number before says

const (
	nativeAlign = 8
	maxIntSize  = 32
	noFixedSize = "option '%s' has no fixed size"
	tooShort    = "data string too short"
)

func openStruct(L *lua.LState) {
	L.SetGlobal("struct", register(L, map[string]lua.LGFunction{
		"pack": structPack, "unpack": structUnpack, "size": structSize,
	}))
}

// layout walks a format.
type layout struct {
	L      *lua.LState
	format string
	big    bool
	align  uint64
}

func newLayout(L *lua.LState) *layout {
	format, _, _ := strings.Cut(checkString(L, 1), "\x00")
	return &layout{L: L, format: format, align: 1}
}

// next takes an option and the size that goes with it, 0 if it has none.
func (l *layout) next() (option byte, size uint64) {
	option, l.format = l.format[0], l.format[1:]
	return option, l.size(option)
}

func (l *layout) size(option byte) uint64 {
	switch option {
	case 'B', 'b', 'x':
		return 1
	case 'H', 'h':
		return 2
	case 'f':
		return 4
	case 'L', 'l', 'T', 'd':
		return 8
	case 'c':
		return l.number(1)
	case 'i', 'I':
		n := l.number(4)
		if n > maxIntSize {
			fail(l.L, "integral size %d is larger than limit of %d", n, maxIntSize)
		}
		return n
	}
	return 0
}

// number reads the number that may follow an option.
func (l *layout) number(otherwise uint64) uint64 {
	if l.format == "" || !isDigit(l.format[0]) {
		return otherwise
	}
	n := uint64(0)
	for l.format != "" && isDigit(l.format[0]) {
		if n = n*10 + uint64(l.format[0]-'0'); n > math.MaxInt32 {
			fail(l.L, "integral size overflow")
		}
		l.format = l.format[1:]
	}
	return n
}

// padding is how many bytes go before an element at this position.
func (l *layout) padding(at uint64, option byte, size uint64) uint64 {
	if size == 0 || option == 'c' {
		return 0
	}
	size = min(size, l.align)
	return (size - at&(size-1)) & (size - 1)
}

// control takes the options that are no elements.
func (l *layout) control(option byte) {
	switch option {
	case ' ':
	case '>':
		l.big = true
	case '<':
		l.big = false
	case '!':
		n := l.number(nativeAlign)
		if n == 0 || n&(n-1) != 0 {
			fail(l.L, "alignment %d is not a power of 2", n)
		}
		l.align = n
	default:
		argError(l.L, 1, fmt.Sprintf("invalid format option '%s'", []byte{option}))
	}
}

// order gives the bytes, which are in little endian order, the order of the format, in place.
func (l *layout) order(b []byte) []byte {
	if l.big {
		slices.Reverse(b)
	}
	return b
}

func structPack(L *lua.LState) int {
	l, arg, out := newLayout(L), 2, []byte(nil)
	L.Push(lua.LNil) // an argument that is missing is nil there too, not nothing
	for l.format != "" {
		option, size := l.next()
		out = append(out, make([]byte, l.padding(uint64(len(out)), option, size))...)
		switch option {
		case 'b', 'B', 'h', 'H', 'l', 'L', 'T', 'i', 'I':
			out = append(out, l.order(packInteger(checkNumber(L, arg), size))...)
			arg++
		case 'x':
			out = append(out, 0)
		case 'f':
			bits := math.Float32bits(float32(checkNumber(L, arg)))
			out = append(out, l.order(binary.LittleEndian.AppendUint32(nil, bits))...)
			arg++
		case 'd':
			bits := math.Float64bits(checkNumber(L, arg))
			out = append(out, l.order(binary.LittleEndian.AppendUint64(nil, bits))...)
			arg++
		case 'c', 's':
			s := checkString(L, arg)
			arg++
			if size == 0 {
				size = uint64(len(s))
			}
			if uint64(len(s)) < size {
				argError(L, arg, "string too short")
			}
			if out = append(out, s[:size]...); option == 's' {
				out = append(out, 0)
			}
		default:
			l.control(option)
		}
	}
	L.Push(lua.LString(out))
	return 1
}

func packInteger(f float64, size uint64) []byte {
	v := toUint64(f)
	if f < 0 {
		v = uint64(toInt64(f))
	}
	b := make([]byte, max(size, 8))
	binary.LittleEndian.PutUint64(b, v)
	return b[:size]
}

// unpackInteger takes the lowest 64 bits. The sign is the bit that C's shift finds, whose distance is taken
// modulo 64.
func unpackInteger(b []byte, signed bool) float64 {
	v := uint64(0)
	for i := min(len(b), 8) - 1; i >= 0; i-- {
		v = v<<8 | uint64(b[i])
	}
	if !signed {
		return float64(v)
	}
	if mask := ^uint64(0) << (uint(len(b)*8-1) & 63); v&mask != 0 {
		v |= mask
	}
	return float64(int64(v))
}

func structUnpack(L *lua.LState) int {
	l := newLayout(L)
	data, at := checkString(L, 2), uint64(optInteger(L, 3, 1))
	if at == 0 {
		argError(L, 3, "offset must be 1 or greater")
	}
	at--
	need := func(size uint64) {
		if n := uint64(len(data)); size > n || at > n-size {
			argError(L, 2, tooShort)
		}
	}
	var results []lua.LValue
	for l.format != "" {
		option, size := l.next()
		at += l.padding(at, option, size)
		need(size)
		if !stack(L.GetTop() + len(results)).has(2) {
			fail(L, "stack overflow (too many results)")
		}
		switch option {
		case 'b', 'B', 'h', 'H', 'l', 'L', 'T', 'i', 'I':
			b := l.order([]byte(data[at : at+size]))
			results = append(results, lua.LNumber(unpackInteger(b, option >= 'a')))
		case 'x':
		case 'f':
			b := l.order([]byte(data[at : at+size]))
			results = append(results, lua.LNumber(math.Float32frombits(binary.LittleEndian.Uint32(b))))
		case 'd':
			b := l.order([]byte(data[at : at+size]))
			results = append(results, lua.LNumber(math.Float64frombits(binary.LittleEndian.Uint64(b))))
		case 'c':
			if size == 0 {
				size, results = l.previous(results)
				need(size)
			}
			results = append(results, lua.LString(data[at:at+size]))
		case 's':
			s, _, ended := strings.Cut(data[at:], "\x00")
			if !ended {
				fail(L, "unfinished string in data")
			}
			results, size = append(results, lua.LString(s)), uint64(len(s)+1)
		default:
			l.control(option)
		}
		at += size
	}
	for _, r := range results {
		L.Push(r)
	}
	L.Push(lua.LNumber(at + 1))
	return len(results) + 1
}

// previous takes the last result, which says how many bytes follow.
func (l *layout) previous(results []lua.LValue) (uint64, []lua.LValue) {
	if n := len(results); n > 0 {
		if f, ok := toNumber(results[n-1]); ok {
			return toUint64(f), results[:n-1]
		}
	}
	fail(l.L, "format 'c0' needs a previous size")
	return 0, nil
}

func structSize(L *lua.LState) int {
	l, at := newLayout(L), uint64(0)
	for l.format != "" {
		option, size := l.next()
		at += l.padding(at, option, size)
		switch {
		case option == 's':
			argError(L, 1, fmt.Sprintf(noFixedSize, "s"))
		case option == 'c' && size == 0:
			argError(L, 1, fmt.Sprintf(noFixedSize, "c0"))
		case !isDigit(option) && (option|0x20 < 'a' || option|0x20 > 'z'):
			l.control(option)
		}
		at += size
	}
	L.Push(lua.LNumber(at))
	return 1
}
