package core

import "github.com/skeindb/skein/internal/cluster/bus"

// Ten times a second the node looks at every peer. Without a link it dials, less often if it was refused (links.go). Once a second it pings, of five
// peers drawn at random, the one that it heard of longest ago; and at any time each peer whose last pong is older
// than half the node timeout. So every pair of nodes exchanges at least two pings per node timeout. A
// link on which a ping stays without answer for half the node timeout is made anew, because the fault may be in the
// connection and not in the node.
//
// Invariant: a peer with a link has at most one unanswered ping, and pingSent is when it was sent.

const (
	cronInterval    Millis = 100
	cronsPerPing           = 10
	pingDraws              = 5
	minHandshakeAge Millis = 1000
)

// tick lets time pass: everything that is due, and the ten-times-a-second round if it is.
func (n *Node) tick() {
	if n.now >= n.nextCron {
		n.nextCron += cronInterval
		if n.nextCron <= n.now {
			n.nextCron = n.now + cronInterval
		}
		n.cron()
	}
	n.todo |= todoManual
	if n.state == bus.StateFail {
		n.todo |= todoState
	}
}

func (n *Node) cron() {
	n.crons++
	n.reconnect()
	if n.crons%cronsPerPing == 0 {
		n.pingSomebody()
	}
	if n.watchAll() > 0 {
		n.todo |= todoState
		n.spreadSuspicion()
	}
	n.tellUntold()
	n.migrateReplica()
}

// watchAll looks after every peer for which it is time, and returns how many are newly suspected. A thousand nodes look
// at a thousand peers ten times a second, nearly always for nothing: most of that is the way to the peer in memory.
func (n *Node) watchAll() (suspects int) {
	for i, due := range n.due {
		if n.now < due && !n.manual.paused {
			continue
		}
		p := n.order[i]
		if p == n.me || p.noAddr() || p.inHandshake() {
			continue
		}
		if n.watch(p) {
			suspects++
		}
		n.due[i] = n.nextWatch(p)
	}
	return suspects
}

// nextWatch is a time before which watch has nothing to do for p, whatever happens until then: a pong only gets younger,
// a ping that is sent later is unanswered for as long later. A hand-over, new directives and a master that is forgotten make
// an end of it.
func (n *Node) nextWatch(p *peer) Millis {
	ping, unanswered := p.told(), n.now
	if p.pingSent != 0 {
		ping, unanswered = n.now, max(p.pingSent, p.dataReceived)
	}
	return min(ping+n.pingInterval(), unanswered+n.cfg.NodeTimeout/2) + 1
}

// told is when we heard of p, from itself or from others. Others do not say whose replica it is: who does not know that, since
// it did not know the master yet when the replica told it, has to ask the replica itself. Gossip would keep the two from
// pinging each other for many minutes.
func (p *peer) told() Millis {
	if p.isReplica() && p.master == nil {
		return min(p.pongReceived, p.dataReceived)
	}
	return p.pongReceived
}

// pingInterval is how old a pong may get.
func (n *Node) pingInterval() Millis {
	if n.cfg.PingInterval != 0 {
		return n.cfg.PingInterval
	}
	return n.cfg.NodeTimeout / 2
}

// reconnect dials every node without a link and gives up handshakes that got no answer.
func (n *Node) reconnect() {
	if !n.unlinked {
		return
	}
	n.unlinked = false
	lifetime := max(n.cfg.NodeTimeout, minHandshakeAge)
	for i := 0; i < len(n.order); i++ {
		p := n.order[i]
		switch {
		case p == n.me || p.noAddr():
		case p.inHandshake() && n.now-p.createdAt > lifetime:
			n.note(Record{What: HandshakeExpired, Level: Verbose, Detail: n.address(p)}.about(p))
			n.dropPeer(p)
			i--
			continue
		case p.out == 0 && n.now-p.outAt >= n.redialPause(p):
			n.dial(p)
		}
		if p != n.me && (p.out == 0 || p.inHandshake()) {
			n.unlinked = true
		}
	}
}

