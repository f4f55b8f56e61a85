package crc64

import (
	"encoding/binary"
	"testing"
)

func TestUpdate(t *testing.T) {
	const check = 0xe9c6d914c4b8d9ca
	if got := Update(0, []byte("123456789")); got != check {
		t.Errorf("CRC of the check string = %#x, want %#x", got, uint64(check))
	}
	if got := Update(Update(0, []byte("1234")), []byte("56789")); got != check {
		t.Errorf("in two pieces: %#x", got)
	}
	// What redis 7.0.15 answers to DUMP of the string "bar": the value, the RDB
	// version in two bytes, the CRC of both in eight.
	dump := []byte("\x00\x03bar\x0a\x00\xe6\xbe\x49\x60\xee\x66\xfd\x17")
	body, sum := dump[:len(dump)-8], binary.LittleEndian.Uint64(dump[len(dump)-8:])
	if got := Update(0, body); got != sum {
		t.Errorf("DUMP of bar: %#x, want %#x", got, sum)
	}
	if Update(7, nil) != 7 {
		t.Error("nothing changed the CRC")
	}
}

// Eight bytes at a time must agree with the definition, bit by bit.
func FuzzUpdate(f *testing.F) {
	f.Add(uint64(0), []byte("123456789"))
	f.Add(uint64(1)<<63, []byte("a text of some more than sixteen bytes"))
	f.Fuzz(func(t *testing.T, crc uint64, p []byte) {
		want := crc
		for _, b := range p {
			want ^= uint64(b)
			for range 8 {
				carry := want & 1
				want >>= 1
				if carry != 0 {
					want ^= reflected
				}
			}
		}
		if got := Update(crc, p); got != want {
			t.Fatalf("Update(%#x, %q) = %#x, want %#x", crc, p, got, want)
		}
	})
}

func BenchmarkUpdate(b *testing.B) {
	p := make([]byte, 64<<10)
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		Update(0, p)
	}
}
