package core

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/bus"
	"github.com/skeindb/skein/internal/cluster/topology"
)

// Explanation is why the cluster is not well, as this node sees it. Without Problems it is.
type Explanation struct {
	State    bus.State
	Since    Millis // of the state
	Problems []Problem
}

// Problem is one thing that is wrong.
type Problem struct {
	Kind  string    // in one word, for programs
	Text  string    // in one sentence, for people
	Since Millis    // 0: unknown
	Slots *slot.Set // that suffer; nil: none in particular
	Fault []Party   // whose fault it is; none: nobody's, or this node's own
	Heirs []Heir    // who could take the slots over, the best first

	Command string // what would mend it; "": nothing but to wait, or to bring back whose fault it is
	At      string // address of the node that is to be told; "": Command is one of the shell
}

// Party is a node as people name it.
type Party struct {
	ID      nodeid.ID
	Name    string // the human one
	Address string // ip:port
}

// Heir is a replica of a master that does not work.
type Heir struct {
	Party
	Offset  int64  // of its data, as it told last
	Behind  int64  // bytes that the heir with most data has more
	Blocked string // what keeps it from taking over; "": nothing
}

// Explain is CLUSTER EXPLAIN.
func (n *Node) Explain(now Millis) Explanation {
	n.now = max(n.now, now)
	x := Explanation{State: n.state, Since: n.stateSince}
	add := func(p *Problem) {
		if p != nil {
			x.Problems = append(x.Problems, *p)
		}
	}
	reachable, _ := n.countMasters()
	add(n.minorityProblem(reachable))
	add(n.bareProblem())
	for _, p := range n.order {
		if p != n.me && p.isMaster() && p.slots > 0 && (p.failed() || p.suspected()) {
			add(n.ownerProblem(p, reachable))
		}
	}
	add(n.replicaProblem())
	if len(x.Problems) == 0 && n.state == bus.StateFail {
		add(n.waitingProblem())
	}
	return x
}

// bareProblem is that slots have no owner.
func (n *Node) bareProblem() *Problem {
	if n.bound == slot.Count {
		return nil
	}
	bare := new(slot.Set)
	for s, owner := range n.owners {
		if owner == topology.NoNode {
			bare.Add(uint16(s))
		}
	}
	p := &Problem{Kind: "slots-without-owner", Since: n.bareSince, Slots: bare,
		Text: fmt.Sprintf("%d slots have no owner: %s.", bare.Len(), slotList(bare))}
	if bare.Len() == 1 {
		p.Text = fmt.Sprintf("Slot %s has no owner.", slotList(bare))
	}
	if to := n.poorestMaster(); to != nil {
		p.Command, p.At = "CLUSTER ADDSLOTSRANGE", n.whereabouts(to)
		for r := range bare.Ranges() {
			p.Command += fmt.Sprintf(" %d %d", r.Start, r.End)
		}
	}
	return p
}

// poorestMaster is the working master with the fewest slots.
func (n *Node) poorestMaster() (poorest *peer) {
	for _, p := range n.order {
		if p.isMaster() && !p.inHandshake() && n.reaches(p) && (poorest == nil || p.slots < poorest.slots) {
			poorest = p
		}
	}
	return poorest
}

// ownerProblem is that the owner of slots does not work.
func (n *Node) ownerProblem(p *peer, reachable int) *Problem {
	slots := n.slotsOf(p)
	x := &Problem{Kind: "owner-failed", Since: p.failedAt, Slots: slots, Fault: []Party{n.party(p)}}
	x.Text = fmt.Sprintf("The owner of slots %s, %s, has failed.", slotList(slots), n.described(p))
	if !p.failed() {
		reports := n.countReports(p)
		if n.me.isMaster() {
			reports++
		}
		x.Kind, x.Since = "owner-suspected", p.lastHeard()
		x.Text = fmt.Sprintf("The owner of slots %s, %s, does not answer this node; %d of %d masters say so, %d are needed to fail it over.",
			slotList(slots), n.described(p), reports, n.size, n.quorum())
	}
	x.Heirs = n.heirs(p, reachable)
	n.advise(x, p, reachable)
	return x
}

