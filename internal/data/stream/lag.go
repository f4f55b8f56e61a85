package stream

// Fragmented tells whether entries may have been deleted by name from this ID on, so that those between it and the end
// cannot be counted by what was added.
func (s *Stream) Fragmented(from ID) bool {
	gone := s.info.MaxDeleted
	return gone != (ID{}) && s.Len() > 0 && !gone.Less(from) && !gone.Less(s.First())
}

// Lag is how many entries a group has not been given yet; false if nobody can know.
func (s *Stream) Lag(g *Group) (n int64, ok bool) {
	if s.info.Added == 0 {
		return 0, true
	}
	if g.Read >= 0 && !s.Fragmented(g.Last) {
		return int64(s.info.Added) - g.Read, true
	}
	read, ok := s.Position(g.Last)
	return int64(s.info.Added - read), ok
}

// Advance notes that the group was given an entry of the stream, the first one behind Last.
func (s *Stream) Advance(g *Group, id ID) {
	switch {
	case g.Read >= 0 && !s.Fragmented(id):
		g.Read++
	case s.info.Added > 0:
		g.Read = -1
		if n, ok := s.Position(id); ok {
			g.Read = int64(n)
		}
	}
	g.Last = id
}

// Head is the ID of the first entry, even if it is marked as deleted; the highest if there is no trace of any.
func (s *Stream) Head() ID {
	for b := range s.blocks.Ascend(0) {
		for e := range entries(b.lp, b.master) {
			return e.ID
		}
	}
	return Highest
}
