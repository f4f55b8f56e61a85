package core

import (
	"fmt"

	"github.com/skeindb/skein/internal/cluster/bus"
)

// A manual failover moves a shard to one of its replicas without losing a write:
//
//	replica                                  master
//	CLUSTER FAILOVER       --MFSTART-->      pauses its writers, reads the end of its log (WritesPaused)
//	waits for that offset  <--PING, PAUSED-- repeated until it ends
//	has it: asks for votes (FORCEACK: although the master is up), takes over
//
// FORCE skips the talk with the master, which may be gone; TAKEOVER skips the votes too. The hand-over ends
// after five seconds, on both sides; the pause would last twice as long if nobody ended it. A heartbeat goes before the
// MFSTART: a master that took over from us a moment ago may not know yet that we are its replica. The epoch of the
// election is taken, and saved, before the MFSTART goes out: while the writers wait, no disk is waited for that could
// have been waited for before.
//
// Invariant: a packet is marked PAUSED only after the driver confirmed that the pause stands, and then
// carries the offset at which it stands. A pause that we asked for is ended when the hand-over is.

const (
	manualTime  Millis = 5000
	pauseFactor        = 2
)

// manualFailover is a hand-over in progress. The zero value: none.
type manualFailover struct {
	end      Millis // when it is given up; 0: none in progress
	plain    bool   // replica: neither FORCE nor TAKEOVER
	epoch    uint64 // replica: taken for the election, if it is the current one still; 0: none
	canStart bool   // replica: nothing is left to wait for
	heard    bool   // replica: the master has paused, at offset
	heardAt  Millis
	offset   int64
	replica  *peer // master: who takes over
	link     Link  // master: where its MFSTART came by
	pause    uint64
	paused   bool // master: the pause stands, at offset
}

// startManual is CLUSTER FAILOVER.
func (n *Node) startManual(mode FailoverMode) error {
	master := n.me.master
	switch {
	case n.me.isMaster():
		return ErrFailoverMaster
	case master == nil:
		return ErrFailoverUnknown
	case mode == FailoverPlain && (master.failed() || master.out == 0):
		return ErrFailoverDown
	}
	n.resetManual()
	n.election = election{}
	n.manual.end = n.now + manualTime
	switch mode {
	case FailoverTakeover:
		n.note(Record{What: ManualTakeover, Level: Notice})
		n.bumpEpoch()
		n.replaceMaster()
	case FailoverForce:
		n.note(Record{What: ManualFailoverForced, Level: Notice})
		n.manual.canStart = true
		n.todo |= todoFailover
	default:
		n.note(Record{What: ManualFailoverAccepted, Level: Notice})
		n.manual.plain = true
		n.standInNextEpoch()
		n.manual.epoch = n.currentEpoch
		n.askToPause()
	}
	return nil
}

// askToPause asks our master to pause its writers and to tell where its log ends.
func (n *Node) askToPause() {
	n.announce(n.me.master)
	n.send(n.me.master.out, bus.Msg{Type: bus.TypeMFStart}, true)
}

// handOverWished is when the hand-over that we asked our master for ends, if another one of the shard is about to
// become our master: the administrator was quicker than the news, and wants us to be the master after that one. 0:
// nothing is wished.
func (n *Node) handOverWished(master *peer) Millis {
	if !n.manual.plain || master.shard != n.me.shard {
		return 0
	}
	return n.manual.end
}

// askAgain goes on with a hand-over with our new master.
func (n *Node) askAgain(end Millis) {
	n.manual.end, n.manual.plain = end, true
	n.note(Record{What: ManualGoesOn, Level: Notice}.about(n.me.master))
	n.askToPause()
}

// resetManual ends a hand-over, whatever became of it.
func (n *Node) resetManual() {
	if n.manual.replica != nil {
		n.out.Change.Pause = Pause{Do: PauseEnd}
	}
	n.manual = manualFailover{pause: n.manual.pause}
}

