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
// id), all of whose reachable siblings said that they see the master failing too, does not wait. A replica that reaches
// a sibling with more data does not stand at all, unless the administrator wants it; nor does one that never got anything
// from a master that had data, which would drop what the master keeps on its disk. If several masters have failed,
// their heirs start half a second apart, in the order of the masters' ids, so as not to want the same epoch. A request
// for votes is preceded by a FAIL about the master, so that no voter finds it up, and by a heartbeat if we are its
// replica since a moment ago only. Votes are counted once per voter. If voters say that they refuse, and a majority is out
// of reach, or do not answer for a while, the next election begins soon. Winning, being demoted, a reset and the administrator's wish each
// begin with a clean slate.
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

	retryDelay     Millis = 50  // after an election that another epoch may win, and bound of the random part
	retryDelayLong Millis = 500 // after one that was refused for other reasons; the same

	minPatience Millis = 500 // with voters that do not answer, the first time
	maxPatience Millis = 2000
)

// election is our candidacy. The zero value: none.
type election struct {
	at      Millis // when to ask for votes; 0: not scheduled
	sent    bool
	epoch   uint64
	rank    int
	voters  []nodeid.ID // who voted for us
	refused []refusal   // who said that it does not
	tallied bool        // who said nothing is noted
	again   bool        // the one before was lost
	save    SaveSeq     // the request leaves when this is on disk
	asked   Millis      // when it left
	tries   int         // how many were lost in a row because voters did not answer
	cannot  reason      // why we do not stand, as last noted
	notedAt Millis
}

// refusal is one voter's no.
type refusal struct {
	voter nodeid.ID
	why   bus.Refusal
}

// reason is why a replica does not take over.
type reason uint8

const (
	reasonNone reason = iota
	reasonDataAge
	reasonDelay
	reasonExpired
	reasonVotes
	reasonLessData
	reasonNoData
)

var reasonTexts = [...]string{
	reasonDataAge: "Disconnected from master for longer than allowed. " +
		"Please check the 'cluster-replica-validity-factor' configuration option.",
	reasonDelay:    "Waiting the delay before I can start a new failover.",
	reasonExpired:  "Failover attempt expired.",
	reasonVotes:    "Waiting for votes, but majority still not reached.",
	reasonLessData: "A reachable replica of my master has more data than I have.",
	reasonNoData:   "I never got the data of my master. CLUSTER FAILOVER FORCE promotes me without it.",
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
	if !byHand && n.withoutData() {
		n.noteCannot(reasonNoData)
		return
	}
	limit := max(2*n.cfg.NodeTimeout, minElectionTime)
	e := &n.election
	if e.at == 0 || n.now-e.at > 2*limit {
		n.scheduleElection()
		return
	}
	if !e.sent && !e.again && n.manual.end == 0 {
		n.updateRank()
	}
	if e.sent && n.durable < e.save {
		e.asked = n.now
	}
	switch {
	case n.now < e.at:
		n.noteCannot(reasonDelay)
	case n.now-e.at > limit:
		n.tally()
		n.noteCannot(reasonExpired)
	case !e.sent && !byHand && n.fullerSibling(n.me, n.offset()) != nil:
		e.at = n.now // our time does not run out meanwhile
		n.noteCannot(reasonLessData)
	case !e.sent:
		n.askForVotes()
	case len(e.voters) >= n.quorum():
		n.win()
	case !byHand && n.now-e.asked > n.patience():
		tries := e.tries + 1
		n.tally()
		n.lose()
		e.tries = tries
	default:
		n.noteCannot(reasonVotes)
	}
}

