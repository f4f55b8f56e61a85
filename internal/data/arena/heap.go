package arena

import (
	"math/bits"
	"sync"
	"sync/atomic"
	"unsafe"
)

// heap hands out runs of pages. It always takes the lowest chunk that has room, so that the
// high ones fall empty and can be given back to the system.
type heap struct {
	a         *Arena
	maxChunks int

	mu        sync.Mutex
	chunks    []chunk      // committed so far
	runs      maxTree      // longest free run of each chunk that may be allocated from
	warmPages int          // free pages of warm chunks
	empties   int          // warm chunks without a used page
	resident  int          // chunks that occupy memory
	lowCold   int          // no cold chunk lies below
	taken     atomic.Int64 // pages in use
	closed    bool
	busy      bool      // the background goroutine works on a chunk, which is in state busy
	settled   sync.Cond // that it has done with it

	compacting bool  // a compaction is under way
	emptied    []int // chunks in state evacuate without a used page

	kick chan struct{} // wakes the background goroutine
	done chan struct{} // closed when it has ended
}

// chunkState says what a chunk's memory is doing.
type chunkState uint8

const (
	cold     chunkState = iota // empty and not resident
	warm                       // resident, allocated from
	evacuate                   // resident, being emptied: not allocated from
	busy                       // the background goroutine is warming or cooling it
)

type chunk struct {
	free    pageSet
	state   chunkState
	counted uint8 // pages that warmPages counts
}

func (h *heap) init(a *Arena, maxChunks int) {
	h.a, h.maxChunks = a, maxChunks
	h.kick = make(chan struct{}, 1)
	h.done = make(chan struct{})
	h.settled.L = &h.mu
	go h.background()
}

// take returns the first page of a run of 1 to chunkPages pages, and adds bits to the mark of the first page
// and of all.
func (h *heap) take(pages, firstBits, allBits uint32) (uint32, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := h.runs.first(uint8(pages))
	for i < 0 {
		if err := h.warmOne(); err != nil && !h.settle() {
			return 0, err
		}
		i = h.runs.first(uint8(pages)) // chunk 0 has no room for a run as long as a chunk
	}
	at := h.chunks[i].free.find(pages)
	h.use(i, at, pages)
	page := uint32(i)*chunkPages + at
	h.a.markPages(page, pages, firstBits, allBits)
	h.wake()
	return page, nil
}

// give takes back a run of pages, which may reach over several chunks.
func (h *heap) give(page, pages uint32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.a.clearPages(page, pages)
	h.taken.Store(h.taken.Load() - int64(pages))
	for pages > 0 {
		i, at := int(page/chunkPages), page%chunkPages
		n := min(pages, chunkPages-at)
		c := &h.chunks[i]
		c.free.add(at, n)
		h.account(i)
		if c.state == evacuate && c.free == fullSet {
			h.emptied = append(h.emptied, i)
		}
		page, pages = page+n, pages-n
	}
	h.wake()
}

// use marks pages of a warm chunk as taken.
func (h *heap) use(i int, at, pages uint32) {
	h.chunks[i].free.remove(at, pages)
	h.taken.Store(h.taken.Load() + int64(pages))
	h.account(i)
}

// account brings what is known of chunk i up to date after a change to it.
func (h *heap) account(i int) {
	c := &h.chunks[i]
	var free, longest uint8
	if c.state == warm {
		free, longest = uint8(c.free.count()), c.free.longest()
	}
	h.warmPages += int(free) - int(c.counted)
	if c.counted == chunkPages {
		h.empties--
	}
	if free == chunkPages {
		h.empties++
	}
	c.counted = free
	h.runs.set(i, longest)
}

// warmOne makes a cold or new chunk ready at once, for a request that cannot wait.
func (h *heap) warmOne() error {
	i, err := h.pickCold()
	if err == nil {
		h.setWarm(i)
	}
	return err
}

// pickCold chooses the lowest cold chunk, committing a new one if there is none.
func (h *heap) pickCold() (int, error) {
	for ; h.lowCold < len(h.chunks); h.lowCold++ {
		if h.chunks[h.lowCold].state == cold {
			return h.lowCold, nil
		}
	}
	return h.commit(1)
}

