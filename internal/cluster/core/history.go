package core

import (
	"strconv"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/cluster/topology"
)

// Record is one thing that a person may ask about later: who suspected whom, who voted, who refused and
// why, why this replica did not stand, what moved. Logs, the CLUSTER command and the console read the same
// records; Text gives redis's log line where redis has one.
type Record struct {
	At    Millis
	Epoch uint64 // current epoch when it happened
	What  What
	Level Level

	Node      nodeid.ID // who did it or whom it is about, see the What
	NodeName  string    // human name of Node
	Other     nodeid.ID // the second node, if there is one
	OtherName string
	Slot      int
	A, B, C   uint64 // numbers: epochs, milliseconds, bytes, counts, as the What says
	Detail    string
}

// Level is the log level of a record, as in redis.
type Level uint8

// The levels.
const (
	Debug Level = iota
	Verbose
	Notice
	Warning
)

// What is the kind of a Record.
type What uint8

// The kinds. The comment says what Node, Other, Slot, A, B, C and Detail hold.
const (
	NodeSuspected           What = iota // Node: we cannot reach it
	SuspicionEnded                      // Node: it answered again
	FailureReported                     // Node told us that Other is not reachable
	FailureWithdrawn                    // Node told us that Other is back
	NodeFailed                          // Node: a majority of masters cannot reach it; A: how many say so; B: needed
	FailHeard                           // Node told us that Other has failed
	FailIgnored                         // Node, unknown to us, told us that Other has failed
	FailEndedReplica                    // Node, a replica, is back
	FailEndedNoSlots                    // Node, a master without slots, is back
	FailEndedNobodyTookOver             // Node, a master, is back and nobody took its slots
	StateOK                             // the cluster is up
	StateFail                           // the cluster is down; Detail: why
	MyAddressChanged                    // Detail: our new ip
	AddressChanged                      // Node; Detail: ip; A: client port
	NodeAdded                           // Node, heard of by gossip of Other
	NodeMet                             // Node: handshake completed
	HandshakeKnown                      // Node: the handshake led to a node we know
	HandshakeExpired                    // Detail: address that did not answer
	StaleClaimIgnored                   // Node became a master a moment ago; an older packet says that it is a replica
	WrongNode                           // Node: at its address somebody else answered, Other
	NodeForgotten                       // Node: CLUSTER FORGET here; A: banned until (Millis)
	NodeForgottenByGossip               // Node: Other told us to forget it; A: banned until (Millis)
	BansLifted                          // A: how many bans of RESET ended with a MEET
	SlotsMoved                          // Node took slots; Other lost them (zero: nobody); Slot: first; A: how many
	LostSlots                           // we lost slots that may hold keys; A: how many
	OldSlotsUpdated                     // Node has old slots; we sent an UPDATE about Other
	UpdateAboutMyself                   // somebody's UPDATE was about us
	NowReplicaOf                        // Node is our new master because it has all our slots
	SubReplica                          // Node is our master's master, and ours now
	ReplicaMigrates                     // Node is an orphaned master, and ours now
	ReplicaOrdered                      // Node is our master by CLUSTER REPLICATE
	EpochBumped                         // A: our new config epoch, without consensus
	EpochImported                       // Slot: epoch changed because it was imported
	EpochCollision                      // Node had our config epoch; A: our new one
	EpochSet                            // A: by SET-CONFIG-EPOCH
	EpochReset                          // to 0 by RESET HARD
	EpochWon                            // A: after a failover
	HardReset                           // Node: our new id
	SoftReset                           // Node: our id, which stays
	VoteGranted                         // Node; A: epoch
	VoteDenied                          // Node; A: epoch; Detail: why
	VoteReceived                        // Node voted for us; A: epoch; B: votes so far; C: needed
	VoteRefused                         // Node did not vote for us; A: epoch; Detail: why
	VoteMissing                         // Node did not answer our request; A: epoch; Detail: why
	ElectionScheduled                   // A: delay in ms; Slot: rank; B: offset; Detail: why this delay
	ElectionRankChanged                 // Slot: new rank; A: added delay in ms
	ElectionHurried                     // nothing is left to wait for; A: delay in ms
	ElectionStarted                     // A: epoch; B: our offset; C: votes needed
	ElectionWon                         // A: epoch; B: votes; C: needed
	ElectionLost                        // a majority cannot be reached any more; A: epoch; B: how many refused; C: ms until the next try
	Promoted                            // Node was our master; A: our offset; B: bytes that it had more, as far as we know; C: ms in which the slots had no owner; Detail: since when
	TakenOver                           // Node took over from Other, which had failed; Slot: how many slots; A: ms since Other was last heard; B: ms since it was marked as failed
	StepsDown                           // we were a master; Node is the new one; A: end of our log; B: up to where the new master is known to have it
	WritesDropped                       // we were a master; Node is the new one; A: end of our log; B: up to where it is known to be replicated; C: bytes beyond
	ReplicaDiverged                     // a former master that follows us now had written A bytes that we never got; Detail: its address
	CannotFailover                      // Detail: why
	VotesSoFar                          // A: needed; B: received
	ManualFailoverRequested             // Node, our replica, asks for a hand-over
	ManualRefused                       // Node asks for a hand-over and is no replica of ours
	ManualPaused                        // Node, our replica; A: offset at which writes are paused
	ManualFailoverAccepted              // the administrator asks us
	ManualFailoverForced
	ManualTakeover
	ManualOffsetHeard    // A: offset of the paused master
	ManualCanStart       // all of the master's stream is processed
	ManualGoesOn         // Node became our master while we waited for another one to pause
	ManualTimedOut       // given up
	ManualUnfinished     // why a hand-over was given up; Detail: why; Node: the other side
	SlotTaken            // Slot: it has keys here and had no owner
	SlotSetImporting     // Slot: it has keys here and another owner
	LinkOverLimit        // Node; Detail: from or to; A: bytes
	PacketDropped        // the debug filter matched
	PacketUnknown        // A: type
	ExtensionUnknown     // Node; A: how many in one packet
	InvalidEntries       // Node; A: how many gossip entries or extensions made no sense
	WaitingForMasterAddr // Node: our master, whose address we do not know
	ReplicationRepointed // Node: our master has a new address; Detail: ip; A: port
	whatCount            // number of kinds
)

