package topology

import (
	"slices"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/bus"
)

// Field is an entry of a reply that is a map: a name with a text or a number.
type Field struct {
	Name     string
	Text     string
	Number   int64
	IsNumber bool // Number counts, not Text
}

func text(name, value string) Field { return Field{Name: name, Text: value} }
func number[T int64 | uint16](name string, value T) Field {
	return Field{Name: name, Number: int64(value), IsNumber: true}
}

// SlotRange is an entry of CLUSTER SLOTS: a range of slots, its owner, then the replicas that can serve.
type SlotRange struct {
	slot.Range
	Nodes []SlotNode
}

// SlotNode is a node in CLUSTER SLOTS.
type SlotNode struct {
	Endpoint    string
	HasEndpoint bool // false: the endpoint is a null reply
	Port        uint16
	ID          nodeid.ID
	Extra       []Field // what else is known of its address; shown as a map
}

// SlotRanges returns the content of CLUSTER SLOTS. A replica is left out while it has failed or has not
// finished its first sync. A client connected by TLS is shown the TLS ports.
func (s *Snapshot) SlotRanges(tls bool) []SlotRange {
	served := make(map[uint16][]SlotNode) // by owner: the same for each of its ranges
	var ranges []SlotRange
	for _, r := range s.runs() {
		nodes, known := served[r.owner]
		if !known {
			nodes = s.slotNodes(r.owner, tls)
			served[r.owner] = nodes
		}
		ranges = append(ranges, SlotRange{r.Range, nodes})
	}
	return ranges
}

// slotNodes lists the owner and its available replicas.
func (s *Snapshot) slotNodes(owner uint16, tls bool) []SlotNode {
	nodes := []SlotNode{s.slotNode(owner, tls)}
	for _, i := range s.Replicas(owner) {
		if replica := &s.Nodes[i]; !replica.Flags.Has(bus.FlagFail) && replica.ReplOffset != 0 {
			nodes = append(nodes, s.slotNode(i, tls))
		}
	}
	return nodes
}

func (s *Snapshot) slotNode(i uint16, tls bool) SlotNode {
	node := &s.Nodes[i]
	kind := s.Config.Endpoint
	out := SlotNode{Endpoint: kind.endpoint(node), HasEndpoint: kind != EndpointUnknown, Port: node.clientPort(tls), ID: node.ID}
	if kind != EndpointIP {
		out.Extra = append(out.Extra, text("ip", node.IP))
	}
	if kind != EndpointHostname && node.Hostname != "" {
		out.Extra = append(out.Extra, text("hostname", node.Hostname))
	}
	return out
}

// Shard is an entry of CLUSTER SHARDS: a master with its replicas.
type Shard struct {
	Slots []slot.Range // shown as a flat array of starts and ends
	Nodes [][]Field    // each shown as a map
}

// Shards returns the content of CLUSTER SHARDS, by shard in the order of Nodes. Handshake nodes belong to
// no shard. A node whose shard is not known makes one of its own.
func (s *Snapshot) Shards() []Shard {
	ranges := s.Ranges()
	index := make(map[nodeid.ID]int)
	var shards []Shard
	for i := range s.Nodes {
		node := &s.Nodes[i]
		if node.Flags.Has(bus.FlagHandshake) {
			continue
		}
		at, known := index[node.ShardID]
		if !known || node.ShardID.IsZero() {
			at = len(shards)
			index[node.ShardID] = at
			shards = append(shards, Shard{})
		}
		shard := &shards[at]
		shard.Slots = append(shard.Slots, ranges[i]...)
		shard.Nodes = append(shard.Nodes, s.shardNode(node))
	}
	for _, shard := range shards {
		slices.SortFunc(shard.Slots, func(a, b slot.Range) int { return int(a.Start) - int(b.Start) })
	}
	return shards
}

func (s *Snapshot) shardNode(node *Node) []Field {
	isReplica := node.Flags.Has(bus.FlagSlave)
	role, health := "master", "online"
	if isReplica {
		role = "replica"
	}
	switch {
	case node.Flags.Has(bus.FlagFail):
		health = "fail"
	case isReplica && node.ReplOffset == 0:
		health = "loading"
	}
	fields := []Field{text("id", node.ID.String())}
	if node.Port != 0 {
		fields = append(fields, number("port", node.Port))
	}
	if node.TLSPort != 0 {
		fields = append(fields, number("tls-port", node.TLSPort))
	}
	fields = append(fields, text("ip", node.IP), text("endpoint", s.Config.Endpoint.endpoint(node)))
	if node.Hostname != "" {
		fields = append(fields, text("hostname", node.Hostname))
	}
	return append(fields, text("role", role), number("replication-offset", node.ReplOffset), text("health", health))
}

// LinkFields returns the content of CLUSTER LINKS: a map for each link.
func (s *Snapshot) LinkFields() [][]Field {
	links := make([][]Field, 0, len(s.Links))
	for _, link := range s.Links {
		direction, events := "to", ""
		if link.Inbound {
			direction = "from"
		}
		if link.Reading {
			events += "r"
		}
		if link.Writing {
			events += "w"
		}
		links = append(links, []Field{
			text("direction", direction),
			text("node", s.Nodes[link.Node].ID.String()),
			number("create-time", link.CreatedMs),
			text("events", events),
			number("send-buffer-allocated", link.SendBufferBytes),
			number("send-buffer-used", link.SendBufferBytes),
		})
	}
	return links
}
