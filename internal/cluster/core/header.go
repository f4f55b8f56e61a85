package core

import (
	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/bus"
)

// Every packet opens with what its sender claims: who it is, its role, its epochs, its slots. A claim that a
// crash could take back must not be heard, so it is made only when it is on disk.
//
// Invariant: n.header is the newest durable claim. Heartbeats, and all packets that announce nothing of our
// own, carry it; a packet that announces something carries the newest claim and waits for its save. What
// changed without a save (an epoch learned from others) is no promise of ours and is told at once.

// header is the part of the packet header that is claimed.
type header struct {
	sender       nodeid.ID
	slaveOf      nodeid.ID
	flags        bus.Flags
	currentEpoch uint64
	configEpoch  uint64
	slots        *slot.Set
}

// pendingHeader is a claim whose save is under way.
type pendingHeader struct {
	seq    SaveSeq
	header header
}

// outgoing is a packet of the Step in hand, before it has a header.
type outgoing struct {
	link    Link
	msg     *bus.Msg
	durable bool // it announces something: it waits for the save
	shared  bool // it may be queued for other links too
	old     bool // the receiver speaks 7.0 (heartbeats only)
}

// maxPendingKept is how many packets of a Step keep their memory for the next one. Few Steps send more.
const maxPendingKept = 64

// send queues a packet with the given body. Link 0 is nobody.
func (n *Node) send(l Link, body bus.Msg, durable bool) {
	if l != 0 {
		n.queue(outgoing{link: l, msg: &body, durable: durable})
	}
}

// enqueue queues a packet that may be queued for other links too. Link 0 is nobody.
func (n *Node) enqueue(l Link, m *bus.Msg, durable bool) {
	if l != 0 {
		n.queue(outgoing{link: l, msg: m, durable: durable, shared: true})
	}
}

func (n *Node) queue(o outgoing) {
	n.pending = append(n.pending, o)
	n.sent[o.msg.Type]++
}

// liveHeader is the newest claim.
func (n *Node) liveHeader() header {
	master := n.me.shardMaster()
	h := header{
		sender:       n.me.id,
		flags:        n.me.flags,
		currentEpoch: n.currentEpoch,
		configEpoch:  master.configEpoch,
		slots:        n.slotsForHeader(master),
	}
	if n.me.master != nil {
		h.slaveOf = n.me.master.id
	}
	return h
}

// flush gives the queued packets their headers and hands them over, in the order in which they were queued.
func (n *Node) flush() {
	if len(n.pending) == 0 {
		return
	}
	live := n.liveHeader()
	for _, o := range n.pending {
		send := Send{Link: o.link, Msg: o.msg, Shared: o.shared}
		if o.durable && n.lastSave > n.durable {
			send.After = n.lastSave
		}
		if o.msg.Sender.IsZero() { // else it is complete: it goes to several
			n.complete(o, live)
		}
		n.out.Sends = append(n.out.Sends, send)
	}
	if cap(n.pending) > maxPendingKept {
		n.pending = nil
		return
	}
	clear(n.pending)
	n.pending = n.pending[:0]
}

// complete writes what every packet says of us, and in a heartbeat of others.
func (n *Node) complete(o outgoing, live header) {
	if o.durable {
		n.stamp(o.msg, live)
	} else {
		n.stamp(o.msg, n.header)
	}
	if o.msg.Type.Heartbeat() {
		n.addGossip(o.msg)
		n.addExtensions(o.msg, o.old)
	}
}

// stamp writes the header of a packet.
func (n *Node) stamp(m *bus.Msg, h header) {
	m.Sender, m.SlaveOf, m.Flags = h.sender, h.slaveOf, h.flags
	m.CurrentEpoch, m.ConfigEpoch, m.Slots = h.currentEpoch, h.configEpoch, h.slots
	m.Port, m.PPort = n.wirePorts(n.cfg.Port, n.cfg.TLSPort)
	m.CPort = n.cfg.BusPort
	m.MyIP = n.cfg.AnnounceIP
	m.State = n.state
	m.Offset = uint64(n.offset())
	if n.manual.paused {
		m.Offset = uint64(n.manual.offset)
		m.MFlags |= bus.MFlagPaused
	}
}

// Stamp writes the header of a packet that the driver sends on its own: PUBLISH, PUBLISHSHARD. It counts
// the packet as sent to the given number of links.
func (n *Node) Stamp(m *bus.Msg, links int) {
	n.stamp(m, n.header)
	if int(m.Type) < len(n.sent) {
		n.sent[m.Type] += uint64(links)
	}
}

// PublishLinks appends to dst the links on which a PUBLISH goes out (every known node), or with shard a
// PUBLISHSHARD (the nodes of our shard).
func (n *Node) PublishLinks(dst []Link, shard bool) []Link {
	for _, p := range n.order {
		if p != n.me && !p.inHandshake() && p.out != 0 && (!shard || p.shard == n.me.shard) {
			dst = append(dst, p.out)
		}
	}
	return dst
}
