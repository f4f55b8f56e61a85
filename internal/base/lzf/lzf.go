// Package lzf reads and writes the LZF compression of strings in RDB files and
// DUMP payloads, in the format of liblzf.
//
// Compressed data is a row of pieces. The first byte of a piece tells its kind:
//
//	000LLLLL  <L+1 bytes>            literals: 1..32 bytes as they are
//	LLLooooo  oooooooo               copy of L+2 bytes (L = 1..6)
//	111ooooo  LLLLLLLL  oooooooo     copy of L+9 bytes
//
// A copy repeats bytes of the output that begin o+1 bytes back, high bits of o
// first; it may run into what it writes. Neither lengths nor a checksum are
// stored: the RDB format keeps both sizes beside the data.
package lzf

import "errors"

const (
	maxLiterals = 1 << 5
	maxDistance = 1 << 13
	minCopy     = 3
	maxCopy     = 7 + 255 + 2

	hashBits = 16
)

// minSaving is what redis asks of compression: the result must be at least four
// bytes shorter than the source, or it stores the string as it is.
const minSaving = 4

// ErrCorrupt: the data is not LZF, or does not expand to the size given.
var ErrCorrupt = errors.New("lzf: corrupt data")

// An Encoder compresses. It finds the same copies as liblzf does in the mode in
// which redis uses it, so that dumps of equal values are equal bytes; where the
// code looks odd, that is why. It holds 256 KiB of tables; keep one per writer
// instead of one per string. The zero value is ready to use. What it makes of a
// string does not depend on the strings before it.
type Encoder struct {
	// last[h] is one more than the place where three bytes of hash h stood
	// last, counted from the first byte this Encoder has ever seen. So places
	// of earlier strings need not be erased to be told apart.
	last [1 << hashBits]uint32
	base uint32
}

// Compress appends the compressed src to dst. It returns dst unchanged and
// false if that would save fewer than four bytes.
func (e *Encoder) Compress(dst, src []byte) (out []byte, ok bool) {
	if len(src) <= minSaving || uint64(len(src)) > 1<<31 {
		return dst, false
	}
	if uint64(e.base)+uint64(len(src)) >= 1<<32-1 {
		*e = Encoder{}
	}
	base := e.base
	e.base += uint32(len(src))

	room := len(dst) + len(src) - minSaving
	out = dst
	literals := 0 // src[literals:i] is not written yet
	i := 0
	for i+minCopy <= len(src) {
		from, found := e.find(src, i, base)
		if !found {
			i++
			continue
		}
		out = appendLiterals(out, src[literals:i])
		if len(out)+4 >= room {
			return dst, false
		}
		n := matchLen(src, from, i)
		out = appendCopy(out, i-from, n)
		i += n
		literals = i
		// The last two bytes of a copy begin what is likely to come again.
		if i+minCopy <= len(src) {
			e.note(src, i-2, base)
			e.note(src, i-1, base)
		}
	}
	// Redis keeps room for three bytes behind the literals of before the last
	// two bytes, and for the head of a run even if it is not used.
	rest := i - literals
	if len(out)+rest+rest/maxLiterals+1+3 > room {
		return dst, false
	}
	return appendLiterals(out, src[literals:]), true
}

// find looks for an earlier place of the three bytes at i, and notes i. The very
// first place is never found.
func (e *Encoder) find(src []byte, i int, base uint32) (from int, found bool) {
	h := hash(src[i:])
	place := e.last[h]
	e.last[h] = base + uint32(i) + 1
	if place <= base+1 {
		return 0, false
	}
	from = int(place - base - 1)
	if i-from > maxDistance || src[from] != src[i] || src[from+1] != src[i+1] || src[from+2] != src[i+2] {
		return 0, false
	}
	return from, true
}

func (e *Encoder) note(src []byte, i int, base uint32) {
	e.last[hash(src[i:])] = base + uint32(i) + 1
}

// hash mixes the first three bytes of b.
func hash(b []byte) uint32 {
	_ = b[2]
	first, second := uint32(b[0])<<8|uint32(b[1]), uint32(b[1])<<8|uint32(b[2])
	return (first - 5*second) & (1<<hashBits - 1)
}

// matchLen returns how many bytes at from and i agree, as far as it looks: up to
// maxCopy, and not at the last two bytes of src unless it comes by them in its
// first strides.
func matchLen(src []byte, from, i int) int {
	n, limit := minCopy, min(maxCopy, len(src)-i-2)
	if limit > 16 {
		for n < 19 {
			if src[from+n] != src[i+n] {
				return n
			}
			n++
		}
	}
	for n < limit && src[from+n] == src[i+n] {
		n++
	}
	return n
}

func appendLiterals(out, literals []byte) []byte {
	for len(literals) > 0 {
		n := min(len(literals), maxLiterals)
		out = append(out, byte(n-1))
		out = append(out, literals[:n]...)
		literals = literals[n:]
	}
	return out
}

func appendCopy(out []byte, distance, n int) []byte {
	back, size := distance-1, n-2
	if size < 7 {
		return append(out, byte(size<<5|back>>8), byte(back))
	}
	return append(out, byte(7<<5|back>>8), byte(size-7), byte(back))
}

// Compress is Encoder.Compress for a single string.
func Compress(dst, src []byte) (out []byte, ok bool) {
	return new(Encoder).Compress(dst, src)
}

// Decompress returns the n bytes that src expands to. Any other size and any
// damage it can see is ErrCorrupt. It reserves memory only for sizes that src is
// long enough to expand to.
func Decompress(src []byte, n int) ([]byte, error) {
	if n < 0 || n > len(src)/minCopy*maxCopy+2*maxLiterals {
		return nil, ErrCorrupt
	}
	out := make([]byte, 0, n)
	for len(src) > 0 {
		control := int(src[0])
		src = src[1:]
		if control < maxLiterals {
			size := control + 1
			if size > len(src) || len(out)+size > n {
				return nil, ErrCorrupt
			}
			out = append(out, src[:size]...)
			src = src[size:]
			continue
		}
		size := control >> 5
		if size == 7 {
			if len(src) == 0 {
				return nil, ErrCorrupt
			}
			size += int(src[0])
			src = src[1:]
		}
		size += 2
		if len(src) == 0 {
			return nil, ErrCorrupt
		}
		from := len(out) - (control&31<<8 | int(src[0])) - 1
		src = src[1:]
		if from < 0 || len(out)+size > n {
			return nil, ErrCorrupt
		}
		// A copy that overlaps its result repeats it: each round doubles what
		// there is to copy from.
		for size > 0 {
			part := min(size, len(out)-from)
			out = append(out, out[from:from+part]...)
			size -= part
		}
	}
	if len(out) != n {
		return nil, ErrCorrupt
	}
	return out, nil
}
