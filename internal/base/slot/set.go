package slot

import (
	"encoding/binary"
	"iter"
	"math/bits"
)

// Set is a set of slots in the layout of the cluster bus: slot s is bit s&7
// (counted from the least significant) of byte s/8. The zero value is empty.
// Sets compare with ==. Methods that take a slot need it below Count.
type Set [Count / 8]byte

// Range is the slots Start..End, both included.
type Range struct{ Start, End uint16 }

// Len returns how many slots the range holds.
func (r Range) Len() int { return int(r.End) - int(r.Start) + 1 }

// Has reports whether slot is in the set.
func (s *Set) Has(slot uint16) bool { return s[slot/8]&(1<<(slot%8)) != 0 }

// Add puts slot into the set.
func (s *Set) Add(slot uint16) { s[slot/8] |= 1 << (slot % 8) }

// Remove takes slot out of the set.
func (s *Set) Remove(slot uint16) { s[slot/8] &^= 1 << (slot % 8) }

// AddRange puts all slots of r into the set; a reversed range adds none.
func (s *Set) AddRange(r Range) {
	for slot := int(r.Start); slot <= int(r.End); {
		if slot%8 == 0 && slot+7 <= int(r.End) {
			s[slot/8] = 0xff
			slot += 8
			continue
		}
		s.Add(uint16(slot))
		slot++
	}
}

// RemoveRange takes all slots of r out of the set.
func (s *Set) RemoveRange(r Range) {
	for slot := int(r.Start); slot <= int(r.End); slot++ {
		s.Remove(uint16(slot))
	}
}

// Clear makes the set empty.
func (s *Set) Clear() { *s = Set{} }

// Empty reports whether the set holds no slot.
func (s *Set) Empty() bool { return *s == Set{} }

// Equal reports whether both sets hold the same slots.
func (s *Set) Equal(other *Set) bool { return *s == *other }

// Len returns the number of slots in the set.
func (s *Set) Len() int {
	n := 0
	for i := 0; i < len(s); i += 8 {
		n += bits.OnesCount64(s.word(i))
	}
	return n
}

// Union adds the slots of other.
func (s *Set) Union(other *Set) {
	for i := 0; i < len(s); i += 8 {
		s.setWord(i, s.word(i)|other.word(i))
	}
}

// Subtract removes the slots of other.
func (s *Set) Subtract(other *Set) {
	for i := 0; i < len(s); i += 8 {
		s.setWord(i, s.word(i)&^other.word(i))
	}
}

// Intersect keeps only the slots that are also in other.
func (s *Set) Intersect(other *Set) {
	for i := 0; i < len(s); i += 8 {
		s.setWord(i, s.word(i)&other.word(i))
	}
}

// Intersects reports whether the sets share a slot.
func (s *Set) Intersects(other *Set) bool {
	for i := 0; i < len(s); i += 8 {
		if s.word(i)&other.word(i) != 0 {
			return true
		}
	}
	return false
}

// All yields the slots in ascending order. The set must not change meanwhile.
func (s *Set) All() iter.Seq[uint16] {
	return func(yield func(uint16) bool) {
		for i := 0; i < len(s); i += 8 {
			for w := s.word(i); w != 0; w &= w - 1 {
				if !yield(uint16(i*8 + bits.TrailingZeros64(w))) {
					return
				}
			}
		}
	}
}

// Ranges yields the longest runs of consecutive slots in ascending order.
// The set must not change meanwhile.
func (s *Set) Ranges() iter.Seq[Range] {
	return func(yield func(Range) bool) {
		for start := s.next(0, false); start < Count; {
			end := s.next(start, true)
			if !yield(Range{uint16(start), uint16(end - 1)}) {
				return
			}
			start = s.next(end, false)
		}
	}
}

// next returns the first slot from on that is absent (or present) in the set,
// or Count.
func (s *Set) next(from int, absent bool) int {
	for from < Count {
		w := s.word(from / 64 * 8)
		if absent {
			w = ^w
		}
		w >>= from % 64
		if w != 0 {
			return from + bits.TrailingZeros64(w)
		}
		from = (from/64 + 1) * 64
	}
	return Count
}

// word returns the 64 slots that start at byte i, slot i*8 in the lowest bit.
func (s *Set) word(i int) uint64       { return binary.LittleEndian.Uint64(s[i:]) }
func (s *Set) setWord(i int, w uint64) { binary.LittleEndian.PutUint64(s[i:], w) }