// heirs lists the replicas of a master: who may take over first, those with most data first.
func (n *Node) heirs(master *peer, reachable int) []Heir {
	list := make([]Heir, 0, len(master.replicas))
	most := int64(0)
	for _, p := range master.replicas {
		h := Heir{Party: n.party(p), Offset: p.replOffset, Blocked: n.blocks(p, reachable)}
		if p == n.me {
			h.Offset = n.offset()
		}
		most = max(most, h.Offset)
		list = append(list, h)
	}
	for i := range list {
		list[i].Behind = most - list[i].Offset
	}
	slices.SortFunc(list, func(a, b Heir) int {
		return cmp.Or(b2i(a.Blocked != "")-b2i(b.Blocked != ""), cmp.Compare(b.Offset, a.Offset), a.ID.Compare(b.ID))
	})
	return list
}

// blocks is what keeps a replica from taking over, as far as we know; "": nothing.
func (n *Node) blocks(p *peer, reachable int) string {
	switch {
	case p.failed():
		return "it has failed"
	case p.suspected():
		return "it does not answer"
	case !n.reaches(p):
		return "there is no link to it"
	case p.flags.Has(bus.FlagNoFailover):
		return "cluster-replica-no-failover is set there"
	case p == n.me && n.dataTooOld():
		return reasonTexts[reasonDataAge]
	case p == n.me && n.withoutData():
		return reasonTexts[reasonNoData]
	case reachable < n.quorum():
		return fmt.Sprintf("%d of %d masters are reachable and can vote, %d are needed", reachable, n.size, n.quorum())
	case !p.master.failed():
		return "its master is suspected, but has not failed for a majority"
	}
	offset := p.replOffset
	if p == n.me {
		offset = n.offset()
	}
	if fuller := n.fullerSibling(p, offset); fuller != nil {
		return fmt.Sprintf("a reachable replica of the same master has more data: %s at %s", fuller.id, n.whereabouts(fuller))
	}
	if p == n.me {
		return n.blocksMe()
	}
	if p.deniedAt != 0 && n.now-p.deniedAt < 2*n.cfg.NodeTimeout {
		return "this node refused it its vote: " + p.denied.String()
	}
	return ""
}

// blocksMe is what our own election waits for.
func (n *Node) blocksMe() string {
	e := &n.election
	if len(e.refused) > 0 {
		r := e.refused[len(e.refused)-1]
		return fmt.Sprintf("%d masters refused their votes, the last, %s, because %s", len(e.refused), r.voter, r.why)
	}
	if e.cannot != reasonNone && e.at != 0 {
		return reasonTexts[e.cannot]
	}
	return ""
}

// advise says what would mend the failure of an owner. While that is a mere suspicion there is nothing to do but to
// wait; and who is among a minority may be the one that is cut off.
func (n *Node) advise(x *Problem, owner *peer, reachable int) {
	best, minority := n.bestHeir(owner), reachable < n.quorum()
	switch {
	case best == nil && len(x.Heirs) > 0:
		x.Text += " None of its replicas can be reached: bring one of them back, or the master."
	case best == nil:
		x.Text += " It has no replica: bring it back."
	case minority:
		x.Text += " Too few masters are reachable to vote. If the others are gone for good, and not only cut off from here, " +
			"the command makes a replica take over without votes."
		x.Command, x.At = "CLUSTER FAILOVER TAKEOVER", n.whereabouts(best)
	case owner.failed():
		x.Command, x.At = "CLUSTER FAILOVER FORCE", n.whereabouts(best)
	}
	if x.Command != "" && best != nil && n.dataOf(best) == 0 {
		x.Text += " That replica is at offset 0: if the master holds data, the replica has none of it, and the command gives it up."
	}
	if best == nil && owner.failed() && !minority {
		x.Text += " If they are gone for good, the command gives the slots, empty, to the masters that are left."
		x.Command = "redis-cli --cluster fix " + n.whereabouts(n.me) + " --cluster-fix-with-unreachable-masters"
	}
}

