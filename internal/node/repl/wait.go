package repl

import (
	"cmp"
	"math"
	"slices"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/node/session"
	"github.com/skeindb/skein/internal/store/keyspace"
	"github.com/skeindb/skein/internal/store/oplog"
)

// wait is somebody who waits until n replicas have acknowledged an offset.
type wait struct {
	n        int
	offset   int64
	done     func()
	deadline int64            // Unix ms, 0: none
	of       *session.Session // whose WAIT it is, nil: another's
	reply    func(b []byte)   // answers WAIT
}

// Acked is the highest offset that n connected replicas have acknowledged, -1 if
// there are not so many.
func (r *Repl) Acked(n int) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ackedBy(n)
}

func (r *Repl) ackedBy(n int) int64 {
	if n <= 0 {
		return math.MaxInt64
	}
	acks := make([]int64, 0, 8)
	for _, p := range r.replicas {
		if p.phase == online {
			acks = append(acks, p.ack)
		}
	}
	if len(acks) < n {
		return -1
	}
	slices.Sort(acks)
	return acks[len(acks)-n]
}

// Online is how many replicas receive the stream.
func (r *Repl) Online() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.online()
}

func (r *Repl) online() (n int) {
	for _, p := range r.replicas {
		if p.phase == online {
			n++
		}
	}
	return n
}

// Await calls done, once and from any goroutine, when n connected replicas have
// acknowledged the offset, which may be at once; and asks them to. cancel, if
// called before, prevents it. Nothing is called when the node becomes a replica.
func (r *Repl) Await(offset int64, n int, done func()) (cancel func()) {
	w := &wait{n: n, offset: offset, done: done}
	if !r.enter(w) {
		done()
		return func() {}
	}
	return func() { r.leave(w) }
}

// enter puts w among those who wait, unless it need not.
func (r *Repl) enter(w *wait) bool {
	r.mu.Lock()
	if r.ackedBy(w.n) >= w.offset {
		r.mu.Unlock()
		return false
	}
	line := r.waits[w.n]
	i, _ := slices.BinarySearchFunc(line, w.offset+1, func(o *wait, offset int64) int { return cmp.Compare(o.offset, offset) })
	r.waits[w.n] = slices.Insert(line, i, w)
	r.mu.Unlock()
	r.ask()
	return true
}

// leave takes w out and tells whether it was there: whoever succeeds answers.
func (r *Repl) leave(w *wait) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.Index(r.waits[w.n], w)
	if i < 0 {
		return false
	}
	if r.waits[w.n] = slices.Delete(r.waits[w.n], i, i+1); len(r.waits[w.n]) == 0 {
		delete(r.waits, w.n)
	}
	return true
}

// served takes out those whose replicas have acknowledged; r.mu is held. They are
// to be told when it is not.
func (r *Repl) served() (ready []*wait) {
	for n, line := range r.waits {
		acked := r.ackedBy(n)
		i := 0
		for i < len(line) && line[i].offset <= acked {
			i++
		}
		if i == 0 {
			continue
		}
		ready = append(ready, line[:i]...)
		if r.waits[n] = line[i:]; i == len(line) {
			delete(r.waits, n)
		}
	}
	r.again = r.again && len(r.waits) > 0
	return ready
}

// askAgainMs is after how long a request for acknowledgements that nobody answered
// is repeated.
const askAgainMs = 100

var (
	argvGetAck = resp.AppendCommandBytes(nil, []byte("REPLCONF"), []byte("GETACK"), []byte("*"))
	argvPing   = resp.AppendCommandBytes(nil, []byte("PING"))
)

// ask makes the replicas acknowledge soon. While one request is on its way no
// other is sent: its answer brings the next.
func (r *Repl) ask() {
	at := now()
	r.mu.Lock()
	if r.link != nil || r.online() == 0 {
		r.mu.Unlock()
		return
	}
	if r.asked > 0 && r.ackedBy(1) < r.asked && at-r.askedMs < askAgainMs {
		r.again = true
		r.mu.Unlock()
		return
	}
	r.asked, r.askedMs, r.again = r.log.Offset(), at, false // redis answers with what it had before the question
	r.mu.Unlock()
	r.append(argvGetAck, false)
}

