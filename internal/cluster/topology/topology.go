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
	Nodes  []Node // in the order in which they are listed; handshake nodes included
	Me     uint16 // index of this node in Nodes
	Owners *Owners
	Open   []OpenSlot // ascending by slot; a slot may be there twice, migrating first
}

// Saved is what survives a restart: the content of nodes.conf.
type Saved struct {
	Cluster
	CurrentEpoch  uint64
	LastVoteEpoch uint64
}

// Snapshot is what the CLUSTER command shows.
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
	EndpointIP Endpoint = iota
	EndpointHostname
	EndpointUnknown
)

// View is the routing table that the hot path reads.
type View struct {
	Cluster
	Config
	State bus.State
}

// NewView builds the view of c.
func NewView(c Cluster, state bus.State, config Config) *View {
	return &View{Cluster: c, Config: config, State: state}
}
