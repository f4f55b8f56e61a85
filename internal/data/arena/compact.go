package arena

import "slices"

// Compaction empties whole chunks, for only a chunk goes back to the system. The arena computes how few
// chunks would hold what is live, keeps the fullest ones, and stops allocating in the others; the owner
// walks its objects under its own locks and moves each Sparse one (Alloc, copy, swap the handle, Free);
// a chunk that falls empty is released.
//
//	if a.BeginCompaction() {
//		... for every object, in slices: if a.Sparse(h, n) { move it }
//		a.EndCompaction()
//	}
//
// In the chunks it keeps, the arena also empties spans of classes that have more spans than they need, to
// make pages for the others. All of it works chunk by chunk and span by span with the locks held
// briefly, beside allocations that go on.

// fillable is the share of the pages of the chunks kept that is expected to be filled. The rest is for
// runs that find no room of their length, and for growth while objects move.
const fillable = 0.92

// Fragmentation is resident bytes over bytes in use; 1 is perfect. Arenas of a few MiB are never perfect.
func (a *Arena) Fragmentation() float64 {
	return float64(a.Resident()) / float64(max(a.InUse(), 1))
}

// BeginCompaction picks what to empty, stops allocating there and reports whether it is worth the work:
// more than one chunk in sixteen would be released. One compaction runs at a time: a second call before
// EndCompaction reports false.
func (a *Arena) BeginCompaction() bool {
	if !a.heap.setCompacting(true) {
		return false
	}
	s := a.survey()
	keep := s.chunksNeeded()
	if gain := len(s.chunks) - keep; gain <= len(s.chunks)/16 {
		a.heap.setCompacting(false)
		return false
	}
	var kept [classCount]int // places
	for _, c := range s.chunks[:keep] {
		a.evacuate(a.heap.markSurplus(c.chunk, &s.live, &kept))
	}
	for _, c := range s.chunks[keep:] {
		a.evacuate(a.heap.markChunk(c.chunk))
	}
	return true
}

// Sparse tells that object h of n bytes lies where the arena wants to be empty. The answer may be
// stale by the time it is used, which is harmless.
func (a *Arena) Sparse(h Handle, n int) bool {
	return a.span(uint32(h / pageUnits)).mark.evacuating()
}

// EndCompaction makes what could not be emptied available again and gives back what was.
func (a *Arena) EndCompaction() {
	for i := range a.heap.count() {
		for _, page := range a.heap.unmark(i) {
			a.readmit(page)
		}
	}
	a.heap.setCompacting(false)
	for a.heap.maintain() {
	}
}

// survey is what lies where at the start of a compaction. Allocations go on while it is made: it is an
// estimate.
type survey struct {
	chunks []load          // warm chunks that are not empty; those that cannot be emptied first, then the fullest
	live   [classCount]int // places in use
	pages  int             // of runs
}

type load struct {
	chunk, bytes int
	fixed        bool
}

func (a *Arena) survey() *survey {
	s := new(survey)
	for i := range a.heap.count() {
		if l, ok := a.heap.load(i, s); ok {
			s.chunks = append(s.chunks, l)
		}
	}
	slices.SortFunc(s.chunks, func(x, y load) int {
		if x.fixed != y.fixed {
			if x.fixed {
				return -1
			}
			return 1
		}
		return y.bytes - x.bytes
	})
	return s
}

// chunksNeeded is how many of the surveyed chunks suffice for everything live.
func (s *survey) chunksNeeded() int {
	pages := s.pages
	for i, n := range s.live {
		c := &classTable[i]
		pages += (n + int(c.places) - 1) / int(c.places) * int(c.pages)
	}
	need := int(float64(pages)/(fillable*chunkPages)) + 1
	fixed := 0
	for fixed < len(s.chunks) && s.chunks[fixed].fixed {
		fixed++
	}
	return min(max(need, fixed), len(s.chunks))
}