// Text returns the record as one log line.
func (r Record) Text() string {
	if int(r.What) >= len(kinds) {
		return ""
	}
	text := kinds[r.What].text
	line := make([]byte, 0, len(text)+2*nodeid.Len)
	for i := 0; i < len(text); i++ {
		if text[i] != '%' || i+1 == len(text) {
			line = append(line, text[i])
			continue
		}
		i++
		line = r.appendField(line, text[i])
	}
	return string(line)
}

// appendField appends what a letter in a kind's text stands for.
func (r *Record) appendField(line []byte, letter byte) []byte {
	switch letter {
	case 'n':
		return r.Node.AppendHex(line)
	case 'h':
		return append(line, r.NodeName...)
	case 'o':
		return r.Other.AppendHex(line)
	case 'p':
		return append(line, r.OtherName...)
	case 's':
		return append(line, r.Detail...)
	case 'a':
		return strconv.AppendUint(line, r.A, 10)
	case 'b':
		return strconv.AppendUint(line, r.B, 10)
	case 'c':
		return strconv.AppendUint(line, r.C, 10)
	case 'k':
		return strconv.AppendInt(line, int64(r.Slot), 10)
	case 'l':
		return strconv.AppendInt(line, int64(Millis(r.A)-r.At), 10)
	}
	return line
}

// Name is the kind of the record in one word, for programs: "vote-granted". It never changes its meaning.
func (r Record) Name() string {
	if int(r.What) >= len(kinds) {
		return ""
	}
	return kinds[r.What].name
}

var levelNames = [...]string{Debug: "debug", Verbose: "verbose", Notice: "notice", Warning: "warning"}

// Fields is the record for programs: when, in which epoch, what, then what the kind tells besides, and last the text.
func (r Record) Fields() []topology.Field {
	if int(r.What) >= len(kinds) {
		return nil
	}
	k := &kinds[r.What]
	f := fields{{Name: "time", IsNumber: true, Number: int64(r.At)}, {Name: "epoch", IsNumber: true, Number: int64(r.Epoch)}}
	f.text("event", k.name)
	f.text("level", levelNames[r.Level])
	f.node("node", r.Node, r.NodeName)
	f.node("other", r.Other, r.OtherName)
	f.number(k.slot, int64(r.Slot))
	f.number(k.a, int64(r.A))
	f.number(k.b, int64(r.B))
	f.number(k.c, int64(r.C))
	f.text(k.detail, r.Detail)
	f.text("text", r.Text())
	return f
}

// fields is a list of fields in the making. What has no name is left out.
type fields []topology.Field

func (f *fields) text(name, text string) {
	if name != "" {
		*f = append(*f, topology.Field{Name: name, Text: text})
	}
}

func (f *fields) number(name string, number int64) {
	if name != "" {
		*f = append(*f, topology.Field{Name: name, IsNumber: true, Number: number})
	}
}

func (f *fields) node(name string, id nodeid.ID, human string) {
	if !id.IsZero() {
		f.text(name, id.String())
	}
	if human != "" {
		f.text(name+"-name", human)
	}
}