// append adds a command that no client sent to the stream of a master. It is left
// out while writes are paused (paused says: only by a hand-over), since the log
// must stand still, and while the lock of such effects is another's.
func (r *Repl) append(argv []byte, paused bool) {
	ks := r.opt.Keyspace
	var h keyspace.Hold
	h.Reset(ks)
	h.AddSlot(keyspace.SlotOfNoKey)
	if !ks.Acquire(&h, make(waker, 1)) {
		return
	}
	frozen := ks.Frozen.Load() && (!paused || r.opt.Engine.HandingOver())
	if !frozen && !ks.Replica.Load() {
		r.log.Append([]oplog.Effect{{DB: -1, Class: oplog.Replicas, Argv: argv}}, false)
	}
	ks.Release(&h)
}

// Inject puts a command into the stream of a master (DEBUG REPLICATE). All stripes are held.
func (r *Repl) Inject(argv [][]byte) {
	if !r.opt.Keyspace.Replica.Load() {
		r.log.Append([]oplog.Effect{{DB: -1, Class: oplog.Replicas, Argv: resp.AppendCommandBytes(nil, argv...)}}, false)
	}
}

const (
	errWaitReplica = "ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is configured to be writable (which is not the default) writes to replicas are just local and are not propagated."
	errDemoted     = "-UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)\r\n"
	errUnblocked   = "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n"
)

// waitCommand is WAIT numreplicas timeout.
func (r *Repl) waitCommand(c *command.Call) {
	if r.Following() {
		c.Out.Error(errWaitReplica)
		return
	}
	a := c.Parse(1)
	n := a.Int()
	timeout := a.IntOr(math.MinInt64, math.MaxInt64, "ERR timeout is not an integer or out of range")
	if a.Err() == nil && timeout < 0 {
		a.Fail(command.Error("ERR timeout is negative"))
	}
	if a.Err() == nil && timeout > math.MaxInt64-c.Now {
		a.Fail(command.Error("ERR timeout is out of range"))
	}
	if err := a.Err(); err != nil {
		c.Fail(err)
		return
	}
	w := &wait{n: int(min(n, math.MaxInt32))}
	s, ok := c.Client.(*session.Session)
	if ok {
		w.offset = s.Wrote
	}
	if !ok || s.InMulti() || r.Acked(w.n) >= w.offset {
		c.Out.Int(int64(r.count(w.offset)))
		return
	}
	w.of = s
	if timeout > 0 {
		w.deadline = c.Now + timeout
	}
	w.reply, _ = s.Park()
	w.done = func() { w.reply(resp.AppendInt(nil, int64(r.count(w.offset)))) }
	s.Set(session.Blocked)
	if !r.enter(w) {
		w.done()
	}
}

// count is how many replicas have acknowledged an offset.
func (r *Repl) count(offset int64) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.replicas {
		if p.phase == online && p.ack >= offset {
			n++
		}
	}
	return n
}

// expireWaits answers those whose time is over.
func (r *Repl) expireWaits(nowMs int64) {
	for _, w := range r.waiting(func(w *wait) bool { return w.deadline > 0 && nowMs >= w.deadline }) {
		if r.leave(w) {
			w.done()
		}
	}
}

// waiting are those who wait and are meant.
func (r *Repl) waiting(meant func(*wait) bool) (list []*wait) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, line := range r.waits {
		for _, w := range line {
			if meant(w) {
				list = append(list, w)
			}
		}
	}
	return list
}

// endWaits answers all WAITs because the node became a replica.
func (r *Repl) endWaits() {
	for _, w := range r.waiting(func(*wait) bool { return true }) {
		if r.leave(w) && w.of != nil {
			w.reply([]byte(errDemoted))
		}
	}
}

// Unblock is CLIENT UNBLOCK for a WAIT: it tells whether s was in one.
func (r *Repl) Unblock(s *session.Session, byError bool) bool {
	for _, w := range r.waiting(func(w *wait) bool { return w.of == s }) {
		if !r.leave(w) {
			continue
		}
		if byError {
			w.reply([]byte(errUnblocked))
		} else {
			w.done()
		}
		return true
	}
	return false
}

// forgetWait drops the WAIT of a session that is gone.
func (r *Repl) forgetWait(s *session.Session) {
	if s.Is(session.Blocked) {
		for _, w := range r.waiting(func(w *wait) bool { return w.of == s }) {
			r.leave(w)
		}
	}
}