// commit extends the committed part by n cold chunks and returns the first.
func (h *heap) commit(n int) (int, error) {
	i := len(h.chunks)
	if i+n > h.maxChunks || h.closed {
		return 0, ErrFull
	}
	end := i + n
	if h.a.meta.commit(end*chunkPages*int(unsafe.Sizeof(span{}))) != nil || h.a.data.commit(end<<chunkShift) != nil {
		return 0, ErrFull
	}
	for range n {
		h.chunks = append(h.chunks, chunk{free: fullSet})
	}
	if i == 0 {
		h.chunks[0].free.remove(0, 1) // so that no object has the nil handle
	}
	h.a.committed.Store(uint64(end) << (chunkShift - unitShift))
	h.runs.grow(end)
	return i, nil
}

// setWarm makes a cold chunk ready for use.
func (h *heap) setWarm(i int) {
	h.resident++
	h.open(i)
}

// open lets a resident chunk be allocated from.
func (h *heap) open(i int) {
	h.chunks[i].state = warm
	h.account(i)
}

// setIdle takes chunk i out of allocation.
func (h *heap) setIdle(i int, s chunkState) {
	h.chunks[i].state = s
	h.account(i)
	if s == cold {
		h.resident--
		h.lowCold = min(h.lowCold, i)
	}
}

func (h *heap) residentBytes() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return int64(h.resident) * (chunkBytes + chunkPages*int64(unsafe.Sizeof(span{})))
}

// pageSet is a set of pages of one chunk.
type pageSet [2]uint64

var fullSet = pageSet{^uint64(0), ^uint64(0)}

func (s *pageSet) add(at, n uint32) {
	for i := at; i < at+n; i++ {
		s[i/64] |= 1 << (i % 64)
	}
}

func (s *pageSet) remove(at, n uint32) {
	for i := at; i < at+n; i++ {
		s[i/64] &^= 1 << (i % 64)
	}
}

func (s *pageSet) count() int { return bits.OnesCount64(s[0]) + bits.OnesCount64(s[1]) }

// run returns the first run of members at or after from: its start and length, 0 if there is none.
func (s *pageSet) run(from uint32) (at, n uint32) {
	for at = from; at < chunkPages; {
		if w := s[at/64] >> (at % 64); w != 0 {
			at += uint32(bits.TrailingZeros64(w))
			break
		}
		at = (at/64 + 1) * 64
	}
	end := at
	for end < chunkPages {
		w := ^s[end/64] >> (end % 64)
		if w != 0 {
			end += uint32(bits.TrailingZeros64(w))
			break
		}
		end = (end/64 + 1) * 64
	}
	return at, end - at
}

// longest is the length of the longest run.
func (s *pageSet) longest() uint8 {
	var most uint32
	for at, n := s.run(0); n > 0; at, n = s.run(at + n) {
		most = max(most, n)
	}
	return uint8(most)
}

// find is the start of the first run of at least want pages. There must be one.
func (s *pageSet) find(want uint32) uint32 {
	at, n := s.run(0)
	for n > 0 && n < want {
		at, n = s.run(at + n)
	}
	return at
}

// maxTree is a complete binary tree over bytes that finds the first one of at least some value.
type maxTree struct {
	size int // leaves, a power of two
	max  []uint8
}

func (t *maxTree) grow(n int) {
	if n <= t.size {
		return
	}
	leaves := t.max[t.size:]
	t.size = max(64, 1<<bits.Len(uint(n-1)))
	t.max = make([]uint8, 2*t.size)
	copy(t.max[t.size:], leaves)
	for i := t.size - 1; i > 0; i-- {
		t.max[i] = max(t.max[2*i], t.max[2*i+1])
	}
}

func (t *maxTree) set(i int, v uint8) {
	i += t.size
	t.max[i] = v
	for i /= 2; i > 0; i /= 2 {
		t.max[i] = max(t.max[2*i], t.max[2*i+1])
	}
}

// first is the index of the first value of at least v, -1 if there is none.
func (t *maxTree) first(v uint8) int {
	if t.size == 0 || t.max[1] < v {
		return -1
	}
	i := 1
	for i < t.size {
		i *= 2
		if t.max[i] < v {
			i++
		}
	}
	return i - t.size
}

// last is the index of the last value of at least v, -1 if there is none.
func (t *maxTree) last(v uint8) int {
	if t.size == 0 || t.max[1] < v {
		return -1
	}
	i := 1
	for i < t.size {
		i = 2*i + 1
		if t.max[i] < v {
			i--
		}
	}
	return i - t.size
}
