package repl

import (
	"context"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/skeindb/skein/internal/node/exec"
	"github.com/skeindb/skein/internal/node/session"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// state is how far the link to our master is.
type state int32

const (
	unlinked    state = iota // to be tried, or tried again soon
	dialling                 // the connection is being made
	handshaking              // we say who we are and what we have
	receiving                // an RDB comes
	connected                // the stream flows
)

// stateWords are ROLE's.
var stateWords = [...]string{"connect", "connecting", "handshake", "sync", "connected"}

// upstream is what the replica's side keeps in a Repl, under Repl.mu. It outlives
// the links.
type upstream struct {
	// resumable: history and log are those of a master, or ours that others may know,
	// so that a partial resync may be asked for. Redis says that a master is cached.
	resumable bool
	downMs    int64     // Unix ms since when there is no link that was there before; 0: there was none
	begun     bool      // Begin was called
	last      *follower // the latest; the next begins when its goroutine has ended

	pauseUnit  time.Duration // what retryPause is measured in, 0: a second
	unexpected atomic.Int64  // errors that the master's commands ended with
	asleep     atomic.Int64  // Unix ms until which the link stands still

	// Of the goroutine of the link.
	turn exec.Turn
	wipe keyspace.WriteTx // for whoever holds all stripes
}

// follower is one link to a master, from the order to follow until the next such
// order. One goroutine connects, synchronizes and applies, and begins again when
// the connection is lost:
//
//	connect ── handshake ── PSYNC ─┬─ CONTINUE ───────────────────┬─ apply ... lost
//	   ^                           └─ FULLRESYNC ─ receive, load ─┘          │
//	   └─────────────────────────────────────────────────────────────────────┘
type follower struct {
	r    *Repl
	host string
	port int

	// handOver is set while FAILOVER makes the other side the master: it is told once
	// whether that side took the role (nil) or why it did not.
	handOver func(error)

	ctx  context.Context
	quit context.CancelFunc
	done chan struct{} // closed when the goroutine has ended
	bell chan struct{} // somebody was at the session's door

	// Under Repl.mu.
	stopped bool
	inStep  bool             // the stream has flowed
	client  *session.Session // the stream's, nil while none flows

	over   atomic.Bool          // stopped, for who holds stripes
	wire   atomic.Pointer[wire] // nil while there is no connection
	state  atomic.Int32
	lastMs atomic.Int64 // Unix ms of the last byte received
	unread atomic.Int64 // bytes received and not applied
	deaf   bool         // the master takes no acknowledgements: it came by SYNC

	// The full sync under way.
	total, got, gotMs atomic.Int64
}

// address is the master's.
func (f *follower) address() string { return net.JoinHostPort(f.host, strconv.Itoa(f.port)) }

// shown is the address as redis's log has it, without brackets.
func (f *follower) shown() string { return f.host + ":" + strconv.Itoa(f.port) }

// follow makes the node a replica of the master at host and port, whatever it was.
// Host is empty while the address is unknown: nobody is followed then, but the node is a
// replica. handOver is told what a FAILOVER came to, else nil. The caller holds all stripes.
func (r *Repl) follow(host string, port int, handOver func(error)) {
	f := &follower{r: r, host: host, port: port, handOver: handOver, done: make(chan struct{}), bell: make(chan struct{}, 1)}
	f.ctx, f.quit = context.WithCancel(context.Background())
	r.mu.Lock()
	old := r.link
	if old == nil && r.begun {
		r.opt.Slog.Info("Before turning into a replica, using my own master parameters to synthesize a cached master: " +
			"I may be able to synchronize with the new master with just a partial transfer.")
		r.resumable = true
	}
	r.unlink()
	before := r.last
	r.link, r.last = f, f
	r.tellLink()
	begun := r.begun
	r.mu.Unlock()
	if old == nil {
		r.endWaits()
		r.roleChanged(true)
	}
	if begun {
		f.start(before)
	} else {
		close(f.done)
	}
}

// Begin lets the link be made, if the node is a replica already: what was saved has
// been loaded. Until then an order to follow changes the role only.
func (r *Repl) Begin() {
	r.mu.Lock()
	r.begun = true
	f := r.link
	if f != nil {
		f.done = make(chan struct{})
	}
	r.mu.Unlock()
	if f != nil {
		f.start(nil)
	}
}

func (f *follower) start(before *follower) {
	if f.host != "" {
		f.notice("Connecting to MASTER " + f.shown())
	}
	go f.begin(before)
}

// begin waits for the end of the link before, which may be in the middle of what
// only one can do, and runs.
func (f *follower) begin(before *follower) {
	defer close(f.done)
	if before != nil {
		<-before.done
	}
	if f.host != "" {
		f.run()
	}
}

// unlink ends the link there is, if any: nothing of it is applied any more. r.mu is
// held, and all stripes if data may be changing.
func (r *Repl) unlink() {
	f := r.link
	if f == nil {
		return
	}
	r.link = nil
	f.stopped = true
	f.over.Store(true)
	f.quit()
	if w := f.wire.Load(); w != nil {
		w.Close()
	}
	if f.up() {
		r.downMs = now()
	}
	if f.client != nil {
		r.opt.Clients.Closed(f.client)
		f.client = nil
	}
}

// promote makes the node a master. Its history goes on under a new id; log and
// backlog stay, so that siblings go on with us. The caller holds all stripes.
func (r *Repl) promote() {
	r.mu.Lock()
	if r.link == nil {
		r.mu.Unlock()
		return
	}
	r.unlink()
	r.resumable, r.downMs = false, 0
	r.mu.Unlock()
	r.shift()
	r.dropReplicas("they have to learn the new replication ID")
	r.mu.Lock()
	r.tellLink()
	h := r.hist
	r.mu.Unlock()
	r.opt.Slog.Info("Setting secondary replication ID to " + h.ID2 + ", valid up to offset: " +
		strconv.FormatInt(h.SecondOffset, 10) + ". New replication ID is " + h.ID)
	r.roleChanged(false)
}

func (r *Repl) roleChanged(replica bool) {
	if r.opt.RoleChanged != nil {
		r.opt.RoleChanged(replica)
	}
}

// tellLink opens or closes the gate for clients of a replica without a link. r.mu is held.
func (r *Repl) tellLink() {
	down := r.link != nil && !r.link.up()
	r.opt.Gates.MasterDown.Store(down && !r.tuning.Load().ServeStale)
}

func (f *follower) up() bool { return state(f.state.Load()) == connected }

// enter changes the state, unless the link has ended; it tells whether it has not.
func (f *follower) enter(s state) bool {
	f.r.mu.Lock()
	defer f.r.mu.Unlock()
	if f.stopped {
		return false
	}
	if f.up() && s != connected {
		f.r.downMs = now()
	}
	if s == connected {
		f.r.downMs, f.inStep = 0, true
	}
	f.state.Store(int32(s))
	f.r.tellLink()
	return true
}

// retry says how a link that failed is to be tried again.
type retry int

const (
	later    retry = iota // in a second
	atOnce                // soon: the transfer was cut short, the master was silent
	lostLink              // at once: the stream had flowed
)

// Pauses before the link is tried again.
const (
	retryPause = time.Second            // shorter in tests
	retryFirst = 10 * time.Millisecond  // a transfer was cut short
	retryMost  = 250 * time.Millisecond // one after the other
)

// run keeps the link up until the follower is stopped.
func (f *follower) run() {
	pause := time.Duration(0)
	for {
		how := f.once()
		if !f.enter(unlinked) {
			return
		}
		switch {
		case how == lostLink:
			pause = 0
		case how == later:
			pause = retryPause
		case pause == retryPause:
			pause = 0
		default:
			pause = min(max(2*pause, retryFirst), retryMost)
		}
		if !f.sleep(f.r.scaled(pause)) {
			return
		}
		f.announce(how)
	}
}

func (u *upstream) scaled(pause time.Duration) time.Duration {
	if u.pauseUnit == 0 {
		return pause
	}
	return pause * u.pauseUnit / time.Second
}

// announce logs that the link is tried again.
func (f *follower) announce(how retry) {
	switch how {
	case later:
		f.notice("Connecting to MASTER " + f.shown())
	case atOnce:
		f.notice("Reconnecting to MASTER " + f.shown() + " after failure")
	case lostLink:
		f.notice("Reconnecting to MASTER " + f.shown())
	}
}

// sleep waits, unless the follower is stopped.
func (f *follower) sleep(d time.Duration) bool {
	if d == 0 {
		return f.ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-f.ctx.Done():
		return false
	}
}

// world runs do under all stripes. False: the follower was stopped before they were free.
func (f *follower) world(do func()) bool {
	ks := f.r.opt.Keyspace
	var h keyspace.Hold
	again := make(waker, 1)
	for h.Reset(ks); ; {
		h.AddAll()
		if ks.Acquire(&h, again) {
			break
		}
		select {
		case <-again:
		case <-f.ctx.Done():
			return false
		}
	}
	defer ks.Release(&h)
	if !f.alive() {
		return false
	}
	do()
	return true
}

// alive tells whether the follower is still the node's link. The caller holds all
// stripes, and nobody takes the link away while it does.
func (f *follower) alive() bool {
	f.r.mu.Lock()
	defer f.r.mu.Unlock()
	return !f.stopped
}

// Sleep makes the link stand still for a while: DEBUG SLEEP.
func (r *Repl) Sleep(d time.Duration) { r.asleep.Store(now() + d.Milliseconds()) }

func (f *follower) nap() {
	if left := f.r.asleep.Load() - now(); left > 0 {
		f.sleep(time.Duration(left) * time.Millisecond)
	}
}

func (f *follower) notice(text string) { f.r.opt.Slog.Info(text) }
func (f *follower) warn(text string)   { f.r.opt.Slog.Warn(text) }

func (f *follower) tuned() *Tuning { return f.r.tuning.Load() }
