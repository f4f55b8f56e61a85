package topology

import (
	"slices"

	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/bus"
)

// View is the routing table that the hot path reads: an immutable answer to "whose slot is this?", with
// the common case prepared as one bit per slot. The state machine publishes a new one when routing changes.
// Of its nodes only what routing and redirects need is kept up to date; ping times and the like are as they
// were when it was made.
type View struct {
	Cluster
	Config
	State bus.State

	served   slot.Set // mine, not open, and the cluster is ok
	readable slot.Set // my master's, not open, and the cluster is ok
	open     slot.Set // on their way to or from this node
}

// NewView builds the view of c.
func NewView(c Cluster, state bus.State, config Config) *View {
	v := &View{Cluster: c, Config: config, State: state}
	for _, open := range c.Open {
		v.open.Add(open.Slot)
	}
	if state != bus.StateOK {
		return v
	}
	master := c.MyMaster()
	for s, owner := range c.Owners {
		switch {
		case owner == c.Me:
			v.served.Add(uint16(s))
		case owner == master && owner != NoNode:
			v.readable.Add(uint16(s))
		}
	}
	v.served.Subtract(&v.open)
	v.readable.Subtract(&v.open)
	return v
}

// Serves reports whether any command whose keys all hash to slot is served here without a further
// question: the slot is mine, it is not open, and the cluster is ok. If it says no, ask Route.
func (v *View) Serves(slot uint16) bool { return v.served.Has(slot) }

// ServesReads is Serves for a command that does not write, of a client that sent READONLY: the slot may
// also be my master's.
func (v *View) ServesReads(slot uint16) bool { return v.served.Has(slot) || v.readable.Has(slot) }

// openAs tells whether slot is on its way to (migrating) or from (importing) another node, and which.
func (v *View) openAs(slot uint16) (migratingTo, importingFrom uint16) {
	migratingTo, importingFrom = NoNode, NoNode
	if !v.open.Has(slot) {
		return migratingTo, importingFrom
	}
	first, _ := slices.BinarySearchFunc(v.Open, slot, func(o OpenSlot, slot uint16) int { return int(o.Slot) - int(slot) })
	for _, open := range v.Open[first:] {
		if open.Slot != slot {
			break
		}
		if open.Importing {
			importingFrom = open.Peer
		} else {
			migratingTo = open.Peer
		}
	}
	return migratingTo, importingFrom
}
