package value

import "iter"

// ChunkBytes is the length of every chunk of a String but the last: what a
// write to a frozen string copies at the most.
const ChunkBytes = 64 << 10

// String is a string value too large for its key's entry: a row of chunks of
// ChunkBytes each, the last one shorter.
//
// After Freeze both copies share all chunks. The live one clones the row (not
// the chunks) on its first write, and a chunk on the first write to it.
type String struct {
	chunks [][]byte
	owned  []bool // chunk i is ours alone; nil: all are
	shared bool   // the row itself is shared with a frozen copy
	n      int
	memory int // of the chunks
}

// NewString returns a String that holds a copy of b.
func NewString(b []byte) *String {
	s := &String{}
	s.Append(b)
	return s
}

// AdoptString returns a String of b itself, which the caller must not touch again.
func AdoptString(b []byte) *String {
	s := &String{n: len(b), memory: len(b), chunks: make([][]byte, 0, (len(b)+ChunkBytes-1)/ChunkBytes)}
	for len(b) > 0 {
		n := min(len(b), ChunkBytes)
		s.chunks = append(s.chunks, b[:n:n])
		b = b[n:]
	}
	return s
}

// Type is TypeString.
func (s *String) Type() Type { return TypeString }

// Encoding is "raw": shorter encodings live inside the entry.
func (s *String) Encoding() string { return "raw" }

// Len is the length in bytes.
func (s *String) Len() int { return s.n }

// Bytes is the memory of the chunks and of their row. No write in place changes it.
func (s *String) Bytes() int { return 64 + 24*len(s.chunks) + s.memory }

// Freeze returns an immutable copy in O(1).
func (s *String) Freeze() Object {
	s.shared = true
	return &String{chunks: s.chunks, n: s.n, memory: s.memory, shared: true}
}

// Chunks yields the bytes in order, in pieces.
func (s *String) Chunks() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for _, c := range s.chunks {
			if !yield(c) {
				return
			}
		}
	}
}

// AppendRange appends bytes [from, to) to dst; 0 <= from <= to <= Len.
func (s *String) AppendRange(dst []byte, from, to int) []byte {
	for from < to {
		c := s.chunks[from/ChunkBytes]
		at := from % ChunkBytes
		end := min(len(c), at+to-from)
		dst = append(dst, c[at:end]...)
		from += end - at
	}
	return dst
}

// At is the byte at offset i, 0 <= i < Len.
func (s *String) At(i int) byte { return s.chunks[i/ChunkBytes][i%ChunkBytes] }

// Append appends b.
func (s *String) Append(b []byte) {
	for len(b) > 0 {
		last := len(s.chunks) - 1
		if last < 0 || len(s.chunks[last]) == ChunkBytes {
			s.ownRow()
			s.chunks = append(s.chunks, nil)
			if s.owned != nil {
				s.owned = append(s.owned, true)
			}
			last++
		}
		c := s.ownChunk(last)
		k := min(len(b), ChunkBytes-len(c))
		s.chunks[last] = grow(c, k)
		s.memory += cap(s.chunks[last]) - cap(c)
		copy(s.chunks[last][len(c):], b[:k])
		s.n += k
		b = b[k:]
	}
}

// Grow appends zero bytes until the length is at least n.
func (s *String) Grow(n int) {
	var zero [4096]byte
	for s.n < n {
		s.Append(zero[:min(n-s.n, len(zero))])
	}
}

// WriteAt overwrites the bytes from off on with b, which must end within Len.
func (s *String) WriteAt(off int, b []byte) {
	for len(b) > 0 {
		c := s.ownChunk(off / ChunkBytes)
		k := copy(c[off%ChunkBytes:], b)
		b, off = b[k:], off+k
	}
}

// Piece is the whole value, if it is but one chunk, else nil. Nobody may change it
// who did not ask with change set; then it is good until the next Freeze.
func (s *String) Piece(change bool) []byte {
	switch {
	case len(s.chunks) != 1:
		return nil
	case change:
		return s.ownChunk(0)
	}
	return s.chunks[0]
}

func (s *String) ownRow() {
	if s.shared {
		s.chunks = append(make([][]byte, 0, len(s.chunks)+1), s.chunks...)
		s.owned = make([]bool, len(s.chunks))
		s.shared = false
	}
}

func (s *String) ownChunk(i int) []byte {
	s.ownRow()
	if s.owned != nil && !s.owned[i] {
		s.chunks[i] = append(make([]byte, 0, cap(s.chunks[i])), s.chunks[i]...)
		s.owned[i] = true
	}
	return s.chunks[i]
}

// grow lengthens c by k zero-filled bytes, doubling its capacity up to a chunk.
func grow(c []byte, k int) []byte {
	n := len(c) + k
	if n > cap(c) {
		want := n
		if len(c) > 0 {
			want = min(2*n, ChunkBytes)
		}
		c = append(make([]byte, 0, want), c...)
	}
	return c[:n]
}
