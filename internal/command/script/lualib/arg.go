package lualib

import (
	"fmt"

	lua "github.com/yuin/gopher-lua"
)

// maxStack is how many values a C function of Lua 5.1 may have on its stack: LUAI_MAXCSTACK.
const maxStack = 8000

// stack counts the values that the C library would have on Lua's stack. That stack is what bounds the
// depth of values and the number of results there, and so it does here.
type stack int

// has tells whether there is room for n more.
func (s stack) has(n int) bool { return int(s)+n <= maxStack }

// fail raises an error, which names the line of the script if the script itself has called the function.
func fail(L *lua.LState, format string, args ...any) {
	level := 0
	if calledByLua(L) {
		level = 1
	}
	L.Error(lua.LString(fmt.Sprintf(format, args...)), level)
}

// argError says what is wrong with argument n of the running function.
func argError(L *lua.LState, n int, problem string) {
	fail(L, "bad argument #%d to '%s' (%s)", n, running(L), problem)
}

// calledByLua is false in a function that another function of Go has called, such as pcall.
func calledByLua(L *lua.LState) bool {
	caller, ok := L.GetStack(1)
	if !ok {
		return false
	}
	_, err := L.GetInfo("S", caller, lua.LNil)
	return err == nil && caller.What != "G"
}

// running names the running function as Lua 5.1 does: by the field or variable that it was called through.
func running(L *lua.LState) string {
	if self, ok := L.GetStack(0); ok && calledByLua(L) {
		if _, err := L.GetInfo("n", self, lua.LNil); err == nil {
			return lastName(self.Name)
		}
	}
	return "?"
}

// lastName takes "pack" of "cmsgpack.pack".
func lastName(name string) string {
	for i := len(name) - 1; i >= 0; i-- {
		if name[i] == '.' || name[i] == ':' {
			return name[i+1:]
		}
	}
	return name
}

func typeError(L *lua.LState, n int, expected string) {
	got := "no value"
	if n <= L.GetTop() {
		got = L.Get(n).Type().String()
	}
	argError(L, n, expected+" expected, got "+got)
}

// checkString reads argument n, a string or a number.
func checkString(L *lua.LState, n int) string {
	switch v := L.Get(n).(type) {
	case lua.LString:
		return string(v)
	case lua.LNumber:
		return formatNumber(float64(v), 14)
	}
	typeError(L, n, "string")
	return ""
}

// checkNumber reads argument n, a number or a string that is one.
func checkNumber(L *lua.LState, n int) float64 {
	f, ok := toNumber(L.Get(n))
	if !ok {
		typeError(L, n, "number")
	}
	return f
}

// optInteger reads argument n, which may be left out.
func optInteger(L *lua.LState, n int, otherwise int64) int64 {
	if L.Get(n) == lua.LNil {
		return otherwise
	}
	return toInt64(checkNumber(L, n))
}

// toNumber is what Lua makes of a value where it needs a number.
func toNumber(v lua.LValue) (float64, bool) {
	switch v := v.(type) {
	case lua.LNumber:
		return float64(v), true
	case lua.LString:
		return parseNumber(string(v))
	}
	return 0, false
}

// alive raises an error when the script has been told to end.
func alive(L *lua.LState) {
	if ctx := L.Context(); ctx != nil && ctx.Err() != nil {
		fail(L, "%v", ctx.Err())
	}
}
