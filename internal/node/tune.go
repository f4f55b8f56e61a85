package node

import (
	"github.com/skeindb/skein/internal/node/clients"
	"github.com/skeindb/skein/internal/node/config"
	"github.com/skeindb/skein/internal/node/exec"
	"github.com/skeindb/skein/internal/node/observe"
	"github.com/skeindb/skein/internal/store/keyspace"
)

// tune gives every room the options that it may change while it runs.
func (n *Node) tune(v *config.Values) {
	n.log.SetLevel(config.LogLevel.Get(v))
	n.accounts.SetPassword(config.RequirePass.Get(v))
	n.tuneKeyspace(v)
	n.tuneClients(v)
	n.tuneGates(v)
	n.tuneObserve(v)
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
	n.gates.MaxMemory.Store(int64(config.MaxMemory.Get(v)))
	slow := int64(config.SlowlogLogSlowerThan.Get(v))
	if slow > 0 {
		slow *= 1000 // the directive counts microseconds
	}
	n.gates.SlowNanos.Store(slow)
	n.gates.Protected.Store(protection(config.EnableDebugCommand.Get(v), exec.DebugForRemote, exec.DebugForLocal) |
		protection(config.EnableModuleCommand.Get(v), exec.ModuleForRemote, exec.ModuleForLocal))
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
	n.cfg.OnApply(func(ch config.Change) error { n.tune(ch.New); return nil },
		config.LogLevel, config.RequirePass, config.NotifyKeyspaceEvents, config.MaxMemoryPolicy, config.MaxMemorySamples,
		config.LFULogFactor, config.LFUDecayTime, config.LazyfreeLazyExpire, config.LazyfreeLazyEviction,
		config.MaxClients, config.Timeout, config.ProtectedMode, config.MaxMemoryClients, config.ReplBacklogSize,
		config.ClientOutputBufferLimit, config.MaxMemory, config.SlowlogLogSlowerThan,
		config.SlowlogMaxLen, config.LatencyMonitorThreshold, config.LatencyTracking, config.LatencyTrackingInfoPercentiles)
	n.cfg.LogTo(n.sink)
}
