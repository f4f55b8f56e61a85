package exec

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/skeindb/skein/internal/base/polite"
	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/command/acl"
	"github.com/skeindb/skein/internal/command/script"
	"github.com/skeindb/skein/internal/node/session"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// What a runner tells the loop that waits for it.
type tiding uint8

const (
	ended tiding = iota
	lasts
)

// runner runs one script at a time.
type runner struct {
	e    *Engine
	turn Turn
	self *session.Session // the client of the commands that the script calls
	work chan struct{}
	told chan tiding
	left chan struct{} // the loop has made it the owner of its stripes

	// Of the script that runs:
	caller *session.Session
	spec   *command.Spec
	args   [][]byte
	job    *script.Job
	out    resp.Writer
	began  int64 // nanos
	from   int64 // where the log ended before
	oom    bool  // memory was over its limit then
	inside bool  // on the loop: in a master's stream
	step   bool  // it is part of an EXEC
	ready  bool  // the command line is not needed any more
	long   bool  // it owns its stripes, and nobody waits for it
	busy   bool  // it runs for longer than busy-reply-threshold
	again  bool  // it is to run again, with all stripes
	quiet  bool  // its error is in the statistics
	slot   int   // that its keys are in, -1: none yet
	hold   keyspace.Hold
	owner  *keyspace.Owner
	resume func([]byte)
	rest   *unfinished // the EXEC that it is part of, if that has been left

	onShift   bool  // it lasts, and has a place among those that do
	shiftEnds int64 // nanos
	yields    int64 // nanos
	manners   polite.Worker

	wrote  atomic.Bool
	killed atomic.Bool
	orphan atomic.Bool // the node has stepped down since it began
}

// runner is one that is idle, or new.
func (e *Engine) runner() *runner {
	select {
	case r := <-e.scripts.idle:
		return r
	default:
	}
	r := &runner{e: e, self: session.New(0, nil), work: make(chan struct{}), told: make(chan tiding, 1), left: make(chan struct{})}
	r.self.Set(session.Script)
	r.turn.record = e.Recorder()
	go r.serve()
	return r
}

// keepReply is how long a reply may be, in bytes, for its memory to be kept.
const keepReply = 64 << 10

// rest puts r among the idle ones, or ends it.
func (e *Engine) rest(r *runner) {
	r.caller, r.job, r.args, r.resume, r.owner, r.rest = nil, nil, nil, nil, nil, nil
	r.self.Caller, r.self.Account = nil, nil
	if cap(r.out.Buf) > keepReply {
		r.out.Buf = nil
	}
	sc := &e.scripts
	sc.mu.Lock()
	defer sc.mu.Unlock()
	if !sc.closed {
		select {
		case sc.idle <- r:
			return
		default:
		}
	}
	close(r.work)
}

func (r *runner) serve() {
	for range r.work {
		r.run()
		switch {
		case !r.long:
			r.told <- ended
		case r.rest != nil:
			r.rest.ended()
		default:
			r.finish()
		}
	}
}

// Run implements script.Host.
func (e *Engine) Run(c *command.Call, j *script.Job) {
	s := sessionOf(c)
	if text := e.refusedScript(s, j); text != "" {
		c.Out.Error(text)
		return
	}
	if m := e.Monitor.Load(); m != nil {
		(*m)(s, s.DB(), c.Spec, c.Args)
	}
	if x := restOf(s); x != nil {
		x.run(c, j)
		return
	}
	r := e.runner()
	r.hold.Set(&s.Hold)
	r.long = false
	r.orphan.Store(false)
	r.begin(s, c, j)
	if !s.InMulti() {
		s.Tx.TakeLogged()
		s.Tx.Begin(e.Keyspace, &s.Hold, s.DB(), c.Now, e.access(s))
	}
	if r.inside {
		r.run()
	} else {
		r.work <- struct{}{}
		if <-r.told == lasts {
			r.leave(s, c)
			return
		}
	}
	r.answer(s, c)
	r.counted()
	if r.busy {
		e.scripts.forget(r)
	}
	e.rest(r)
}

// begin prepares r for a script that s has called; what it holds is not its concern.
func (r *runner) begin(s *session.Session, c *command.Call, j *script.Job) {
	e := r.e
	r.caller, r.spec, r.args, r.job = s, c.Spec, c.Args, j
	r.out.Buf, r.out.Proto = r.out.Buf[:0], s.Proto()
	r.began, r.from = e.Nanos(), e.LogEnd()
	limit := e.Gates.MaxMemory.Load()
	r.oom = limit > 0 && e.Keyspace.Used()+e.Beside() > limit
	r.inside, r.step = s.Is(session.Master), s.InMulti()
	r.ready, r.busy, r.again, r.quiet = false, false, false, false
	r.slot = -1
	if keys, err := command.AppendKeys(r.turn.pos[:0], c.Spec, c.Args); err == nil && len(keys) > 0 {
		r.turn.pos, r.slot = keys, int(slot.Of(c.Args[keys[0].Index]))
	}
	r.wrote.Store(false)
	r.killed.Store(false)
	r.turn.NowMs = c.Now
	const same = session.Readonly | session.Asking | session.Master | session.NoTouch | session.Tracking | session.Caching
	me := r.self
	me.Caller, me.Account = s, s.Account
	me.Clear(same)
	me.Set(s.Flags & same)
	me.SelectDB(s.DB())
	me.SetProto(2)
}

