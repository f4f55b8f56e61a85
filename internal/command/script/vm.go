package script

import (
	"errors"

	lua "github.com/yuin/gopher-lua"

	"github.com/skeindb/skein/internal/base/resp"
)

// VM is a Lua 5.1 machine with redis's library. One goroutine at a time uses it.
//
// Its globals cannot be changed by scripts, so that nothing of one run is seen by the
// next but what math.randomseed has done.
type VM struct {
	L     *lua.LState
	own   *Engine
	leash leash
	draws prng

	globals *lua.LTable                 // what scripts see as _G
	real    *lua.LTable                 // what stands behind it
	shields map[*lua.LTable]*lua.LTable // what stands behind each table that cannot be changed

	// Of the script that runs; door is nil while none does.
	door  Door
	proto int // of the replies that redis.call turns into values
	reply resp.Writer
	argv  [][]byte
	argb  []byte

	attic map[any]any
}

// Sizes of a VM's stacks. Lua 5.1 has 8000 values for each C call and 200 C calls; redis's
// scripts know the first limit from unpack.
const (
	registryFirst = 1 << 10
	registryMost  = 1 << 20
	registryStep  = 1 << 12
	callsMost     = 16000
)

func newVM(e *Engine) *VM {
	vm := &VM{own: e, shields: map[*lua.LTable]*lua.LTable{}, attic: map[any]any{}}
	vm.leash.vm = vm
	vm.draws.seed = e.opt.Random()
	vm.L = lua.NewState(lua.Options{
		CallStackSize: callsMost, MinimizeStackMemory: true,
		RegistrySize: registryFirst, RegistryMaxSize: registryMost, RegistryGrowStep: registryStep,
		SkipOpenLibs: true,
	})
	vm.furnish()
	vm.L.SetContext(&vm.leash)
	return vm
}

// State is the machine itself.
func (vm *VM) State() *lua.LState { return vm.L }

// Attic keeps what others attach to the VM, by a key of theirs.
func (vm *VM) Attic() map[any]any { return vm.attic }

// Door is the way to the node; nil while no script runs.
func (vm *VM) Door() Door { return vm.door }

// breathe lets the node have a look at the script.
func (vm *VM) breathe() {
	if vm.door != nil && vm.leash.done == nil && vm.door.Breathe() {
		vm.leash.done = vm.own.cut
	}
}

// enter makes d the door of what is about to run.
func (vm *VM) enter(d Door) {
	vm.door, vm.proto = d, 2
	vm.leash.done = nil
}

// exit ends the run.
func (vm *VM) exit() {
	vm.door = nil
	vm.leash.done = nil
	vm.L.SetTop(0)
	vm.L.Env = vm.globals
	const keep = 64 << 10
	if cap(vm.reply.Buf) > keep {
		vm.reply.Buf = nil
	}
	if cap(vm.argb) > keep {
		vm.argb = nil
	}
}

// Run calls fn with args for the job and writes its reply to out; told as in Job.Body.
func (vm *VM) Run(d Door, j *Job, fn *lua.LFunction, args []lua.LValue, out *resp.Writer) (told bool) {
	vm.enter(d)
	defer vm.exit()
	L := vm.L
	L.Push(fn)
	for _, a := range args {
		L.Push(a)
	}
	if err := L.PCall(len(args), 1, vm.own.handler); err != nil {
		return vm.failed(j, err, out)
	}
	return vm.answer(out, L.Get(-1))
}

// Strings makes a Lua table of words.
func (vm *VM) Strings(words [][]byte) *lua.LTable {
	t := vm.L.CreateTable(len(words), 0)
	for _, w := range words {
		t.Append(lua.LString(w))
	}
	return t
}

// Load runs the code of a library. The script sees redis in the place of the library of
// that name, and cannot call commands. It breathes through d, which may be nil: then it
// is not ended. The error is the text of an error reply without its code.
func (vm *VM) Load(d Door, code *lua.FunctionProto, redis *lua.LTable) error {
	vm.enter(d)
	defer vm.exit()
	library := vm.real.RawGetString("redis")
	vm.real.RawSetString("redis", vm.Shield(redis))
	defer vm.real.RawSetString("redis", library)
	for _, name := range []string{"KEYS", "ARGV"} {
		vm.real.RawSetString(name, lua.LNil)
	}
	vm.L.Push(vm.L.NewFunctionFromProto(code))
	err := vm.L.PCall(0, 0, nil)
	if api, ok := err.(*lua.ApiError); ok {
		if t, isTable := api.Object.(*lua.LTable); isTable {
			if s, ok := textOf(t.RawGetString("err")); ok {
				return errors.New(s)
			}
		}
		return errors.New(mended(lua.LVAsString(api.Object)))
	}
	return err
}