// bestHeir is the reachable replica with most data; of equals the one with the lowest id.
func (n *Node) bestHeir(master *peer) (best *peer) {
	for _, p := range master.replicas {
		if n.reaches(p) && (best == nil || n.dataOf(p) > n.dataOf(best) || n.dataOf(p) == n.dataOf(best) && p.id.Compare(best.id) < 0) {
			best = p
		}
	}
	return best
}

// dataOf is how much p has of its shard's history, as far as we know.
func (n *Node) dataOf(p *peer) int64 {
	if p == n.me {
		return n.offset()
	}
	return p.replOffset
}

// minorityProblem is that we reach too few masters.
func (n *Node) minorityProblem(reachable int) *Problem {
	if reachable >= n.quorum() || n.size == 0 {
		return nil
	}
	x := &Problem{Kind: "minority", Since: n.minorityBegan,
		Text: fmt.Sprintf("This node reaches %d of %d masters that own slots; a majority of %d is needed. "+
			"Mend the network between them and this node, or bring them back.", reachable, n.size, n.quorum())}
	for _, p := range n.order {
		if p != n.me && p.isMaster() && p.slots > 0 && (p.failed() || p.suspected()) {
			x.Fault = append(x.Fault, n.party(p))
		}
	}
	return x
}

// replicaProblem is that we, a replica, do not get the data of our master.
func (n *Node) replicaProblem() *Problem {
	master := n.me.master
	switch {
	case !n.me.isReplica() || n.facts.LinkUp:
		return nil
	case master == nil:
		return &Problem{Kind: "master-unknown", Since: n.followingSince, Text: "This node is a replica, but its master is not known."}
	case master.failed() || master.suspected():
		return nil // said already
	}
	return &Problem{Kind: "replication-down", Since: n.facts.DownSince, Fault: []Party{n.party(master)},
		Text: fmt.Sprintf("This replica does not get the data of its master, %s, which is up.", n.described(master))}
}

// waitingProblem is that all is well again, but for the time that a master waits before it serves.
func (n *Node) waitingProblem() *Problem {
	x := &Problem{Kind: "waiting", Since: n.stateSince, Text: "Nothing is wrong any more; this node serves again in a moment."}
	if n.minoritySince != 0 && n.me.isMaster() {
		x.Text = "This node was among a minority until a moment ago; it waits for news of a successor before it serves again."
	}
	return x
}

// whereabouts is the address of p. A node that nobody has met yet does not know its own.
func (n *Node) whereabouts(p *peer) string {
	if p == n.me && p.ip == "" {
		return "127.0.0.1:" + strconv.Itoa(int(n.clientPort(p)))
	}
	return n.address(p)
}

func (n *Node) party(p *peer) Party {
	return Party{ID: p.id, Name: p.nodename, Address: n.whereabouts(p)}
}

// described names a node in a sentence.
func (n *Node) described(p *peer) string {
	if p.nodename != "" {
		return fmt.Sprintf("%s (%s) at %s", p.id, p.nodename, n.whereabouts(p))
	}
	return fmt.Sprintf("%s at %s", p.id, n.whereabouts(p))
}

// slotList writes a set as "0-5460 7000".
func slotList(set *slot.Set) string {
	text := ""
	for r := range set.Ranges() {
		if text != "" {
			text += " "
		}
		text += strconv.Itoa(int(r.Start))
		if r.End > r.Start {
			text += "-" + strconv.Itoa(int(r.End))
		}
	}
	return text
}

// SlotList is the slots of the problem as "0-5460 7000"; "" if there are none in particular.
func (p *Problem) SlotList() string {
	if p.Slots == nil {
		return ""
	}
	return slotList(p.Slots)
}
