package core

import (
	"net/netip"
	"strconv"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/cluster/bus"
)

// Nodes join by MEET and in no other way. The administrator gives A the address of B:
//
//	A: node under a provisional id, dials it  --MEET-->  B: node under a provisional id, at A's address
//	A: the node gets B's id, is known         <--PONG--
//	                                          <--PING--  B dials back
//	                                          --PONG-->  B: the node gets A's id, is known
//
// Whoever does not answer within the node timeout is dropped. Others hear of both by gossip.
//
// Invariant: a node in handshake owns nothing, is nobody's master, and is never gossiped about, pinged or saved.

// startHandshake begins to meet the node at an address. The error is that the address makes no sense; to
// meet the same address twice at a time is no error.
func (n *Node) startHandshake(ev Meet) error {
	ip, err := netip.ParseAddr(ev.IP)
	if err != nil || ip.Zone() != "" || !validPort(ev.Port) || !validPort(ev.BusPort) {
		return errorf("Invalid node address specified: %s:%d", ev.IP, ev.Port)
	}
	n.liftResetBans()
	n.meet(ip.String(), uint16(ev.Port), 0, uint16(ev.BusPort), bus.FlagMeet)
	return nil
}

// meet makes a node in handshake, unless there is one for this address. first and second are its client ports
// as a header carries them.
func (n *Node) meet(host string, first, second, busPort uint16, flags bus.Flags) {
	for _, p := range n.order {
		if p.inHandshake() && p.ip == host && n.clientPort(p) == first && p.busPort == busPort {
			return
		}
	}
	p := n.addPeer(nodeid.Random(n.rnd), bus.FlagHandshake|flags)
	if p == nil {
		return
	}
	p.ip, p.busPort = host, busPort
	p.port, p.tlsPort = n.wirePorts(first, second)
}

func validPort(port int64) bool { return port > 0 && port <= 65535 }

// heartbeatFromStranger answers a PING, takes up the handshake that a MEET offers, and ends one of ours with
// the PONG. Nothing else in the packet is believed.
func (n *Node) heartbeatFromStranger(pkt *packet) {
	if pkt.Type != bus.TypePong {
		n.learnMyIP(pkt)
	}
	if pkt.Type == bus.TypeMeet {
		n.liftResetBans()
		if host := n.senderIP(pkt); host != "" {
			n.meet(host, pkt.Port, pkt.PPort, pkt.CPort, 0)
			n.todo |= todoSave
		}
	}
	if pkt.Type != bus.TypePong {
		n.heartbeat(pkt.link, bus.TypePong)
		n.pending[len(n.pending)-1].old = pkt.speaksOld()
	}
	if p := pkt.at; p != nil {
		n.rename(p, pkt.Sender)
		p.flags = p.flags&^bus.FlagHandshake | oneRole(pkt.Flags&(bus.FlagMaster|bus.FlagSlave))
		p.old = pkt.speaksOld()
		if pkt.Type == bus.TypePong {
			p.pongReceived, p.pingSent = n.now, 0
		}
		n.todo |= todoSave
		n.note(Record{What: NodeMet, Level: Debug}.about(p))
	}
}

// learnMyIP takes our own address from the connection by which a MEET came, since whoever met us used an
// address under which we can be reached. Without any address, a PING will do; and one from a node that we know if
// the address is only remembered: we may have another one since we were started again, as containers do.
func (n *Node) learnMyIP(pkt *packet) {
	if n.cfg.AnnounceIP != "" || pkt.localIP == "" {
		return
	}
	if pkt.Type != bus.TypeMeet && n.me.ip != "" && (pkt.sender == nil || !n.myIPRemembered) {
		return
	}
	n.myIPRemembered = false
	if pkt.localIP == n.me.ip {
		return
	}
	n.me.ip = pkt.localIP
	n.todo |= todoSave
	n.note(Record{What: MyAddressChanged, Level: Notice, Detail: n.me.ip})
	n.routingChanged()
}

// handshakeWithKnown ends a handshake that led to a node we know already: all that it can bring is a new address.
func (n *Node) handshakeWithKnown(pkt *packet) {
	n.note(Record{What: HandshakeKnown, Level: Verbose}.about(pkt.sender))
	n.updateAddress(pkt.sender, pkt)
	n.dropPeer(pkt.at)
}

// senderIP is the address that the sender announces, or the one of its connection.
func (n *Node) senderIP(pkt *packet) string {
	if pkt.MyIP != "" {
		return pkt.MyIP
	}
	return pkt.remoteIP
}

// updateAddress takes over the address of a node from a packet that came by another link than ours to it. If it
// is a new one, our link is made anew.
func (n *Node) updateAddress(p *peer, pkt *packet) {
	host := n.senderIP(pkt)
	port, tlsPort := n.wirePorts(pkt.Port, pkt.PPort)
	if pkt.link == p.out || host == "" {
		return
	}
	if p.ip == host && p.port == port && p.tlsPort == tlsPort && p.busPort == pkt.CPort {
		return
	}
	p.ip, p.port, p.tlsPort, p.busPort = host, port, tlsPort, pkt.CPort
	p.flags &^= bus.FlagNoAddr
	n.closeOutbound(p)
	n.note(Record{What: AddressChanged, Level: Notice, Detail: host, A: uint64(n.clientPort(p))}.about(p))
	n.todo |= todoSave | todoState
	n.routingChanged()
}

// address is p's client address for people.
func (n *Node) address(p *peer) string { return p.ip + ":" + strconv.Itoa(int(n.clientPort(p))) }
