package core

import (
	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/bus"
	"github.com/skeindb/skein/internal/cluster/topology"
)

// State is what survives a restart: the content of nodes.conf. The zero value is a node that was never
// started before.
type State = topology.Saved

// SaveSeq numbers the saves of nodes.conf from 1; 0 is no save.
type SaveSeq uint64

// Effects is what one Step asks of the driver; the package comment says in which order it is applied.
// Step empties it first, keeping the memory of its slices: the driver copies what it keeps longer.
// Messages, saves, views and slot sets are immutable and may be kept.
type Effects struct {
	Save   Save   // 1.
	Change Change // 2.

	Dials    []Dial // 3.
	Sends    []Send
	HangUps  []Link
	DropKeys *slot.Set // slots that this node lost while it stays a master; nil: none

	Deliver     bool      // 4. the received PUBLISH or PUBLISHSHARD is from a known node
	Unsubscribe *slot.Set // slots that lost their owner, if only to get another; nil: none
	History     []Record

	Reply string // status reply to the administrator, "" for OK

	// Spare is a gift of the driver: packets that nobody needs any more, whose memory, that of their gossip included, new
	// heartbeats take. It may be empty.
	Spare []*bus.Msg
}

// Save asks for nodes.conf to be written. Its content is what Node.State returns at any time from now on:
// a driver whose disk is busy asks for it when the disk is free, and saves several versions at once.
type Save struct {
	Seq   SaveSeq // 0: nothing to save
	Fsync bool    // false: redis would leave it to the kernel. Saved may then be reported after the write
}

// Change is what changes together under all stripes. The zero value changes nothing.
type Change struct {
	Flush  bool // empty the whole data set first (a replica that was reset)
	Repl   Repl
	Follow Source // with ReplFollow

	Demoted bool  // with ReplFollow: we were a master until now
	Kept    int64 // if Demoted: up to this offset the new master is known to have our log; -1: it is another shard's
	Pause   Pause
	View    bool // routing changed: publish what Node.View returns now
}

// Any reports whether there is anything to do.
func (c *Change) Any() bool {
	return c.Flush || c.Repl != ReplKeep || c.Pause.Do != PauseKeep || c.View
}

// Repl is a change of the replication role or source.
type Repl uint8

// The changes.
const (
	ReplKeep    Repl = iota
	ReplPromote      // stop following, be a master
	ReplFollow       // follow Change.Follow, whatever the role was
)

// Source is a master to follow. Host is empty while its address is unknown: the role is replica, and
// another ReplFollow comes with the address.
type Source struct {
	Node nodeid.ID
	Host string
	Port uint16
}

// PauseDo is a change of the write pause.
type PauseDo uint8

// The changes.
const (
	PauseKeep  PauseDo = iota
	PauseStart         // also when a pause stands already: the new one replaces it
	PauseEnd
)

// Pause is the write pause of a manual hand-over. No write, expiry, eviction, PING or GETACK may enter the
// log until PauseEnd comes or Until is reached.
type Pause struct {
	Do    PauseDo
	ID    uint64 // with PauseStart: to be repeated in WritesPaused
	Until Millis
}

// Dial asks for a connection to the bus port of a node, to be reported with LinkUp or LinkDown.
type Dial struct {
	Link Link
	Node nodeid.ID // for logs; a node in handshake has a provisional id
	Host string
	Port uint16
}

// Send is one packet. After, if not 0, is the save that must be durable before it goes out.
type Send struct {
	Link   Link
	Msg    *bus.Msg
	After  SaveSeq
	Shared bool // Msg goes out on other links too
}

// reset empties e for the next Step and keeps the memory of its slices.
func (e *Effects) reset() {
	clear(e.Sends)
	*e = Effects{Dials: e.Dials[:0], Sends: e.Sends[:0], HangUps: e.HangUps[:0], History: e.History[:0], Spare: e.Spare}
}
