package arena

import "github.com/skeindb/skein/internal/base/polite"

// The background goroutine keeps some memory ready ahead of the requests, because the first touch of a
// huge page zeroes 2 MiB, and gives empty chunks back. Requests only signal it.

// ahead is the number of free pages to keep ready: little while the arena is small, then enough for
// the time it takes to warm a chunk.
func (h *heap) ahead() int { return min(8*h.resident, chunkPages) }

// wake signals the background goroutine if there is something to do. The caller holds h.mu.
func (h *heap) wake() {
	if h.closed || len(h.emptied) == 0 && !h.wantsMore() && !h.wantsLess() {
		return
	}
	select {
	case h.kick <- struct{}{}:
	default:
	}
}

func (h *heap) wantsMore() bool { return h.resident > 0 && h.warmPages < h.ahead() }
func (h *heap) wantsLess() bool {
	return h.empties > 0 && h.warmPages >= h.ahead()+chunkPages+chunkPages/2
}

func (h *heap) background() {
	defer close(h.done)
	var rester polite.Worker
	for range h.kick {
		for h.maintain() {
			rester.Rest() // much may become empty at once
		}
	}
}

// maintain does one step of background work and reports whether it did any.
func (h *heap) maintain() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return false
	case len(h.emptied) > 0:
		i := h.emptied[len(h.emptied)-1]
		h.emptied = h.emptied[:len(h.emptied)-1]
		h.cool(i)
		return true
	case h.wantsMore():
		i, err := h.pickCold()
		if err != nil {
			return false
		}
		h.chunks[i].state = busy
		h.unlocked(func() { h.a.data.touch(i<<chunkShift, chunkBytes) })
		h.setWarm(i)
		return true
	case h.wantsLess():
		h.cool(h.runs.last(chunkPages))
		return true
	}
	return false
}

// cool gives the memory of the empty chunk i back to the system.
func (h *heap) cool(i int) {
	h.setIdle(i, busy)
	h.unlocked(func() { h.a.data.release(i<<chunkShift, chunkBytes) })
	h.setIdle(i, cold)
}

// unlocked runs f, a system call or a page fault, without the lock.
func (h *heap) unlocked(f func()) {
	h.busy = true
	h.mu.Unlock()
	f()
	h.mu.Lock()
	h.busy = false
	h.settled.Broadcast()
}

// settle waits for the chunk that the background goroutine works on, if there is one, and tells so: near the
// limit that chunk may be all the memory there is.
func (h *heap) settle() bool {
	if !h.busy {
		return false
	}
	h.settled.Wait()
	return true
}

// stop ends the background goroutine and reports whether this was the first call.
func (h *heap) stop() bool {
	h.mu.Lock()
	first := !h.closed
	h.closed = true
	h.mu.Unlock()
	if first {
		close(h.kick)
	}
	<-h.done
	return first
}
