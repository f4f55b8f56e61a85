package listpack

import "encoding/binary"

// Append adds an element at the end.
func Append(lp, s []byte) []byte { return insert(lp, len(lp)-1, ofBytes(s), s) }

// AppendInt adds an integer at the end.
func AppendInt(lp []byte, n int64) []byte { return insert(lp, len(lp)-1, ofInt(n), nil) }

// Prepend adds an element at the beginning.
func Prepend(lp, s []byte) []byte { return insert(lp, headerBytes, ofBytes(s), s) }

// InsertBefore adds an element before the one at p, which from then on is the place of the new one. With p 0 it appends.
func InsertBefore(lp []byte, p int, s []byte) []byte {
	if p == 0 {
		p = len(lp) - 1
	}
	return insert(lp, p, ofBytes(s), s)
}

// InsertAfter adds an element after the one at p.
func InsertAfter(lp []byte, p int, s []byte) []byte { return insert(lp, skip(lp, p), ofBytes(s), s) }

// Replace puts s in the place of the element at p.
func Replace(lp []byte, p int, s []byte) []byte { return replace(lp, p, ofBytes(s), s) }

// ReplaceInt puts an integer in the place of the element at p.
func ReplaceInt(lp []byte, p int, n int64) []byte { return replace(lp, p, ofInt(n), nil) }

// Delete removes n elements from the one at p on, or as many as there are. What follows them then stands at p, if
// anything does.
func Delete(lp []byte, p, n int) []byte {
	to, gone := p, 0
	for ; gone < n && lp[to] != end; gone++ {
		to = skip(lp, to)
	}
	return cut(lp, p, to, gone)
}

// DeleteRange removes n elements from an index on, which may count from the end.
func DeleteRange(lp []byte, index, n int) []byte {
	if p := Seek(lp, index); p != 0 && n > 0 {
		return Delete(lp, p, n)
	}
	return lp
}

// Concat appends all elements of b to a.
func Concat(a, b []byte) []byte {
	n := Len(a) + Len(b)
	at := len(a) - 1
	a = open(a, at, 0, len(b)-EmptyBytes)
	copy(a[at:], b[headerBytes:])
	setCount(a, n)
	return a
}

// Split divides lp before the element with index i, 0 <= i <= Len: both halves are new.
func Split(lp []byte, i int) (left, right []byte) {
	n, at := Len(lp), len(lp)-1
	if i < n {
		at = Seek(lp, i)
	}
	return part(lp, headerBytes, at, i), part(lp, at, len(lp)-1, n-i)
}

// part is a listpack of the count elements between two places.
func part(lp []byte, from, to, count int) []byte {
	p := make([]byte, EmptyBytes+to-from)
	copy(p[headerBytes:], lp[from:to])
	p[len(p)-1] = end
	setBytes(p)
	setCount(p, count)
	return p
}

func insert(lp []byte, at int, e element, s []byte) []byte {
	n := binary.LittleEndian.Uint16(lp[4:])
	lp = open(lp, at, 0, e.size())
	e.put(lp[at:], s)
	if n != unknown {
		setCount(lp, int(n)+1)
	}
	return lp
}

func replace(lp []byte, p int, e element, s []byte) []byte {
	lp = open(lp, p, skip(lp, p)-p, e.size())
	e.put(lp[p:], s)
	return lp
}

func cut(lp []byte, from, to, gone int) []byte {
	n := int(binary.LittleEndian.Uint16(lp[4:]))
	lp = open(lp, from, to-from, 0)
	if n != unknown {
		setCount(lp, n-gone)
	}
	return lp
}

// spare is how much memory a listpack may always have: more is given back when half of it would do.
const spare = 512

// open makes the gone bytes at a place room for size bytes, and sets the length. Memory grows to the next size class,
// no further: listpacks are many and most do not grow again.
func open(lp []byte, at, gone, size int) []byte {
	n := len(lp) - gone + size
	tail := lp[at+gone:]
	if n <= cap(lp) && (n > cap(lp)/2 || cap(lp) <= spare) {
		old := len(lp)
		lp = lp[:max(n, old)]
		copy(lp[at+size:], lp[at+gone:old])
		lp = lp[:n]
	} else {
		room := append([]byte(nil), make([]byte, n)...)
		copy(room, lp[:at])
		copy(room[at+size:], tail)
		lp = room
	}
	setBytes(lp)
	return lp
}

func setBytes(lp []byte) { binary.LittleEndian.PutUint32(lp, uint32(len(lp))) }

func setCount(lp []byte, n int) { binary.LittleEndian.PutUint16(lp[4:], uint16(min(n, unknown))) }
