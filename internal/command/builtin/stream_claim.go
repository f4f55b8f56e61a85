package builtin

import (
	"math"
	"slices"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/data/stream"
	"github.com/skeindb/skein/internal/store/keyspace"
)

func streamClaimSpecs() []*command.Spec {
	return []*command.Spec{{
		Name: "xclaim", Group: "stream", Since: "5.0.0",
		Summary:    "Makes given entries that are pending for other consumers pending for one.",
		Complexity: "O(log N) with N being the number of messages in the PEL of the consumer group.",
		Arity:      -6, Flags: command.Write | command.Fast,
		Keys:  command.FirstKey(command.KeyRW | command.KeyUpdate),
		Tips:  []string{"nondeterministic_output"},
		Usage: "key group consumer min-idle-time id... [IDLE ms:integer] [TIME unix-time-milliseconds:unix-time] [RETRYCOUNT count:integer] [FORCE] [JUSTID] [LASTID lastid]",
		Write: xclaim,
	}, {
		Name: "xautoclaim", Group: "stream", Since: "6.2.0",
		Summary:    "Makes entries that are pending for other consumers pending for one, from an ID on.",
		Complexity: "O(1) if COUNT is small.",
		Arity:      -6, Flags: command.Write | command.Fast,
		Keys:    command.FirstKey(command.KeyRW | command.KeyDelete),
		Tips:    []string{"nondeterministic_output"},
		Usage:   "key group consumer min-idle-time start [COUNT count:integer] [JUSTID]",
		History: [][2]string{{"7.0.0", "The reply names the entries that were pending and are deleted."}},
		Write:   xautoclaim,
	}}
}

// claim is how entries change hands.
type claim struct {
	groupChange
	stream   *stream.Stream
	consumer string
	now      int64
	minIdle  int64
	justID   bool
	force    bool  // entries that are not pending, too
	retries  int64 // -1: as before, or one more
	at       int64 // when they count as delivered, Unix ms
	made     int   // how many have changed hands
}

// begin finds the consumer, or makes it.
func (cl *claim) begin(name []byte) {
	cl.groupChange.consumer(name, cl.now)
	cl.consumer = cl.group.Consumer(name).Name()
}

// idle tells whether it is long enough that an entry was delivered.
func (cl *claim) idle(p stream.Pending) bool {
	return cl.minIdle == 0 || cl.now-p.Delivered >= cl.minIdle
}

// forget takes a deleted entry from those pending.
func (cl *claim) forget(id []byte, p stream.Pending) {
	cl.claimed(id, p)
	cl.group.Ack(p.ID)
	cl.tx.DirtyKey(cl.key)
}

// take makes an entry, which is there, the consumer's, and replies with it. text is its
// ID as it is logged.
func (cl *claim) take(c *command.Call, text []byte, p stream.Pending) {
	p.Consumer, p.Delivered = cl.consumer, cl.at
	switch {
	case cl.retries >= 0:
		p.Count = uint64(cl.retries)
	case !cl.justID:
		p.Count++
	}
	cl.group.Deliver(p)
	if cl.justID {
		replyID(c.Out, p.ID)
	} else {
		replyEntryAt(c.Out, cl.stream, p.ID)
	}
	cl.claimed(text, p)
	cl.tx.DirtyKey(cl.key)
	cl.made++
}

// end notes that the consumer was active if it got anything.
func (cl *claim) end() {
	if cl.made > 0 {
		cl.group.Touch([]byte(cl.consumer), cl.now, cl.now)
	}
}

func errIdle(c *command.Call) command.Error {
	if c.Spec.Name == "xclaim" {
		return "ERR Invalid min-idle-time argument for XCLAIM"
	}
	return "ERR Invalid min-idle-time argument for XAUTOCLAIM"
}

const (
	errClaimIdle  command.Error = "ERR Invalid IDLE option argument for XCLAIM"
	errClaimTime  command.Error = "ERR Invalid TIME option argument for XCLAIM"
	errClaimRetry command.Error = "ERR Invalid RETRYCOUNT option argument for XCLAIM"
	errClaimCount command.Error = "ERR COUNT must be > 0"
)

// read reads what follows the consumer in XCLAIM.
func (cl *claim) read(c *command.Call) (ids []stream.ID, last stream.ID, err error) {
	a := c.Parse(4)
	cl.minIdle = max(a.IntOr(math.MinInt64, math.MaxInt64, errIdle(c)), 0)
	for a.More() {
		id, ok := parseID(a.Peek(), 0)
		if !ok {
			break
		}
		ids = append(ids, id)
		a.Next()
	}
	cl.at, cl.retries = c.Now, -1
	for a.More() {
		switch {
		case a.Is("FORCE"):
			cl.force = true
		case a.Is("JUSTID"):
			cl.justID = true
		case a.IsWith("IDLE", 1):
			cl.at = c.Now - a.IntOr(math.MinInt64, math.MaxInt64, errClaimIdle)
		case a.IsWith("TIME", 1):
			cl.at = a.IntOr(math.MinInt64, math.MaxInt64, errClaimTime)
		case a.IsWith("RETRYCOUNT", 1):
			cl.retries = a.IntOr(math.MinInt64, math.MaxInt64, errClaimRetry)
		case a.IsWith("LASTID", 1):
			last = strictID(&a)
		default:
			a.Fail(command.Errorf("ERR Unrecognized XCLAIM option '%s'", a.Next()))
		}
	}
	if cl.at < 0 || cl.at > c.Now {
		cl.at = c.Now
	}
	return ids, last, a.Err()
}

