package core

import (
	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/cluster/bus"
)

// A node that does not answer a ping for the node timeout, nor sends anything else, is suspected (PFAIL). That
// is one node's opinion. If a majority of the masters that own slots says so within twice the node timeout, and
// we suspect it too, it has failed (FAIL): that is told to everybody at once and believed by everybody.
//
// A failed node that answers again is taken back at once if it is a replica or owns no slots. A master that
// still owns slots is taken back after twice the node timeout, when nobody seems to replace it.
//
// Where we differ from redis: a master that newly suspects another node pings all masters at once, since
// these pings carry the suspicion and their answers bring back the opinion of the others. And not all who find out
// that a node has failed tell everybody at once, for they do so in the same moment: when half of a thousand masters
// end, that is a few hundred million packets. The heralds tell everybody, who are the few of us whose ids are nearest
// to the id of the failed node. The others tell its replicas, who are to replace it, and tell everybody a tenth of a
// second later if no FAIL from anybody has come until then.
//
// Invariant: a node is never suspected and failed at once; failed is set only by a majority or a FAIL packet. Who finds
// a majority tells everybody, or has heard a FAIL.

// heralds is how many tell everybody at once that a node has failed.
const heralds = 3

func (n *Node) reportWindow() Millis { return 2 * n.cfg.NodeTimeout }

// quorum is a majority of the masters that own slots, as far as we know them: 1 for a replica that knows none but its
// own, as in redis. It can neither find that one failed nor be elected, since reports and votes are those of masters,
// and its own gives none about itself.
func (n *Node) quorum() int { return n.size/2 + 1 }

// suspect marks a node that does not answer. It reports whether this is new.
func (n *Node) suspect(p *peer) bool {
	if p.suspected() || p.failed() {
		return false
	}
	p.flags |= bus.FlagPFail
	n.suspects++
	n.note(Record{What: NodeSuspected, Level: Debug}.about(p))
	return true
}

// spreadSuspicion pings all masters that we can reach.
func (n *Node) spreadSuspicion() {
	if !n.me.isMaster() {
		return
	}
	c := circular{kind: bus.TypePing}
	for _, p := range n.order {
		if p != n.me && p.isMaster() && p.outUp && !p.inHandshake() && !p.suspected() && !p.failed() {
			if p.pingSent == 0 {
				p.pingSent = n.now
			}
			n.circulate(&c, p)
		}
	}
}

// hearReport takes a master's opinion about a node.
func (n *Node) hearReport(p, from *peer, failing bool) {
	if !failing {
		if p.reports != nil && from.reporter != 0 && p.reports.remove(from.reporter-1) {
			n.note(Record{What: FailureWithdrawn, Level: Verbose}.about(from).with(p))
		}
		return
	}
	if p.reports == nil {
		p.reports = newReports(n.now, n.reportWindow())
	}
	if p.reports.add(n.reporter(from), n.now, n.reportWindow()) {
		n.note(Record{What: FailureReported, Level: Verbose}.about(from).with(p))
	}
	n.failIfAgreed(p)
}

// countReports is how many masters reported p within the window. Without any, their memory is given back.
func (n *Node) countReports(p *peer) int {
	if p.reports == nil {
		return 0
	}
	live := p.reports.count(n.now, n.reportWindow())
	if live == 0 {
		p.reports = nil
	}
	return live
}

// failIfAgreed marks a node that we and a majority suspect as failed, and tells everybody.
func (n *Node) failIfAgreed(p *peer) {
	if !p.suspected() || p.failed() {
		return
	}
	own := 0
	if n.me.isMaster() {
		own = 1
	}
	if p.reports.atMost()+own < n.quorum() {
		return // without looking how old they are: most reports of a great failure end here
	}
	failures := n.countReports(p) + own
	if failures < n.quorum() {
		return
	}
	n.note(Record{What: NodeFailed, Level: Notice, A: uint64(failures), B: uint64(n.quorum())}.about(p))
	n.markFailed(p)
	n.tellFailed(p)
}

