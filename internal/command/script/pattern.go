package script

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// matcher matches Lua 5.1's patterns. It backtracks, as Lua does, and breathes meanwhile:
// a pattern can take forever.
type matcher struct {
	L        *lua.LState
	vm       *VM
	src, pat string
	captures []capture
	depth    int
	steps    uint
}

// capture is a piece of the source; of an open one the length is captureOpen, of a
// position capturePosition.
type capture struct{ at, length int }

const (
	captureOpen     = -1
	capturePosition = -2
	capturesMost    = 32
	matchDepthMost  = 20000
	special         = "^$*+?.([%-"
)

func (m *matcher) fail(text string) { m.L.RaiseError("%s", text) }

// step lets the node have a look now and then.
func (m *matcher) step() {
	if m.steps++; m.steps%4096 == 0 {
		m.vm.breathe()
		if m.vm.leash.done != nil {
			m.fail(string(errKilled))
		}
	}
}

// match matches the pattern from p on against the source from s on. It returns the end
// of what matches, -1: nothing does.
func (m *matcher) match(s, p int) int {
	if m.depth++; m.depth > matchDepthMost {
		m.fail("pattern too complex")
	}
	defer func() { m.depth-- }()
	for {
		m.step()
		if p == len(m.pat) {
			return s
		}
		switch m.pat[p] {
		case '(':
			if p+1 < len(m.pat) && m.pat[p+1] == ')' {
				return m.open(s, p+2, capturePosition)
			}
			return m.open(s, p+1, captureOpen)
		case ')':
			return m.shut(s, p+1)
		case '%':
			if p+1 < len(m.pat) {
				switch c := m.pat[p+1]; {
				case c == 'b':
					if s = m.balance(s, p+2); s < 0 {
						return -1
					}
					p += 4
					continue
				case c == 'f':
					p += 2
					if p >= len(m.pat) || m.pat[p] != '[' {
						m.fail("missing '[' after '%f' in pattern")
					}
					end := m.classEnd(p)
					var before, here byte
					if s > 0 {
						before = m.src[s-1]
					}
					if s < len(m.src) {
						here = m.src[s]
					}
					if m.inSet(before, p, end-1) || !m.inSet(here, p, end-1) {
						return -1
					}
					p = end
					continue
				case c >= '0' && c <= '9':
					if s = m.back(s, c); s < 0 {
						return -1
					}
					p += 2
					continue
				}
			}
		case '$':
			if p+1 == len(m.pat) {
				if s == len(m.src) {
					return s
				}
				return -1
			}
		}
		end := m.classEnd(p)
		var quantifier byte
		if end < len(m.pat) {
			quantifier = m.pat[end]
		}
		switch quantifier {
		case '?':
			if m.single(s, p, end) {
				if e := m.match(s+1, end+1); e >= 0 {
					return e
				}
			}
			p = end + 1
		case '*':
			return m.longestOf(s, p, end)
		case '+':
			if !m.single(s, p, end) {
				return -1
			}
			return m.longestOf(s+1, p, end)
		case '-':
			return m.shortestOf(s, p, end)
		default:
			if !m.single(s, p, end) {
				return -1
			}
			s, p = s+1, end
		}
	}
}

func (m *matcher) longestOf(s, p, end int) int {
	n := 0
	for m.single(s+n, p, end) {
		n++
	}
	for ; n >= 0; n-- {
		m.step()
		if e := m.match(s+n, end+1); e >= 0 {
			return e
		}
	}
	return -1
}

func (m *matcher) shortestOf(s, p, end int) int {
	for {
		m.step()
		if e := m.match(s, end+1); e >= 0 {
			return e
		}
		if !m.single(s, p, end) {
			return -1
		}
		s++
	}
}

func (m *matcher) open(s, p, length int) int {
	if len(m.captures) >= capturesMost {
		m.fail("too many captures")
	}
	m.captures = append(m.captures, capture{s, length})
	n := len(m.captures)
	e := m.match(s, p)
	if e < 0 {
		m.captures = m.captures[:n-1]
	}
	return e
}

func (m *matcher) shut(s, p int) int {
	i := len(m.captures) - 1
	for i >= 0 && m.captures[i].length != captureOpen {
		i--
	}
	if i < 0 {
		m.fail("invalid pattern capture")
	}
	m.captures[i].length = s - m.captures[i].at
	e := m.match(s, p)
	if e < 0 {
		m.captures[i].length = captureOpen
	}
	return e
}

func (m *matcher) balance(s, p int) int {
	if p+1 >= len(m.pat) {
		m.fail("unbalanced pattern")
	}
	if s >= len(m.src) || m.src[s] != m.pat[p] {
		return -1
	}
	open, shut, depth := m.pat[p], m.pat[p+1], 1
	for i := s + 1; i < len(m.src); i++ {
		switch m.src[i] {
		case shut:
			if depth--; depth == 0 {
				return i + 1
			}
		case open:
			depth++
		}
	}
	return -1
}

