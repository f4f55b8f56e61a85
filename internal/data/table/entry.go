package table

import (
	"encoding/binary"
	"errors"

	"github.com/skeindb/skein/internal/data/arena"
)

const (
	headBytes   = 7
	longKey     = 255 // key length byte of keys of 255 bytes and more
	expiryBytes = 8

	kindMask  = 0x0f
	hasExpiry = 1 << 4

	// MaxInline is the longest value an entry can hold, in bytes.
	MaxInline = 1<<16 - 1
	// MaxKey is the longest key an entry can hold, in bytes.
	MaxKey = 1<<31 - 1
	// MaxClock is the largest value of the access clock.
	MaxClock = 1<<24 - 1
)

// Entry is a view of one entry, exactly as long as it is. Key and Value are views of it in turn: they
// are valid while the owner's lock is held and the entry is neither freed nor moved.
type Entry []byte

// EntrySize is the size of an entry in bytes. arena.ClassSize of it is what it occupies.
func EntrySize(keyLen, valueLen int, expires bool) int {
	n := keyOffset(keyLen) + keyLen + valueLen
	if expires {
		n += expiryBytes
	}
	return n
}

func keyOffset(keyLen int) int {
	if keyLen >= longKey {
		return headBytes + 4
	}
	return headBytes
}

// ErrTooLong is returned for a key beyond MaxKey or an inline value beyond MaxInline.
var ErrTooLong = errors.New("table: key or value too long for an entry")

// New allocates an entry with the given key and room for a value of valueLen bytes, which the caller
// writes. Clock and expiry are zero. The error is arena.ErrFull or ErrTooLong.
func New(a *arena.Arena, kind uint8, key []byte, valueLen int, expires bool) (arena.Handle, Entry, error) {
	if len(key) > MaxKey || valueLen > MaxInline {
		return 0, nil, ErrTooLong
	}
	n := EntrySize(len(key), valueLen, expires)
	h, err := a.Alloc(n)
	if err != nil {
		return 0, nil, err
	}
	e := Entry(a.Bytes(h, n))
	e.setHead(kind, len(key), valueLen, expires)
	copy(e[keyOffset(len(key)):], key)
	if expires {
		e.SetExpiry(0)
	}
	return h, e, nil
}

// At is the entry at h.
func At(a *arena.Arena, h arena.Handle) Entry {
	head := a.Line(h)
	return Entry(a.Bytes(h, entrySize(head)))
}

func entrySize(head *[64]byte) int {
	n := headBytes + int(head[4]) + int(binary.LittleEndian.Uint16(head[5:7]))
	if head[4] == longKey {
		n += 4 + int(binary.LittleEndian.Uint32(head[headBytes:])) - longKey
	}
	return n + int(head[0]&hasExpiry)/(hasExpiry/expiryBytes)
}

// Free gives the entry at h back to the arena.
func Free(a *arena.Arena, h arena.Handle) {
	a.Free(h, entrySize(a.Line(h)))
}

// Resize makes room in place for a value of another length and for an expiry or none, if the entry
// at h keeps its size class, and reports whether it did. Key, clock and kind stay, and so does an
// expiry that is still wanted (a new one is zero) and as much of the value as both lengths have.
func Resize(a *arena.Arena, h arena.Handle, valueLen int, expires bool) (Entry, bool) {
	e := At(a, h)
	keyLen := e.keyLen()
	n := EntrySize(keyLen, valueLen, expires)
	if valueLen > MaxInline || arena.ClassSize(n) != arena.ClassSize(len(e)) {
		return e, false
	}
	ms := e.Expiry()
	e = Entry(a.Bytes(h, n))
	e.setHead(e.Kind(), keyLen, valueLen, expires)
	if expires {
		e.SetExpiry(ms)
	}
	return e, true
}

func (e Entry) setHead(kind uint8, keyLen, valueLen int, expires bool) {
	e[0] = kind & kindMask
	if expires {
		e[0] |= hasExpiry
	}
	e[4] = uint8(min(keyLen, longKey))
	binary.LittleEndian.PutUint16(e[5:], uint16(valueLen))
	if keyLen >= longKey {
		binary.LittleEndian.PutUint32(e[headBytes:], uint32(keyLen))
	}
}

func (e Entry) keyLen() int {
	if e[4] == longKey {
		return int(binary.LittleEndian.Uint32(e[headBytes:]))
	}
	return int(e[4])
}

func (e Entry) valueLen() int { return int(binary.LittleEndian.Uint16(e[5:])) }

// Key is a view of the key.
func (e Entry) Key() []byte {
	if e[4] == longKey {
		return e.longKey()
	}
	end := headBytes + int(e[4])
	return e[headBytes:end:end]
}

func (e Entry) longKey() []byte {
	end := headBytes + 4 + e.keyLen()
	return e[headBytes+4 : end : end]
}

// Value is a view of the value, to read or to overwrite.
func (e Entry) Value() []byte {
	end := len(e)
	if e[0]&hasExpiry != 0 {
		end -= expiryBytes
	}
	return e[end-e.valueLen() : end : end]
}

// Kind is what the owner says the value is, 0 to 15.
func (e Entry) Kind() uint8 { return e[0] & kindMask }

// SetKind changes the kind.
func (e Entry) SetKind(kind uint8) { e[0] = e[0]&^kindMask | kind&kindMask }

// Expires tells whether the entry has room for an expiry.
func (e Entry) Expires() bool { return e[0]&hasExpiry != 0 }

// Expiry is the time of expiry in ms since 1970, 0 if the entry has none.
func (e Entry) Expiry() int64 {
	if e[0]&hasExpiry == 0 {
		return 0
	}
	return int64(binary.LittleEndian.Uint64(e[len(e)-expiryBytes:]))
}

// SetExpiry changes the time of expiry of an entry that Expires.
func (e Entry) SetExpiry(ms int64) {
	binary.LittleEndian.PutUint64(e[len(e)-expiryBytes:], uint64(ms))
}

// Clock is the access clock, 0 to MaxClock.
func (e Entry) Clock() uint32 { return binary.LittleEndian.Uint32(e) >> 8 }

// SetClock changes the access clock.
func (e Entry) SetClock(c uint32) {
	binary.LittleEndian.PutUint32(e, uint32(e[0])|c<<8)
}
