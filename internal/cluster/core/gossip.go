package core

import (
	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/cluster/bus"
)

// Every heartbeat speaks of a few other nodes drawn at random, a tenth of all and at least three, and of every
// node that its sender suspects. This is how nodes become known to all and how suspicion reaches a majority.
//
// Invariant: a node is added by gossip only if a known node speaks of it, it has an address, and it is
// not banned. Gossip never adds or changes ourselves.

const (
	minGossip      = 3
	gossipTenth    = 10
	drawsPerGossip = 3
	lookBatch      = 64 // peers are looked at in groups, which is quick if they are not in the processor's cache

	// flagsByGossip are the flags of a node that we take over when we first hear of it.
	flagsByGossip = bus.FlagMaster | bus.FlagSlave | bus.FlagPFail | bus.FlagFail | bus.FlagMigrateTo | bus.FlagNoFailover
)

// addGossip fills the gossip of a heartbeat.
func (n *Node) addGossip(m *bus.Msg) {
	n.gossipRound++
	fresh := len(n.order) - 2 // all but ourselves and the receiver
	wanted := min(max(len(n.order)/gossipTenth, minGossip), fresh)
	if room := max(wanted, 0) + n.suspects + 1; cap(m.Gossip) < room {
		m.Gossip = make([]bus.Gossip, 0, room)
	}
	var batch [lookBatch]*peer
	for draws := wanted * drawsPerGossip; draws > 0 && fresh > 0 && len(m.Gossip) < wanted; {
		drawn := batch[:min(len(batch), draws, fresh, wanted-len(m.Gossip))] // no more than are drawn in any case
		draws -= len(drawn)
		n.draw(drawn)
		n.gossipAbout(m, n.freshOf(drawn, &fresh)...)
	}
	n.gossipAboutSuspects(m)
	if p := n.me.master; p != nil && p.failed() && p.gossipMark != n.gossipRound && !p.noAddr() {
		n.gossipAbout(m, p) // so that our siblings know that we agree (election.go)
	}
}

// draw draws peers at random.
func (n *Node) draw(drawn []*peer) {
	var places [lookBatch]uint16
	for i := range drawn {
		places[i] = uint16(n.rnd.IntN(len(n.order)))
	}
	for i := range drawn {
		drawn[i] = n.order[places[i]]
	}
}

// freshOf keeps of the peers that were drawn those to speak of, and marks them. fresh is how many there may be besides
// them. It reads the marks first, so that the processor waits for all peers at a time.
func (n *Node) freshOf(drawn []*peer, fresh *int) []*peer {
	var marks [lookBatch]uint32
	for i, p := range drawn {
		marks[i] = p.gossipMark
	}
	kept := drawn[:0]
	for i, p := range drawn {
		if p == n.me || p.suspected() || marks[i] == n.gossipRound || p.gossipMark == n.gossipRound {
			continue
		}
		*fresh--
		if p.inHandshake() || p.noAddr() || (p.out == 0 && p.slots == 0) {
			continue
		}
		p.gossipMark = n.gossipRound
		kept = append(kept, p)
	}
	return kept
}

// gossipAboutSuspects appends everybody whom we suspect. n.suspects is a bound of how many that are, which is made exact
// here: whoever begins to suspect a node counts it.
func (n *Node) gossipAboutSuspects(m *bus.Msg) {
	if n.suspects == 0 {
		return
	}
	n.suspects = 0
	for _, p := range n.order {
		if !p.suspected() {
			continue
		}
		n.suspects++
		if !p.inHandshake() && !p.noAddr() {
			n.gossipAbout(m, p)
		}
	}
}

// gossipAbout appends what we know of peers. It takes the first cache line of all, then the second.
func (n *Node) gossipAbout(m *bus.Msg, about ...*peer) {
	begin := len(m.Gossip)
	for _, p := range about {
		p.gossipMark = n.gossipRound
		m.Gossip = append(m.Gossip, bus.Gossip{
			Node:         p.id,
			PingSent:     uint32(p.pingSent / 1000),
			PongReceived: uint32(p.pongReceived / 1000),
			Flags:        p.flags,
		})
	}
	for i, p := range about {
		g := &m.Gossip[begin+i]
		g.IP, g.CPort = p.ip, p.busPort
		g.Port, g.PPort = n.wirePorts(p.port, p.tlsPort)
	}
}

