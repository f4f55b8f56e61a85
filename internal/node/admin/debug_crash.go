package admin

import (
	"fmt"
	"time"
)

// The crashes end the process, and with it every node that lives in it. They
// are Go's own: their stack traces go to standard error.

func crash(d *debugCall) {
	text := fmt.Sprintf("DEBUG PANIC called at Unix time %d", time.Now().Unix())
	d.a.opt.Log.Warn("Guru Meditation: " + text)
	panic(text)
}

func assert(d *debugCall) {
	d.a.opt.Log.Warn("=== ASSERTION FAILED ===")
	d.a.opt.Log.Warn("==> '1 == 2' is not true")
	panic("DEBUG ASSERT: 1 == 2 is not true")
}

func outOfMemory(d *debugCall) {
	d.a.opt.Log.Warn("Redis aborting for OUT OF MEMORY")
	panic("DEBUG OOM: out of memory")
}

// segfault writes where nothing may be written, which no recover can catch.
func segfault(d *debugCall) {
	d.a.opt.Log.Warn("Redis " + RedisVersion + " crashed by signal: 11")
	writeProtected()
	panic("DEBUG SEGFAULT: no fault") // where pages cannot be protected
}
