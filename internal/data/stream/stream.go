// Package stream is the stream value: entries of fields and values by ascending ID, and consumer groups.
//
// Entries lie in blocks, listpacks that are redis's own bytes, in a tree by the ID of their first entry ever, the master
// ID (redis has a radix tree there, which nothing shows outside):
//
//	block    | entries | deleted | fields of the master entry | field ... | 0 | entry ...
//	entry    | flags | ms - master ms | seq - master seq | value ... | elements |                   flags has 2
//	         | flags | ms - master ms | seq - master seq | fields | field | value ... | elements |  otherwise
//
// Each of these is one element of the listpack. The master entry is nothing but the fields of the block's first entry: an
// entry with the same ones has flag 2 and does not repeat them. Flag 1 means deleted. Elements is how many come before it
// in its entry, to read backwards. A block goes away with its last entry.
//
// A group remembers what it delivered and nobody acknowledged, twice: by ID, and per consumer.
//
// Freeze is O(1): blocks, groups and consumers belong to the stream that made them, as nodes do to a tree (package tree),
// and are copied when another one changes them.
//
// What the methods return are views, good until the next call. None of the arguments may be such a view.
package stream

import (
	"errors"
	"iter"
	"unsafe"

	"github.com/skeindb/skein/internal/data/listpack"
	"github.com/skeindb/skein/internal/data/tree"
	"github.com/skeindb/skein/internal/data/value"
)

var (
	// ErrID: the ID is not greater than the last one.
	ErrID = errors.New("stream: the ID is not greater than the last one")
	// ErrTooLarge: the fields and values of an entry exceed 1 GiB.
	ErrTooLarge = errors.New("stream: entry too large")
	// ErrCorrupt: bytes from outside that make no stream.
	ErrCorrupt = errors.New("stream: corrupt data")
)

// Options are stream-node-max-bytes and stream-node-max-entries; 0 is no limit.
type Options struct{ BlockBytes, BlockEntries int }

// Stream is a stream.
type Stream struct {
	blocks row
	groups tree.Tree[*Group]
	own    *token // of the groups
	bytes  int    // of the groups as far as they were counted
	era    int    // how often entries may have gone, or IDs begun anew
	info   Info

	touched []*Group // that may have changed since they were counted
}

// Info is what a stream remembers beside its entries.
type Info struct {
	Last       ID     // that was ever added
	MaxDeleted ID     // the highest that was ever deleted by name
	Added      uint64 // entries ever
}

// token tells what a stream may change; see package tree.
type token struct{ _ byte }

// New returns an empty stream.
func New() *Stream {
	return &Stream{blocks: newRow()}
}

// Type is value.TypeStream.
func (s *Stream) Type() value.Type { return value.TypeStream }

// Encoding is "stream".
func (s *Stream) Encoding() string { return "stream" }

// Bytes is the memory of it all, in a time that grows with the number of groups that have changed since the last call.
func (s *Stream) Bytes() int {
	for _, g := range s.touched {
		s.bytes -= g.counted
		g.counted, g.touched = g.bytes(), false
		s.bytes += g.counted
	}
	s.touched = s.touched[:0]
	return int(unsafe.Sizeof(*s)) + s.blocks.Bytes() + s.bytes + s.groups.Bytes()
}

// Freeze returns a copy in O(1). Both may go on to change.
func (s *Stream) Freeze() value.Object {
	s.Bytes() // groups that are shared change no more
	s.own, s.touched = nil, nil
	c := *s
	c.blocks, c.groups = s.blocks.Freeze(), s.groups.Freeze()
	return &c
}

func (s *Stream) owner() *token {
	if s.own == nil {
		s.own = new(token)
	}
	return s.own
}

// Len is the number of entries.
func (s *Stream) Len() int { return s.blocks.Weight() }

// Info is what the stream remembers.
func (s *Stream) Info() Info { return s.info }

// SetInfo makes it remember something else, as XSETID and loading do.
func (s *Stream) SetInfo(i Info) {
	s.info = i
	s.era++
}

// First is the ID of the first entry; zero if there is none.
func (s *Stream) First() ID {
	for e := range s.Ascend(ID{}, Highest) {
		return e.ID
	}
	return ID{}
}

// Final is the ID of the last entry; zero if there is none.
func (s *Stream) Final() ID {
	for e := range s.Descend(Highest, ID{}) {
		return e.ID
	}
	return ID{}
}

// NextID is what an entry added at this time gets: that time, or the ID after the last one if it is not behind us. False
// if there is none.
func (s *Stream) NextID(nowMs uint64) (ID, bool) {
	if nowMs > s.info.Last.Ms {
		return ID{Ms: nowMs}, true
	}
	return s.info.Last.Next()
}

// Append adds an entry of fields and values by turns.
func (s *Stream) Append(id ID, fields [][]byte, opt Options) error {
	if !s.info.Last.Less(id) {
		return ErrID
	}
	total := 0
	for _, f := range fields {
		total += len(f)
	}
	if total > listpack.MaxBytes {
		return ErrTooLarge
	}
	if s.blocks.tail.lp == nil || s.blocks.isFull(total, opt) {
		s.blocks.Begin(id, fields)
	}
	s.blocks.Add(id, fields)
	s.info.Last = id
	s.info.Added++
	return nil
}

// drop removes block i.
func (s *Stream) drop(i int) {
	s.blocks.Drop(i)
	s.era++
}

// blockOf is the index of the block that has id if any has; -1 if it is below all.
func (s *Stream) blockOf(id ID) int {
	return s.blocks.Seek(func(b *block) bool { return !id.Less(b.master) }) - 1
}

// Ascend yields the entries from one ID to another, both included. The stream must not change meanwhile.
func (s *Stream) Ascend(from, to ID) iter.Seq[*Entry] {
	return func(yield func(*Entry) bool) {
		for b := range s.blocks.Ascend(max(s.blockOf(from), 0)) {
			for e := range entries(b.lp, b.master) {
				if to.Less(e.ID) {
					return
				}
				if !e.deleted && !e.ID.Less(from) && !yield(&e) {
					return
				}
			}
		}
	}
}

// Descend yields the entries from one ID down to another, both included. The stream must not change meanwhile.
func (s *Stream) Descend(from, to ID) iter.Seq[*Entry] {
	return func(yield func(*Entry) bool) {
		for b := range s.blocks.Descend(s.blockOf(from)) {
			for e := range backward(b.lp, b.master) {
				if e.ID.Less(to) {
					return
				}
				if !e.deleted && !from.Less(e.ID) && !yield(&e) {
					return
				}
			}
		}
	}
}

// Has tells whether there is such an entry.
func (s *Stream) Has(id ID) bool {
	for range s.Ascend(id, id) {
		return true
	}
	return false
}

// Delete removes an entry by its ID, and tells whether it was there.
func (s *Stream) Delete(id ID) bool {
	i := s.blockOf(id)
	if i < 0 {
		return false
	}
	b := s.blocks.At(i)
	for e := range entries(b.lp, b.master) {
		if e.ID != id || e.deleted {
			continue
		}
		if b.live == 1 {
			s.drop(i)
		} else {
			s.blocks.Edit(i, func(b *block) {
				b.lp, _ = mark(b.lp, e.p)
				b.lp = recount(b.lp, -1, 1)
				b.live--
			})
		}
		if s.info.MaxDeleted.Less(id) {
			s.info.MaxDeleted = id
		}
		return true
	}
	return false
}
