package listpack

// These work on a listpack of n elements that is buf[gap:], and stay in the memory of buf: it grows into the gap before it
// and into what the capacity has behind it. No element moves.

// AppendWithin adds an element at the end; not ok, and nothing done, if there is no room.
func AppendWithin(buf []byte, gap, n int, s []byte) (longer []byte, ok bool) {
	e, size := sized(s)
	at := len(buf) - 1
	if at+size+1 > cap(buf) {
		return buf, false
	}
	buf = buf[:at+size+1]
	e.putSized(buf[at:], s)
	buf[at+size] = end
	putHeader(buf[gap:], n+1)
	return buf, true
}

// PrependWithin adds an element at the beginning and returns what then is the gap; not ok, and nothing done, if there is
// no room.
func PrependWithin(buf []byte, gap, n int, s []byte) (less int, ok bool) {
	e, size := sized(s)
	at := gap - size
	if at < 0 {
		return gap, false
	}
	e.putSized(buf[at+headerBytes:], s)
	putHeader(buf[at:], n+1)
	return at, true
}

// sized is the element that s is, and what that takes in all. Of a short text, as most are, it makes no element: putSized
// then takes s itself.
func sized(s []byte) (e element, size int) {
	if len(s) < 1<<6 && (len(s) == 0 || s[0] > '9' || s[0] < '-') {
		return e, 1 + len(s) + 1
	}
	e = ofBytes(s)
	return e, e.size()
}

// putSized writes what sized has made of s; dst has room for it.
func (e *element) putSized(dst, s []byte) {
	if e.n > 0 {
		e.put(dst)
		return
	}
	n := 1 + copy(dst[1:], s)
	dst[0], dst[n] = headString6|byte(len(s)), byte(n)
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
