package builtin

import (
	"bytes"
	"errors"
	"math"
	"strconv"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/zset"
)

// zorder is by what a range of a sorted set is given.
type zorder uint8

const (
	byRank zorder = iota
	byScore
	byLex
)

// zwindow is the part of a sorted set that a command is about.
type zwindow struct {
	order      zorder
	reverse    bool // ranks count from the top, and members come from there
	fixed      bool // order and reverse are said by the command's name
	withScores bool

	first, last   int64 // ranks, from the end if negative
	least, most   scoreBound
	lowest, final lexBound

	offset, limit int64 // of those in the range; limit < 0: all
}

// scoreBound is one end of a range of scores.
type scoreBound struct {
	score     float64
	exclusive bool
}

// lexBound is one end of a range of the alphabet.
type lexBound struct {
	member    []byte
	exclusive bool
	end       int8 // -1: before everything, 1: behind everything
}

// parseBounds reads the two ends; in reverse order that of the upper end, except of
// ranks, comes first.
func (w *zwindow) parseBounds(from, to []byte) error {
	if w.reverse && w.order != byRank {
		from, to = to, from
	}
	var ok, alsoOK bool
	switch w.order {
	case byScore:
		w.least, ok = parseScoreBound(from)
		w.most, alsoOK = parseScoreBound(to)
		if !ok || !alsoOK {
			return errNoFloatRange
		}
	case byLex:
		w.lowest, ok = parseLexBound(from)
		w.final, alsoOK = parseLexBound(to)
		if !ok || !alsoOK {
			return errNoLexRange
		}
	default:
		w.first, ok = resp.ParseInt(from)
		w.last, alsoOK = resp.ParseInt(to)
		if !ok || !alsoOK {
			return command.Error(command.ErrNotInteger)
		}
	}
	return nil
}

// parseScoreBound reads "1.5" or "(1.5" as loosely as redis does: nothing at all is
// 0, blanks may come before a number, and one that is too large is infinite.
func parseScoreBound(b []byte) (s scoreBound, ok bool) {
	if len(b) > 0 && b[0] == '(' {
		s.exclusive, b = true, b[1:]
	}
	if i := bytes.IndexByte(b, 0); i >= 0 { // where C's texts end
		b = b[:i]
	}
	if len(b) == 0 {
		return s, true
	}
	b = bytes.TrimLeft(b, " \t\n\v\f\r")
	if s.score, ok = command.ParseFloat(b); ok {
		return s, true
	}
	f, err := strconv.ParseFloat(string(b), 64)
	if errors.Is(err, strconv.ErrRange) {
		err = nil
	}
	s.score = f
	return s, err == nil && !math.IsNaN(f) && bytes.IndexByte(b, '_') < 0
}

// parseLexBound reads "[a", "(a", "-" or "+".
func parseLexBound(b []byte) (l lexBound, ok bool) {
	if len(b) == 0 {
		return l, false
	}
	switch b[0] {
	case '-', '+':
		l.end = 1
		if b[0] == '-' {
			l.end = -1
		}
		return l, len(b) == 1 || b[1] == 0
	case '(', '[':
		l.exclusive, l.member = b[0] == '(', b[1:]
		return l, true
	}
	return l, false
}

// below is how many members come before the bound, or, if upper, up to it.
func (l *lexBound) below(z *zset.ZSet, upper bool) int {
	switch {
	case l.end < 0:
		return 0
	case l.end > 0:
		return z.Len()
	}
	return z.LexBelow(l.member, l.exclusive != upper)
}

// of is the window in a set: the rank of its first member, counted from below, and
// how many there are. In reverse order they go down from there.
func (w *zwindow) of(z *zset.ZSet) (first, n int) {
	size, from, to := z.Len(), 0, 0
	switch w.order {
	case byScore:
		from = z.Below(w.least.score, w.least.exclusive)
		to = z.Below(w.most.score, !w.most.exclusive)
	case byLex:
		from, to = w.lowest.below(z, false), w.final.below(z, true)
	default:
		first, n = ranks(w.first, w.last, size)
		if w.reverse {
			first = size - 1 - first
		}
		return first, n
	}
	n = max(to-from, 0)
	if w.offset < 0 || w.offset >= int64(n) {
		return 0, 0
	}
	n -= int(w.offset)
	if w.limit >= 0 {
		n = int(min(int64(n), w.limit))
	}
	if w.reverse {
		return to - 1 - int(w.offset), n
	}
	return from + int(w.offset), n
}

// ranks makes the first and the last of size things, counted from the end when
// negative, the first and how many there are.
func ranks(first, last int64, size int) (from, n int) {
	s := int64(size)
	if first < 0 {
		first = max(first+s, 0)
	}
	if last < 0 {
		last += s
	}
	last = min(last, s-1)
	if first > last {
		return 0, 0
	}
	return int(first), int(last-first) + 1
}
