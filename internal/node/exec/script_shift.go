package exec

import (
	"runtime"
	"time"
)

// Shifts.
//
// Scripts that last run Lua a few at a time, in shifts, so that each loop keeps a
// processor of Go's scheduler. A script keeps its thread until it ends: the kernel then
// knows the thread as one that never sleeps, and lets a loop that wakes up go before it.
// Were the script carried on by another thread every now and then, as the scheduler likes
// to, each would look as if it had slept, and loops would wait for its time slice. It
// cannot be kept from sleeping at the end of a shift, though. So it yields to other threads
// again and again: without that, one of a hundred GETs takes twice as long meanwhile.

// yieldEvery is how often.
const yieldEvery = 100 * time.Microsecond

// shiftTime is how long a script goes on before it lets others run that last too, or that
// wait for a processor.
const shiftTime = time.Millisecond

// shifts are the places of the scripts that last.
type shifts chan struct{}

func newShifts(places int) shifts { return make(shifts, max(places, 1)) }

// keepShift is called between two instructions of a script that lasts, and waits for its
// next shift when one has ended; now is Nanos.
func (r *runner) keepShift(now int64) {
	places := r.e.scripts.shifts
	switch {
	case !r.onShift:
		runtime.LockOSThread()
	case now < r.shiftEnds:
		if now >= r.yields {
			r.manners.Yield()
			r.yields = r.e.Nanos() + int64(yieldEvery)
		}
		return
	default:
		<-places // whoever waits has it now
		runtime.Gosched()
	}
	places <- struct{}{}
	r.onShift, r.shiftEnds = true, r.e.Nanos()+int64(shiftTime)
}

// endShift is called when the script has ended, by the goroutine that ran it.
func (r *runner) endShift() {
	if r.onShift {
		r.onShift = false
		<-r.e.scripts.shifts
		runtime.UnlockOSThread()
	}
}
