package script

import (
	"crypto/sha1"
	"encoding/hex"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// Replication targets of redis.set_repl.
const (
	replNone = 0
	replFile = 1
	replSend = 2
	replAll  = replFile | replSend
)

// redisTable is the library "redis" of scripts.
func (vm *VM) redisTable() *lua.LTable {
	t := vm.L.CreateTable(0, 32)
	vm.CommonLibrary(t)
	vm.L.SetFuncs(t, map[string]lua.LGFunction{
		"call":               func(L *lua.LState) int { return vm.call(L, true) },
		"pcall":              func(L *lua.LState) int { return vm.call(L, false) },
		"setresp":            vm.setresp,
		"set_repl":           vm.setRepl,
		"acl_check_cmd":      vm.aclCheck,
		"sha1hex":            sha1Hex,
		"error_reply":        errorReply,
		"status_reply":       statusReply,
		"breakpoint":         func(L *lua.LState) int { L.Push(lua.LFalse); return 1 },
		"debug":              func(L *lua.LState) int { return 0 },
		"replicate_commands": func(L *lua.LState) int { L.Push(lua.LTrue); return 1 },
	})
	for name, n := range map[string]int{"REPL_NONE": replNone, "REPL_AOF": replFile, "REPL_SLAVE": replSend, "REPL_REPLICA": replSend, "REPL_ALL": replAll} {
		t.RawSetString(name, lua.LNumber(n))
	}
	return t
}

// CommonLibrary adds to t what of the library "redis" is there even while a library of
// functions is being loaded: log, its levels, and the version.
func (vm *VM) CommonLibrary(t *lua.LTable) {
	vm.L.SetFuncs(t, map[string]lua.LGFunction{"log": vm.log})
	for level, name := range []string{"LOG_DEBUG", "LOG_VERBOSE", "LOG_NOTICE", "LOG_WARNING"} {
		t.RawSetString(name, lua.LNumber(level))
	}
	t.RawSetString("REDIS_VERSION", lua.LString(vm.own.opt.Version))
	t.RawSetString("REDIS_VERSION_NUM", lua.LNumber(versionNumber(vm.own.opt.Version)))
}

// versionNumber is 0x00MMmmpp of "major.minor.patch".
func versionNumber(v string) (n int) {
	for part := range strings.SplitSeq(v, ".") {
		x, _ := parseNumber(part)
		n = n<<8 | int(x)
	}
	return n
}

// call is redis.call and redis.pcall.
func (vm *VM) call(L *lua.LState, raises bool) int {
	if text := vm.arguments(L); text != "" {
		return fail(L, text, false, raises)
	}
	if vm.door == nil {
		return fail(L, "redis.call/pcall can only be called inside a script invocation", false, raises)
	}
	vm.reply.Buf, vm.reply.Proto = vm.reply.Buf[:0], vm.proto
	refused := vm.door.Call(vm.argv, &vm.reply)
	if refused != "" {
		vm.breathe()
		return fail(L, refused, true, raises)
	}
	b := vm.reply.Buf
	if len(b) == 0 { // no command is without an answer
		L.Push(lua.LNil)
		return 1
	}
	if b[0] == '-' {
		return fail(L, string(b[:lineEnd(b)]), true, raises)
	}
	v, _ := vm.value(b)
	L.SetTop(0)
	L.Push(v)
	return 1
}

// fail gives the caller an error, as a value or by raising it.
func fail(L *lua.LState, text string, quiet, raises bool) int {
	t := failure(L, text, quiet)
	if raises {
		L.Error(t, 0)
		return 0
	}
	L.SetTop(0)
	L.Push(t)
	return 1
}

// arguments makes the arguments of the Lua function the command line vm.argv.
func (vm *VM) arguments(L *lua.LState) (refused string) {
	n := L.GetTop()
	if n == 0 {
		return "Please specify at least one argument for this redis lib call"
	}
	vm.argv, vm.argb = vm.argv[:0], vm.argb[:0]
	size := 0
	for i := 1; i <= n; i++ {
		switch v := L.Get(i).(type) {
		case lua.LString:
			size += len(v)
		case lua.LNumber:
			size += 32
		default:
			return "Lua redis lib command arguments must be strings or integers"
		}
	}
	if cap(vm.argb) < size {
		vm.argb = make([]byte, 0, size)
	}
	for i := 1; i <= n; i++ {
		from := len(vm.argb)
		switch v := L.Get(i).(type) {
		case lua.LString:
			vm.argb = append(vm.argb, v...)
		case lua.LNumber:
			vm.argb = argumentText(vm.argb, v)
		}
		vm.argv = append(vm.argv, vm.argb[from:len(vm.argb):len(vm.argb)])
	}
	return ""
}

func (vm *VM) setresp(L *lua.LState) int {
	if L.GetTop() != 1 {
		return raise(L, "redis.setresp() requires one argument.")
	}
	n := int(lua.LVAsNumber(L.Get(1)))
	if n != 2 && n != 3 {
		return raise(L, "RESP version must be 2 or 3.")
	}
	vm.proto = n
	return 0
}

func (vm *VM) setRepl(L *lua.LState) int {
	if L.GetTop() != 1 {
		return raise(L, "redis.set_repl() requires one argument.")
	}
	n := int(lua.LVAsNumber(L.Get(1)))
	if n&^replAll != 0 {
		return raise(L, "Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.")
	}
	if vm.door != nil {
		vm.door.Hear(n&replFile != 0, n&replSend != 0)
	}
	return 0
}

func (vm *VM) aclCheck(L *lua.LState) int {
	if text := vm.arguments(L); text != "" {
		return raise(L, text)
	}
	ok, known := vm.door.Permitted(vm.argv)
	if !known {
		return raise(L, "Invalid command passed to redis.acl_check_cmd()")
	}
	L.Push(lua.LBool(ok))
	return 1
}

// log is redis.log.
func (vm *VM) log(L *lua.LState) int {
	n := L.GetTop()
	if n < 2 {
		return raise(L, "redis.log() requires two arguments or more.")
	}
	level := 0
	switch v := L.Get(1).(type) {
	case lua.LNumber:
		level = int(v)
	case lua.LString:
		f, ok := parseNumber(string(v))
		if !ok {
			return raise(L, "First argument must be a number (log level).")
		}
		level = int(f)
	default:
		return raise(L, "First argument must be a number (log level).")
	}
	if level < 0 || level > 3 {
		return raise(L, "Invalid debug level.")
	}
	var words []string
	for i := 2; i <= n; i++ {
		if s, ok := textOf(L.Get(i)); ok {
			words = append(words, s)
		}
	}
	vm.own.opt.Log(level, strings.Join(words, " "))
	return 0
}

func sha1Hex(L *lua.LState) int {
	if L.GetTop() != 1 {
		return raise(L, "wrong number of arguments")
	}
	text, _ := textOf(L.Get(1))
	L.Push(lua.LString(Digest([]byte(text))))
	return 1
}

// Digest is the name of a script: the SHA1 of its text in hexadecimal.
func Digest(text []byte) string {
	sum := sha1.Sum(text)
	return hex.EncodeToString(sum[:])
}

const errOneString = "wrong number or type of arguments"

func errorReply(L *lua.LState) int {
	s, ok := L.Get(1).(lua.LString)
	if L.GetTop() != 1 || !ok {
		L.Push(failure(L, errOneString, false))
		return 1
	}
	text := string(s)
	if !strings.HasPrefix(text, "-") {
		text = "-" + text
	}
	L.Push(failure(L, text, false))
	return 1
}

func statusReply(L *lua.LState) int {
	s, ok := L.Get(1).(lua.LString)
	if L.GetTop() != 1 || !ok {
		L.Push(failure(L, errOneString, false))
		return 1
	}
	t := L.CreateTable(0, 1)
	t.RawSetString("ok", s)
	L.Push(t)
	return 1
}
