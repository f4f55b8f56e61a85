package exec

import (
	"container/heap"
	"sync"
	"time"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/topology"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/node/session"
)

// Blocking commands.
//
// A handler that finds nothing calls Call.Block. The engine then puts the command
// into the keyspace's lines at its keys, under the stripes, and parks the session:
//
//	a key changes          ready (keyspace.TakeReady); the command is run again:
//	                       see serve.go
//	its time is over       the null array
//	CLIENT UNBLOCK         the null array, or -UNBLOCKED
//	the node steps down    -UNBLOCKED, and the connection is closed
//	the slot goes away     -MOVED or -CLUSTERDOWN
//	the connection ends    nothing
//
// Whatever comes first locks the session.Waiting and ends the wait. The reply goes
// through the session's door to its loop, which comes to Answer.

// Errors that end a wait, in redis's words.
const (
	errUnblocked = "UNBLOCKED client unblocked via CLIENT UNBLOCK"
	errDemoted   = "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"
)

// waits are all commands that wait for keys.
type waits struct {
	mu    sync.Mutex
	all   map[*session.Waiting]struct{}
	due   dues
	timer *time.Timer // for the first of due
	set   int64       // Unix ms for which timer is set, 0: it is not

	seen *topology.View // by which redirect has judged
}

// block makes the command that has just run, and found nothing, wait. Its stripes are held.
func (e *Engine) block(t *Turn, s *session.Session, spec *command.Spec, args [][]byte, began int64) {
	asked := s.Asked
	s.Asked = nil
	t.began = e.Nanos()
	e.show(s, spec, args)
	if asked.Args != nil {
		args = asked.Args
	}
	w := s.Await(spec, args)
	w.Type, w.Gone, w.UntilMs, w.Nanos = asked.Type, asked.Gone, asked.UntilMs, t.began-began
	w.Hold.Reset(e.Keyspace)
	w.Hold.Add(&s.Hold)
	s.Tx.Wait(&w.Waiter, asked.Keys)
	e.waits.add(e, w)
}

// answered is the part of Answer for a command that waited for keys; its reply is
// s.Out.Buf[mark:].
func (e *Engine) answered(t *Turn, s *session.Session, w *session.Waiting, mark int) {
	e.leave(w)
	e.spend(s, w.Spec, session.Asking|session.Caching)
	if !w.Noted {
		t.ran(w.Spec, w.Nanos, s.Out.Buf[mark:])
		s.Tx.TakeLogged()
		e.countWait(s, w, len(s.Out.Buf)-mark)
		e.flush(t, s)
	}
	if w.Close {
		s.Set(session.CloseAfterReply)
	}
	e.silence(s, s.Last, mark)
	if s.Due.Offset != 0 {
		s.Owe(mark)
	}
}

// leave forgets a wait that is over. The session's loop calls it, without stripes.
func (e *Engine) leave(w *session.Waiting) {
	e.waits.remove(w)
	e.Keyspace.Unwait(&w.Waiter)
	w.Session.Awaited()
}

// Unblock is CLIENT UNBLOCK: it tells whether s waited for keys.
func (e *Engine) Unblock(s *session.Session, byError bool) bool {
	w := s.Waiting()
	if w == nil || !w.Claim() {
		return false
	}
	if byError {
		w.End(resp.AppendError(nil, errUnblocked))
	} else {
		w.End(nullArray(w))
	}
	return true
}

// UnblockAll ends all waits because the node has become a replica, or another's. Who
// calls it may hold stripes.
func (e *Engine) UnblockAll() {
	for _, w := range e.waits.list() {
		if w.Claim() {
			w.Close = true
			w.End(resp.AppendError(nil, errDemoted))
		}
	}
}

// redirect ends the waits for keys that are not served here any more.
func (e *Engine) redirect() {
	v := e.view()
	if v == e.waits.seen {
		return
	}
	e.waits.seen = v
	for _, w := range e.waits.list() {
		if !w.Claim() {
			continue
		}
		first := w.Args[firstKey(w)]
		d := v.RouteBlocked(slot.Of(first), w.Session.Is(session.Readonly), w.Spec.Is(command.Write))
		if d.Verdict == topology.Serve {
			w.GoOn()
			continue
		}
		w.End(resp.AppendError(nil, string(v.AppendError(nil, d, w.Session.ByTLS()))))
	}
}

// firstKey is the index of the first key of the command.
func firstKey(w *session.Waiting) int {
	var room [8]command.KeyPos
	pos, err := command.AppendKeys(room[:0], w.Spec, w.Args)
	if err != nil || len(pos) == 0 {
		return 0
	}
	return pos[0].Index
}

// nullArray is the reply to a wait whose time is over: the same for all commands.
func nullArray(w *session.Waiting) []byte {
	out := resp.Writer{Proto: w.Session.Proto()}
	out.NullArray()
	return out.Buf
}

// Waits is how many commands wait for keys and have a time limit.
func (e *Engine) Waits() (limited int) {
	e.waits.mu.Lock()
	defer e.waits.mu.Unlock()
	return len(e.waits.due)
}

func (ws *waits) add(e *Engine, w *session.Waiting) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.all == nil {
		ws.all = map[*session.Waiting]struct{}{}
	}
	ws.all[w] = struct{}{}
	if w.UntilMs > 0 {
		heap.Push(&ws.due, w)
		ws.wind(e)
	}
}

func (ws *waits) remove(w *session.Waiting) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	delete(ws.all, w)
	if w.UntilMs > 0 && w.Place >= 0 {
		heap.Remove(&ws.due, w.Place)
	}
}

func (ws *waits) list() []*session.Waiting {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	list := make([]*session.Waiting, 0, len(ws.all))
	for w := range ws.all {
		list = append(list, w)
	}
	return list
}

// wind sets the timer for the first whose time will be over, unless it rings before.
func (ws *waits) wind(e *Engine) {
	if len(ws.due) == 0 || ws.set != 0 && ws.set <= ws.due[0].UntilMs {
		return
	}
	ws.set = ws.due[0].UntilMs
	in := time.Until(time.UnixMilli(ws.set))
	if ws.timer == nil {
		ws.timer = time.AfterFunc(in, e.expire)
	} else {
		ws.timer.Reset(in)
	}
}

// expire ends the waits whose time is over.
func (e *Engine) expire() {
	for _, w := range e.waits.expired(e, time.Now().UnixMilli()) {
		if w.Claim() {
			w.End(nullArray(w))
		}
	}
}

func (ws *waits) expired(e *Engine, nowMs int64) (list []*session.Waiting) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for len(ws.due) > 0 && ws.due[0].UntilMs <= nowMs {
		list = append(list, heap.Pop(&ws.due).(*session.Waiting))
	}
	ws.set = 0
	ws.wind(e)
	return list
}

// dues is a heap.Interface: the first is the one whose time is over first.
type dues []*session.Waiting

func (d dues) Len() int           { return len(d) }
func (d dues) Less(i, j int) bool { return d[i].UntilMs < d[j].UntilMs }

func (d dues) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].Place, d[j].Place = i, j
}

func (d *dues) Push(x any) {
	w := x.(*session.Waiting)
	w.Place = len(*d)
	*d = append(*d, w)
}

func (d *dues) Pop() any {
	last := len(*d) - 1
	w := (*d)[last]
	(*d)[last] = nil
	*d = (*d)[:last]
	w.Place = -1
	return w
}
