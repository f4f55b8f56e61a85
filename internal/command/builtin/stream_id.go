package builtin

import (
	"bytes"
	"math"
	"strconv"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/stream"
)

const (
	errStreamID    command.Error = "ERR Invalid stream ID specified as stream command argument"
	errStreamStart command.Error = "ERR invalid start ID for the interval"
	errStreamEnd   command.Error = "ERR invalid end ID for the interval"
)

// maxIDLen is the longest text that redis takes for an ID.
const maxIDLen = 127

// parseID reads an ID such as 1700000000000-5. Where the part behind the hyphen is
// missing it is seq.
func parseID(text []byte, seq uint64) (id stream.ID, ok bool) {
	if len(text) > maxIDLen {
		return id, false
	}
	if i := bytes.IndexByte(text, 0); i >= 0 { // where redis's C sees the end
		text = text[:i]
	}
	ms, tail, hasSeq := bytes.Cut(text, []byte("-"))
	if id.Ms, ok = parseUint(ms); !ok {
		return id, false
	}
	id.Seq = seq
	if hasSeq {
		id.Seq, ok = parseUint(tail)
	}
	return id, ok
}

// parseUint reads an unsigned integer as redis does (string2ull): by the strict rule
// of all integers, and failing that, as C's strtoull does.
func parseUint(b []byte) (uint64, bool) {
	if n, ok := resp.ParseInt(b); ok {
		return uint64(n), n >= 0
	}
	b = bytes.TrimLeft(b, " \t\n\v\f\r")
	negative := len(b) > 0 && b[0] == '-'
	if negative || len(b) > 0 && b[0] == '+' {
		b = b[1:]
	}
	n, err := strconv.ParseUint(string(b), 10, 64)
	if negative {
		n = -n
	}
	return n, err == nil
}

// strictID is the next argument as an ID; - and + are none.
func strictID(a *command.Args) stream.ID {
	id, ok := parseID(a.Next(), 0)
	if !ok {
		a.Fail(errStreamID)
	}
	return id
}

// looseID is the next argument as an ID, where - is the lowest and + the highest.
func looseID(a *command.Args, seq uint64) stream.ID {
	switch arg := a.Peek(); {
	case isByte(arg, '-'):
		a.Next()
		return stream.ID{}
	case isByte(arg, '+'):
		a.Next()
		return stream.Highest
	}
	id, ok := parseID(a.Next(), seq)
	if !ok {
		a.Fail(errStreamID)
	}
	return id
}

// startID is the next argument as where a range of IDs begins, itself excluded if a
// parenthesis stands before it.
func startID(a *command.Args) stream.ID {
	id, excluded := boundID(a, 0)
	if excluded {
		var ok bool
		if id, ok = id.Next(); !ok {
			a.Fail(errStreamStart)
		}
	}
	return id
}

// endID is the next argument as where a range of IDs ends.
func endID(a *command.Args) stream.ID {
	id, excluded := boundID(a, math.MaxUint64)
	if excluded {
		var ok bool
		if id, ok = id.Prev(); !ok {
			a.Fail(errStreamEnd)
		}
	}
	return id
}

func boundID(a *command.Args, seq uint64) (id stream.ID, excluded bool) {
	if arg := a.Peek(); len(arg) < 2 || arg[0] != '(' {
		return looseID(a, seq), false
	}
	id, ok := parseID(a.Next()[1:], seq)
	if !ok {
		a.Fail(errStreamID)
	}
	return id, ok
}

// isByte tells whether b is that one byte.
func isByte(b []byte, c byte) bool { return len(b) == 1 && b[0] == c }

// strictIDs reads all arguments left as IDs.
func strictIDs(a *command.Args) []stream.ID {
	ids := make([]stream.ID, 0, a.Left())
	for a.More() {
		ids = append(ids, strictID(a))
	}
	return ids
}

// replyID replies with an ID.
func replyID(out *resp.Writer, id stream.ID) {
	var scratch [41]byte
	out.Bulk(id.Append(scratch[:0]))
}