// expireManual gives up a hand-over that took too long. It comes before every look at the election: a process that
// stood still must not win, late, with an offset that the master has passed since.
func (n *Node) expireManual() {
	if n.manual.end != 0 && n.manual.end < n.now {
		n.note(Record{What: ManualTimedOut, Level: Warning})
		n.note(n.whyUnfinished())
		n.resetManual()
	}
}

// whyUnfinished is what a hand-over was waiting for.
func (n *Node) whyUnfinished() Record {
	m, e := &n.manual, &n.election
	r := Record{What: ManualUnfinished, Level: Notice}
	switch {
	case m.replica != nil && !m.paused:
		r = r.about(m.replica)
		r.Detail = "writes could not be paused"
	case m.replica != nil:
		r = r.about(m.replica)
		r.Detail = fmt.Sprintf("the replica, last heard of at offset %d of %d, did not take over; writes go on", m.replica.replOffset, m.offset)
	case !m.heard && !m.canStart:
		r = r.about(n.me.master)
		r.Detail = "the master did not say that it has paused its writers"
	case !m.canStart:
		r = r.about(n.me.master)
		r.Detail = fmt.Sprintf("the master paused at offset %d, and this replica is at %d", m.offset, n.facts.Offset)
	default:
		r.Detail = fmt.Sprintf("%d of %d votes came, %d masters refused", len(e.voters), n.quorum(), len(e.refused))
	}
	return r
}

// handOverRequested pauses our writers for a replica of ours that wants to take over.
func (n *Node) handOverRequested(pkt *packet) {
	if pkt.sender.master != n.me {
		n.note(Record{What: ManualRefused, Level: Notice}.about(pkt.sender))
		return
	}
	n.resetManual()
	n.manual.end = n.now + manualTime
	n.manual.replica = pkt.sender
	n.manual.link = pkt.link
	n.manual.pause++
	n.out.Change.Pause = Pause{Do: PauseStart, ID: n.manual.pause, Until: n.now + manualTime*pauseFactor}
	n.note(Record{What: ManualFailoverRequested, Level: Notice}.about(pkt.sender))
}

// writesPaused tells the replica where our log ends, on the link by which it asked.
func (n *Node) writesPaused(ev WritesPaused) {
	m := &n.manual
	if m.replica == nil || m.pause != ev.Pause {
		return // given up meanwhile
	}
	m.paused, m.offset = true, ev.Offset
	n.facts.Offset = ev.Offset
	n.note(Record{What: ManualPaused, Level: Verbose, A: uint64(ev.Offset)}.about(m.replica))
	if n.inbound[m.link] != nil || n.dialledTo(m.link) != nil {
		n.heartbeat(m.link, bus.TypePing)
	}
}

// pausedOffsetHeard takes the offset of our paused master: the first one counts.
func (n *Node) pausedOffsetHeard(p *peer, pkt *packet) {
	m := &n.manual
	if m.end == 0 || m.heard || !n.me.isReplica() || n.me.master != p || pkt.MFlags&bus.MFlagPaused == 0 {
		return
	}
	m.heard, m.heardAt, m.offset = true, n.now, int64(pkt.Offset)
	n.todo |= todoManual
	n.note(Record{What: ManualOffsetHeard, Level: Notice, A: pkt.Offset})
}

// stepManual starts the election when all that the master wrote has reached us.
func (n *Node) stepManual() {
	m := &n.manual
	if m.end == 0 || m.canStart || !m.heard || !n.me.isReplica() || m.offset != n.facts.Offset {
		return
	}
	m.canStart = true
	n.note(Record{What: ManualCanStart, Level: Notice})
}

// AwaitedOffset is the processed offset that a manual failover waits for. While ok, the driver
// sends ReplicationFacts as soon as it is reached.
func (n *Node) AwaitedOffset() (offset int64, ok bool) {
	m := &n.manual
	return m.offset, m.end != 0 && m.heard && !m.canStart
}
