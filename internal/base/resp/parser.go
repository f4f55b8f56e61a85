package resp

import (
	"bytes"
	"math"
)

// Limits that redis has and its defaults.
const (
	MaxInline  = 64 << 10      // bytes of an inline command, or of a line with a length
	MaxBulk    = 512 << 20     // bytes of an argument: the default of proto-max-bulk-len
	MaxArgs    = math.MaxInt32 // arguments of a command
	unauthArgs = 10            // the same before authentication
	unauthBulk = 16384

	keptArgs = 1024 // room for arguments that a Parser keeps between commands
)

// ProtocolError is a request that breaks the protocol. Its text is redis's,
// without the leading code: a server answers -ERR, a space and the text, then
// closes the connection, for it can no longer tell where a command begins.
type ProtocolError string

func (e ProtocolError) Error() string { return string(e) }

// What is wrong with a request. A bulk string that does not begin with a dollar
// sign has an error of its own text, which names the byte found.
const (
	ErrMultibulkLength       = ProtocolError("Protocol error: invalid multibulk length")
	ErrBulkLength            = ProtocolError("Protocol error: invalid bulk length")
	ErrInlineTooBig          = ProtocolError("Protocol error: too big inline request")
	ErrInlineQuotes          = ProtocolError("Protocol error: unbalanced quotes in request")
	ErrMultibulkCountTooBig  = ProtocolError("Protocol error: too big mbulk count string")
	ErrBulkCountTooBig       = ProtocolError("Protocol error: too big bulk count string")
	ErrUnauthMultibulkLength = ProtocolError("Protocol error: unauthenticated multibulk length")
	ErrUnauthBulkLength      = ProtocolError("Protocol error: unauthenticated bulk length")
)

// A Parser takes commands out of a connection's read buffer, in place.
//
// Its owner reads bytes to the end of a buffer and calls Next with it until no
// command is complete. Then it may move the bytes from the start of the
// incomplete command to another place, for instance to the front or to a larger
// buffer, read more behind them and call Next again. The parser remembers how
// far into that command it is as an offset, so a large argument that arrives in
// pieces is never looked at twice.
//
// The zero value is ready to use, with redis's limits. In steady state parsing
// allocates nothing.
type Parser struct {
	// Args is the command after Next returned true. The arguments point into
	// the buffer: they are valid until its bytes change. Between calls the
	// parser keeps no state here, so the owner may put another slice in its
	// place to hold on to several commands at once; Next overwrites Args from
	// its beginning.
	Args [][]byte

	// Inline tells whether the last command was an inline one.
	Inline bool

	// Unauthenticated puts on the strict limits that protect a server from
	// clients that have not given a password: 10 arguments of 16384 bytes.
	Unauthenticated bool

	MaxBulk   int64 // bytes of an argument; 0 means the constant MaxBulk
	MaxInline int   // bytes of a line; 0 means the constant MaxInline
	MaxArgs   int   // arguments of a command; 0 means the constant MaxArgs

	// How far the incomplete command is known. All offsets count from its start.
	spans []span // arguments that are complete
	pos   int    // where to continue; 0 before the command's first line is complete
	left  int    // arguments still to come
	bulk  int    // length of the argument at pos, or -1 before its length is known
	need  int    // bytes that complete this argument, 0 if unknown
}

type span struct{ start, end int }

// Next looks for the next command in buf, which begins with the first byte that
// no earlier call consumed. With ok, p.Args is the command and consumed counts
// the bytes that it and the empty commands before it took. Without ok and err,
// consumed counts only empty commands (an empty line, an array of no elements;
// redis skips them silently, and replicas send them as a sign of life), and
// the bytes after them are the start of a command that needs more.
//
// An err is always a ProtocolError; the parser is then of no further use.
func (p *Parser) Next(buf []byte) (consumed int, ok bool, err error) {
	for consumed < len(buf) {
		rest := buf[consumed:]
		n := 0
		if p.pos == 0 {
			n = p.whole(rest)
		}
		if n == 0 {
			n, err = p.careful(rest)
		}
		if n == 0 || err != nil {
			return consumed, false, err
		}
		consumed += n
		if len(p.Args) > 0 {
			return consumed, true, nil
		}
	}
	return consumed, false, nil
}

