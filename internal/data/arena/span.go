package arena

import (
	"math/bits"
	"sync/atomic"
)

// span is the record of a page. The record of the first page of a span speaks for the whole span; the
// others only tell how far back it is. All but the mark is guarded by the lock of the class.
type span struct {
	next, prev uint32                 // neighbours in the class's list, by first page; 0 is none
	free       uint16                 // places free
	word       uint8                  // no free place lies in an earlier word of live
	listed     bool                   // stands in the class's list
	mark       mark                   //
	live       [maxPlaces / 64]uint64 // one bit per place; those past the last place are set
}

const maxPlaces = pageBytes / minSize

// mark holds what is read without the lock of the class. It is written under the lock of the heap.
type mark struct{ v atomic.Uint32 }

const (
	markBack     = 0xff    // distance to the first page of the span
	markUsed     = 1 << 8  // the page is in use
	markEvacuate = 1 << 9  // its chunk is being emptied
	markPinned   = 1 << 10 // part of a run over several chunks, which does not move
	markRun      = 1 << 11 // part of a run
	markSpan     = 1 << 12 // first page of a span of class v >> markClass
	markClass    = 16
)

func (m *mark) back() uint32     { return m.v.Load() & markBack }
func (m *mark) used() bool       { return m.v.Load()&markUsed != 0 }
func (m *mark) evacuating() bool { return m.v.Load()&markEvacuate != 0 }

// class is the class of the span that begins here, if one does.
func (m *mark) class() (int, bool) {
	v := m.v.Load()
	return int(v >> markClass), v&markSpan != 0
}

// reset makes s an empty span of the given number of places.
func (s *span) reset(places uint32) {
	s.next, s.prev, s.word, s.listed = 0, 0, 0, false
	s.free = uint16(places)
	for i := range s.live {
		switch from := uint32(i) * 64; {
		case places >= from+64:
			s.live[i] = 0
		case places <= from:
			s.live[i] = ^uint64(0)
		default:
			s.live[i] = ^uint64(0) << (places - from)
		}
	}
}

// take marks the lowest free place as live and returns its number. There must be one.
func (s *span) take() uint32 {
	w := s.word % uint8(len(s.live))
	for s.live[w] == ^uint64(0) {
		w = (w + 1) % uint8(len(s.live))
	}
	bit := bits.TrailingZeros64(^s.live[w])
	s.live[w] |= 1 << bit
	s.word = w
	s.free--
	return uint32(w)*64 + uint32(bit)
}

// give marks a place as free and reports whether it was live.
func (s *span) give(place uint32) bool {
	w, bit := uint8(place/64)%uint8(len(s.live)), uint64(1)<<(place%64)
	if s.live[w]&bit == 0 {
		return false
	}
	s.live[w] &^= bit
	s.word = min(s.word, w)
	s.free++
	return true
}

// refill gives the class a span with room to allocate from, nil if there is no memory.
// The caller holds c.mu.
func (c *class) refill(a *Arena, i int) *span {
	c.cur = nil
	page := c.list
	if page != 0 {
		c.unlist(a, page)
	} else {
		shape := &classTable[i]
		var err error
		if page, err = a.heap.take(shape.pages, markSpan|uint32(i)<<markClass, 0); err != nil {
			return nil
		}
		a.span(page).reset(shape.places)
		a.touched[i/64].Or(1 << (i % 64))
	}
	c.cur = a.span(page)
	c.first = Handle(page) * pageUnits
	return c.cur
}

// freed files span s after one of its places became free: an empty span goes back to the heap, one with
// room into the list, unless it is being evacuated. The caller holds c.mu, and s is not c.cur.
func (c *class) freed(a *Arena, i int, s *span, page uint32) {
	shape := &classTable[i]
	switch {
	case uint32(s.free) == shape.places:
		if s.listed {
			c.unlist(a, page)
		}
		a.heap.give(page, shape.pages)
	case !s.listed && !s.mark.evacuating():
		c.enlist(a, page)
	}
}

func (c *class) enlist(a *Arena, page uint32) {
	s := a.span(page)
	s.prev, s.next, s.listed = 0, c.list, true
	if s.next != 0 {
		a.span(s.next).prev = page
	}
	c.list = page
}

func (c *class) unlist(a *Arena, page uint32) {
	s := a.span(page)
	if s.prev != 0 {
		a.span(s.prev).next = s.next
	} else {
		c.list = s.next
	}
	if s.next != 0 {
		a.span(s.next).prev = s.prev
	}
	s.next, s.prev, s.listed = 0, 0, false
}