// pingSomebody pings one of a few nodes drawn at random: the one that we heard of longest ago.
func (n *Node) pingSomebody() {
	var oldest *peer
	for range pingDraws {
		p := n.order[n.rnd.IntN(len(n.order))]
		if p.out == 0 || p.pingSent != 0 || p == n.me || p.inHandshake() {
			continue
		}
		if oldest == nil || p.pongReceived < oldest.pongReceived {
			oldest = p
		}
	}
	if oldest != nil {
		n.ping(oldest)
	}
}

// watch looks after one peer: renews its link, pings it, suspects it. It reports a new suspicion.
func (n *Node) watch(p *peer) (suspectedNow bool) {
	timeout := n.cfg.NodeTimeout
	silence := Millis(0) // while a ping is not answered
	if p.pingSent != 0 {
		silence = n.now - max(p.pingSent, p.dataReceived)
	}
	if silence > timeout/2 && p.out != 0 && n.now-p.outAt > timeout {
		n.closeOutbound(p)
	}
	switch {
	case p.out != 0 && p.pingSent == 0 && n.now-p.told() > n.pingInterval():
		n.ping(p)
	case p.out != 0 && n.manual.paused && n.manual.replica == p:
		n.pingKeepingTime(p)
	case silence > timeout:
		return n.suspect(p)
	}
	return false
}

// ping sends a PING on our link to p and starts its time.
func (n *Node) ping(p *peer) {
	p.pingSent = n.now
	n.heartbeat(p.out, bus.TypePing)
}

// pingKeepingTime sends a PING besides one that may be unanswered: the older one still counts.
func (n *Node) pingKeepingTime(p *peer) {
	if p.pingSent == 0 {
		p.pingSent = n.now
	}
	n.heartbeat(p.out, bus.TypePing)
}

// heartbeat queues a PING, PONG or MEET.
func (n *Node) heartbeat(l Link, t bus.Type) { n.queueHeartbeat(l, t, false) }

func (n *Node) queueHeartbeat(l Link, t bus.Type, durable bool) {
	if l == 0 {
		return
	}
	n.queue(outgoing{link: l, msg: n.newHeartbeat(t), durable: durable, old: n.speaksOld(l)})
}

// newHeartbeat is a packet without content, whose gossip may have room already: it takes what the driver has left of
// packets that nobody needs any more.
func (n *Node) newHeartbeat(t bus.Type) *bus.Msg {
	spare := &n.out.Spare
	last := len(*spare) - 1
	if last < 0 {
		return &bus.Msg{Type: t}
	}
	m := (*spare)[last]
	*spare = (*spare)[:last]
	*m = bus.Msg{Type: t, Gossip: m.Gossip[:0]}
	return m
}

// speaksOld reports whether the node at the other end of a link showed that it is a Redis 7.0.
func (n *Node) speaksOld(l Link) bool {
	p := n.dialledTo(l)
	if p == nil {
		p = n.inbound[l]
	}
	return p != nil && p.old
}

// announce queues a PONG that carries our newest claim and waits for its save.
func (n *Node) announce(p *peer) { n.queueHeartbeat(p.out, bus.TypePong, true) }

// circular is one heartbeat for many receivers: its gossip is drawn once, and where there are a thousand of them it is in
// memory once. Those that speak 7.0 get one of their own.
type circular struct {
	kind         bus.Type
	durable      bool
	newer, older *bus.Msg
}

// circulate queues the heartbeat for one more receiver.
func (n *Node) circulate(c *circular, p *peer) {
	if p.out == 0 {
		return
	}
	m := &c.newer
	if p.old {
		m = &c.older
	}
	if *m == nil {
		*m = &bus.Msg{Type: c.kind}
	}
	n.enqueue(p.out, *m, c.durable)
	n.pending[len(n.pending)-1].old = p.old
}

// announceToAll tells every node of our new claim at once, when it is saved.
func (n *Node) announceToAll() { n.pongToAll(true) }

// pongToAll sends everybody a PONG; a durable one carries our newest claim and waits for its save.
func (n *Node) pongToAll(durable bool) {
	c := circular{kind: bus.TypePong, durable: durable}
	for _, p := range n.order {
		if p != n.me && !p.inHandshake() {
			n.circulate(&c, p)
		}
	}
}