// hearGossip takes what a known node says about others.
func (n *Node) hearGossip(pkt *packet) {
	var batch [lookBatch]*peer
	for list := pkt.Gossip; len(list) > 0; {
		heard := list[:min(len(list), lookBatch)]
		list = list[len(heard):]
		n.byID.findAll(n.peers, heard, &batch)
		for i := range heard {
			g, p := &heard[i], batch[i]
			if p == nil {
				p = n.lookup(g.Node) // it may have been added since
			}
			switch p {
			case nil:
				n.addByGossip(g, pkt.sender)
			case n.me:
			default:
				n.hearAbout(p, g, pkt.sender)
			}
		}
	}
	if pkt.BadEntries > 0 {
		n.note(Record{What: InvalidEntries, Level: Warning, A: uint64(pkt.BadEntries)}.about(pkt.sender))
	}
}

// addByGossip makes a node known of which we hear for the first time.
func (n *Node) addByGossip(g *bus.Gossip, from *peer) {
	if g.Flags.Has(bus.FlagNoAddr|bus.FlagHandshake) || g.IP == "" || g.Node == noID || n.banned(g.Node) {
		return
	}
	p := n.addPeer(g.Node, oneRole(g.Flags&flagsByGossip))
	if p == nil {
		return
	}
	n.setAddress(p, g)
	n.note(Record{What: NodeAdded, Level: Verbose}.about(p).with(from))
}

// hearAbout takes what from says about p: a failure report, a later pong, a new address.
func (n *Node) hearAbout(p *peer, g *bus.Gossip, from *peer) {
	failing := g.Flags.Has(bus.FlagFail | bus.FlagPFail)
	if from.isMaster() {
		n.hearReport(p, from, failing)
	}
	if from.master == p {
		from.seesFailingAt = 0
		if failing {
			from.seesFailingAt = n.now
			n.electionMayHurry(p)
		}
	}
	if failing {
		return
	}
	n.askRole(p, g)
	if p.pingSent == 0 && n.countReports(p) == 0 {
		if pong := Millis(g.PongReceived) * 1000; pong <= n.now+500 && pong > p.pongReceived {
			p.pongReceived = pong
		}
	}
	if (p.failed() || p.suspected()) && !g.Flags.Has(bus.FlagNoAddr) && g.IP != "" && !n.hasAddress(p, g) {
		n.closeOutbound(p)
		n.setAddress(p, g)
		p.flags &^= bus.FlagNoAddr
		n.todo |= todoSave
		n.routingChanged()
	}
}

// askRole pings p when others think it is a master and we a replica, or the reverse, and it has not told us itself lately.
// Who changes its role tells everybody, but a link may not be there yet, or an older packet come later by the other link;
// and of two thousand nodes whose pongs are known by gossip, two would happen to ping each other after many minutes.
func (n *Node) askRole(p *peer, g *bus.Gossip) {
	const roles = bus.FlagMaster | bus.FlagSlave
	other := g.Flags&roles != 0 && g.Flags&roles != p.flags&roles
	if other && p.out != 0 && p.pingSent == 0 && n.now-p.dataReceived > n.pingInterval() {
		n.ping(p)
	}
}

func (n *Node) hasAddress(p *peer, g *bus.Gossip) bool {
	port, tlsPort := n.wirePorts(g.Port, g.PPort)
	return p.ip == g.IP && p.port == port && p.tlsPort == tlsPort && p.busPort == g.CPort
}

func (n *Node) setAddress(p *peer, g *bus.Gossip) {
	p.ip, p.busPort = g.IP, g.CPort
	p.port, p.tlsPort = n.wirePorts(g.Port, g.PPort)
}

var noID nodeid.ID
