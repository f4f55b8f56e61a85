package exec

import (
	"sync"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/node/session"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// serving is the scratch of whoever serves those who wait for keys.
//
// The goroutine that has run a command which made keys ready runs the commands that
// wait there again, before it does anything else: key after key in the order in which
// they became ready, client after client in the order in which they came, each with
// its whole command, which takes what it would take had it come just now. What that
// makes ready is served in turn.
//
// As long as the stripes of the first command are those of the commands that waited,
// as they always are in cluster mode, they stay locked between: nobody else gets at
// what came. Otherwise they are released, and those of each waiting command taken.
type serving struct {
	ready []keyspace.ReadyKey
	line  []*keyspace.Waiter
	held  *keyspace.Hold // nil: none
	own   keyspace.Hold
	key   keyspace.Hold
}

// serve serves those who wait for the keys that tx, which has been committed, made
// ready. The stripes of h are held and will be released.
func (e *Engine) serve(t *Turn, h *keyspace.Hold, tx *keyspace.WriteTx) {
	v := &t.serving
	v.held, v.ready = h, tx.TakeReady(v.ready[:0])
	t.NowMs = max(t.NowMs, time.Now().UnixMilli()) // it may have taken long, and what it made be gone
	e.serveAll(t)
}

func (e *Engine) serveAll(t *Turn) {
	v := &t.serving
	for i := 0; i < len(v.ready); i++ {
		if !e.serveKey(t, v.ready[i]) {
			e.Keyspace.Defer(v.ready[i])
		}
	}
	clear(v.ready)
	v.letGo(e)
}

// serveKey serves those who wait at one key; not ok: it is to be tried again later.
func (e *Engine) serveKey(t *Turn, k keyspace.ReadyKey) (ok bool) {
	v := &t.serving
	v.key.Reset(e.Keyspace)
	v.key.AddKey(k)
	if !v.reach(e, &v.key) {
		return false
	}
	v.line = e.Keyspace.Waiters(v.line[:0], k)
	defer func() { clear(v.line) }()
	for _, one := range v.line {
		w := one.Who.(*session.Waiting)
		if !v.reach(e, &w.Hold) || !e.offer(t, k, w) {
			return false
		}
	}
	return true
}

// reach has the stripes of o held, and perhaps others. Not ok: long work owns one of
// them, and none is held; Engine.ServeDeferred comes when it has ended.
func (v *serving) reach(e *Engine, o *keyspace.Hold) (ok bool) {
	if v.held != nil && v.held.Contains(o) {
		return true
	}
	v.letGo(e)
	v.own.Reset(e.Keyspace)
	v.own.Add(o)
	if !e.Keyspace.Acquire(&v.own, later{e}) {
		return false
	}
	v.held = &v.own
	return true
}

func (v *serving) letGo(e *Engine) {
	if v.held != nil {
		e.Keyspace.Release(v.held)
		v.held = nil
	}
}

// offer gives w the chance to take what k holds; not ok: it has to be asked again. The
// stripes of its command are held.
func (e *Engine) offer(t *Turn, k keyspace.ReadyKey, w *session.Waiting) (ok bool) {
	if !w.Claim() {
		return true
	}
	s := w.Session
	s.Tx.Begin(e.Keyspace, t.serving.held, s.DB(), t.NowMs, keyspace.NoTouch)
	if !s.Tx.Brings(k, &w.Waiter) {
		w.GoOn()
		return true
	}
	if e.paused(s, w.Spec, w.Spec.Flags, t.NowMs) || e.Gates.Loading.Load() {
		w.GoOn()
		return false
	}
	out := resp.Writer{Proto: s.Proto()}
	s.Call.Out = &out
	e.again(t, w, &out)
	s.Call.Out = &s.Out
	t.serving.ready = s.Tx.TakeReady(t.serving.ready)
	if s.Asked != nil {
		if s.Asked.Args != nil {
			w.Args = s.Asked.Args
		}
		s.Asked = nil
		w.GoOn()
		return true
	}
	w.Noted = true
	out.Raw(s.TakeAfter())
	e.Keyspace.UnwaitHeld(&w.Waiter)
	w.End(out.Buf)
	return true
}

// again runs the command of w, which is locked, as it would be run had it come just now.
func (e *Engine) again(t *Turn, w *session.Waiting, out *resp.Writer) {
	s, c := w.Session, &w.Session.Call
	t.hinted, t.began = 0, e.Nanos()
	text := e.refusedUnlocked(s, w.Spec, w.Args)
	if text == "" {
		text = e.refusedLocked(t, s, w.Spec, w.Args, e.overFull(s))
	}
	if text != "" {
		out.Error(text)
		t.records = append(t.records, session.Record{Spec: w.Spec, Outcome: session.Rejected, Error: t.code([]byte(text))})
		return
	}
	began, from := t.began, e.LogEnd()
	c.Spec, c.Args, c.Now, c.DB = w.Spec, w.Args, t.NowMs, s.DB()
	s.Tx.Begin(e.Keyspace, t.serving.held, s.DB(), t.NowMs, e.access(s))
	s.Tx.TakeLogged()
	if w.Spec.Read != nil {
		w.Spec.Read(c, &s.Tx.ReadTx)
		s.Tx.Commit(nil)
	} else {
		w.Spec.Write(c, &s.Tx)
		s.Tx.Commit(w.Args)
	}
	if s.Is(session.Tracking) {
		e.remember(t, s, s.Flags, w.Spec, w.Args)
	}
	s.Tx.Broadcast()
	t.began = e.Nanos()
	w.Nanos += t.began - began
	if s.Asked != nil {
		return
	}
	e.note(t, s, w.Spec, w.Args, out.Buf, w.Nanos)
	e.countWait(s, w, len(out.Buf))
	e.logged(s, from)
}

// overFull tells whether memory is over its limit. Nothing is evicted: stripes are held.
func (e *Engine) overFull(s *session.Session) bool {
	limit := e.Gates.MaxMemory.Load()
	return limit > 0 && !s.Is(session.Master) && e.Keyspace.Used()+e.Beside() > limit
}

// aside is the scratch of those who serve but are no loop.
type aside struct {
	mu   sync.Mutex
	turn Turn
}

// ServeDeferred serves those who wait for keys that were left for later. The caller
// holds no stripes.
func (e *Engine) ServeDeferred() {
	a := &e.aside
	a.mu.Lock()
	defer a.mu.Unlock()
	t := &a.turn
	if t.serving.ready = e.Keyspace.TakeDeferred(t.serving.ready[:0]); len(t.serving.ready) == 0 {
		return
	}
	t.NowMs = time.Now().UnixMilli()
	e.serveAll(t)
	if t.record == nil {
		t.record = e.Recorder()
	}
	t.record(t.records)
	t.records = t.records[:0]
}

// later waits for stripes in the name of those who wait for keys.
type later struct{ e *Engine }

// Patient implements keyspace.Patient.
func (l later) Patient() bool { return true }

// Wake implements keyspace.Waker.
func (l later) Wake() { go l.e.ServeDeferred() }
