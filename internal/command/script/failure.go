package script

import (
	"strings"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	lua "github.com/yuin/gopher-lua"
)

// An error on its way through Lua is a table:
//
//	err                        the text of the reply, with its code
//	source, line               where it was raised, as handler sees it
//	ignore_error_stats_update  statistics know it already
//
// What Lua itself raises is a string, and becomes such a table in handler.

// errKilled is what SCRIPT KILL raises.
const errKilled command.Error = "Script killed by user with SCRIPT KILL..."

const quietField = "ignore_error_stats_update"

// onError is the error handler of every run: it says where the error came from.
func onError(L *lua.LState) int {
	err := L.Get(1)
	t, isTable := err.(*lua.LTable)
	if !isTable {
		t = L.CreateTable(0, 3)
		text, isText := textOf(err)
		if !isText {
			text = describe(L, err)
		}
		t.RawSetString("err", lua.LString("ERR "+explained(L, 1, text)))
	}
	if source, line, ok := origin(L, 1); ok {
		t.RawSetString("source", lua.LString(source))
		t.RawSetString("line", lua.LNumber(line))
	}
	L.Push(t)
	return 1
}

// onCaught is the error handler of pcall: the text, as Lua would have it.
func onCaught(L *lua.LState) int {
	if text, ok := L.Get(1).(lua.LString); ok {
		L.Push(lua.LString(explained(L, 1, string(text))))
	}
	return 1
}

// origin is where the function at a level of the stack, or the first one above it that is
// of Lua, stands now.
func origin(L *lua.LState, level int) (source string, line int, ok bool) {
	for ; ; level++ {
		d, found := L.GetStack(level)
		if !found {
			return "", 0, false
		}
		if _, err := L.GetInfo("Sl", d, lua.LNil); err != nil {
			return "", 0, false
		}
		if d.CurrentLine >= 0 && d.Source != "" {
			if !strings.HasPrefix(d.Source, "[") {
				d.Source = "@" + d.Source
			}
			return d.Source, d.CurrentLine, true
		}
	}
}

// failed writes the reply to a run that ended with an error.
func (vm *VM) failed(j *Job, err error, out *resp.Writer) (told bool) {
	var object lua.LValue = lua.LString(err.Error())
	if api, ok := err.(*lua.ApiError); ok {
		object = api.Object
	}
	t, isTable := object.(*lua.LTable)
	if !isTable {
		text, _ := textOf(object)
		out.Error("ERR Error running script " + j.Name + ", " + mended(text)) // the handler failed
		return false
	}
	text := "ERR unknown error"
	if s, ok := textOf(t.RawGetString("err")); ok {
		text = s
	}
	if vm.leash.done != nil { // whatever the script made of it
		text = "ERR " + string(errKilled)
		vm.door.Log(levelNotice, "Lua script killed by user with SCRIPT KILL.")
	}
	source, line := t.RawGetString("source"), t.RawGetString("line")
	if at, ok := textOf(line); ok && source != lua.LNil {
		text += " script: " + j.Name + ", on " + lua.LVAsString(source) + ":" + at + "."
	}
	out.Error(text)
	return t.RawGetString(quietField) == lua.LTrue
}

// levelNotice is redis's number of the level.
const levelNotice = 2

// failure makes the table of an error. A text that begins with "-" has a code of its own.
func failure(L *lua.LState, text string, quiet bool) *lua.LTable {
	t := L.CreateTable(0, 4)
	t.RawSetString("err", lua.LString(coded(text)))
	if quiet {
		t.RawSetString(quietField, lua.LTrue)
	}
	return t
}

// coded is the text of an error with its code, which is ERR if it has none: behind a "-"
// the first word is one.
func coded(text string) string {
	text, has := strings.CutPrefix(text, "-")
	code := "ERR"
	if has {
		if word, rest, ok := strings.Cut(text, " "); ok {
			code, text = word, rest
		}
	}
	return code + " " + strings.Trim(text, "\r\n")
}

// raise ends the running function with an error of redis's.
func raise(L *lua.LState, text string) int {
	L.Error(failure(L, text, false), 0)
	return 0
}

// describe is tostring(v) for what is neither string nor number.
func describe(L *lua.LState, v lua.LValue) string { return L.ToStringMeta(v).String() }

// mended gives what the machine says in words of its own in those of Lua 5.1.
func mended(text string) string {
	for _, m := range words {
		if before, after, ok := strings.Cut(text, m.its); ok {
			return before + m.luas(after)
		}
	}
	return text
}

// words are the machine's, and what makes Lua's of them and of what follows.
var words = [...]struct {
	its  string
	luas func(after string) string
}{
	{"attempt to call a non-function object", func(string) string { return "attempt to call a nil value" }},
	{"attempt to index a non-table object(", func(after string) string {
		kind, rest, _ := strings.Cut(after, ")")
		key, isField := strings.CutPrefix(rest, " with key '")
		if isField {
			key = strings.TrimSuffix(key, "'")
		}
		return "attempt to index a " + kind + " value"
	}},
	{"cannot perform concat operation between ", func(after string) string {
		left, right, _ := strings.Cut(after, " and ")
		if left == "string" || left == "number" {
			left = right
		}
		return "attempt to concatenate a " + left + " value"
	}},
	{"cannot perform ", func(after string) string {
		_, kinds, _ := strings.Cut(after, " operation between ")
		left, right, _ := strings.Cut(kinds, " and ")
		if right != "number" {
			left = right
		}
		return "attempt to perform arithmetic on a " + left + " value"
	}},
	{"__unm undefined", func(string) string { return "attempt to perform arithmetic on a nil value" }},
	{"__len undefined", func(string) string { return "attempt to get length of a nil value" }},
	{"for statement step must be a number", func(string) string { return "'for' step must be a number" }},
	{"for statement limit must be a number", func(string) string { return "'for' limit must be a number" }},
	{"for statement init must be a number", func(string) string { return "'for' initial value must be a number" }},
	{"attempt to compare ", func(after string) string {
		left, right, found := strings.Cut(after, " with ")
		if found && left == right {
			return "attempt to compare two " + left + " values"
		}
		return "attempt to compare " + after
	}},
	{"bad argument #", func(after string) string {
		number, rest, _ := strings.Cut(after, " to ")
		name, rest, found := strings.Cut(rest, " (")
		if !found || strings.ContainsAny(name, "' ") {
			return "bad argument #" + after
		}
		return "bad argument #" + number + " to '" + name + "' (" + rest
	}},
	{"lua callstack overflow", func(string) string { return "stack overflow" }},
	{"registry overflow", func(string) string { return "stack overflow" }},
}