// withoutData reports whether we have nothing of a master that had something. Its offset does not tell all: what was
// written before its first replica came is in no log.
func (n *Node) withoutData() bool {
	return n.strange || n.facts.Hollow || n.facts.Offset <= 0 && n.me.master.replOffset > 0
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
	why := "a fixed and a random part, for the news of the failure to spread, and a second for each sibling with more data"
	switch {
	case n.manual.end != 0:
		e.rank = 0
		why = "the administrator wants it"
	case n.mayHurry():
		e.at = delayPerHeir * Millis(n.failedMastersBefore(n.me.master))
		why = "no reachable sibling has more data, and all of them see the master failing"
		if e.at > 0 {
			why += "; half a second for each failed master with a lower id"
		}
	default:
		e.at = electionDelay + Millis(n.rnd.Int64N(int64(electionDelay))) + delayPerRank*Millis(e.rank)
	}
	n.note(Record{What: ElectionScheduled, Level: Notice, Slot: e.rank, A: uint64(e.at), B: uint64(n.offset()), Detail: why})
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
		if p != n.me && !p.flags.Has(bus.FlagNoFailover) && p.replOffset > n.offset() {
			rank++
		}
	}
	return rank
}

// fullerSibling is the replica with most data that we reach, may stand, and has more than the candidate, who is
// at offset; nil if there is none.
func (n *Node) fullerSibling(candidate *peer, offset int64) (fullest *peer) {
	for _, p := range candidate.master.replicas {
		if p != candidate && p != n.me && p.replOffset > offset && !p.flags.Has(bus.FlagNoFailover) && n.reaches(p) {
			fullest, offset = p, p.replOffset
		}
	}
	return fullest
}

