// Package crc64 computes the checksum that ends RDB files, DUMP payloads and
// replication's full syncs.
//
// It is the CRC-64 that redis calls Jones's: polynomial 0xad93d23594c935a9, bits
// reflected on both sides, initial value 0, no final xor. The standard library's
// hash/crc64 inverts its state and so cannot express it. The check value,
// the CRC of "123456789", is 0xe9c6d914c4b8d9ca.
package crc64

import "encoding/binary"

// reflected is the polynomial with its bits in reverse order.
const reflected = 0x95ac9329ac4bc9b5

// tables[k][b] is the CRC of byte b followed by k zero bytes: eight look-ups
// that do not wait for each other advance the CRC by eight bytes.
var tables = makeTables()

func makeTables() *[8][256]uint64 {
	var t [8][256]uint64
	for b := range 256 {
		crc := uint64(b)
		for range 8 {
			carry := crc & 1
			crc >>= 1
			if carry != 0 {
				crc ^= reflected
			}
		}
		t[0][b] = crc
	}
	for k := 1; k < 8; k++ {
		for b := range 256 {
			prev := t[k-1][b]
			t[k][b] = prev>>8 ^ t[0][byte(prev)]
		}
	}
	return &t
}

// Update returns the CRC of everything summed in crc so far followed by p.
// A new sum starts at 0.
func Update(crc uint64, p []byte) uint64 {
	t := tables
	for len(p) >= 8 {
		x := crc ^ binary.LittleEndian.Uint64(p)
		crc = t[7][byte(x)] ^ t[6][byte(x>>8)] ^ t[5][byte(x>>16)] ^ t[4][byte(x>>24)] ^
			t[3][byte(x>>32)] ^ t[2][byte(x>>40)] ^ t[1][byte(x>>48)] ^ t[0][byte(x>>56)]
		p = p[8:]
	}
	for _, b := range p {
		crc = crc>>8 ^ t[0][byte(crc)^b]
	}
	return crc
}
