package rdb

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/skeindb/skein/internal/base/crc64"
	"github.com/skeindb/skein/internal/data/value"
)

const (
	// writeBytes is how much is gathered before it is written.
	writeBytes = 64 << 10
	// packMax is the longest string, in bytes, that a Writer tries to compress: it
	// must stand in memory once more for that.
	packMax = 4 << 20
)

// WriterOptions say how a file is written.
type WriterOptions struct {
	Plain      bool // strings are not compressed (rdbcompression no)
	NoChecksum bool // it ends with 0 in place of a checksum (rdbchecksum no)
}

// A Writer writes a file or stream. Its methods are called in the order of the
// format: Aux, Function, then Database, Sizes and Key, and End. After an error of what
// it writes to, all of them return that error.
type Writer struct {
	out     io.Writer
	opt     WriterOptions
	enc     Encoder
	buf     []byte
	text    []byte // a value in one piece
	sum     uint64
	written int64
	err     error
}

// NewWriter begins a file on out. Nothing is written before there is a good deal
// of it, or End.
func NewWriter(out io.Writer, o WriterOptions) *Writer {
	w := &Writer{out: out, opt: o, enc: Encoder{Plain: o.Plain}, buf: make([]byte, 0, writeBytes+1024)}
	w.buf = fmt.Appendf(w.buf, "%s%04d", magic, Version)
	return w
}

// Written is how many bytes were written so far.
func (w *Writer) Written() int64 { return w.written }

// Aux writes a named fact.
func (w *Writer) Aux(name, value string) error {
	w.buf = append(w.buf, opAux)
	w.buf = w.enc.AppendString(w.buf, []byte(name))
	w.buf = w.enc.AppendString(w.buf, []byte(value))
	return w.flushAt(writeBytes)
}

// Function writes the source of a library.
func (w *Writer) Function(code []byte) error {
	w.buf = append(w.buf, opFunction)
	w.buf = w.enc.AppendString(w.buf, code)
	return w.flushAt(writeBytes)
}

// Database makes db the database of the keys to come, until the next call.
func (w *Writer) Database(db int) error {
	w.buf = AppendLen(append(w.buf, opDatabase), uint64(db))
	return w.flushAt(writeBytes)
}

// Sizes says that the database has so many keys, of which volatile have a deadline:
// a hint for readers.
func (w *Writer) Sizes(keys, volatile int64) error {
	w.buf = AppendLen(append(w.buf, opSizes), uint64(keys))
	w.buf = AppendLen(w.buf, uint64(volatile))
	return w.flushAt(writeBytes)
}

// Key writes a key into the database last named. The error may be ErrType.
func (w *Writer) Key(k *Key) error {
	s, isString := k.Object.(*value.String)
	if k.Object != nil && !isString {
		return fmt.Errorf("%w: %s", ErrType, k.Object.Type())
	}
	if k.ExpiryMs >= 0 {
		w.buf = binary.LittleEndian.AppendUint64(append(w.buf, opExpiryMs), uint64(k.ExpiryMs))
	}
	if k.IdleSec >= 0 {
		w.buf = AppendLen(append(w.buf, opIdle), uint64(k.IdleSec))
	}
	if k.Freq >= 0 {
		w.buf = append(w.buf, opFreq, byte(k.Freq))
	}
	w.buf = w.enc.AppendString(append(w.buf, byte(TypeString)), k.Name)
	switch {
	case s == nil:
		w.buf = w.enc.AppendString(w.buf, k.Str)
	case s.Len() > packMax:
		return w.long(s)
	default:
		w.text = s.AppendRange(w.text[:0], 0, s.Len())
		w.buf = w.enc.AppendString(w.buf, w.text)
	}
	return w.flushAt(writeBytes)
}

// long writes a string as it stands, piece by piece.
func (w *Writer) long(s *value.String) error {
	w.buf = AppendLen(w.buf, uint64(s.Len()))
	for c := range s.Chunks() {
		w.buf = append(w.buf, c...)
		if w.flushAt(writeBytes) != nil {
			break
		}
	}
	return w.err
}

// End writes the end of the file, and all that waited.
func (w *Writer) End() error {
	w.buf = append(w.buf, opEnd)
	w.flushAt(0)
	sum := w.sum
	if w.opt.NoChecksum {
		sum = 0
	}
	w.buf = binary.LittleEndian.AppendUint64(w.buf, sum)
	return w.flushAt(0)
}

// flushAt writes what was gathered if it is at least so many bytes.
func (w *Writer) flushAt(bytes int) error {
	switch {
	case w.err != nil:
		w.buf = w.buf[:0]
		return w.err
	case len(w.buf) < bytes:
		return nil
	}
	if !w.opt.NoChecksum {
		w.sum = crc64.Update(w.sum, w.buf)
	}
	n, err := w.out.Write(w.buf)
	w.written += int64(n)
	w.buf, w.err = w.buf[:0], err
	return err
}
