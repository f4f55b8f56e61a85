package core

import (
	"strconv"

	"github.com/skeindb/skein/internal/base/nodeid"
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
	A, B      uint64 // numbers: epochs, milliseconds, counts, as the What says
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

// The kinds. The comment says what Node, Other, Slot, A, B and Detail hold.
const (
	NodeSuspected           What = iota // Node: we cannot reach it
	SuspicionEnded                      // Node: it answered again
	FailureReported                     // Node told us that Other is not reachable
	FailureWithdrawn                    // Node told us that Other is back
	NodeFailed                          // Node: a majority of masters cannot reach it
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
	VoteDenied                          // Node; Detail: why
	ElectionScheduled                   // A: delay in ms; Slot: rank; B: offset
	ElectionRankChanged                 // Slot: new rank; A: added delay in ms
	ElectionHurried                     // nothing is left to wait for; A: delay in ms
	ElectionStarted                     // A: epoch
	ElectionWon                         // A: epoch
	CannotFailover                      // Detail: why
	VotesSoFar                          // A: needed; B: received
	ManualFailoverRequested             // Node, our replica, asks for a hand-over
	ManualFailoverAccepted              // the administrator asks us
	ManualFailoverForced
	ManualTakeover
	ManualOffsetHeard    // A: offset of the paused master
	ManualCanStart       // all of the master's stream is processed
	ManualTimedOut       // given up
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

// texts has a log line for each kind; redis's where redis has one. %n and %h stand for the id and the human name
// of Node, %o and %p for those of Other, %a, %b and %k for the numbers A, B and Slot, %s for Detail, and %l for
// the milliseconds that are left until A.
var texts = [whatCount]string{
	NodeSuspected:           "*** NODE %n possibly failing",
	SuspicionEnded:          "Node %n (%h) answers again.",
	FailureReported:         "Node %n (%h) reported node %o (%p) as not reachable.",
	FailureWithdrawn:        "Node %n (%h) reported node %o (%p) is back online.",
	NodeFailed:              "Marking node %n (%h) as failing (quorum reached).",
	FailHeard:               "FAIL message received from %n (%h) about %o (%p)",
	FailIgnored:             "Ignoring FAIL message from unknown node %n about %o",
	FailEndedReplica:        "Clear FAIL state for node %n (%h):replica is reachable again.",
	FailEndedNoSlots:        "Clear FAIL state for node %n (%h):master without slots is reachable again.",
	FailEndedNobodyTookOver: "Clear FAIL state for node %n (%h): is reachable again and nobody is serving its slots after some time.",
	StateOK:                 "Cluster state changed: ok",
	StateFail:               "Cluster state changed: fail",
	MyAddressChanged:        "IP address for this node updated to %s",
	AddressChanged:          "Address updated for node %n (%h), now %s:%a",
	NodeAdded:               "Node %n is known now, by gossip of node %o (%p).",
	NodeMet:                 "Handshake with node %n completed.",
	HandshakeKnown:          "Handshake: we already know node %n (%h), updating the address if needed.",
	HandshakeExpired:        "Handshake with %s given up: no answer.",
	WrongNode:               "PONG contains mismatching sender ID. Node %n is not at its address, node %o is.",
	NodeForgotten:           "Node %n (%h) forgotten; gossip cannot bring it back for %l ms.",
	NodeForgottenByGossip:   "Node %n (%h) forgotten, as node %o (%p) did; gossip cannot bring it back for %l ms.",
	BansLifted:              "MEET: %a nodes dropped by the last reset may come back by gossip.",
	SlotsMoved:              "Node %n (%h) owns %a more slots from slot %k on.",
	LostSlots:               "Lost %a slots; their keys are dropped.",
	OldSlotsUpdated:         "Node %n has old slots configuration, sending an UPDATE message about %o",
	UpdateAboutMyself:       "Discarding UPDATE message about myself.",
	NowReplicaOf:            "Configuration change detected. Reconfiguring myself as a replica of %n (%h)",
	SubReplica:              "I'm a sub-replica! Reconfiguring myself as a replica of grandmaster %n (%h)",
	ReplicaMigrates:         "Migrating to orphaned master %n",
	ReplicaOrdered:          "Replica of %n (%h) by request of the user.",
	EpochBumped:             "New configEpoch set to %a",
	EpochImported:           "configEpoch updated after importing slot %k",
	EpochCollision:          "WARNING: configEpoch collision with node %n (%h). configEpoch set to %a",
	EpochSet:                "configEpoch set to %a via CLUSTER SET-CONFIG-EPOCH",
	EpochReset:              "configEpoch set to 0 via CLUSTER RESET HARD",
	EpochWon:                "configEpoch set to %a after successful failover",
	HardReset:               "Node hard reset, now I'm %n",
	SoftReset:               "Node soft reset, still I'm %n",
	VoteGranted:             "Failover auth granted to %n (%h) for epoch %a",
	VoteDenied:              "Failover auth denied to %n (%h): %s",
	ElectionScheduled:       "Start of election delayed for %a milliseconds (rank #%k, offset %b).",
	ElectionRankChanged:     "Replica rank updated to #%k, added %a milliseconds of delay.",
	ElectionHurried:         "All reachable replicas of my master see it failing and none is to stand before me: election in %a milliseconds.",
	ElectionStarted:         "Starting a failover election for epoch %a.",
	ElectionWon:             "Failover election won: I'm the new master.",
	CannotFailover:          "Currently unable to failover: %s",
	VotesSoFar:              "Needed quorum: %a. Number of votes received so far: %b",
	ManualFailoverRequested: "Manual failover requested by replica %n (%h).",
	ManualFailoverAccepted:  "Manual failover user request accepted.",
	ManualFailoverForced:    "Forced failover user request accepted.",
	ManualTakeover:          "Taking over the master (user request).",
	ManualOffsetHeard:       "Received replication offset for paused master manual failover: %a",
	ManualCanStart:          "All master replication stream processed, manual failover can start.",
	ManualTimedOut:          "Manual failover timed out.",
	SlotTaken:               "I have keys for unassigned slot %k. Taking responsibility for it.",
	SlotSetImporting:        "I have keys for slot %k, but the slot is assigned to another node. Setting it to importing state.",
	LinkOverLimit:           "Freeing cluster link(%s node %n, used memory: %a) due to exceeding send buffer memory limit.",
	PacketDropped:           "Dropping packet that matches debug drop filter",
	PacketUnknown:           "Received unknown packet type: %a",
	ExtensionUnknown:        "Node %n (%h) sent %a extensions of unknown type",
	InvalidEntries:          "Node %n (%h) sent %a entries that make no sense",
	WaitingForMasterAddr:    "The address of my master %n (%h) is unknown.",
	ReplicationRepointed:    "My master %n (%h) is at %s:%a.",
}

// Text returns the record as one log line.
func (r Record) Text() string {
	if int(r.What) >= len(texts) {
		return ""
	}
	text := texts[r.What]
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

// appendField appends what a letter in texts stands for.
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
	case 'k':
		return strconv.AppendInt(line, int64(r.Slot), 10)
	case 'l':
		return strconv.AppendInt(line, int64(Millis(r.A)-r.At), 10)
	}
	return line
}
