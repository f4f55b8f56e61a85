package clusterd

import (
	"time"

	"github.com/skeindb/skein/internal/cluster/core"
)

// tick lets time pass for the core, and does what others left to the ticker.
func (d *Driver) tick() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var last core.ReplicationFacts
	for {
		select {
		case <-d.quit:
			return
		case <-d.wake:
		case <-timer.C:
		}
		d.Send()
		d.mu.Lock()
		if facts := d.facts(); facts != last && !d.stopped && len(d.queue) == 0 { // else they may be of the role before
			last = facts
			d.step(facts, false)
		}
		d.closeFullLinks()
		if d.now() >= d.node.Deadline() && !d.stopped {
			d.step(core.Tick{}, false)
		}
		waiting := len(d.queue) > 0
		d.armed = d.node.Deadline()
		wait := time.Duration(d.armed-d.now()) * time.Millisecond
		d.mu.Unlock()
		if waiting {
			d.finish()
		}
		timer.Reset(max(wait, 0))
	}
}

// ReplicationMoved tells the Driver that a replica has processed its master's stream up to offset. It is cheap, and
// may be called under any lock.
func (d *Driver) ReplicationMoved(offset int64) {
	if awaited := d.awaited.Load(); awaited != nobodyWaits && offset >= awaited {
		d.nudge()
	}
}

// Diverged notes in the history that a replica, a former master, had so many bytes of writes that this node never got.
func (d *Driver) Diverged(replica string, bytes int64) {
	d.happen(core.Diverged{Replica: replica, Bytes: bytes})
}

// Sleep stops the cluster side of the node for a while: DEBUG SLEEP. It may be called under any lock but the core's.
func (d *Driver) Sleep(t time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	time.Sleep(t)
}

// Apply makes a new configuration known to the core. The caller holds all stripes, so that the next command is
// routed by it.
func (d *Driver) Apply(c core.Config) {
	d.nodeTimeout.Store(int64(c.NodeTimeout))
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.stopped {
		d.step(core.ConfigChanged{Config: c}, true) // such events never fail
	}
}

// SetSendLimit sets cluster-link-sendbuf-limit, in bytes; 0 is none.
func (d *Driver) SetSendLimit(bytes int64) { d.sendLimit.Store(bytes) }