// back matches what an earlier capture has.
func (m *matcher) back(s int, digit byte) int {
	i := int(digit) - '1'
	if i < 0 || i >= len(m.captures) || m.captures[i].length == captureOpen {
		m.fail("invalid capture index")
	}
	c := m.captures[i]
	if c.length < 0 {
		return -1
	}
	if strings.HasPrefix(m.src[s:], m.src[c.at:c.at+c.length]) {
		return s + c.length
	}
	return -1
}

// classEnd is where the class at p ends.
func (m *matcher) classEnd(p int) int {
	c := m.pat[p]
	p++
	switch c {
	case '%':
		if p >= len(m.pat) {
			m.fail("malformed pattern (ends with '%')")
		}
		return p + 1
	case '[':
		if p < len(m.pat) && m.pat[p] == '^' {
			p++
		}
		for first := true; first || p >= len(m.pat) || m.pat[p] != ']'; first = false {
			if p >= len(m.pat) {
				m.fail("malformed pattern (missing ']')")
			}
			p++
			if m.pat[p-1] == '%' && p < len(m.pat) {
				p++
			}
		}
		return p + 1
	}
	return p
}

// single tells whether the byte at s is of the class from p to end.
func (m *matcher) single(s, p, end int) bool {
	if s >= len(m.src) {
		return false
	}
	c := m.src[s]
	switch m.pat[p] {
	case '.':
		return true
	case '%':
		return ofClass(c, m.pat[p+1])
	case '[':
		return m.inSet(c, p, end-1)
	}
	return m.pat[p] == c
}

// inSet tells whether c is in the set whose brackets are at p and last.
func (m *matcher) inSet(c byte, p, last int) bool {
	in := true
	if p++; m.pat[p] == '^' {
		in = false
		p++
	}
	for ; p < last; p++ {
		switch {
		case m.pat[p] == '%':
			p++
			if ofClass(c, m.pat[p]) {
				return in
			}
		case p+2 < last && m.pat[p+1] == '-':
			if m.pat[p] <= c && c <= m.pat[p+2] {
				return in
			}
			p += 2
		case m.pat[p] == c:
			return in
		}
	}
	return !in
}

// ofClass tells whether c is of the class %class.
func ofClass(c, class byte) (is bool) {
	letter := c|0x20 >= 'a' && c|0x20 <= 'z'
	digit := c >= '0' && c <= '9'
	switch class | 0x20 {
	case 'a':
		is = letter
	case 'c':
		is = c < ' ' || c == 0x7f
	case 'd':
		is = digit
	case 'l':
		is = letter && c >= 'a'
	case 'p':
		is = c > ' ' && c < 0x7f && !letter && !digit
	case 's':
		is = c == ' ' || c >= '\t' && c <= '\r'
	case 'u':
		is = letter && c <= 'Z'
	case 'w':
		is = letter || digit
	case 'x':
		is = digit || c|0x20 >= 'a' && c|0x20 <= 'f'
	case 'z':
		is = c == 0
	default:
		return class == c
	}
	if class >= 'A' && class <= 'Z' {
		return !is
	}
	return is && class >= 'a' && class <= 'z'
}

// find is the first match at or after from; at < 0: there is none.
func (m *matcher) find(from int) (at, end int) {
	p := 0
	anchored := m.pat != "" && m.pat[0] == '^'
	if anchored {
		p = 1
	}
	for s := from; ; s++ {
		m.captures = m.captures[:0]
		if e := m.match(s, p); e >= 0 {
			return s, e
		}
		if anchored || s >= len(m.src) {
			return -1, -1
		}
	}
}

// capture is the value of capture i of the match from at to end; the whole of it if
// there are no captures.
func (m *matcher) capture(i, at, end int) lua.LValue {
	if i >= len(m.captures) {
		if i != 0 {
			m.fail("invalid capture index")
		}
		return lua.LString(m.src[at:end])
	}
	switch c := m.captures[i]; c.length {
	case captureOpen:
		m.fail("unfinished capture")
	case capturePosition:
		return lua.LNumber(c.at + 1)
	default:
		return lua.LString(m.src[c.at : c.at+c.length])
	}
	return lua.LNil
}

// push pushes all captures of a match, or if there are none, and whole, all of it.
func (m *matcher) push(at, end int, whole bool) (n int) {
	n = len(m.captures)
	if n == 0 && whole {
		n = 1
	}
	for i := range n {
		m.L.Push(m.capture(i, at, end))
	}
	return n
}
