package script

import (
	"cmp"
	"slices"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
)

// shelf is the libraries in one machine. Their code sees globals of its own: while a library is being loaded
// there is nothing but redis.register_function and redis.log; later everything that scripts have.
type shelf struct {
	vm      *VM
	globals *lua.LTable // what functions see
	behind  *lua.LTable // the metatable that tells where they are
	library *lua.LTable // what is there during a load
	loaded  map[*Library]map[string]*lua.LFunction
	found   *[]registered // of the library that is being loaded, nil if none is
}

// registered is what a library says of a function.
type registered struct {
	name, description string
	described         bool
	flags             Flags
	callback          *lua.LFunction
}

type shelfKey struct{}

// shelf is the machine's.
func (vm *VM) shelf() *shelf {
	if s, ok := vm.Attic()[shelfKey{}].(*shelf); ok {
		return s
	}
	s := &shelf{vm: vm, loaded: map[*Library]map[string]*lua.LFunction{}}
	s.behind = vm.L.CreateTable(0, 1)
	s.behind.RawSetString("__index", vm.globals)
	nothing := vm.L.CreateTable(0, 0)
	nothing.Metatable = s.behind
	s.globals = vm.Shield(nothing)
	missing := vm.L.CreateTable(0, 1)
	missing.RawSetString("__index", vm.L.NewFunction(noGlobal))
	api := vm.L.CreateTable(0, 8)
	vm.CommonLibrary(api)
	api.RawSetString("register_function", vm.L.NewFunction(s.register))
	api.Metatable = missing
	s.library = vm.L.CreateTable(0, 1)
	s.library.RawSetString("redis", vm.Shield(api))
	s.library.Metatable = missing
	vm.Attic()[shelfKey{}] = s
	return s
}

// tidy lets go of libraries that are no more.
func (s *shelf) tidy(c *catalog) {
	for l := range s.loaded {
		if c.libraries[l.Name] != l {
			delete(s.loaded, l)
		}
	}
}

// chunkOfFunctions is how messages call the source of a library.
const chunkOfFunctions = "user_function"

// boot compiles a library and finds its functions. timeout 0 is none. The error is an error reply.
func (f *Functions) boot(l *Library, timeout time.Duration) error {
	code, err := compile(string(l.body), chunkOfFunctions)
	if err != nil {
		return command.Errorf("ERR Error compiling function: %s", []byte(err.Error()))
	}
	l.code = code
	vm := f.engine.VM()
	defer f.engine.Rest(vm)
	s := vm.shelf()
	found, err := s.load(l, timeout)
	switch {
	case err != nil:
		return err
	case len(found) == 0:
		return errNoFunctions
	}
	loaded := make(map[string]*lua.LFunction, len(found))
	for _, r := range found {
		l.Functions = append(l.Functions, &Function{Name: r.name, Description: r.description, Described: r.described,
			Flags: r.flags, library: l})
		loaded[r.name] = r.callback
	}
	slices.SortFunc(l.Functions, func(a, b *Function) int { return cmp.Compare(a.Name, b.Name) })
	s.loaded[l] = loaded
	return nil
}

// load runs the code of a library, which registers its functions.
func (s *shelf) load(l *Library, timeout time.Duration) (found []registered, err error) {
	vm, watch := s.vm, &loading{began: time.Now(), timeout: timeout}
	s.found = &found
	s.behind.RawSetString("__index", s.library)
	vm.enter(watch)
	defer func() {
		s.found = nil
		s.behind.RawSetString("__index", vm.globals)
		vm.exit()
	}()
	fn := vm.L.NewFunctionFromProto(l.code)
	fn.Env = s.globals
	vm.L.Push(fn)
	if err := vm.L.PCall(0, 0, nil); err != nil {
		text := vm.message(err)
		if watch.late {
			text = "ERR FUNCTION LOAD timeout"
		}
		return nil, command.Errorf("ERR Error registering functions: %s", []byte(text))
	}
	return found, nil
}

