// Package script runs scripts in Lua: EVAL and its like, and SCRIPT.
//
//	text ──Load──► Script: flags, compiled code (shared by all machines)      cache.go, shebang.go, compile.go
//	EVAL ──────► Host.Run(call, Job)                                          eval.go, host.go; package exec
//	                 └► Job.Body(door) ──► VM.Run(function)                   vm.go
//	                        redis.call ──► Door.Call ──► reply ──► value      api.go, value.go
//	                        result ─────────────────────► reply               value.go
//
// A VM is a Lua 5.1 machine (gopher-lua) that is made once, kept, and used by one script
// at a time. What of the machine differs from Lua 5.1 is replaced (base.go, string.go,
// pattern.go, format.go, table.go, math.go), and its error messages are put into Lua's
// words (failure.go). Scripts cannot change globals (sandbox.go), so that nothing of a
// run is left for the next.
//
// This package knows no engine. Package exec is the Host: it decides what a script may
// call, in whose transaction, on which stripes, and what happens to one that does not end.
// The machine asks it before each instruction, nearly (leash.go, Door.Breathe).
//
// # What functions stand on
//
// Whoever runs Lua otherwise than from EVAL (FCALL) uses the same parts:
//
//	vm := e.VM(); defer e.Rest(vm)            a machine; vm.Attic() keeps what one has attached to it
//	code, err := e.Compile(text, "user_function")
//	vm.Load(door, code, redis)                 runs it with another table in the place of "redis"
//	host.Run(call, &Job{Name: …, Body: …})    a run, within its Body:
//	    vm.Run(door, job, function, []lua.LValue{vm.Strings(keys), vm.Strings(args)}, out)
//
// A Job that is not Eval is one of FUNCTION KILL's. An LFunction belongs to the machine in
// which it was made, so a library has to be loaded once in each machine that runs it: the
// attic is where one finds that it is. vm.Shield makes a table that scripts cannot change;
// ParseFlag, Flags.CommandFlags and Spec.FlagsFor are how flags of a function become those
// of its FCALL, and the flag command.Scripted is what marks such a command.
package script
