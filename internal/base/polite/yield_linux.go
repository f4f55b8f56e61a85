package polite

import "syscall"

// yield lets other threads have the processor. Go knows that this may take long, and lets another thread have its part of
// the work meanwhile.
func yield() { _, _, _ = syscall.Syscall(syscall.SYS_SCHED_YIELD, 0, 0, 0) }
