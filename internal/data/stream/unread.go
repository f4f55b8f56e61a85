package stream

import "iter"

// place is where a group reads on. Entries do not move within their block, counted from its first one, so the place stays
// good until blocks go or IDs begin anew.
type place struct {
	last, master ID  // what was given last, and the block that has it
	at           int // of the entry behind it, in bytes from the block's first
	era          int // of the stream
}

// Unread yields the entries behind the last one that g was given. The entries must not change meanwhile, but the group,
// which was opened for change, may be given what is yielded (Advance). It is found at once if g reads where it left off.
func (s *Stream) Unread(g *Group) iter.Seq[*Entry] {
	return func(yield func(*Entry) bool) {
		i, at := s.resume(g)
		for b := range s.blocks.Ascend(i) {
			h := readHeader(b.lp)
			if h.entriesAt == 0 {
				continue
			}
			end := len(b.lp) - 1
			for p := h.entriesAt + at; p < end; {
				e, next := readEntry(b.lp, b.master, &h, p)
				if next == 0 {
					next = end
				}
				if p = next; e.deleted || !g.Last.Less(e.ID) {
					continue
				}
				g.place = place{last: e.ID, master: b.master, at: next - h.entriesAt, era: s.era}
				if !yield(&e) {
					return
				}
			}
			at = 0
		}
	}
}

// resume is the block in which g reads on, and the place in it.
func (s *Stream) resume(g *Group) (i, at int) {
	i = max(s.blockOf(g.Last), 0)
	p := &g.place
	if p.era == s.era && p.last == g.Last && i < s.blocks.Len() && s.blocks.At(i).master == p.master {
		at = p.at
	}
	return i, at
}
