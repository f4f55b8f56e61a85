package core

import (
	"fmt"

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

// Text returns the record as one log line.
func (r Record) Text() string {
	id, other := r.Node.String(), r.Other.String()
	switch r.What {
	case NodeSuspected:
		return fmt.Sprintf("*** NODE %s possibly failing", id)
	case SuspicionEnded:
		return fmt.Sprintf("Node %s (%s) answers again.", id, r.NodeName)
	case FailureReported:
		return fmt.Sprintf("Node %s (%s) reported node %s (%s) as not reachable.", id, r.NodeName, other, r.OtherName)
	case FailureWithdrawn:
		return fmt.Sprintf("Node %s (%s) reported node %s (%s) is back online.", id, r.NodeName, other, r.OtherName)
	case NodeFailed:
		return fmt.Sprintf("Marking node %s (%s) as failing (quorum reached).", id, r.NodeName)
	case FailHeard:
		return fmt.Sprintf("FAIL message received from %s (%s) about %s (%s)", id, r.NodeName, other, r.OtherName)
	case FailIgnored:
		return fmt.Sprintf("Ignoring FAIL message from unknown node %s about %s", id, other)
	case FailEndedReplica:
		return fmt.Sprintf("Clear FAIL state for node %s (%s):replica is reachable again.", id, r.NodeName)
	case FailEndedNoSlots:
		return fmt.Sprintf("Clear FAIL state for node %s (%s):master without slots is reachable again.", id, r.NodeName)
	case FailEndedNobodyTookOver:
		return fmt.Sprintf("Clear FAIL state for node %s (%s): is reachable again and nobody is serving its slots after some time.", id, r.NodeName)
	case StateOK:
		return "Cluster state changed: ok"
	case StateFail:
		return "Cluster state changed: fail"
	case MyAddressChanged:
		return "IP address for this node updated to " + r.Detail
	case AddressChanged:
		return fmt.Sprintf("Address updated for node %s (%s), now %s:%d", id, r.NodeName, r.Detail, r.A)
	case NodeAdded:
		return fmt.Sprintf("Node %s is known now, by gossip of node %s (%s).", id, other, r.OtherName)
	case NodeMet:
		return fmt.Sprintf("Handshake with node %s completed.", id)
	case HandshakeKnown:
		return fmt.Sprintf("Handshake: we already know node %s (%s), updating the address if needed.", id, r.NodeName)
	case HandshakeExpired:
		return "Handshake with " + r.Detail + " given up: no answer."
	case WrongNode:
		return fmt.Sprintf("PONG contains mismatching sender ID. Node %s is not at its address, node %s is.", id, other)
	case NodeForgotten:
		return fmt.Sprintf("Node %s (%s) forgotten; gossip cannot bring it back for %d ms.", id, r.NodeName, Millis(r.A)-r.At)
	case NodeForgottenByGossip:
		return fmt.Sprintf("Node %s (%s) forgotten, as node %s (%s) did; gossip cannot bring it back for %d ms.",
			id, r.NodeName, other, r.OtherName, Millis(r.A)-r.At)
	case BansLifted:
		return fmt.Sprintf("MEET: %d nodes dropped by the last reset may come back by gossip.", r.A)
	case SlotsMoved:
		return fmt.Sprintf("Node %s (%s) owns %d more slots from slot %d on.", id, r.NodeName, r.A, r.Slot)
	case LostSlots:
		return fmt.Sprintf("Lost %d slots; their keys are dropped.", r.A)
	case OldSlotsUpdated:
		return fmt.Sprintf("Node %s has old slots configuration, sending an UPDATE message about %s", id, other)
	case UpdateAboutMyself:
		return "Discarding UPDATE message about myself."
	case NowReplicaOf:
		return fmt.Sprintf("Configuration change detected. Reconfiguring myself as a replica of %s (%s)", id, r.NodeName)
	case SubReplica:
		return fmt.Sprintf("I'm a sub-replica! Reconfiguring myself as a replica of grandmaster %s (%s)", id, r.NodeName)
	case ReplicaMigrates:
		return "Migrating to orphaned master " + id
	case ReplicaOrdered:
		return fmt.Sprintf("Replica of %s (%s) by request of the user.", id, r.NodeName)
	}
	return r.electionText(id)
}

// electionText is the second half of Text: epochs, elections, manual failover and what is left.
func (r Record) electionText(id string) string {
	switch r.What {
	case EpochBumped:
		return fmt.Sprintf("New configEpoch set to %d", r.A)
	case EpochImported:
		return fmt.Sprintf("configEpoch updated after importing slot %d", r.Slot)
	case EpochCollision:
		return fmt.Sprintf("WARNING: configEpoch collision with node %s (%s). configEpoch set to %d", id, r.NodeName, r.A)
	case EpochSet:
		return fmt.Sprintf("configEpoch set to %d via CLUSTER SET-CONFIG-EPOCH", r.A)
	case EpochReset:
		return "configEpoch set to 0 via CLUSTER RESET HARD"
	case EpochWon:
		return fmt.Sprintf("configEpoch set to %d after successful failover", r.A)
	case HardReset:
		return "Node hard reset, now I'm " + id
	case SoftReset:
		return "Node soft reset, still I'm " + id
	case VoteGranted:
		return fmt.Sprintf("Failover auth granted to %s (%s) for epoch %d", id, r.NodeName, r.A)
	case VoteDenied:
		return fmt.Sprintf("Failover auth denied to %s (%s): %s", id, r.NodeName, r.Detail)
	case ElectionScheduled:
		return fmt.Sprintf("Start of election delayed for %d milliseconds (rank #%d, offset %d).", r.A, r.Slot, int64(r.B))
	case ElectionRankChanged:
		return fmt.Sprintf("Replica rank updated to #%d, added %d milliseconds of delay.", r.Slot, r.A)
	case ElectionHurried:
		return fmt.Sprintf("All reachable replicas of my master see it failing and none is to stand before me: election in %d milliseconds.", r.A)
	case ElectionStarted:
		return fmt.Sprintf("Starting a failover election for epoch %d.", r.A)
	case ElectionWon:
		return "Failover election won: I'm the new master."
	case CannotFailover:
		return "Currently unable to failover: " + r.Detail
	case VotesSoFar:
		return fmt.Sprintf("Needed quorum: %d. Number of votes received so far: %d", r.A, r.B)
	case ManualFailoverRequested:
		return fmt.Sprintf("Manual failover requested by replica %s (%s).", id, r.NodeName)
	case ManualFailoverAccepted:
		return "Manual failover user request accepted."
	case ManualFailoverForced:
		return "Forced failover user request accepted."
	case ManualTakeover:
		return "Taking over the master (user request)."
	case ManualOffsetHeard:
		return fmt.Sprintf("Received replication offset for paused master manual failover: %d", int64(r.A))
	case ManualCanStart:
		return "All master replication stream processed, manual failover can start."
	case ManualTimedOut:
		return "Manual failover timed out."
	case SlotTaken:
		return fmt.Sprintf("I have keys for unassigned slot %d. Taking responsibility for it.", r.Slot)
	case SlotSetImporting:
		return fmt.Sprintf("I have keys for slot %d, but the slot is assigned to another node. Setting it to importing state.", r.Slot)
	case LinkOverLimit:
		return fmt.Sprintf("Freeing cluster link(%s node %s, used memory: %d) due to exceeding send buffer memory limit.", r.Detail, id, r.A)
	case PacketDropped:
		return "Dropping packet that matches debug drop filter"
	case PacketUnknown:
		return fmt.Sprintf("Received unknown packet type: %d", r.A)
	case ExtensionUnknown:
		return fmt.Sprintf("Node %s (%s) sent %d extensions of unknown type", id, r.NodeName, r.A)
	case InvalidEntries:
		return fmt.Sprintf("Node %s (%s) sent %d entries that make no sense", id, r.NodeName, r.A)
	case WaitingForMasterAddr:
		return fmt.Sprintf("The address of my master %s (%s) is unknown.", id, r.NodeName)
	case ReplicationRepointed:
		return fmt.Sprintf("My master %s (%s) is at %s:%d now.", id, r.NodeName, r.Detail, r.A)
	}
	return ""
}
