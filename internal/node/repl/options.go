package repl

import (
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/skeindb/skein/internal/node/clients"
	"github.com/skeindb/skein/internal/node/exec"
	"github.com/skeindb/skein/internal/store/keyspace"
	"github.com/skeindb/skein/internal/store/oplog"
)

// Options are what a Repl is made with.
type Options struct {
	Keyspace *keyspace.Keyspace
	Log      *oplog.Log // the keyspace appends to it
	Engine   *exec.Engine
	Gates    *exec.Gates
	Clients  *clients.Registry
	Slog     *slog.Logger
	Cluster  bool   // cluster mode: the cluster says whom to follow, REPLICAOF is refused
	NewID    func() string // 40 random hex digits
	Dir      func() string // where temporary files go

	// Snapshot is the data set as it is now, to be written by one goroutine. The
	// caller holds all stripes. ErrBusy: another snapshot is under way.
	Snapshot func(Aux) (Snapshot, error)
	// Load reads an RDB to its end into a data set beside the live one.
	Load func(io.Reader) (Dataset, error)
	// Dial connects to a master. Nil means plain TCP.
	Dial func(address string, timeout time.Duration) (net.Conn, error)
	// RoleChanged is called under all stripes when the node has become a master or
	// a replica: gates, the log's letter and what else depends on the role follow.
	RoleChanged func(replica bool)
}

// Aux is where the history of replication stood when a snapshot was taken: RDB's
// aux fields repl-id, repl-offset and repl-stream-db. ID is empty if it tells nothing.
type Aux struct {
	ID       string // 40 hex digits
	Offset   int64  // of the last byte whose effect is in the snapshot
	StreamDB int    // database selected in the stream behind Offset
}

// Snapshot is the data set of one instant. Package persist makes them.
type Snapshot interface {
	// WriteTo writes the whole RDB, or returns the error of w. It is called once, or never.
	WriteTo(w io.Writer) error
	// Abort gives the snapshot up, from any goroutine; WriteTo ends with an error.
	Abort()
}

// Dataset is what Load has read. Either Install or Discard ends it.
type Dataset interface {
	Install() // replaces the live data set; the caller holds all stripes
	Discard()
	Aux() Aux
}

// Tuning are the directives that may change while the node runs.
type Tuning struct {
	// The master's side.
	BacklogBytes     int64         // repl-backlog-size
	BacklogTTL       time.Duration // repl-backlog-ttl; 0: for ever
	PingPeriod       time.Duration // repl-ping-replica-period
	Timeout          time.Duration // repl-timeout, of both sides
	Diskless         bool          // repl-diskless-sync
	DisklessDelay    time.Duration // repl-diskless-sync-delay
	DisklessMost     int           // repl-diskless-sync-max-replicas; 0: none
	MinReplicas      int           // min-replicas-to-write
	MinReplicasLag   time.Duration // min-replicas-max-lag
	DisableTCPNoDelay bool         // repl-disable-tcp-nodelay
	HardLimit        int64         // client-output-buffer-limit replica, bytes; 0: none
	SoftLimit        int64
	SoftTime         time.Duration

	// The replica's side.
	MasterUser, MasterAuth string
	ServeStale             bool   // replica-serve-stale-data
	ReadOnly               bool   // replica-read-only
	Priority               int    // replica-priority
	Announced              bool   // replica-announced
	AnnounceIP             string // replica-announce-ip
	AnnouncePort           int    // replica-announce-port
	Port                   int    // that clients connect to
	Load                   string // repl-diskless-load: disabled, on-empty-db, swapdb
	LazyFlush              bool   // replica-lazy-flush
}
