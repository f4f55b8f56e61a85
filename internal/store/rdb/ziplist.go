package rdb

import (
	"encoding/binary"
	"errors"

	"github.com/skeindb/skein/internal/data/listpack"
)

// Ziplist and zipmap are what listpacks were before redis 7.0 and hashes before
// 2.6. They are read only.
//
//	ziplist   | bytes (4, LE) | place of the last entry (4, LE) | entries (2, LE; ffff: unknown) | entry ... | ff |
//	entry     | bytes of the one before it: 1, or fe and 4, LE | encoding | data |
//	encoding  | 00LLLLLL | 01LLLLLL L | 10...... LLLL |              a string of so many bytes, big endian
//	          | c0 (2) | d0 (4) | e0 (8) | f0 (3) | fe (1) |         an integer of so many bytes, little endian
//	          | f1 to fd |                                           0 to 12
//
//	zipmap    | pairs (fe: unknown) | length | field | length | free | value, free bytes more ... | ff |
//	length    | 0 to fd | fe and 4, LE |

var (
	errZiplist = errors.New("corrupt ziplist")
	errZipmap  = errors.New("corrupt zipmap")
)

const (
	ziplistHead    = 4 + 4 + 2
	zipEnd         = 0xff
	zipLong        = 0xfe
	ziplistUnknown = 0xffff
)

// eachInZiplist shows the entries, whose strings are views, until visit says no,
// which is an error as any damage is: only then what was seen is all there is.
func eachInZiplist(zl []byte, visit func(listpack.Entry) bool) error {
	end := len(zl) - 1
	if len(zl) <= ziplistHead || len(zl) > listpack.MaxBytes || zl[end] != zipEnd || int(binary.LittleEndian.Uint32(zl)) != len(zl) {
		return errZiplist
	}
	p, last, count, before := ziplistHead, ziplistHead, 0, 0
	for p < end && zl[p] != zipEnd {
		e, size, ok := zipEntry(zl[p:end], before)
		if !ok || !visit(e) {
			return errZiplist
		}
		last, before = p, size
		p += size
		count++
	}
	said := int(binary.LittleEndian.Uint16(zl[8:]))
	if p != end || said != ziplistUnknown && said != count || count > 0 && int(binary.LittleEndian.Uint32(zl[4:])) != last {
		return errZiplist
	}
	return nil
}

// zipEntry is the entry at the beginning of b, which follows one of so many bytes,
// and its size.
func zipEntry(b []byte, before int) (e listpack.Entry, size int, ok bool) {
	said, p := int(b[0]), 1
	if b[0] == zipLong {
		if len(b) < 5 {
			return e, 0, false
		}
		said, p = int(binary.LittleEndian.Uint32(b[1:])), 5
	}
	if said != before || p >= len(b) {
		return e, 0, false
	}
	enc := b[p]
	if enc < 0xc0 {
		head, n := zipString(b[p:])
		if head == 0 || n > len(b)-p-head {
			return e, 0, false
		}
		p += head
		return listpack.Entry{Str: b[p : p+n : p+n]}, p + n, true
	}
	if enc >= 0xf1 && enc <= 0xfd {
		return listpack.Entry{Int: int64(enc&0x0f) - 1}, p + 1, true
	}
	width := map[byte]int{0xc0: 2, 0xd0: 4, 0xe0: 8, 0xf0: 3, 0xfe: 1}[enc]
	if width == 0 || width > len(b)-p-1 {
		return e, 0, false
	}
	p++
	return listpack.Entry{Int: signed(b[p : p+width])}, p + width, true
}

// zipString is the length of a string's encoding, 0 if it is cut off, and of the
// string.
func zipString(b []byte) (head, n int) {
	switch {
	case b[0] < 0x40:
		return 1, int(b[0])
	case b[0] < 0x80:
		if len(b) >= 2 {
			return 2, int(b[0]&0x3f)<<8 | int(b[1])
		}
	case len(b) >= 5:
		return 5, int(binary.BigEndian.Uint32(b[1:]))
	}
	return 0, 0
}

// signed is a little-endian integer of 1 to 8 bytes.
func signed(b []byte) int64 {
	var u uint64
	for i, x := range b {
		u |= uint64(x) << (8 * i)
	}
	shift := 64 - 8*len(b)
	return int64(u<<shift) >> shift
}

// unzip is a ziplist as a listpack.
func unzip(zl []byte) ([]byte, error) {
	lp := listpack.New()
	err := eachInZiplist(zl, func(e listpack.Entry) bool {
		if e.IsInt() {
			lp = listpack.AppendInt(lp, e.Int)
		} else {
			lp = listpack.Append(lp, e.Str)
		}
		return true
	})
	return lp, err
}

// eachInZipmap shows fields and values, which are views, until visit says no; see
// eachInZiplist. A zipmap without any is damaged.
func eachInZipmap(zm []byte, visit func(field, val []byte) bool) error {
	end := len(zm) - 1
	if end < 1 || zm[end] != zipEnd {
		return errZipmap
	}
	p, count := 1, 0
	for p < end && zm[p] != zipEnd {
		field, next, ok := zipText(zm[:end], p, 0)
		if !ok || next >= end {
			return errZipmap
		}
		val, next, ok := zipText(zm[:end], next, 1)
		if !ok || !visit(field, val) {
			return errZipmap
		}
		p = next
		count++
	}
	if p != end || count == 0 || zm[0] != zipLong && int(zm[0]) != count {
		return errZipmap
	}
	return nil
}

// zipText is the field or value at p of a zipmap, and the place behind it. Behind
// the length of a value one byte tells how many bytes follow it that are not used.
func zipText(zm []byte, p, freeBytes int) (text []byte, next int, ok bool) {
	n := int(zm[p])
	p++
	if n == zipLong {
		if len(zm)-p < 4 {
			return nil, 0, false
		}
		n = int(binary.LittleEndian.Uint32(zm[p:]))
		p += 4
	}
	free := 0
	if freeBytes > 0 {
		if p >= len(zm) {
			return nil, 0, false
		}
		free = int(zm[p])
		p++
	}
	if n > len(zm)-p || free > len(zm)-p-n {
		return nil, 0, false
	}
	return zm[p : p+n : p+n], p + n + free, true
}
