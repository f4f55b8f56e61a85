package rdb

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/skeindb/skein/internal/base/lzf"
)

// ErrFooter: a dump is of a newer version than this node reads, or its checksum
// is not that of its bytes.
var ErrFooter = errors.New("rdb: the dump's version or checksum is wrong")

// ErrCorrupt: the bytes are not what the format allows. The error that wraps it
// says what was read and where; of collections in redis's words, which its test
// suite looks for in the log.
var ErrCorrupt = errors.New("rdb: corrupt data")

// ErrType: the value is of a type that this node does not know. The error that
// wraps it says which and where.
var ErrType = errors.New("rdb: unknown type of value")

// ErrEmpty: a collection holds nothing. No server has such a value, but old ones
// have written them. It is an ErrCorrupt.
var ErrEmpty = fmt.Errorf("%w: empty collection", ErrCorrupt)

// A Decoder reads values, from memory or from a stream. It remembers the first
// thing that was wrong; after it everything else reads as zero, so that whoever
// reads a value asks for Err once.
type Decoder struct {
	in   []byte        // what is read from memory
	src  *bufio.Reader // what is read from a stream, if not nil
	sum  uint64        // CRC-64 of what was read of a stream
	room []byte        // what was read of a stream and is larger than its buffer
	last []byte        // see kept
	lim  Limits
	at   int64
	err  error

	polite politeness
}

// NewDecoder reads from in, which it does not change.
func NewDecoder(in []byte, lim Limits) *Decoder { return &Decoder{in: in, lim: lim} }

// Err is the first error, or nil.
func (d *Decoder) Err() error { return d.err }

// Offset is how many bytes were read.
func (d *Decoder) Offset() int64 { return d.at }

// fail makes kind the first error, at the place where reading of what began.
func (d *Decoder) fail(kind error, at int64, what string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: %s at byte %d", kind, fmt.Sprintf(what, args...), at)
	}
}

// take is the next n bytes, nil if there are fewer. They are valid until more is
// read.
func (d *Decoder) take(n uint64) []byte {
	if d.lim.Polite {
		d.polite.step()
	}
	switch {
	case d.err != nil:
		return nil
	case d.src != nil:
		return d.pull(n)
	case n > uint64(len(d.in))-uint64(d.at):
		d.fail(ErrCorrupt, d.at, "%d bytes expected, %d left", n, len(d.in)-int(d.at))
		return nil
	}
	end := d.at + int64(n)
	b := d.in[d.at:end:end]
	d.at = end
	return b
}

// byte is the next byte.
func (d *Decoder) byte() byte {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

// Type is the type of the value that follows.
func (d *Decoder) Type() Type { return Type(d.byte()) }

// Len is a length. A string's encoding in its place is an error.
func (d *Decoder) Len() uint64 {
	at := d.at
	n, enc := d.lenOrEncoding()
	if enc {
		d.fail(ErrCorrupt, at, "encoding %d in place of a length", n)
		return 0
	}
	return n
}

// lenOrEncoding is a length or, if isEncoding, the number of a string's encoding.
func (d *Decoder) lenOrEncoding() (n uint64, isEncoding bool) {
	at := d.at
	first := d.byte()
	switch {
	case first&shapeMask == len6:
		return uint64(first), false
	case first&shapeMask == len14:
		return uint64(first&^shapeMask)<<8 | uint64(d.byte()), false
	case first&shapeMask == encoded:
		return uint64(first &^ shapeMask), true
	case first == len32:
		if b := d.take(4); b != nil {
			return uint64(binary.BigEndian.Uint32(b)), false
		}
	case first == len64:
		if b := d.take(8); b != nil {
			return binary.BigEndian.Uint64(b), false
		}
	default:
		d.fail(ErrCorrupt, at, "length of form %#x", first)
	}
	return 0, false
}

// String is a string. It is a view of the input unless it was encoded; of a
// stream it is valid until more is read.
func (d *Decoder) String() []byte {
	at := d.at
	n, enc := d.lenOrEncoding()
	if !enc {
		return d.take(n)
	}
	return d.encoded(at, n)
}

// encoded is a string in encoding enc, whose first byte stood at.
func (d *Decoder) encoded(at int64, enc uint64) []byte {
	switch enc {
	case encInt8:
		return decimal(int64(int8(d.byte())))
	case encInt16:
		if b := d.take(2); b != nil {
			return decimal(int64(int16(binary.LittleEndian.Uint16(b))))
		}
	case encInt32:
		if b := d.take(4); b != nil {
			return decimal(int64(int32(binary.LittleEndian.Uint32(b))))
		}
	case encLZF:
		return d.compressed(at)
	default:
		d.fail(ErrCorrupt, at, "string encoding %d", enc)
	}
	return nil
}

func (d *Decoder) compressed(at int64) []byte {
	packed, n := d.Len(), d.Len()
	src := d.take(packed)
	if d.err != nil {
		return nil
	}
	if n > math.MaxInt {
		d.fail(ErrCorrupt, at, "a string of %d bytes", n)
		return nil
	}
	s, err := lzf.Decompress(src, int(n))
	if err != nil {
		d.fail(ErrCorrupt, at, "compressed string: %v", err)
		return nil
	}
	return s
}

func decimal(n int64) []byte { return strconv.AppendInt(nil, n, 10) }
