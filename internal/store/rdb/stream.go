package rdb

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/skeindb/skein/internal/base/crc64"
)

// ErrShort: a file or stream ends before what it says of itself does.
var ErrShort = errors.New("rdb: unexpected end")

const (
	streamBuffer = 64 << 10
	// pullBytes is how much memory a length is believed at a time: what is not
	// there cannot make a reader reserve memory for it.
	pullBytes = 1 << 20
)

// newStreamDecoder reads from r. A *bufio.Reader is used as it is, so that whoever
// has it finds there what follows.
func newStreamDecoder(r io.Reader, lim Limits) *Decoder {
	src, ok := r.(*bufio.Reader)
	if !ok {
		src = bufio.NewReaderSize(r, streamBuffer)
	}
	return &Decoder{src: src, lim: lim}
}

// pull is take from a stream.
func (d *Decoder) pull(n uint64) []byte {
	if n > uint64(d.src.Size()) {
		return d.pullLong(n)
	}
	b, err := d.src.Peek(int(n))
	if err != nil {
		d.broken(n, len(b), err)
		return nil
	}
	d.src.Discard(int(n)) // which it has
	d.count(b)
	return b
}

// pullLong is pull of what the stream's buffer does not hold.
func (d *Decoder) pullLong(n uint64) []byte {
	if n > math.MaxInt {
		d.fail(ErrCorrupt, d.at, "a string of %d bytes", n)
		return nil
	}
	if cap(d.room) > pullBytes {
		d.room = nil
	}
	b := d.room[:0]
	for uint64(len(b)) < n {
		from, step := len(b), int(min(n-uint64(len(b)), pullBytes))
		b = slices.Grow(b, step)[:from+step]
		if k, err := io.ReadFull(d.src, b[from:]); err != nil {
			d.broken(n, from+k, err)
			return nil
		}
	}
	d.room = b
	d.count(b)
	return b
}

func (d *Decoder) count(b []byte) {
	d.sum = crc64.Update(d.sum, b)
	d.at += int64(len(b))
}

// broken notes that of n bytes the stream has given only so many.
func (d *Decoder) broken(n uint64, got int, err error) {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		d.fail(ErrShort, d.at, "%d bytes expected, %d left", n, got)
		return
	}
	d.stop(fmt.Errorf("rdb: reading at byte %d: %w", d.at+int64(got), err))
}

// stop makes err the first error.
func (d *Decoder) stop(err error) {
	if d.err == nil {
		d.err = err
	}
}
