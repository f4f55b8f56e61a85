package builtin

import (
	"math"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func stringLCS() []*command.Spec {
	return []*command.Spec{{
		Name: "lcs", Group: "string", Since: "7.0.0",
		Summary:    "Finds the longest common subsequence of two strings.",
		Complexity: "O(N*M) where N and M are the lengths of s1 and s2, respectively",
		Arity:      -3, Flags: command.ReadOnly,
		Keys: []command.KeySpec{{
			Flags: command.KeyRO | command.KeyAccess, Index: 1, Last: 1,
		}},
		Usage: "key1:key key2:key#0 [LEN] [IDX] [MINMATCHLEN min-match-len:integer] [WITHMATCHLEN]",
		Read:  lcs,
	}}
}

// lcsOptions are what may follow the keys of LCS.
type lcsOptions struct {
	length, ranges bool
	leastLen       int64 // of a range, to be told of
	withLen        bool
}

func (o *lcsOptions) read(c *command.Call) error {
	a := c.Parse(3)
	for a.More() {
		switch {
		case a.Is("IDX"):
			o.ranges = true
		case a.Is("LEN"):
			o.length = true
		case a.Is("WITHMATCHLEN"):
			o.withLen = true
		case a.IsWith("MINMATCHLEN", 1):
			o.leastLen = max(a.Int(), 0)
		default:
			a.Syntax()
		}
	}
	if o.length && o.ranges {
		a.Fail(command.Error("ERR If you want both the length and indexes, please just use IDX."))
	}
	return a.Err()
}

func lcs(c *command.Call, tx *keyspace.ReadTx) {
	a, _, errA := tx.Str(c.Args[1])
	b, _, errB := tx.Str(c.Args[2])
	if errA != nil || errB != nil {
		c.Out.Error("ERR The specified keys must contain string values")
		return
	}
	var o lcsOptions
	if err := o.read(c); err != nil {
		c.Fail(err)
		return
	}
	if a.Len() >= math.MaxUint32-1 || b.Len() >= math.MaxUint32-1 {
		c.Out.Error("ERR String too long for LCS")
		return
	}
	const cellBytes = 4
	if int64(a.Len())+1 > tx.MaxString()/cellBytes/(int64(b.Len())+1) {
		c.Out.Error("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len")
		return
	}
	t := newLCSTable(a.Bytes(), b.Bytes())
	switch {
	case o.ranges:
		t.replyRanges(c.Out, &o)
	case o.length:
		c.Out.Int(int64(t.len()))
	default:
		c.Out.Bulk(t.sequence())
	}
}

// lcsTable holds, for i bytes of a and j bytes of b, the length of their longest
// common subsequence.
type lcsTable struct {
	a, b    []byte
	lengths []uint32
}

func newLCSTable(a, b []byte) *lcsTable {
	t := &lcsTable{a, b, make([]uint32, (len(a)+1)*(len(b)+1))}
	width := len(b) + 1
	for i, x := range a {
		above, row := t.lengths[i*width:][:width], t.lengths[(i+1)*width:][:width]
		for j, y := range b {
			if x == y {
				row[j+1] = above[j] + 1
			} else {
				row[j+1] = max(above[j+1], row[j])
			}
		}
	}
	return t
}

func (t *lcsTable) at(i, j int) uint32 { return t.lengths[i*(len(t.b)+1)+j] }

func (t *lcsTable) len() uint32 { return t.at(len(t.a), len(t.b)) }

// walk goes back through the table from its end and calls step at each place:
// match tells whether byte i of a and byte j of b are a pair of the sequence.
func (t *lcsTable) walk(step func(i, j int, match bool)) {
	i, j := len(t.a), len(t.b)
	for i > 0 && j > 0 {
		if t.a[i-1] == t.b[j-1] {
			i, j = i-1, j-1
			step(i, j, true)
			continue
		}
		if t.at(i-1, j) > t.at(i, j-1) {
			i--
		} else {
			j--
		}
		step(i, j, false)
	}
}

// sequence is the longest common subsequence.
func (t *lcsTable) sequence() []byte {
	s := make([]byte, t.len())
	n := len(s)
	t.walk(func(i, _ int, match bool) {
		if match {
			n--
			s[n] = t.a[i]
		}
	})
	return s
}

// lcsRange is a run of the sequence that is one piece in both strings.
type lcsRange struct{ a, b, n int }

// ranges yields the runs of the sequence, from the last to the first.
//
// A run that reaches the beginning of a string ends the search, as in redis;
// no pair can come before it.
func (t *lcsTable) ranges(yield func(lcsRange)) {
	var r lcsRange
	t.walk(func(i, j int, match bool) {
		if r.n > 0 && !(match && i == r.a-1 && j == r.b-1) {
			yield(r)
			r.n = 0
		}
		if match {
			r = lcsRange{i, j, r.n + 1}
		}
	})
	if r.n > 0 {
		yield(r)
	}
}

func (t *lcsTable) replyRanges(out *resp.Writer, o *lcsOptions) {
	out.Map(2)
	out.BulkString("matches")
	mark, n := out.BeginArray(), 0
	t.ranges(func(r lcsRange) {
		if int64(r.n) < o.leastLen {
			return
		}
		n++
		if o.withLen {
			out.Array(3)
		} else {
			out.Array(2)
		}
		replyPair(out, r.a, r.a+r.n-1)
		replyPair(out, r.b, r.b+r.n-1)
		if o.withLen {
			out.Int(int64(r.n))
		}
	})
	out.EndArray(mark, n)
	out.BulkString("len")
	out.Int(int64(t.len()))
}

func replyPair(out *resp.Writer, first, last int) {
	out.Array(2)
	out.Int(int64(first))
	out.Int(int64(last))
}
