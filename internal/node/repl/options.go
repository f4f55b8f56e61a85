package repl

import (
	"context"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/skeindb/skein/internal/base/vfs"
	"github.com/skeindb/skein/internal/node/clients"
	"github.com/skeindb/skein/internal/node/exec"
	"github.com/skeindb/skein/internal/node/session"
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
	Cluster  bool          // cluster mode: the cluster says whom to follow, REPLICAOF is refused
	NewID    func() string // 40 random hex digits
	Dir      func() string // where temporary files go

	// Diverged is told of a former master that comes back as a replica and has so many
	// bytes that this node, its successor, never got: they are dropped. Repl.mu is
	// held: it must not wait. May be nil.
	Diverged func(replica string, bytes int64)

	// Delay lets the system gather small pieces of what is sent to a replica
	// (repl-disable-tcp-nodelay). May be nil.
	Delay func(*session.Session)

	// Snapshot is the data set as it is now, to be written by one goroutine. The
	// caller holds all stripes. ErrBusy: another snapshot is under way.
	Snapshot func(Aux) (Snapshot, error)
	// Beyond names a key that only replicas can read which say capa field-expiry, ""
	// if there is none. The caller holds all stripes. May be nil.
	Beyond func() string
	// Keeps tells whether the node keeps its data set in an RDB file. If so, one that is
	// written for replicas is handed to Keep, to become that file. May be nil.
	Keeps func() bool
	Keep  func(s Snapshot, path string) error
	// Empty is an RDB without keys, for one that asks for functions only.
	Empty func(Aux) (Snapshot, error)
	// Load reads an RDB to its end into a data set beside the live one.
	Load func(io.Reader) (Dataset, error)
	// Dial connects to a master until ctx ends. Nil means plain TCP.
	Dial func(ctx context.Context, address string) (net.Conn, error)
	// Files is where the RDB of a full sync is received. Nil means the real files.
	Files vfs.FS
	// RDBFile is the path that a received RDB is given, as the node's own; keep says
	// whether it stays there once it is loaded (rdb-del-sync-files). Nil: it is removed.
	RDBFile func() (path string, keep bool)
	// StopSave ends a background save, whose file would replace the one received. Nil: there is none.
	StopSave func()
	// Received counts bytes from the master. May be nil.
	Received func(n int)
	// Moved is told how far the master's stream is applied, often and under stripes. May be nil.
	Moved func(offset int64)
	// MasterChanged is told whom the node follows by REPLICAOF, "" after NO ONE, for
	// CONFIG GET and CONFIG REWRITE. All stripes are held. May be nil.
	MasterChanged func(host string, port int)
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
	// Save writes the whole RDB, or returns the error of w. It is called once, or never.
	Save(w io.Writer) error
	// Abort gives the snapshot up, from any goroutine; Save ends with an error.
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
	BacklogBytes      int64         // repl-backlog-size
	BacklogTTL        time.Duration // repl-backlog-ttl; 0: for ever
	PingPeriod        time.Duration // repl-ping-replica-period
	Timeout           time.Duration // repl-timeout, of both sides
	Diskless          bool          // repl-diskless-sync
	DisklessDelay     time.Duration // repl-diskless-sync-delay
	DisklessMost      int           // repl-diskless-sync-max-replicas; 0: none
	MinReplicas       int           // min-replicas-to-write
	MinReplicasLag    time.Duration // min-replicas-max-lag
	DisableTCPNoDelay bool          // repl-disable-tcp-nodelay
	HardLimit         int64         // client-output-buffer-limit replica, bytes; 0: none
	SoftLimit         int64
	SoftTime          time.Duration

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
