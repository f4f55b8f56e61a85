package arena

import "slices"

// Compaction empties whole chunks, for only a chunk goes back to the system. The arena picks the chunks
// with the least in them and stops allocating there; the owner walks its objects under its own locks and
// moves each Sparse one (Alloc, copy, swap the handle, Free); a chunk that falls empty is released.
//
//	if a.BeginCompaction() {
//		... for every object, in slices: if a.Sparse(h, n) { move it }
//		a.EndCompaction()
//	}

const (
	// worthMoving is the share of a chunk in use above which emptying it is not worth the work.
	worthMoving = 0.85
	// fillable is the share of the room elsewhere that moved objects are expected to find.
	fillable = 0.9
)

// Fragmentation is resident bytes over bytes in use; 1 is perfect. Small arenas are never perfect.
func (a *Arena) Fragmentation() float64 {
	return float64(a.Resident()) / float64(max(a.InUse(), 1))
}

// BeginCompaction picks chunks to empty, stops allocating in them and reports whether there are any.
// One compaction runs at a time: a second call before EndCompaction reports false.
func (a *Arena) BeginCompaction() bool {
	if !a.heap.pickEvacuees() {
		return false
	}
	for i := range a.classes {
		a.classes[i].avoidEvacuees(a, i)
	}
	return true
}

// Sparse tells that object h of n bytes lies where the arena wants to be emptied. The answer may be
// stale by the time it is used, which is harmless.
func (a *Arena) Sparse(h Handle, n int) bool {
	return a.span(uint32(h / pageUnits)).mark.evacuating()
}

// EndCompaction makes what could not be emptied available again.
func (a *Arena) EndCompaction() {
	for _, i := range a.heap.endEvacuation() {
		for page := uint32(i) * chunkPages; page < uint32(i+1)*chunkPages; page++ {
			a.readmit(page)
		}
	}
}

// readmit lists the span that begins at page, if there is one with room and nobody lists it.
func (a *Arena) readmit(page uint32) {
	s := a.span(page)
	i, ok := s.mark.class()
	if !ok {
		return
	}
	c := &a.classes[i]
	c.mu.Lock()
	defer c.mu.Unlock()
	// Only now does the mark hold still, if the span still is of this class.
	if now, ok := s.mark.class(); ok && now == i && s != c.cur && !s.listed && s.free > 0 && !s.mark.evacuating() {
		c.enlist(a, page)
	}
}

// pickEvacuees chooses and marks the chunks to empty: the emptiest first, as long as what is in them
// finds room in the others.
func (h *heap) pickEvacuees() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.evacuating {
		return false
	}
	type load struct{ chunk, bytes int }
	var loads []load
	room := 0
	for i := range h.chunks {
		if i == 0 || h.chunks[i].state != warm { // chunk 0 holds the nil handle
			continue
		}
		bytes, movable := h.liveBytes(i)
		room += chunkBytes - bytes
		if movable && float64(bytes) < worthMoving*chunkBytes {
			loads = append(loads, load{i, bytes})
		}
	}
	slices.SortFunc(loads, func(x, y load) int { return x.bytes - y.bytes })
	need := 0
	for _, l := range loads {
		need += l.bytes
		room -= chunkBytes - l.bytes
		if float64(need) > fillable*float64(room) {
			break
		}
		h.setIdle(l.chunk, evacuate)
		h.evacuating = true
		h.a.markEvacuate(uint32(l.chunk), true)
	}
	return h.evacuating
}

// liveBytes estimates what is in use in a chunk, and whether all of it can be moved: a run over several
// chunks cannot. The numbers of free places belong to the classes' locks; a stale one only makes the
// choice poorer.
func (h *heap) liveBytes(chunk int) (bytes int, movable bool) {
	first := uint32(chunk) * chunkPages
	bytes = (chunkPages - h.chunks[chunk].free.count()) * pageBytes
	for page := first; page < first+chunkPages; page++ {
		s := h.a.span(page)
		if s.mark.v.Load()&markPinned != 0 {
			return bytes, false
		}
		if i, ok := s.mark.class(); ok {
			bytes -= int(s.free) * int(classTable[i].units) * unitBytes
		}
	}
	return bytes, true
}

// endEvacuation lets the chunks that were not emptied be allocated from again and returns them.
func (h *heap) endEvacuation() (chunks []int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.evacuating, h.emptied = false, 0
	for i := range h.chunks {
		if h.chunks[i].state == evacuate {
			h.a.markEvacuate(uint32(i), false)
			h.open(i)
			chunks = append(chunks, i)
		}
	}
	h.wake()
	return chunks
}

func (a *Arena) markEvacuate(chunk uint32, on bool) {
	for page := chunk * chunkPages; page < (chunk+1)*chunkPages; page++ {
		if m := &a.span(page).mark; on {
			m.v.Or(markEvacuate)
		} else {
			m.v.And(^uint32(markEvacuate))
		}
	}
}
