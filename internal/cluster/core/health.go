package core

import (
	"fmt"
	"slices"

	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/bus"
)

// The cluster is down for us if a slot has no owner or a failed one (with cluster-require-full-coverage), or if we
// reach no majority of the masters that own slots. A master does not return to service at once: not in the first
// two seconds after its start, and not before the rejoin delay after it was among a minority, so that it hears
// of a successor before it takes writes.
//
// Invariant: n.size is the number of masters that own slots, as of the last change.

const (
	writableDelay  Millis = 2000
	minRejoinDelay Millis = 500
	maxRejoinDelay Millis = 5000
)

// updateState looks at the whole table anew.
func (n *Node) updateState() {
	if n.firstCheck == 0 {
		n.firstCheck = n.now
	}
	reachable, failed := n.countMasters()
	if n.me.isMaster() && n.state == bus.StateFail && n.now-n.firstCheck < writableDelay {
		return
	}
	why := ""
	if n.cfg.RequireFullCoverage && (failed > 0 || n.bound < slot.Count) {
		why = n.uncovered()
	}
	if reachable >= n.quorum() {
		n.minorityBegan = 0
	} else {
		n.minoritySince = n.now
		if n.minorityBegan == 0 {
			n.minorityBegan = n.now
		}
		if why == "" {
			why = fmt.Sprintf("%d of %d masters are reachable, %d are needed", reachable, n.size, n.quorum())
		}
	}
	if why != "" {
		n.setState(bus.StateFail, why)
		return
	}
	delay := min(max(n.cfg.NodeTimeout, minRejoinDelay), maxRejoinDelay)
	if n.me.isMaster() && n.minoritySince != 0 && n.now-n.minoritySince < delay {
		return
	}
	n.setState(bus.StateOK, "")
}

func (n *Node) setState(s bus.State, why string) {
	if s == n.state {
		return
	}
	n.state, n.stateSince = s, n.now
	r := Record{What: StateOK, Level: Notice}
	if s == bus.StateFail {
		r = Record{What: StateFail, Level: Warning, Detail: why}
	}
	n.note(r)
	n.routingChanged()
}

// dateBareSlots keeps the time since when a slot has no owner.
func (n *Node) dateBareSlots() {
	if n.bound == slot.Count {
		n.bareSince = 0
	} else if n.bareSince == 0 {
		n.bareSince = n.now
	}
}

// countMasters counts the masters that own slots, and returns how many of them we reach. failed are all
// that own slots and have failed.
func (n *Node) countMasters() (reachable, failed int) {
	n.size = 0
	for some := range slices.Chunk(n.order, lookBatch) {
		var owners [lookBatch]bus.Flags
		count := 0
		for _, p := range some { // without a branch: the processor does not wait for one peer before it asks for the next
			owners[count] = p.flags
			count += min(int(p.slots), 1)
		}
		for _, flags := range owners[:count] {
			if flags.Has(bus.FlagFail) {
				failed++
			}
			if flags.Has(bus.FlagMaster) {
				n.size++
				if !flags.Has(bus.FlagFail | bus.FlagPFail) {
					reachable++
				}
			}
		}
	}
	return reachable, failed
}

// uncovered says which slot is not served, or "". If we are down already nobody asks which.
func (n *Node) uncovered() string {
	if n.state == bus.StateFail {
		return "slots are still not served"
	}
	for s := range n.owners {
		switch owner := n.ownerOf(uint16(s)); {
		case owner == nil:
			return fmt.Sprintf("slot %d has no owner", s)
		case owner.failed():
			return fmt.Sprintf("the owner of slot %d has failed: %s", s, owner.id)
		}
	}
	return ""
}
