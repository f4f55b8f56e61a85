// Package stats holds the small instruments behind INFO and LATENCY: a histogram
// of durations and a meter of recent rates. Neither locks: their owner does.
package stats

import (
	"iter"
	"math/bits"
)

// The histogram is log-linear, with redis's resolution. Values below 256 have a
// bucket each. Above, every doubling is divided into 128 buckets of equal width,
// so that a value is known to within 1/128:
//
//	row 0   0, 1, 2 … 127
//	row 1   128, 129 … 255
//	row 2   256-257, 258-259 … 510-511
//	row r   128<<(r-1) onwards, in steps of 1<<(r-1)
//	row 23  up to 2^30-1, the row of one second
const (
	rowBits = 7
	rowLen  = 1 << rowBits
	rows    = 24

	// MaxNanos is the longest duration that is told apart; longer ones count
	// as this one.
	MaxNanos = 1_000_000_000
)

// A Histogram counts durations in nanoseconds, from 1 ns to one second. The zero
// value is empty. Recording allocates only when a row is used for the first
// time, 1 KiB and 24 times at most.
type Histogram struct {
	total uint64
	row   [rows]*[rowLen]uint64
}

// Record counts one duration.
func (h *Histogram) Record(nanos int64) {
	i := index(uint64(min(max(nanos, 1), MaxNanos)))
	row := h.row[i>>rowBits]
	if row == nil {
		row = new([rowLen]uint64)
		h.row[i>>rowBits] = row
	}
	row[i%rowLen]++
	h.total++
}

// Count returns how many durations were recorded.
func (h *Histogram) Count() uint64 { return h.total }

// Reset forgets all durations.
func (h *Histogram) Reset() { *h = Histogram{} }

// Merge adds what other has recorded.
func (h *Histogram) Merge(other *Histogram) {
	for r, from := range other.row {
		if from == nil {
			continue
		}
		if h.row[r] == nil {
			h.row[r] = new([rowLen]uint64)
		}
		for i, n := range from {
			h.row[r][i] += n
		}
	}
	h.total += other.total
}

// Percentile returns a duration in nanoseconds that p percent of the recorded
// ones do not exceed: the upper end of the bucket that holds it. It is 0 for an
// empty histogram; for p = 0 it is the lower end of the lowest bucket.
func (h *Histogram) Percentile(p float64) int64 {
	if h.total == 0 {
		return 0
	}
	wanted := max(1, uint64(min(p, 100)/100*float64(h.total)+0.5))
	seen := uint64(0)
	for r, row := range h.row {
		if row == nil {
			continue
		}
		for i, n := range row {
			seen += n
			if seen < wanted {
				continue
			}
			if p == 0 {
				return lowest(r<<rowBits + i)
			}
			return highest(r<<rowBits + i)
		}
	}
	return 0
}

// Cumulative yields what LATENCY HISTOGRAM shows: for each doubling from 1024 ns
// on that adds to the count, its length in microseconds and how many durations
// do not exceed it. As redis does, it rounds 1024 ns down to 1 us, so the steps
// are 1, 2, 4, 8, 16, 33, 66 us and so on.
func (h *Histogram) Cumulative() iter.Seq2[int64, uint64] {
	return func(yield func(micros int64, count uint64) bool) {
		seen, shown := uint64(0), uint64(0)
		next := 0 // the first bucket that is not in seen
		for level := uint64(1024); seen < h.total; level *= 2 {
			last := min(index(level), rows*rowLen-1)
			for ; next <= last; next++ {
				if row := h.row[next>>rowBits]; row != nil {
					seen += row[next%rowLen]
				}
			}
			if seen > shown && !yield(highest(last)/1000, seen) {
				return
			}
			shown = seen
		}
	}
}

// index returns the bucket of v, counted over all rows.
func index(v uint64) int {
	shift := max(bits.Len64(v)-rowBits-1, 0)
	return shift<<rowBits + int(v>>shift)
}

// lowest and highest return the ends of a bucket, in nanoseconds.
func lowest(i int) int64 {
	shift := max(i>>rowBits-1, 0)
	return int64(i-shift<<rowBits) << shift
}

func highest(i int) int64 { return lowest(i+1) - 1 }
