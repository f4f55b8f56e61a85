// Package tick measures short spans of time, cheaply.
//
// To ask the kernel's clock takes 40 ns and more, a good part of what a GET
// takes, and every command's time is measured. Where the processor counts time at
// a constant rate, and the kernel trusts that count for its own clock, a reading
// is one instruction, and what a count is worth is measured once, in a millisecond.
// Elsewhere a Clock is Go's monotonic clock.
package tick

import (
	"math/bits"
	"time"
)

// calibration is how long a count is compared with the kernel's clock. A reading
// is uncertain by some 50 ns, so spans are true to one part in ten thousand.
const calibration = time.Millisecond

// Clock counts nanoseconds since it was made. It is for spans of seconds, not
// for dates. It may be used by many goroutines.
type Clock struct {
	start time.Time
	count uint64 // the processor's count at start
	worth uint64 // ns per count, times 2^32; 0: the count is not to be trusted
}

// New returns a Clock. It takes a millisecond.
func New() *Clock {
	c := &Clock{start: time.Now(), count: count()}
	if !trusted() {
		return c
	}
	for time.Since(c.start) < calibration {
	}
	counts, span := count()-c.count, time.Since(c.start)
	if counts > 0 && counts < 1<<32 {
		c.worth = uint64(span) << 32 / counts
	}
	return c
}

// Nanos is the time since New, in ns.
func (c *Clock) Nanos() int64 {
	if c.worth == 0 {
		return int64(time.Since(c.start))
	}
	high, low := bits.Mul64(count()-c.count, c.worth)
	return int64(high<<32 | low>>32)
}
