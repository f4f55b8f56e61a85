package tick

import (
	"testing"
	"time"
)

// The two clocks must tell the same of one span, whose ends they see at nearly the same time.
func TestNanosAgreeWithTheMonotonicClock(t *testing.T) {
	for range 20 { // a reading may be interrupted
		c := New()
		before, a := time.Now(), c.Nanos()
		for time.Since(before) < 20*time.Millisecond {
		}
		b, span := c.Nanos(), time.Since(before)
		if diff := time.Duration(b-a) - span; diff > -span/100 && diff < span/100 {
			return
		}
	}
	t.Fatal("a Clock differs from the monotonic clock by more than one in a hundred, in each of 20 spans")
}

func TestNanosDoNotGoBack(t *testing.T) {
	c := New()
	for last, i := c.Nanos(), 0; i < 100_000; i++ {
		now := c.Nanos()
		if now < last {
			t.Fatalf("%d ns after %d ns", now, last)
		}
		last = now
	}
}

func BenchmarkNanos(b *testing.B) {
	c := New()
	for b.Loop() {
		c.Nanos()
	}
}
