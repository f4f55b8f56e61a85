package lualib

import (
	"math"
	"math/bits"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

func openBit(L *lua.LState) {
	fold := func(op func(a, b uint32) uint32) lua.LGFunction {
		return func(L *lua.LState) int {
			b := bitArg(L, 1)
			for i := L.GetTop(); i > 1; i-- {
				b = op(b, bitArg(L, i))
			}
			return pushBits(L, b)
		}
	}
	shift := func(op func(b uint32, n int) uint32) lua.LGFunction {
		return func(L *lua.LState) int { return pushBits(L, op(bitArg(L, 1), int(bitArg(L, 2)&31))) }
	}
	L.SetGlobal("bit", register(L, map[string]lua.LGFunction{
		"tobit":   func(L *lua.LState) int { return pushBits(L, bitArg(L, 1)) },
		"bnot":    func(L *lua.LState) int { return pushBits(L, ^bitArg(L, 1)) },
		"bswap":   func(L *lua.LState) int { return pushBits(L, bits.ReverseBytes32(bitArg(L, 1))) },
		"band":    fold(func(a, b uint32) uint32 { return a & b }),
		"bor":     fold(func(a, b uint32) uint32 { return a | b }),
		"bxor":    fold(func(a, b uint32) uint32 { return a ^ b }),
		"lshift":  shift(func(b uint32, n int) uint32 { return b << n }),
		"rshift":  shift(func(b uint32, n int) uint32 { return b >> n }),
		"arshift": shift(func(b uint32, n int) uint32 { return uint32(int32(b) >> n) }),
		"rol":     shift(func(b uint32, n int) uint32 { return bits.RotateLeft32(b, n) }),
		"ror":     shift(func(b uint32, n int) uint32 { return bits.RotateLeft32(b, -n) }),
		"tohex":   bitToHex,
	}))
}

// bitArg takes the lowest 32 bits of the nearest integer: adding 2^52+2^51 moves them to the end of the
// mantissa.
func bitArg(L *lua.LState, n int) uint32 {
	f, ok := toNumber(L.Get(n))
	if !ok {
		typeError(L, n, "number")
	}
	return uint32(math.Float64bits(f + 1<<52 + 1<<51))
}

// pushBits returns the bits as a signed number.
func pushBits(L *lua.LState, b uint32) int {
	L.Push(lua.LNumber(int32(b)))
	return 1
}

// bitToHex writes n digits, capitals if n is negative, and eight if it is not told.
func bitToHex(L *lua.LState) int {
	b, n := bitArg(L, 1), 8
	if L.GetTop() >= 2 {
		n = int(int32(bitArg(L, 2)))
	}
	const small = "0123456789abcdef"
	digits := small
	if n < 0 {
		n, digits = -n, strings.ToUpper(small)
	}
	hex := make([]byte, min(n, 8))
	for i := len(hex) - 1; i >= 0; i-- {
		hex[i] = digits[b&15]
		b >>= 4
	}
	L.Push(lua.LString(hex))
	return 1
}
