package script

import (
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// openTable replaces what of table differs from Lua 5.1, or gets round shields.
func (vm *VM) openTable(t *lua.LTable) {
	vm.L.SetFuncs(t, map[string]lua.LGFunction{
		"concat":   tableConcat,
		"insert":   vm.tableInsert,
		"remove":   vm.tableRemove,
		"sort":     vm.tableSort,
		"foreach":  vm.tableForEach,
		"foreachi": tableForEachI,
		"setn":     func(L *lua.LState) int { L.RaiseError("'setn' is obsolete"); return 0 },
	})
}

func tableConcat(L *lua.LState) int {
	t := L.CheckTable(1)
	separator, from, to := L.OptString(2, ""), L.OptInt(3, 1), 0
	if L.Get(4) == lua.LNil {
		to = t.Len()
	} else {
		to = L.CheckInt(4)
	}
	var b strings.Builder
	for i := from; i <= to; i++ {
		v := t.RawGetInt(i)
		s, ok := textOf(v)
		if !ok {
			L.RaiseError("invalid value (%s) at index %d in table for 'concat'", v.Type().String(), i)
		}
		b.WriteString(s)
		if i < to {
			b.WriteString(separator)
		}
		bound(L, b.Len())
	}
	L.Push(lua.LString(b.String()))
	return 1
}

func (vm *VM) tableInsert(L *lua.LState) int {
	t := vm.changeable(L, 1)
	end := t.Len() + 1
	switch L.GetTop() {
	case 2:
		t.RawSetInt(end, L.Get(2))
	case 3:
		at := L.CheckInt(2)
		if at > end {
			end = at
		}
		if at >= 1 && end == t.Len()+1 {
			t.Insert(at, L.Get(3))
			return 0
		}
		for i := end; i > at; i-- {
			t.RawSetInt(i, t.RawGetInt(i-1))
		}
		t.RawSetInt(at, L.Get(3))
	default:
		L.RaiseError("wrong number of arguments to 'insert'")
	}
	return 0
}

func (vm *VM) tableRemove(L *lua.LState) int {
	t := vm.changeable(L, 1)
	n := t.Len()
	at := L.OptInt(2, n)
	if at < 1 || at > n {
		return 0
	}
	v := t.RawGetInt(at)
	for i := at; i < n; i++ {
		t.RawSetInt(i, t.RawGetInt(i+1))
	}
	t.RawSetInt(n, lua.LNil)
	L.Push(v)
	return 1
}

// tableSort sorts a copy, so that a comparison that fails, or is none, leaves nothing broken.
func (vm *VM) tableSort(L *lua.LState) int {
	t := vm.changeable(L, 1)
	var less *lua.LFunction
	if L.Get(2) != lua.LNil {
		less = L.CheckFunction(2)
	}
	values := make([]lua.LValue, t.Len())
	for i := range values {
		values[i] = t.RawGetInt(i + 1)
	}
	before := func(a, b lua.LValue) bool {
		if less == nil {
			return L.LessThan(a, b)
		}
		L.Push(less)
		L.Push(a)
		L.Push(b)
		L.Call(2, 1)
		yes := lua.LVAsBool(L.Get(-1))
		L.Pop(1)
		return yes
	}
	slices.SortFunc(values, func(a, b lua.LValue) int {
		switch {
		case before(a, b):
			return -1
		case before(b, a):
			return 1
		}
		return 0
	})
	for i, v := range values {
		t.RawSetInt(i+1, v)
	}
	return 0
}

func (vm *VM) tableForEach(L *lua.LState) int {
	t, _ := vm.behind(L.CheckTable(1))
	f := L.CheckFunction(2)
	for k, v := t.Next(lua.LNil); k != lua.LNil; k, v = t.Next(k) {
		if visit(L, f, k, v) {
			return 1
		}
	}
	return 0
}

func tableForEachI(L *lua.LState) int {
	t, f := L.CheckTable(1), L.CheckFunction(2)
	for i := 1; i <= t.Len(); i++ {
		if visit(L, f, lua.LNumber(i), t.RawGetInt(i)) {
			return 1
		}
	}
	return 0
}

// visit calls f, and leaves what it returns on the stack if that ends the loop.
func visit(L *lua.LState, f *lua.LFunction, k, v lua.LValue) (end bool) {
	L.Push(f)
	L.Push(k)
	L.Push(v)
	L.Call(2, 1)
	if L.Get(-1) != lua.LNil {
		return true
	}
	L.Pop(1)
	return false
}

// longest is how long a string of a script may get, in bytes: what the machine cannot
// know by itself before it has no memory left.
const longest = 1 << 30

func bound(L *lua.LState, n int) {
	if n > longest {
		L.RaiseError("not enough memory")
	}
}
