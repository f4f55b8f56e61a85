package core

import (
	"slices"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/cluster/bus"
)

// A replica whose master has failed stands for election if its data is recent enough. It waits half a second
// and a random while more, for the news of the failure to spread, and a second for each sibling with more data;
// then it takes the next epoch and asks everybody for a vote. With the votes of a majority it takes over the slots
// under that epoch. An election is void after twice the node timeout, and the next one may follow after four times.
//
// Where we differ from redis: a replica with the greatest offset that it knows of (of equals, the one with the lowest
// id), all of whose reachable siblings said that they see the master failing too, does not wait. If several masters have failed, their heirs start half a
// second apart, in the order of the masters' ids, so as not to want the same epoch. A request for votes is preceded
// by a FAIL about the master, so that no voter finds it up. Votes are counted once per voter, and winning,
// being demoted, a reset and the administrator's wish each begin with a clean slate.
//
// Invariant: at most one request for votes is sent per epoch; an election is won only with the votes of a majority
// given in its epoch or later.

const (
	electionDelay    Millis = 500 // fixed part, and bound of the random part
	delayPerRank     Millis = 1000
	delayPerHeir     Millis = 500
	minElectionTime  Millis = 2000
	relogPeriod      Millis = 10_000
	silenceBeforeLog Millis = 5000 // besides the node timeout
)

// election is our candidacy. The zero value: none.
type election struct {
	at      Millis // when to ask for votes; 0: not scheduled
	sent    bool
	epoch   uint64
	rank    int
	voters  []nodeid.ID // who voted for us
	cannot  reason      // why we do not stand, as last noted
	notedAt Millis
}

// reason is why a replica does not take over.
type reason uint8

const (
	reasonNone reason = iota
	reasonDataAge
	reasonDelay
	reasonExpired
	reasonVotes
)

var reasonTexts = [...]string{
	reasonDataAge: "Disconnected from master for longer than allowed. " +
		"Please check the 'cluster-replica-validity-factor' configuration option.",
	reasonDelay:   "Waiting the delay before I can start a new failover.",
	reasonExpired: "Failover attempt expired.",
	reasonVotes:   "Waiting for votes, but majority still not reached.",
}

// stepElection moves our candidacy on, by one step at a time.
func (n *Node) stepElection() {
	byHand := n.manual.end != 0 && n.manual.canStart
	master := n.me.master
	if n.me.isMaster() || master == nil || master.slots == 0 ||
		!byHand && (!master.failed() || n.cfg.ReplicaNoFailover) {
		n.election.cannot = reasonNone
		return
	}
	if !byHand && n.dataTooOld() {
		n.noteCannot(reasonDataAge)
		return
	}
	limit := max(2*n.cfg.NodeTimeout, minElectionTime)
	e := &n.election
	if e.at == 0 || n.now-e.at > 2*limit {
		n.scheduleElection()
		return
	}
	if !e.sent && n.manual.end == 0 {
		n.updateRank()
	}
	switch {
	case n.now < e.at:
		n.noteCannot(reasonDelay)
	case n.now-e.at > limit:
		n.noteCannot(reasonExpired)
	case !e.sent:
		n.askForVotes()
	case len(e.voters) >= n.quorum():
		n.win()
	default:
		n.noteCannot(reasonVotes)
	}
}

// dataTooOld reports whether we were cut off from the master for so long that others should take over. The
// node timeout is not counted: it takes that long to notice a failure.
func (n *Node) dataTooOld() bool {
	if n.cfg.ReplicaValidityFactor == 0 {
		return false
	}
	since := n.facts.DownSince
	if n.facts.LinkUp {
		since = n.facts.LastIO
	}
	age := n.now - since
	if age > n.cfg.NodeTimeout {
		age -= n.cfg.NodeTimeout
	}
	return age > n.cfg.ReplPingPeriod+n.cfg.NodeTimeout*Millis(n.cfg.ReplicaValidityFactor)
}

// scheduleElection sets the time of our candidacy and tells our siblings our offset, so that they can see
// their rank.
func (n *Node) scheduleElection() {
	e := election{rank: n.rank(), cannot: n.election.cannot, notedAt: n.election.notedAt}
	switch {
	case n.manual.end != 0:
		e.rank = 0
	case n.mayHurry():
		e.at = delayPerHeir * Millis(n.failedMastersBefore(n.me.master))
	default:
		e.at = electionDelay + Millis(n.rnd.Int64N(int64(electionDelay))) + delayPerRank*Millis(e.rank)
	}
	n.note(Record{What: ElectionScheduled, Level: Notice, Slot: e.rank, A: uint64(e.at), B: uint64(max(0, n.facts.Offset))})
	e.at += n.now
	n.election = e
	n.todo |= todoFailover
	for _, sibling := range n.me.master.replicas {
		if sibling != n.me {
			n.heartbeat(sibling.out, bus.TypePong)
		}
	}
}

