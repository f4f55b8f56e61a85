package bus

import (
	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/base/slot"
)

// Msg is one packet of the bus, of any type. The header fields are filled for every type; of the bodies
// only the one that belongs to Type. A message and everything it points to is immutable once it has been
// handed on: the same *slot.Set and the same gossip may be in a thousand messages.
type Msg struct {
	Type Type

	Port  uint16 // client port of the sender: TLS in a tls-cluster, plain otherwise
	PPort uint16 // its other client port, 0 if it has none
	CPort uint16 // its bus port

	CurrentEpoch uint64
	ConfigEpoch  uint64 // of a replica: its master's
	Offset       uint64 // replication offset: made (master) or processed (replica)

	Sender  nodeid.ID
	Slots   *slot.Set // slots of the sender, of a replica its master's; nil: none. Decode never leaves it nil
	SlaveOf nodeid.ID // master of the sender, zero for a master
	MyIP    string    // announced address; "" asks the receiver to take the address of the connection

	Flags  Flags // of the sender, Myself included
	State  State // of the cluster as the sender sees it
	MFlags MFlags

	Refusal Refusal // PONG to a candidate: why the sender did not vote for it

	Gossip  []Gossip  // PING, PONG, MEET
	Ext     Ext       // PING, PONG, MEET
	Fail    nodeid.ID // FAIL: who failed
	Publish *Publish  // PUBLISH, PUBLISHSHARD
	Update  *Update   // UPDATE
	Module  *Module   // MODULE

	// BadEntries counts gossip entries and extensions that Decode left out because they held an id or a
	// text that no honest node sends. Append ignores it.
	BadEntries int
}

// Gossip is what the sender of a PING, PONG or MEET says about a third node.
type Gossip struct {
	Node         nodeid.ID
	PingSent     uint32 // unix time in seconds of the sender's ping still unanswered, 0: none
	PongReceived uint32 // unix time in seconds of the last pong
	IP           string
	Port         uint16 // client port: TLS in a tls-cluster, plain otherwise
	CPort        uint16 // bus port
	PPort        uint16 // the other client port, 0: none
	Flags        Flags
}

// Ext is the extension data of a PING, PONG or MEET. An absent extension is the zero value: a node with
// an empty host name does not send one, and a receiver takes the absence for "it has none now".
type Ext struct {
	Hostname  string
	Nodename  string // the human one, for logs
	Forgotten []Forgotten
	ShardID   nodeid.ID

	// Unknown counts the extensions of other types, which Decode skips. Append ignores it.
	Unknown int
}

// Forgotten says that Node was removed by CLUSTER FORGET and must not come back by gossip.
type Forgotten struct {
	Node       nodeid.ID
	TTLSeconds uint64
}

// Publish is the body of PUBLISH and PUBLISHSHARD. After Decode both slices point into its input.
type Publish struct {
	Channel []byte
	Message []byte
}

// Update is the body of UPDATE: "your idea of these slots is old, this node has them".
type Update struct {
	ConfigEpoch uint64
	Node        nodeid.ID
	Slots       *slot.Set // nil: none. Decode never leaves it nil
}

// Module is the body of MODULE. After Decode Data points into its input.
type Module struct {
	ID   [8]byte // as on the wire; redis sends it in the byte order of the sender
	Type byte
	Data []byte
}