func (r *runner) run() {
	r.quiet = r.job.Body(r, &r.out, func() { r.ready = true })
	r.endShift()
}

// answer ends a script that nobody had to leave. Its loop calls it.
func (r *runner) answer(s *session.Session, c *command.Call) {
	s.Tx.Hear(true, true)
	if !s.InMulti() {
		s.Tx.Commit(nil)
		r.e.logged(s, r.from)
	}
	r.turn.flush()
	if r.again {
		Wait(s, c.Args)
		s.Wake()
		return
	}
	c.Out.Raw(r.out.Buf)
	s.Told = r.quiet
}

// leave lets r go on alone: it owns the stripes that s holds, and s is parked.
func (r *runner) leave(s *session.Session, c *command.Call) {
	r.args = copied(c.Args)
	r.owner = &keyspace.Owner{What: "script"}
	if s.Hold.All() {
		r.e.Keyspace.Claim(&s.Hold, r.owner)
	} else {
		r.e.Keyspace.Shut(&s.Hold, r.owner)
	}
	r.hold.Set(&s.Hold)
	r.hold.As(r.owner)
	if r.step {
		newUnfinished(r)
	}
	r.resume = s.Leave()
	r.e.scripts.note(r)
	r.left <- struct{}{}
}

// finish ends a script that its loop has left.
func (r *runner) finish() {
	e, s, t := r.e, r.caller, &r.turn
	e.Keyspace.Acquire(&r.hold, nil)
	s.Tx.Hear(true, true)
	s.Tx.Commit(nil)
	if r.wrote.Load() {
		e.logged(s, r.from)
	}
	t.began = e.Nanos()
	e.note(t, s, r.spec, r.args, r.out.Buf, t.began-r.began)
	r.counted()
	if n := len(t.records); r.quiet {
		t.records[n-1].Error = ""
	}
	e.scripts.forget(r)
	parked := r.free(t)
	s.Tx.Broadcast()
	t.flush()
	r.resume(r.out.Buf)
	for _, w := range parked {
		w.Wake()
	}
	e.rest(r)
}

// free ends that r owns its stripes, which are held and will be released, and serves who
// has waited for what was done. Those it returns are to be woken.
func (r *runner) free(t *Turn) (parked []keyspace.Waker) {
	e, tx := r.e, &r.caller.Tx
	parked = e.Keyspace.Free(r.owner)
	r.hold.As(nil)
	if tx.Ready() {
		e.serve(t, &r.hold, tx)
	} else {
		e.Keyspace.Release(&r.hold)
	}
	return parked
}

// flush hands the statistics of a turn on that is no loop's.
func (t *Turn) flush() {
	if len(t.records) > 0 {
		t.record(t.records)
		t.records = t.records[:0]
	}
}

// Breathe implements script.Door.
func (r *runner) Breathe() (end bool) {
	if now := r.pace(); r.long {
		r.keepShift(now)
	}
	return r.killed.Load() || r.again
}

// pace looks at the time, and returns it (Nanos).
func (r *runner) pace() (now int64) {
	now = r.e.Nanos()
	took := time.Duration(now - r.began)
	if took > patience && !r.long && !r.inside && r.ready {
		r.part()
	}
	if limit := time.Duration(r.e.scripts.limit.Load()); limit > 0 && took >= limit && !r.busy {
		r.becomeBusy(took)
	}
	return now
}

// part makes the loop leave.
func (r *runner) part() {
	r.told <- lasts
	<-r.left
	r.long = true
}

func (r *runner) becomeBusy(took time.Duration) {
	r.busy = true
	name := "FUNCTION KILL"
	if r.job.Eval {
		name = "SCRIPT KILL"
	}
	r.e.Note(levelWarning, fmt.Sprintf("Slow script detected: still in execution after %d milliseconds. "+
		"You can try killing the script using the %s command. Script name is: %s.", took.Milliseconds(), name, r.job.Name))
	r.e.scripts.becomeBusy(r, r.e.view() == nil)
	if r.long {
		r.e.Keyspace.Busy(r.owner)
	}
}

// levelWarning is redis's number of the level.
const levelWarning = 3

// Log implements script.Door.
func (r *runner) Log(level int, line string) { r.e.Note(level, line) }

// Hear implements script.Door.
func (r *runner) Hear(file, replicas bool) { r.caller.Tx.Hear(file, replicas) }

// Permitted implements script.Door.
func (r *runner) Permitted(argv [][]byte) (ok, known bool) {
	spec := r.e.Table.Lookup(argv[0])
	if spec != nil && len(argv) > 1 {
		if sub := spec.Sub(argv[1]); sub != nil {
			spec = sub
		}
	}
	if spec == nil {
		return false, false
	}
	u := r.e.user(r.self)
	return u == nil || !u.Restricted() || u.Check(spec, argv).Reason == acl.Allowed, true
}
