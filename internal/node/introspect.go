package node

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	mathrand "math/rand/v2"
	"net"
	"time"

	"github.com/skeindb/skein/internal/command"
	"github.com/skeindb/skein/internal/node/admin"
	"github.com/skeindb/skein/internal/node/config"
	"github.com/skeindb/skein/internal/node/observe"
	"github.com/skeindb/skein/internal/node/persist"
)

// adminOptions connects what looks at the node as a whole with the rooms.
func (n *Node) adminOptions() admin.Options {
	v := n.cfg.Values()
	o := admin.Options{
		Keyspace:  n.keyspace,
		Config:    configurer{n},
		Log:       n.slog,
		Facts:     admin.Facts{Version: Version, RunID: n.runID, Cluster: config.ClusterEnabled.Get(v), ConfigFile: n.cfg.File(), Supervised: n.supervised},
		Sections:  n.sections(),
		Memory:    n.memory,
		Listeners: n.listening,
		Shutdown:  n.shutdown,

		AbortShutdown: n.abortShutdown,
		ShutdownIn:    n.shutdownIn,
		Debug: admin.Debug{
			StopWorld:    n.stopWorld,
			PauseCron:    n.cron.pause,
			ChangeReplID: n.repl.ChangeID,
			Replicate:    n.repl.Inject,
			Reload:       func(c *command.Call, how admin.Reload) { n.persist.Reload(c, persist.Reload(how)) },

			SkipChecksums: func(on bool) {
				n.persist.SkipChecksums(on)
				n.keyspace.Gullible.Store(on)
			},
			PackedThreshold: func(bytes int64) {
				n.plainBytes.Store(bytes)
				n.tuneKeyspace(n.cfg.Values())
			},
			AllowInScripts: n.engine.AllowInScripts,
			// Replies are made in a buffer of the loop: no client has one to resize.
			ReplyResizing: func(bool) {},
		},
	}
	if d := n.cluster; d != nil {
		o.Debug.DropPackets = func(kind int64) { d.DropPacketFilter(int(kind)) }
		o.Debug.DropAndClose = d.CloseLinkOnPacketDrop
		o.Debug.KillLinks = n.killLinks
		o.Debug.ClusterLog = d.Dump
	}
	return o
}

// sections are the parts of INFO that the rooms write.
func (n *Node) sections() []admin.Section {
	return []admin.Section{
		{Name: "Clients", Default: true, Append: n.clients.AppendInfo},
		{Name: "Persistence", Default: true, Append: n.persist.AppendInfo},
		{Name: "Stats", Default: true, Append: n.appendStats},
		{Name: "Replication", Default: true, Append: n.repl.AppendInfo},
		{Name: "Commandstats", Append: n.observer.AppendCommandStats},
		{Name: "Errorstats", Default: true, Append: n.observer.AppendErrorStats},
		{Name: "Latencystats", Append: n.observer.AppendLatencyStats},
		{Name: "Debug", Append: n.observer.AppendDebug},
	}
}

func (n *Node) appendStats(b []byte) []byte {
	var x observe.Others
	x.Connections, x.Rejected, x.EvictedClients = n.clients.Counts()
	keys := n.keyspace.Stats()
	x.Hits, x.Misses, x.Expired, x.Evicted = keys.Hits, keys.Misses, keys.Expired, keys.Evicted
	x.UnexpectedErrors = n.repl.UnexpectedErrors()
	x.FullSyncs, x.PartialSyncs, x.FailedPartialSyncs = n.repl.Syncs()
	x.MigrateSockets = n.migrator.Connections()
	x.Channels, x.Patterns, x.ShardChannels = n.hub.Counts()
	x.TrackedKeys, x.TrackedItems, _ = n.keyspace.Tracked()
	x.TrackedPrefixes = int64(n.tracking.Prefixes())
	return n.accounts.AppendStats(n.observer.AppendStats(b, &x))
}

// work is what loops and cron have done.
func (n *Node) work() observe.LoopWork {
	all := observe.LoopWork{Loops: int64(len(n.loops)), CronNanos: n.cron.nanos.Load()}
	for _, l := range n.loops {
		w := l.Work()
		all.Turns += w.Turns
		all.Nanos += w.Nanos
		all.LongestNanos = max(all.LongestNanos, w.LongestNanos)
		all.MostCommands = max(all.MostCommands, w.MostCommands)
	}
	return all
}