// tellFailed tells everybody, if we are a herald, and else those who cannot wait.
func (n *Node) tellFailed(p *peer) {
	fail := bus.Msg{Type: bus.TypeFail, Fail: p.id}
	if n.heralds(p) {
		n.broadcast(fail, false)
		return
	}
	for _, replica := range p.replicas {
		if replica != n.me && !replica.inHandshake() {
			n.send(replica.out, fail, false)
		}
	}
	p.untold, n.untold = true, true
}

// heralds reports whether we are among the first to tell that p failed: no more than a few of the masters that we reach
// are nearer to it than we are.
func (n *Node) heralds(p *peer) bool {
	mine, nearer := distance(&n.me.id, &p.id), 0
	for _, other := range n.order {
		if !other.isMaster() || other.slots == 0 || other == n.me || !n.reaches(other) {
			continue
		}
		if d := distance(&other.id, &p.id); d.Compare(mine) < 0 {
			if nearer++; nearer == heralds {
				return false
			}
		}
	}
	return true
}

// distance is an order that is another one for each b.
func distance(a, b *nodeid.ID) (d nodeid.ID) {
	for i := range d {
		d[i] = a[i] ^ b[i]
	}
	return d
}

// tellUntold tells everybody of failures about which no herald was heard.
func (n *Node) tellUntold() {
	if !n.untold {
		return
	}
	n.untold = false
	for _, p := range n.order {
		switch {
		case !p.untold:
		case !p.failed():
			p.untold = false
		case n.now-p.failedAt < cronInterval:
			n.untold = true
		default:
			p.untold = false
			n.broadcast(bus.Msg{Type: bus.TypeFail, Fail: p.id}, false)
		}
	}
}

func (n *Node) markFailed(p *peer) {
	p.flags = p.flags&^bus.FlagPFail | bus.FlagFail
	p.failedAt = n.now
	n.todo |= todoState | todoSave
	if p == n.me.master {
		n.todo |= todoFailover
	}
	n.routingChanged()
}

// failReceived believes a FAIL about anybody but ourselves.
func (n *Node) failReceived(pkt *packet) {
	p := n.lookup(pkt.Fail)
	if p == nil || p == n.me {
		return
	}
	p.untold = false
	if p.failed() {
		return
	}
	n.note(Record{What: FailHeard, Level: Notice}.about(pkt.sender).with(p))
	n.markFailed(p)
}

func (n *Node) failFromStranger(pkt *packet) {
	n.note(Record{What: FailIgnored, Level: Notice, Node: pkt.Sender, Other: pkt.Fail})
}

// answered notes a PONG on our link to p and ends what its silence began.
func (n *Node) answered(p *peer) {
	p.pongReceived, p.pingSent = n.now, 0
	if p.suspected() {
		p.flags &^= bus.FlagPFail
		n.todo |= todoState | todoSave
		n.note(Record{What: SuspicionEnded, Level: Debug}.about(p))
	} else if p.failed() {
		n.takeBack(p)
	}
}

// takeBack ends the failed state of a node that answers, if it may end.
func (n *Node) takeBack(p *peer) {
	var why What
	switch {
	case p.isReplica():
		why = FailEndedReplica
	case p.slots == 0:
		why = FailEndedNoSlots
	case n.now-p.failedAt > 2*n.cfg.NodeTimeout:
		why = FailEndedNobodyTookOver
	default:
		return
	}
	p.flags &^= bus.FlagFail
	n.todo |= todoState | todoSave
	n.note(Record{What: why, Level: Notice}.about(p))
	n.routingChanged()
}

// CountFailureReports is CLUSTER COUNT-FAILURE-REPORTS: how many masters reported the node within the window.
func (n *Node) CountFailureReports(now Millis, id string) (int, error) {
	p := n.lookupText(id)
	if p == nil {
		return 0, errorf("Unknown node %s", id)
	}
	n.now = max(n.now, now)
	return n.countReports(p), nil
}
