package core

import (
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/bus"
)

// Millis is a time or a span in milliseconds; see "Time" in the package comment.
type Millis int64

// Link names one TCP connection of the bus. The core names outbound links when it dials them, with
// the top bit set; the driver numbers inbound links as it likes, below that bit, and never reuses a number.
type Link uint64

// linkOutbound marks the links that this node dialled.
const linkOutbound Link = 1 << 63

// Outbound reports whether this node dialled the link.
func (l Link) Outbound() bool { return l&linkOutbound != 0 }

// Event is something that happened outside. The set is closed: these types and no others.
type Event interface{ event() }

// Tick says that time has passed. The driver sends one when Deadline is reached; ten times a second is usual.
type Tick struct{}

// LinkUp says that a dialled link is connected, or that a peer's connection was accepted.
type LinkUp struct{ Link Link }

// LinkDown says that a link is gone: closed, broken, or never connected. The core forgets it.
type LinkDown struct {
	Link      Link
	AtOnce    bool // the dial failed before anything was under way (no route, no address)
	OverLimit bool // the driver closed it because its send buffer passed cluster-link-sendbuf-limit
	BufferLen int64
}

// Received is one packet. For PUBLISH and PUBLISHSHARD the body may be absent: the core never looks at it.
type Received struct {
	Link     Link
	Msg      *bus.Msg
	RemoteIP string // address of the peer, as the connection shows it
	LocalIP  string // our own address of this connection
}

// Saved says that the save Seq, and with it every older one, is durable.
type Saved struct{ Seq SaveSeq }

// ReplicationFacts is the state of replication. The driver sends it before a Tick when it changed, and
// at once when the processed offset reaches what AwaitedOffset asks for.
type ReplicationFacts struct {
	Offset    int64  // master: end of the log; replica: what was processed, 0 before the first sync
	Acked     int64  // master: the greatest offset that a replica acknowledged
	LinkUp    bool   // replica: the link with the master works
	LastIO    Millis // replica with LinkUp: when something last came over the link
	DownSince Millis // replica without LinkUp: since when
	InStep    bool   // replica: the link has worked since it follows this master, if only for a moment
	Hollow    bool   // replica: its data are not known to be those of any master
}

// WritesPaused says that the pause Pause stands on all stripes and that the log ends at Offset.
type WritesPaused struct {
	Pause  uint64
	Offset int64
}

// Demoted says, after a Change that made a master a replica, where its log ended at that moment and up to where a
// replica had acknowledged it.
type Demoted struct{ Offset, Acked int64 }

// Diverged says that a former master came back as our replica with so many bytes of writes that we never got.
type Diverged struct {
	Replica string // its address
	Bytes   int64
}

// ConfigChanged brings new values of directives (CONFIG SET).
type ConfigChanged struct{ Config Config }

// KeysFound names the slots in which keys were found when the data set was loaded at start.
type KeysFound struct{ Slots *slot.Set }

// DropFilter is DEBUG CLUSTER DROP-PACKET-FILTER: received packets of this type are ignored. -1 ends it.
type DropFilter struct{ Type int }

// The wishes of the administrator. Node is the argument as it was typed: errors repeat it.

// Meet is CLUSTER MEET. Numbers outside 1-65535 are refused here, words that are no numbers by the caller.
type Meet struct {
	IP            string
	Port, BusPort int64
}

// Forget is CLUSTER FORGET.
type Forget struct{ Node string }

// AddSlots is CLUSTER ADDSLOTS. A slot that is no number is -1.
type AddSlots struct{ Slots []int64 }

// DelSlots is CLUSTER DELSLOTS.
type DelSlots struct{ Slots []int64 }

// AddSlotRanges is CLUSTER ADDSLOTSRANGE: pairs of first and last slot.
type AddSlotRanges struct{ Ranges [][2]int64 }

// DelSlotRanges is CLUSTER DELSLOTSRANGE.
type DelSlotRanges struct{ Ranges [][2]int64 }

// FlushSlots is CLUSTER FLUSHSLOTS.
type FlushSlots struct{ HasKeys bool }

// SlotAction is the verb of CLUSTER SETSLOT.
type SlotAction uint8

// The verbs. SlotActionNone stands for anything else, or for a wrong number of arguments.
const (
	SlotActionNone SlotAction = iota
	SlotMigrating
	SlotImporting
	SlotStable
	SlotNode
)

// SetSlot is CLUSTER SETSLOT.
type SetSlot struct {
	Slot       int64 // -1: no number
	Action     SlotAction
	Node       string
	KeysInSlot int
}

// Replicate is CLUSTER REPLICATE.
type Replicate struct {
	Node    string
	HasKeys bool
}

// FailoverMode is the option of CLUSTER FAILOVER.
type FailoverMode uint8

// The options.
const (
	FailoverPlain FailoverMode = iota
	FailoverForce
	FailoverTakeover
)

// Failover is CLUSTER FAILOVER.
type Failover struct{ Mode FailoverMode }

// BumpEpoch is CLUSTER BUMPEPOCH; Effects.Reply is "BUMPED n" or "STILL n".
type BumpEpoch struct{}

// SetConfigEpoch is CLUSTER SET-CONFIG-EPOCH.
type SetConfigEpoch struct{ Epoch int64 }

// Reset is CLUSTER RESET.
type Reset struct{ Hard, HasKeys bool }

// SaveConfig is CLUSTER SAVECONFIG: Effects.Save is set whether or not anything changed.
type SaveConfig struct{}

func (Tick) event()             {}
func (LinkUp) event()           {}
func (LinkDown) event()         {}
func (Received) event()         {}
func (Saved) event()            {}
func (ReplicationFacts) event() {}
func (WritesPaused) event()     {}
func (Demoted) event()          {}
func (Diverged) event()         {}
func (ConfigChanged) event()    {}
func (KeysFound) event()        {}
func (DropFilter) event()       {}
func (Meet) event()             {}
func (Forget) event()           {}
func (AddSlots) event()         {}
func (DelSlots) event()         {}
func (AddSlotRanges) event()    {}
func (DelSlotRanges) event()    {}
func (FlushSlots) event()       {}
func (SetSlot) event()          {}
func (Replicate) event()        {}
func (Failover) event()         {}
func (BumpEpoch) event()        {}
func (SetConfigEpoch) event()   {}
func (Reset) event()            {}
func (SaveConfig) event()       {}
