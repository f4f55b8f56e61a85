package script

import (
	"sync"
	"sync/atomic"

	lua "github.com/yuin/gopher-lua"
)

// Options are what an Engine is made with.
type Options struct {
	Host Host
	// Cluster says that scripts run on the stripes of their keys: each key has a slot, and
	// a script's keys one. Standalone it runs on all.
	Cluster bool
	Version string // of redis, as scripts see it: "7.2.4"
	// Log writes a line into the node's log. Levels are redis's, 0 is debug.
	Log func(level int, line string)
	// Random makes the first seed of math.random.
	Random func() uint64
}

// Engine compiles, keeps and runs scripts. It is safe for concurrent use.
type Engine struct {
	opt      Options
	handler  *lua.LFunction // onError
	readOnly *lua.LFunction // errReadOnly
	cut      chan struct{}  // closed

	vms  chan *VM // that are idle
	made atomic.Int64

	mu      sync.RWMutex
	scripts map[string]*Script // by digest
	bytes   int64              // of their texts
}

// idleVMs is how many VMs are kept for the next script.
const idleVMs = 16

// New returns an engine without scripts.
func New(o Options) *Engine {
	return &Engine{opt: o, cut: cutChannel(), vms: make(chan *VM, idleVMs), scripts: map[string]*Script{},
		handler:  &lua.LFunction{IsG: true, GFunction: onError},
		readOnly: &lua.LFunction{IsG: true, GFunction: errReadOnly},
	}
}

// VM is a machine that nobody else uses until Rest.
func (e *Engine) VM() *VM {
	select {
	case vm := <-e.vms:
		return vm
	default:
	}
	e.made.Add(1)
	return newVM(e)
}

// Rest gives vm back.
func (e *Engine) Rest(vm *VM) {
	select {
	case e.vms <- vm:
	default:
		vm.L.Close()
		e.made.Add(-1)
	}
}

// renew drops the idle VMs: SCRIPT FLUSH makes scripts begin anew.
func (e *Engine) renew() {
	for {
		select {
		case vm := <-e.vms:
			vm.L.Close()
			e.made.Add(-1)
		default:
			return
		}
	}
}
