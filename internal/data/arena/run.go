package arena

// allocRun allocates an object of whole pages.
func (a *Arena) allocRun(n int) (Handle, error) {
	if int64(n) > a.Limit() {
		return 0, ErrFull
	}
	pages := uint32((n + pageBytes - 1) >> pageShift)
	var page uint32
	var err error
	if pages <= chunkPages {
		page, err = a.heap.take(pages, 0, markRun)
	} else {
		page, err = a.heap.takeChunks(pages)
	}
	if err != nil {
		return 0, err
	}
	a.large.Add(int64(pages) << pageShift)
	return Handle(page) * pageUnits, nil
}

func (a *Arena) freeRun(h Handle, n int) {
	page := uint32(h / pageUnits)
	if !a.span(page).mark.used() {
		panic("arena: double free")
	}
	pages := uint32((n + pageBytes - 1) >> pageShift)
	a.large.Add(-int64(pages) << pageShift)
	a.heap.give(page, pages)
}

// takeChunks returns the first page of a run that begins a chunk and reaches over several. What is left
// of the last chunk stays free for others.
func (h *heap) takeChunks(pages uint32) (uint32, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := int(pages+chunkPages-1) / chunkPages
	first, err := h.emptyChunks(n)
	for err != nil && h.settle() {
		first, err = h.emptyChunks(n)
	}
	if err != nil {
		return 0, err
	}
	for i := first; i < first+n; i++ {
		if h.chunks[i].state == cold {
			h.setWarm(i)
		}
		h.use(i, 0, min(chunkPages, pages-uint32(i-first)*chunkPages))
	}
	page := uint32(first) * chunkPages
	h.a.markPages(page, pages, 0, markRun|markPinned)
	return page, nil
}

// emptyChunks finds or commits n neighbouring chunks without a used page.
func (h *heap) emptyChunks(n int) (int, error) {
	if len(h.chunks) == 0 {
		if _, err := h.commit(1); err != nil { // the one that is never empty
			return 0, err
		}
	}
	length := 0
	for i := range h.chunks {
		c := &h.chunks[i]
		if length++; c.free != fullSet || c.state > warm {
			length = 0
		}
		if length == n {
			return i + 1 - n, nil
		}
	}
	first := len(h.chunks) - length
	_, err := h.commit(n - length)
	return first, err
}

// markPages notes that a run of pages is in use, with more bits for the first page and for all of them.
// The caller holds the heap's lock, which orders it with the start of a compaction.
func (a *Arena) markPages(page, pages, first, all uint32) {
	for i := range pages {
		a.span(page + i).mark.v.Store(markUsed | all | min(i, maxSpanPages))
	}
	m := &a.span(page).mark
	m.v.Store(m.v.Load() | first)
}

func (a *Arena) clearPages(page, pages uint32) {
	for i := range pages {
		a.span(page + i).mark.v.Store(0)
	}
}
