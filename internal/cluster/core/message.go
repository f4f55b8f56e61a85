package core

import (
	"github.com/skeindb/skein/internal/cluster/bus"
)

// A packet counts as coming from the node that its link belongs to; the first packet on an accepted
// link says whose it is. Nodes that we do not know may introduce themselves with a MEET and get an answer
// to a PING: nothing else that they say is heard.
//
// Invariant: epochs only grow, whatever packets say.

// packet is one received packet on its way through the handlers.
type packet struct {
	*bus.Msg
	link     Link
	at       *peer // the node at the other end of an outbound link, perhaps in handshake; nil: inbound
	sender   *peer // nil: unknown to us
	remoteIP string
	localIP  string
}

// listener is who we are to the sender of a packet: the column of the table of handlers.
type listener int

const (
	toStranger listener = iota // we do not know the sender
	toMaster                   // we know it and are a master
	toReplica                  // we know it and are a replica
	listeners
)

// handler says what one packet means. Either do is set, or silent says why nothing is done.
type handler struct {
	do     func(*Node, *packet)
	silent string
}

const unknownSender = "the sender is unknown"

// handlers is the table: what each type of packet means to each listener. It never changes.
var handlers = [bus.TypeCount][listeners]handler{
	bus.TypePing: {{do: (*Node).heartbeatFromStranger}, {do: (*Node).heartbeatReceived}, {do: (*Node).heartbeatReceived}},
	bus.TypePong: {{do: (*Node).heartbeatFromStranger}, {do: (*Node).heartbeatReceived}, {do: (*Node).heartbeatReceived}},
	bus.TypeMeet: {{do: (*Node).heartbeatFromStranger}, {do: (*Node).heartbeatReceived}, {do: (*Node).heartbeatReceived}},
	bus.TypeFail: {{do: (*Node).failFromStranger}, {do: (*Node).failReceived}, {do: (*Node).failReceived}},
	bus.TypePublish: {
		{silent: unknownSender}, {do: (*Node).publishReceived}, {do: (*Node).publishReceived},
	},
	bus.TypeAuthRequest: {
		{silent: unknownSender}, {do: (*Node).voteRequested}, {silent: "a replica has no vote"},
	},
	bus.TypeAuthAck: {
		{silent: unknownSender}, {silent: "a master is no candidate"}, {do: (*Node).voteReceived},
	},
	bus.TypeUpdate: {{silent: unknownSender}, {do: (*Node).updateReceived}, {do: (*Node).updateReceived}},
	bus.TypeMFStart: {
		{silent: unknownSender}, {do: (*Node).handOverRequested}, {silent: "a replica has nothing to hand over"},
	},
	bus.TypeModule: {
		{silent: unknownSender}, {silent: "no module is loaded"}, {silent: "no module is loaded"},
	},
	bus.TypePublishShard: {
		{silent: unknownSender}, {do: (*Node).publishReceived}, {do: (*Node).publishReceived},
	},
}

// receive takes one packet.
func (n *Node) receive(ev Received) {
	n.packet = packet{Msg: ev.Msg, link: ev.Link, remoteIP: ev.RemoteIP, localIP: ev.LocalIP}
	defer func() { n.packet = packet{} }()
	pkt := &n.packet
	if int(pkt.Type) >= bus.TypeCount {
		n.note(Record{What: PacketUnknown, Level: Warning, A: uint64(pkt.Type)})
		return
	}
	n.received[pkt.Type]++
	if pkt.Sender.IsZero() {
		return // no node has this name
	}
	if int(pkt.Type) == n.dropFilter {
		n.note(Record{What: PacketDropped, Level: Warning})
		return
	}
	if !n.identify(pkt) {
		return
	}
	who := toStranger
	if pkt.sender != nil {
		n.heardFrom(pkt.sender, pkt)
		who = toMaster
		if n.me.isReplica() {
			who = toReplica
		}
	}
	if h := handlers[pkt.Type][who]; h.do != nil {
		h.do(n, pkt)
	}
}

// identify finds out who sent a packet. It reports false if nothing more is to be done with the packet.
func (n *Node) identify(pkt *packet) bool {
	if pkt.Sender == n.me.id {
		n.metMyself(pkt)
		return false
	}
	if pkt.sender = n.lookup(pkt.Sender); pkt.sender != nil && pkt.sender.inHandshake() {
		pkt.sender = nil // a provisional id is nobody's name
	}
	if pkt.link.Outbound() {
		if pkt.at = n.dialledTo(pkt.link); pkt.at == nil {
			return false // hung up meanwhile
		}
		if !pkt.at.inHandshake() && pkt.sender != pkt.at {
			n.wrongNode(pkt)
			return false
		}
		return true
	}
	bound, accepted := n.inbound[pkt.link]
	if !accepted {
		return false
	}
	switch {
	case bound == nil && pkt.sender != nil:
		n.bindInbound(pkt.link, pkt.sender)
	case bound != nil && bound != pkt.sender:
		n.closeInbound(bound) // who changes its name begins anew
		return false
	}
	return true
}

// heardFrom notes what every packet of a known node tells.
func (n *Node) heardFrom(p *peer, pkt *packet) {
	p.dataReceived, p.refusals = n.now, 0
	n.currentEpoch = max(n.currentEpoch, pkt.CurrentEpoch)
	if pkt.ConfigEpoch > p.configEpoch {
		p.configEpoch = pkt.ConfigEpoch
		n.todo |= todoSave | todoFsync
	}
	p.replOffset = int64(pkt.Offset)
	if p.master == n.me && pkt.SlaveOf == n.me.id {
		p.confirmed = max(p.confirmed, p.replOffset)
	}
	n.pausedOffsetHeard(p, pkt)
}

// publishReceived lets the driver deliver the message that it holds.
func (n *Node) publishReceived(*packet) { n.out.Deliver = true }

// wrongNode is called when somebody else answers at the address of a node. The node is elsewhere, or gone:
// its address is forgotten until it tells us a new one, or gossip does.
func (n *Node) wrongNode(pkt *packet) {
	if !pkt.Type.Heartbeat() {
		return
	}
	p := pkt.at
	n.note(Record{What: WrongNode, Level: Debug, Other: pkt.Sender}.about(p))
	p.flags |= bus.FlagNoAddr
	p.ip, p.port, p.tlsPort, p.busPort = "", 0, 0, 0
	n.closeOutbound(p)
	n.todo |= todoSave
	n.routingChanged()
}

// metMyself is called for packets with our own id: we dialled ourselves, by a MEET or by an old address.
func (n *Node) metMyself(pkt *packet) {
	if !pkt.Type.Heartbeat() {
		return
	}
	if !pkt.link.Outbound() {
		if _, accepted := n.inbound[pkt.link]; accepted && pkt.Type != bus.TypePong {
			n.learnMyIP(pkt)
			n.heartbeat(pkt.link, bus.TypePong)
		}
		return
	}
	switch pkt.at = n.dialledTo(pkt.link); {
	case pkt.at == nil:
	case pkt.at.inHandshake():
		n.dropPeer(pkt.at)
	default:
		n.wrongNode(pkt)
	}
}
