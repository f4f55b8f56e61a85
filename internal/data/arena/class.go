package arena

import "math/bits"

const (
	minSize   = 16
	linearMax = 1024      // steps of 8 bytes up to here
	classMax  = 128 << 10 // eight steps per doubling up to here; page runs beyond

	linearMaxLog  = 10
	linearClasses = linearMax/unitBytes - 1
	doublings     = 7
	classCount    = linearClasses + 8*doublings

	maxSpanPages = 16
)

// ClassSize is the number of bytes an object of n bytes really has. Two sizes with the same ClassSize
// are interchangeable for Free and for an update in place.
func ClassSize(n int) int {
	switch {
	case n <= minSize:
		return minSize
	case n <= linearMax:
		return (n + unitBytes - 1) &^ (unitBytes - 1)
	case n <= classMax:
		step := 1 << (bits.Len(uint(n-1)) - 4)
		return (n + step - 1) &^ (step - 1)
	}
	return (n + pageBytes - 1) &^ (pageBytes - 1)
}

// classOf is the index of the class that holds n <= classMax bytes.
func classOf(n int) int {
	if n <= linearMax {
		return (max(n, minSize)+unitBytes-1)>>unitShift - 2
	}
	m := uint(n - 1)
	log := bits.Len(m) - 1
	return linearClasses + (log-linearMaxLog)*8 + int(m>>(log-3))&7
}

// classShape says how the spans of a class are cut.
type classShape struct {
	units   uint32 // per place
	pages   uint32 // per span
	places  uint32 // per span
	inverse uint64 // of units, to divide by a multiplication
}

// index is the number of the place that begins offset units into a span.
func (c *classShape) index(offset uint32) uint32 {
	return uint32(uint64(offset) * c.inverse >> 32)
}

// classTable never changes.
var classTable = func() (t [classCount]classShape) {
	for i := range t {
		size := (i + 2) * unitBytes
		if i >= linearClasses {
			j := i - linearClasses
			log := linearMaxLog + j/8
			size = 1<<log + (j%8+1)<<(log-3)
		}
		t[i] = shapeFor(size)
	}
	return t
}()

// shapeFor picks the smallest span that wastes at most 1/32 at its end.
func shapeFor(size int) classShape {
	best, bestWaste := 1, 1.0
	for pages := 1; pages <= maxSpanPages; pages++ {
		span := pages * pageBytes
		waste := float64(span%size) / float64(span)
		if span >= size && waste < bestWaste {
			best, bestWaste = pages, waste
		}
		if bestWaste <= 1.0/32 {
			break
		}
	}
	units := uint32(size / unitBytes)
	return classShape{
		units:   units,
		pages:   uint32(best),
		places:  uint32(best * pageBytes / size),
		inverse: (1<<32 + uint64(units) - 1) / uint64(units),
	}
}
