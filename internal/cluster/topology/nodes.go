package topology

import (
	"strconv"

	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/bus"
)

// A node is described by one line, for clients and in nodes.conf alike:
//
//	id ip:port@busport,hostname master-or-dash flags ping pong epoch link slots… [open slots…]
//
// in this order:
//
//	07c37d… 127.0.0.1:30004@31004,host4 slave e7d1eec… 0 1426238317239 4 connected
//	67ed2db… 127.0.0.1:30002@31002 myself,master - 0 0 2 connected 5461-10922 [77->-e7d1eec…]
//
// In nodes.conf the comma before the host name is always there, and fields "name=value" follow it.

// AppendNodes appends CLUSTER NODES: a line for each node. A client connected by TLS is shown the TLS
// ports.
func (c *Cluster) AppendNodes(dst []byte, tls bool) []byte {
	for i, ranges := range c.Ranges() {
		dst = append(c.AppendNode(dst, uint16(i), ranges, tls), '\n')
	}
	return dst
}

// AppendNode appends the line of node i, which owns the given ranges, without its line end. CLUSTER
// REPLICAS shows such lines.
func (c *Cluster) AppendNode(dst []byte, i uint16, ranges []slot.Range, tls bool) []byte {
	node := &c.Nodes[i]
	dst = node.AppendAddress(dst, node.clientPort(tls))
	if node.Hostname != "" {
		dst = append(dst, ',')
		dst = append(dst, node.Hostname...)
	}
	return c.AppendStatus(dst, i, ranges)
}

// AppendAddress appends the id and the address of n with the given client port.
func (n *Node) AppendAddress(dst []byte, port uint16) []byte {
	dst = append(n.ID.AppendHex(dst), ' ')
	dst = append(dst, n.IP...)
	dst = append(dst, ':')
	dst = strconv.AppendUint(dst, uint64(port), 10)
	dst = append(dst, '@')
	return strconv.AppendUint(dst, uint64(n.BusPort), 10)
}

// AppendStatus appends what follows the address in the line of node i, a blank in front.
func (c *Cluster) AppendStatus(dst []byte, i uint16, ranges []slot.Range) []byte {
	node := &c.Nodes[i]
	dst = node.Flags.Append(append(dst, ' '))
	dst = append(dst, ' ')
	if node.Master == NoNode {
		dst = append(dst, '-')
	} else {
		dst = c.Nodes[node.Master].ID.AppendHex(dst)
	}
	dst = strconv.AppendInt(append(dst, ' '), node.PingSentMs, 10)
	dst = strconv.AppendInt(append(dst, ' '), node.PongReceivedMs, 10)
	dst = strconv.AppendUint(append(dst, ' '), c.Epoch(i), 10)
	if node.Connected || i == c.Me {
		dst = append(dst, " connected"...)
	} else {
		dst = append(dst, " disconnected"...)
	}
	for _, r := range ranges {
		dst = appendRange(append(dst, ' '), r)
	}
	if node.Flags.Has(bus.FlagMyself) {
		dst = c.appendOpen(dst)
	}
	return dst
}

// appendRange appends "7" or "7-9".
func appendRange(dst []byte, r slot.Range) []byte {
	dst = strconv.AppendUint(dst, uint64(r.Start), 10)
	if r.End > r.Start {
		dst = strconv.AppendUint(append(dst, '-'), uint64(r.End), 10)
	}
	return dst
}

// appendOpen appends the open slots: " [77->-id]" for migrating, " [77-<-id]" for importing. Of a slot that
// is both, only the first is shown.
func (c *Cluster) appendOpen(dst []byte) []byte {
	for i, open := range c.Open {
		if i > 0 && c.Open[i-1].Slot == open.Slot {
			continue
		}
		dst = append(dst, " ["...)
		dst = strconv.AppendUint(dst, uint64(open.Slot), 10)
		if open.Importing {
			dst = append(dst, "-<-"...)
		} else {
			dst = append(dst, "->-"...)
		}
		dst = append(c.Nodes[open.Peer].ID.AppendHex(dst), ']')
	}
	return dst
}
