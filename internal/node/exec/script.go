package exec

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/command/script"
	"github.com/skeindb/skein/internal/node/session"
)

// Scripts.
//
// A script runs on a goroutine of its own, while the loop that received it waits. One
// that ends soon, as nearly all do, costs the loop two switches between goroutines. One
// that does not says so (patience), between two of its commands: then the loop makes it
// the owner of the stripes that it runs on, parks the session, and goes on with others.
//
//	loop                                     goroutine
//	hold the stripes
//	begin ─────────────────────────────────► run, call commands in the caller's transaction
//	wait                                     …
//	                          ◄───────────── done
//	answer, commit, release
//
//	                          ◄───────────── long
//	own the stripes, park, release ────────► goes on; locks the stripes for each command
//	                                         …
//	                                         lock, commit, serve, disown
//	answer            ◄── door ───────────── resume
//
// A script inside of EXEC takes the EXEC along: see unfinished. In a master's stream all of
// that happens on the loop itself.
//
// Nothing of a script is in the log before its end. So whoever needs a data set that
// agrees with the log (a snapshot, a full synchronization) has to get all stripes, and
// waits for scripts that own some. A node that steps down does not wait: see orphan.

// patience is how long a loop waits for a script.
const patience = 200 * time.Microsecond

// idleRunners is how many goroutines wait for the next script.
const idleRunners = 16

// Errors about scripts, in redis's words.
const (
	errBusyEval     = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."
	errBusyFunction = "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE."

	errNotBusy    command.Error = "NOTBUSY No scripts in execution right now."
	errUnkillable command.Error = "UNKILLABLE Sorry the script already executed write commands against the dataset. " +
		"You can either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command."
	errMastersScript command.Error = "UNKILLABLE The busy script was sent by a master instance in the context of replication and cannot be killed."
)

// scripts are the scripts that run, and the goroutines that run them.
type scripts struct {
	busy   atomic.Int32 // clients are told to wait for a script: busyEval, busyFunction
	anyway atomic.Bool  // scripts may call what is kept from them (DEBUG SET-DISABLE-DENY-SCRIPTS)
	limit  atomic.Int64 // busy-reply-threshold, ns; 0: none

	idle   chan *runner
	shifts shifts

	mu     sync.Mutex
	busies map[*runner]struct{} // that run for longer than limit
	long   map[*runner]struct{} // that own their stripes
	closed bool
}

const (
	busyEval     = 1
	busyFunction = 2
)

// kindOf is what clients are told to wait for.
func kindOf(j *script.Job) int32 {
	if j.Eval {
		return busyEval
	}
	return busyFunction
}

// busyText is the refusal of a command that would have to wait for a script.
func busyText(kind int32) string {
	if kind == busyFunction {
		return errBusyFunction
	}
	return errBusyEval
}

// text is the refusal of a command that would have to wait for a script that is busy.
func (sc *scripts) text() string {
	if kind := sc.busy.Load(); kind != 0 {
		return busyText(kind)
	}
	sc.mu.Lock()
	defer sc.mu.Unlock()
	for r := range sc.busies {
		return busyText(kindOf(r.job))
	}
	return errBusyEval
}

// TuneScripts sets busy-reply-threshold; 0: none.
func (e *Engine) TuneScripts(threshold time.Duration) { e.scripts.limit.Store(int64(threshold)) }

// AllowInScripts lets scripts call the commands that are kept from them (DEBUG
// SET-DISABLE-DENY-SCRIPTS).
func (e *Engine) AllowInScripts(on bool) { e.scripts.anyway.Store(on) }

// Kill implements script.Host.
func (e *Engine) Kill(eval bool) error {
	sc := &e.scripts
	sc.mu.Lock()
	defer sc.mu.Unlock()
	var err error = errNotBusy
	killed := false
	for r := range sc.busies {
		switch {
		case r.self.Is(session.Master):
			err = errMastersScript
		case r.wrote.Load():
			err = errUnkillable
		case r.job.Eval != eval:
			err = command.Error(busyText(kindOf(r.job)))
		default:
			r.killed.Store(true)
			killed = true
		}
	}
	if killed {
		return nil
	}
	return err
}

// Running implements script.Host.
func (e *Engine) Running() (name string, argv [][]byte, ms int64, ok bool) {
	sc := &e.scripts
	sc.mu.Lock()
	defer sc.mu.Unlock()
	for r := range sc.busies {
		if !r.job.Eval {
			return r.job.Name, r.args, (e.Nanos() - r.began) / int64(time.Millisecond), true
		}
	}
	return "", nil, 0, false
}

// becomeBusy says that r has been running for too long.
func (sc *scripts) becomeBusy(r *runner, everybody bool) {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	if sc.busies == nil {
		sc.busies = map[*runner]struct{}{}
	}
	sc.busies[r] = struct{}{}
	if everybody {
		sc.busy.Store(kindOf(r.job))
	}
}

// note notes that r owns its stripes.
func (sc *scripts) note(r *runner) {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	if sc.long == nil {
		sc.long = map[*runner]struct{}{}
	}
	sc.long[r] = struct{}{}
	if sc.closed {
		r.killed.Store(true)
	}
}

// calm notes that the script of r has ended.
func (sc *scripts) calm(r *runner) {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	delete(sc.busies, r)
	if len(sc.busies) == 0 {
		sc.busy.Store(0)
	}
}

// forget notes that r owns nothing any more.
func (sc *scripts) forget(r *runner) {
	sc.calm(r)
	sc.mu.Lock()
	defer sc.mu.Unlock()
	delete(sc.long, r)
}

// orphan puts into the log what the scripts that run have done so far, because the
// node steps down: later there is no log for it. All stripes are held.
func (sc *scripts) orphan() {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	for r := range sc.long {
		r.orphan.Store(true)
		r.caller.Tx.Commit(nil)
	}
}

// CloseScripts ends all scripts, and the goroutines that wait for the next. It does not
// wait for a command that a script calls just now.
func (e *Engine) CloseScripts() {
	sc := &e.scripts
	sc.mu.Lock()
	sc.closed = true
	for r := range sc.long {
		r.killed.Store(true)
	}
	sc.mu.Unlock()
	for {
		select {
		case r := <-sc.idle:
			close(r.work)
		default:
			return
		}
	}
}
