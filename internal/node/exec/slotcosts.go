package exec

import (
	"strconv"
	"sync/atomic"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/command/script"
	"github.com/skeindb/skein/internal/node/session"
)

// SlotCosts counts what the commands of each slot cost, for CLUSTER SLOT-STATS. It is
// off at first, and then costs commands one look at a pointer.
//
// A command counts when it has ended, with its slot, if it has one: a transaction or
// a script as one command, one that waits for a key when it is served. All methods may
// be called by any goroutine.
type SlotCosts struct {
	counting atomic.Pointer[slotCosts] // nil: off
	kept     atomic.Pointer[slotCosts] // what was counted last; nil: it was never on
	replicas func() int
}

type slotCosts [slot.Count]struct{ nanos, bytesIn, bytesOut atomic.Int64 }

// SlotCost is what the commands of one slot have cost.
type SlotCost struct {
	Micros   int64 // spent running them
	BytesIn  int64 // of the requests
	BytesOut int64 // of the replies, of messages to subscribers of shard channels, and of what replicas were sent
}

// Count turns counting on or off. What has been counted so far stays.
func (c *SlotCosts) Count(on bool) {
	if !on {
		c.counting.Store(nil)
		return
	}
	c.kept.CompareAndSwap(nil, new(slotCosts))
	c.counting.Store(c.kept.Load())
}

// Counting tells whether it is on.
func (c *SlotCosts) Counting() bool { return c.counting.Load() != nil }

// Kept tells whether it is on or was: there may be something to Forget.
func (c *SlotCosts) Kept() bool { return c.kept.Load() != nil }

// Of is what has been counted for a slot.
func (c *SlotCosts) Of(s uint16) SlotCost {
	all := c.kept.Load()
	if all == nil {
		return SlotCost{}
	}
	one := &all[s]
	return SlotCost{Micros: one.nanos.Load() / 1000, BytesIn: one.bytesIn.Load(), BytesOut: one.bytesOut.Load()}
}

// Forget begins again at 0 for one slot: it has changed hands.
func (c *SlotCosts) Forget(s uint16) {
	if all := c.kept.Load(); all != nil {
		all[s].nanos.Store(0)
		all[s].bytesIn.Store(0)
		all[s].bytesOut.Store(0)
	}
}

// Reset is CONFIG RESETSTAT.
func (c *SlotCosts) Reset() {
	for s := range uint16(slot.Count) {
		c.Forget(s)
	}
}

// add counts one command of a slot; -1: it has none.
func (c *SlotCosts) add(s int, nanos, bytesIn, bytesOut int64) {
	all := c.counting.Load()
	if all == nil || s < 0 {
		return
	}
	one := &all[s]
	one.nanos.Add(nanos)
	one.bytesIn.Add(bytesIn)
	one.bytesOut.Add(bytesOut)
}

// toReplicas is what n bytes of log are in all, on their way to so many replicas.
func (c *SlotCosts) toReplicas(n int) int64 {
	if n == 0 || c.replicas == nil {
		return 0
	}
	return int64(n) * int64(c.replicas())
}

// callCounted is call while SlotCosts counts. A script counts itself, since its slot may
// be that of the first key it meets (runner.counted).
func (e *Engine) callCounted(t *Turn, s *session.Session, spec *command.Spec, args [][]byte) {
	at := -1
	if !spec.Is(command.Scripted) && e.view() != nil {
		at = e.slotOf(t, s, spec, args)
	}
	if at < 0 {
		e.call(t, s, spec, args)
		return
	}
	mark, began := len(s.Out.Buf), t.began
	in := requestBytes(args)
	if spec == e.exec {
		in += int64(len(framing))
	}
	s.Tx.TakeLogged()
	e.call(t, s, spec, args)
	if s.Parked() || len(s.Retry) > 0 {
		return // it has not ended, or another goroutine has counted it
	}
	out := int64(len(s.Out.Buf)-min(mark, len(s.Out.Buf))) + e.Costs.toReplicas(s.Tx.TakeLogged()) + published(spec, args, s.Out.Buf[min(mark, len(s.Out.Buf)):])
	e.Costs.add(at, t.began-began, in, out)
}

// framing is the request that begins a transaction, which had no slot.
const framing = "*1\r\n$5\r\nmulti\r\n"

// slotOf is the slot of a command's keys or shard channels, -1 if it has none.
func (e *Engine) slotOf(t *Turn, s *session.Session, spec *command.Spec, args [][]byte) int {
	if i := spec.OnlyKey(); i > 0 && i < len(args) {
		return int(t.slotOf(args, i))
	}
	if keys := e.routed(t, s, spec, args); len(keys) > 0 {
		return int(slot.Of(keys[0]))
	}
	return -1
}

// countQueued counts the request of a command that waits for EXEC.
func (e *Engine) countQueued(t *Turn, s *session.Session, spec *command.Spec, args [][]byte) {
	if e.Costs.Counting() && e.view() != nil {
		e.Costs.add(e.slotOf(t, s, spec, args), 0, requestBytes(args), 0)
	}
}

// countWait counts a command that waited for keys and has got its reply.
func (e *Engine) countWait(s *session.Session, w *session.Waiting, reply int) {
	if e.Costs.Counting() && e.view() != nil {
		out := int64(reply) + e.Costs.toReplicas(s.Tx.TakeLogged())
		e.Costs.add(int(slot.Of(w.Args[firstKey(w)])), w.Nanos, requestBytes(w.Args), out)
	}
}

// counted counts the script, unless it may go to several slots or EXEC counts it.
func (r *runner) counted() {
	e := r.e
	if !e.Costs.Counting() || e.view() == nil || r.again || r.caller.InMulti() || r.job.Flags.Any(script.AllowCrossSlot) {
		return
	}
	out := int64(len(r.out.Buf)) + e.Costs.toReplicas(r.caller.Tx.TakeLogged())
	e.Costs.add(r.slot, e.Nanos()-r.began, requestBytes(r.args), out)
}

// requestBytes is how long a command is in RESP.
func requestBytes(args [][]byte) int64 {
	n := headBytes(len(args))
	for _, a := range args {
		n += bulkBytes(len(a))
	}
	return n
}

// headBytes is a line that begins with a type and has a number, bulkBytes a string with its line.
func headBytes(n int) int64 {
	var room [20]byte
	return int64(len(strconv.AppendInt(room[:0], int64(n), 10)) + len("*\r\n"))
}

func bulkBytes(n int) int64 { return headBytes(n) + int64(n) + int64(len("\r\n")) }

// published is what the subscribers here have been sent by SPUBLISH, which has answered
// how many they are.
func published(spec *command.Spec, args [][]byte, reply []byte) int64 {
	if spec.Name != "spublish" || len(reply) < len(":0\r\n") || reply[0] != byte(resp.Integer) {
		return 0
	}
	n, _ := resp.ParseInt(reply[1 : len(reply)-2])
	return n * (headBytes(3) + bulkBytes(len("smessage")) + bulkBytes(len(args[1])) + bulkBytes(len(args[2])))
}
