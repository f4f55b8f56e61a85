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
		d.log.Warn("Fatal: can't update cluster config file.", "err", err)
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
	packets := d.saves.packets
	d.saves.packets = nil
	for _, s := range packets {
		d.send(s) // or wait again
	}
	var ready []waiter
	d.saves.replies = slices.DeleteFunc(d.saves.replies, func(w waiter) bool {
		if w.save > seq {
			return false
		}
		ready = append(ready, w)
		return true
	})
	d.mu.Unlock()
	d.happen(core.Saved{Seq: seq})
	for _, w := range ready {
		w.done(err)
	}
}

// whenSaved calls done as soon as the save is on disk, which may be at once. The caller holds d.mu.
func (d *Driver) whenSaved(seq core.SaveSeq, done func(error)) {
	d.saves.replies = append(d.saves.replies, waiter{seq, done})
}
