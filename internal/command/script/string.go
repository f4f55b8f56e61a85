package script

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// openString replaces what of string differs from Lua 5.1, which is nearly all.
func (vm *VM) openString(t *lua.LTable) {
	t.RawSetString("__index", lua.LNil)
	vm.L.SetFuncs(t, map[string]lua.LGFunction{
		"byte":   stringByte,
		"char":   stringChar,
		"dump":   func(L *lua.LState) int { L.CheckFunction(1); L.Push(lua.LString(binaryMark)); return 1 },
		"find":   func(L *lua.LState) int { return vm.stringFind(L, true) },
		"match":  func(L *lua.LState) int { return vm.stringFind(L, false) },
		"gmatch": vm.stringGmatch,
		"gsub":   vm.stringGsub,
		"format": stringFormat,
		"len":    func(L *lua.LState) int { L.Push(lua.LNumber(len(checkString(L, 1)))); return 1 },
		"lower":  func(L *lua.LState) int { return mapBytes(L, 'A', 'Z') },
		"upper":  func(L *lua.LState) int { return mapBytes(L, 'a', 'z') },
		"rep":    stringRep,
		"sub":    stringSub,
	})
	t.RawSetString("gfind", t.RawGetString("gmatch"))
	mt := vm.L.CreateTable(0, 8)
	mt.RawSetString("__index", t)
	mt.RawSetString("__metatable", vm.Shield(vm.field("__index", t)))
	vm.L.SetMetatable(lua.LString(""), mt)
}

// checkString is argument i, a string or a number.
func checkString(L *lua.LState, i int) string {
	s, ok := textOf(L.Get(i))
	if !ok {
		L.CheckString(i) // says what is wrong
	}
	return s
}

// between is the part of a string of length n from i to j as Lua counts: from 1, or from
// the end if negative. from and to are Go's.
func between(i, j, n int) (from, to int) {
	if i < 0 {
		i = max(n+i+1, 1)
	} else if i == 0 {
		i = 1
	}
	if j < 0 {
		j = n + j + 1
	}
	j = min(j, n)
	if i > j {
		return 0, 0
	}
	return i - 1, j
}

func intArg(L *lua.LState, i, missing int) int {
	if L.Get(i) == lua.LNil {
		return missing
	}
	f := float64(L.CheckNumber(i))
	switch {
	case f >= 1<<53:
		return 1 << 53
	case f <= -1<<53:
		return -1 << 53
	}
	return int(f)
}

func stringByte(L *lua.LState) int {
	s := checkString(L, 1)
	i := intArg(L, 2, 1)
	from, to := between(i, intArg(L, 3, i), len(s))
	if to-from >= unpackMost {
		L.RaiseError("string slice too long")
	}
	for _, c := range []byte(s[from:to]) {
		L.Push(lua.LNumber(c))
	}
	return to - from
}

func stringChar(L *lua.LState) int {
	b := make([]byte, L.GetTop())
	for i := range b {
		n := int(L.CheckNumber(i + 1))
		if n < 0 || n > 255 {
			L.ArgError(i+1, "invalid value")
		}
		b[i] = byte(n)
	}
	L.Push(lua.LString(b))
	return 1
}

func stringSub(L *lua.LState) int {
	s := checkString(L, 1)
	L.CheckNumber(2)
	from, to := between(intArg(L, 2, 1), intArg(L, 3, -1), len(s))
	L.Push(lua.LString(s[from:to]))
	return 1
}

// mapBytes exchanges the case of the letters from..to.
func mapBytes(L *lua.LState, from, to byte) int {
	b := []byte(checkString(L, 1))
	for i, c := range b {
		if c >= from && c <= to {
			b[i] = c ^ 0x20
		}
	}
	L.Push(lua.LString(b))
	return 1
}

func stringRep(L *lua.LState) int {
	s := checkString(L, 1)
	L.CheckNumber(2)
	n := intArg(L, 2, 0)
	if n <= 0 || s == "" {
		L.Push(lua.LString(""))
		return 1
	}
	if n > longest/len(s) {
		L.RaiseError("not enough memory")
	}
	L.Push(lua.LString(strings.Repeat(s, n)))
	return 1
}

