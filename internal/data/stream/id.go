package stream

import (
	"cmp"
	"encoding/binary"
	"math"
	"strconv"
)

// ID names an entry: a time in milliseconds, and a number among those of that time.
type ID struct{ Ms, Seq uint64 }

// Highest is the highest ID there can be; the zero ID is the lowest, and no entry has it.
var Highest = ID{math.MaxUint64, math.MaxUint64}

// Compare orders IDs.
func (a ID) Compare(b ID) int {
	if c := cmp.Compare(a.Ms, b.Ms); c != 0 {
		return c
	}
	return cmp.Compare(a.Seq, b.Seq)
}

// Less reports whether a comes before b.
func (a ID) Less(b ID) bool { return a.Ms < b.Ms || a.Ms == b.Ms && a.Seq < b.Seq }

// Next is the ID after a; false if a is the highest.
func (a ID) Next() (ID, bool) {
	if a == Highest {
		return a, false
	}
	if a.Seq++; a.Seq == 0 {
		a.Ms++
	}
	return a, true
}

// Prev is the ID before a; false if a is the lowest.
func (a ID) Prev() (ID, bool) {
	if a == (ID{}) {
		return a, false
	}
	if a.Seq == 0 {
		a.Ms--
	}
	a.Seq--
	return a, true
}

// Append appends the ID as clients see it: 1700000000000-0.
func (a ID) Append(dst []byte) []byte {
	dst = append(strconv.AppendUint(dst, a.Ms, 10), '-')
	return strconv.AppendUint(dst, a.Seq, 10)
}

// String is the ID as clients see it.
func (a ID) String() string { return string(a.Append(nil)) }

// AppendBinary appends the 16 bytes, big endian, that RDB files have.
func (a ID) AppendBinary(dst []byte) ([]byte, error) {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(dst, a.Ms), a.Seq), nil
}

// IDOf is the inverse of AppendBinary for 16 bytes.
func IDOf(b []byte) ID { return ID{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])} }

// plus adds differences as blocks have them.
func (a ID) plus(ms, seq int64) ID { return ID{a.Ms + uint64(ms), a.Seq + uint64(seq)} }
