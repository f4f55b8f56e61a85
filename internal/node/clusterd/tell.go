package clusterd

import (
	"github.com/skeindb/skein/internal/base/resp"
	"github.com/skeindb/skein/internal/cluster/bus"
	"github.com/skeindb/skein/internal/cluster/core"
	"github.com/skeindb/skein/internal/command"
)

// CLUSTER EVENTS and CLUSTER EXPLAIN are ours. Both answer maps, which are flat arrays of names and values in RESP2: so
// redis-cli shows them line by line as it does CLUSTER LINKS, and a program finds what it looks for by name. A name
// never changes its meaning; more may come.

// events answers the last records of the event history, the oldest first: each a map that begins with time (Unix ms),
// epoch, event and level and ends with text, the line of the log.
func (d *Driver) events(c *command.Call) {
	count, since := int64(historyLen), int64(0)
	a := c.Parse(2)
	for a.More() {
		switch {
		case a.Is("COUNT"):
			count = a.Int()
		case a.Is("SINCE"):
			since = a.Int()
		default:
			c.Fail(command.Error(command.ErrSyntax))
			return
		}
	}
	switch err := a.Err(); {
	case err != nil:
		c.Fail(err)
		return
	case count < 0:
		c.Out.Error("ERR COUNT must not be negative")
		return
	}
	records := d.History()
	for len(records) > 0 && int64(records[0].At) < since {
		records = records[1:]
	}
	records = records[max(0, int64(len(records))-count):]
	c.Out.Array(len(records))
	for _, r := range records {
		writeFields(c.Out, r.Fields())
	}
}

// explain answers why the cluster is not ok, or that it is:
//
//	state      ok or fail, as in CLUSTER INFO
//	since      Unix ms at which it became so
//	summary    a sentence
//	problems   an array of maps, empty if all is well:
//	    problem    slots-without-owner, owner-failed, owner-suspected, minority, master-unknown, replication-down, waiting
//	    text       a sentence
//	    since      Unix ms, 0 if unknown
//	    slots      "0-5460 7000"
//	    fault      an array of maps: id, name, address of the nodes whose fault it is
//	    heirs      an array of maps: id, name, address, offset, behind (bytes), blocked ("": nothing blocks it)
//	    command    what would mend it, "" if it is to wait or to bring nodes back
//	    at         the address of the node that takes the command, "" if it is one of the shell
func (d *Driver) explain(c *command.Call) {
	d.mu.Lock()
	x := d.node.Explain(d.now())
	d.mu.Unlock()
	c.Out.Map(4)
	writePair(c.Out, "state", x.State.String())
	writeNumber(c.Out, "since", int64(x.Since))
	writePair(c.Out, "summary", summary(&x))
	c.Out.BulkString("problems")
	c.Out.Array(len(x.Problems))
	for i := range x.Problems {
		writeProblem(c.Out, &x.Problems[i])
	}
}

func summary(x *core.Explanation) string {
	switch {
	case len(x.Problems) > 0 && x.State == bus.StateOK:
		return "The cluster is up for this node, but not all is well. " + x.Problems[0].Text
	case len(x.Problems) > 0:
		return "The cluster is down for this node. " + x.Problems[0].Text
	}
	return "The cluster is ok: all slots are served, and this node sees no other failing."
}

func writeProblem(w *resp.Writer, p *core.Problem) {
	w.Map(8)
	writePair(w, "problem", p.Kind)
	writePair(w, "text", p.Text)
	writeNumber(w, "since", int64(p.Since))
	writePair(w, "slots", p.SlotList())
	w.BulkString("fault")
	w.Array(len(p.Fault))
	for i := range p.Fault {
		w.Map(3)
		writeParty(w, &p.Fault[i])
	}
	w.BulkString("heirs")
	w.Array(len(p.Heirs))
	for i := range p.Heirs {
		h := &p.Heirs[i]
		w.Map(6)
		writeParty(w, &h.Party)
		writeNumber(w, "offset", h.Offset)
		writeNumber(w, "behind", h.Behind)
		writePair(w, "blocked", h.Blocked)
	}
	writePair(w, "command", p.Command)
	writePair(w, "at", p.At)
}

func writeParty(w *resp.Writer, p *core.Party) {
	writePair(w, "id", p.ID.String())
	writePair(w, "name", p.Name)
	writePair(w, "address", p.Address)
}

func writePair(w *resp.Writer, name, value string) {
	w.BulkString(name)
	w.BulkString(value)
}

func writeNumber(w *resp.Writer, name string, value int64) {
	w.BulkString(name)
	w.Int(value)
}
