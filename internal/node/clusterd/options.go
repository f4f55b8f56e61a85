package clusterd

import (
	"context"
	"log/slog"
	"net"
	"sync/atomic"

	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/core"
	"github.com/skeindb/skein/internal/cluster/topology"
	"github.com/skeindb/skein/internal/node/exec"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// Options are what a Driver is made with.
type Options struct {
	Config core.Config // what the core is to know, Port and BusPort as others are told them
	File   string      // path of nodes.conf
	Flight string      // path of the recording of what the core is given (package flight); "": none

	Bind   []string // addresses to listen on, in the form of the bind directive; none: all
	Port   uint16   // bus port to listen on
	Source string   // local address of the connections to others (bind-source-addr); "": any

	// Secure does the handshake of a new connection, accepted or dialled, and returns what to talk through: the same
	// connection if the bus needs no handshake now. If it fails, or ctx ends before, it closes conn. Nil: none ever.
	Secure func(ctx context.Context, conn net.Conn, accepted bool) (net.Conn, error)

	SendLimit int64 // cluster-link-sendbuf-limit in bytes, 0: none

	Keyspace *keyspace.Keyspace
	// View is where the routing table is published; New stores the first one.
	View *atomic.Pointer[topology.View]
	// Costs is what commands have cost by slot.
	Costs *exec.SlotCosts
	Log   *slog.Logger
	Hooks
}

// Hooks are what other rooms do for the Driver. Those that are nil are left out, except Fatal.
//
// Demoted, Follow, Promote, Flush, Pause, Unpause and Replication are called under all stripes and the core's mutex (Replication
// at other times too): they must be quick and must not call the Driver.
type Hooks struct {
	// Fatal is told that nodes.conf cannot be written: the node must end. Nothing is saved any more, and who waits for
	// a save waits for ever. It must not wait for Stop.
	Fatal func(error)

	// Replication tells how replication stands. Under all stripes its Offset is the end of the log.
	Replication func() core.ReplicationFacts
	// Follow makes the node a replica of a master, or of another one. Host is empty while its address is unknown.
	Follow func(core.Source)
	// Demoted is called before Follow when the node was a master until now. The new one is known
	// to have the log up to kept; -1: it has another shard's data.
	Demoted func(kept int64)
	// Promote makes the node a master.
	Promote func()
	// Flush empties the data set.
	Flush func()

	// Pause keeps everything out of the log until a time (Unix ms), or until Unpause.
	Pause   func(untilMs int64)
	Unpause func()

	// Deliver hands a message of another node to the subscribers here. The bytes are valid until it returns.
	Deliver func(channel, message []byte, shard bool)
	// Unsubscribe ends the subscriptions to shard channels in slots that this node lost.
	Unsubscribe func(*slot.Set)
	// LazyDelete tells whether keys of lost slots are logged as UNLINK (lazyfree-lazy-server-del).
	LazyDelete func() bool
}
