package table

import (
	"encoding/binary"
	"math/bits"

	"github.com/skeindb/skein/internal/data/arena"
)

const (
	bucketBytes  = 64
	bucketUnits  = bucketBytes / 8
	lineUnits    = 64 / 8 // of a cache line
	bucketPlaces = 10
	linkPlace    = bucketPlaces - 1 // links to the overflow block when there is one

	countAt      = bucketPlaces
	blockAt      = countAt + 2
	handleAt     = blockAt + 2
	maxCount     = 1<<16 - 8
	handleBytes  = 5
	handlesShift = 24 // a handle is the upper five of the eight bytes that end where it ends
)

// place is one entry of a bucket with its tag.
type place struct {
	tag uint8
	h   arena.Handle
}

type bucket [bucketBytes]byte

func (b *bucket) count() int     { return int(binary.LittleEndian.Uint16(b[countAt:])) }
func (b *bucket) setCount(n int) { binary.LittleEndian.PutUint16(b[countAt:], uint16(n)) }

func (b *bucket) handle(i int) arena.Handle {
	at := handleAt + handleBytes*i - 3
	return arena.Handle(binary.LittleEndian.Uint64(b[at:at+8]) >> handlesShift)
}

func (b *bucket) get(i int) place { return place{b[i], b.handle(i)} }

func (b *bucket) set(i int, p place) {
	b[i] = p.tag
	putHandle(b[:], handleAt+handleBytes*i, p.h)
}

// putHandle stores a handle at offset at of p.
func putHandle(p []byte, at int, h arena.Handle) {
	binary.LittleEndian.PutUint32(p[at:], uint32(h))
	p[at+4] = byte(h >> 32)
}

// match finds the places with a tag, all at once: bit 8i+7 of the result is place i, and bit
// 8i+3 is place 8+i. See placeOf.
func (b *bucket) match(tag uint8) uint64 {
	all := uint64(tag) * 0x0101010101010101
	low := binary.LittleEndian.Uint64(b[0:8])
	high := uint64(binary.LittleEndian.Uint16(b[8:10])) | 0xffffffffffff0000
	return zeroBytes(low^all) | zeroBytes(high^all)&0x8080>>4
}

// placeOf is the place of the lowest bit of a match.
func placeOf(match uint64) int {
	p := bits.TrailingZeros64(match)
	return p>>3 + ^p&4<<1
}

// zeroBytes has bit 7 of every byte of the result set where x has a zero byte, and no other.
func zeroBytes(x uint64) uint64 {
	const low7 = 0x7f7f7f7f7f7f7f7f
	return ^((x&low7 + low7) | x | low7)
}
