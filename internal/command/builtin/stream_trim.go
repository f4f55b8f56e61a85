package builtin

import (
	"math"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/stream"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func streamTrimSpecs() []*command.Spec {
	return []*command.Spec{{
		Name: "xtrim", Group: "stream", Since: "5.0.0",
		Summary:    "Removes the oldest entries of a stream.",
		Complexity: "O(N), with N being the number of evicted entries. Constant times are very small however, since entries are organized in macro nodes containing multiple entries that can be released with a single deallocation.",
		Arity:      -4, Flags: command.Write,
		Keys:    command.FirstKey(command.KeyRW | command.KeyDelete),
		Tips:    []string{"nondeterministic_output"},
		Usage:   "key <<MAXLEN | MINID@6.2.0>:strategy [=:equal | ~:approximately]:operator threshold [LIMIT count:integer@6.2.0]>:trim",
		History: [][2]string{{"6.2.0", "`MINID` and `LIMIT` came."}},
		Write:   xtrim,
	}}
}

const (
	errTrimTwice  command.Error = "ERR syntax error, MAXLEN and MINID options at the same time are not compatible"
	errTrimNone   command.Error = "ERR syntax error, XTRIM must be called with a trimming strategy"
	errLimitAlone command.Error = "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"
	errLimitExact command.Error = "ERR syntax error, LIMIT cannot be used without the special ~ option"
	errMaxLenSign command.Error = "ERR The MAXLEN argument must be >= 0."
	errTrimLimit  command.Error = "ERR The LIMIT argument must be >= 0."
)

// How many entries XADD and XTRIM with ~ look at most if LIMIT does not say: so many
// blocks full; and where blocks have no limit, or a high one, so many.
const (
	blocksTrimmed  = 100
	defaultTrimmed = 10_000
	mostTrimmed    = 1_000_000
)

// trimming is how XADD and XTRIM are to shorten a stream.
type trimming struct {
	maxLen, minID bool
	about         bool // ~
	length        int64
	id            stream.ID
	limit         int64
	limited       bool // LIMIT was given
	at            int  // index of the threshold
}

// is reads an option of trimming if there is one next.
func (t *trimming) is(a *command.Args) bool {
	switch {
	case a.IsWith("MAXLEN", 1):
		if t.begin(a) {
			t.maxLen, t.length = true, nonNegative(a, errMaxLenSign)
		}
	case a.IsWith("MINID", 1):
		if t.begin(a) {
			t.minID, t.id = true, strictID(a)
		}
	case a.IsWith("LIMIT", 1):
		t.limited, t.limit = true, nonNegative(a, errTrimLimit)
	default:
		return false
	}
	return true
}

// begin reads what may stand between a strategy and its threshold.
func (t *trimming) begin(a *command.Args) bool {
	if t.any() {
		a.Fail(errTrimTwice)
		return false
	}
	if a.Left() > 1 {
		t.about = isByte(a.Peek(), '~')
		if t.about || isByte(a.Peek(), '=') {
			a.Next()
		}
	}
	t.at = a.Index()
	return true
}

func (t *trimming) any() bool { return t.maxLen || t.minID }

// nonNegative is an integer that is not negative, or else the error sign.
func nonNegative(a *command.Args, sign command.Error) int64 {
	n := a.Int()
	if n < 0 {
		a.Fail(sign)
	}
	return n
}

// complete checks the options as a whole, and sets the limit.
func (t *trimming) complete(a *command.Args, tx *keyspace.WriteTx, must bool) {
	switch {
	case t.limit > 0 && !t.any():
		a.Fail(errLimitAlone)
	case must && !t.any():
		a.Fail(errTrimNone)
	case tx.Applied(): // the master has put in what it came to
		t.limit = 0
	case t.limited && !t.about:
		a.Fail(errLimitExact)
	case t.about && !t.limited:
		t.limit = blocksTrimmed * int64(tx.Limits().Stream.BlockEntries)
		if t.limit <= 0 {
			t.limit = defaultTrimmed
		}
		t.limit = min(t.limit, mostTrimmed)
	}
}

// trim shortens the stream and returns by how much.
func (t *trimming) trim(s *stream.Stream) int {
	limit := int(min(t.limit, math.MaxInt))
	switch {
	case t.maxLen:
		return s.TrimLen(int(min(t.length, math.MaxInt)), t.about, limit)
	case t.minID:
		return s.TrimID(t.id, t.about, limit)
	}
	return 0
}

// settle makes argv, a copy, say what a trimming about came to.
func (t *trimming) settle(argv [][]byte, s *stream.Stream) {
	if !t.about {
		return
	}
	argv[t.at-1] = []byte("=")
	if t.maxLen {
		argv[t.at] = keyspace.Decimal(int64(s.Len()))
	} else {
		argv[t.at] = s.Head().Append(nil)
	}
}

func xtrim(c *command.Call, tx *keyspace.WriteTx) {
	a := c.Parse(2)
	var t trimming
	for a.More() {
		if !t.is(&a) {
			a.Syntax()
		}
	}
	if t.complete(&a, tx, true); a.Err() != nil {
		c.Fail(a.Err())
		return
	}
	key := c.Args[1]
	var change streamChange
	if err := change.Open(tx, key); err != nil {
		c.Fail(err)
		return
	}
	if !change.Found() {
		c.Out.Int(0)
		return
	}
	n := t.trim(change.Value)
	if n > 0 {
		change.Save() // of a key that is there, it does not fail
		tx.Notify(keyspace.EventStream, "xtrim", key)
		if t.about {
			argv := append([][]byte(nil), c.Args...)
			t.settle(argv, change.Value)
			tx.Propagate(argv...)
		}
	}
	c.Out.Int(int64(n))
}
