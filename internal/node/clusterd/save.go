package clusterd

import (
	"slices"

	"github.com/skeindb/skein/internal/cluster/core"
)

// saves is what was asked of nodes.conf, what of it is on disk, and what waits for the rest. d.mu guards it.
type saves struct {
	bell    chan struct{}
	asked   core.SaveSeq // the newest save asked for
	must    core.SaveSeq // the newest that must not fail
	durable core.SaveSeq
	packets []core.Send
	replies []waiter
}

// waiter is told when a save is on disk, or why it is not.
type waiter struct {
	save core.SaveSeq
	done func(error)
}

// ask notes that a save is wanted, and rings for the saver.
func (s *saves) ask(seq core.SaveSeq, must bool) {
	s.asked = seq
	if must {
		s.must = seq
	}
	select {
	case s.bell <- struct{}{}:
	default:
	}
}

// save is the saver: it writes nodes.conf as often as it is asked to, several saves at once while the disk is slow.
func (d *Driver) save() {
	for {
		select {
		case <-d.quit:
			d.saveNow()
			return
		case <-d.saves.bell:
		}
		if !d.saveNow() {
			return
		}
	}
}

// saveNow writes what is not on disk yet. It reports false if that failed and the node must end.
func (d *Driver) saveNow() bool {
	d.mu.Lock()
	if d.saves.asked <= d.saves.durable {
		d.mu.Unlock()
		return true
	}
	state, seq := d.node.State()
	must := d.saves.must > d.saves.durable
	d.mu.Unlock()
	err := d.store.Save(&state)
	if err != nil && must {
		d.opt.Fatal(err)
		return false
	}
	// A SAVECONFIG that failed changed nothing: what the core had to keep is on disk since before.
	d.saved(seq, err)
	return true
}

// saved tells the core what is durable, and lets go what waited for it.
func (d *Driver) saved(seq core.SaveSeq, err error) {
	d.mu.Lock()
	d.saves.durable = seq
	if !d.stopped {
		d.step(core.Saved{Seq: seq}, false)
	}
	d.release()
	var ready []waiter
	d.saves.replies = slices.DeleteFunc(d.saves.replies, func(w waiter) bool {
		if w.save > seq {
			return false
		}
		ready = append(ready, w)
		return true
	})
	waiting := len(d.queue) > 0
	d.mu.Unlock()
	if waiting {
		d.finish()
	}
	for _, w := range ready {
		w.done(err)
	}
}

// release sends the packets whose save is durable. It comes right behind the event Saved, with the mutex held in
// between, and goes through the queue: a heartbeat that still makes the older claim must not overtake the news.
func (d *Driver) release() {
	var ready core.Effects
	d.saves.packets = slices.DeleteFunc(d.saves.packets, func(s core.Send) bool {
		if s.After > d.saves.durable {
			return false
		}
		ready.Sends = append(ready.Sends, s)
		return true
	})
	if len(d.queue) > 0 {
		d.queue = append(d.queue, ready)
	} else {
		d.apply(&ready)
	}
}

// whenSaved calls done as soon as the save is on disk, which may be at once. The caller holds d.mu.
func (d *Driver) whenSaved(seq core.SaveSeq, done func(error)) {
	d.saves.replies = append(d.saves.replies, waiter{seq, done})
}
