package node

import (
	"errors"
	"time"

	"github.com/skeindb/skein/internal/base/nodeid"
	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/cluster/core"
	"github.com/skeindb/skein/internal/cluster/topology"
	"github.com/skeindb/skein/internal/node/clusterd"
	"github.com/skeindb/skein/internal/node/config"
	"github.com/skeindb/skein/internal/node/exec"
)

// busPortOffset is how far the bus port is from the client port unless cluster-port says otherwise.
const busPortOffset = 10000

var errPortTooHigh = errors.New("Redis port number too high for cluster mode. Your Redis port number must be 55535 or less.")

// makeCluster makes the driver of the cluster, in cluster mode.
func (n *Node) makeCluster() error {
	v := n.cfg.Values()
	if !config.ClusterEnabled.Get(v) {
		return nil
	}
	bus := busPort(v)
	if bus > 65535 {
		n.slog.Warn(errPortTooHigh.Error())
		return errPortTooHigh
	}
	driver, err := clusterd.New(clusterd.Options{
		Config:    n.clusterConfig(v),
		File:      v.Path(config.ClusterConfigFile),
		Bind:      config.Bind.Get(v),
		Port:      uint16(bus),
		Source:    config.BindSourceAddr.Get(v),
		Secure:    n.secureBus,
		Flight:    v.Path(config.ClusterFlightFile),
		SendLimit: int64(config.ClusterLinkSendbufLimit.Get(v)),
		Keyspace:  n.keyspace,
		View:      &n.view,
		Costs:     &n.engine.Costs,
		Log:       n.slog,
		Hooks:     n.clusterHooks(),
	})
	n.cluster = driver
	return err
}

// busPort is the port of the cluster bus.
func busPort(v *config.Values) int {
	if port := config.ClusterPort.Get(v); port != 0 {
		return port
	}
	return clientPort(v, config.TLSCluster.Get(v)) + busPortOffset
}

// clusterConfig is what the core is to know of the directives.
func (n *Node) clusterConfig(v *config.Values) core.Config {
	orElse := func(announced, real int) uint16 {
		if announced != 0 {
			return uint16(announced)
		}
		return uint16(real)
	}
	return core.Config{
		Config: topology.Config{
			AllowReadsWhenDown:       config.ClusterAllowReadsWhenDown.Get(v),
			AllowPubSubShardWhenDown: config.ClusterAllowPubsubshardWhenDown.Get(v),
			Endpoint:                 endpoints[config.ClusterPreferredEndpointType.Get(v)],
		},
		NodeTimeout:           core.Millis(config.ClusterNodeTimeout.Get(v)),
		PingInterval:          core.Millis(config.ClusterPingInterval.Get(v)),
		RequireFullCoverage:   config.ClusterRequireFullCoverage.Get(v),
		AllowReplicaMigration: config.ClusterAllowReplicaMigration.Get(v),
		MigrationBarrier:      config.ClusterMigrationBarrier.Get(v),
		ReplicaNoFailover:     config.ClusterReplicaNoFailover.Get(v),
		ReplicaValidityFactor: config.ClusterReplicaValidityFactor.Get(v),
		ReplPingPeriod:        core.Millis(config.ReplPingReplicaPeriod.Get(v)) * 1000,
		AnnounceIP:            config.ClusterAnnounceIP.Get(v),
		Hostname:              config.ClusterAnnounceHostname.Get(v),
		Nodename:              config.ClusterAnnounceHumanNodename.Get(v),
		Port:                  orElse(config.ClusterAnnouncePort.Get(v), config.Port.Get(v)),
		TLSPort:               orElse(config.ClusterAnnounceTLSPort.Get(v), config.TLSPort.Get(v)),
		BusPort:               orElse(config.ClusterAnnounceBusPort.Get(v), busPort(v)),
		TLSCluster:            config.TLSCluster.Get(v),
		TLSReplication:        config.TLSReplication.Get(v),
	}
}

var endpoints = map[string]topology.Endpoint{
	"ip": topology.EndpointIP, "hostname": topology.EndpointHostname, "unknown-endpoint": topology.EndpointUnknown,
}

// clusterHooks is what the other rooms do for the driver.
func (n *Node) clusterHooks() clusterd.Hooks {
	return clusterd.Hooks{
		Fatal: func(err error) {
			n.slog.Warn("Fatal: can't update cluster config file: " + err.Error())
			n.fail(err)
		},
		Replication: func() core.ReplicationFacts {
			facts := n.repl.Facts()
			facts.Acked = n.repl.Acked(1)
			return facts
		},
		Demoted: func(kept int64) { n.kept = kept },
		Follow: func(to core.Source) {
			n.repl.Follow(to.Host, int(to.Port))
		},
		Promote: func() { n.repl.Promote() },
		Flush:   n.flushHeld,
		Pause: func(untilMs int64) {
			n.engine.Pause(exec.ByHandOver, exec.PauseWrite, untilMs)
		},
		Unpause: func() { n.engine.Unpause(exec.ByHandOver) },
		Deliver: func(channel, message []byte, shard bool) {
			if shard {
				n.hub.PublishShard(channel, message)
			} else {
				n.hub.Publish(channel, message)
			}
		},
		Unsubscribe: func(lost *slot.Set) { n.hub.DropSlots(lost) },
		LazyDelete:  func() bool { return config.LazyfreeLazyServerDel.Get(n.cfg.Values()) },
	}
}

// flushHeld empties the data set; the caller holds all stripes.
func (n *Node) flushHeld() {
	n.world.Begin(n.keyspace, nil, 0, time.Now().UnixMilli(), 0)
	n.world.Clear(false)
	n.world.Commit(nil)
}

// watchCluster makes CONFIG SET reach the cluster.
func (n *Node) watchCluster() {
	if n.cluster == nil {
		return
	}
	n.cfg.OnApply(func(ch config.Change) error {
		n.cluster.Apply(n.clusterConfig(ch.New))
		n.cluster.SetSendLimit(int64(config.ClusterLinkSendbufLimit.Get(ch.New)))
		return nil
	}, config.ClusterAllowReadsWhenDown, config.ClusterAllowPubsubshardWhenDown, config.ClusterPreferredEndpointType,
		config.ClusterNodeTimeout, config.ClusterPingInterval, config.ClusterRequireFullCoverage,
		config.ClusterAllowReplicaMigration, config.ClusterMigrationBarrier, config.ClusterReplicaNoFailover,
		config.ClusterReplicaValidityFactor, config.ReplPingReplicaPeriod, config.ClusterAnnounceIP,
		config.ClusterAnnounceHostname, config.ClusterAnnounceHumanNodename, config.ClusterAnnouncePort,
		config.ClusterAnnounceTLSPort, config.ClusterAnnounceBusPort, config.Port, config.TLSPort,
		config.TLSCluster, config.TLSReplication, config.ClusterLinkSendbufLimit)
}

// killLinks is DEBUG CLUSTERLINK KILL.
func (n *Node) killLinks(node string, to, from bool) bool {
	id, err := nodeid.Parse(node)
	return err == nil && n.cluster.KillLinks(id, to, from)
}