// Need returns how many bytes are missing to complete the argument that the
// last call of Next stopped in, its CR LF included; 0 if that is not known. The
// owner can make room for a large argument at once.
func (p *Parser) Need() int { return p.need }

// Known returns how many bytes of an incomplete command have been parsed: with
// its last complete argument, and the length of the next one, they end.
func (p *Parser) Known() int { return p.pos }

// Reset forgets an incomplete command; limits stay.
func (p *Parser) Reset() {
	p.pos = 0
	p.begin()
}

// careful parses what whole does not: it returns the command's length, or 0
// after noting how far an incomplete one is known.
func (p *Parser) careful(b []byte) (n int, err error) {
	if p.pos == 0 {
		p.begin()
		if b[0] != '*' {
			return p.inline(b)
		}
	}
	n, err = p.multibulk(b)
	if n > 0 {
		p.pos = 0
	}
	return n, err
}

func (p *Parser) begin() {
	if cap(p.Args) > keptArgs {
		p.Args = nil
	}
	if cap(p.spans) > keptArgs {
		p.spans = nil
	}
	p.Args, p.spans = p.Args[:0], p.spans[:0]
	p.left, p.bulk, p.need = 0, -1, 0
}

// inline parses a line of text and returns its length, or 0 if it is incomplete.
func (p *Parser) inline(b []byte) (n int, err error) {
	end := bytes.IndexByte(b, '\n')
	if end < 0 {
		if len(b) > p.maxInline() {
			return 0, ErrInlineTooBig
		}
		return 0, nil
	}
	line := b[:end]
	if end > 0 && line[end-1] == '\r' {
		line = line[:end-1]
	}
	p.Args, err = splitArgs(p.Args, line, line[:0])
	if err != nil {
		return 0, ErrInlineQuotes
	}
	p.Inline = true
	return end + 1, nil
}

// multibulk continues with the command at the start of b and returns its
// length, or 0 if it is incomplete.
func (p *Parser) multibulk(b []byte) (n int, err error) {
	if p.pos == 0 {
		if err := p.count(b); p.pos == 0 || err != nil {
			return 0, err
		}
	}
	for p.left > 0 {
		if p.bulk < 0 {
			if err := p.length(b); p.bulk < 0 || err != nil {
				return 0, err
			}
		}
		end := p.pos + p.bulk
		if len(b)-2 < end {
			p.need = end + 2 - len(b)
			return 0, nil
		}
		p.spans = append(p.spans, span{p.pos, end})
		p.pos = end + 2 // redis does not look at these two bytes either
		p.bulk, p.need = -1, 0
		p.left--
	}
	p.Args = p.Args[:0] // the owner may have put another slice here meanwhile
	for _, s := range p.spans {
		p.Args = append(p.Args, b[s.start:s.end:s.end])
	}
	p.Inline = false
	return p.pos, nil
}

// whole parses the usual case, a complete command of short arguments, and
// returns its length. It returns 0, leaving no trace, for whatever is incomplete
// or unusual or wrong: the careful path then starts from the beginning.
func (p *Parser) whole(b []byte) int {
	if b[0] != '*' || cap(p.Args) > keptArgs {
		return 0
	}
	count, at := shortLength(b, 0)
	if at == 0 || count > unauthArgs || p.MaxArgs > 0 && count > p.MaxArgs {
		return 0
	}
	args := p.Args[:0]
	for range count {
		if uint(at) >= uint(len(b)) || b[at] != '$' {
			return 0
		}
		size, start := shortLength(b, at)
		end := start + size
		if start == 0 || end+2 > len(b) || p.MaxBulk > 0 && int64(size) > p.MaxBulk {
			return 0
		}
		args = append(args, b[start:end:end])
		at = end + 2
	}
	p.Args = args
	p.Inline = false
	return at
}