func (n *Node) resetWork() {
	n.cron.nanos.Store(0)
	for _, l := range n.loops {
		l.ResetWork()
	}
}

func (n *Node) memory() (m admin.Memory) {
	_, m.Clients = n.clients.Memory()
	m.Replicas, m.Backlog, m.NotCounted = n.repl.Memory()
	m.ReplicaBuffers = m.Replicas + m.Backlog
	if n.cluster != nil {
		m.ClusterLinks = n.cluster.LinkBytes()
	}
	m.CachedScripts, m.Scripts, m.Machines = n.scripts.Usage()
	m.Libraries, m.LoadedFunctions, m.Functions = n.functions.Size()
	_, _, m.Tracked = n.keyspace.Tracked()
	m.Cut = n.keyspace.CutHeld()
	m.NotCounted += m.Cut
	return m
}

// Memory is maxmemory as it is in force, 0 if there is none, and what the arena of keys
// and values has from the system, in bytes: whoever runs the process keeps the rest
// within the limit.
func (n *Node) Memory() (limit, arenaBytes int64) {
	return n.gates.MaxMemory.Load(), n.keyspace.Resident()
}

// beside is what counts against maxmemory beside keys and values, in bytes.
func (n *Node) beside() int64 {
	_, _, bytes := n.keyspace.Tracked()
	bytes += n.linkBytes.Load() + n.logBytes.Load()
	for _, l := range n.loops {
		bytes += l.Held()
	}
	return bytes
}

func (n *Node) listening() (list []admin.Listener) {
	v := n.cfg.Values()
	for _, l := range n.listeners.all() {
		if l.kind == kindUnix {
			list = append(list, admin.Listener{Kind: l.kind, Bind: []string{v.Path(config.UnixSocket)}})
			continue
		}
		if last := len(list) - 1; last >= 0 && list[last].Kind == l.kind { // one line for all addresses of a port
			continue
		}
		list = append(list, admin.Listener{Kind: l.kind, Bind: config.Bind.Get(v), Port: l.Addr().(*net.TCPAddr).Port})
	}
	return list
}

// configurer is the configuration as CONFIG works on it.
type configurer struct{ n *Node }

func (c configurer) Get(patterns []string) (list []admin.Setting) {
	for _, s := range c.n.cfg.Get(patterns) {
		list = append(list, admin.Setting(s))
	}
	return list
}

func (c configurer) Set(pairs []admin.Setting, local bool) error {
	list := make([]config.Setting, len(pairs))
	for i, p := range pairs {
		list[i] = config.Setting(p)
	}
	err := c.n.cfg.Set(list, config.Caller{Local: local, Loading: c.n.gates.Loading.Load()})
	if errors.Is(err, config.ErrLoading) {
		return command.Error(err.Error()) // which has a code of its own
	}
	return err
}

func (c configurer) Rewrite(force bool) error {
	return c.n.cfg.Rewrite(config.RewriteOptions{Force: force, Users: c.n.accounts.Lines()})
}

func (c configurer) ResetStat() {
	c.n.observer.Reset()
	c.n.resetWork()
	c.n.keyspace.ResetStats()
	c.n.clients.ResetStats()
	c.n.repl.ResetStats()
	c.n.engine.Costs.Reset()
}

// stopWorld stops all loops and the cron for d: DEBUG SLEEP. The caller is one
// of the loops, and holds all stripes.
func (n *Node) stopWorld(d time.Duration) {
	n.cron.sleep(d)
	n.repl.Sleep(d)
	if n.cluster != nil {
		n.cluster.Sleep(d)
	}
	for _, l := range n.loops {
		l.Do(func() { time.Sleep(d) })
	}
	time.Sleep(d)
}

func randomSource() mathrand.Source {
	var seed [16]byte
	rand.Read(seed[:])
	return mathrand.NewPCG(binary.LittleEndian.Uint64(seed[:]), binary.LittleEndian.Uint64(seed[8:]))
}
