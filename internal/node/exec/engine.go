// Package exec runs commands.
//
// Feed takes the bytes a connection has received, parses up to a batch of
// pipelined commands, loads the cache lines their keys lie in, and runs them:
//
//	look up the Spec          no allocation
//	before locks              arity, protected, authentication, ACL
//	acquire the stripes       parked if one is owned by long work
//	pause, route              under the stripes, by the view
//	after routing             memory, disk, replicas, read-only, stale, loading
//	queue (MULTI) or run      Read, Write or Service handler
//	commit                    append to the log
//	serve, release            who waited for what has come
//
// The order of the refusals is redis's (server.c, processCommand).
//
// A command that cannot run yet (its stripe is owned, clients are paused) is
// kept by its session with copies of its arguments and tried again when the
// session is woken. A service that answers later parks the session instead.
package exec

import (
	"sync/atomic"

	"github.com/skeindb/skein/internal/base/tick"
	"github.com/skeindb/skein/internal/cluster/topology"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/command/acl"
	"github.com/skeindb/skein/internal/node/session"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// Options are what the rooms around the engine give it.
type Options struct {
	Keyspace *keyspace.Keyspace
	// View is the routing table of a cluster node; it holds nil standalone.
	View *atomic.Pointer[topology.View]
	// Gates are the conditions of the node as a whole.
	Gates *Gates
	// Beside is the memory that counts against maxmemory beside keys and values.
	Beside func() int64
	// LogEnd is the replication offset at which the log ends. It is asked around
	// every write.
	LogEnd func() int64
	// Recorder makes the function that takes the statistics of one loop, called
	// after each batch.
	Recorder func() func(batch []session.Record)
	// Lasting is how many of the scripts that last may run at the same time; at least one.
	Lasting int
	// Monitor, if set, sees every command that has run, those of EXEC before EXEC.
	Monitor *atomic.Pointer[MonitorFunc]
	// Stray is told of a replica whose command made a reply: it must be disconnected.
	Stray func(s *session.Session, reply []byte)
	// Slow is called after a command that took longer than Gates.SlowNanos.
	Slow func(s *session.Session, spec *command.Spec, args [][]byte, nanos int64, now int64)
	// Nobody is the user of those who have not authenticated, nil if they must.
	Nobody func() *acl.User
	// Denied is told of each command that a user may not run: that of c, which is not
	// run, or is part of what c.Client runs.
	Denied func(c *command.Call, u *acl.User, d acl.Denial, in acl.Context)
	// Replicas is how many replicas are sent the log; nil: nobody counts.
	Replicas func() int
	// Note writes a line into the node's log. Levels are redis's numbers: 0 is debug, 3
	// a warning.
	Note func(level int, line string)
	// Attacked is called when a client that speaks HTTP was recognized; it is
	// closed without an answer. Nil: nobody wants to know.
	Attacked func(s *session.Session)
}

// MonitorFunc is told of each command: the session, its database, and the arguments.
type MonitorFunc func(s *session.Session, db int, spec *command.Spec, args [][]byte)

// Engine runs the commands of all sessions of a node. It is shared by the
// loops; what belongs to one loop is in its Turn.
type Engine struct {
	Options
	Table   *command.Table
	Costs   SlotCosts // of commands, by slot, for those who want to know
	pause   pauses
	loads   loads
	waits   waits
	aside   aside
	errands errands
	scripts scripts
	reign   atomic.Pointer[reign]
	clock   *tick.Clock
	exec    *command.Spec // EXEC is run by the engine itself
}

// New returns an engine.
func New(o Options) *Engine {
	e := &Engine{Options: o, clock: tick.New(), errands: newErrands()}
	e.reign.Store(&reign{})
	e.Costs.replicas = o.Replicas
	e.scripts.idle = make(chan *runner, idleRunners)
	e.scripts.shifts = newShifts(o.Lasting)
	return e
}

// Use makes table, which holds the engine's own Specs too, the commands it
// runs. It is called once, before the first Feed.
func (e *Engine) Use(table *command.Table) {
	e.Table = table
	e.exec = table.LookupFull("exec")
}

// Gates are conditions of the node that refuse commands. The rooms that own a
// condition store it; the engine only reads.
type Gates struct {
	Protected     atomic.Uint32 // commands kept from all, or from remote clients: see ProtectedBits
	Loading       atomic.Bool   // -LOADING
	AsyncLoading  atomic.Bool
	MasterDown    atomic.Bool // -MASTERDOWN: a replica that may not serve stale data
	ReadOnly      atomic.Bool // -READONLY: a replica
	MisConf       atomic.Pointer[string]
	FewReplicas   atomic.Bool  // -NOREPLICAS
	Sync          atomic.Int32 // whether writes wait for replicas: SyncOff, SyncOn, SyncFew
	MaxMemory     atomic.Int64 // bytes, 0: none
	SlowNanos     atomic.Int64 // slowlog threshold; negative: off
	SlowBytes     atomic.Int64
	AllowPubShard atomic.Bool
}

// Forget drops what a session that is gone has left in the keyspace.
func (e *Engine) Forget(s *session.Session) {
	if x := restOf(s); x != nil {
		defer x.abandon()
	}
	e.Keyspace.Unwatch(&s.Watch)
	if w := s.Waiting(); w != nil {
		if w.Claim() {
			w.End(nil)
		}
		e.leave(w)
	}
}

// Nanos is a monotonic clock that costs next to nothing to read: commands and
// turns are measured by it.
func (e *Engine) Nanos() int64 { return e.clock.Nanos() }
