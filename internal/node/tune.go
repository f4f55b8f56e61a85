package node

import (
	"fmt"
	"time"

	"github.com/skeindb/skein/internal/data/hash"
	"github.com/skeindb/skein/internal/data/quicklist"
	"github.com/skeindb/skein/internal/data/set"
	"github.com/skeindb/skein/internal/data/stream"
	"github.com/skeindb/skein/internal/data/zset"
	"github.com/skeindb/skein/internal/node/clients"
	"github.com/skeindb/skein/internal/node/config"
	"github.com/skeindb/skein/internal/node/exec"
	"github.com/skeindb/skein/internal/node/observe"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// tune gives every room the options that it may change while it runs.
func (n *Node) tune(v *config.Values) {
	n.log.SetLevel(config.LogLevel.Get(v))
	n.tuneAccounts(v)
	n.accounts.SetPassword(config.RequirePass.Get(v))
	n.tuneKeyspace(v)
	n.tuneClients(v)
	n.tuneGates(v)
	n.tuneObserve(v)
	n.tunePersist(v)
	n.tuneRepl(v)
	n.tuneSync(v)
	n.tuneScripts(v)
	n.tuneCosts(v)
}

func (n *Node) tuneCosts(v *config.Values) {
	n.engine.Costs.Count(config.ClusterSlotStatsEnabled.Get(v) && config.ClusterEnabled.Get(v))
}

func (n *Node) tuneObserve(v *config.Values) {
	n.observer.Tune(observe.Tuning{
		SlowMicros:      int64(config.SlowlogLogSlowerThan.Get(v)),
		SlowLen:         config.SlowlogMaxLen.Get(v),
		ThresholdMs:     int64(config.LatencyMonitorThreshold.Get(v)),
		LatencyTracking: config.LatencyTracking.Get(v),
		Percentiles:     config.LatencyTrackingInfoPercentiles.Get(v),
	})
}

func (n *Node) tuneKeyspace(v *config.Values) {
	events, _ := keyspace.ParseClasses(config.NotifyKeyspaceEvents.Get(v))
	n.keyspace.Tune(keyspace.Tuning{
		Events:       events,
		Policy:       policies[config.MaxMemoryPolicy.Get(v)],
		Samples:      config.MaxMemorySamples.Get(v),
		LFULogFactor: config.LFULogFactor.Get(v),
		LFUDecayMin:  config.LFUDecayTime.Get(v),
		LazyExpire:   config.LazyfreeLazyExpire.Get(v),
		LazyEvict:    config.LazyfreeLazyEviction.Get(v),
		LazyDelete:   config.LazyfreeLazyServerDel.Get(v),
		LazyUser:     config.LazyfreeLazyUserDel.Get(v),
		LazyFlush:    config.LazyfreeLazyUserFlush.Get(v),
		Tenacity:     config.MaxMemoryEvictionTenacity.Get(v),
		PlainDumps:   !config.RDBCompression.Get(v),
		TrackedKeys:  int64(config.TrackingTableMaxKeys.Get(v)),
		Took:         n.tookDeleting(v),
		MaxString:    int64(config.ProtoMaxBulkLen.Get(v)),
		Limits: keyspace.Limits{
			List:   quicklist.Options{Fill: int(config.ListMaxListpackSize.Get(v)), Plain: int(n.plainBytes.Load())},
			Set:    set.Limits{Integers: int(config.SetMaxIntsetEntries.Get(v)), Entries: int(config.SetMaxListpackEntries.Get(v)), Value: int(config.SetMaxListpackValue.Get(v))},
			ZSet:   zset.Limits{Entries: int(config.ZsetMaxListpackEntries.Get(v)), Value: int(config.ZsetMaxListpackValue.Get(v))},
			Hash:   hash.Limits{Entries: int(config.HashMaxListpackEntries.Get(v)), Value: int(config.HashMaxListpackValue.Get(v))},
			Stream: stream.Options{BlockBytes: int(config.StreamNodeMaxBytes.Get(v)), BlockEntries: int(config.StreamNodeMaxEntries.Get(v))},
			HLL:    int(config.HLLSparseMaxBytes.Get(v)),
		},
	})
}

var policies = map[string]keyspace.Policy{
	"noeviction": keyspace.NoEviction, "allkeys-lru": keyspace.AllKeysLRU, "allkeys-lfu": keyspace.AllKeysLFU,
	"allkeys-random": keyspace.AllKeysRandom, "volatile-lru": keyspace.VolatileLRU, "volatile-lfu": keyspace.VolatileLFU,
	"volatile-random": keyspace.VolatileRandom, "volatile-ttl": keyspace.VolatileTTL,
}

func (n *Node) tuneClients(v *config.Values) {
	l := clients.Limits{
		MaxClients:    config.MaxClients.Get(v),
		IdleSeconds:   int64(config.Timeout.Get(v)),
		ProtectedMode: config.ProtectedMode.Get(v),
		Memory:        int64(config.MaxMemoryClients.Get(v).Bytes(config.MaxMemory.Get(v))),
		Backlog:       config.ReplBacklogSize.Get(v),
	}
	out := config.ClientOutputBufferLimit.Get(v)
	for i, o := range out {
		l.Output[i] = clients.OutputLimit{Hard: o.HardBytes, Soft: o.SoftBytes, SoftSeconds: int64(o.SoftSeconds)}
	}
	n.clients.Tune(l)
}

func (n *Node) tuneGates(v *config.Values) {
	n.tuneRole(v)
	slow := int64(config.SlowlogLogSlowerThan.Get(v))
	if slow > 0 {
		slow *= 1000 // the directive counts microseconds
	}
	n.gates.SlowNanos.Store(slow)
	n.gates.Protected.Store(protection(config.EnableDebugCommand.Get(v), exec.DebugForRemote, exec.DebugForLocal) |
		protection(config.EnableModuleCommand.Get(v), exec.ModuleForRemote, exec.ModuleForLocal))
}

// tuneRole is for what depends on the role.
func (n *Node) tuneRole(v *config.Values) {
	replica := n.keyspace.Replica.Load()
	n.gates.ReadOnly.Store(replica && config.ReplicaReadOnly.Get(v))
	limit := int64(config.MaxMemory.Get(v))
	if replica && config.ReplicaIgnoreMaxMemory.Get(v) {
		limit = 0 // the master evicts
	}
	n.gates.MaxMemory.Store(limit)
}

// tookDeleting is who notes how long deletions by expiry and eviction take: nobody
// without latency-monitor-threshold, so that they are not measured either.
func (n *Node) tookDeleting(v *config.Values) func(event string, d time.Duration) {
	if config.LatencyMonitorThreshold.Get(v) <= 0 {
		return nil
	}
	return func(event string, d time.Duration) { n.observer.Event(event, d.Milliseconds()) }
}

// protection is the bits for one of the words no, local, yes.
func protection(word string, remote, local uint32) uint32 {
	switch word {
	case "yes":
		return 0
	case "local":
		return remote
	}
	return remote | local
}

// watchConfig makes CONFIG SET take effect.
func (n *Node) watchConfig() {
	n.onChange(func(v *config.Values) { n.log.SetLevel(config.LogLevel.Get(v)) }, config.LogLevel)
	n.onChange(func(v *config.Values) { n.accounts.SetPassword(config.RequirePass.Get(v)) }, config.RequirePass)
	n.onChange(n.tuneAccounts, config.ACLLogMaxLen, config.ACLPubsubDefault)
	n.onChange(n.tuneKeyspace,
		config.NotifyKeyspaceEvents, config.MaxMemoryPolicy, config.MaxMemorySamples, config.LFULogFactor, config.LFUDecayTime,
		config.LazyfreeLazyExpire, config.LazyfreeLazyEviction, config.LazyfreeLazyServerDel, config.LazyfreeLazyUserDel, config.LazyfreeLazyUserFlush,
		config.TrackingTableMaxKeys, config.MaxMemoryEvictionTenacity, config.ProtoMaxBulkLen, config.RDBCompression, config.LatencyMonitorThreshold,
		config.ListMaxListpackSize, config.SetMaxIntsetEntries, config.SetMaxListpackEntries, config.SetMaxListpackValue,
		config.ZsetMaxListpackEntries, config.ZsetMaxListpackValue, config.HashMaxListpackEntries, config.HashMaxListpackValue,
		config.StreamNodeMaxBytes, config.StreamNodeMaxEntries, config.HLLSparseMaxBytes)
	n.onChange(n.tuneClients,
		config.Timeout, config.ProtectedMode, config.MaxMemoryClients, config.MaxMemory,
		config.ReplBacklogSize, config.ClientOutputBufferLimit)
	n.onChange(n.tuneGates,
		config.MaxMemory, config.ReplicaIgnoreMaxMemory, config.SlowlogLogSlowerThan, config.ReplicaReadOnly)
	n.onChange(n.tuneObserve,
		config.SlowlogLogSlowerThan, config.SlowlogMaxLen, config.LatencyMonitorThreshold, config.LatencyTracking,
		config.LatencyTrackingInfoPercentiles)
	n.onChange(n.tunePersist, persistDirectives()...)
	n.onChange(n.tuneRepl, replDirectives()...)
	n.onChange(n.tuneSync, config.ReplSyncReplicas)
	n.onChange(n.tuneScripts, config.BusyReplyThreshold)
	n.onChange(n.tuneCosts, config.ClusterSlotStatsEnabled)
	n.onChange(n.warnOfEviction, config.MaxMemory)
	n.cfg.OnApply(func(ch config.Change) error {
		if config.AppendOnly.Get(ch.New) && !config.AppendOnly.Get(ch.Old) {
			return errAppendOnly
		}
		return nil
	}, config.AppendOnly)
	n.cfg.OnApply(n.allowClients, config.MaxClients)
	n.cfg.OnApply(func(ch config.Change) error { return n.tuneOOMScore(ch.New) }, config.OOMScoreAdj, config.OOMScoreAdjValues)
	n.watchTLS()
	n.cfg.OnApply(n.relisten, config.Port, config.TLSPort, config.Bind)
	n.cfg.LogTo(n.sink)
}

// onChange makes one room follow some directives. What it does cannot fail.
func (n *Node) onChange(tune func(*config.Values), directives ...config.Handle) {
	n.cfg.OnApply(func(ch config.Change) error { tune(ch.New); return nil }, directives...)
}

// warnOfEviction: the cron evicts what is too much now.
func (n *Node) warnOfEviction(v *config.Values) {
	limit := int64(config.MaxMemory.Get(v))
	if used := n.keyspace.Used() + n.beside(); limit > 0 && used > limit {
		n.slog.Warn(fmt.Sprintf("WARNING: the new maxmemory value set via CONFIG SET (%d) is smaller than the current memory usage (%d). "+
			"This will result in key eviction and/or the inability to accept new write commands depending on the maxmemory-policy.", limit, used))
	}
}
