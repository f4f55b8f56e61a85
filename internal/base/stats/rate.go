package stats

// rateSamples is how many intervals a Rate remembers: at redis's ten samples a
// second, the last 1.6 seconds.
const rateSamples = 16

// A Rate is the mean growth of a counter over its last 16 samples: the
// instantaneous_ fields of INFO. The zero value is ready to use.
type Rate struct {
	samples             [rateSamples]int64
	next                int
	lastValue, lastBase int64
}

// Sample notes that the counter stands at value when the base, for instance a
// clock in microseconds, stands at base. The growth of value is divided by that
// of base and multiplied by factor: with microseconds, factor 1,000,000 makes it
// a rate per second. The first call only sets the start.
func (r *Rate) Sample(value, base, factor int64) {
	if r.lastBase > 0 {
		grown := int64(0)
		if step := base - r.lastBase; step > 0 {
			grown = int64(float64(value-r.lastValue) * float64(factor) / float64(step))
		}
		r.samples[r.next] = grown
		r.next = (r.next + 1) % rateSamples
	}
	r.lastValue, r.lastBase = value, base
}

// Mean returns the mean of the last 16 samples; samples not yet taken are 0.
func (r *Rate) Mean() int64 {
	sum := int64(0)
	for _, s := range r.samples {
		sum += s
	}
	return sum / rateSamples
}

// Reset forgets all samples.
func (r *Rate) Reset() { *r = Rate{} }
