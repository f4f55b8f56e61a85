package node

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"time"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/node/config"
	"github.com/skeindb/skein/internal/node/netloop"
	"github.com/skeindb/skein/internal/node/persist"
	"github.com/skeindb/skein/internal/node/repl"
	"github.com/skeindb/skein/internal/node/session"
)

// makeRepl makes replication, which needs most of the other rooms.
func (n *Node) makeRepl() {
	v := n.cfg.Values()
	n.repl = repl.New(repl.Options{
		Keyspace:    n.keyspace,
		Log:         n.oplog,
		Engine:      n.engine,
		Gates:       &n.gates,
		Clients:     n.clients,
		Slog:        n.slog,
		Cluster:     config.ClusterEnabled.Get(v),
		NewID:       func() string { return nodeid.Random(randomSource()).String() },
		Dir:         func() string { return config.Dir.Get(n.cfg.Values()) },
		Delay:       netloop.Delay,
		Dial:        n.dialMaster,
		Snapshot:    n.snapshot,
		Beyond:      n.keyspace.VolatileHash,
		Keeps:       func() bool { return len(config.Save.Get(n.cfg.Values())) > 0 },
		Keep:        func(s repl.Snapshot, path string) error { return n.persist.Keep(s.(*persist.Snapshot), path) },
		Empty:       n.emptySnapshot,
		Load:        n.loadStream,
		RoleChanged: n.roleChanged,
		RDBFile:     n.rdbFile,
		StopSave:    n.persist.Abort,
		Received:    n.observer.Traffic.ReplReceived,
		Diverged: func(replica string, bytes int64) {
			if n.cluster != nil {
				go n.cluster.Diverged(replica, bytes) // which asks replication how it stands
			}
		},
		Moved: func(offset int64) {
			if n.cluster != nil {
				n.cluster.ReplicationMoved(offset)
			}
		},
		MasterChanged: func(host string, port int) {
			config.ReplicaOf.Put(n.cfg, config.HostPort{Host: host, Port: port})
		},
	})
	if master := config.ReplicaOf.Get(v); master.Host != "" {
		n.repl.Follow(master.Host, master.Port)
	}
}

// dialMaster connects to a master, by TLS if tls-replication says so.
func (n *Node) dialMaster(ctx context.Context, address string) (net.Conn, error) {
	c, err := n.dialPlain(ctx, address)
	if secure := n.secure.Load(); err == nil && secure != nil && config.TLSReplication.Get(n.cfg.Values()) {
		return secure.Connect(ctx, c)
	}
	return c, err
}

// dialPlain connects from bind-source-addr if that can be done, as in redis.
func (n *Node) dialPlain(ctx context.Context, address string) (net.Conn, error) {
	var dialer net.Dialer
	if source := net.ParseIP(config.BindSourceAddr.Get(n.cfg.Values())); source != nil {
		bound := net.Dialer{LocalAddr: &net.TCPAddr{IP: source}}
		if c, err := bound.DialContext(ctx, "tcp", address); err == nil || !cannotBind(err) {
			return c, err
		}
	}
	return dialer.DialContext(ctx, "tcp", address)
}

// cannotBind tells whether a connection failed because of its own address, not its peer's.
func cannotBind(err error) bool {
	var call *os.SyscallError
	return errors.As(err, &call) && call.Syscall == "bind"
}

// rdbFile is where the RDB of a full sync goes, and whether it stays there: not if
// nothing else is kept on disk, and rdb-del-sync-files says so.
func (n *Node) rdbFile() (path string, keep bool) {
	v := n.cfg.Values()
	persists := len(config.Save.Get(v)) > 0 || config.AppendOnly.Get(v)
	return v.Path(config.DBFilename), persists || !config.RDBDelSyncFiles.Get(v)
}

