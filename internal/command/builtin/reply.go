package builtin

import (
	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// replyValue replies with the string at key, or null if there is none, and
// returns what it found. ok is false if the key is of another type and the
// error has been replied.
func replyValue(c *command.Call, tx *keyspace.ReadTx, key []byte) (r keyspace.Ref, found, ok bool) {
	r, found = tx.Get(key)
	if !found {
		c.Out.Null()
		return r, false, true
	}
	if err := r.Write(c.Out); err != nil {
		c.Fail(err)
		return r, true, false
	}
	return r, true, true
}

// replyRange replies with bytes [from, to) of s.
func replyRange(out *resp.Writer, s keyspace.Str, from, to int) {
	out.Buf = resp.AppendHeader(out.Buf, resp.Bulk, to-from)
	out.Buf = s.AppendRange(out.Buf, from, to)
	out.Buf = append(out.Buf, "\r\n"...)
}

// failAfter takes back what was replied since the buffer had length from, and
// replies with err instead.
func failAfter(c *command.Call, from int, err error) {
	c.Out.Buf = c.Out.Buf[:from]
	c.Fail(err)
}

// errArity is redis's error of a command whose arguments do not pair up.
func errArity(c *command.Call) error {
	return command.Error("ERR wrong number of arguments for '" + c.Spec.FullName() + "' command")
}

// intOf is a.Int for an argument that was stepped over already.
func intOf(a *command.Args, arg []byte) int64 {
	n, ok := resp.ParseInt(arg)
	if !ok {
		a.Fail(command.Error(command.ErrNotInteger))
		return 0
	}
	return n
}

// span makes first and last, counted from the end when negative, inclusive
// offsets into n things. It is empty if first > last.
func span(first, last, n int64) (int64, int64) {
	if first < 0 {
		first += n
	}
	if last < 0 {
		last += n
	}
	return max(first, 0), min(max(last, 0), n-1)
}

// reversed tells whether first and last, both counted from the end, are the
// wrong way round, which some commands ask before they cut a range to size.
func reversed(first, last int64) bool { return first < 0 && last < 0 && first > last }