// mayHurry reports whether there is nothing to wait for: no sibling that we reach should stand before us, and
// each of them said, after the last sign of life of our master, that it sees it failing. With that it told its
// offset too.
func (n *Node) mayHurry() bool {
	master := n.me.master
	if !silentSinceFailure(master) {
		return false
	}
	silentSince := master.lastHeard()
	for _, p := range master.replicas {
		if p == n.me || p.failed() || p.suspected() {
			continue
		}
		first := p.replOffset > n.offset() || p.replOffset == n.offset() && p.id.Compare(n.me.id) < 0
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

// askForVotes takes the next epoch, unless a hand-over has taken one before, and asks everybody.
func (n *Node) askForVotes() {
	e := &n.election
	e.save = n.lastSave
	if n.manual.epoch == 0 || n.manual.epoch != n.currentEpoch {
		n.standInNextEpoch()
		e.save++
	}
	n.manual.epoch = 0
	e.sent, e.epoch, e.asked = true, n.currentEpoch, n.now
	n.note(Record{What: ElectionStarted, Level: Notice, A: n.currentEpoch, B: uint64(n.offset()), C: uint64(n.quorum())})
	n.todo |= todoState
	if n.now-n.followingSince < n.cfg.NodeTimeout {
		n.announceToAll() // who takes us for a master still would not vote
	}
	if silentSinceFailure(n.me.master) {
		n.broadcast(bus.Msg{Type: bus.TypeFail, Fail: n.me.master.id}, true)
	}
	request := bus.Msg{Type: bus.TypeAuthRequest}
	if n.manual.end != 0 {
		request.MFlags = bus.MFlagForceAck
	}
	n.broadcast(request, true)
}

// standInNextEpoch begins the epoch of our candidacy and votes for us: we may be a voter before it is over (vote.go).
func (n *Node) standInNextEpoch() {
	n.currentEpoch++
	n.lastVoteEpoch = n.currentEpoch
	n.todo |= todoSave | todoFsync
}

// voteReceived counts the vote of a master that owns slots, given in the epoch of our election. A voter's epoch
// is that of the request when it votes, so one that is greater is no vote for us, or not for this election.
func (n *Node) voteReceived(pkt *packet) {
	p, e := pkt.sender, &n.election
	if !e.sent || !p.isMaster() || p.slots == 0 || pkt.CurrentEpoch != e.epoch || slices.Contains(e.voters, p.id) {
		return
	}
	e.voters = append(e.voters, p.id)
	n.note(Record{What: VoteReceived, Level: Verbose, A: e.epoch, B: uint64(len(e.voters)), C: uint64(n.quorum())}.about(p))
	n.todo |= todoFailover
}

// voteRefused takes note of a voter that says no. When so many said it that the others are no majority, this
// election is lost, and there is no need to wait until its time is over.
func (n *Node) voteRefused(pkt *packet) {
	p, e := pkt.sender, &n.election
	said := func(r refusal) bool { return r.voter == p.id }
	if !e.sent || !p.isMaster() || p.slots == 0 || slices.Contains(e.voters, p.id) || slices.ContainsFunc(e.refused, said) {
		return
	}
	if pkt.CurrentEpoch < e.epoch || pkt.Refusal == bus.RefusalOldEpoch && pkt.CurrentEpoch == e.epoch {
		return // about an election before this one
	}
	e.refused = append(e.refused, refusal{p.id, pkt.Refusal})
	n.note(Record{What: VoteRefused, Level: Notice, A: e.epoch, Detail: pkt.Refusal.String()}.about(p))
	if n.mayVoteYet() < n.quorum() {
		n.lose()
	}
}

// mayVoteYet counts the voters that work and did not refuse.
func (n *Node) mayVoteYet() (voters int) {
	for _, p := range n.order {
		said := func(r refusal) bool { return r.voter == p.id }
		if p.isMaster() && p.slots > 0 && !p.failed() && !slices.ContainsFunc(n.election.refused, said) {
			voters++
		}
	}
	return voters
}

// lose ends an election that cannot be won any more. Two candidates that wanted the same epoch try again after
// random delays, in epochs of their own; where the voters have better reasons it takes longer.
func (n *Node) lose() {
	e := &n.election
	delay := retryDelay
	for _, r := range e.refused {
		if r.why != bus.RefusalOldEpoch && r.why != bus.RefusalVoted && r.why != bus.RefusalOldSlots {
			delay = retryDelayLong
		}
	}
	delay += Millis(n.rnd.Int64N(int64(delay)))
	n.note(Record{What: ElectionLost, Level: Notice, A: e.epoch, B: uint64(len(e.refused)), C: uint64(delay)})
	n.election = election{at: n.now + delay, again: true, rank: e.rank, cannot: e.cannot, notedAt: e.notedAt}
}

// patience is how long we wait for answers before we ask again in a new epoch: a request or a vote may have been lost
// with its link. It doubles each time, for voters whose disks are slow.
func (n *Node) patience() Millis {
	return min(max(n.cfg.NodeTimeout/2, minPatience), maxPatience) << min(n.election.tries, 10)
}

// tally notes, when the time of our election is over, who did not answer.
func (n *Node) tally() {
	e := &n.election
	if !e.sent || e.tallied {
		return
	}
	e.tallied = true
	for _, p := range n.order {
		said := func(r refusal) bool { return r.voter == p.id }
		if !p.isMaster() || p.slots == 0 || slices.Contains(e.voters, p.id) || slices.ContainsFunc(e.refused, said) {
			continue
		}
		why := "it did not answer"
		switch {
		case p.failed():
			why = "it has failed"
		case p.suspected():
			why = "it is suspected"
		case !p.outUp:
			why = "there is no link to it"
		}
		n.note(Record{What: VoteMissing, Level: Verbose, A: e.epoch, Detail: why}.about(p))
	}
}

// win takes over with the votes of a majority.
func (n *Node) win() {
	epoch := n.election.epoch
	n.note(Record{What: ElectionWon, Level: Notice, A: epoch, B: uint64(len(n.election.voters)), C: uint64(n.quorum())})
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
	n.notePromotion(old)
	n.turnMaster(n.me)
	n.stale, n.strange, n.ownFrom = false, false, n.facts.Offset
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

// notePromotion notes what the take-over cost: what the old master had more, as far as it told, and the
// time in which nobody served its slots.
func (n *Node) notePromotion(old *peer) {
	offset := n.offset()
	r := Record{What: Promoted, Level: Notice, A: uint64(offset), B: uint64(max(0, old.replOffset-offset))}.about(old)
	switch {
	case old.failed() || old.suspected():
		r.C, r.Detail = uint64(n.now-old.lastHeard()), "it was last heard of"
	case n.manual.heard:
		r.C, r.Detail = uint64(n.now-n.manual.heardAt), "it paused its writers"
	default:
		r.Detail = "now: it was up"
	}
	n.note(r)
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
