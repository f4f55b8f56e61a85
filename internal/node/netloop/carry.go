//go:build linux && !portable

package netloop

import (
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/skeindb/skein/internal/node/session"
)

// What replicas are sent leaves before the replies that tell clients of it: else a
// write is acknowledged and lost when the process dies between the two, since the
// connection of a replica lives on another loop than the client's, mostly.
//
//	loop 1   commands ── log ── carry ── replies of the turn
//	                             │ lock of the carrier
//	loop 2   (home of replica) ──┴──> socket
//
// So a loop that is about to send replies first writes what the log has got into
// the sockets of all replicas. Nobody waits for a replica: what its socket does not
// take is kept, and sent by its home when there is room; until then others pass by.
//
// The log rings the home of a replica when it grows. That is not needed while a
// loop is in a turn, at whose end it carries anyway: lane.turns and lane.due are how
// the two sides agree that one of them does it.

// lane is what the loops of a node share to carry. The zero value carries nothing.
type lane struct {
	turns atomic.Int32 // loops in a turn, which carry before it ends
	due   atomic.Bool  // a replica that had everything has got more to read
	sent  atomic.Int64 // the log's end when all sockets last had it all

	mu       sync.Mutex
	carriers atomic.Pointer[[]*carrier] // replaced under mu
}

// carrier is the socket of a replica that several loops write to.
type carrier struct {
	s *session.Session

	mu    sync.Mutex
	fd    int    // -1: closed
	out   []byte // pulled, not taken by the socket
	sent  int64  // bytes written that the home has not counted yet
	ended bool   // by the Source or the peer: to be closed by the home
}

// verdict is how a carrier stands after it was pushed.
type verdict int

const (
	drained verdict = iota // the Source has no more
	stuck                  // the socket is full
	unfair                 // there is more, but others want their turn
	finished
)

// list are the carriers there are.
func (ln *lane) list() []*carrier {
	if p := ln.carriers.Load(); p != nil {
		return *p
	}
	return nil
}

func (ln *lane) add(k *carrier) {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	with := append(slices.Clone(ln.list()), k)
	ln.carriers.Store(&with)
	k.s.Carried.Store(true)
}

func (ln *lane) remove(k *carrier) {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	without := slices.DeleteFunc(slices.Clone(ln.list()), func(o *carrier) bool { return o == k })
	ln.carriers.Store(&without)
	k.s.Carried.Store(false)
}

// Carries implements session.Home.
func (l *Loop) Carries() bool {
	ln := &l.opt.lane
	ln.due.Store(true)
	return ln.turns.Load() > 0 || !ln.due.Swap(false) // by who ended his turn just now
}

// begin and end enclose a turn.
func (l *Loop) begin() {
	if l.carries = len(l.opt.lane.list()) > 0; l.carries {
		l.opt.lane.turns.Add(1)
	}
}

func (l *Loop) end() {
	if !l.carries {
		return
	}
	ln := &l.opt.lane
	ln.turns.Add(-1)
	if ln.due.Load() {
		l.carryAll()
	}
}

// carry writes to the sockets of the replicas what the log has got, before the
// loop's replies leave.
func (l *Loop) carry() {
	if ln := &l.opt.lane; len(ln.list()) > 0 && l.opt.LogEnd() != ln.sent.Load() {
		l.carryAll()
	}
}

func (l *Loop) carryAll() {
	ln := &l.opt.lane
	ln.due.Store(false)
	end := l.opt.LogEnd()
	for _, k := range ln.list() {
		k.mu.Lock()
		how := drained
		if len(k.out) == 0 && k.fd >= 0 && !k.ended { // else the home knows
			how = k.push(l)
		}
		k.mu.Unlock()
		if how != drained {
			k.s.Home.Notify(k.s)
		}
	}
	ln.sent.Store(end)
}

// push writes until the socket is full or there is no more; k.mu is held.
func (k *carrier) push(l *Loop) verdict {
	buf := l.pullBuffer()
	for range pullsMax {
		if len(k.out) > 0 {
			n, ok := k.write(l, k.out)
			if k.out = k.out[:copy(k.out, k.out[n:])]; !ok {
				return finished
			}
			if len(k.out) > 0 {
				return stuck
			}
		}
		made, ok := k.s.Pull(buf)
		if !ok {
			k.ended = true
			return finished
		}
		if made == 0 {
			return drained
		}
		n, ok := k.write(l, buf[:made])
		if k.out = append(k.out, buf[n:made]...); !ok {
			return finished
		}
		if n < made {
			return stuck
		}
	}
	return unfair
}

// write returns how many bytes the socket took; not ok: the peer is gone.
func (k *carrier) write(l *Loop, b []byte) (n int, ok bool) {
	n, errno := rawSend(k.fd, b)
	switch {
	case errno == syscall.EAGAIN:
		return 0, true
	case errno != 0:
		k.ended = true
		return 0, false
	}
	l.opt.ReplSent(n)
	k.sent += int64(n)
	return n, true
}

// share makes c, which has nothing to send but what its Source gives, a connection
// that all loops write to.
func (l *Loop) share(c *conn) {
	c.carrier = &carrier{s: c.s, fd: c.fd}
	l.opt.lane.add(c.carrier)
}

// unshare ends that, before the socket is closed.
func (l *Loop) unshare(c *conn) {
	if k := c.carrier; k != nil {
		l.opt.lane.remove(k)
		k.mu.Lock()
		k.fd = -1
		k.mu.Unlock()
	}
}

// advance is flush and send of a shared connection: made, if anything, comes behind
// what was pulled.
func (l *Loop) advance(c *conn, made []byte) {
	k := c.carrier
	k.mu.Lock()
	k.out = append(k.out, made...)
	how := finished
	if !k.ended {
		how = k.push(l)
	}
	waiting, sent := len(k.out), k.sent
	k.sent = 0
	k.mu.Unlock()
	if how == finished {
		l.close(c)
		return
	}
	if p := &c.s.Pending; sent > 0 || p.Out != waiting {
		p.NetOut, p.Out = p.NetOut+sent, waiting
		c.s.Active = l.turn.NowMs
		c.s.Publish()
	}
	l.await(c, waiting > 0)
	switch {
	case how == unfair:
		l.Notify(c.s)
	case waiting == 0 && c.s.Is(session.CloseAfterReply):
		l.close(c)
	}
}
