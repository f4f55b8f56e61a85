package core

import (
	"fmt"

	"github.com/skeindb/skein/internal/cluster/bus"
)

// A master that owns slots has one vote per epoch. It gives it to a replica of a failed master (or of any, if the
// request says that an administrator wants it) whose claim is not older than what we know. The vote is on disk
// before it is sent, so that a restart cannot give it twice.
//
// Where we differ from redis: there a second vote about the same master is refused for twice the node timeout.
// That is no matter of safety (the epoch is), and it makes the next candidate wait for nothing.
//
// Invariant: lastVoteEpoch only grows and is at most the current epoch.

// voteRequested votes, or notes why not.
func (n *Node) voteRequested(pkt *packet) {
	if n.me.slots == 0 {
		return // no slots, no vote
	}
	p := pkt.sender
	if why := n.objection(pkt); why != "" {
		n.note(Record{What: VoteDenied, Level: Warning, Detail: why}.about(p))
		return
	}
	n.lastVoteEpoch = n.currentEpoch
	n.todo |= todoSave | todoFsync
	n.send(p.out, bus.Msg{Type: bus.TypeAuthAck}, true)
	n.note(Record{What: VoteGranted, Level: Notice, A: n.currentEpoch}.about(p))
}

// objection is why we do not vote for the sender, or "".
func (n *Node) objection(pkt *packet) string {
	p := pkt.sender
	forced := pkt.MFlags&bus.MFlagForceAck != 0
	switch {
	case pkt.CurrentEpoch < n.currentEpoch:
		return fmt.Sprintf("reqEpoch (%d) < curEpoch(%d)", pkt.CurrentEpoch, n.currentEpoch)
	case n.lastVoteEpoch == n.currentEpoch:
		return fmt.Sprintf("already voted for epoch %d", n.currentEpoch)
	case p.isMaster():
		return "it is a master node"
	case p.master == nil:
		return "I don't know its master"
	case !p.master.failed() && !forced:
		return "its master is up"
	}
	if pkt.Slots == nil {
		return ""
	}
	for s := range pkt.Slots.All() {
		if owner := n.ownerOf(s); owner != nil && !n.unclaimed.Has(s) && owner.configEpoch > pkt.ConfigEpoch {
			return fmt.Sprintf("slot %d epoch (%d) > reqEpoch (%d)", s, owner.configEpoch, pkt.ConfigEpoch)
		}
	}
	return ""
}
