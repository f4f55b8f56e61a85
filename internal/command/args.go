package command

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/skeindb/skein/internal/base/glob"
	"github.com/skeindb/skein/internal/base/resp"
)

// Args reads a command's arguments from left to right. It remembers the first
// thing that was wrong; after it everything else reads as zero and nothing is
// left, so that a handler asks for Err once, when it has read all:
//
//	a := c.Parse(3)
//	for a.More() {
//		switch {
//		case a.Is("NX"):
//			nx = true
//		case a.Is("EX"):
//			seconds = a.Int()
//		default:
//			a.Syntax()
//		}
//	}
//	if err := a.Err(); err != nil {
//		c.Fail(err)
//		return
//	}
//
// It lives on the handler's stack and does not allocate, unless an argument is
// wrong.
type Args struct {
	argv [][]byte
	next int
	err  error
}

// Parse begins to read the arguments at index from.
func (c *Call) Parse(from int) Args { return Args{argv: c.Args, next: min(from, len(c.Args))} }

// Err is the first error, or nil.
func (a *Args) Err() error { return a.err }

// Fail makes err the first error unless there is one.
func (a *Args) Fail(err error) {
	if a.err == nil {
		a.err = err
	}
	a.next = len(a.argv)
}

// Syntax fails with redis's syntax error.
func (a *Args) Syntax() { a.Fail(Error(ErrSyntax)) }

// More tells whether there are arguments left.
func (a *Args) More() bool { return a.next < len(a.argv) }

// Left is the number of arguments left.
func (a *Args) Left() int { return len(a.argv) - a.next }

// Index is the index of the next argument.
func (a *Args) Index() int { return a.next }

// Peek is the next argument without stepping over it, nil at the end.
func (a *Args) Peek() []byte {
	if !a.More() {
		return nil
	}
	return a.argv[a.next]
}

// Next is the next argument. At the end it is nil and a syntax error.
func (a *Args) Next() []byte {
	if !a.More() {
		a.Syntax()
		return nil
	}
	arg := a.argv[a.next]
	a.next++
	return arg
}

// Rest is all arguments left.
func (a *Args) Rest() [][]byte {
	rest := a.argv[a.next:]
	a.next = len(a.argv)
	return rest
}

// Is steps over the next argument if it is token, which is ASCII, in any case.
func (a *Args) Is(token string) bool {
	if !a.More() || !equalFold(a.argv[a.next], token) {
		return false
	}
	a.next++
	return true
}

// IsWith is Is for a token with n values behind it: without them it is not the
// token, as redis has it, and most likely becomes a syntax error.
func (a *Args) IsWith(token string, n int) bool { return a.Left() > n && a.Is(token) }

// OneOf steps over the next argument if it is one of tokens, and returns which,
// else -1.
func (a *Args) OneOf(tokens ...string) int {
	for i, t := range tokens {
		if a.Is(t) {
			return i
		}
	}
	return -1
}

// End fails with a syntax error if arguments are left.
func (a *Args) End() {
	if a.More() {
		a.Syntax()
	}
}

// Int is the next argument as a 64-bit integer, or else ErrNotInteger.
func (a *Args) Int() int64 {
	return a.IntOr(math.MinInt64, math.MaxInt64, Error(ErrNotInteger))
}

// IntIn is Int for a number between least and most, or else redis's error that
// names both.
func (a *Args) IntIn(least, most int64) int64 {
	n := a.Int()
	if a.err == nil && (n < least || n > most) {
		a.Fail(Error(fmt.Sprintf("ERR value is out of range, value must between %d and %d", least, most)))
		return 0
	}
	return n
}

// Positive is an integer that is not negative; anything else is ErrNotPositive.
func (a *Args) Positive() int64 {
	return a.IntOr(0, math.MaxInt64, ErrNotPositive)
}

// IntOr is the next argument as an integer between least and most; anything else
// is the error or.
func (a *Args) IntOr(least, most int64, or Error) int64 {
	arg := a.Next()
	if a.err != nil {
		return 0
	}
	n, ok := resp.ParseInt(arg)
	if !ok || n < least || n > most {
		a.Fail(or)
		return 0
	}
	return n
}

// Float is the next argument as a number that may be infinite but not NaN, or
// ErrNotFloat.
func (a *Args) Float() float64 {
	arg := a.Next()
	if a.err != nil {
		return 0
	}
	f, ok := ParseFloat(arg)
	if !ok {
		a.Fail(Error(ErrNotFloat))
	}
	return f
}

// ParseFloat reads b as redis reads a double (string2d): what C's strtod takes as
// a whole, without leading space, not NaN, neither over- nor underflowing.
func ParseFloat(b []byte) (f float64, ok bool) {
	if n, ok := parseDigits(b); ok {
		return float64(n), true
	}
	if bytes.IndexByte(b, '_') >= 0 { // which Go allows between digits
		return 0, false
	}
	f, err := strconv.ParseFloat(string(b), 64)
	if errors.Is(err, strconv.ErrSyntax) && isHex(b) { // Go wants an exponent
		f, err = strconv.ParseFloat(string(b)+"p0", 64)
	}
	if err != nil || math.IsNaN(f) || f == 0 && !isZero(b) {
		return 0, false
	}
	return f, true
}

// exactDigits is how many decimal digits a double certainly has room for.
const exactDigits = 15

// parseDigits reads a number of nothing but digits: what most scores are.
func parseDigits(b []byte) (n int64, ok bool) {
	if len(b) == 0 || len(b) > exactDigits {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	return n, true
}

// isHex tells whether b looks like 0x1f, with or without a sign.
func isHex(b []byte) bool {
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		b = b[1:]
	}
	return len(b) > 2 && b[0] == '0' && glob.Lower(b[1]) == 'x'
}

// isZero tells whether the number b, which became 0, is 0 and not just too small.
func isZero(b []byte) bool {
	exponent := "eE"
	if isHex(b) {
		exponent = "pP"
	}
	if i := bytes.IndexAny(b, exponent); i >= 0 {
		b = b[:i]
	}
	return !bytes.ContainsAny(b, "123456789abcdefABCDEF")
}
