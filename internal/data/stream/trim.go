package stream

import "iter"

// TrimLen removes the first entries until there are length of them, and returns how many it removed. If it is to do so
// about, it removes whole blocks only. With a limit it ends before the block that would make it exceed it (0: no limit).
func (s *Stream) TrimLen(length int, about bool, limit int) int {
	length = max(length, 0)
	return s.trim(about, limit,
		func() bool { return s.Len() <= length },
		func(b *block) bool { return s.Len()-b.live >= length },
		func(_ ID, gone int) bool { return s.Len()-gone > length })
}

// TrimID removes all entries below id; see TrimLen.
func (s *Stream) TrimID(id ID, about bool, limit int) int {
	return s.trim(about, limit,
		func() bool { return false },
		func(b *block) bool {
			last, ok := b.last()
			return !ok || last.Less(id)
		},
		func(e ID, _ int) bool { return e.Less(id) })
}

// trim removes blocks from the first on that whole says are too many, until it is enough, and in the next one the entries
// that one says are, of which so many are gone. What is left of that block stays, as in redis, even if no entry lives.
func (s *Stream) trim(about bool, limit int, enough func() bool, whole func(*block) bool, one func(id ID, gone int) bool) (removed int) {
	for s.blocks.Len() > 0 && !enough() {
		b := s.blocks.At(0)
		if limit > 0 && removed+b.live > limit {
			break
		}
		if whole(&b) {
			s.drop(0)
			removed += b.live
			continue
		}
		if !about && one(b.first(), 0) {
			s.blocks.Edit(0, func(b *block) { removed += b.removeFirst(one) })
		}
		break
	}
	return removed
}

// first is the ID of the first entry that is not deleted; the highest if there is none.
func (b *block) first() ID {
	for e := range entries(b.lp, b.master) {
		if !e.deleted {
			return e.ID
		}
	}
	return Highest
}

// last is the ID of the last entry, be it deleted or not.
func (b *block) last() (ID, bool) {
	for e := range backward(b.lp, b.master) {
		return e.ID, true
	}
	return ID{}, false
}

// removeFirst removes the first entries as long as one says so.
func (b *block) removeFirst(one func(id ID, gone int) bool) (gone int) {
	h := readHeader(b.lp)
	for p := h.entriesAt; p != 0; {
		e, next := readEntry(b.lp, b.master, &h, p)
		if !e.deleted {
			if !one(e.ID, gone) {
				break
			}
			var moved int
			b.lp, moved = mark(b.lp, p)
			gone++
			if next != 0 {
				next += moved
			}
		}
		p = next
	}
	b.lp = recount(b.lp, -int64(gone), int64(gone))
	b.live -= gone
	return gone
}

// Blocks yields the stream as redis stores it in an RDB file: master IDs and listpacks. Nobody may change them.
func (s *Stream) Blocks() iter.Seq2[ID, []byte] {
	return func(yield func(ID, []byte) bool) {
		for b := range s.blocks.Ascend(0) {
			if !yield(b.master, b.lp) {
				return
			}
		}
	}
}

// BlockCount is how many Blocks yields.
func (s *Stream) BlockCount() int { return s.blocks.Len() }

// AppendBlock adds at the end what Blocks yielded somewhere else: it checks the bytes and keeps them. Then SetInfo must
// be called, with an Info that CheckInfo accepts.
func (s *Stream) AppendBlock(master ID, lp []byte) error {
	live, err := validate(lp, master)
	if err != nil {
		return err
	}
	if n := s.blocks.Len(); n > 0 {
		before := s.blocks.At(n - 1)
		if last, ok := before.last(); ok && !last.Less(master) || !before.master.Less(master) {
			return ErrCorrupt
		}
	}
	s.blocks.Put(block{master: master, lp: lp, live: int(live)})
	return nil
}

// CheckInfo tells whether i can be true of the entries.
func (s *Stream) CheckInfo(i Info) bool {
	return !i.Last.Less(s.floor()) && i.Added >= uint64(s.Len())
}

// floor is the highest ID that the blocks show to have been there.
func (s *Stream) floor() ID {
	n := s.blocks.Len()
	if n == 0 {
		return ID{}
	}
	b := s.blocks.At(n - 1)
	if last, ok := b.last(); ok {
		return last
	}
	return b.master
}

// Position estimates how many entries had been added when the one with this ID was: the measure of a group's lag. False
// if nobody can know.
func (s *Stream) Position(id ID) (n uint64, ok bool) {
	length, first := uint64(s.Len()), s.First()
	switch c := id.Compare(s.info.Last); {
	case s.info.Added == 0:
		return 0, true
	case length == 0 && c < 1:
		return s.info.Added, true
	case c == 0:
		return s.info.Added, true
	case c > 0:
		return 0, false
	}
	if s.info.MaxDeleted == (ID{}) || s.info.MaxDeleted.Less(first) {
		switch c := id.Compare(first); {
		case c < 0:
			return s.info.Added - length, true
		case c == 0:
			return s.info.Added - length + 1, true
		}
	}
	return 0, false
}
