package exec

import (
	"math"

	"github.com/skeindb/skein/internal/node/session"
)

// Writes that are answered when replicas have them (repl-sync-replicas).
//
// While Gates.Sync is on, the engine notes for each reply to a write where the log
// ended behind it (session.Owed). The loop holds the output of the session back
// from that reply on, until so many replicas have acknowledged that offset; the
// session goes on running commands meanwhile. A node that is demoted can never
// learn what became of the write: its reply is replaced by ErrUncertain, unless the
// new master is known to have it.

// The values of Gates.Sync.
const (
	SyncOff int32 = 0
	SyncOn  int32 = 1
	SyncFew int32 = -1 // on, but too few replicas are connected: -NOREPLICAS
)

// ErrUncertain is the reply to a write of which nobody knows whether it survives.
const ErrUncertain = "UNCERTAIN The write was made here, but not acknowledged by enough replicas before this node stopped waiting for them: " +
	"it may or may not survive. Read it back from the master of its slot."

// reign is one time in which the node is a master.
type reign struct {
	number uint32
	kept   int64 // of the reign before: up to this offset the new master had its log, -1 if that is unknown
}

// StepDown ends the node's reign as a master: it becomes a replica. The new master
// is known to have the log up to kept; -1: that is unknown. The caller holds all stripes.
func (e *Engine) StepDown(kept int64) {
	e.scripts.orphan()
	e.reign.Store(&reign{e.reign.Load().number + 1, kept})
}

// Reign is the number of the reign, which changes when the node steps down.
func (e *Engine) Reign() uint32 { return e.reign.Load().number }

// unknown is where the log ended before a write of which we know only that it is done.
const unknown = math.MinInt64

// logged takes note of a command that ended, if it made the log longer than from: of
// the offset for WAIT, and of what the reply being made waits for. Its stripes are
// still held. Others may have written meanwhile on other stripes: then it waits for
// them too, which is longer than it must and does no harm.
func (e *Engine) logged(s *session.Session, from int64) {
	end := e.LogEnd()
	if end == from {
		return
	}
	s.Wrote = end
	if e.Gates.Sync.Load() != SyncOff {
		s.Due = session.Owed{Offset: end, Reign: e.Reign()}
	}
}

// Debt is what has become of a reply that waits.
type Debt uint8

// It waits still; it may leave as it is; nobody knows what its write is worth.
const (
	Unpaid Debt = iota
	Paid
	Lost
)

// Settle tells what has become of o when so many replicas as it needs have
// acknowledged the log up to acked, in the reign given.
func (e *Engine) Settle(o *session.Owed, acked int64, in uint32) Debt {
	now := e.reign.Load()
	switch {
	case o.Reign == in && o.Offset <= acked:
		return Paid
	case o.Reign == now.number:
		return Unpaid
	case o.Reign+1 == now.number && o.Offset <= now.kept:
		return Paid
	}
	return Lost
}
