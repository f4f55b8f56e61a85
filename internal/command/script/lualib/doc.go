// Package lualib holds the four libraries that redis gives to Lua scripts beside Lua's own:
//
//	cjson     JSON, as Lua CJSON 2.1.0           cjson_*.go
//	cmsgpack  MessagePack, as lua-cmsgpack 0.4   msgpack_*.go
//	struct    C structures, as struct 0.2        struct.go
//	bit       32 bits, as Lua BitOp 1.0          bit.go
//
// What they write is what redis writes, byte for byte, and their errors read as redis's. One thing
// cannot be the same: the order in which the pairs of a table are written. Lua 5.1 goes by its hash,
// this virtual machine by the order in which the keys were first set.
//
// What they read is data, which may be hostile. Nesting and the number of results end where the C
// libraries run out of Lua stack (8000 slots, see stack), memory stays proportional to the input, and
// a script that is to end (its context is done) ends in the middle of a long value too.
package lualib

import (
	lua "github.com/yuin/gopher-lua"
)

// Open sets the globals cjson, cmsgpack, struct and bit in the state.
func Open(L *lua.LState) {
	openJSON(L)
	openMsgpack(L)
	openStruct(L)
	openBit(L)
}

// register makes a table of functions.
func register(L *lua.LState, funcs map[string]lua.LGFunction) *lua.LTable {
	t := L.CreateTable(0, len(funcs))
	return L.SetFuncs(t, funcs)
}
