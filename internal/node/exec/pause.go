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

// pauses is CLIENT PAUSE and the pause of a hand-over. It is set under all
// stripes and tested under the command's, so that once it stands no write is
// on its way.
type pauses struct {
	mode  atomic.Uint32
	until atomic.Int64 // Unix ms

	mu     sync.Mutex
	parked []*session.Session
}

// Pause makes the commands of mode wait until the time given (Unix ms). A pause
// that stands is never shortened or weakened, as in redis. The caller holds all
// stripes.
func (e *Engine) Pause(mode PauseMode, untilMs int64) {
	p := &e.pause
	p.mode.Store(max(p.mode.Load(), uint32(mode)))
	p.until.Store(max(p.until.Load(), untilMs))
}

// Unpause ends the pause and lets those who waited go on. The caller may hold
// stripes or not.
func (e *Engine) Unpause() {
	p := &e.pause
	p.mode.Store(uint32(PauseNone))
	p.until.Store(0)
	p.mu.Lock()
	parked := p.parked
	p.parked = nil
	p.mu.Unlock()
	for _, s := range parked {
		s.Wake()
	}
}

// Paused tells the mode in force at nowMs.
func (e *Engine) Paused(nowMs int64) PauseMode {
	mode := PauseMode(e.pause.mode.Load())
	if mode != PauseNone && nowMs >= e.pause.until.Load() {
		return PauseNone
	}
	return mode
}

// Tick ends a pause whose time is over; the node calls it ten times a second or more.
func (e *Engine) Tick(nowMs int64) {
	if e.pause.mode.Load() != uint32(PauseNone) && nowMs >= e.pause.until.Load() {
		e.Unpause()
	}
}

func (e *Engine) paused(s *session.Session, spec *command.Spec, nowMs int64) bool {
	mode := PauseMode(e.pause.mode.Load())
	if mode == PauseNone || nowMs >= e.pause.until.Load() || s.Flags&(session.Master|session.Replica) != 0 {
		return false
	}
	const may = command.Write | command.MayReplicate
	return mode == PauseAll || spec.Any(may) ||
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
