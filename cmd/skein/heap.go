package main

import (
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// Large collections are Go objects, and the collector lets its heap grow to twice of what lives in it before it runs. A
// node that was written to and is at rest then would keep the other half for ever. So the process looks at its heap now
// and then, and when it has come to rest gives back what is not in use. That costs one run of the collector for each
// time that the node comes to rest.

const (
	heapLook      = 2 * time.Second
	heapLeast     = 4 << 20 // bytes allocated below which it is not worth the run
	heapQuietPart = 64      // at rest, less than this part of the heap is allocated between two looks
	heapWorthPart = 16      // what has been allocated since the last run must be that part of the heap
)

// heapKeeper decides when the heap is to be tidied.
type heapKeeper struct {
	looked uint64 // bytes allocated, ever, at the last look
	tidied uint64 // the same when the heap was tidied last
}

// look is told how many bytes were allocated ever, and how many the heap has now.
func (k *heapKeeper) look(allocated, heap uint64) (tidy bool) {
	quiet := allocated-k.looked <= max(heapLeast, heap)/heapQuietPart
	k.looked = allocated
	if !quiet || allocated-k.tidied < max(heapLeast, heap/heapWorthPart) {
		return false
	}
	k.tidied = allocated
	return true
}

// What maxmemory limits is keys and values, most of which lie in the arena, outside Go's heap. What is left of it is for
// the heap: as it nears that, the collector runs more often instead of letting garbage grow beside the data. A heap whose
// living part is near the limit or over it is not squeezed: only eviction can help it.

const heapSlack = 64 << 20 // bytes of garbage that the heap may always hold

// heapLimit is the limit of Go's memory beside an arena of arenaBytes, while live bytes of the heap are in use. 0: none.
func heapLimit(maxMemory, arenaBytes, live int64) int64 {
	if maxMemory == 0 {
		return 0
	}
	return max(maxMemory-arenaBytes, live+live/4) + heapSlack
}

// limitHeap sets the limit anew.
func limitHeap(maxMemory, arenaBytes, live int64) {
	limit := heapLimit(maxMemory, arenaBytes, live)
	if limit == 0 {
		limit = math.MaxInt64
	}
	debug.SetMemoryLimit(limit)
}

// keepHeap tidies the heap of the process from time to time, and keeps its limit. It never returns. memory tells
// maxmemory and the bytes of the arena; a GOMEMLIMIT that somebody has set is left alone.
func keepHeap(memory func() (maxMemory, arenaBytes int64)) {
	_, fixed := os.LookupEnv("GOMEMLIMIT")
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}}
	var k heapKeeper
	for range time.Tick(heapLook) {
		metrics.Read(s)
		if !fixed {
			maxMemory, arenaBytes := memory()
			limitHeap(maxMemory, arenaBytes, int64(s[1].Value.Uint64()))
		}
		if k.look(s[0].Value.Uint64(), s[1].Value.Uint64()) {
			debug.FreeOSMemory()
		}
	}
}
