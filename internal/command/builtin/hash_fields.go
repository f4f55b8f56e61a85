package builtin

import (
	"math"
	"strconv"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// The commands that know of deadlines of fields name their fields like this:
//
//	FIELDS number field [field ...]
//
// They are of redis 7.4 and 8.0 and of valkey 9.

// fieldErrors are the words for a number that is not positive and for one that is not
// that of the fields. They depend on the command.
type fieldErrors struct{ number, match command.Error }

const (
	errFieldsMissing command.Error = "ERR Mandatory argument FIELDS is missing or not at the right position"
	errFieldsNumber  command.Error = "ERR Number of fields must be a positive integer"
	errFieldsInvalid command.Error = "ERR invalid number of fields"
	errNumFields     command.Error = "ERR The `numFields` parameter must match the number of arguments"
	errNumfields     command.Error = "ERR The `numfields` parameter must match the number of arguments"
)

// readFields reads FIELDS and what follows up to the end, width arguments for each
// field.
func readFields(a *command.Args, width int, wrong fieldErrors) [][]byte {
	if !a.Is("FIELDS") {
		a.Fail(errFieldsMissing)
	}
	n := a.IntOr(1, math.MaxInt64, wrong.number)
	if a.Err() == nil && (n > int64(a.Left()) || int(n)*width != a.Left()) {
		a.Fail(wrong.match)
	}
	return a.Rest()
}

// propagateFields logs a command about fields in this form: head, the key, middle,
// FIELDS and their number, and the fields.
func propagateFields(c *command.Call, tx *keyspace.WriteTx, head string, middle [][]byte, fields [][]byte, width int) {
	argv := append([][]byte{[]byte(head), c.Args[1]}, middle...)
	argv = append(argv, []byte("FIELDS"), strconv.AppendInt(nil, int64(len(fields)/width), 10))
	tx.Propagate(append(argv, fields...)...)
}

// propagateExpireFields logs that fields got a deadline.
func propagateExpireFields(c *command.Call, tx *keyspace.WriteTx, at int64, fields [][]byte) {
	propagateFields(c, tx, "HPEXPIREAT", [][]byte{strconv.AppendInt(nil, at, 10)}, fields, 1)
}

// propagateHDel logs that fields were removed.
func propagateHDel(c *command.Call, tx *keyspace.WriteTx, fields [][]byte) {
	tx.Propagate(append([][]byte{[]byte("HDEL"), c.Args[1]}, fields...)...)
}

// fieldDeadlineMax is the latest deadline that a field may have, ms: in the year 10889.
const fieldDeadlineMax = 1<<48 - 1

// deadlineOf is the deadline n units of unitMs after baseMs; false if there is none so
// late.
func deadlineOf(n, unitMs, baseMs int64) (at int64, ok bool) {
	if n > (fieldDeadlineMax-baseMs)/unitMs {
		return 0, false
	}
	return n*unitMs + baseMs, true
}

// fieldLife is what the arguments of HGETEX and HSETEX say of the fields' deadlines.
type fieldLife struct {
	lifetime
	at int64 // ms, if it is timed
}

// is reads an argument about the deadline, if one is next; other is the word, beside the
// four that are timed, that the command takes.
func (l *fieldLife) is(a *command.Args, other string, kind lifetimeKind) bool {
	said := l.kind != lifeUnsaid
	peek := *a
	if peek.OneOf("EX", "PX", "EXAT", "PXAT", other) < 0 {
		return false
	}
	if said {
		a.Fail(command.Error("ERR Only one of EX, PX, EXAT, PXAT or " + other + " arguments can be specified"))
		return true
	}
	return l.isTimed(a) || l.lifetime.is(a, other, kind)
}

// settle computes the deadline, once all else has been read.
func (l *fieldLife) settle(c *command.Call, a *command.Args) {
	if !l.timed() || a.Err() != nil {
		return
	}
	n, unitMs, baseMs := intOf(a, l.arg), int64(1), int64(0)
	if l.kind == lifeEX || l.kind == lifeEXAT {
		unitMs = 1000
	}
	if l.kind == lifeEX || l.kind == lifePX {
		baseMs = c.Now
	}
	at, ok := deadlineOf(n, unitMs, baseMs)
	if a.Err() == nil && (n < 0 || !ok) {
		a.Fail(errExpireTime(c))
	}
	l.at = at
}

// past tells that the deadline is over already: the fields do not get it, but go.
func (l *fieldLife) past(tx *keyspace.WriteTx) bool { return l.timed() && tx.IsPast(l.at) }

// absolute is the deadline as it is logged.
func (l *fieldLife) absolute() [][]byte {
	return [][]byte{[]byte("PXAT"), strconv.AppendInt(nil, l.at, 10)}
}
