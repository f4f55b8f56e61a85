package rdb

import (
	"runtime"

	"github.com/skeindb/skein/internal/base/crc64"
)

// politeness counts steps of work that takes long. A goroutine at such work may keep
// its processor for 10 ms from one that has become ready meanwhile, as an event loop
// has; this one lets go of it every few dozen microseconds.
type politeness int

const (
	politeSteps = 128
	politeBytes = 64 << 10 // of a checksum
)

func (n *politeness) step() {
	if *n++; *n >= politeSteps {
		*n = 0
		runtime.Gosched()
	}
}

// checksum is the CRC-64 of b.
func checksum(b []byte, polite bool) (sum uint64) {
	for polite && len(b) > politeBytes {
		sum, b = crc64.Update(sum, b[:politeBytes]), b[politeBytes:]
		runtime.Gosched()
	}
	return crc64.Update(sum, b)
}
