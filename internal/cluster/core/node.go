package core

import (
	"math/rand/v2"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/bus"
	"github.com/skeindb/skein/internal/cluster/topology"
)

// Node is the cluster as one node sees it. It is not safe for concurrent use: one goroutine owns it. What
// View returns may be read by anybody.
type Node struct {
	cfg Config
	rnd *rand.Rand
	now Millis   // of the event in hand
	out *Effects // of the event in hand

	// Who is there (peer.go, links.go).
	me            *peer
	peers         []*peer // by index; nil: the index is free
	freeIdx       []uint16
	order         []*peer
	due           []Millis // of n.order: before then ping.go need not look at the peer
	byID          idTable
	reporters     uint16         // numbers given to reporters of failures (reports.go)
	freeReporters []uint16       // those that are free again
	inbound       map[Link]*peer // accepted links; nil: it did not yet say who it is
	dialled       uint64         // links ever dialled
	unlinked      bool           // there may be a peer without a link of ours to it, or in handshake (ping.go)
	bans          []ban

	myIPRemembered bool // our address is the one that was saved: no connection has confirmed it

	// Who owns what (slots.go, epochs.go).
	owners        topology.Owners
	bound         int      // slots with an owner
	unclaimed     slot.Set // bound slots whose owner does not claim them any more
	open          []openSlot
	mySlots       *slot.Set // of the master of my shard; nil: to be made anew
	mySlotsOf     *peer
	currentEpoch  uint64
	lastVoteEpoch uint64

	// How it goes (health.go, election.go, manual.go).
	state          bus.State
	size           int
	firstCheck     Millis // of the state; 0: not yet checked
	minoritySince  Millis // when we were last among a minority; 0: never
	election       election
	manual         manualFailover
	facts          ReplicationFacts
	stale          bool   // our data is not known to be a part of our master's (slots.go)
	strange        bool   // we came from another shard and were never in step with our master
	factsKnown     bool   // facts came since the start
	ownFrom        int64  // offset at which our own history as a master began: promotion, or the start
	kept           int64  // at the last demotion: what the new master has of our log; -1: it is of another shard
	following      Source // what replication was last told to follow
	followingSince Millis // when we became a replica, or another master's
	stateSince     Millis // since when the state is what it is
	bareSince      Millis // since when a slot has no owner; 0: each has one
	minorityBegan  Millis // since when we reach no majority; 0: we do
	nextCron       Millis
	crons          int
	gossipRound    uint32
	untold         bool // there may be a peer that failed and is untold
	suspects       int  // no more peers than so many are suspected (gossip.go)
	dropFilter     int  // packet type to ignore; -1: none

	// What was said and saved (header.go, save.go).
	todo     todo
	pending  []outgoing
	packet   packet // the one that is being received
	lastSave SaveSeq
	durable  SaveSeq
	header   header          // the durable one
	waiting  []pendingHeader // newer ones, each with its save
	view     *topology.View  // nil: to be made anew

	sent, received [bus.TypeCount]uint64
	linksOverLimit uint64
}

// todo is what is left to do at the end of a Step.
type todo uint8

const (
	todoManual   todo = 1 << iota // look at the manual failover, and at the election
	todoFailover                  // look at the election
	todoState                     // look at the state of the cluster
	todoSave
	todoFsync
	todoView
)

// New builds the node from what was saved; with a zero State it is born with a random id. rnd, seeded by the
// caller, is the only randomness.
func New(cfg Config, saved State, rnd *rand.Rand) *Node {
	n := &Node{
		cfg:        cfg,
		rnd:        rnd,
		inbound:    map[Link]*peer{},
		state:      bus.StateFail,
		size:       1,
		dropFilter: -1,
		out:        &Effects{},
	}
	for s := range n.owners {
		n.owners[s] = topology.NoNode
	}
	if len(saved.Nodes) == 0 {
		n.me = n.addPeer(nodeid.Random(rnd), bus.FlagMyself|bus.FlagMaster)
		n.todo |= todoSave | todoFsync
	} else {
		n.restore(saved)
	}
	n.applyConfig(cfg)
	n.header = n.liveHeader()
	return n
}

