package exec

import (
	"sync"
	"sync/atomic"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/node/session"
)

// PauseMode says which commands wait while clients are paused.
type PauseMode uint32

// Nobody waits; whoever may change data waits; everybody waits.
const (
	PauseNone PauseMode = iota
	PauseWrite
	PauseAll
)

// PauseReason is who wants the pause. Each reason has one of its own, which ends
// by its time or by the same reason; the strongest decides.
type PauseReason int

// CLIENT PAUSE, a manual failover, and a node that is about to end.
const (
	ByClient PauseReason = iota
	ByHandOver
	ByShutdown
	pauseReasons
)

// pauses are set under all stripes and tested under the command's, so that once
// one stands no write is on its way. No key expires or is evicted meanwhile.
type pauses struct {
	mode  atomic.Uint32 // of the strongest
	until atomic.Int64  // Unix ms: when the last ends
	next  atomic.Int64  // Unix ms: when the first ends

	mu     sync.Mutex
	each   [pauseReasons]pause
	parked []*session.Session
}

type pause struct {
	mode  PauseMode
	until int64 // Unix ms
}

// Pause makes the commands of mode wait until the time given (Unix ms). A pause
// of the same reason that stands is never shortened or weakened, as in redis. The
// caller holds all stripes.
func (e *Engine) Pause(reason PauseReason, mode PauseMode, untilMs int64) {
	p := &e.pause
	p.mu.Lock()
	defer p.mu.Unlock()
	one := &p.each[reason]
	one.mode, one.until = max(one.mode, mode), max(one.until, untilMs)
	p.settle(e)
}

// Unpause ends the pause of one reason and lets those who waited go on. The
// caller may hold stripes or not.
func (e *Engine) Unpause(reason PauseReason) {
	e.endPauses(func(r PauseReason, _ *pause) bool { return r == reason })
}

// HandingOver tells whether writes are paused by a manual failover.
func (e *Engine) HandingOver() bool {
	e.pause.mu.Lock()
	defer e.pause.mu.Unlock()
	return e.pause.each[ByHandOver].mode != PauseNone
}

// Tick ends pauses whose time is over; the node calls it ten times a second or more.
func (e *Engine) Tick(nowMs int64) {
	e.loads.tick(e.Gates.Loading.Load(), nowMs)
	e.redirect()
	e.ServeDeferred()
	if e.pause.mode.Load() != uint32(PauseNone) && nowMs >= e.pause.next.Load() {
		e.endPauses(func(_ PauseReason, one *pause) bool { return nowMs >= one.until })
	}
}

// endPauses ends those that over selects. Who waited tries again, and waits anew
// if another pause wants it.
func (e *Engine) endPauses(over func(PauseReason, *pause) bool) {
	p := &e.pause
	p.mu.Lock()
	for r := range p.each {
		if over(PauseReason(r), &p.each[r]) {
			p.each[r] = pause{}
		}
	}
	p.settle(e)
	parked := p.parked
	p.parked = nil
	p.mu.Unlock()
	for _, s := range parked {
		s.Wake()
	}
}

// settle derives what the commands test.
func (p *pauses) settle(e *Engine) {
	var mode PauseMode
	var first, last int64
	for _, one := range p.each {
		if one.mode == PauseNone {
			continue
		}
		mode, last = max(mode, one.mode), max(last, one.until)
		if first == 0 || one.until < first {
			first = one.until
		}
	}
	p.next.Store(first)
	p.until.Store(last)
	p.mode.Store(uint32(mode))
	e.Keyspace.Frozen.Store(mode != PauseNone)
}

func (e *Engine) paused(s *session.Session, spec *command.Spec, flags command.Flags, nowMs int64) bool {
	mode := PauseMode(e.pause.mode.Load())
	if mode == PauseNone || nowMs >= e.pause.until.Load() || s.Is(session.Replica) {
		return false
	}
	const may = command.Write | command.MayReplicate
	return mode == PauseAll || flags.Any(may) ||
		spec == e.exec && queuedAny(s, may)
}

func (p *pauses) park(s *session.Session) {
	p.mu.Lock()
	p.parked = append(p.parked, s)
	p.mu.Unlock()
	if PauseMode(p.mode.Load()) == PauseNone { // it ended between the test and the queue
		s.Wake()
	}
}
