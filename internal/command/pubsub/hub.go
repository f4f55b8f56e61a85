// Package pubsub carries messages from those who publish to those who have
// subscribed.
//
// A topic is what one can subscribe to: a channel, a pattern that matches names
// of channels, or a shard channel, which belongs to the hash slot of its name
// and is lost to its subscribers when the node loses the slot. What clients
// see are arrays, sent as pushes to those who speak RESP3:
//
//	subscribe     channel  count     the answer to SUBSCRIBE, once per channel
//	message       channel  message
//	pmessage      pattern  channel  message
//	smessage      channel  message   and so on for p (patterns), s (shard channels)
//
// The count is that of the client's channels and patterns together; shard
// channels have a count of their own.
//
// Locks. Topics lie in directories, each behind a lock; a channel's directory
// is locked while a message to it is handed out, so that all subscribers of a
// channel see its messages in one order. The order of locks is: directory of
// channels, directory of patterns, a client's Subscriptions. Under them only
// Subscriber.Deliver and the hooks of Options are called.
//
// A client never sees a message before the answer to its SUBSCRIBE nor after
// the answer to its UNSUBSCRIBE: Deliver puts messages behind the replies made
// so far, and before UNSUBSCRIBE answers, what had been delivered is taken into
// the replies. (Inside EXEC messages come behind the whole answer.)
package pubsub

import (
	"hash/maphash"
	"sync/atomic"

	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/command"
)

// Subscriber is a client that can be sent messages.
type Subscriber interface {
	// Deliver copies b behind the client's replies. Safe from any goroutine.
	Deliver(b []byte) (waiting int)
	// PushProto is the client's protocol version. Safe from any goroutine.
	PushProto() int
	// TakeMail puts what was delivered so far into the client's replies. Only
	// the client's own goroutine calls it.
	TakeMail()
	// Subscriptions is what the client has subscribed to.
	Subscriptions() *Subscriptions
}

// Options are what a Hub is made with. The hooks must not block nor call the Hub.
type Options struct {
	// Bus carries a published message to the other nodes of the cluster; nil
	// in a standalone node.
	Bus func(channel, message []byte, shard bool)
	// Replicate puts PUBLISH or SPUBLISH, as called, into the log for replicas
	// only. It is used where Bus is nil; nil: nobody listens.
	Replicate func(c *command.Call)
}

// The kinds of topics.
type kind uint8

const (
	channels kind = iota
	patterns
	shardChannels
	kinds
)

// directories is how many locks channels are spread over; a power of two.
const directories = 64

// Hub is the topics of one node.
type Hub struct {
	opt      Options
	seed     maphash.Seed
	channels [directories]directory
	shard    [directories]directory // by slot
	patterns directory

	topics  [kinds]atomic.Int64 // with at least one subscriber
	members [kinds]atomic.Int64 // subscriptions of all clients
}

// New returns a Hub without topics.
func New(o Options) *Hub { return &Hub{opt: o, seed: maphash.MakeSeed()} }

// Counts is the number of channels, patterns and shard channels that have
// subscribers, for INFO.
func (h *Hub) Counts() (channelN, patternN, shardN int) {
	return int(h.topics[channels].Load()), int(h.topics[patterns].Load()), int(h.topics[shardChannels].Load())
}

// directory finds the directory in which a topic of kind k lies.
func (h *Hub) directory(k kind, name []byte) *directory {
	switch k {
	case channels:
		return &h.channels[maphash.Bytes(h.seed, name)%directories]
	case shardChannels:
		return &h.shard[slot.Of(name)%directories]
	}
	return &h.patterns
}
