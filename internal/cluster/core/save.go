package core

import (
	"slices"

	"github.com/skeindb/skein/internal/cluster/bus"
	"github.com/skeindb/skein/internal/cluster/topology"
)

// What survives a restart is who is there, who owns what, the current epoch and the last epoch in which we
// voted. A vote or a claim that a restart could forget might be given twice.
//
// Invariant: n.durable <= n.lastSave; n.waiting is ascending by save and holds only saves after n.durable.

// settleSave asks for a save if something changed that must survive, and dates our newest claim with it.
func (n *Node) settleSave() {
	live := n.liveHeader()
	if n.todo&todoSave == 0 {
		n.claimWithoutSave(live)
		return
	}
	n.lastSave++
	newest := n.header
	if last := len(n.waiting) - 1; last >= 0 {
		newest = n.waiting[last].header
	}
	if live != newest { // others will hear it, so the end of the machine must not take it back
		n.waiting = append(n.waiting, pendingHeader{seq: n.lastSave, header: live})
		n.todo |= todoFsync
	}
	n.out.Save = Save{Seq: n.lastSave, Fsync: n.todo&todoFsync != 0}
}

// claimWithoutSave takes over what changed in the claim without being ours to promise.
func (n *Node) claimWithoutSave(live header) {
	if last := len(n.waiting) - 1; last >= 0 {
		n.waiting[last].header = live
		return
	}
	n.header = live
}

// saved makes the claims public whose save is on disk, and tells everybody if it made us a replica.
func (n *Node) saved(seq SaveSeq) {
	n.durable = min(max(n.durable, seq), n.lastSave)
	was := n.header.slaveOf
	for len(n.waiting) > 0 && n.waiting[0].seq <= n.durable {
		n.header = n.waiting[0].header
		n.waiting = n.waiting[1:]
	}
	if now := n.header.slaveOf; now != was && !now.IsZero() {
		// Where many nodes hear of each other by gossip it can take minutes until two of them ping each other. A new
		// master has told its role with the slots that it took.
		n.pongToAll(false)
	}
}

// State returns the content of nodes.conf and the number of the last save that it covers.
func (n *Node) State() (State, SaveSeq) {
	return State{
		Cluster:       n.cluster(func(p *peer) bool { return !p.inHandshake() }),
		CurrentEpoch:  n.currentEpoch,
		LastVoteEpoch: n.lastVoteEpoch,
	}, n.lastSave
}

// cluster copies the table of the peers that keep accepts.
func (n *Node) cluster(keep func(*peer) bool) topology.Cluster {
	position := make([]uint16, len(n.peers))
	for i := range position {
		position[i] = topology.NoNode
	}
	c := topology.Cluster{Nodes: make([]topology.Node, 0, len(n.order)), Owners: new(topology.Owners)}
	for _, p := range n.order {
		if keep(p) {
			position[p.idx] = uint16(len(c.Nodes))
			c.Nodes = append(c.Nodes, n.describe(p))
		}
	}
	for i, p := 0, 0; p < len(n.order); p++ {
		if master := n.order[p].master; keep(n.order[p]) {
			if master != nil {
				c.Nodes[i].Master = position[master.idx]
			}
			i++
		}
	}
	c.Me = position[n.me.idx]
	n.copyOwners(c.Owners, position)
	for _, o := range n.open {
		c.Open = append(c.Open, topology.OpenSlot{Slot: o.slot, Importing: o.importing, Peer: position[o.peer.idx]})
	}
	return c
}

// copyOwners copies the table of slots and names each owner by its position. Mostly that is its index.
func (n *Node) copyOwners(owners *topology.Owners, position []uint16) {
	*owners = n.owners
	if !slices.ContainsFunc(n.order, func(p *peer) bool { return p.slots > 0 && position[p.idx] != p.idx }) {
		return
	}
	for s, owner := range n.owners {
		if owner != topology.NoNode {
			owners[s] = position[owner]
		}
	}
}

