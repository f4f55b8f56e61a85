package bus

import "strconv"

// Type is the kind of a packet.
type Type uint16

// The packet types of Redis 7.2. TypeAuthNack is Valkey's (9.2), known by name only: it is sent to nodes
// whose flags ask for it, and ours never do.
const (
	TypePing Type = iota
	TypePong
	TypeMeet
	TypeFail
	TypePublish
	TypeAuthRequest
	TypeAuthAck
	TypeUpdate
	TypeMFStart
	TypeModule
	TypePublishShard
	TypeAuthNack

	// TypeCount is the number of types that Redis 7.2 counts in CLUSTER INFO.
	TypeCount = int(TypePublishShard) + 1

	// typeLight marks a Valkey packet with a 16-byte header instead of the full one.
	typeLight Type = 0x8000
)

var typeNames = [...]string{
	"ping", "pong", "meet", "fail", "publish", "auth-req", "auth-ack", "update", "mfstart", "module",
	"publishshard", "auth-nack",
}

// String returns the name of t in CLUSTER INFO, or "unknown(n)".
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "unknown(" + strconv.Itoa(int(t)) + ")"
}

// Heartbeat reports whether t is a PING, PONG or MEET: the three packets of one shape, with gossip and
// extensions.
func (t Type) Heartbeat() bool { return t <= TypeMeet }

// State is the health of the cluster as one node sees it.
type State uint8

// The states of the cluster.
const (
	StateOK   State = 0
	StateFail State = 1
)

// String returns "ok" or "fail".
func (s State) String() string {
	if s == StateOK {
		return "ok"
	}
	return "fail"
}

// MFlags are the message flags of the header.
type MFlags uint8

// The message flags.
const (
	MFlagPaused   MFlags = 1 << iota // the sender is a master that has paused its clients for a manual failover
	MFlagForceAck                    // AUTH_REQUEST: vote although the master is up
	MFlagExtData                     // extensions follow the gossip
)