// load surveys chunk i. It has nothing to say of one that is empty or not resident.
//
// The number of free places of a span belongs to the lock of its class. It is read without: a stale
// number only makes the choice poorer.
func (h *heap) load(i int, s *survey) (l load, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := &h.chunks[i]
	if c.state != warm || c.free == fullSet {
		return l, false
	}
	l = load{chunk: i, fixed: i == 0} // chunk 0 holds the nil handle
	first := uint32(i) * chunkPages
	for page := first; page < first+chunkPages; page++ {
		sp := h.a.span(page)
		v := sp.mark.v.Load()
		switch {
		case v&markSpan != 0:
			class := int(v >> markClass)
			live := max(int(classTable[class].places)-int(sp.free), 0)
			s.live[class] += live
			l.bytes += live * int(classTable[class].units) * unitBytes
		case v&markRun != 0:
			s.pages++
			l.bytes += pageBytes
			l.fixed = l.fixed || v&markPinned != 0
		}
	}
	return l, true
}

// markChunk closes chunk i for allocation, marks its pages and returns the first pages of its spans.
func (h *heap) markChunk(i int) (spans []uint32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.chunks[i].state != warm {
		return nil
	}
	h.setIdle(i, evacuate)
	if h.chunks[i].free == fullSet {
		h.emptied = append(h.emptied, i)
		h.wake()
	}
	first := uint32(i) * chunkPages
	for page := first; page < first+chunkPages; page++ {
		m := &h.a.span(page).mark
		if m.used() {
			m.v.Or(markEvacuate)
		}
		if _, ok := m.class(); ok {
			spans = append(spans, page)
		}
	}
	return spans
}

// markSurplus marks the spans in chunk i of classes that have kept room enough for all that is live, and
// returns their first pages. It counts the room of the others as kept.
func (h *heap) markSurplus(i int, live, kept *[classCount]int) (spans []uint32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.chunks[i].state != warm {
		return nil
	}
	first := uint32(i) * chunkPages
	for page := first; page < first+chunkPages; page++ {
		class, ok := h.a.span(page).mark.class()
		if !ok {
			continue
		}
		shape := &classTable[class]
		if kept[class] < live[class] {
			kept[class] += int(shape.places)
			continue
		}
		for p := page; p < page+shape.pages; p++ {
			h.a.span(p).mark.v.Or(markEvacuate)
		}
		spans = append(spans, page)
	}
	return spans
}

// unmark ends the evacuation of chunk i and returns the first pages of the spans that were marked.
func (h *heap) unmark(i int) (spans []uint32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := &h.chunks[i]
	if c.state != warm && c.state != evacuate {
		return nil
	}
	first := uint32(i) * chunkPages
	for page := first; page < first+chunkPages; page++ {
		m := &h.a.span(page).mark
		if !m.evacuating() {
			continue
		}
		m.v.And(^uint32(markEvacuate))
		if _, ok := m.class(); ok {
			spans = append(spans, page)
		}
	}
	if c.state == evacuate {
		h.emptied = slices.DeleteFunc(h.emptied, func(e int) bool { return e == i })
		h.open(i)
	}
	return spans
}

// setCompacting notes that a compaction runs or ends, and reports whether that is a change.
func (h *heap) setCompacting(on bool) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	changed := h.compacting != on && !h.closed
	h.compacting = on
	return changed
}

// count is the number of committed chunks.
func (h *heap) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.chunks)
}

// evacuate takes marked spans out of allocation.
func (a *Arena) evacuate(spans []uint32) {
	for _, page := range spans {
		a.withSpan(page, func(c *class, i int, s *span) {
			switch {
			case !s.mark.evacuating():
			case s == c.cur:
				c.cur = nil
				if uint32(s.free) == classTable[i].places {
					a.heap.give(page, classTable[i].pages)
				}
			case s.listed:
				c.unlist(a, page)
			}
		})
	}
}

// readmit lists the span that begins at page, if it has room and nobody lists it.
func (a *Arena) readmit(page uint32) {
	a.withSpan(page, func(c *class, _ int, s *span) {
		if s != c.cur && !s.listed && s.free > 0 && !s.mark.evacuating() {
			c.enlist(a, page)
		}
	})
}

// withSpan calls f for the span that begins at page under the lock of its class, if there still is one.
func (a *Arena) withSpan(page uint32, f func(c *class, i int, s *span)) {
	s := a.span(page)
	i, ok := s.mark.class()
	if !ok {
		return
	}
	c := &a.classes[i]
	c.mu.Lock()
	defer c.mu.Unlock()
	// The mark holds still only now, if the span is of this class yet.
	if now, ok := s.mark.class(); ok && now == i {
		f(c, i, s)
	}
}