// snapshot is the data set for replicas; all stripes are held.
func (n *Node) snapshot(a repl.Aux) (repl.Snapshot, error) {
	s, err := n.persist.Snapshot(persist.Aux(a))
	if err == persist.ErrBusy {
		return nil, repl.ErrBusy
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// emptySnapshot is an RDB without keys.
func (n *Node) emptySnapshot(repl.Aux) (repl.Snapshot, error) { return n.persist.NoKeys(), nil }

// stray disconnects a replica that sent what it must not.
func (n *Node) stray(s *session.Session, reply []byte) {
	name := "<unknown>"
	if s.Last != nil {
		name = s.Last.FullName()
	}
	if reply[0] == '-' {
		text := bytes.TrimRight(reply[1:min(len(reply), 4096)], "\r\n")
		n.slog.Warn("== CRITICAL == This master is sending an error to its replica: '" + string(text) + "' after processing the command '" + name + "'")
	}
	n.slog.Warn("Replica generated a reply to command '" + name + "', disconnecting it: " + n.clients.Describe(&s.Call))
	n.clients.Kill(s)
}

// loadStream reads the RDB of a full sync.
func (n *Node) loadStream(r io.Reader) (repl.Dataset, error) {
	d, err := n.persist.Load(r)
	if err != nil {
		return nil, err
	}
	return dataset{d}, nil
}

// dataset is what persist has loaded, as repl sees it.
type dataset struct{ *persist.Dataset }

// Aux implements repl.Dataset.
func (d dataset) Aux() repl.Aux { return repl.Aux(d.Dataset.Aux()) }

// roleChanged is what else follows the role; all stripes are held.
func (n *Node) roleChanged(replica bool) {
	n.keyspace.Replica.Store(replica)
	n.tuneRole(n.cfg.Values())
	n.tuneOOMScore(n.cfg.Values())
	n.judgeSync()
	if replica {
		n.stepDown()
		n.engine.UnblockAll()
		n.log.SetRole('S')
	} else {
		n.log.SetRole('M')
	}
}

// publish puts PUBLISH or SPUBLISH into the stream for replicas. The stripe of
// effects without keys is held, or the channel's.
func (n *Node) publish(c *command.Call) {
	s, ok := c.Client.(*session.Session)
	switch {
	case !ok || !n.oplog.Active() || s.Is(session.Master):
	case s.InMulti(): // with the other effects of the transaction
		s.Transaction().Tell(c.Args)
	default:
		s.Tx.Begin(n.keyspace, &s.Hold, c.DB, c.Now, 0)
		s.Tx.Tell(c.Args)
		s.Tx.Commit(nil)
	}
}

func (n *Node) tuneRepl(v *config.Values) {
	second := func(s int) time.Duration { return time.Duration(s) * time.Second }
	limit := config.ClientOutputBufferLimit.Get(v)[config.ReplicaClients]
	n.repl.Tune(repl.Tuning{
		BacklogBytes:      int64(config.ReplBacklogSize.Get(v)),
		BacklogTTL:        second(config.ReplBacklogTTL.Get(v)),
		PingPeriod:        second(config.ReplPingReplicaPeriod.Get(v)),
		Timeout:           second(config.ReplTimeout.Get(v)),
		Diskless:          config.ReplDisklessSync.Get(v),
		DisklessDelay:     second(config.ReplDisklessSyncDelay.Get(v)),
		DisklessMost:      config.ReplDisklessSyncMaxReplicas.Get(v),
		MinReplicas:       config.MinReplicasToWrite.Get(v),
		MinReplicasLag:    second(config.MinReplicasMaxLag.Get(v)),
		DisableTCPNoDelay: config.ReplDisableTCPNodelay.Get(v),
		HardLimit:         int64(limit.HardBytes),
		SoftLimit:         int64(limit.SoftBytes),
		SoftTime:          second(int(limit.SoftSeconds)),
		MasterUser:        config.MasterUser.Get(v),
		MasterAuth:        config.MasterAuth.Get(v),
		ServeStale:        config.ReplicaServeStaleData.Get(v),
		ReadOnly:          config.ReplicaReadOnly.Get(v),
		Priority:          config.ReplicaPriority.Get(v),
		Announced:         config.ReplicaAnnounced.Get(v),
		AnnounceIP:        config.ReplicaAnnounceIP.Get(v),
		AnnouncePort:      config.ReplicaAnnouncePort.Get(v),
		Port:              clientPort(v, config.TLSReplication.Get(v)),
		Load:              config.ReplDisklessLoad.Get(v),
		LazyFlush:         config.ReplicaLazyFlush.Get(v),
	})
}

// replDirectives are those that tuneRepl reads.
func replDirectives() []config.Handle {
	return []config.Handle{config.ReplBacklogSize, config.ReplBacklogTTL, config.ReplPingReplicaPeriod, config.ReplTimeout,
		config.ReplDisklessSync, config.ReplDisklessSyncDelay, config.ReplDisklessSyncMaxReplicas, config.MinReplicasToWrite,
		config.MinReplicasMaxLag, config.ReplDisableTCPNodelay, config.ClientOutputBufferLimit, config.MasterUser, config.MasterAuth,
		config.ReplicaServeStaleData, config.ReplicaReadOnly, config.ReplicaPriority, config.ReplicaAnnounced, config.ReplicaAnnounceIP,
		config.ReplicaAnnouncePort, config.Port, config.TLSPort, config.TLSReplication, config.ReplDisklessLoad, config.ReplicaLazyFlush}
}
