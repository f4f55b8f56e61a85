package exec

import (
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/command/acl"
	"github.com/skeindb/skein/internal/node/session"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// runsInsideMulti names the commands that run at once between MULTI and EXEC.
func runsInsideMulti(spec *command.Spec) bool {
	switch spec.FullName() {
	case "exec", "discard", "multi", "watch", "quit", "reset":
		return true
	}
	return false
}

// queue keeps a command for EXEC, after the refusals that redis makes while
// queueing.
func (e *Engine) queue(t *Turn, s *session.Session, spec *command.Spec, args [][]byte, oom bool) {
	if text := e.refusedLocked(t, s, spec, args, oom); text != "" {
		e.reject(t, s, spec, text)
		return
	}
	s.Enqueue(spec, spec.FlagsOf(args), args)
	e.countQueued(t, s, spec, args)
	s.Out.SimpleString("QUEUED")
}

// claimQueued adds the stripes of all queued commands and watched keys.
func (e *Engine) claimQueued(t *Turn, s *session.Session) {
	h := &s.Hold
	s.Watch.AddStripes(h)
	for i := range s.Queue {
		q := &s.Queue[i]
		switch {
		case q.Spec.Everywhere(q.Args), q.Spec.Is(command.Scripted) && s.Is(session.Master), q.Spec.Service != nil && q.Spec.Any(command.Admin|command.Write):
			h.AddAll()
		case q.Spec.HasKeys():
			pos, err := command.AppendKeys(t.pos[:0], q.Spec, q.Args)
			if err != nil {
				continue
			}
			for _, p := range pos {
				h.AddSlot(slot.Of(q.Args[p.Index]))
			}
			t.pos = pos
		case q.Spec.Is(command.MayReplicate):
			h.AddSlot(keyspace.SlotOfNoKey)
		}
	}
}

func queuedAny(s *session.Session, f command.Flags) bool {
	for i := range s.Queue {
		if s.Queue[i].Flags.Any(f) {
			return true
		}
	}
	return false
}

// execute runs the queued commands as one step. If a script among them lasts, s is Away
// before the last has run: see unfinished.
func (e *Engine) execute(t *Turn, s *session.Session) {
	switch {
	case !s.Is(session.Multi):
		s.Out.Error("ERR EXEC without MULTI")
		return
	case s.Is(session.DirtyExec):
		s.Discard()
		s.Out.Error("EXECABORT Transaction discarded because of previous errors.")
		return
	case e.watchFailed(t, s):
		s.Discard()
		s.Out.NullArray()
		return
	}
	queued, mark, began, from := s.Queue, len(s.Out.Buf), t.began, e.LogEnd()
	s.Dequeue()
	s.Set(session.Unwatch)
	s.Out.Array(len(queued))
	s.Tx.Begin(e.Keyspace, &s.Hold, s.DB(), t.NowMs, e.access(s))
	for i := range queued {
		if e.queued(t, s, &queued[i]); s.Away {
			restOf(s).keep(queued[i:], mark, began)
			return
		}
	}
	s.Clear(session.Multi | session.DirtyExec)
	s.Tx.Commit(nil)
	e.logged(s, from)
}

func (e *Engine) watchFailed(t *Turn, s *session.Session) bool {
	if !s.Watch.Active() {
		return false
	}
	if s.Watch.Dirty() {
		return true
	}
	s.Tx.Begin(e.Keyspace, &s.Hold, s.DB(), t.NowMs, keyspace.NoTouch)
	return s.Tx.ExpiredWatch(&s.Watch)
}

// queued runs one command of a transaction. If s is Away then, it is a script that has
// not ended yet.
func (e *Engine) queued(t *Turn, s *session.Session, q *session.Queued) {
	if u := e.user(s); u != nil && u.Restricted() { // it may have been allowed when it was queued
		if d := u.Check(q.Spec, q.Args); d.Reason != acl.Allowed {
			e.denied(s, u, d, acl.Multi, q.Spec, q.Args)
			text := d.Changed()
			s.Out.Error(text)
			t.records = append(t.records, session.Record{Outcome: session.Failed, Error: t.code([]byte(text))})
			return
		}
	}
	mark, began := len(s.Out.Buf), t.began
	c := &s.Call
	c.Spec, c.Args, c.DB = q.Spec, q.Args, s.DB()
	s.Tx.SelectDB(c.DB)
	switch {
	case q.Spec.Read != nil:
		q.Spec.Read(c, &s.Tx.ReadTx)
		s.Tx.EndCommand(nil)
	case q.Spec.Write != nil:
		q.Spec.Write(c, &s.Tx)
		s.Tx.EndCommand(q.Args)
	default:
		if q.Spec.Service(c); s.Away {
			return
		}
	}
	e.answeredQueued(t, s, q, mark, began)
}

// answeredQueued notes a command of a transaction that has run and answered.
func (e *Engine) answeredQueued(t *Turn, s *session.Session, q *session.Queued, mark int, began int64) {
	if s.Is(session.Tracking) {
		e.remember(t, s, s.Flags, q.Spec, q.Args)
	}
	e.account(t, s, q.Spec, q.Args, mark, began)
}

// Specs are the commands of transactions.
func (e *Engine) Specs() []*command.Spec {
	return []*command.Spec{
		{Name: "multi", Group: "transactions", Since: "1.2.0", Arity: 1,
			Summary: "Begins a transaction.", Complexity: "O(1)",
			Flags:   command.NoScript | command.Loading | command.Stale | command.Fast | command.AllowBusy,
			Service: e.multiCommand},
		{Name: "exec", Group: "transactions", Since: "1.2.0", Arity: 1,
			Summary: "Runs all commands queued since MULTI as one step.", Complexity: "Depends on commands in the transaction",
			Flags:   command.NoScript | command.Loading | command.Stale | command.SkipSlowlog,
			Service: func(*command.Call) {}}, // Engine.execute, which needs the loop's Turn
		{Name: "discard", Group: "transactions", Since: "2.0.0", Arity: 1,
			Summary: "Drops the queued commands.", Complexity: "O(N), when N is the number of queued commands",
			Flags:   command.NoScript | command.Loading | command.Stale | command.Fast | command.AllowBusy,
			Service: e.discardCommand},
		{Name: "watch", Group: "transactions", Since: "2.2.0", Arity: -2,
			Summary: "Makes EXEC fail if a key changes before it.", Complexity: "O(1) for every key.",
			Flags: command.NoScript | command.Loading | command.Stale | command.Fast | command.AllowBusy,
			Usage: "key...", Keys: command.AllKeys(command.KeyRO), Read: e.watchCommand},
		{Name: "unwatch", Group: "transactions", Since: "2.2.0", Arity: 1,
			Summary: "Forgets the watched keys.", Complexity: "O(1)",
			Flags:   command.NoScript | command.Loading | command.Stale | command.Fast | command.AllowBusy,
			Service: e.unwatchCommand},
	}
}

func sessionOf(c *command.Call) *session.Session { return c.Client.(*session.Session) }

func (e *Engine) multiCommand(c *command.Call) {
	s := sessionOf(c)
	if s.Is(session.Multi) {
		c.Out.Error("ERR MULTI calls can not be nested")
		return
	}
	s.Set(session.Multi)
	c.Out.OK()
}

func (e *Engine) discardCommand(c *command.Call) {
	s := sessionOf(c)
	if !s.Is(session.Multi) {
		c.Out.Error("ERR DISCARD without MULTI")
		return
	}
	s.Discard()
	c.Out.OK()
}

func (e *Engine) watchCommand(c *command.Call, tx *keyspace.ReadTx) {
	s := sessionOf(c)
	if s.Is(session.Multi) {
		c.Out.Error("ERR WATCH inside MULTI is not allowed")
		return
	}
	if !s.Watch.Dirty() {
		for _, key := range c.Args[1:] {
			tx.Watch(&s.Watch, key)
		}
	}
	c.Out.OK()
}

func (e *Engine) unwatchCommand(c *command.Call) {
	s := sessionOf(c)
	if s.InMulti() { // queued: under EXEC's stripes, and EXEC has unwatched already
		c.Out.OK()
		return
	}
	e.Keyspace.Unwatch(&s.Watch)
	c.Out.OK()
}