// message is the text of an error that ended a run without a handler.
func (vm *VM) message(err error) string {
	var object lua.LValue = lua.LString(err.Error())
	if api, ok := err.(*lua.ApiError); ok {
		object = api.Object
	}
	if t, ok := object.(*lua.LTable); ok {
		if text, ok := textOf(t.RawGetString("err")); ok {
			return text
		}
	}
	if text, ok := textOf(object); ok {
		return "ERR " + mended(text)
	}
	return "ERR unknown error"
}

// loading is the way of a library that is being loaded to its node, from which it learns only that its time is
// over. It implements Door.
type loading struct {
	began   time.Time
	timeout time.Duration
	late    bool
}

// Breathe implements Door.
func (l *loading) Breathe() (end bool) {
	l.late = l.timeout > 0 && time.Since(l.began) > l.timeout
	return l.late
}

// Call implements Door. No library gets here: it has no redis.call.
func (l *loading) Call([][]byte, *resp.Writer) (refused string) {
	return "redis.call/pcall can only be called inside a script invocation"
}

// Hear implements Door.
func (l *loading) Hear(file, replicas bool) {}

// Permitted implements Door.
func (l *loading) Permitted([][]byte) (ok, known bool) { return false, false }

// Log implements Door.
func (l *loading) Log(int, string) {}

// register is redis.register_function.
func (s *shelf) register(L *lua.LState) int {
	if s.found == nil {
		return raise(L, "redis.register_function can only be called on FUNCTION LOAD command")
	}
	r, problem := registered{}, ""
	switch L.GetTop() {
	case 1:
		r, problem = namedArguments(L.Get(1))
	case 2:
		r, problem = plainArguments(L.Get(1), L.Get(2))
	default:
		problem = "wrong number of arguments to redis.register_function"
	}
	switch {
	case problem != "":
	case !isWord(r.name):
		problem = badName
	case slices.ContainsFunc(*s.found, func(o registered) bool { return o.name == r.name }):
		problem = "Function already exists in the library"
	default:
		*s.found = append(*s.found, r)
		return 0
	}
	return raise(L, problem)
}

func plainArguments(name, callback lua.LValue) (r registered, problem string) {
	text, isText := name.(lua.LString)
	f, isFunction := callback.(*lua.LFunction)
	switch {
	case !isText:
		problem = "first argument to redis.register_function must be a string"
	case !isFunction:
		problem = "second argument to redis.register_function must be a function"
	}
	return registered{name: string(text), callback: f}, problem
}

func namedArguments(v lua.LValue) (r registered, problem string) {
	t, ok := v.(*lua.LTable)
	if !ok {
		return r, "calling redis.register_function with a single argument is only applicable to Lua table (representing named arguments)."
	}
	named := false
	for k, v := t.Next(lua.LNil); k != lua.LNil; k, v = t.Next(k) {
		key, ok := textOf(k)
		if !ok {
			return r, "named argument key given to redis.register_function is not a string"
		}
		text, isText := v.(lua.LString)
		switch strings.ToLower(key) {
		case "function_name":
			if r.name, named = string(text), true; !isText {
				return r, "function_name argument given to redis.register_function must be a string"
			}
		case "description":
			if r.description, r.described = string(text), true; !isText {
				return r, "description argument given to redis.register_function must be a string"
			}
		case "callback":
			if r.callback, ok = v.(*lua.LFunction); !ok {
				return r, "callback argument given to redis.register_function must be a function"
			}
		case "flags":
			list, ok := v.(*lua.LTable)
			if !ok {
				return r, "flags argument to redis.register_function must be a table representing function flags"
			}
			if r.flags, ok = flagList(list); !ok {
				return r, "unknown flag given"
			}
		default:
			return r, "unknown argument given to redis.register_function"
		}
	}
	switch {
	case !named:
		problem = "redis.register_function must get a function name argument"
	case r.callback == nil:
		problem = "redis.register_function must get a callback argument"
	}
	return r, problem
}

func flagList(t *lua.LTable) (f Flags, ok bool) {
	for i := 1; ; i++ {
		v := t.RawGetInt(i)
		if v == lua.LNil {
			return f, true
		}
		word, isText := textOf(v)
		flag, known := ParseFlag(strings.ToLower(word))
		if !isText || !known {
			return 0, false
		}
		f |= flag
	}
}
