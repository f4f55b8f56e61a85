package clusterd

import (
	"github.com/skeindb/skein/internal/cluster/bus"
	"github.com/skeindb/skein/internal/cluster/core"
)

// apply does what the Effects of one Step ask for, in the order that package core gives. The caller holds d.mu, and all
// stripes if there is a Change. (Save, Deliver and History are the business of step and its callers: they need
// no order among themselves.)
func (d *Driver) apply(e *core.Effects) {
	var report []core.Event
	if e.Change.Any() {
		report = d.change(&e.Change)
	}
	for _, dial := range e.Dials {
		d.dial(dial)
	}
	for _, s := range e.Sends {
		d.send(s)
	}
	for _, id := range e.HangUps {
		d.hangUp(id)
	}
	if e.DropKeys != nil {
		for s := range e.DropKeys.All() {
			d.sweeps.put(s)
		}
	}
	if e.Unsubscribe != nil && d.opt.Unsubscribe != nil {
		d.chronicle.put(chapter{lost: e.Unsubscribe})
	}
	for _, ev := range report {
		d.step(ev, true)
	}
}

// change applies what must change together, under all stripes. It returns what the core must hear of it.
func (d *Driver) change(c *core.Change) (report []core.Event) {
	if c.Flush {
		call(d.opt.Flush)
	}
	switch c.Repl {
	case core.ReplPromote:
		call(d.opt.Promote)
	case core.ReplFollow:
		if c.Demoted {
			facts := d.facts()
			report = append(report, core.Demoted{Offset: facts.Offset, Acked: facts.Acked})
			if d.opt.Demoted != nil {
				d.opt.Demoted(c.Kept)
			}
		}
		if d.opt.Follow != nil {
			d.opt.Follow(c.Follow)
		}
	}
	switch c.Pause.Do {
	case core.PauseStart:
		if d.opt.Pause != nil {
			d.opt.Pause(int64(c.Pause.Until))
		}
		report = append(report, core.WritesPaused{Pause: c.Pause.ID, Offset: d.facts().Offset})
	case core.PauseEnd:
		call(d.opt.Unpause)
	}
	if c.View {
		v := d.node.View()
		d.forgetCosts(d.opt.View.Load(), v)
		d.opt.View.Store(v)
	}
	return report
}

func call(hook func()) {
	if hook != nil {
		hook()
	}
}

// facts is how replication stands.
func (d *Driver) facts() core.ReplicationFacts {
	if d.opt.Replication == nil {
		return core.ReplicationFacts{}
	}
	return d.opt.Replication()
}

// send gives a packet to the queue of its link, or lets it wait for the save that it announces.
func (d *Driver) send(s core.Send) {
	if s.After > d.saves.durable {
		d.saves.packets = append(d.saves.packets, s)
		return
	}
	if l := d.links[s.Link]; l != nil {
		l.put(bus.Append(nil, s.Msg)) // the core has left out what an old peer does not read
	}
}

func (d *Driver) hangUp(id core.Link) {
	if l := d.links[id]; l != nil {
		delete(d.links, id)
		l.close()
	}
}
