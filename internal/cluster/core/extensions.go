package core

import "github.com/skeindb/skein/internal/cluster/bus"

// Heartbeats carry what did not fit the old header: the announced names, the shard id, and the nodes that were
// forgotten. An absent name means that the sender has none; an absent shard id means its
// master's. A Redis 7.0 (bus.Msg.Dialect tells) is spoken to as 7.0 speaks: with the host name and nothing else.
//
// Invariant: nobody forgets itself, its own master, or the node that it hears this from.

// addExtensions fills the extensions of a heartbeat.
func (n *Node) addExtensions(m *bus.Msg, old bool) {
	m.Ext.Hostname = n.me.hostname
	if !old {
		m.Ext.Nodename = n.me.nodename
		m.Ext.Forgotten = n.forgottenNodes()
		m.Ext.ShardID = n.me.shard
	}
	if !old || m.Ext.Hostname != "" {
		m.MFlags |= bus.MFlagExtData
	}
}

// speaksOld reports whether the sender of a heartbeat is a Redis 7.0.
func (pkt *packet) speaksOld() bool { return pkt.Dialect() == bus.Redis70 }

// hearExtensions takes the extensions of a known node.
func (n *Node) hearExtensions(pkt *packet) {
	p := pkt.sender
	for _, f := range pkt.Ext.Forgotten {
		n.forgetByGossip(f, p)
	}
	p.old = pkt.speaksOld()
	n.setNames(p, pkt.Ext.Hostname, pkt.Ext.Nodename)
	shard := pkt.Ext.ShardID
	if shard.IsZero() {
		shard = p.shardMaster().shard
	}
	n.setShard(p, shard)
	if pkt.Ext.Unknown > 0 {
		n.note(Record{What: ExtensionUnknown, Level: Debug, A: uint64(pkt.Ext.Unknown)}.about(p))
	}
}

// forgetByGossip drops and bans a node that another one was told to forget.
func (n *Node) forgetByGossip(f bus.Forgotten, from *peer) {
	p := n.lookup(f.Node)
	if p == nil || p == n.me || p == from || p == n.me.master {
		return
	}
	until := n.now + Millis(min(f.TTLSeconds, maxBanSeconds))*1000
	n.ban(p.id, until, false)
	n.note(Record{What: NodeForgottenByGossip, Level: Notice, A: uint64(until)}.about(p).with(from))
	n.dropPeer(p)
	n.todo |= todoState | todoSave
}
