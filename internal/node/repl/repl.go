// Package repl is replication, both ways.
//
// # The master's side
//
// A replica's connection stays a session of its event loop, so that CLIENT LIST,
// CLIENT KILL, statistics and limits treat it like any other; REPLCONF ACK is a
// command like others. What it is sent comes from a source that the loop pulls
// from when the socket takes more (session.Source), so that nothing piles up
// outside of the log:
//
//	keyspace commit ──> oplog.Log ──┬─ reader ──> source ──> loop ──> replica 1
//	                                └─ reader ──> source ──> loop ──> replica 2
//
// A full sync puts the RDB before it. One goroutine walks the cut and writes to
// all replicas that wait for it; a pipe of fixed size stands between it and each
// loop, so that the walk goes as fast as the slowest replica reads:
//
//	cut at offset N ──> RDB ──┬─ pipe ─┐
//	                          └─ pipe ─┴─> source: RDB, then the log from N+1 on
//
// # The replica's side
//
// One link at a time leads to the master (follower). Its goroutine is the only
// one that changes data while it stands.
//
// # Locks
//
// Repl.mu is taken under stripes and before the log's lock. Who holds it takes no
// stripe and calls nobody who might: the log, sessions' doors, gates and the logger only.
// Role, history and the data set change together under all stripes.
package repl

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/skeindb/skein/internal/store/keyspace"
	"github.com/skeindb/skein/internal/store/oplog"
)

// ErrBusy is what Options.Snapshot returns while another snapshot is under way.
var ErrBusy = errors.New("repl: another snapshot is under way")

// Repl is the replication of one node.
type Repl struct {
	opt    Options
	log    *oplog.Log
	tuning atomic.Pointer[Tuning]

	mu       sync.Mutex
	hist     History
	link     *follower // to our master; nil: we are a master
	keeping  bool      // there is a backlog
	replicas []*replica
	master   // what else the master's side keeps
	upstream // and the replica's

	jobs    sync.WaitGroup
	closing chan struct{}
}

// master is the state of the master's side, under Repl.mu.
type master struct {
	job      *job  // the full sync under way
	delayed  bool  // the next one waits for another snapshot
	toFile   bool  // the next one goes by a file: the last replicas read too slowly for the writers
	alone    int64 // Unix ms since when there is no replica
	asked    int64 // log offset at which acknowledgements were asked for last, 0: answered
	askedMs  int64
	again    bool // somebody waits who came after that
	good     int  // replicas that min-replicas-to-write counts
	waits    map[int][]*wait
	failover failover
	rounds   rounds
	stats    Stats
}

// New returns the replication of a master without replicas.
func New(o Options) *Repl {
	r := &Repl{opt: o, log: o.Log, hist: newHistory(o.NewID()), closing: make(chan struct{})}
	r.waits, r.failover.state = map[int][]*wait{}, noFailover
	r.alone = now()
	r.rounds.ping = r.alone
	r.tuning.Store(&Tuning{})
	return r
}

// Tune replaces the directives; it may be called at any time.
func (r *Repl) Tune(t Tuning) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tuning.Store(&t)
	r.retune()
	r.tellLink()
}

// Close ends what runs by itself, and waits for it. Sessions are closed by their loops.
func (r *Repl) Close() {
	close(r.closing)
	r.closeLink()
	r.mu.Lock()
	abort := r.job.stop()
	r.mu.Unlock()
	abort()
	for _, p := range r.followers() {
		p.stream.close()
	}
	r.closeLink()
	r.jobs.Wait()
}

// Following tells whether the node is a replica.
func (r *Repl) Following() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.link != nil
}

// LinkFacts is how the link to the master stands, for INFO, ROLE and the cluster.
// The replica's side fills it (Repl.Link).
type LinkFacts struct {
	Host string
	Port int
	// State is ROLE's word: none, connect, connecting, handshake, sync, connected.
	State      string
	Up         bool  // the stream flows
	LastIOMs   int64 // Unix ms of the last byte, while Up or syncing
	DownMs     int64 // Unix ms since when not Up
	Read       int64 // slave_read_repl_offset; -1 if unknown
	Applied    int64 // slave_repl_offset
	Syncing    bool  // a full sync is being received
	SyncTotal  int64 // its length in bytes, 0 if unknown (EOF framed)
	SyncRead   int64 // bytes of it
	SyncLastMs int64 // Unix ms of its last byte
}

// world runs do under all stripes. It waits for owners of stripes to end.
func (r *Repl) world(do func()) {
	var h keyspace.Hold
	again := make(waker, 1)
	for h.Reset(r.opt.Keyspace); ; <-again {
		h.AddAll()
		if r.opt.Keyspace.Acquire(&h, again) {
			break
		}
	}
	do()
	r.opt.Keyspace.Release(&h)
}

// waker is a keyspace.Waker that somebody waits for.
type waker chan struct{}

// Wake implements keyspace.Waker.
func (w waker) Wake() {
	select {
	case w <- struct{}{}:
	default:
	}
}