func (vm *VM) matcher(L *lua.LState, src, pat string) *matcher {
	return &matcher{L: L, vm: vm, src: src, pat: pat}
}

// stringFind is string.find, or string.match.
func (vm *VM) stringFind(L *lua.LState, find bool) int {
	src, pat := checkString(L, 1), checkString(L, 2)
	from := intArg(L, 3, 1)
	if from < 0 {
		from = max(len(src)+from+1, 1)
	}
	from = max(min(from-1, len(src)), 0)
	if find && (L.ToBool(4) || !strings.ContainsAny(pat, special)) {
		at := strings.Index(src[from:], pat)
		if at < 0 {
			L.Push(lua.LNil)
			return 1
		}
		L.Push(lua.LNumber(from + at + 1))
		L.Push(lua.LNumber(from + at + len(pat)))
		return 2
	}
	m := vm.matcher(L, src, pat)
	at, end := m.find(from)
	switch {
	case at < 0:
		L.Push(lua.LNil)
		return 1
	case find:
		L.Push(lua.LNumber(at + 1))
		L.Push(lua.LNumber(end))
		return 2 + m.push(at, end, false)
	}
	return m.push(at, end, true)
}

func (vm *VM) stringGmatch(L *lua.LState) int {
	m := vm.matcher(L, checkString(L, 1), checkString(L, 2))
	next := 0
	L.Push(L.NewFunction(func(L *lua.LState) int {
		m.L, m.depth = L, 0
		for next <= len(m.src) {
			m.captures = m.captures[:0]
			s := next
			end := m.match(s, 0)
			if end < 0 {
				next++
				continue
			}
			next = end
			if end == s { // empty: go on behind it
				next++
			}
			return m.push(s, end, true)
		}
		return 0
	}))
	return 1
}

func (vm *VM) stringGsub(L *lua.LState) int {
	src, pat := checkString(L, 1), checkString(L, 2)
	with := L.Get(3)
	switch with.Type() {
	case lua.LTNumber, lua.LTString, lua.LTTable, lua.LTFunction:
	default:
		L.ArgError(3, "string/function/table expected")
	}
	most := intArg(L, 4, len(src)+1)
	m := vm.matcher(L, src, pat)
	p := 0
	if pat != "" && pat[0] == '^' {
		p = 1
	}
	var b strings.Builder
	s, n := 0, 0
	for n < most {
		m.captures = m.captures[:0]
		end := m.match(s, p)
		if end >= 0 {
			n++
			m.replace(&b, with, s, end)
			bound(L, b.Len())
		}
		switch {
		case end > s:
			s = end
		case s < len(src):
			b.WriteByte(src[s])
			s++
		default:
			s++
		}
		if s > len(src) || p == 1 {
			break
		}
	}
	b.WriteString(src[min(s, len(src)):])
	L.Push(lua.LString(b.String()))
	L.Push(lua.LNumber(n))
	return 2
}

// replace writes what takes the place of a match.
func (m *matcher) replace(b *strings.Builder, with lua.LValue, at, end int) {
	var v lua.LValue
	L := m.L
	switch w := with.(type) {
	case *lua.LTable:
		v = L.GetTable(w, m.capture(0, at, end))
	case *lua.LFunction:
		L.Push(w)
		L.Call(m.push(at, end, true), 1)
		v = L.Get(-1)
		L.Pop(1)
	default:
		text, _ := textOf(with)
		m.expand(b, text, at, end)
		return
	}
	if lua.LVIsFalse(v) {
		b.WriteString(m.src[at:end])
		return
	}
	text, ok := textOf(v)
	if !ok {
		m.fail("invalid replacement value (a " + v.Type().String() + ")")
	}
	b.WriteString(text)
}

// expand writes text, in which %1 is the first capture and %0 the whole match.
func (m *matcher) expand(b *strings.Builder, text string, at, end int) {
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c != '%' || i+1 == len(text) {
			b.WriteByte(c)
			continue
		}
		i++
		switch c = text[i]; {
		case c == '0':
			b.WriteString(m.src[at:end])
		case c >= '1' && c <= '9':
			s, _ := textOf(m.capture(int(c-'1'), at, end))
			b.WriteString(s)
		default:
			b.WriteByte(c)
		}
	}
}
