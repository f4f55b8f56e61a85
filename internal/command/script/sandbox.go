package script

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/skeindb/skein/internal/command/script/lualib"
)

// furnish makes the globals: Lua's libraries as far as redis has them, redis's own, and
// nothing that reaches out of the machine.
//
// The machine knows no tables that cannot be changed. A script therefore never sees a
// library's table itself, but a shield: an empty table with a metatable, through which
// reading goes on to the real one while writing fails. Functions that get round
// metatables (rawset, next, table.insert …) know shields.
func (vm *VM) furnish() {
	L := vm.L
	for _, open := range []lua.LGFunction{lua.OpenBase, lua.OpenTable, lua.OpenString, lua.OpenMath, lua.OpenCoroutine} {
		L.Push(L.NewFunction(open))
		L.Call(0, 0)
	}
	lualib.Open(L)
	vm.real = L.G.Global
	g := vm.real
	for _, name := range []string{"_GOPHER_LUA_VERSION", "_printregs", "module", "require", "print", "dofile", "loadfile", "package"} {
		g.RawSetString(name, lua.LNil)
	}
	vm.openBase(g)
	vm.openTable(g.RawGetString("table").(*lua.LTable))
	vm.openMath(g.RawGetString("math").(*lua.LTable))
	vm.openString(g.RawGetString("string").(*lua.LTable))
	vm.openCoroutine(g.RawGetString("coroutine").(*lua.LTable))
	g.RawSetString("redis", vm.redisTable())
	vm.protect()
}

// protect puts shields before all tables among the globals, and before them.
func (vm *VM) protect() {
	g := vm.real
	var names []string
	g.ForEach(func(k, v lua.LValue) {
		if _, isTable := v.(*lua.LTable); isTable && v != lua.LValue(g) {
			names = append(names, k.String())
		}
	})
	for _, name := range names {
		g.RawSetString(name, vm.Shield(g.RawGetString(name).(*lua.LTable)))
	}
	missing := vm.L.CreateTable(0, 1)
	missing.RawSetString("__index", vm.L.NewFunction(noGlobal))
	g.Metatable = missing
	vm.globals = vm.Shield(g)
	vm.globals.Metatable.(*lua.LTable).RawSetString("__metatable", vm.Shield(missing))
	g.RawSetString("_G", vm.globals)
	vm.L.G.Global, vm.L.Env = vm.globals, vm.globals
	g.ForEach(func(_, v lua.LValue) { vm.adopt(v) })
	for _, t := range vm.shields {
		t.ForEach(func(_, v lua.LValue) { vm.adopt(v) })
	}
}

// adopt makes the globals as scripts see them those of a function.
func (vm *VM) adopt(v lua.LValue) {
	if f, ok := v.(*lua.LFunction); ok {
		f.Env = vm.globals
	}
}

// Shield is a table through which t can be read, but not changed.
func (vm *VM) Shield(t *lua.LTable) *lua.LTable {
	s := vm.L.CreateTable(0, 0)
	mt := vm.L.CreateTable(0, 3)
	mt.RawSetString("__index", t)
	mt.RawSetString("__newindex", vm.own.readOnly)
	s.Metatable = mt
	vm.shields[s] = t
	return s
}

// behind is the table behind a shield, or t itself.
func (vm *VM) behind(t *lua.LTable) (real *lua.LTable, shielded bool) {
	if r, ok := vm.shields[t]; ok {
		return r, true
	}
	return t, false
}

// changeable is argument i, which must be a table that is no shield.
func (vm *VM) changeable(L *lua.LState, i int) *lua.LTable {
	t := L.CheckTable(i)
	if _, shielded := vm.shields[t]; shielded {
		errReadOnly(L)
	}
	return t
}

// errReadOnly is what writing to a shield does.
func errReadOnly(L *lua.LState) int {
	L.RaiseError("Attempt to modify a readonly table")
	return 0
}

// noGlobal is what reading a global does that is not there.
func noGlobal(L *lua.LState) int {
	name, ok := textOf(L.Get(2))
	if !ok {
		L.RaiseError("Second argument to luaProtectedTableError must be a string or number")
	}
	L.RaiseError("Script attempted to access nonexistent global variable '%s'", name)
	return 0
}
