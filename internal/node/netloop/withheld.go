package netloop

import (
	"math"
	"slices"

	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/node/exec"
	"github.com/skeindb/skein/internal/node/session"
)

// Replies that wait for replicas (exec/sync.go). The output of a connection is
// withheld from the first such reply on:
//
//	made by the session   reply | reply owed to offset 120 | reply | reply owed to 160 | reply
//	                      leaves  withheld ──────────────────────────────────────────────────
//	acknowledged: 130     leaves  leaves                     leaves  withheld ───────────────
//
// A loop waits for one offset at a time, the lowest that is owed: what replicas
// acknowledge meanwhile is paid at once when they do.

// withheld is the output of one connection that may not leave yet.
type withheld struct {
	bytes []byte
	owed  []session.Owed // in order; From and To count from the beginning of bytes
}

// add appends output, and what is owed in it, counted from the beginning of made.
func (w *withheld) add(made []byte, owed []session.Owed) {
	shift := len(w.bytes)
	w.bytes = append(w.bytes, made...)
	for _, o := range owed {
		o.From, o.To = o.From+shift, o.To+shift
		w.owed = append(w.owed, o)
	}
}

// release appends to out what may leave, up to the first reply that is unpaid, and
// keeps the rest. A reply that is lost is replaced by an error.
func (w *withheld) release(out []byte, settle func(*session.Owed) exec.Debt) []byte {
	at, i := 0, 0
	for ; i < len(w.owed); i++ {
		o := &w.owed[i]
		debt := settle(o)
		if debt == exec.Unpaid {
			break
		}
		if debt == exec.Lost {
			out = append(out, w.bytes[at:o.From]...)
			out = appendError(out, exec.ErrUncertain)
			at = o.To
		}
	}
	end := len(w.bytes)
	if i < len(w.owed) {
		end = w.owed[i].From
	}
	out = append(out, w.bytes[at:end]...)
	w.bytes = slices.Delete(w.bytes, 0, end)
	w.owed = slices.Delete(w.owed, 0, i)
	for j := range w.owed {
		w.owed[j].From -= end
		w.owed[j].To -= end
	}
	return out
}

func appendError(out []byte, text string) []byte {
	w := resp.Writer{Buf: out}
	w.Error(text)
	return w.Buf
}

func lost(*session.Owed) exec.Debt { return exec.Lost }

// debtors are the connections of a loop with withheld output.
type debtors struct {
	conns  []*conn
	fresh  bool   // some came or went since collect
	cancel func() // of the wait under way, nil if there is none

	paid int64  // the greatest offset that a wait was told is acknowledged
	in   uint32 // in this reign
}

// withhold keeps made, the session's latest output, behind what is withheld already.
func (l *Loop) withhold(c *conn, made []byte) {
	w := c.withheld
	if w == nil {
		w = &withheld{}
		c.withheld = w
		l.debtors.conns = append(l.debtors.conns, c)
	}
	w.add(made, c.s.Owed)
	c.s.Owed = c.s.Owed[:0]
	l.debtors.fresh = true
}

// collect lets leave what replicas have acknowledged, and waits for more. A loop
// calls it at the end of a turn in which something was withheld.
func (l *Loop) collect() {
	d := &l.debtors
	d.fresh = false
	in := l.opt.Engine.Reign()
	acked := l.opt.Acked()
	if d.in == in {
		acked = max(acked, d.paid)
	}
	settle := func(o *session.Owed) exec.Debt { return l.opt.Engine.Settle(o, acked, in) }
	lowest := int64(math.MaxInt64)
	d.conns = slices.DeleteFunc(d.conns, func(c *conn) bool {
		if !l.live(c) {
			return true
		}
		l.repay(c, settle)
		if !l.live(c) || c.withheld == nil {
			return true
		}
		lowest = min(lowest, c.withheld.owed[0].Offset)
		return false
	})
	switch {
	case len(d.conns) == 0:
		d.end()
	case d.cancel == nil:
		d.cancel = l.opt.Await(lowest, func() { l.Do(func() { l.acknowledged(lowest, in) }) })
	}
}

// end ends the wait under way.
func (d *debtors) end() {
	if d.cancel != nil {
		d.cancel()
		d.cancel = nil
	}
}

// gone says that a connection is closed: if it was a debtor, perhaps nobody waits any more.
func (d *debtors) gone(c *conn) { d.fresh = d.fresh || c.withheld != nil }

// acknowledged is the end of a wait.
func (l *Loop) acknowledged(offset int64, in uint32) {
	d := &l.debtors
	if d.cancel = nil; d.in == in {
		offset = max(offset, d.paid)
	}
	d.paid, d.in = offset, in
	l.collect()
}

// Reconsider looks anew at what is withheld: the node has become a replica, or
// another number of replicas is wanted. Safe from any goroutine.
func (l *Loop) Reconsider() {
	l.Do(func() {
		l.debtors.end()
		l.collect()
	})
}
