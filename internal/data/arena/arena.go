// Package arena is the memory of the keyspace: one range of addresses outside the Go heap, from which
// entries and index buckets are allocated and named by integer handles, so that the garbage collector
// never walks a key.
//
// # Addresses
//
// The arena reserves one contiguous range when it is made and commits it in chunks of 2 MiB. A Handle
// counts units of 8 bytes from the start of the range, so its address is base + 8*handle, without a
// table. Handles fit 40 bits (8 TiB), and callers store them in five bytes; 0 is nil.
//
//	range   | chunk 0 (2 MiB) | chunk 1 | ... | reserved, not committed            |
//	chunk   | page 0 (16 KiB) | page 1  | ... | page 127 |
//	span    one or more pages cut into equal places of one size class
//	run     one or more pages, possibly of many chunks, that hold one large object
//
// # Size classes
//
//	16, 24, 32 ... 1024           steps of 8 bytes
//	1152, 1280 ... 128 KiB        eight steps per doubling (at most 12.5 % unused)
//	beyond                        whole pages
//
// What a span is made of stands beside the range, not in it: one record per page with the bitmap of
// its live places. So a place of 64 bytes is aligned to 64, and freeing does not touch the object.
//
// # Rules for the caller
//
// Alloc, Free and everything else may be called from many goroutines. The contents of an object belong
// to the caller and need the caller's own lock. New memory is not zeroed. Committed memory stays
// readable until Close, even after Free, so that a lock-free reader may follow a stale handle for a
// hint (see Mapped); what it reads then means nothing.
package arena

import (
	"errors"
	"math"
	"math/bits"
	"sync"
	"sync/atomic"
	"unsafe"
)

// Handle names an object: its distance from the start of the arena in units of 8 bytes.
// It fits 40 bits. Zero is nil.
type Handle uint64

// ErrFull is returned when the arena's range is used up or the system gives no more memory.
var ErrFull = errors.New("arena: out of memory")

const (
	unitShift  = 3
	pageShift  = 14
	chunkShift = 21

	unitBytes  = 1 << unitShift
	pageBytes  = 1 << pageShift
	chunkBytes = 1 << chunkShift
	pageUnits  = pageBytes / unitBytes
	chunkPages = chunkBytes / pageBytes

	handleBits = 40
	maxLimit   = unitBytes << handleBits
	minLimit   = 2 * chunkBytes
)

// Options shape an arena. The zero value is a good default.
type Options struct {
	// Limit is the most the arena may hold, in bytes; the range of addresses it reserves.
	// Zero means four times the physical memory. At most 8 TiB. It is halved until the
	// system grants the range, so Arena.Limit may be less.
	Limit int64

	// NoHugePages leaves the size of pages to the system's default instead of asking for huge pages.
	NoHugePages bool
}

// Arena is a range of memory from which objects are allocated. It is safe for concurrent use.
type Arena struct {
	base      unsafe.Pointer // of the range
	side      unsafe.Pointer // of the page records
	committed atomic.Uint64  // end of the committed chunks, as a handle

	data, meta region
	heap       heap
	large      atomic.Int64 // bytes in page runs

	classes [classCount]class
	touched [(classCount + 63) / 64]atomic.Uint64 // bit set of the classes that have ever been used
}

// New reserves an arena. Close must be called to give the range back and to end its goroutine.
func New(opt Options) (*Arena, error) {
	limit := opt.Limit
	if limit <= 0 {
		limit = defaultLimit()
	}
	limit = min(limit, maxLimit, math.MaxInt/4)
	limit = max(limit+chunkBytes-1, minLimit) &^ (chunkBytes - 1)
	a := new(Arena)
	for {
		err := a.reserve(int(limit))
		if err == nil {
			break
		}
		if limit /= 2; limit < minLimit {
			return nil, err
		}
		limit &^= chunkBytes - 1
	}
	if !opt.NoHugePages {
		// The first chunk keeps small pages: an almost empty server stays small.
		a.data.adviseHuge(chunkBytes)
	}
	for i := range a.classes {
		a.classes[i].units = Handle(classTable[i].units)
	}
	a.heap.init(a, int(limit>>chunkShift))
	return a, nil
}

// reserve takes the ranges for limit bytes of objects and for the records of their pages.
func (a *Arena) reserve(limit int) (err error) {
	if a.data, err = reserve(limit); err != nil {
		return err
	}
	if a.meta, err = reserve(limit >> pageShift * int(unsafe.Sizeof(span{}))); err != nil {
		a.data.unmap()
		return err
	}
	a.base, a.side = a.data.base, a.meta.base
	return nil
}

