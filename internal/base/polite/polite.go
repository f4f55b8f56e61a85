// Package polite is for work in the background that takes long: it lets whoever is ready have the processor, the event
// loops above all.
//
// Two schedulers stand between a loop that has become ready and a processor. Go's may leave a goroutine running for 10 ms
// before it gives its processor to another; the system's lets a thread that computes go on for a millisecond or more while
// one that has just been woken waits behind it. Either is longer than most requests take. Who rests every hundred
// microseconds or so is in nobody's way for much longer than that, and where nobody waits a rest costs next to nothing. (A
// sleep would be as long as the work between two of them.) Where the processors are never free, the work gets on still.
package polite

import (
	"runtime"
	"time"
)

// Worker is who works in the background, one goroutine at a time. The zero value is one.
type Worker struct {
	rested time.Time     // when the last rest ended
	long   time.Duration // how long it was
}

// Rest lets other goroutines and threads that are ready go first. It is called without a lock: who has just rested is less
// likely to lose the processor while holding one. After a rest that was long, for there is other work all the time, the
// next one comes no sooner than after as long: to rest at every turn then would be to stand still.
func (w *Worker) Rest() {
	runtime.Gosched()
	w.Yield()
}

// Yield is Rest as far as other threads are concerned, for who keeps one that it is locked to: to let another goroutine go
// first, such a thread has to be sent to sleep and woken.
func (w *Worker) Yield() {
	now := time.Now()
	if now.Sub(w.rested) < w.long {
		return
	}
	yield()
	w.rested = time.Now()
	w.long = w.rested.Sub(now)
}
