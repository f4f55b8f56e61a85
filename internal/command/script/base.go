package script

import (
	"math"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// openBase replaces what of the basic functions differs from Lua 5.1, from redis, or
// gets round shields.
func (vm *VM) openBase(g *lua.LTable) {
	vm.L.SetFuncs(g, map[string]lua.LGFunction{
		"tostring":       baseToString,
		"tonumber":       baseToNumber,
		"pcall":          basePCall,
		"error":          baseError,
		"rawset":         vm.baseRawSet,
		"rawget":         vm.baseRawGet,
		"next":           vm.baseNext,
		"setmetatable":   vm.baseSetMetatable,
		"getmetatable":   vm.baseGetMetatable,
		"unpack":         vm.baseUnpack,
		"loadstring":     vm.baseLoadString,
		"load":           vm.baseLoad,
		"collectgarbage": baseCollectGarbage,
		"gcinfo":         func(L *lua.LState) int { L.Push(lua.LNumber(0)); return 1 },
	})
	next := g.RawGetString("next")
	g.RawSetString("pairs", vm.L.NewFunction(func(L *lua.LState) int {
		L.CheckTable(1)
		t := L.Get(1)
		L.SetTop(0)
		L.Push(next)
		L.Push(t)
		L.Push(lua.LNil)
		return 3
	}))
}

func baseToString(L *lua.LState) int {
	v := L.CheckAny(1)
	if n, ok := v.(lua.LNumber); ok {
		v = lua.LString(numberText(n))
	} else {
		v = L.ToStringMeta(v)
	}
	L.SetTop(0)
	L.Push(v)
	return 1
}

func baseToNumber(L *lua.LState) int {
	v := L.CheckAny(1)
	base := 10
	if L.Get(2) != lua.LNil {
		base = L.CheckInt(2)
	}
	result := lua.LNil
	switch {
	case base < 2 || base > 36:
		L.ArgError(2, "base out of range")
	case base == 10:
		if n, ok := v.(lua.LNumber); ok {
			result = n
		} else if s, ok := v.(lua.LString); ok {
			if f, ok := parseNumber(string(s)); ok {
				result = lua.LNumber(f)
			}
		}
	default:
		if n, ok := parseBase(L.CheckString(1), base); ok {
			result = lua.LNumber(n)
		}
	}
	L.Push(result)
	return 1
}

// parseNumber reads a number as C's strtod does, blanks around it allowed.
func parseNumber(s string) (float64, bool) {
	s = strings.Trim(s, " \t\n\v\f\r")
	if strings.ContainsAny(s, "_pP") && !strings.ContainsAny(s, "xX") || strings.Contains(s, "_") {
		return 0, false
	}
	unsigned := strings.TrimLeft(s, "+-")
	if hex, ok := strings.CutPrefix(strings.ToLower(unsigned), "0x"); ok && !strings.ContainsAny(hex, "p.") {
		n, err := strconv.ParseUint(hex, 16, 64)
		if err != nil {
			return 0, false
		}
		if strings.HasPrefix(s, "-") {
			return -float64(n), true
		}
		return float64(n), true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(f, 0) {
		return 0, false
	}
	return f, true
}

// parseBase reads an integer as C's strtoul does.
func parseBase(s string, base int) (float64, bool) {
	s = strings.Trim(s, " \t\n\v\f\r")
	negative := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(strings.TrimPrefix(s, "-"), "+")
	if base == 16 {
		s = strings.TrimPrefix(strings.TrimPrefix(s, "0x"), "0X")
	}
	if strings.HasPrefix(s, "-") || strings.HasPrefix(s, "+") || strings.Contains(s, "_") {
		return 0, false
	}
	n, err := strconv.ParseUint(s, base, 64)
	if err != nil {
		return 0, false
	}
	if negative {
		n = -n
	}
	return float64(n), true
}

// baseError is error: a text gets in front of it where the function at a level stands.
func baseError(L *lua.LState) int {
	level, v := L.OptInt(2, 1), L.Get(1)
	if text, ok := textOf(v); ok && level > 0 {
		if d, found := L.GetStack(level); found {
			if _, err := L.GetInfo("Sl", d, lua.LNil); err == nil && d.CurrentLine > 0 {
				text = d.Source + ":" + strconv.Itoa(d.CurrentLine) + ": " + text
			}
		}
		v = lua.LString(text)
	}
	L.Error(v, 0)
	return 0
}

// basePCall is pcall as redis has it: of an error that is a table, as those of commands
// are, the caller sees the text, as in the days when it was no table.
func basePCall(L *lua.LState) int {
	L.CheckAny(1)
	err := L.PCall(L.GetTop()-1, lua.MultRet, &lua.LFunction{IsG: true, GFunction: onCaught})
	if err == nil {
		L.Insert(lua.LTrue, 1)
		return L.GetTop()
	}
	var object lua.LValue = lua.LString(err.Error())
	if api, ok := err.(*lua.ApiError); ok {
		object = api.Object
	}
	switch o := object.(type) {
	case *lua.LTable:
		if s, ok := textOf(o.RawGetString("err")); ok {
			object = lua.LString(s)
		}
	case lua.LString:
		object = lua.LString(mended(string(o)))
	}
	L.SetTop(0)
	L.Push(lua.LFalse)
	L.Push(object)
	return 2
}

func (vm *VM) baseRawSet(L *lua.LState) int {
	t := vm.changeable(L, 1)
	L.RawSet(t, L.CheckAny(2), L.CheckAny(3))
	L.SetTop(1)
	return 1
}

func (vm *VM) baseRawGet(L *lua.LState) int {
	t, _ := vm.behind(L.CheckTable(1))
	L.Push(t.RawGet(L.CheckAny(2)))
	return 1
}

func (vm *VM) baseNext(L *lua.LState) int {
	t, _ := vm.behind(L.CheckTable(1))
	k, v := t.Next(L.Get(2))
	L.Push(k)
	if k == lua.LNil {
		return 1
	}
	L.Push(v)
	return 2
}

func (vm *VM) baseSetMetatable(L *lua.LState) int {
	t := L.CheckTable(1)
	L.CheckTypes(2, lua.LTNil, lua.LTTable)
	vm.changeable(L, 1)
	if old, ok := t.Metatable.(*lua.LTable); ok && old.RawGetString("__metatable") != lua.LNil {
		L.RaiseError("cannot change a protected metatable")
	}
	t.Metatable = L.Get(2)
	L.SetTop(1)
	return 1
}

// baseGetMetatable hides the metatables that make shields, and those that are not Lua's.
func (vm *VM) baseGetMetatable(L *lua.LState) int {
	switch v := L.CheckAny(1).(type) {
	case *lua.LTable:
		if _, shielded := vm.shields[v]; shielded {
			mt := v.Metatable.(*lua.LTable)
			L.Push(mt.RawGetString("__metatable"))
			return 1
		}
	case *lua.LUserData, lua.LString:
	default:
		L.Push(lua.LNil)
		return 1
	}
	L.Push(L.GetMetatable(L.Get(1)))
	return 1
}

// unpackMost is how many values Lua 5.1 has room for on the stack of a C function.
const unpackMost = 8000

func (vm *VM) baseUnpack(L *lua.LState) int {
	t, _ := vm.behind(L.CheckTable(1))
	from, to := 1, t.Len()
	if L.Get(2) != lua.LNil {
		from = int(L.CheckNumber(2))
	}
	if L.Get(3) != lua.LNil {
		to = int(L.CheckNumber(3))
	}
	if from > to {
		return 0
	}
	if n := to - from + 1; n <= 0 || n >= unpackMost {
		L.RaiseError("too many results to unpack")
	}
	for i := from; i <= to; i++ {
		L.Push(t.RawGetInt(i))
	}
	return to - from + 1
}

// binaryMark begins a chunk that is compiled already. There is no loading those.
const binaryMark = "\x1bLua"

func (vm *VM) baseLoadString(L *lua.LState) int {
	text := L.CheckString(1)
	return vm.load(L, text, L.OptString(2, text))
}

func (vm *VM) baseLoad(L *lua.LState) int {
	f, name := L.CheckFunction(1), L.OptString(2, "=(load)")
	var text strings.Builder
	for {
		L.Push(f)
		L.Call(0, 1)
		piece, ok := textOf(L.Get(-1))
		if !ok && L.Get(-1) != lua.LNil {
			L.RaiseError("reader function must return a string")
		}
		L.Pop(1)
		if piece == "" {
			break
		}
		text.WriteString(piece)
	}
	return vm.load(L, text.String(), name)
}

func (vm *VM) load(L *lua.LState, text, name string) int {
	if strings.HasPrefix(text, "\x1b") {
		L.Push(lua.LNil)
		L.Push(lua.LString("attempt to load chunk with wrong mode"))
		return 2
	}
	p, err := compile(text, chunkName(name))
	if err != nil {
		L.Push(lua.LNil)
		L.Push(lua.LString(err.Error()))
		return 2
	}
	L.Push(L.NewFunctionFromProto(p))
	return 1
}

// chunkName is how messages call a chunk whose name is given as to loadstring.
func chunkName(name string) string {
	const most = 60
	if name != "" && (name[0] == '=' || name[0] == '@') {
		return name[1:min(len(name), most)]
	}
	line, _, more := strings.Cut(name, "\n")
	if room := most - len(`[string "..."]`) - 1; len(line) > room || more {
		line = line[:min(len(line), room)] + "..."
	}
	return `[string "` + line + `"]`
}

// baseCollectGarbage has nothing to collect: Go's collector knows by itself when.
func baseCollectGarbage(L *lua.LState) int {
	option := L.OptString(1, "collect")
	switch option {
	case "collect", "stop", "restart", "count", "step", "setpause", "setstepmul":
		L.Push(lua.LNumber(0))
		return 1
	}
	L.ArgError(1, "invalid option '"+option+"'")
	return 0
}

// openCoroutine makes coroutines breathe as their caller does.
func (vm *VM) openCoroutine(co *lua.LTable) {
	create := co.RawGetString("create").(*lua.LFunction).GFunction
	wrap := co.RawGetString("wrap").(*lua.LFunction).GFunction
	vm.L.SetFuncs(co, map[string]lua.LGFunction{
		"create": func(L *lua.LState) int {
			n := create(L)
			L.Get(-1).(*lua.LState).SetContext(&vm.leash)
			return n
		},
		"wrap": func(L *lua.LState) int {
			n := wrap(L)
			L.Get(-1).(*lua.LFunction).Upvalues[0].Value().(*lua.LState).SetContext(&vm.leash)
			return n
		},
	})
}
