// Package topology describes a cluster as one of its nodes sees it: who is there, who owns which slot, and
// what follows from that for a client.
//
// The state machine (package core) keeps its own books and publishes two kinds of immutable values of this
// package. A View is made when routing changes; the hot path asks it for every command. A Snapshot is made
// when somebody asks with the CLUSTER command. Saved is the part that nodes.conf keeps.
//
//	Cluster ── nodes, owners, open slots
//	  ├── View      + state and switches   Serves, Route, AppendError        every command
//	  ├── Snapshot  + epochs and counters  NODES, SLOTS, SHARDS, LINKS, INFO  CLUSTER …
//	  └── Saved     + epochs               package nodesconf                  nodes.conf
//
// Nodes are named by their index in Cluster.Nodes. Everything here is a pure function of such a value; what
// is shown to clients comes as text or as plain structs, and the command layer turns it into replies.
package topology

import (
	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/bus"
)

// NoNode stands for "nobody" wherever a node is named by its index.
const NoNode = 0xffff

// MaxNodes is the number of nodes that a Cluster can hold.
const MaxNodes = NoNode

// Owners holds, for each slot, the index of the node that owns it, or NoNode.
type Owners [slot.Count]uint16

// Node is what we know of one node, ourselves included.
type Node struct {
	ID      nodeid.ID
	ShardID nodeid.ID // zero: not yet known (a nodes.conf of Redis 7.0)
	Flags   bus.Flags
	Master  uint16 // index of the master it replicates; NoNode: none, or unknown

	IP       string // "" while unknown
	Port     uint16 // plain client port, 0: none
	TLSPort  uint16 // TLS client port, 0: none
	BusPort  uint16
	Hostname string
	Nodename string // the human one

	ConfigEpoch    uint64 // its own; of a replica it means nothing, its master's counts
	PingSentMs     int64  // unix time of the ping it has not answered, 0: none
	PongReceivedMs int64  // unix time of its last pong, 0: never
	ReplOffset     int64  // replication offset: made (master) or processed (replica)
	Connected      bool   // the outbound link is up
}

// OpenSlot is a slot on its way to or from this node (CLUSTER SETSLOT).
type OpenSlot struct {
	Slot      uint16
	Importing bool   // false: migrating
	Peer      uint16 // index of the node at the other end
}

// Cluster is who is there and who owns what, as one node sees it. Its slices and arrays are shared: they
// must not change once it has been handed on.
type Cluster struct {
	Nodes  []Node     // in the order in which they are listed; handshake nodes included
	Me     uint16     // index of this node in Nodes
	Owners *Owners    // never nil
	Open   []OpenSlot // ascending by slot; a slot may be there twice, migrating first
}

// Saved is what survives a restart: the content of nodes.conf.
type Saved struct {
	Cluster
	CurrentEpoch  uint64
	LastVoteEpoch uint64
}

// Snapshot is what the CLUSTER command shows. ReplOffset of this node itself must be filled in too.
type Snapshot struct {
	Cluster
	Config       Config
	State        bus.State
	Size         int // masters with at least one slot
	CurrentEpoch uint64
	Sent         [bus.TypeCount]uint64 // packets by type
	Received     [bus.TypeCount]uint64
	Links        []Link // of CLUSTER LINKS

	LinksBufferLimitExceeded uint64 // links closed because their send buffer grew over the limit
}

// Link is one TCP connection of the bus between this node and a known one.
type Link struct {
	Node            uint16 // index of the peer
	Inbound         bool   // the peer opened it
	CreatedMs       int64  // unix time
	Reading         bool   // waiting for input
	Writing         bool   // waiting to write
	SendBufferBytes int64
}

// Config holds the directives that routing depends on.
type Config struct {
	AllowReadsWhenDown       bool     // cluster-allow-reads-when-down
	AllowPubSubShardWhenDown bool     // cluster-allow-pubsubshard-when-down
	Endpoint                 Endpoint // cluster-preferred-endpoint-type
}

// Endpoint is how clients are told to reach a node.
type Endpoint uint8

// The values of cluster-preferred-endpoint-type.
const (
	EndpointIP       Endpoint = iota // its address
	EndpointHostname                 // its announced host name, "?" if it has none
	EndpointUnknown                  // nothing: the client keeps the host it is connected to
)

// MyMaster returns the index of the master of this node, NoNode if it is a master itself or does not know
// its master.
func (c *Cluster) MyMaster() uint16 {
	me := &c.Nodes[c.Me]
	if !me.Flags.Has(bus.FlagSlave) {
		return NoNode
	}
	return me.Master
}

// Epoch returns the config epoch of node i: of a replica its master's.
func (c *Cluster) Epoch(i uint16) uint64 {
	node := &c.Nodes[i]
	if node.Flags.Has(bus.FlagSlave) && node.Master != NoNode {
		node = &c.Nodes[node.Master]
	}
	return node.ConfigEpoch
}

// Replicas returns the indices of the replicas of node i, in the order of Nodes.
func (c *Cluster) Replicas(i uint16) []uint16 {
	var replicas []uint16
	for j := range c.Nodes {
		if c.Nodes[j].Master == i && c.Nodes[j].Flags.Has(bus.FlagSlave) {
			replicas = append(replicas, uint16(j))
		}
	}
	return replicas
}

// run is a longest range of slots with one owner.
type run struct {
	slot.Range
	owner uint16
}

// runs lists the assigned slots in ascending order.
func (c *Cluster) runs() []run {
	var runs []run
	for s, owner := range c.Owners {
		if owner == NoNode {
			continue
		}
		s := uint16(s)
		if n := len(runs); n > 0 && runs[n-1].owner == owner && runs[n-1].End+1 == s {
			runs[n-1].End = s
			continue
		}
		runs = append(runs, run{slot.Range{Start: s, End: s}, owner})
	}
	return runs
}

// Ranges lists the slots of every node, by index.
func (c *Cluster) Ranges() [][]slot.Range {
	ranges := make([][]slot.Range, len(c.Nodes))
	for _, r := range c.runs() {
		ranges[r.owner] = append(ranges[r.owner], r.Range)
	}
	return ranges
}

// endpoint returns how clients are to reach node, as MOVED and SHARDS say it.
func (e Endpoint) endpoint(node *Node) string {
	switch e {
	case EndpointHostname:
		if node.Hostname == "" {
			return "?"
		}
		return node.Hostname
	case EndpointUnknown:
		return ""
	}
	return node.IP
}

// clientPort returns the port for a client with or without TLS.
func (n *Node) clientPort(tls bool) uint16 {
	if tls {
		return n.TLSPort
	}
	return n.Port
}
