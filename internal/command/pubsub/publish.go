package pubsub

import (
	"github.com/skeindb/skein/internal/base/glob"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/command"
)

// Publish hands a message to the channel's subscribers at this node and to those
// of patterns that match, and returns how many they are; a client counts once
// per subscription. It is meant for messages from elsewhere: the bus, the
// keyspace. Safe from any goroutine.
func (h *Hub) Publish(channel, message []byte) int { return h.publish(nil, channel, message) }

// PublishShard is Publish for a shard channel, which patterns do not match.
func (h *Hub) PublishShard(channel, message []byte) int { return h.publishShard(nil, channel, message) }

// publish is Publish on behalf of the command c, if there is one.
func (h *Hub) publish(c *command.Call, channel, message []byte) (receivers int) {
	someMatch := h.members[patterns].Load() > 0
	if h.members[channels].Load() == 0 && !someMatch {
		h.spread(c, false)
		return 0
	}
	d := h.directory(channels, channel)
	d.mu.Lock()
	defer d.mu.Unlock()
	if t := d.topics[string(channel)]; t != nil {
		d.buf = encode(d.buf, "message", channel, message)
		receivers = t.send(d.buf)
	}
	if someMatch {
		receivers += h.match(d, channel, message)
	}
	d.trim()
	h.spread(c, false)
	return receivers
}

// match hands the message to the subscribers of patterns. The channel's
// directory d is locked and lends its buffer.
func (h *Hub) match(d *directory, channel, message []byte) (receivers int) {
	h.patterns.mu.RLock()
	defer h.patterns.mu.RUnlock()
	for _, t := range h.patterns.topics {
		if glob.Match(t.name, channel, false) {
			d.buf = encode(d.buf, "pmessage", t.name, channel, message)
			receivers += t.send(d.buf)
		}
	}
	return receivers
}

func (h *Hub) publishShard(c *command.Call, channel, message []byte) (receivers int) {
	if h.members[shardChannels].Load() == 0 {
		h.spread(c, true)
		return 0
	}
	d := h.directory(shardChannels, channel)
	d.mu.Lock()
	defer d.mu.Unlock()
	if t := d.topics[string(channel)]; t != nil {
		d.buf = encode(d.buf, "smessage", channel, message)
		receivers = t.send(d.buf)
		d.trim()
	}
	h.spread(c, true)
	return receivers
}

// spread carries the message of a command beyond this node. The channel's
// directory is locked if anybody here could compare the orders.
func (h *Hub) spread(c *command.Call, shard bool) {
	switch {
	case c == nil:
	case h.opt.Bus != nil:
		h.opt.Bus(c.Args[1], c.Args[2], shard)
	case h.opt.Replicate != nil:
		h.opt.Replicate(c)
	}
}

// trim lets go of a buffer that a big message has blown up.
func (d *directory) trim() {
	if cap(d.buf) > keepBuf {
		d.buf = nil
	}
}

// DropSlots ends all subscriptions to shard channels of slots that the node has
// lost, and tells their clients by a sunsubscribe message. It is called after
// the loss is visible to commands. Safe from any goroutine.
func (h *Hub) DropSlots(lost *slot.Set) {
	if h.members[shardChannels].Load() == 0 {
		return
	}
	var touched [directories]bool
	for n := range lost.All() {
		touched[n%directories] = true
	}
	for i := range h.shard {
		if touched[i] {
			h.dropFrom(&h.shard[i], lost)
		}
	}
}

func (h *Hub) dropFrom(d *directory, lost *slot.Set) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, t := range d.topics {
		if !lost.Has(slot.Of(t.name)) {
			continue
		}
		for len(t.members) > 0 {
			m := t.members[len(t.members)-1]
			h.left(d, shardChannels, m)
			s := m.who.Subscriptions()
			s.mu.Lock()
			s.strike(shardChannels, t.name)
			s.mu.Unlock()
			d.buf = answer(d.buf[:0], 2, "sunsubscribe", t.name, s.shown(shardChannels))
			send(m.who, d.buf)
		}
	}
}
