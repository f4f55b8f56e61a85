package core

import "github.com/skeindb/skein/internal/cluster/bus"

// A PING, PONG or MEET of a known node renews everything that we know of it: that it lives, its address, its role,
// its slots, its names; and what it says of others. A PONG on our own link ends our ping.
//
// The order matters. The role comes before the slots, since only a master claims slots; slots come before the
// UPDATE that tells the sender what it missed, and before the gossip, which may drop nodes.

func (n *Node) heartbeatReceived(pkt *packet) {
	p := pkt.sender
	if pkt.Type != bus.TypePong {
		n.learnMyIP(pkt)
		if pkt.Type == bus.TypeMeet {
			n.liftResetBans()
		}
		n.heartbeat(pkt.link, bus.TypePong)
	}
	if pkt.at != nil && pkt.at.inHandshake() {
		n.handshakeWithKnown(pkt)
		return
	}
	n.hearFlags(p, pkt.Flags)
	if pkt.Type == bus.TypePing {
		n.updateAddress(p, pkt)
	}
	if pkt.at != nil && pkt.Type == bus.TypePong {
		n.answered(p)
	}
	if pkt.Refusal != bus.RefusalNone {
		n.voteRefused(pkt)
	}
	if n.overtaken(pkt) {
		n.note(Record{What: StaleClaimIgnored, Level: Debug}.about(p))
	} else {
		n.hearRole(pkt)
		n.hearSlots(pkt)
	}
	n.resolveCollision(p, pkt.ConfigEpoch)
	n.hearGossip(pkt)
	n.hearExtensions(pkt)
}

// hearFlags takes over the flags that only the sender itself can know.
func (n *Node) hearFlags(p *peer, flags bus.Flags) {
	p.flags = p.flags&^bus.FlagNoFailover | flags&bus.FlagNoFailover
	if flags.Has(bus.FlagMyPrimaryFail) {
		p.seesFailingAt = n.now
		n.electionMayHurry(p.master)
	}
}

// overtaken reports whether a packet is from before its sender became a master and came late, by the other one of
// its two links with us: it still says that the sender is a replica, under the epoch of the master before. Who
// was made a replica since has a master with a greater epoch, or else says so again when the doubt is over.
func (n *Node) overtaken(pkt *packet) bool {
	p := pkt.sender
	return p.isMaster() && !pkt.SlaveOf.IsZero() && pkt.ConfigEpoch < p.configEpoch &&
		p.masterSince != 0 && n.now-p.masterSince < n.cfg.NodeTimeout/2
}

// hearRole follows a change of the sender's role. A master that became a replica owns nothing any more, from
// this moment on: its slots are its new master's, if it says so, or nobody's. A master that we do not know leaves the
// old one in place.
func (n *Node) hearRole(pkt *packet) {
	p := pkt.sender
	if pkt.SlaveOf.IsZero() {
		n.turnMaster(p)
		return
	}
	if p.isMaster() {
		n.heirTold(pkt)
		n.unbindAll(p)
		p.flags = p.flags&^(bus.FlagMaster|bus.FlagMigrateTo) | bus.FlagSlave
		n.todo |= todoSave | todoState
		n.routingChanged()
	}
	if master := n.lookup(pkt.SlaveOf); master != nil && master != p && p.master != master {
		n.setMasterOf(p, master)
		n.setShard(p, master.shard)
		n.todo |= todoSave
	}
}
