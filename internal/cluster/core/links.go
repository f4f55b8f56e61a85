package core

import "github.com/skeindb/skein/internal/cluster/bus"

// Two connections join each pair of nodes: each side dials one and asks its questions on it; only the PONG
// that answers a PING, and the PING that answers an MFSTART, go back by the way they were asked. So a node
// that can be reached but cannot reach us is noticed.
//
// Invariant: a peer has at most one outbound and one inbound link. An outbound link carries the index of its peer in
// the low 16 bits of its name; n.inbound names every accepted link, with its peer once a packet told us who it is.

// dialledTo returns the peer at the end of a link that we dialled, or nil if we hung up since.
func (n *Node) dialledTo(l Link) *peer {
	if idx := int(uint16(l)); l.Outbound() && idx < len(n.peers) && n.peers[idx] != nil && n.peers[idx].out == l {
		return n.peers[idx]
	}
	return nil
}

// dial opens our link to p, unless we lack its address.
func (n *Node) dial(p *peer) {
	if p.ip == "" || p.busPort == 0 {
		n.dialFailed(p)
		return
	}
	n.dialled++
	p.out = linkOutbound | Link(n.dialled<<16) | Link(p.idx)
	p.outAt, p.outUp = n.now, false
	n.out.Dials = append(n.out.Dials, Dial{Link: p.out, Node: p.id, Host: p.ip, Port: p.busPort})
}

const (
	maxRefusals        = 5
	maxPause    Millis = 1000
)

// redialPause is how long after one dial the next one may follow. A process that is not there refuses ten dials a second
// as it refuses the first, and where half of a thousand nodes are gone these dials are most of what the others do.
// Nothing is lost by a pause: who starts again dials us at once, and with the first packet from it there is no pause.
func (n *Node) redialPause(p *peer) Millis {
	if p.refusals <= 1 || p.inHandshake() {
		return 0
	}
	return min(cronInterval<<p.refusals, maxPause, n.cfg.NodeTimeout/10)
}

// dialFailed counts a dial that could not even begin, or a link that broke, as an unanswered ping: without one the
// failure of p would never be noticed, or as late as the next ping would be due.
func (n *Node) dialFailed(p *peer) {
	if p.pingSent == 0 {
		p.pingSent = n.now
	}
}

// linkUp greets the node at the other end of a link that we dialled: with a MEET if one is owed to it, else
// with a PING at once, so that a reconnect does not look like a failure. A ping that was
// pending before the link broke keeps its time.
func (n *Node) linkUp(l Link) {
	if !l.Outbound() {
		if _, known := n.inbound[l]; !known {
			n.inbound[l] = nil
		}
		return
	}
	p := n.dialledTo(l)
	if p == nil || p.outUp {
		return
	}
	p.outUp, p.refusals = true, 0
	if p.flags.Has(bus.FlagMeet) {
		n.heartbeat(l, bus.TypeMeet)
	} else {
		n.pingKeepingTime(p)
	}
	p.flags &^= bus.FlagMeet
}

// linkDown forgets a link. The next tick dials again. From the moment in which a working link breaks, the time
// runs after which its peer is suspected: a process that was killed is noticed after the node timeout and not half of
// one later.
func (n *Node) linkDown(ev LinkDown) {
	if ev.Link.Outbound() {
		p := n.dialledTo(ev.Link)
		if p == nil {
			return
		}
		if ev.AtOnce || p.outUp {
			n.dialFailed(p)
		}
		if !p.outUp && p.refusals < maxRefusals {
			p.refusals++
		}
		n.noteOverLimit(ev, p, "to")
		n.forgetOutbound(p)
		return
	}
	if p, known := n.inbound[ev.Link]; known {
		n.noteOverLimit(ev, p, "from")
		n.forgetInbound(ev.Link)
	}
}

func (n *Node) noteOverLimit(ev LinkDown, p *peer, direction string) {
	if !ev.OverLimit {
		return
	}
	n.linksOverLimit++
	n.note(Record{What: LinkOverLimit, Level: Warning, Detail: direction, A: uint64(ev.BufferLen)}.about(p))
}

func (n *Node) forgetOutbound(p *peer) { p.out, p.outUp, n.unlinked = 0, false, true }

func (n *Node) forgetInbound(l Link) {
	if p := n.inbound[l]; p != nil {
		p.in = 0
	}
	delete(n.inbound, l)
}

// closeOutbound hangs up our link to p.
func (n *Node) closeOutbound(p *peer) {
	p.refusals = 0
	if p.out != 0 {
		n.out.HangUps = append(n.out.HangUps, p.out)
		n.forgetOutbound(p)
	}
}

// closeInbound hangs up the link by which p reached us.
func (n *Node) closeInbound(p *peer) {
	if p.in != 0 {
		n.out.HangUps = append(n.out.HangUps, p.in)
		n.forgetInbound(p.in)
	}
}

// bindInbound notes that p is at the other end of an accepted link. A second link from the same node
// replaces the first, which is most likely a dead one.
func (n *Node) bindInbound(l Link, p *peer) {
	n.closeInbound(p)
	n.inbound[l] = p
	p.in, p.inAt = l, n.now
}

// broadcast sends the same body to every node with a link.
func (n *Node) broadcast(body bus.Msg, durable bool) {
	for _, p := range n.order {
		if p != n.me && !p.inHandshake() {
			n.enqueue(p.out, &body, durable)
		}
	}
}
