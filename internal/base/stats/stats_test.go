package stats

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestBuckets(t *testing.T) {
	if lowest(0) != 0 || highest(rows*rowLen-1) != 1<<30-1 {
		t.Fatalf("the rows cover %d..%d", lowest(0), highest(rows*rowLen-1))
	}
	for i := range rows * rowLen {
		low, high := lowest(i), highest(i)
		if index(uint64(low)) != i || index(uint64(high)) != i {
			t.Fatalf("bucket %d is %d..%d, which belong to %d and %d", i, low, high, index(uint64(low)), index(uint64(high)))
		}
		if (high-low)*128 > max(low, 1) {
			t.Fatalf("bucket %d is %d..%d: too wide", i, low, high)
		}
	}
}

func TestPercentile(t *testing.T) {
	var h Histogram
	if h.Percentile(50) != 0 {
		t.Error("an empty histogram has a median")
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	var all []int64
	for range 10000 {
		v := rnd.Int64N(1 << rnd.IntN(30))
		all = append(all, max(v, 1))
		h.Record(v)
	}
	slices.Sort(all)
	for _, p := range []float64{0.01, 1, 50, 99, 99.9, 100, 150} {
		exact := all[max(1, int(min(p, 100)/100*10000+0.5))-1]
		if got := h.Percentile(p); got != highest(index(uint64(exact))) {
			t.Errorf("p%g = %d, exactly %d", p, got, exact)
		}
	}
	if got := h.Percentile(0); got != lowest(index(uint64(all[0]))) {
		t.Errorf("p0 = %d", got)
	}
	h.Reset()
	h.Record(-5)
	h.Record(5 * MaxNanos)
	if h.Count() != 2 || h.Percentile(50) != 1 || h.Percentile(100) != highest(index(MaxNanos)) {
		t.Errorf("outside the range: %d, %d, %d", h.Count(), h.Percentile(50), h.Percentile(100))
	}
}

func TestCumulative(t *testing.T) {
	show := func(h *Histogram) (s string) {
		for micros, n := range h.Cumulative() {
			s += fmt.Sprintf("%d:%d ", micros, n)
		}
		return s
	}
	var h Histogram
	if show(&h) != "" {
		t.Errorf("empty: %s", show(&h))
	}
	for level, nanos := 0, int64(1000); nanos < MaxNanos; level, nanos = level+1, nanos*2 {
		h.Record(nanos)
	}
	// the steps that redis 7.0.15 answers
	const want = "1:1 2:2 4:3 8:4 16:5 33:6 66:7 132:8 264:9 528:10 1056:11 2113:12 4227:13 8454:14 16908:15 33816:16 " +
		"67633:17 135266:18 270532:19 541065:20 "
	if got := show(&h); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	h.Reset()
	h.Record(MaxNanos)
	if h.Percentile(99) != 1002438655 { // redis: p99=1002438.655 (microseconds)
		t.Errorf("p99 of one second: %d", h.Percentile(99))
	}
	if got := show(&h); got != "1073741:1 " {
		t.Errorf("one second: %s", got)
	}
	for range h.Cumulative() {
		break
	}
}

func TestMerge(t *testing.T) {
	var a, b, both Histogram
	for i := range int64(3000) {
		h := &a
		if i%2 == 0 {
			h = &b
		}
		h.Record(i * i)
		both.Record(i * i)
	}
	a.Merge(&b)
	if a.Count() != both.Count() || a.Percentile(99) != both.Percentile(99) || a.Percentile(10) != both.Percentile(10) {
		t.Error("merging differs from recording")
	}
}

func TestRecordAllocatesNothing(t *testing.T) {
	var h Histogram
	h.Record(1000)
	if n := testing.AllocsPerRun(100, func() { h.Record(1001) }); n != 0 {
		t.Errorf("Record allocates %v times", n)
	}
}

func TestRate(t *testing.T) {
	var r Rate
	r.Sample(500, 1_000_000, 1_000_000)
	if r.Mean() != 0 {
		t.Error("one sample makes a rate")
	}
	for i := range int64(40) {
		r.Sample(500+(i+1)*100, 1_000_000+(i+1)*100_000, 1_000_000)
	}
	if r.Mean() != 1000 {
		t.Errorf("100 in 100 ms are %d a second", r.Mean())
	}
	r.Sample(1<<50, 1, 1) // the clock went back
	if r.Mean() != 1000*15/16 {
		t.Errorf("after a step back: %d", r.Mean())
	}
	r.Reset()
	if r.Mean() != 0 {
		t.Error("Reset left samples")
	}
}

func BenchmarkRecord(b *testing.B) {
	var h Histogram
	for i := int64(0); b.Loop(); i++ {
		h.Record(500 + i&1023)
	}
}
