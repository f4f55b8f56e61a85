package clusterd

import "github.com/skeindb/skein/internal/cluster/bus"

// Publish carries a message to the other nodes, or with shard to those of our shard. The core only writes the header:
// the bytes are encoded once and shared by all links. It may be called under any lock but the core's.
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
			l.put(packet)
		}
	}
}
