package exec

import (
	"bytes"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/cluster/topology"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/node/session"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// runOne runs one command of s to its end: answered, queued, refused, or waiting.
func (e *Engine) runOne(t *Turn, s *session.Session, spec *command.Spec, args [][]byte) {
	once, follows, tracks := s.Flags&(session.Asking|session.Caching), s.Is(session.Replica), s.Is(session.Tracking)
	if tracks {
		e.Keyspace.LimitTracked()
		s.TakeMail() // what is stale is told before what is read anew
	}
	mark := len(s.Out.Buf)
	e.attempt(t, s, spec, args)
	if follows && len(s.Out.Buf) > mark { // the stream has no room for replies
		e.Stray(s, s.Out.Buf[mark:])
		s.Out.Buf = s.Out.Buf[:mark]
	}
	if len(s.Retry) > 0 {
		return // it has not run yet
	}
	if s.Link != nil {
		s.Link.Ran(spec, args, t.end, false)
	}
	if s.Is(session.Unwatch) {
		s.Clear(session.Unwatch)
		e.Keyspace.Unwatch(&s.Watch)
	}
	if once != 0 && !s.Is(session.Multi) && s.Waiting() == nil { // who waits for keys runs again
		e.spend(s, spec, once)
	}
	if s.Parked() { // and perhaps served already, by another goroutine
		return
	}
	e.silence(s, spec, mark)
	if s.Due.Offset != 0 {
		s.Owe(mark)
	}
	if tracks && len(s.After) > 0 {
		s.Out.Raw(s.TakeAfter())
	}
}

// spend takes back the modes that were for one command, which was spec or a subcommand
// of it, or for one transaction. CLIENT CACHING is not spent by other words about the connection.
func (e *Engine) spend(s *session.Session, spec *command.Spec, once session.Flags) {
	if spec != nil && spec.Name == "client" {
		once &^= session.Caching
	}
	s.Clear(once)
}

// Answer is the end of a command that had parked: its reply came.
func (e *Engine) Answer(t *Turn, s *session.Session, reply []byte) {
	s.Unpark()
	s.Clear(session.Blocked)
	if x := restOf(s); x != nil {
		s.Away = false
		x.goOn(t, reply)
		return
	}
	mark := len(s.Out.Buf)
	s.Out.Raw(reply)
	if s.Away { // who has run the command has taken note of it
		s.Away = false
		e.silence(s, s.Last, mark)
		if s.Due.Offset != 0 {
			s.Owe(mark)
		}
		return
	}
	if w := s.Waiting(); w != nil {
		e.answered(t, s, w, mark)
		return
	}
	if len(reply) > 0 && reply[0] == byte(resp.Error) {
		t.records = append(t.records, session.Record{Outcome: session.Failed, Error: t.code(reply[1:])})
		e.flush(t, s)
	}
	e.silence(s, s.Last, mark)
	if s.Last != nil && s.Last.Is(command.Write) { // a service that has written
		e.logged(s, unknown)
		if s.Due.Offset != 0 {
			s.Owe(mark)
		}
	}
}

// silence takes back the reply of a client that wants none. What SUBSCRIBE and
// its like answer are pushes, not replies, and stay.
func (e *Engine) silence(s *session.Session, spec *command.Spec, mark int) {
	if s.Flags&(session.ReplyOff|session.ReplySkip|session.ReplySkipping) == 0 {
		return
	}
	pushes := spec != nil && spec.Is(command.PubSub|command.NoScript) && isPush(s.Out.Buf[mark:])
	if s.Flags&(session.ReplyOff|session.ReplySkipping) != 0 && !pushes {
		s.Out.Buf = s.Out.Buf[:mark]
	}
	s.Clear(session.ReplySkipping)
	if s.Is(session.ReplySkip) {
		s.Clear(session.ReplySkip)
		s.Set(session.ReplySkipping)
	}
}

// isPush tells whether out is neither an error nor QUEUED.
func isPush(out []byte) bool {
	return len(out) > 0 && out[0] != byte(resp.Error) && out[0] != byte(resp.SimpleString)
}

// Retry runs again the command that s kept when it had to wait.
func (e *Engine) Retry(t *Turn, s *session.Session) {
	args := s.Retry
	s.Retry = nil
	s.Clear(session.Blocked)
	t.hinted, t.began = 0, e.Nanos()
	e.runOne(t, s, e.Table.Lookup(args[0]), args)
	e.flush(t, s)
}

// attempt is one try: refusals before locks, the stripes, then admitted.
func (e *Engine) attempt(t *Turn, s *session.Session, spec *command.Spec, args [][]byte) {
	spec, err := e.Table.Check(spec, args)
	if err != nil {
		if spec == nil && speaksHTTP(args[0]) {
			e.abort(s)
			return
		}
		e.reject(t, s, spec, err.Error())
		return
	}
	s.Last = spec
	if text := e.refusedUnlocked(s, spec, args); text != "" {
		e.reject(t, s, spec, text)
		return
	}
	oom := e.makeRoom(t, s)
	if s.Is(session.Multi) && !runsInsideMulti(spec) {
		e.queue(t, s, spec, args, oom)
		return
	}
	h := &s.Hold
	h.Reset(e.Keyspace)
	e.claim(t, s, spec, args)
	if !e.Keyspace.Acquire(h, s) {
		if h.Busy() != nil {
			e.reject(t, s, spec, e.scripts.text())
		} else {
			Wait(s, args)
		}
		return
	}
	e.holding(t, s, spec, args, oom)
	if s.Link != nil && len(s.Retry) == 0 {
		s.Link.Ran(spec, args, t.end, true)
	}
	if !s.Away && s.Tx.Ready() {
		e.serve(t, h, &s.Tx)
		return
	}
	e.Keyspace.Release(h)
}

// holding is what happens under the stripes.
func (e *Engine) holding(t *Turn, s *session.Session, spec *command.Spec, args [][]byte, oom bool) {
	if s.Link != nil && !s.Link.May() {
		s.Set(session.CloseAfterReply)
		return
	}
	if e.paused(s, spec, spec.FlagsOf(args), t.NowMs) {
		e.pause.park(s)
		Wait(s, args)
		return
	}
	if e.Gates.Loading.Load() && !s.Is(session.Master) && e.lacks(s, spec, spec.Flags, command.Loading) && e.loads.park(s, t.NowMs) {
		Wait(s, args)
		return
	}
	if text := e.refusedLocked(t, s, spec, args, oom); text != "" {
		e.reject(t, s, spec, text)
		return
	}
	if e.Costs.Counting() {
		e.callCounted(t, s, spec, args)
		return
	}
	e.call(t, s, spec, args)
}

// call runs the handler and commits.
func (e *Engine) call(t *Turn, s *session.Session, spec *command.Spec, args [][]byte) {
	mark, began := len(s.Out.Buf), t.began
	c := &s.Call
	c.Spec, c.Args, c.Now, c.DB = spec, args, t.NowMs, s.DB()
	switch {
	case spec.Read != nil:
		e.begin(t, s, args)
		spec.Read(c, &s.Tx.ReadTx)
		s.Tx.Commit(nil)
	case spec.Write != nil:
		e.begin(t, s, args)
		from := e.LogEnd()
		spec.Write(c, &s.Tx)
		s.Tx.Commit(args)
		e.logged(s, from)
		if s.Errand != nil && e.send(s, args) {
			return
		}
	case spec.Is(command.Scripted):
		if spec.Service(c); s.Away || len(s.Retry) > 0 {
			return
		}
	case spec == e.exec:
		if e.execute(t, s); s.Away {
			return
		}
	case spec.Is(command.MayReplicate):
		from := e.LogEnd()
		spec.Service(c)
		e.logged(s, from)
	default:
		if spec.Service(c); len(s.Retry) > 0 {
			return
		}
	}
	if s.Is(session.Tracking) {
		e.remember(t, s, s.Flags, spec, args)
	}
	if s.Asked != nil {
		e.block(t, s, spec, args, began)
		return
	}
	e.account(t, s, spec, args, mark, began)
}

// begin begins the transaction of one command.
func (e *Engine) begin(t *Turn, s *session.Session, args [][]byte) {
	access := e.access(s)
	if s.Call.Spec.Is(command.TouchesArbitraryKeys) {
		access |= keyspace.Apart
	}
	s.Tx.Begin(e.Keyspace, &s.Hold, s.DB(), t.NowMs, access)
	if t.hinted > 0 {
		s.Tx.Expect(args[t.hinted], t.hint)
		if s.Call.Spec.Elements.First > 0 && t.at >= t.seen {
			e.prefetchElements(t, s, args[t.hinted])
		}
	}
}

// account notes what the command cost and whether it failed, and shows it to
// the monitors.
func (e *Engine) account(t *Turn, s *session.Session, spec *command.Spec, args [][]byte, mark int, began int64) {
	t.began = e.Nanos()
	e.note(t, s, spec, args, s.Out.Buf[min(mark, len(s.Out.Buf)):], t.began-began)
	if s.Told {
		s.Told = false
		t.records[len(t.records)-1].Error = ""
	}
	e.show(s, spec, args)
}

// note is account for a command that took so many nanos and replied reply, without
// the monitors.
func (e *Engine) note(t *Turn, s *session.Session, spec *command.Spec, args [][]byte, reply []byte, nanos int64) {
	t.ran(spec, nanos, reply)
	if slow := e.Gates.SlowNanos.Load(); slow >= 0 && nanos >= slow && !spec.Is(command.SkipSlowlog) {
		e.Slow(s, spec, args, nanos, t.NowMs)
	}
}

// ran adds the record of a command that replied reply.
func (t *Turn) ran(spec *command.Spec, nanos int64, reply []byte) {
	t.records = append(t.records, session.Record{})
	r := &t.records[len(t.records)-1]
	r.Spec, r.Nanos = spec, nanos
	if len(reply) > 0 && reply[0] == byte(resp.Error) {
		r.Outcome, r.Error = session.Failed, t.code(reply[1:])
	}
}

// show shows the command to the monitors.
func (e *Engine) show(s *session.Session, spec *command.Spec, args [][]byte) {
	if m := e.Monitor.Load(); m != nil && !spec.Any(command.SkipMonitor|command.Admin) {
		(*m)(s, s.DB(), spec, args)
	}
}

// reject answers a refusal, which also spoils a transaction being queued.
func (e *Engine) reject(t *Turn, s *session.Session, spec *command.Spec, text string) {
	switch {
	case spec != nil && spec == e.exec: // inside of MULTI or not
		s.Discard()
		text = "EXECABORT Transaction discarded because of: " + text
	case s.Is(session.Multi):
		s.Set(session.DirtyExec)
	}
	s.Out.Error(text)
	t.records = append(t.records, session.Record{Spec: spec, Outcome: session.Rejected, Error: t.code([]byte(text[:min(len(text), codeMax)]))})
}

// Wait keeps the command, which has not run, for Retry when s is woken. Its arguments are
// copied, since the read buffer they lie in will be used again.
func Wait(s *session.Session, args [][]byte) {
	s.Retry = copied(args)
	s.Set(session.Blocked)
}

func copied(args [][]byte) [][]byte {
	copies := make([][]byte, len(args))
	for i, a := range args {
		copies[i] = bytes.Clone(a)
	}
	return copies
}

func (e *Engine) view() *topology.View { return e.View.Load() }
