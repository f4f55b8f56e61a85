package rdb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/skeindb/skein/internal/base/crc64"
)

// ErrFieldExpiry: a hash has fields with deadlines, and whoever is to read it may
// not know them.
var ErrFieldExpiry = errors.New("rdb: hash with field expiration, which redis before 7.4 cannot read")

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
	// FieldExpiry allows hashes whose fields have deadlines: the file is of version VersionFieldExpiry.
	FieldExpiry bool
}

// A Writer writes a file or stream. Its methods are called in the order of the
// format: Aux, Function, then Database, Sizes and Key, and End. After an error of what
// it writes to, all of them return that error.
type Writer struct {
	pen
	out     io.Writer
	opt     WriterOptions
	version int
	sum     uint64
	written int64
}

// NewWriter begins a file on out. Nothing is written before there is a good deal
// of it, or End.
func NewWriter(out io.Writer, o WriterOptions) *Writer {
	w := &Writer{out: out, opt: o, version: Version}
	w.pen = pen{enc: &Encoder{Plain: o.Plain}, buf: make([]byte, 0, writeBytes+1024), spill: w.flushAt}
	if o.FieldExpiry {
		w.version = VersionFieldExpiry
	}
	w.buf = fmt.Appendf(w.buf, "%s%04d", magic, w.version)
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

// Key writes a key into the database last named. The error may be ErrType, or
// ErrFieldExpiry; then nothing of the key was written.
func (w *Writer) Key(k *Key) error {
	t := TypeString
	if k.Object != nil {
		var version int
		var err error
		if t, version, err = typeOf(k.Object); err != nil {
			return fmt.Errorf("key %.100q: %w", k.Name, err)
		}
		if version > w.version {
			return fmt.Errorf("key %.100q: %w", k.Name, ErrFieldExpiry)
		}
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
	w.buf = w.enc.AppendString(append(w.buf, byte(t)), k.Name)
	if k.Object == nil {
		w.text(k.Str)
	} else {
		w.object(k.Object)
	}
	return w.err
}

// End writes the end of the file, and all that waited.
func (w *Writer) End() error {
	w.buf = append(w.buf, opEnd)
	w.err = w.flushAt(0)
	sum := w.sum
	if w.opt.NoChecksum {
		sum = 0
	}
	w.buf = binary.LittleEndian.AppendUint64(w.buf, sum)
	w.err = w.flushAt(0)
	return w.err
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
