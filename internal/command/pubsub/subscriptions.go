package pubsub

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// Subscriptions is what one client has subscribed to. The zero value is empty.
// The client changes it by its commands, the loss of a slot from outside; its
// methods are safe from any goroutine.
type Subscriptions struct {
	mu    sync.Mutex
	mine  [kinds]map[string]*member
	count [kinds]atomic.Int32
	all   atomic.Int32
	bytes atomic.Int64
}

// memberBytes is about what a subscription costs beside its name: a member and
// its places in two maps.
const memberBytes = 120

// Active tells whether there is any subscription: redis's pub/sub mode.
func (s *Subscriptions) Active() bool { return s.all.Load() > 0 }

// Counts is the number of channels, patterns and shard channels.
func (s *Subscriptions) Counts() (channelN, patternN, shardN int) {
	return int(s.count[channels].Load()), int(s.count[patterns].Load()), int(s.count[shardChannels].Load())
}

// Bytes is about how much memory the subscriptions take.
func (s *Subscriptions) Bytes() int { return int(s.bytes.Load()) }

// Channels, Patterns and ShardChannels are the names, sorted.
func (s *Subscriptions) Channels() []string { return s.names(channels) }

// Patterns are the patterns, sorted.
func (s *Subscriptions) Patterns() []string { return s.names(patterns) }

// ShardChannels are the names of the shard channels, sorted.
func (s *Subscriptions) ShardChannels() []string { return s.names(shardChannels) }

func (s *Subscriptions) names(k kind) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.mine[k]))
}

// shown is the count that answers to subscribing and unsubscribing tell.
func (s *Subscriptions) shown(k kind) int64 {
	if k == shardChannels {
		return int64(s.count[shardChannels].Load())
	}
	return int64(s.count[channels].Load() + s.count[patterns].Load())
}

// note keeps a membership; s.mu is held.
func (s *Subscriptions) note(k kind, name []byte, m *member) {
	if s.mine[k] == nil {
		s.mine[k] = map[string]*member{}
	}
	s.mine[k][string(name)] = m
	s.counted(k, name, 1)
}

// strike drops a membership; s.mu is held.
func (s *Subscriptions) strike(k kind, name []byte) {
	delete(s.mine[k], string(name))
	s.counted(k, name, -1)
}

func (s *Subscriptions) counted(k kind, name []byte, n int) {
	s.count[k].Add(int32(n))
	s.all.Add(int32(n))
	s.bytes.Add(int64(n * (len(name) + memberBytes)))
}

// join subscribes who to the topic, unless it is already.
func (h *Hub) join(who Subscriber, k kind, name []byte) {
	d, s := h.directory(k, name), who.Subscriptions()
	d.mu.Lock()
	defer d.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mine[k][string(name)] != nil {
		return
	}
	m, isNew := d.enter(who, name)
	if isNew {
		h.topics[k].Add(1)
	}
	h.members[k].Add(1)
	s.note(k, name, m)
}

// part ends a subscription of who's, if it has it.
func (h *Hub) part(who Subscriber, k kind, name []byte) {
	d, s := h.directory(k, name), who.Subscriptions()
	d.mu.Lock()
	defer d.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.mine[k][string(name)]; m != nil {
		s.strike(k, name)
		h.left(d, k, m)
	}
}

// left takes a member out of its topic; d.mu is held.
func (h *Hub) left(d *directory, k kind, m *member) {
	h.members[k].Add(-1)
	if d.leave(m) {
		h.topics[k].Add(-1)
	}
}

// Forget ends all subscriptions of a client that disconnects or is RESET.
func (h *Hub) Forget(who Subscriber) {
	s := who.Subscriptions()
	for k := channels; k < kinds; k++ {
		for _, name := range s.names(k) {
			h.part(who, k, []byte(name))
		}
	}
}
