package sim

import (
	"fmt"

	"github.com/skeindb/skein/internal/cluster/core"
)

// What administrators do in several steps, with the network between them and the nodes, and with faults between the steps.
// Each procedure goes on without looking back, as scripts and impatient people do, and some end in the middle.

// steps runs one step after the other with pauses between them; a step that returns an error is tried again, 20 times.
func (w *World) steps(pause Span, list ...func() error) {
	round := w.round
	var next func(i, tries int)
	next = func(i, tries int) {
		if i == len(list) || w.round != round {
			return
		}
		if list[i]() == nil {
			i, tries = i+1, 0
		} else if tries++; tries > 20 {
			return
		}
		w.call(pause.draw(w.rnd), func() { next(i, tries) })
	}
	next(0, 0)
}

var adminPause = Span{5 * Millisecond, 200 * Millisecond}

// ownerOf is who owns a slot, as most of those that run believe that own it themselves.
func (w *World) ownerOf(slot uint16) *server {
	var owner *server
	var epoch uint64
	for _, s := range w.servers {
		if s.core != nil && s.core.OwnerOf(slot) == s.id {
			if g := s.core.Glance(); !g.Replica && (owner == nil || g.ConfigEpoch > epoch) {
				owner, epoch = s, g.ConfigEpoch
			}
		}
	}
	return owner
}

// moveSlot is a slot migration: IMPORTING, MIGRATING, NODE at the target, NODE at the source.
func moveSlot(w *World, a words) {
	number, to := int64(a.number(0)), a.server(w, 1)
	from := w.ownerOf(uint16(number))
	if from == nil || to == nil || from == to {
		return
	}
	setslot := func(at *server, do core.SlotAction, node *server) func() error {
		return func() error {
			w.ask(at, core.SetSlot{Slot: number, Action: do, Node: node.id.String()})
			return nil
		}
	}
	list := []func() error{
		setslot(to, core.SlotImporting, from),
		setslot(from, core.SlotMigrating, to),
		setslot(to, core.SlotNode, to),
		setslot(from, core.SlotNode, to),
	}
	who := []*server{to, from, to, from}
	n := min(max(a.number(2), 0), len(list))
	list = list[:n]
	if a.word(3) == "crash" && n > 0 {
		list = append(list, func() error {
			w.kill(who[n-1], false)
			w.call(Span{0, 10 * Second}.draw(w.rnd), func() { w.revive(who[n-1], "") })
			return nil
		})
	}
	w.steps(adminPause, list...)
}

// forget takes a node that owns nothing out of the cluster.
func forget(w *World, a words) {
	s := a.server(w, 0)
	if s == nil || s.core != nil && owns(s) {
		return
	}
	w.disturb(s)
	switch a.word(1) {
	case "kill":
		w.kill(s, false)
		s.gone = true
	case "wipe":
		w.ask(s, core.Reset{Hard: true})
	}
	w.forgetEverywhere(s.id.String(), s)
}

// forgetEverywhere tells every node within a second.
func (w *World) forgetEverywhere(id string, but *server) {
	for _, s := range w.servers {
		if s == but {
			continue
		}
		w.call(Span{0, Second}.draw(w.rnd), func() {
			if s.core != nil {
				w.ask(s, core.Forget{Node: id})
			}
		})
	}
}

func addOne(w *World, a words) {
	s := w.addServer(a.word(0))
	s.start()
	w.joinThroughAny(s)
}

// joinThroughAny tells somebody who belongs to a cluster to meet s, until s knows others.
func (w *World) joinThroughAny(s *server) {
	w.steps(Span{100 * Millisecond, 2 * Second}, func() error {
		if s.core == nil || s.core.Glance().Known > 2 {
			return nil
		}
		for range 3 {
			if o := w.servers[w.rnd.IntN(len(w.servers))]; o != s && o.core != nil && o.core.Glance().Known > 1 {
				w.meet(o, s)
			}
		}
		return errNoAnswer
	})
}

// replace is a rolling replacement of one server by another.
func replace(w *World, a words) {
	old := a.server(w, 0)
	if old == nil || old.core == nil {
		return
	}
	s := w.addServer(a.word(1))
	s.start()
	w.joinThroughAny(s)
	oldID := old.id
	w.steps(Span{100 * Millisecond, Second},
		func() error { // follow the master of the shard
			g := s.core.Glance()
			master := oldID
			if old.core != nil && old.core.Glance().Replica {
				master = old.core.Glance().Master
			}
			if g.Replica {
				return nil
			}
			return w.ask(s, core.Replicate{Node: master.String()})
		},
		func() error { // take over, if the old one is the master
			if s.core == nil || !s.repl.up {
				return errNoAnswer
			}
			if s.core.Glance().Replica && s.repl.master == old {
				w.ask(s, core.Failover{})
				return fmt.Errorf("not yet")
			}
			return nil
		},
		func() error {
			if old.core != nil && owns(old) || s.core == nil {
				return errNoAnswer
			}
			w.kill(old, false)
			old.gone = true
			w.forgetEverywhere(oldID.String(), old)
			return nil
		})
}

// form makes strangers a cluster, as redis-cli --cluster create does: epochs, slots, MEETs through the first, replicas.
func (w *World) form() {
	first := w.servers[0]
	w.call(200*Millisecond, func() {
		for i, s := range w.servers[:w.opt.Masters] {
			r := share(i, w.opt.Masters)
			w.ask(s, core.SetConfigEpoch{Epoch: int64(i + 1)})
			w.ask(s, core.AddSlotRanges{Ranges: [][2]int64{{int64(r.Start), int64(r.End)}}})
		}
	})
	for i, s := range w.servers[1:] {
		w.call(300*Millisecond+Time(i)*5*Millisecond, func() { w.meet(first, s) })
	}
	for i, s := range w.servers[w.opt.Masters:] {
		w.follows(s, w.servers[i%w.opt.Masters])
	}
}

// follows asks s to replicate a master as soon as it knows it.
func (w *World) follows(s, master *server) {
	round := w.round
	var try func()
	try = func() {
		if w.round != round || s.gone {
			return
		}
		if s.core != nil {
			if _, known := s.core.Knows(master.id); known && w.ask(s, core.Replicate{Node: master.id.String()}) == nil {
				return
			}
		}
		w.call(500*Millisecond, try)
	}
	w.call(500*Millisecond, try)
}
