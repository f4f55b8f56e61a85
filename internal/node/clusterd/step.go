package clusterd

import (
	"slices"

	"github.com/skeindb/skein/internal/cluster/core"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// outcome is what the author of an event needs to know of its Effects.
type outcome struct {
	reply   string       // to the administrator, "": OK
	save    core.SaveSeq // which must be durable before the reply, 0: none
	deliver bool         // the PUBLISH is to be delivered
	dropped bool         // the packet was dropped by the filter of DEBUG
}

// step gives the core an event and applies, in order, what it and its predecessors ask for, as far as that is
// possible. The caller holds d.mu; all says that it holds all stripes too. The error is the core's.
func (d *Driver) step(ev core.Event, all bool) (outcome, error) {
	now := d.now()
	d.flight.add(flown{now, ev})
	err := d.node.Step(now, ev, &d.out)
	d.recordStep(now, ev, err)
	if err != nil {
		return outcome{}, err
	}
	e := &d.out
	o := outcome{reply: e.Reply, save: e.Save.Seq, deliver: e.Deliver}
	if _, mark := ev.(core.SetSlot); mark && !e.Save.Fsync {
		o.save = 0 // redis leaves it to the kernel, and a reshard sets thousands of marks
	}
	for i := range e.History {
		o.dropped = o.dropped || e.History[i].What == core.PacketDropped
	}
	if e.Save.Seq != 0 {
		_, optional := ev.(core.SaveConfig)
		d.saves.ask(e.Save.Seq, !optional)
	}
	d.record(e)
	if len(d.queue) > 0 || e.Change.Any() && !all {
		d.queue = append(d.queue, keep(e))
	} else {
		d.apply(e)
	}
	if all {
		d.empty()
	}
	d.settle()
	return o, nil
}

// keep copies Effects, whose slices belong to the next Step.
func keep(e *core.Effects) core.Effects {
	kept := *e
	kept.Dials, kept.Sends, kept.HangUps = slices.Clone(e.Dials), slices.Clone(e.Sends), slices.Clone(e.HangUps)
	kept.History = nil // recorded already
	return kept
}

// empty applies all of the queue. The caller holds d.mu and all stripes.
func (d *Driver) empty() {
	for len(d.queue) > 0 {
		e := d.queue[0]
		d.queue = d.queue[1:]
		d.apply(&e)
	}
	d.queue = nil
}

// settle looks, after the core has changed, whether somebody must be woken: the ticker for an earlier deadline,
// replication for an offset that is awaited.
func (d *Driver) settle() {
	if d.node.Deadline() < d.armed {
		d.nudge()
	}
	if offset, ok := d.node.AwaitedOffset(); ok {
		if d.awaited.Store(offset); d.facts().Offset == offset { // reached before the core came to wait for it
			d.nudge()
		}
	} else {
		d.awaited.Store(nobodyWaits)
	}
}

// nudge makes the ticker look what there is to do.
func (d *Driver) nudge() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// happen steps the core with an event of a goroutine that holds no lock, and takes the stripes if they are needed.
func (d *Driver) happen(ev core.Event) {
	d.mu.Lock()
	if !d.stopped {
		d.step(ev, false) // such events never fail
	}
	waiting := len(d.queue) > 0
	d.mu.Unlock()
	if waiting {
		d.finish()
	}
}

// post is happen for those who may hold stripes already: what needs them is left to the ticker.
func (d *Driver) post(ev core.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopped {
		return
	}
	d.step(ev, false)
	if len(d.queue) > 0 {
		d.nudge()
	}
}

// finish applies what waits for the stripes. The caller holds no lock.
func (d *Driver) finish() {
	var all keyspace.Hold
	d.opt.Keyspace.AcquireAll(&all)
	d.mu.Lock()
	d.empty()
	d.settle()
	d.mu.Unlock()
	d.opt.Keyspace.Release(&all)
}
