package exec

import (
	"sync/atomic"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/command/script"
	"github.com/skeindb/skein/internal/node/session"
)

// unfinished is an EXEC that its loop has left, because a script in it lasts.
//
//	loop                                     goroutine
//	run commands, begin a script ──────────► run
//	                          ◄───────────── long
//	own the stripes of EXEC, park ─────────► goes on, as any script
//	                          ◄── door ───── ended
//	lock, run the next commands, release
//	begin another script ──────────────────► run, from the beginning without the loop
//	                          ◄── door ───── ended
//	lock, run the last commands, commit, disown, answer
//
// What is not a script runs on the loop, since it may concern the session. If the client
// has gone meanwhile, the session is nobody's, and a goroutine runs what is left.
type unfinished struct {
	r     *runner
	s     *session.Session
	left  []session.Queued // the first is the script that runs, or has run
	out   []byte           // the reply so far
	args  [][]byte
	began int64 // nanos
	whose atomic.Int32
}

// Who goes on with an unfinished EXEC when its script has ended.
const (
	loops    int32 = iota // its loop does, which is to be told
	told                  // its loop does
	nobodies              // the session is closed
)

func newUnfinished(r *runner) {
	x := &unfinished{r: r, s: r.caller}
	r.rest, r.caller.Rest = x, x
}

// restOf is the EXEC of s that is unfinished; nil: there is none.
func restOf(s *session.Session) *unfinished {
	x, _ := s.Rest.(*unfinished)
	return x
}

// keep notes what is left, and takes back what has been replied since mark.
func (x *unfinished) keep(left []session.Queued, mark int, began int64) {
	if x.args == nil {
		x.args, x.began = copied([][]byte{[]byte("exec")}), began
	}
	x.left = left
	x.out = append(x.out[:0], x.s.Out.Buf[mark:]...)
	x.s.Out.Buf = x.s.Out.Buf[:mark]
}

// run runs one more script, on the goroutine; the stripes are held, and released for it.
func (x *unfinished) run(c *command.Call, j *script.Job) {
	r, s := x.r, x.s
	r.begin(s, c, j)
	r.long = true
	r.e.Keyspace.Release(&r.hold)
	if x.whose.Load() == nobodies {
		r.run()
		r.e.Keyspace.Acquire(&r.hold, nil)
		r.e.scripts.calm(r)
		s.Tx.Hear(true, true)
		c.Out.Raw(r.out.Buf)
		s.Told = r.quiet
		return
	}
	r.args = copied(c.Args)
	x.whose.Store(loops)
	r.resume = s.Leave()
	r.work <- struct{}{}
}

// ended tells the loop that the script has ended.
func (x *unfinished) ended() {
	r := x.r
	r.e.scripts.calm(r)
	r.turn.flush()
	if x.whose.CompareAndSwap(loops, told) {
		r.resume(r.out.Buf)
		return
	}
	x.alone()
}

// abandon says that the client has gone. Its loop calls it, and nothing else afterwards.
func (x *unfinished) abandon() {
	if !x.whose.CompareAndSwap(loops, nobodies) { // the loop was told, and will not listen
		x.whose.Store(nobodies)
		go x.alone()
	}
}

// goOn runs what is left on the loop; reply is what the script has answered.
func (x *unfinished) goOn(t *Turn, reply []byte) {
	e, s, mark := x.r.e, x.s, len(x.s.Out.Buf)
	s.Out.Raw(x.out)
	if x.steps(t, reply); s.Away {
		x.keep(x.left, mark, x.began)
		return
	}
	x.end(t, mark)
	e.silence(s, e.exec, mark)
	if s.Due.Offset != 0 {
		s.Owe(mark)
	}
	s.Out.Raw(s.TakeAfter())
	e.flush(t, s)
}

// alone runs what is left when the session is nobody's.
func (x *unfinished) alone() {
	t := &x.r.turn
	x.s.Out.Buf, x.s.Away = nil, false
	x.steps(t, x.r.out.Buf)
	x.end(t, 0)
	x.s.Tx.Broadcast()
	t.flush()
}

// steps answers the script that has run, and runs what comes after it, to the end or to
// the next script: then s is Away. Otherwise the stripes are held.
func (x *unfinished) steps(t *Turn, reply []byte) {
	e, s, r := x.r.e, x.s, x.r
	e.Keyspace.Acquire(&r.hold, nil)
	s.Tx.Hear(true, true)
	mark := len(s.Out.Buf)
	s.Out.Raw(reply)
	s.Told = r.quiet
	t.hinted, t.began = 0, e.Nanos()
	e.answeredQueued(t, s, &x.left[0], mark, r.began)
	for x.left = x.left[1:]; len(x.left) > 0; x.left = x.left[1:] {
		if !x.may(t, &x.left[0]) {
			continue
		}
		if e.queued(t, s, &x.left[0]); s.Away {
			return
		}
	}
}

// may tells whether a command is to be run still. If not, it is answered.
func (x *unfinished) may(t *Turn, q *session.Queued) bool {
	const changes = command.Write | command.MayReplicate
	switch {
	case x.r.orphan.Load() && q.Flags.Any(changes):
		x.s.Out.Error(errReadOnly)
		t.records = append(t.records, session.Record{Spec: q.Spec, Outcome: session.Rejected, Error: t.code([]byte(errReadOnly))})
		return false
	case x.whose.Load() == nobodies: // what only concerns the connection is of no use
		return q.Spec.Read != nil || q.Spec.Any(changes|command.Scripted)
	}
	return true
}

// end is the end of EXEC, whose reply began at mark. The stripes are held, and released.
func (x *unfinished) end(t *Turn, mark int) {
	e, s, r := x.r.e, x.s, x.r
	once := s.Flags & (session.Asking | session.Caching)
	s.Clear(session.Multi | session.DirtyExec)
	s.Tx.Commit(nil)
	e.logged(s, unknown) // perhaps: others have written meanwhile
	e.account(t, s, e.exec, x.args, mark, x.began)
	e.spend(s, e.exec, once)
	e.scripts.forget(r)
	s.Rest = nil
	parked := r.free(t)
	for _, w := range parked {
		w.Wake()
	}
	e.rest(r)
}