func xclaim(c *command.Call, tx *keyspace.WriteTx) {
	change, ok := openClaim(c, tx)
	if !ok {
		return
	}
	cl := claim{now: c.Now, stream: change.Value}
	ids, last, err := cl.read(c)
	if err != nil {
		c.Fail(err)
		return
	}
	tx.Silent() // what came of it is logged
	cl.groupChange = groupChange{tx, c.Args[1], c.Args[2], change.Value.Edit(c.Args[2])}
	moved := cl.group.Last.Less(last)
	if moved {
		cl.group.Last = last
	}
	cl.begin(c.Args[3])
	m := c.Out.BeginArray()
	for i, id := range ids {
		if cl.one(c, c.Args[5+i], id) {
			moved = false // the claim told it
		}
	}
	cl.end()
	if moved {
		cl.moved()
		tx.DirtyKey(cl.key)
	}
	change.Keep()
	c.Out.EndArray(m, cl.made)
}

// one claims one entry, and tells whether anything was logged.
func (cl *claim) one(c *command.Call, text []byte, id stream.ID) bool {
	p, pending := cl.group.PendingAt(id)
	switch {
	case !cl.stream.Has(id):
		if pending {
			cl.forget(text, p)
		}
		return pending
	case !pending && !cl.force, pending && !cl.idle(p):
		return false
	case !pending:
		p = stream.Pending{ID: id, Count: 1}
	}
	cl.take(c, text, p)
	return true
}

// openClaim opens the stream whose entries are claimed. False means that the error was
// replied.
func openClaim(c *command.Call, tx *keyspace.WriteTx) (streamChange, bool) {
	change, ok := openRead(c, tx, c.Args[1])
	if ok && (!change.Found() || change.Value.Group(c.Args[2]) == nil) {
		c.Fail(errNoGroup(c.Args[1], c.Args[2]))
		ok = false
	}
	return change, ok
}

// autoClaim is a claim of all entries pending from one ID on.
type autoClaim struct {
	claim
	start   stream.ID
	count   int64
	deleted []stream.ID
}

// looked is how many entries XAUTOCLAIM looks at for each that it may claim.
const looked = 10

func (cl *autoClaim) read(c *command.Call) error {
	a := c.Parse(4)
	cl.minIdle = max(a.IntOr(math.MinInt64, math.MaxInt64, errIdle(c)), 0)
	cl.start = startID(&a)
	cl.count, cl.retries, cl.at = 100, -1, c.Now
	for a.More() {
		switch {
		case a.IsWith("COUNT", 1):
			cl.count = a.IntOr(1, math.MaxInt64/16, errClaimCount)
		case a.Is("JUSTID"):
			cl.justID = true
		default:
			a.Syntax()
		}
	}
	return a.Err()
}

func xautoclaim(c *command.Call, tx *keyspace.WriteTx) {
	r, _ := tx.Get(c.Args[1]) // redis looks before it reads its arguments
	var cl autoClaim
	if err := cl.read(c); err != nil {
		c.Fail(err)
		return
	}
	var change streamChange
	err := change.OpenAt(tx, r, c.Args[1])
	if err == nil && (!change.Found() || change.Value.Group(c.Args[2]) == nil) {
		err = errNoGroup(c.Args[1], c.Args[2])
	}
	if err != nil {
		c.Fail(err)
		return
	}
	tx.Silent() // what came of it is logged
	cl.now, cl.stream = c.Now, change.Value
	cl.groupChange = groupChange{tx, c.Args[1], c.Args[2], change.Value.Edit(c.Args[2])}
	cl.begin(c.Args[3])
	cl.run(c)
	cl.end()
	change.Keep()
}

// run claims and replies. Where to go on stands first, and is known last.
func (cl *autoClaim) run(c *command.Call) {
	c.Out.Array(3)
	head := len(c.Out.Buf)
	m := c.Out.BeginArray()
	next := cl.walk(c)
	c.Out.EndArray(m, cl.made)
	c.Out.Array(len(cl.deleted))
	for _, id := range cl.deleted {
		replyID(c.Out, id)
	}
	c.Out.Buf = slices.Insert(c.Out.Buf, head, resp.AppendBulkString(nil, next.String())...)
}

// walk claims what it may and returns the ID where to go on, zero if that was all.
func (cl *autoClaim) walk(c *command.Call) stream.ID {
	p, ok := cl.group.PendingNext(cl.start)
	for attempts := cl.count * looked; attempts > 0 && cl.count > 0 && ok; attempts-- {
		var text [41]byte
		switch {
		case !cl.stream.Has(p.ID):
			cl.forget(p.ID.Append(text[:0]), p)
			cl.deleted = append(cl.deleted, p.ID)
			cl.count--
		case cl.idle(p):
			cl.take(c, p.ID.Append(text[:0]), p)
			cl.count--
		}
		behind, more := p.ID.Next()
		if !more {
			return stream.ID{}
		}
		p, ok = cl.group.PendingNext(behind)
	}
	if !ok {
		return stream.ID{}
	}
	return p.ID
}
