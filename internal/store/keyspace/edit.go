package keyspace

import (
	"strconv"

	"github.com/skeindb/skein/internal/data/value"
)

// Edit is a string open for change in place. It is valid until the next change
// of the key or the release of the hold.
type Edit struct{ Str }

// Edit opens the string at key for change in place, lengthened with zero bytes
// to at least size; a missing key is made. Its encoding becomes raw. The key
// counts as changed. A key of another type is ErrWrongType.
func (tx *WriteTx) Edit(key []byte, size int) (Edit, error) {
	old, _ := tx.Peek(key)
	return tx.EditAt(old, key, size)
}

// EditAt is Edit for a key that was just looked up.
func (tx *WriteTx) EditAt(old Ref, key []byte, size int) (Edit, error) {
	s, err := tx.former(old)
	if err != nil {
		return Edit{}, err
	}
	old.place.preserve()
	if s.big != nil {
		s.big.Grow(size)
		tx.edited(&old, key)
		return Edit{s}, nil
	}
	if old.entry != nil && old.entry.Kind() == kindRaw && len(s.b) >= size {
		tx.edited(&old, key)
		return Edit{s}, nil
	}
	return tx.rewrite(old, key, s.b, nil, max(size, len(s.b)))
}

// Append puts tail behind the string at key, making the key if it is missing,
// and returns the new length.
func (tx *WriteTx) Append(key, tail []byte) (int, error) {
	old, _ := tx.Peek(key)
	return tx.AppendAt(old, key, tail)
}

// AppendAt is Append for a key that was just looked up.
func (tx *WriteTx) AppendAt(old Ref, key, tail []byte) (int, error) {
	if old.entry == nil {
		return len(tail), tx.SetStrAt(&old, key, tail, NoExpiry)
	}
	s, err := tx.former(old)
	if err != nil {
		return 0, err
	}
	if s.big != nil {
		old.place.preserve()
		s.big.Append(tail)
		tx.edited(&old, key)
		return s.big.Len(), nil
	}
	e, err := tx.rewrite(old, key, s.b, tail, len(s.b)+len(tail))
	return e.Len(), err
}

// former is the string that a key had, empty if there was none.
func (tx *WriteTx) former(old Ref) (Str, error) {
	if old.entry == nil {
		return Str{}, nil
	}
	s, _, err := tx.StrOf(old)
	return s, err
}

// edited notes a change that takes place in the value of r, in its entry or
// behind it.
func (tx *WriteTx) edited(r *Ref, key []byte) {
	if r.entry.Kind() == kindObject {
		r.place.shelf.object(r.entry).settle(tx.ks, &r.place)
	}
	r.entry.SetClock(tx.clockAfter(r))
	tx.changed(&r.place, key)
}

// rewrite puts head, then tail, then zero bytes up to size, as a raw string.
func (tx *WriteTx) rewrite(old Ref, key, head, tail []byte, size int) (Edit, error) {
	c := content{kind: kindRaw, bytes: head, tail: tail, size: size}
	if size > inlineMax {
		big := value.NewString(head)
		big.Append(tail)
		big.Grow(size)
		c = content{kind: kindObject, object: big}
	}
	if err := tx.set(&old, key, &c, KeepExpiry); err != nil {
		return Edit{}, err
	}
	s, _, err := tx.StrOf(old)
	return Edit{s}, err
}

// WriteAt overwrites the bytes from off on; they must end within Len.
func (e Edit) WriteAt(off int, b []byte) {
	if e.big != nil {
		e.big.WriteAt(off, b)
		return
	}
	copy(e.b[off:], b)
}

// Bytes is the whole value, to be changed in place, if it lies in one piece; else
// nil.
func (e Edit) Bytes() []byte {
	if e.big != nil {
		return e.big.Piece(true)
	}
	return e.b
}

// Decimal is n as the text of an integer value.
func Decimal(n int64) []byte { return strconv.AppendInt(nil, n, 10) }
