package rdb

import (
	"encoding/binary"
	"io"

	"github.com/skeindb/skein/internal/base/crc64"
	"github.com/skeindb/skein/internal/data/value"
)

// footerBytes is the length of version and checksum behind a dumped value.
const footerBytes = 2 + 8

// Value is a value that was read: an object or, if that is nil, a string.
type Value struct {
	Str    []byte // may be a view of what was read
	Object value.Object
}

// DumpString appends a dump of the string s.
func (e *Encoder) DumpString(dst, s []byte) []byte {
	from := len(dst)
	dst = append(dst, byte(TypeString))
	return seal(e.AppendString(dst, s), from)
}

// Dump appends a dump of o. The error is ErrType.
func (e *Encoder) Dump(dst []byte, o value.Object) ([]byte, error) {
	s, ok := o.(*value.String)
	if !ok {
		return dst, ErrType
	}
	return e.DumpString(dst, s.AppendRange(make([]byte, 0, s.Len()), 0, s.Len())), nil
}

// seal appends the footer of the dump that begins at from.
func seal(dst []byte, from int) []byte {
	dst = binary.LittleEndian.AppendUint16(dst, Version)
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
func Undump(dump []byte) (Value, error) {
	if len(dump) < footerBytes || binary.LittleEndian.Uint64(dump[len(dump)-8:]) != crc64.Update(0, dump[:len(dump)-8]) {
		return Value{}, ErrFooter
	}
	return UndumpUnchecked(dump)
}

// UndumpUnchecked is Undump for one that believes every checksum.
func UndumpUnchecked(dump []byte) (Value, error) {
	if len(dump) < footerBytes {
		return Value{}, ErrFooter
	}
	body, foot := dump[:len(dump)-footerBytes], dump[len(dump)-footerBytes:]
	if binary.LittleEndian.Uint16(foot) > MaxVersion {
		return Value{}, ErrFooter
	}
	d := NewDecoder(body)
	v := d.Value(d.Type())
	return v, d.Err()
}

// Value is a value of the type given.
func (d *Decoder) Value(t Type) Value {
	if t != TypeString {
		d.fail(ErrType, d.at, "type %d (%s)", t, t.word())
		return Value{}
	}
	at := d.at
	n, enc := d.lenOrEncoding()
	switch {
	case enc:
		return Value{Str: d.encoded(at, n)}
	case d.src != nil && n > value.ChunkBytes:
		return Value{Object: d.long(n)}
	}
	return Value{Str: d.take(n)}
}

// long is a string of n bytes from a stream, which never stands there in one piece.
func (d *Decoder) long(n uint64) *value.String {
	s := value.NewString(nil)
	for n > 0 && d.err == nil {
		b := d.take(min(n, value.ChunkBytes))
		s.Append(b)
		n -= uint64(len(b))
	}
	return s
}
