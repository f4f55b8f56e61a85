package lualib

import (
	"encoding/binary"
	"math"

	lua "github.com/yuin/gopher-lua"
)

func msgpackUnpack(L *lua.LState) int { return unpackValues(L, 0, 0) }

func msgpackUnpackOne(L *lua.LState) int { return unpackValues(L, 1, optInteger(L, 2, 0)) }

func msgpackUnpackLimit(L *lua.LState) int {
	return unpackValues(L, toInt64(checkNumber(L, 2)), optInteger(L, 3, 0))
}

// unpackValues returns all values of the string, or, if there is a limit or an offset, where the next one
// starts (-1 at the end) and up to limit values.
func unpackValues(L *lua.LState, limit, offset int64) int {
	data := checkString(L, 1)
	switch n := len(data); {
	case offset < 0 || limit < 0:
		fail(L, "Invalid request to unpack with offset of %d and limit of %d.", int32(offset), int32(n))
	case offset > int64(n):
		fail(L, "Start offset %d greater than input length %d.", int32(offset), int32(n))
	}
	all := limit == 0 && offset == 0
	if all {
		limit = math.MaxInt32
	}
	u := &unpacker{L: L, data: data[offset:]}
	var results []lua.LValue
	for int64(len(results)) < limit && u.data != "" {
		results = append(results, u.value(stack(1+len(results))))
	}
	count := len(results)
	if !all {
		next := len(data) - len(u.data)
		if u.data == "" {
			next = -1
		}
		L.Push(lua.LNumber(next))
		count++
	}
	for _, v := range results {
		L.Push(v)
	}
	return count
}

// maxHoles bounds the empty places in the tables of one string. The virtual machine keeps small integer keys in
// an array: a table with the one key 60000000 would need a gigabyte.
const maxHoles = 1 << 22

// unpacker takes values from the front of data.
type unpacker struct {
	L     *lua.LState
	data  string
	holes int
}

// take takes n bytes.
func (u *unpacker) take(n uint64) string {
	if uint64(len(u.data)) < n {
		fail(u.L, "Missing bytes in input.")
	}
	taken := u.data[:n]
	u.data = u.data[n:]
	return taken
}

// number takes n bytes, big endian.
func (u *unpacker) number(n int) uint64 {
	var b [8]byte
	copy(b[8-n:], u.take(uint64(n)))
	return binary.BigEndian.Uint64(b[:])
}

func (u *unpacker) value(used stack) lua.LValue {
	first := u.take(1)[0]
	if !used.has(1) {
		fail(u.L, "stack overflow (too many return values at once; use unpack_one or unpack_limit instead.)")
	}
	switch {
	case first < mpFixMap || first >= 0xe0:
		return lua.LNumber(int8(first))
	case first < mpFixArray:
		return u.pairs(uint64(first&15), used)
	case first < mpFixString:
		return u.array(uint64(first&15), used)
	case first < mpNil:
		return lua.LString(u.take(uint64(first & 31)))
	case first >= mpUint8 && first <= mpUint64:
		return lua.LNumber(int64(u.number(1 << (first - mpUint8))))
	case first >= mpInt8 && first <= mpInt64:
		n := 1 << (first - mpInt8)
		shift := 64 - 8*n
		return lua.LNumber(int64(u.number(n)) << shift >> shift)
	}
	switch first {
	case mpNil:
		return lua.LNil
	case mpTrue:
		return lua.LTrue
	case mpFalse:
		return lua.LFalse
	case mpFloat:
		return lua.LNumber(math.Float32frombits(uint32(u.number(4))))
	case mpDouble:
		return lua.LNumber(math.Float64frombits(u.number(8)))
	case mpString8, mpString16, mpString32:
		return lua.LString(u.take(u.number(1 << (first - mpString8))))
	case mpArray16, mpArray32:
		return u.array(u.number(2<<(first-mpArray16)), used)
	case mpMap16, mpMap32:
		return u.pairs(u.number(2<<(first-mpMap16)), used)
	}
	fail(u.L, "Bad data format in input.")
	return nil
}

// array takes n values. Little is made for those that are announced: they may not be there.
func (u *unpacker) array(n uint64, used stack) lua.LValue {
	alive(u.L)
	if !used.has(2) {
		fail(u.L, "stack overflow (in function mp_decode_to_lua_array)")
	}
	items := make([]lua.LValue, 0, min(n, 64))
	for range n {
		items = append(items, u.value(used+2))
	}
	return newArray(u.L, items)
}

func (u *unpacker) pairs(n uint64, used stack) lua.LValue {
	alive(u.L)
	t := u.L.CreateTable(0, 0)
	for range n {
		key := u.value(used + 1)
		v := u.value(used + 2)
		u.set(t, key, v)
	}
	return t
}

// set refuses keys that Lua refuses, in its words.
func (u *unpacker) set(t *lua.LTable, key, v lua.LValue) {
	if key == lua.LNil {
		u.L.Error(lua.LString("table index is nil"), 0)
	}
	if n, ok := key.(lua.LNumber); ok {
		if n != n {
			u.L.Error(lua.LString("table index is NaN"), 0)
		}
		if last := t.MaxN(); float64(n) > float64(last) && float64(n) < float64(lua.MaxArrayIndex) {
			u.holes += int(n) - last - 1
		}
		if u.holes > maxHoles {
			fail(u.L, "Too many holes in the tables of the input.")
		}
	}
	t.RawSet(key, v)
}