// Close ends the background work and unmaps the arena. No handle may be used afterwards, nor by
// a goroutine that still runs.
func (a *Arena) Close() {
	if a.heap.stop() {
		a.data.unmap()
		a.meta.unmap()
	}
}

// Limit is the size of the reserved range in bytes.
func (a *Arena) Limit() int64 { return int64(a.heap.maxChunks) << chunkShift }

// Alloc returns an object of at least n bytes; ClassSize(n) of them may be used. Its contents are
// arbitrary. The error is ErrFull.
func (a *Arena) Alloc(n int) (Handle, error) {
	if n > classMax {
		return a.allocRun(n)
	}
	i := classOf(n)
	c := &a.classes[i]
	c.mu.Lock()
	s := c.cur
	if s == nil || s.free == 0 {
		if s = c.refill(a, i); s == nil {
			c.mu.Unlock()
			return 0, ErrFull
		}
	}
	h := c.first + c.units*Handle(s.take())
	c.live.Store(c.live.Load() + 1)
	c.mu.Unlock()
	return h, nil
}

// Free gives back the object h that was allocated with n bytes, or with any n of the same ClassSize.
// Freeing the nil handle does nothing. Freeing twice panics, for it would hand one place to two owners.
func (a *Arena) Free(h Handle, n int) {
	if h == 0 {
		return
	}
	if n > classMax {
		a.freeRun(h, n)
		return
	}
	i := classOf(n)
	c := &a.classes[i]
	page := uint32(h / pageUnits)
	s := a.span(page)
	if back := s.mark.back(); back > 0 {
		page -= back
		s = a.span(page)
	}
	at := classTable[i].index(uint32(h - Handle(page)*pageUnits))
	c.mu.Lock()
	if !s.give(at) {
		c.mu.Unlock()
		panic("arena: double free")
	}
	c.live.Store(c.live.Load() - 1)
	if s != c.cur {
		c.freed(a, i, s, page)
	}
	c.mu.Unlock()
}

// Bytes is a view of the first n bytes of object h. It is valid until h is freed.
func (a *Arena) Bytes(h Handle, n int) []byte {
	return unsafe.Slice((*byte)(unsafe.Add(a.base, uintptr(h)<<unitShift)), n)
}

// Line is a view of 64 bytes at h, for index buckets and for the head of an entry.
// Where the object is smaller the rest belongs to others and must not be touched.
func (a *Arena) Line(h Handle) *[64]byte {
	return (*[64]byte)(unsafe.Add(a.base, uintptr(h)<<unitShift))
}

// Mapped tells that the 64 bytes at h may be read without a fault, whatever they hold. A reader
// without the owner's lock asks this before it follows a handle that may be stale.
func (a *Arena) Mapped(h Handle) bool {
	return uint64(h)+64/unitBytes <= a.committed.Load()
}

// Prefetch asks the processor to bring the cache line at h nearer. Any handle is harmless.
func (a *Arena) Prefetch(h Handle) {
	prefetch(uintptr(a.base) + uintptr(h)<<unitShift)
}

// PrefetchValue is Prefetch for a value on the Go heap, such as what leads to a handle.
func PrefetchValue[T any](p *T) { prefetch(uintptr(unsafe.Pointer(p))) }

// PrefetchPair is PrefetchValue for two.
func PrefetchPair[T, U any](p *T, q *U) {
	prefetch2(uintptr(unsafe.Pointer(p)), uintptr(unsafe.Pointer(q)))
}

// InUse is the sum of the class sizes of all live objects, in bytes.
func (a *Arena) InUse() int64 {
	sum := a.large.Load()
	for w := range a.touched {
		for set := a.touched[w].Load(); set != 0; set &= set - 1 {
			i := 64*w + bits.TrailingZeros64(set)
			sum += a.classes[i].live.Load() * int64(classTable[i].units) * unitBytes
		}
	}
	return sum
}

// Taken is the memory of the pages that hold objects, in bytes: not less than InUse, and told at once.
func (a *Arena) Taken() int64 { return a.heap.taken.Load() << pageShift }

// Resident is the memory the arena occupies, in bytes: its chunks that have been touched and not given
// back, and the records of their pages.
func (a *Arena) Resident() int64 { return a.heap.residentBytes() }

// span is the record of a page.
func (a *Arena) span(page uint32) *span {
	return (*span)(unsafe.Add(a.side, uintptr(page)*unsafe.Sizeof(span{})))
}

// class is the allocation state of one size class, alone on its cache lines.
type class struct {
	mu    sync.Mutex
	cur   *span  // being allocated from; not in the list
	first Handle // of cur's places
	units Handle // per place
	list  uint32 // head page of the first other span with room
	_     uint32
	live  atomic.Int64 // places in use
	_     [80]byte
}
