package listpack

// These work on a listpack of n elements that is buf[gap:], and stay in the memory of buf: it grows into the gap before it
// and into what the capacity has behind it. No element moves.

// AppendWithin adds an element at the end; not ok, and nothing done, if there is no room.
func AppendWithin(buf []byte, gap, n int, s []byte) (longer []byte, ok bool) {
	e := ofBytes(s)
	size := e.size()
	at := len(buf) - 1
	if at+size+1 > cap(buf) {
		return buf, false
	}
	buf = buf[:at+size+1]
	e.put(buf[at:], s)
	buf[at+size] = end
	putHeader(buf[gap:], n+1)
	return buf, true
}

// PrependWithin adds an element at the beginning and returns what then is the gap; not ok, and nothing done, if there is
// no room.
func PrependWithin(buf []byte, gap, n int, s []byte) (less int, ok bool) {
	e := ofBytes(s)
	size := e.size()
	at := gap - size
	if at < 0 {
		return gap, false
	}
	e.put(buf[at+headerBytes:], s)
	putHeader(buf[at:], n+1)
	return at, true
}

// CutFirst removes the first k elements, which there are, and returns what then is the gap.
func CutFirst(buf []byte, gap, n, k int) (more int) {
	lp, p := buf[gap:], headerBytes
	for range k {
		p = skip(lp, p)
	}
	more = gap + p - headerBytes
	putHeader(buf[more:], n-k)
	return more
}

// CutLast removes the last k elements, which there are.
func CutLast(buf []byte, gap, n, k int) []byte {
	lp := buf[gap:]
	p := len(lp) - 1
	for range k {
		p = before(lp, p)
	}
	lp = lp[:p+1]
	lp[p] = end
	putHeader(lp, n-k)
	return buf[:gap+len(lp)]
}

func putHeader(lp []byte, n int) {
	setBytes(lp)
	setCount(lp, n)
}