// describe copies what is known of p, all but its master.
func (n *Node) describe(p *peer) topology.Node {
	node := topology.Node{
		ID: p.id, ShardID: p.shard, Flags: p.flags, Master: topology.NoNode,
		IP: p.ip, Port: p.port, TLSPort: p.tlsPort, BusPort: p.busPort,
		Hostname: p.hostname, Nodename: p.nodename,
		ConfigEpoch: p.configEpoch, PingSentMs: int64(p.pingSent), PongReceivedMs: int64(p.pongReceived),
		ReplOffset: p.replOffset, Connected: p.out != 0 || p == n.me,
	}
	if p == n.me {
		node.ReplOffset = n.facts.Offset
	}
	return node
}

// restore takes over what was saved. Times are dated by the first Step.
func (n *Node) restore(saved State) {
	loaded := make([]*peer, len(saved.Nodes))
	for i, node := range saved.Nodes {
		p := n.addPeer(node.ID, oneRole(node.Flags&^bus.FlagMeet))
		p.ip, p.port, p.tlsPort, p.busPort = node.IP, node.Port, node.TLSPort, node.BusPort
		p.hostname, p.nodename = node.Hostname, node.Nodename
		p.configEpoch = node.ConfigEpoch
		p.pingSent, p.pongReceived = Millis(node.PingSentMs), Millis(node.PongReceivedMs)
		p.createdAt = 0
		if !node.ShardID.IsZero() {
			p.shard = node.ShardID
		}
		loaded[i] = p
	}
	n.me = loaded[saved.Me]
	n.me.flags |= bus.FlagMyself
	n.myIPRemembered = n.me.ip != ""
	n.order = slices.DeleteFunc(n.order, func(p *peer) bool { return p == n.me })
	n.order = slices.Insert(n.order, 0, n.me)
	n.restoreReplicas(saved, loaded)
	for s, owner := range saved.Owners {
		if int(owner) < len(loaded) {
			n.bind(uint16(s), loaded[owner])
		}
	}
	for _, o := range saved.Open {
		if int(o.Peer) < len(loaded) {
			n.setOpen(o.Slot, o.Importing, loaded[o.Peer])
		}
	}
	n.currentEpoch = max(saved.CurrentEpoch, n.maxEpoch())
	n.lastVoteEpoch = saved.LastVoteEpoch
	n.todo = todoView
}

// restoreReplicas joins replicas and masters. A replica has no epoch of its own, and without a shard id, as
// Redis 7.0 saves it, it is in its master's shard.
func (n *Node) restoreReplicas(saved State, loaded []*peer) {
	for i, node := range saved.Nodes {
		if int(node.Master) >= len(loaded) {
			continue
		}
		p, master := loaded[i], loaded[node.Master]
		n.setMasterOf(p, master)
		if p.isReplica() {
			p.configEpoch = 0
		}
		if node.ShardID.IsZero() {
			p.shard = master.shard
		}
	}
}

// View is the routing table. It is immutable; a change of routing makes a new one.
func (n *Node) View() *topology.View {
	if n.view == nil {
		everybody := func(*peer) bool { return true }
		n.view = topology.NewView(n.cluster(everybody), n.state, n.cfg.Config)
	}
	return n.view
}

// Snapshot is what the CLUSTER command shows, as of now. fill, if not nil, adds to each link what the driver
// knows of it: its send buffer and what it waits for.
func (n *Node) Snapshot(fill func(Link, *topology.Link)) topology.Snapshot {
	s := topology.Snapshot{
		Cluster:                  n.cluster(func(*peer) bool { return true }),
		Config:                   n.cfg.Config,
		State:                    n.state,
		Size:                     n.size,
		CurrentEpoch:             n.currentEpoch,
		Sent:                     n.sent,
		Received:                 n.received,
		LinksBufferLimitExceeded: n.linksOverLimit,
	}
	add := func(i int, l Link, at Millis) {
		if l != 0 {
			s.Links = append(s.Links, topology.Link{Node: uint16(i), Inbound: !l.Outbound(), CreatedMs: int64(at)})
			if fill != nil {
				fill(l, &s.Links[len(s.Links)-1])
			}
		}
	}
	for i, p := range n.order {
		add(i, p.out, p.outAt)
		add(i, p.in, p.inAt)
	}
	return s
}
