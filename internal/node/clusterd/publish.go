package clusterd

import "github.com/skeindb/skein/internal/cluster/bus"

// Publish carries a message to the other nodes, or with shard to those of our shard, with the next Send. The core only
// writes the header: the bytes are encoded once and shared by all links. It may be called under any lock but the
// core's.
func (d *Driver) Publish(channel, message []byte, shard bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.scratch = d.node.PublishLinks(d.scratch[:0], shard)
	if len(d.scratch) == 0 || d.stopped {
		return
	}
	m := bus.Msg{Type: bus.TypePublish, Publish: &bus.Publish{Channel: channel, Message: message}}
	if shard {
		m.Type = bus.TypePublishShard
	}
	d.node.Stamp(&m, len(d.scratch))
	packet := bus.Append(nil, &m)
	for _, id := range d.scratch {
		if l := d.links[id]; l != nil {
			l.add(packet)
		}
	}
	d.unsent.Store(true)
}

// Send wakes the writers of links on which published messages wait. The loops call it after each batch of commands:
// what a transaction or a pipeline publishes leaves together, and not before the transaction has ended. It costs next
// to nothing if nothing was published, and may be called under any lock but the core's.
func (d *Driver) Send() {
	if !d.unsent.Load() || !d.unsent.Swap(false) {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.links {
		l.filled.Signal()
	}
}
