package stream

import (
	"iter"

	"github.com/skeindb/skein/internal/data/listpack"
	"github.com/skeindb/skein/internal/data/tree"
)

// row is the blocks of a stream. The last one, to which entries are added, lies outside the tree, in memory with room for
// more; when it is full, as many bytes as it has go into the tree, and the next one is made in the same memory.
//
// Size classes would waste a tenth of the memory of full blocks, which are all about as long: those of a long stream are
// cut, one behind the other, from a sheet. A sheet lives as long as one of its blocks, and they go in the order in which
// they came.
type row struct {
	full  tree.Tree[block]
	tail  block  // without lp: there is none
	head  header // of tail; without fieldsAt: not read yet
	room  []byte
	sheet []byte // what is left of it
	own   *token
	bytes int // of the blocks' memory, and room
}

type block struct {
	master ID
	lp     []byte
	own    *token
	live   int
}

func newRow() row { return row{full: tree.Weighed(func(b *block) int { return b.live })} }

const (
	leastRoom = 128     // bytes of memory of a first block
	maxSpare  = 1 << 16 // about the most bytes that a block doubles by

	sheetBytes = 1 << 16         // whole pages of the heap
	sheetPart  = 8               // a block takes at most this part of a sheet
	sheetLeast = 16 * sheetBytes // bytes of a stream that gets sheets: they are a small part of it
)

// Len is the number of blocks.
func (r *row) Len() int {
	if r.tail.lp == nil {
		return 0
	}
	return r.full.Len() + 1
}

// Weight is the number of entries.
func (r *row) Weight() int { return r.full.Weight() + r.tail.live }

// Bytes is the memory of it all but the row itself.
func (r *row) Bytes() int { return r.full.Bytes() + r.bytes + len(r.sheet) }

// Freeze returns a copy in O(1). Both may go on to change.
func (r *row) Freeze() row {
	r.own = nil
	c := *r
	c.full = r.full.Freeze()
	c.bytes -= cap(c.room)
	c.room, c.sheet = nil, nil
	return c
}

func (r *row) owner() *token {
	if r.own == nil {
		r.own = new(token)
	}
	return r.own
}

// At is block i.
func (r *row) At(i int) block {
	if i == r.full.Len() {
		return r.tail
	}
	return r.full.At(i)
}

// Seek is the index of the first block for which before is false; see tree.Tree.Seek.
func (r *row) Seek(before func(*block) bool) int {
	if r.tail.lp != nil && before(&r.tail) {
		return r.Len()
	}
	return r.full.Seek(before)
}

// Ascend yields the blocks from index i on.
func (r *row) Ascend(i int) iter.Seq[block] {
	return func(yield func(block) bool) {
		for b := range r.full.Ascend(i) {
			if !yield(b) {
				return
			}
		}
		if r.tail.lp != nil && i <= r.full.Len() {
			yield(r.tail)
		}
	}
}

// Descend yields the blocks from index i down to the first.
func (r *row) Descend(i int) iter.Seq[block] {
	return func(yield func(block) bool) {
		if r.tail.lp != nil && i >= r.full.Len() && !yield(r.tail) {
			return
		}
		for b := range r.full.Descend(min(i, r.full.Len()-1)) {
			if !yield(b) {
				return
			}
		}
	}
}

// Put adds a block at the end, whose memory is ours.
func (r *row) Put(b block) {
	if r.tail.lp != nil {
		r.full.Insert(r.full.Len(), r.fit(r.tail))
	}
	b.own = r.owner()
	r.bytes += cap(b.lp)
	r.tail, r.head = b, header{}
}

// fit is b without the memory that it does not need, which is kept.
func (r *row) fit(b block) block {
	if b.own != r.own || !r.cuts(b.lp) && len(b.lp) > cap(b.lp)-cap(b.lp)/8 {
		return b
	}
	r.keep(b.lp)
	b.lp = r.exactly(b.lp)
	r.bytes += cap(b.lp) - cap(r.room)
	return b
}

// cuts tells whether the memory of lp is to be cut from a sheet.
func (r *row) cuts(lp []byte) bool { return len(lp) <= sheetBytes/sheetPart && r.bytes >= sheetLeast }

// exactly is a copy of lp that takes no more memory than it must.
func (r *row) exactly(lp []byte) []byte {
	if !r.cuts(lp) {
		return append([]byte(nil), lp...)
	}
	if len(r.sheet) < len(lp) {
		r.sheet = make([]byte, sheetBytes)
	}
	c := r.sheet[:len(lp):len(lp)]
	r.sheet = r.sheet[len(lp):]
	copy(c, lp)
	return c
}

// keep keeps memory for the next block.
func (r *row) keep(lp []byte) {
	r.bytes -= cap(r.room)
	r.room = lp[:0]
	r.bytes += cap(r.room)
}

// Begin adds a block for a first entry with such fields, which is not in it yet.
func (r *row) Begin(master ID, fields [][]byte) {
	if r.tail.lp != nil {
		r.full.Insert(r.full.Len(), r.fit(r.tail))
		r.tail = block{}
	}
	room := r.room
	r.bytes -= cap(room)
	r.room = nil
	if need := blockBytes(fields); cap(room) < need {
		room = make([]byte, 0, max(need, leastRoom))
	}
	r.Put(block{master: master, lp: newBlock(room[:0], fields)})
}

// Add adds an entry to the last block.
func (r *row) Add(id ID, fields [][]byte) {
	b := &r.tail
	r.seize(b)
	r.bytes -= cap(b.lp)
	if need := len(b.lp) + entryBytes(fields); need > cap(b.lp) {
		b.lp = append(make([]byte, 0, need+min(need, need/4+maxSpare)), b.lp...)
	}
	b.lp = appendEntry(b.lp, b.master, id, fields, r.read())
	r.bytes += cap(b.lp)
	b.live++
}

// read is the header of the last block, which there is.
func (r *row) read() *header {
	if r.head.fieldsAt == 0 {
		r.head = readHeader(r.tail.lp)
	}
	return &r.head
}

// isFull tells whether the last block, if there is one, has no room for so many bytes more.
func (r *row) isFull(more int, opt Options) bool {
	limit := opt.BlockBytes
	if limit <= 0 || limit > listpack.MaxBytes {
		limit = listpack.MaxBytes
	}
	if len(r.tail.lp)+more >= limit {
		return true
	}
	h := r.read()
	return opt.BlockEntries > 0 && h.live+h.deleted >= int64(opt.BlockEntries)
}

// seize makes the memory of b one that may be changed.
func (r *row) seize(b *block) {
	if b.own != r.own || r.own == nil {
		r.bytes -= cap(b.lp)
		b.lp, b.own = append([]byte(nil), b.lp...), r.owner()
		r.bytes += cap(b.lp)
	}
}

// Edit lets change alter block i.
func (r *row) Edit(i int, change func(b *block)) {
	edit := func(b *block) {
		r.seize(b)
		r.bytes -= cap(b.lp)
		change(b)
		r.bytes += cap(b.lp)
	}
	if i == r.full.Len() {
		edit(&r.tail)
		r.head = header{}
		return
	}
	r.full.Update(i, edit)
}

// Drop removes block i.
func (r *row) Drop(i int) {
	if i < r.full.Len() {
		b := r.full.Delete(i)
		r.bytes -= cap(b.lp)
		return
	}
	r.bytes -= cap(r.tail.lp)
	r.tail, r.head = block{}, header{}
	if n := r.full.Len(); n > 0 {
		r.tail = r.full.Delete(n - 1)
	}
}
