package rdb

import (
	"runtime"

	"github.com/skeindb/skein/internal/base/crc64"
	"github.com/skeindb/skein/internal/base/polite"
)

// politeness counts steps of work that takes long. A goroutine at such work may keep
// its processor for 10 ms from one that has become ready meanwhile, as an event loop
// has; this one lets go of it every few dozen microseconds, and now and then lets the
// system's other threads go first, too.
type politeness struct {
	steps  int
	rester polite.Worker
}

const (
	politeSteps = 128
	restSteps   = 8 * politeSteps
	politeBytes = 64 << 10 // of a checksum
)

func (n *politeness) step() {
	switch n.steps++; {
	case n.steps == restSteps:
		n.steps = 0
		n.rester.Rest()
	case n.steps%politeSteps == 0:
		runtime.Gosched()
	}
}

// checksum is the CRC-64 of b.
func checksum(b []byte, resting bool) (sum uint64) {
	var rester polite.Worker
	for resting && len(b) > politeBytes {
		sum, b = crc64.Update(sum, b[:politeBytes]), b[politeBytes:]
		rester.Rest()
	}
	return crc64.Update(sum, b)
}