// updateRank adds a delay for every sibling that turned out to have more data, and drops it all when there is
// nothing left to wait for.
func (n *Node) updateRank() {
	e := &n.election
	rank := n.rank()
	if rank > e.rank {
		added := delayPerRank * Millis(rank-e.rank)
		e.at += added
		e.rank = rank
		n.note(Record{What: ElectionRankChanged, Level: Notice, Slot: rank, A: uint64(added)})
	}
	if e.at <= n.now || !n.mayHurry() {
		return
	}
	if delay := delayPerHeir * Millis(n.failedMastersBefore(n.me.master)); n.now+delay < e.at {
		e.at = n.now + delay
		n.note(Record{What: ElectionHurried, Level: Notice, A: uint64(delay)})
	}
}

// rank is the number of our siblings that may stand and have more data than we have.
func (n *Node) rank() int {
	rank := 0
	for _, p := range n.me.master.replicas {
		if p != n.me && !p.flags.Has(bus.FlagNoFailover) && p.replOffset > n.facts.Offset {
			rank++
		}
	}
	return rank
}

// mayHurry reports whether there is nothing to wait for: no sibling that we reach should stand before us, and
// each of them said, after the last sign of life of our master, that it sees it failing. With that it told its
// offset too.
func (n *Node) mayHurry() bool {
	master := n.me.master
	if !silentSinceFailure(master) {
		return false
	}
	silentSince := max(master.pongReceived, master.dataReceived)
	for _, p := range master.replicas {
		if p == n.me || p.failed() || p.suspected() {
			continue
		}
		first := p.replOffset > n.facts.Offset || p.replOffset == n.facts.Offset && p.id.Compare(n.me.id) < 0
		if first && !p.flags.Has(bus.FlagNoFailover) || p.seesFailingAt <= silentSince {
			return false
		}
	}
	return true
}

// silentSinceFailure reports whether a failed node gave no sign of life since. After a partition, an old belief
// in a failure is no reason to hurry, and none to spread it.
func silentSinceFailure(p *peer) bool { return p.failed() && p.dataReceived <= p.failedAt }

// electionMayHurry looks at the election again when a sibling agreed that master fails.
func (n *Node) electionMayHurry(master *peer) {
	if master != nil && master == n.me.master && master.failed() {
		n.todo |= todoFailover
	}
}

// failedMastersBefore counts the failed masters that still own slots and come before ours by id.
func (n *Node) failedMastersBefore(master *peer) int {
	before := 0
	for _, p := range n.order {
		if p.isMaster() && p.failed() && p.slots > 0 && p.id.Compare(master.id) < 0 {
			before++
		}
	}
	return before
}

// askForVotes takes the next epoch and asks everybody.
func (n *Node) askForVotes() {
	n.currentEpoch++
	n.election.sent, n.election.epoch = true, n.currentEpoch
	n.note(Record{What: ElectionStarted, Level: Notice, A: n.currentEpoch})
	n.todo |= todoSave | todoFsync | todoState
	if silentSinceFailure(n.me.master) {
		n.broadcast(bus.Msg{Type: bus.TypeFail, Fail: n.me.master.id}, true)
	}
	request := bus.Msg{Type: bus.TypeAuthRequest}
	if n.manual.end != 0 {
		request.MFlags = bus.MFlagForceAck
	}
	n.broadcast(request, true)
}

// voteReceived counts the vote of a master that owns slots, given in the epoch of our election or later.
func (n *Node) voteReceived(pkt *packet) {
	p, e := pkt.sender, &n.election
	if !e.sent || !p.isMaster() || p.slots == 0 || pkt.CurrentEpoch < e.epoch || slices.Contains(e.voters, p.id) {
		return
	}
	e.voters = append(e.voters, p.id)
	n.todo |= todoFailover
}

// win takes over with the votes of a majority.
func (n *Node) win() {
	epoch := n.election.epoch
	n.note(Record{What: ElectionWon, Level: Notice, A: epoch})
	if n.me.configEpoch < epoch {
		n.me.configEpoch = epoch
		n.note(Record{What: EpochWon, Level: Notice, A: epoch})
	}
	n.replaceMaster()
}

// replaceMaster makes us the master of our shard and tells everybody, once that is on disk. The old master
// stays a master without slots in our table until its own heartbeat says otherwise.
func (n *Node) replaceMaster() {
	old := n.me.master
	if n.me.isMaster() || old == nil {
		return
	}
	n.turnMaster(n.me)
	for s, owner := range n.owners {
		if owner == old.idx {
			n.unbind(uint16(s))
			n.bind(uint16(s), n.me)
		}
	}
	n.todo |= todoSave | todoFsync | todoState
	n.announceToAll()
	n.resetManual()
	n.election = election{}
	n.routingChanged()
}

// noteCannot notes why we do not take over: when the reason changes, and again while it lasts, but not in
// the first moments, in which an ordinary failover is done.
func (n *Node) noteCannot(why reason) {
	e := &n.election
	if why == e.cannot && n.now-e.notedAt < relogPeriod {
		return
	}
	e.cannot = why
	if m := n.me.master; m.failed() && n.now-m.failedAt < n.cfg.NodeTimeout+silenceBeforeLog {
		return
	}
	e.notedAt = n.now
	n.note(Record{What: CannotFailover, Level: Notice, Detail: reasonTexts[why]})
	if why == reasonVotes || why == reasonExpired {
		n.note(Record{What: VotesSoFar, Level: Notice, A: uint64(n.quorum()), B: uint64(len(e.voters))})
	}
}
