package clusterd

import (
	"bytes"
	"time"

	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/topology"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// Keys of a slot that this node lost are hidden from clients from the moment of the view on. The sweeper unlinks them
// a few at a time, so that it never holds a stripe for long, and logs each as deleted.

const (
	sweepKeys  = 64
	sweepPause = 100 * time.Millisecond // before another look while nothing may enter the log
)

var (
	wordDel    = []byte("DEL")
	wordUnlink = []byte("UNLINK")
)

// sweep is the sweeper.
func (d *Driver) sweep() {
	for slots := d.sweeps.take(); slots != nil; slots = d.sweeps.take() {
		for _, s := range slots {
			for !d.quits() && d.sweepSome(s) {
			}
		}
	}
}

// quits tells whether the Driver stops. What is not swept then is found at the next start, in slots of others.
func (d *Driver) quits() bool {
	select {
	case <-d.quit:
		return true
	default:
		return false
	}
}

// bell is a sweeper that waits for a stripe.
type bell chan struct{}

// Wake implements keyspace.Waker.
func (b bell) Wake() { close(b) }

// sweepSome removes some keys of a slot. It reports whether there may be more.
func (d *Driver) sweepSome(s uint16) bool {
	ks := d.opt.Keyspace
	var hold keyspace.Hold
	hold.Reset(ks)
	hold.AddSlot(s)
	free := make(bell)
	if !ks.Acquire(&hold, free) {
		return d.await(free, 0)
	}
	more, frozen := false, ks.Frozen.Load()
	if !frozen && d.isLost(s) {
		more = d.dropKeys(&hold, s)
	}
	ks.Release(&hold)
	if frozen {
		return d.await(nil, sweepPause)
	}
	return more
}

// await waits for a stripe or for some time. It reports false if the Driver stops.
func (d *Driver) await(free bell, most time.Duration) bool {
	var after <-chan time.Time
	if most > 0 {
		after = time.After(most)
	}
	select {
	case <-free:
	case <-after:
	case <-d.quit:
		return false
	}
	return true
}

// isLost tells, under the slot's stripe, whether its keys are still of no use: the slot may have come back, be on its
// way to us, or we may follow a master, whose data set replaces ours.
func (d *Driver) isLost(s uint16) bool {
	v := d.opt.View.Load()
	if v.Owners[s] == v.Me || v.Owners[s] == topology.NoNode || v.Nodes[v.Me].Master != topology.NoNode {
		return false
	}
	for _, o := range v.Open {
		if o.Slot == s && o.Importing {
			return false
		}
	}
	return true
}

// dropKeys removes up to sweepKeys keys of a slot whose stripe is held.
func (d *Driver) dropKeys(hold *keyspace.Hold, s uint16) (more bool) {
	var tx keyspace.WriteTx
	tx.Begin(d.opt.Keyspace, hold, 0, int64(d.now()), keyspace.SeeExpired|keyspace.NoTouch)
	word := wordDel
	if d.opt.LazyDelete != nil && d.opt.LazyDelete() {
		word = wordUnlink
	}
	var keys [][]byte
	tx.ScanSlot(s, func(r keyspace.Ref) bool {
		keys = append(keys, bytes.Clone(r.Key()))
		return len(keys) < sweepKeys
	})
	for _, key := range keys {
		if tx.Delete(key) {
			tx.Propagate(word, key)
			tx.Notify(keyspace.EventGeneric, "del", key)
			tx.EndCommand(nil)
		}
	}
	tx.Commit(nil)
	return len(keys) == sweepKeys
}

// slotsWithKeys lists the slots that hold keys.
func (d *Driver) slotsWithKeys() *slot.Set {
	found := new(slot.Set)
	for s := range uint16(slot.Count) {
		if d.opt.Keyspace.SlotSize(s) > 0 {
			found.Add(s)
		}
	}
	return found
}
