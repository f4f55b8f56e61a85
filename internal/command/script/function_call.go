package script

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
)

// call is FCALL and FCALL_RO.
func (f *Functions) call(c *command.Call, readOnly bool) {
	fn := f.now.Load().find(c.Args[1])
	if fn == nil {
		c.Out.Error(errNoFunction)
		return
	}
	keys, args, ok := keysAndArgs(c, "ERR Bad number of keys provided")
	if !ok {
		return
	}
	j := &Job{Name: fn.Name, Flags: fn.Flags, ReadOnly: readOnly, Widen: func() { fn.wide.Store(true) }}
	j.Body = func(d Door, out *resp.Writer, ready func()) bool {
		vm := f.engine.VM()
		defer f.engine.Rest(vm)
		callback := f.callback(vm, fn)
		if callback == nil {
			out.Error(errNoFunction)
			return false
		}
		values := []lua.LValue{vm.Strings(keys), vm.Strings(args)}
		ready()
		return vm.Run(d, j, callback, values, out)
	}
	f.engine.opt.Host.Run(c, j)
}

const errNoFunction = "ERR Function not found"

// wide is Spec.Wide, as of EVAL.
func (f *Functions) wide(argv [][]byte) bool {
	if !f.engine.opt.Cluster || len(argv) < firstKey {
		return true
	}
	if n, ok := resp.ParseInt(argv[2]); !ok || n <= 0 {
		return true
	}
	fn := f.now.Load().find(argv[1])
	return fn != nil && fn.wide.Load()
}

// callback is a function as a machine has it, whose library is loaded into the machine when it is first needed
// there. Nil: this time the library has not registered it.
func (f *Functions) callback(vm *VM, fn *Function) *lua.LFunction {
	s := vm.shelf()
	loaded, ok := s.loaded[fn.library]
	if !ok {
		s.tidy(f.now.Load())
		found, err := s.load(fn.library, 0)
		if err != nil {
			return nil
		}
		loaded = make(map[string]*lua.LFunction, len(found))
		for _, r := range found {
			loaded[r.name] = r.callback
		}
		s.loaded[fn.library] = loaded
	}
	return loaded[fn.Name]
}