// Step takes one event at the time now and writes to out what must be done. The error is redis's text for
// the administrator; then nothing changed and out is empty. Other events never fail.
func (n *Node) Step(now Millis, ev Event, out *Effects) error {
	out.reset()
	n.now, n.out = max(now, n.now), out
	if n.me.createdAt == 0 {
		n.begin()
	}
	if err := n.handle(ev); err != nil {
		return err
	}
	n.settle()
	return nil
}

// begin gives the first event's time to what New could not date.
func (n *Node) begin() {
	n.stateSince = n.now
	for _, p := range n.order {
		p.createdAt = n.now
		if p.pingSent != 0 {
			p.pingSent = n.now
		}
		if p.pongReceived != 0 {
			p.pongReceived = n.now
		}
		if p.failed() {
			p.failedAt = n.now
		}
	}
}

// handle tells the kinds of events apart.
func (n *Node) handle(ev Event) error {
	switch ev := ev.(type) {
	case Tick:
		n.tick()
	case LinkUp:
		n.linkUp(ev.Link)
	case LinkDown:
		n.linkDown(ev)
	case Received:
		n.receive(ev)
	case Saved:
		n.saved(ev.Seq)
	case ReplicationFacts:
		n.factsHeard(ev)
	case WritesPaused:
		n.writesPaused(ev)
	case Demoted:
		n.demoted(ev)
	case Diverged:
		n.note(Record{What: ReplicaDiverged, Level: Notice, A: uint64(max(0, ev.Bytes)), Detail: ev.Replica})
	case ConfigChanged:
		n.applyConfig(ev.Config)
	case KeysFound:
		n.keysFound(ev.Slots)
	case DropFilter:
		n.dropFilter = ev.Type
	default:
		return n.administer(ev)
	}
	return nil
}

// settle does once, at the end of a Step, what its parts asked for: elections first, for they change the
// rest; then the state of the cluster; then the save; then the packets, whose headers depend on the save.
func (n *Node) settle() {
	n.expireManual()
	for n.todo&(todoManual|todoFailover) != 0 {
		manual := n.todo&todoManual != 0
		n.todo &^= todoManual | todoFailover
		if manual {
			n.stepManual()
		}
		n.stepElection()
	}
	if n.todo&todoState != 0 {
		n.updateState()
	}
	n.dateBareSlots()
	n.followAddress()
	n.settleSave()
	n.flush()
	if n.todo&todoView != 0 {
		n.out.Change.View = true
	}
	n.todo = 0
}

// applyConfig takes over the directives. Names and the no-failover flag are saved; addresses and ports are
// told to others with the next header and saved with the next change.
func (n *Node) applyConfig(cfg Config) {
	announced := cfg.AnnounceIP
	if announced != n.cfg.AnnounceIP || announced != "" {
		n.me.ip = announced // "": found out anew
	}
	n.cfg = cfg
	clear(n.due)
	n.me.port, n.me.tlsPort, n.me.busPort = cfg.Port, cfg.TLSPort, cfg.BusPort
	flags := n.me.flags &^ bus.FlagNoFailover
	if cfg.ReplicaNoFailover {
		flags |= bus.FlagNoFailover
	}
	if flags != n.me.flags {
		n.me.flags = flags
		n.todo |= todoSave | todoState
	}
	n.setNames(n.me, cfg.Hostname, cfg.Nodename)
	n.todo |= todoState
	n.routingChanged()
}

// routingChanged throws away the view; the next View makes a new one.
func (n *Node) routingChanged() {
	n.view = nil
	n.todo |= todoView
}

// note appends a record to the event history.
func (n *Node) note(r Record) {
	r.At, r.Epoch = n.now, n.currentEpoch
	n.out.History = append(n.out.History, r)
}

// about names the node that a record is about; nil: nobody.
func (r Record) about(p *peer) Record {
	if p != nil {
		r.Node, r.NodeName = p.id, p.nodename
	}
	return r
}

// with names the second node of a record.
func (r Record) with(p *peer) Record {
	if p != nil {
		r.Other, r.OtherName = p.id, p.nodename
	}
	return r
}

// Deadline is when the next Tick is useful.
func (n *Node) Deadline() Millis {
	next := n.nextCron
	if e := &n.election; e.at > n.now && !e.sent {
		next = min(next, e.at)
	}
	return next
}