// shortLength is lengthLine for numbers of one to three digits.
func shortLength(b []byte, at int) (n, next int) {
	if at+5 >= len(b) {
		return 0, 0
	}
	b = b[at+1 : at+6]
	d := b[0] - '0'
	if d > 9 {
		return 0, 0
	}
	n = int(d)
	if b[1] == '\r' {
		return n, at + 4
	}
	if n == 0 {
		return 0, 0
	}
	if d = b[1] - '0'; d > 9 {
		return 0, 0
	}
	n = n*10 + int(d)
	if b[2] == '\r' {
		return n, at + 5
	}
	if d = b[2] - '0'; d > 9 || b[3] != '\r' {
		return 0, 0
	}
	return n*10 + int(d), at + 6
}

// count reads the number of arguments; p.pos stays 0 if the line is incomplete.
func (p *Parser) count(b []byte) error {
	n, next, ok := lengthLine(b, 0)
	switch {
	case next == 0 && len(b) > p.maxInline():
		return ErrMultibulkCountTooBig
	case next == 0:
		return nil
	case !ok || n > int64(p.maxArgs()):
		return ErrMultibulkLength
	case n > unauthArgs && p.Unauthenticated:
		return ErrUnauthMultibulkLength
	}
	p.pos = next
	p.left = int(max(n, 0))
	return nil
}

// length reads the length of the argument at p.pos; p.bulk stays -1 if the line
// is incomplete.
func (p *Parser) length(b []byte) error {
	n, next, ok := lengthLine(b, p.pos)
	switch {
	case next == 0 && len(b)-p.pos > p.maxInline():
		return ErrBulkCountTooBig
	case next == 0:
		return nil
	case b[p.pos] != '$':
		return ProtocolError("Protocol error: expected '$', got '" + string(b[p.pos:p.pos+1]) + "'")
	case !ok || n < 0 || n > p.maxBulk():
		return ErrBulkLength
	case n > unauthBulk && p.Unauthenticated:
		return ErrUnauthBulkLength
	}
	p.pos = next
	p.bulk = int(n)
	return nil
}

// lengthLine reads the line at b[at:], a type byte and a number. next is the
// offset behind its CR LF, or 0 if it is incomplete. Redis takes the byte after
// CR for granted, and so does this.
func lengthLine(b []byte, at int) (n int64, next int, ok bool) {
	// Nearly all lengths have one to three digits and no leading zero.
	for i := at + 1; i < len(b)-1 && i < at+9; i++ {
		c := b[i] - '0'
		if c > 9 {
			if b[i] == '\r' && i > at+1 && (b[at+1] != '0' || i == at+2) {
				return n, i + 2, true
			}
			break
		}
		n = n*10 + int64(c)
	}
	if at >= len(b) {
		return 0, 0, false
	}
	cr := bytes.IndexByte(b[at:], '\r')
	if cr < 0 || at+cr+2 > len(b) {
		return 0, 0, false
	}
	if cr == 0 {
		return 0, at + 2, false
	}
	n, ok = ParseInt(b[at+1 : at+cr])
	return n, at + cr + 2, ok
}

func (p *Parser) maxInline() int {
	if p.MaxInline > 0 {
		return p.MaxInline
	}
	return MaxInline
}

func (p *Parser) maxArgs() int {
	if p.MaxArgs > 0 {
		return p.MaxArgs
	}
	return MaxArgs
}

func (p *Parser) maxBulk() int64 {
	if p.MaxBulk > 0 {
		return min(p.MaxBulk, math.MaxInt/2) // an offset and a length can be added
	}
	return MaxBulk
}
