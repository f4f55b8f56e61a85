package builtin

import (
	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/stream"
	"github.com/skeindb/skein/internal/data/value"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func streamReadSpecs() []*command.Spec {
	return []*command.Spec{{
		Name: "xread", Group: "stream", Since: "5.0.0",
		Summary: "Gives the entries of streams that come after given IDs, and can wait for some.",
		Arity:   -4, Flags: command.ReadOnly | command.Blocking,
		Keys: []command.KeySpec{{
			Flags: command.KeyRO | command.KeyAccess, Keyword: "STREAMS", StartFrom: 1, Last: -1, Limit: 2,
		}},
		GetKeys: streamKeys(command.KeyRO | command.KeyAccess),
		Usage:   "[COUNT count:integer] [BLOCK milliseconds:integer] STREAMS <key... id...>",
		Read:    xread,
	}, {
		Name: "xreadgroup", Group: "stream", Since: "5.0.0",
		Summary:    "Gives a consumer entries that its group has not been given yet, and can wait for some, or those that it has not acknowledged.",
		Complexity: "For each stream mentioned: O(M) with M being the number of elements returned. If M is constant (e.g. always asking for the first 10 elements with COUNT), you can consider it O(1). On the other side when XREADGROUP blocks, XADD will pay the O(N) time in order to serve the N clients blocked on the stream getting new data.",
		Arity:      -7, Flags: command.Write | command.Blocking,
		Keys: []command.KeySpec{{
			Flags: command.KeyRO | command.KeyAccess, Keyword: "STREAMS", StartFrom: 4, Last: -1, Limit: 2,
		}},
		GetKeys: streamKeys(command.KeyRO | command.KeyAccess),
		Usage:   "GROUP <group consumer>:group-block [COUNT count:integer] [BLOCK milliseconds:integer] [NOACK] STREAMS <key... id...>",
		Write:   xreadgroup,
	}}
}

// streamKeys finds the keys of XREAD and XREADGROUP: what follows STREAMS, which may
// be a name, too, the first half of it.
func streamKeys(flags command.KeyFlags) func([]command.KeyPos, [][]byte) ([]command.KeyPos, error) {
	return func(dst []command.KeyPos, argv [][]byte) ([]command.KeyPos, error) {
		c := command.Call{Args: argv}
		a := c.Parse(1)
		for !a.Is("STREAMS") {
			switch a.OneOf("BLOCK", "COUNT", "GROUP", "NOACK") {
			case 0, 1:
				a.Next()
			case 2:
				a.Next()
				a.Next()
			case 3:
			default:
				return dst, command.ErrKeyArguments
			}
		}
		n := a.Left()
		if n == 0 || n%2 != 0 {
			return dst, command.ErrKeyArguments
		}
		for i := range n / 2 {
			dst = append(dst, command.KeyPos{Index: a.Index() + i, Flags: flags})
		}
		return dst, nil
	}
}

const (
	errReadGroup   command.Error = "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead."
	errReadNoAck   command.Error = "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead."
	errReadNew     command.Error = "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option."
	errNoGroupName command.Error = "ERR Missing GROUP option for XREADGROUP"
	errGroupTop    command.Error = "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set."
)

// reading is what XREAD or XREADGROUP asks for.
type reading struct {
	grouped         bool   // GROUP was given
	group, consumer []byte // of XREADGROUP
	noAck           bool
	count           int64 // 0: no limit
	block           bool
	untilMs         int64    // when a wait is over, 0: never
	keys            [][]byte // of the streams
	marks           [][]byte // where to begin in each: an ID, $ or >
	markAt          int      // index of the first mark
	ids             []stream.ID
}

func (r *reading) read(c *command.Call, grouped bool) error {
	a := c.Parse(1)
	for a.More() && r.markAt == 0 {
		switch {
		case a.IsWith("BLOCK", 1):
			if c.InScript() {
				return command.Error("ERR " + c.Arg(0) + " command is not allowed with BLOCK option from scripts")
			}
			r.block = true
			r.readTimeout(c, &a)
		case a.IsWith("COUNT", 1):
			r.count = max(a.Int(), 0)
		case a.IsWith("STREAMS", 1):
			r.readStreams(c, &a, grouped)
		case a.IsWith("GROUP", 2):
			r.grouped, r.group, r.consumer = true, a.Next(), a.Next()
			if !grouped {
				a.Fail(errReadGroup)
			}
		case a.Is("NOACK"):
			r.noAck = true
			if !grouped {
				a.Fail(errReadNoAck)
			}
		default:
			a.Syntax()
		}
	}
	switch {
	case r.markAt == 0:
		a.Syntax()
	case grouped && !r.grouped:
		a.Fail(errNoGroupName)
	}
	return a.Err()
}

func (r *reading) readTimeout(c *command.Call, a *command.Args) {
	var err error
	if r.untilMs, err = msUntil(c, a.Next()); err != nil {
		a.Fail(err)
	}
}

func (r *reading) readStreams(c *command.Call, a *command.Args, grouped bool) {
	n := a.Left()
	if n%2 != 0 {
		symbol := "$"
		if grouped {
			symbol = ">"
		}
		a.Fail(command.Error("ERR Unbalanced '" + c.Spec.Name + "' list of streams: for each stream key an ID or '" +
			symbol + "' must be specified."))
		return
	}
	r.markAt = a.Index() + n/2
	all := a.Rest()
	r.keys, r.marks = all[:n/2], all[n/2:]
	r.ids = make([]stream.ID, n/2)
}

// wait blocks the call, if it asks for that, until one of its streams may serve it.
// $ stands from now on for what was the last entry.
func (r *reading) wait(c *command.Call) {
	if !r.block {
		c.Out.NullArray()
		return
	}
	w := &command.Wait{
		Keys: r.keys, Type: value.TypeStream, Gone: r.grouped, UntilMs: r.untilMs,
		Null: (*resp.Writer).NullArray,
	}
	for i, mark := range r.marks {
		if isByte(mark, '$') {
			if w.Args == nil {
				w.Args = append([][]byte(nil), c.Args...)
			}
			w.Args[r.markAt+i] = r.ids[i].Append(nil)
		}
	}
	c.Block(w)
}

func xread(c *command.Call, tx *keyspace.ReadTx) {
	var r reading
	if err := r.read(c, false); err != nil {
		c.Fail(err)
		return
	}
	for i, key := range r.keys {
		s, err := keyspace.Find[*stream.Stream](tx, key)
		if err == nil {
			r.ids[i], err = readFrom(s, r.marks[i])
		}
		if err != nil {
			c.Fail(err)
			return
		}
	}
	m, n := c.Out.Begin(), 0
	for i, key := range r.keys {
		s, _ := keyspace.Find[*stream.Stream](tx, key)
		if s == nil || s.Len() == 0 || !r.ids[i].Less(s.Final()) {
			continue
		}
		beginStream(c, key)
		from, _ := r.ids[i].Next()
		replyEntries(c.Out, s.Ascend(from, stream.Highest), r.count)
		n++
	}
	if n == 0 {
		c.Out.Rewind(m)
		r.wait(c)
		return
	}
	endStreams(c, m, n)
}

// endStreams completes a reply with the entries of n streams, which to a client of
// RESP2 is a list of pairs.
func endStreams(c *command.Call, m resp.Mark, n int) {
	if c.Out.Proto < 3 {
		c.Out.EndArray(m, n)
	} else {
		c.Out.EndMap(m, n)
	}
}

// beginStream begins to reply with the entries of one of these.
func beginStream(c *command.Call, key []byte) {
	if c.Out.Proto < 3 {
		c.Out.Array(2)
	}
	c.Out.Bulk(key)
}

// readFrom is the ID behind which XREAD begins.
func readFrom(s *stream.Stream, mark []byte) (id stream.ID, err error) {
	switch {
	case isByte(mark, '$') && s == nil:
		return id, nil
	case isByte(mark, '$'):
		return s.Info().Last, nil
	case isByte(mark, '>'):
		return id, errReadNew
	}
	id, ok := parseID(mark, 0)
	if !ok {
		return id, errStreamID
	}
	return id, nil
}
