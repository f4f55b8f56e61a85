package rdb

import (
	"encoding/binary"
	"math"

	"github.com/skeindb/skein/internal/base/lzf"
	"github.com/skeindb/skein/internal/base/resp"
)

// compressAbove is the length up to which compression is not even tried.
const compressAbove = 20

// An Encoder writes values. It holds 64 KiB of tables for compression: keep it
// for the next value. The zero value is ready to use, by one goroutine at a time.
type Encoder struct {
	// Plain leaves strings uncompressed (rdbcompression no).
	Plain bool

	lzf lzf.Encoder
}

// AppendString appends s in the shortest of its forms.
func (e *Encoder) AppendString(dst, s []byte) []byte {
	if len(s) <= len("-2147483648") {
		if n, ok := resp.ParseInt(s); ok && n >= math.MinInt32 && n <= math.MaxInt32 {
			return appendInt(dst, int32(n))
		}
	}
	if len(s) > compressAbove && !e.Plain {
		if out, ok := e.appendCompressed(dst, s); ok {
			return out
		}
	}
	dst = AppendLen(dst, uint64(len(s)))
	return append(dst, s...)
}

func appendInt(dst []byte, n int32) []byte {
	switch {
	case n == int32(int8(n)):
		return append(dst, encoded|encInt8, byte(n))
	case n == int32(int16(n)):
		return binary.LittleEndian.AppendUint16(append(dst, encoded|encInt16), uint16(n))
	}
	return binary.LittleEndian.AppendUint32(append(dst, encoded|encInt32), uint32(n))
}

// appendCompressed compresses behind the room that the longest head could need,
// and closes the gap once the head is known.
func (e *Encoder) appendCompressed(dst, s []byte) ([]byte, bool) {
	const room = 1 + 9 + 9
	from := len(dst)
	out, ok := e.lzf.Compress(append(dst, make([]byte, room)...), s)
	if !ok {
		return dst, false
	}
	packed := out[from+room:]
	head := append(out[:from], encoded|encLZF)
	head = AppendLen(head, uint64(len(packed)))
	head = AppendLen(head, uint64(len(s)))
	return append(head, packed...), true
}

// AppendLen appends a length.
func AppendLen(dst []byte, n uint64) []byte {
	switch {
	case n < 1<<6:
		return append(dst, len6|byte(n))
	case n < 1<<14:
		return append(dst, len14|byte(n>>8), byte(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(dst, len32), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, len64), n)
}
