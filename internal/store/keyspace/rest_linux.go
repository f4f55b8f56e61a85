package keyspace

import "syscall"

// rest lets any other thread that is ready have the processor first, the event
// loops among them, and costs next to nothing when none is. It is called without a
// lock: a thread that has just rested is less likely to lose the processor while it
// holds a stripe. (A sleep would be a hundred times longer than what was done.)
func rest() { _, _, _ = syscall.Syscall(syscall.SYS_SCHED_YIELD, 0, 0, 0) }
