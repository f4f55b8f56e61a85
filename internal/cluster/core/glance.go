package core

import (
	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/cluster/bus"
)

// Glance is what a simulator looks at after every Step. It is cheap: Snapshot copies the whole table.
type Glance struct {
	ID, Shard nodeid.ID
	Master    nodeid.ID // zero: a master, or a replica of nobody that is known
	Replica   bool
	Slots     int // that the node owns itself
	State     bus.State
	Size      int // masters that own slots
	Known     int // nodes, itself and those in handshake included

	CurrentEpoch, ConfigEpoch, LastVoteEpoch uint64
}

// Glance returns the state of the node in short.
func (n *Node) Glance() Glance {
	g := Glance{
		ID: n.me.id, Shard: n.me.shard, Replica: n.me.isReplica(), Slots: int(n.me.slots), State: n.state,
		Size: n.size, Known: len(n.order),
		CurrentEpoch: n.currentEpoch, ConfigEpoch: n.me.configEpoch, LastVoteEpoch: n.lastVoteEpoch,
	}
	if n.me.master != nil {
		g.Master = n.me.master.id
	}
	return g
}

// Knows returns the flags of a node that is in the table, and whether it is. A node in handshake is not.
func (n *Node) Knows(id nodeid.ID) (bus.Flags, bool) {
	p := n.lookup(id)
	if p == nil || p.inHandshake() {
		return 0, false
	}
	return p.flags, true
}

// OwnerOf returns the id of the owner of a slot, zero if there is none.
func (n *Node) OwnerOf(slot uint16) nodeid.ID {
	if p := n.ownerOf(slot); p != nil {
		return p.id
	}
	return nodeid.ID{}
}
