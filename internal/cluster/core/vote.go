package core

import (
	"fmt"

	"github.com/skeindb/skein/internal/cluster/bus"
)

// A master that owns slots has one vote per epoch. It gives it to a replica of a failed master (or of any, if the
// request says that an administrator wants it) whose claim is not older than what we know. The vote is on disk
// before it is sent, so that a restart cannot give it twice.
//
// Where we differ from redis: who stands in an epoch does not vote in it any more. Else the winner, in whose shard the old
// master may have voted for somebody else, votes for that one too, and the epoch has two winners. There a second vote about the same master is refused for twice the node timeout.
// That is no matter of safety (the epoch is), and it makes the next candidate wait for nothing. A candidate is refused
// while we reach a sibling of it that has more data and may stand, unless an administrator wants it. Who is
// refused is told so, and why, by a PONG (bus.Refusal), and whose slots are of old, by an UPDATE too.
//
// Invariant: lastVoteEpoch only grows and is at most the current epoch.

// voteRequested votes, or notes why not.
func (n *Node) voteRequested(pkt *packet) {
	if n.me.slots == 0 {
		return // no slots, no vote
	}
	p := pkt.sender
	if why, text := n.objection(pkt); why != bus.RefusalNone {
		n.refuse(p, why)
		n.note(Record{What: VoteDenied, Level: Warning, A: pkt.CurrentEpoch, Detail: text}.about(p))
		return
	}
	n.lastVoteEpoch = n.currentEpoch
	n.todo |= todoSave | todoFsync
	n.send(p.out, bus.Msg{Type: bus.TypeAuthAck}, true)
	n.note(Record{What: VoteGranted, Level: Notice, A: n.currentEpoch}.about(p))
}

// refuse tells a candidate that it does not get our vote.
func (n *Node) refuse(p *peer, why bus.Refusal) {
	p.denied, p.deniedAt = why, n.now
	if p.out != 0 {
		n.announce(p)
		n.pending[len(n.pending)-1].msg.Refusal = why
	}
}

// objection is why we do not vote for the sender, and the text for the log; RefusalNone: we do.
func (n *Node) objection(pkt *packet) (bus.Refusal, string) {
	p := pkt.sender
	forced := pkt.MFlags&bus.MFlagForceAck != 0
	switch {
	case pkt.CurrentEpoch < n.currentEpoch:
		return bus.RefusalOldEpoch, fmt.Sprintf("reqEpoch (%d) < curEpoch(%d)", pkt.CurrentEpoch, n.currentEpoch)
	case n.lastVoteEpoch == n.currentEpoch:
		return bus.RefusalVoted, fmt.Sprintf("already voted for epoch %d", n.currentEpoch)
	case p.isMaster():
		return bus.RefusalNotReplica, "it is a master node"
	case p.master == nil:
		return bus.RefusalUnknownMaster, "I don't know its master"
	case !p.master.failed() && !forced:
		return bus.RefusalMasterUp, "its master is up"
	}
	if s, owner := n.newerOwner(pkt); owner != nil {
		n.tellAbout(p, owner)
		return bus.RefusalOldSlots, fmt.Sprintf("slot %d epoch (%d) > reqEpoch (%d)", s, owner.configEpoch, pkt.ConfigEpoch)
	}
	if !forced {
		if fuller := n.fullerSibling(p, int64(pkt.Offset)); fuller != nil {
			return bus.RefusalLessData, fmt.Sprintf("offset %d < %d of %s, a reachable replica of the same master",
				pkt.Offset, fuller.replOffset, fuller.id)
		}
	}
	return bus.RefusalNone, ""
}

// newerOwner finds a slot of a packet's claim that belongs to somebody with a greater epoch, and whose it is.
func (n *Node) newerOwner(pkt *packet) (uint16, *peer) {
	if pkt.Slots == nil {
		return 0, nil
	}
	for s := range pkt.Slots.All() {
		owner := n.ownerOf(s)
		if owner != nil && owner != pkt.sender && !n.unclaimed.Has(s) && owner.configEpoch > pkt.ConfigEpoch {
			return s, owner
		}
	}
	return 0, nil
}
