package rdb

import (
	"encoding/binary"
	"io"

	"github.com/skeindb/skein/internal/base/crc64"
	"github.com/skeindb/skein/internal/data/value"
)

// footerBytes is the length of version and checksum behind a dumped value.
const footerBytes = 2 + 8

// DumpString appends a dump of the string s.
func (e *Encoder) DumpString(dst, s []byte) []byte {
	from := len(dst)
	dst = append(dst, byte(TypeString))
	return e.seal(e.AppendString(dst, s), from, Version)
}

// Dump appends a dump of o. The error is ErrType.
func (e *Encoder) Dump(dst []byte, o value.Object) ([]byte, error) {
	t, version, err := typeOf(o)
	if err != nil {
		return dst, err
	}
	from := len(dst)
	p := pen{enc: e, buf: append(dst, byte(t))}
	p.object(o)
	return e.seal(p.buf, from, version), nil
}

// Pieces is a dump in pieces, which follow one another.
type Pieces [][]byte

// Len is the length of the dump in bytes.
func (p Pieces) Len() (n int) {
	for _, b := range p {
		n += len(b)
	}
	return n
}

// DumpPieces is Dump for a large value that nobody holds a lock for: other goroutines run often meanwhile. To gather it in
// one piece would be to move what there is again and again, tens of megabytes at once, in which no goroutine can be
// preempted: whoever waits for the collector to stop or start the world waits as long.
func (e *Encoder) DumpPieces(o value.Object) (Pieces, error) {
	t, version, err := typeOf(o)
	if err != nil {
		return nil, err
	}
	var out Pieces
	var sum uint64
	p := pen{enc: e, buf: append(newPiece(), byte(t)), polite: true}
	p.spill = func(bytes int) error {
		if len(p.buf) >= bytes {
			sum = crc64.Update(sum, p.buf)
			out, p.buf = append(out, p.buf), newPiece()
		}
		return nil
	}
	p.object(o)
	p.buf = binary.LittleEndian.AppendUint16(p.buf, uint16(version))
	p.buf = binary.LittleEndian.AppendUint64(p.buf, crc64.Update(sum, p.buf))
	return append(out, p.buf), nil
}

func newPiece() []byte { return make([]byte, 0, writeBytes+writeBytes/8) }

// seal appends the footer of the dump that begins at from.
func (e *Encoder) seal(dst []byte, from, version int) []byte {
	dst = binary.LittleEndian.AppendUint16(dst, uint16(version))
	return binary.LittleEndian.AppendUint64(dst, crc64.Update(0, dst[from:]))
}

// StreamSize is the length of the dump that Stream writes.
func StreamSize(s *value.String) int {
	var scratch [16]byte
	return 1 + len(AppendLen(scratch[:0], uint64(s.Len()))) + s.Len() + footerBytes
}

// Stream writes a dump of s piece by piece, without a copy of the whole. It
// leaves out what needs one: compression, and the short forms of numbers.
func Stream(w io.Writer, s *value.String) error {
	var scratch [16]byte
	head := AppendLen(append(scratch[:0], byte(TypeString)), uint64(s.Len()))
	crc := crc64.Update(0, head)
	if _, err := w.Write(head); err != nil {
		return err
	}
	for c := range s.Chunks() {
		crc = crc64.Update(crc, c)
		if _, err := w.Write(c); err != nil {
			return err
		}
	}
	foot := binary.LittleEndian.AppendUint16(scratch[:0], Version)
	foot = binary.LittleEndian.AppendUint64(foot, crc64.Update(crc, foot))
	_, err := w.Write(foot)
	return err
}

// Undump reads a dump. The error is ErrFooter, or wraps ErrCorrupt or ErrType.
// Like redis it does not mind bytes between the value and the footer.
func Undump(dump []byte, lim Limits) (Value, error) {
	if len(dump) < footerBytes || binary.LittleEndian.Uint64(dump[len(dump)-8:]) != checksum(dump[:len(dump)-8], lim.Polite) {
		return Value{}, ErrFooter
	}
	return UndumpUnchecked(dump, lim)
}

// UndumpUnchecked is Undump for one that believes every checksum.
func UndumpUnchecked(dump []byte, lim Limits) (Value, error) {
	if len(dump) < footerBytes {
		return Value{}, ErrFooter
	}
	body, foot := dump[:len(dump)-footerBytes], dump[len(dump)-footerBytes:]
	if binary.LittleEndian.Uint16(foot) > MaxVersion {
		return Value{}, ErrFooter
	}
	d := NewDecoder(body, lim)
	v := d.Value(d.Type())
	return v, d.Err()
}
