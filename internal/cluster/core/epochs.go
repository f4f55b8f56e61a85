package core

// The current epoch is the cluster's clock: every packet carries it and everybody keeps the greatest that it
// saw. A config epoch is the rank of one master's claim to its slots. It is taken from the current epoch, by an
// election, or without asking by TAKEOVER, BUMPEPOCH and the end of an import. So two masters can end up with
// the same one: then the one with the lower id takes the next.
//
// Invariant: neither the current epoch nor the config epoch of a node ever goes back, but for RESET HARD; the
// current epoch is at least as great as every config epoch of ours.

// maxEpoch is the greatest epoch that we know of.
func (n *Node) maxEpoch() uint64 {
	greatest := n.currentEpoch
	for _, p := range n.order {
		greatest = max(greatest, p.configEpoch)
	}
	return greatest
}

// bumpEpoch takes the next epoch as our config epoch without asking anybody, unless ours is already the
// greatest.
func (n *Node) bumpEpoch() (bumped bool) {
	if n.me.configEpoch != 0 && n.me.configEpoch == n.maxEpoch() {
		return false
	}
	n.nextConfigEpoch()
	n.note(Record{What: EpochBumped, Level: Notice, A: n.me.configEpoch})
	return true
}

func (n *Node) nextConfigEpoch() {
	n.currentEpoch = max(n.currentEpoch, n.me.configEpoch) + 1
	n.me.configEpoch = n.currentEpoch
	n.todo |= todoSave | todoFsync
	n.routingChanged()
}

// resolveCollision moves us on if another master has our config epoch and the greater id.
func (n *Node) resolveCollision(p *peer, epoch uint64) {
	if !n.me.isMaster() || !p.isMaster() || epoch != n.me.configEpoch || p.configEpoch != n.me.configEpoch {
		return
	}
	if p.id.Compare(n.me.id) <= 0 {
		return
	}
	n.nextConfigEpoch()
	n.note(Record{What: EpochCollision, Level: Verbose, A: n.me.configEpoch}.about(p))
}
