package netloop

import (
	"sync/atomic"
)

// Work is what a loop has done since the start or the last ResetWork.
type Work struct {
	Turns        int64
	Nanos        int64 // spent in turns, not waiting for events
	LongestNanos int64 // of one turn
	MostCommands int64 // of one turn
}

// work counts turns. The loop alone writes, anybody reads.
type work struct{ turns, nanos, longest, commands atomic.Int64 }

func (w *work) count(nanos, commands int64) {
	w.turns.Store(w.turns.Load() + 1) // cheaper than an atomic addition
	w.nanos.Store(w.nanos.Load() + nanos)
	if nanos > w.longest.Load() {
		w.longest.Store(nanos)
	}
	if commands > w.commands.Load() {
		w.commands.Store(commands)
	}
}

// Work returns the counts. Safe from any goroutine.
func (l *Loop) Work() Work {
	w := &l.work
	return Work{w.turns.Load(), w.nanos.Load(), w.longest.Load(), w.commands.Load()}
}

// ResetWork sets the counts to zero, soon. Safe from any goroutine.
func (l *Loop) ResetWork() {
	l.Do(func() {
		for _, c := range []*atomic.Int64{&l.work.turns, &l.work.nanos, &l.work.longest, &l.work.commands} {
			c.Store(0)
		}
	})
}
