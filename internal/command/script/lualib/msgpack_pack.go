package lualib

import (
	"encoding/binary"
	"math"

	lua "github.com/yuin/gopher-lua"
)

// maxNesting is how many tables may stand in each other. What lies deeper is written as nil, which also ends
// tables that hold themselves.
const maxNesting = 16

// First bytes of MessagePack. Small values are in the first byte: positive numbers up to 0x7f, negative ones
// from 0xe0, maps from 0x80, arrays from 0x90 and strings from 0xa0 with their length.
const (
	mpFixMap, mpFixArray, mpFixString = 0x80, 0x90, 0xa0
	mpNil, mpFalse, mpTrue            = 0xc0, 0xc2, 0xc3
	mpFloat, mpDouble                 = 0xca, 0xcb
	mpUint8, mpUint16, mpUint32       = 0xcc, 0xcd, 0xce
	mpUint64                          = 0xcf
	mpInt8, mpInt16, mpInt32, mpInt64 = 0xd0, 0xd1, 0xd2, 0xd3
	mpString8, mpString16, mpString32 = 0xd9, 0xda, 0xdb
	mpArray16, mpArray32              = 0xdc, 0xdd
	mpMap16, mpMap32                  = 0xde, 0xdf
)

func openMsgpack(L *lua.LState) {
	t := register(L, map[string]lua.LGFunction{
		"pack": msgpackPack, "unpack": msgpackUnpack, "unpack_one": msgpackUnpackOne, "unpack_limit": msgpackUnpackLimit,
	})
	for name, text := range map[string]string{
		"_NAME":        "cmsgpack",
		"_VERSION":     "lua-cmsgpack 0.4.0",
		"_COPYRIGHT":   "Copyright (C) 2012, Salvatore Sanfilippo",
		"_DESCRIPTION": "MessagePack C implementation for Lua",
	} {
		t.RawSetString(name, lua.LString(text))
	}
	L.SetGlobal("cmsgpack", t)
}

func msgpackPack(L *lua.LState) int {
	n := L.GetTop()
	if n == 0 {
		argError(L, 0, "MessagePack pack needs input.")
	}
	p := &packer{L: L}
	for i := 1; i <= n; i++ {
		p.value(L.Get(i), 0)
	}
	L.Push(lua.LString(p.out))
	return 1
}

type packer struct {
	L   *lua.LState
	out []byte
}

func (p *packer) value(v lua.LValue, level int) {
	switch v := v.(type) {
	case lua.LString:
		p.head(len(v), mpFixString, 31, mpString8, mpString16, mpString32)
		p.out = append(p.out, v...)
	case lua.LNumber:
		p.number(float64(v))
	case lua.LBool:
		if v {
			p.out = append(p.out, mpTrue)
		} else {
			p.out = append(p.out, mpFalse)
		}
	case *lua.LTable:
		if level < maxNesting {
			p.table(v, level+1)
			return
		}
		p.out = append(p.out, mpNil)
	default:
		p.out = append(p.out, mpNil)
	}
}

// head writes a length in the shortest form. A form of one byte that does not exist is 0.
func (p *packer) head(n int, fix byte, fixMax int, one, two, four byte) {
	switch {
	case n <= fixMax:
		p.out = append(p.out, fix|byte(n))
	case n <= math.MaxUint8 && one != 0:
		p.out = append(p.out, one, byte(n))
	case n <= math.MaxUint16:
		p.out = binary.BigEndian.AppendUint16(append(p.out, two), uint16(n))
	default:
		p.out = binary.BigEndian.AppendUint32(append(p.out, four), uint32(n))
	}
}

func (p *packer) number(f float64) {
	switch n := toInt64(f); {
	case float64(n) == f:
		p.integer(n)
	case float64(float32(f)) == f:
		p.out = binary.BigEndian.AppendUint32(append(p.out, mpFloat), math.Float32bits(float32(f)))
	default:
		p.out = binary.BigEndian.AppendUint64(append(p.out, mpDouble), math.Float64bits(f))
	}
}

func (p *packer) integer(n int64) {
	switch {
	case n >= -32 && n <= math.MaxInt8:
		p.out = append(p.out, byte(n))
	case n >= 0 && n <= math.MaxUint8:
		p.out = append(p.out, mpUint8, byte(n))
	case n >= 0 && n <= math.MaxUint16:
		p.out = binary.BigEndian.AppendUint16(append(p.out, mpUint16), uint16(n))
	case n >= 0 && n <= math.MaxUint32:
		p.out = binary.BigEndian.AppendUint32(append(p.out, mpUint32), uint32(n))
	case n >= 0:
		p.out = binary.BigEndian.AppendUint64(append(p.out, mpUint64), uint64(n))
	case n >= math.MinInt8:
		p.out = append(p.out, mpInt8, byte(n))
	case n >= math.MinInt16:
		p.out = binary.BigEndian.AppendUint16(append(p.out, mpInt16), uint16(n))
	case n >= math.MinInt32:
		p.out = binary.BigEndian.AppendUint32(append(p.out, mpInt32), uint32(n))
	default:
		p.out = binary.BigEndian.AppendUint64(append(p.out, mpInt64), uint64(n))
	}
}

func (p *packer) table(t *lua.LTable, level int) {
	alive(p.L)
	items, array := countItems(t)
	if array {
		p.head(items, mpFixArray, 15, 0, mpArray16, mpArray32)
		for i := 1; i <= items; i++ {
			p.value(t.RawGetInt(i), level)
		}
		return
	}
	p.head(items, mpFixMap, 15, 0, mpMap16, mpMap32)
	for key, v := t.Next(lua.LNil); key != lua.LNil; key, v = t.Next(key) {
		p.value(key, level)
		p.value(v, level)
	}
}

// countItems counts, and tells whether the keys are exactly 1 to that count. A table without keys is an array.
func countItems(t *lua.LTable) (items int, array bool) {
	last, array := 0.0, true
	for key, _ := t.Next(lua.LNil); key != lua.LNil; key, _ = t.Next(key) {
		n, ok := key.(lua.LNumber)
		f := float64(n)
		array = array && ok && f > 0 && f <= math.MaxInt32 && math.Floor(f) == f
		last = max(last, f)
		items++
	}
	return items, array && last == float64(items)
}
