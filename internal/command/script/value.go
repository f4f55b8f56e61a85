package script

import (
	"bytes"
	"strconv"

	"github.com/skeindb/skein/internal/base/resp"
	lua "github.com/yuin/gopher-lua"
)

// Replies become values, and values replies:
//
//	RESP                 Lua                               back
//	$ bulk string        string                            bulk string
//	: integer            number                            integer, without its fraction
//	+ status             {ok=…}                            status
//	- error              {err=…}                           error
//	* array              table 1..n                        array, up to the first nil
//	null (RESP2)         false                             null
//	_ null (RESP3)       nil                               null
//	# boolean (RESP3)    true, false                       RESP2: 1 and null; RESP3: boolean
//	, double (RESP3)     {double=number}                   double
//	( big number         {big_number=string}               big number
//	= verbatim           {verbatim_string={string, format}} verbatim string
//	% map                {map={…}}                         map
//	~ set                {set={key=true …}}                set
//	| attribute          left out

// lineEnd is where the first line of b ends.
func lineEnd(b []byte) int {
	if i := bytes.IndexByte(b, '\r'); i >= 0 {
		return i
	}
	return len(b)
}

// value is the first reply in b, which is one of our own making, and what follows it.
func (vm *VM) value(b []byte) (v lua.LValue, rest []byte) {
	end := lineEnd(b)
	head := b[1:end]
	rest = b[min(end+2, len(b)):]
	switch resp.Kind(b[0]) {
	case resp.SimpleString:
		return vm.field("ok", lua.LString(head)), rest
	case resp.Error:
		return failure(vm.L, string(b[:end]), true), rest
	case resp.Integer:
		n, _ := resp.ParseInt(head)
		return lua.LNumber(n), rest
	case resp.Double:
		f, _ := strconv.ParseFloat(string(head), 64)
		return vm.field("double", lua.LNumber(f)), rest
	case resp.BigNumber:
		return vm.field("big_number", lua.LString(head)), rest
	case resp.Bool:
		return lua.LBool(head[0] == 't'), rest
	case resp.Null:
		return lua.LNil, rest
	}
	n, _ := resp.ParseInt(head)
	if n < 0 {
		return lua.LFalse, rest
	}
	return vm.long(resp.Kind(b[0]), int(n), rest)
}

// long is a reply of n bytes or elements.
func (vm *VM) long(kind resp.Kind, n int, b []byte) (v lua.LValue, rest []byte) {
	switch kind {
	case resp.Bulk:
		return lua.LString(b[:n]), b[n+2:]
	case resp.Verbatim:
		t := vm.L.CreateTable(0, 2)
		t.RawSetString("string", lua.LString(b[4:n]))
		t.RawSetString("format", lua.LString(b[:3]))
		return vm.field("verbatim_string", t), b[n+2:]
	case resp.Attribute:
		for range 2 * n {
			_, b = vm.value(b)
		}
		return vm.value(b)
	case resp.Map, resp.Set:
		return vm.keyed(kind, n, b)
	}
	t := vm.L.CreateTable(n, 0)
	for i := range n {
		var e lua.LValue
		e, b = vm.value(b)
		t.RawSetInt(i+1, e)
	}
	return t, b
}

// keyed is a map or a set.
func (vm *VM) keyed(kind resp.Kind, n int, b []byte) (v lua.LValue, rest []byte) {
	t := vm.L.CreateTable(0, n)
	for range n {
		var k lua.LValue
		k, b = vm.value(b)
		e := lua.LValue(lua.LTrue)
		if kind == resp.Map {
			e, b = vm.value(b)
		}
		if k != lua.LNil {
			t.RawSet(k, e)
		}
	}
	if kind == resp.Map {
		return vm.field("map", t), b
	}
	return vm.field("set", t), b
}

func (vm *VM) field(name string, v lua.LValue) *lua.LTable {
	t := vm.L.CreateTable(0, 1)
	t.RawSetString(name, v)
	return t
}

// deepest is how far tables may be nested in a reply: then Lua's stack is full.
const deepest = 7996

// answer writes v as a reply. told: it is an error that statistics know.
func (vm *VM) answer(out *resp.Writer, v lua.LValue) (told bool) {
	return vm.write(out, v, 0)
}

func (vm *VM) write(out *resp.Writer, v lua.LValue, depth int) (told bool) {
	if depth > deepest {
		out.Error("ERR reached lua stack limit")
		return false
	}
	switch v := v.(type) {
	case lua.LString:
		out.BulkString(string(v))
	case lua.LNumber:
		out.Int(truncated(v))
	case lua.LBool:
		vm.writeBool(out, bool(v))
	case *lua.LTable:
		return vm.writeTable(out, v, depth)
	default:
		out.Null()
	}
	return false
}

func (vm *VM) writeBool(out *resp.Writer, v bool) {
	switch {
	case vm.proto == 3:
		out.Bool(v)
	case v:
		out.Int(1)
	default:
		out.Null()
	}
}

func (vm *VM) writeTable(out *resp.Writer, t *lua.LTable, depth int) (told bool) {
	if t.RawGetString("err").Type() == lua.LTString {
		out.Error(string(t.RawGetString("err").(lua.LString)))
		return t.RawGetString(quietField) == lua.LTrue
	}
	if s, ok := t.RawGetString("ok").(lua.LString); ok {
		out.SimpleString(string(s))
		return false
	}
	if n, ok := t.RawGetString("double").(lua.LNumber); ok {
		out.Double(float64(n))
		return false
	}
	if s, ok := t.RawGetString("big_number").(lua.LString); ok {
		out.BigNumber(oneLine(string(s)))
		return false
	}
	if inner, ok := t.RawGetString("verbatim_string").(*lua.LTable); ok {
		format, isFormat := inner.RawGetString("format").(lua.LString)
		text, isText := inner.RawGetString("string").(lua.LString)
		if isFormat && isText {
			out.Verbatim(string(format), string(text))
			return false
		}
	}
	if inner, ok := t.RawGetString("map").(*lua.LTable); ok {
		mark, n := out.Begin(), 0
		inner.ForEach(func(k, v lua.LValue) {
			vm.write(out, k, depth+3)
			vm.write(out, v, depth+3)
			n++
		})
		out.EndMap(mark, n)
		return false
	}
	if inner, ok := t.RawGetString("set").(*lua.LTable); ok {
		mark, n := out.Begin(), 0
		inner.ForEach(func(k, _ lua.LValue) {
			vm.write(out, k, depth+3)
			n++
		})
		out.EndSet(mark, n)
		return false
	}
	mark, n := out.Begin(), 0
	for {
		v := t.RawGetInt(n + 1)
		if v == lua.LNil {
			break
		}
		vm.write(out, v, depth+1)
		n++
	}
	out.EndArray(mark, n)
	return false
}

// oneLine is s with its line breaks as spaces.
func oneLine(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c == '\r' || c == '\n' {
			b[i] = ' '
		}
	}
	return string(b)
}
