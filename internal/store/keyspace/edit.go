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
	old, found := tx.Peek(key)
	var s Str
	if found {
		var err error
		if s, _, err = tx.StrOf(old); err != nil {
			return Edit{}, err
		}
	}
	if s.big != nil {
		before := s.big.Bytes()
		s.big.Grow(size)
		tx.ks.external.Add(int64(s.big.Bytes() - before))
		tx.changed(old.place, key)
		return Edit{s}, nil
	}
	if found && old.entry.Kind() == kindRaw && len(s.b) >= size {
		tx.changed(old.place, key)
		return Edit{s}, nil
	}
	return tx.rewrite(old, key, s.b, nil, max(size, len(s.b)))
}

// Append puts tail behind the string at key, making the key if it is missing,
// and returns the new length.
func (tx *WriteTx) Append(key, tail []byte) (int, error) {
	old, found := tx.Peek(key)
	if !found {
		return len(tail), tx.SetStr(key, tail, NoExpiry)
	}
	s, _, err := tx.StrOf(old)
	if err != nil {
		return 0, err
	}
	if s.big != nil {
		before := s.big.Bytes()
		s.big.Append(tail)
		tx.ks.external.Add(int64(s.big.Bytes() - before))
		tx.changed(old.place, key)
		return s.big.Len(), nil
	}
	e, err := tx.rewrite(old, key, s.b, tail, len(s.b)+len(tail))
	return e.Len(), err
}

// rewrite puts head, then tail, then zero bytes up to size, as a raw string.
func (tx *WriteTx) rewrite(old Ref, key, head, tail []byte, size int) (Edit, error) {
	c := content{kind: kindRaw}
	if size > inlineMax {
		big := value.NewString(head)
		big.Append(tail)
		big.Grow(size)
		c = content{kind: kindObject, object: big}
	} else {
		c.bytes = append(append(make([]byte, 0, size), head...), tail...)
		c.bytes = c.bytes[:size]
	}
	r, err := tx.put(old, key, c, tx.deadline(old, KeepExpiry))
	if err != nil {
		return Edit{}, err
	}
	s, _, err := tx.StrOf(r)
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

// Decimal is n as the text of an integer value.
func Decimal(n int64) []byte { return strconv.AppendInt(nil, n, 10) }
