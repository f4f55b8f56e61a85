package config

import "math"

// Replication. Times are in seconds.
var (
	ReplicaOf                    = replicaOf("replicaof", Immutable, MultiArg, alias("slaveof"))
	MasterUser                   = optionalText("masteruser", Sensitive)
	MasterAuth                   = optionalText("masterauth", Sensitive)
	ReplicaServeStaleData        = boolean("replica-serve-stale-data", true, alias("slave-serve-stale-data"))
	ReplicaReadOnly              = boolean("replica-read-only", true, alias("slave-read-only"))
	ReplicaPriority              = integer("replica-priority", 100, 0, math.MaxInt32, alias("slave-priority"))
	ReplicaAnnounced             = boolean("replica-announced", true)
	ReplicaAnnounceIP            = optionalText("replica-announce-ip", alias("slave-announce-ip"))
	ReplicaAnnouncePort          = integer("replica-announce-port", 0, 0, math.MaxUint16, alias("slave-announce-port"))
	ReplicaIgnoreMaxMemory       = boolean("replica-ignore-maxmemory", true, alias("slave-ignore-maxmemory"))
	ReplicaIgnoreDiskWriteErrors = boolean("replica-ignore-disk-write-errors", false)
	ReplicaLazyFlush             = boolean("replica-lazy-flush", false, alias("slave-lazy-flush"))
	ReplTimeout                  = integer("repl-timeout", 60, 1, math.MaxInt32)
	ReplPingReplicaPeriod        = integer("repl-ping-replica-period", 10, 1, math.MaxInt32, alias("repl-ping-slave-period"))
	ReplDisableTCPNodelay        = boolean("repl-disable-tcp-nodelay", false)
	ReplDisklessSync             = boolean("repl-diskless-sync", true)
	ReplDisklessSyncDelay        = integer("repl-diskless-sync-delay", 5, 0, math.MaxInt32)
	ReplDisklessSyncMaxReplicas  = integer("repl-diskless-sync-max-replicas", 0, 0, math.MaxInt32)
	ReplDisklessLoad             = enum("repl-diskless-load", "disabled", choices{"disabled", "on-empty-db", "swapdb"}, DenyLoading)
	ReplBacklogSize              = memory("repl-backlog-size", 1<<20, 1, math.MaxInt64).checked(checkBacklogSize)
	ReplBacklogTTL               = integer("repl-backlog-ttl", 3600, 0, math.MaxInt64) // 0: kept for ever
	MinReplicasToWrite           = integer("min-replicas-to-write", 0, 0, math.MaxInt32, alias("min-slaves-to-write"))
	MinReplicasMaxLag            = integer("min-replicas-max-lag", 10, 0, math.MaxInt32, alias("min-slaves-max-lag"))
	ReplSyncReplicas             = integer("repl-sync-replicas", 0, 0, math.MaxInt32, Own) // a write is answered when so many replicas have it
)

// The cluster. Times are in milliseconds.
var (
	ClusterEnabled                  = boolean("cluster-enabled", false, Immutable)
	ClusterConfigFile               = text("cluster-config-file", "nodes.conf", Immutable)
	ClusterFlightFile               = text("cluster-flight-file", "", Immutable, Own, Hidden) // what the core is given is recorded here; "": nowhere
	ClusterNodeTimeout              = integer("cluster-node-timeout", 15000, 0, math.MaxInt64)
	ClusterPingInterval             = integer("cluster-ping-interval", 0, 0, math.MaxInt64, Hidden) // 0: half the node timeout
	ClusterPort                     = integer("cluster-port", 0, 0, math.MaxUint16, Immutable)      // 0: the client port plus 10000
	ClusterLinkSendbufLimit         = memory("cluster-link-sendbuf-limit", 0, 0, math.MaxUint64)    // 0: none
	ClusterRequireFullCoverage      = boolean("cluster-require-full-coverage", true)
	ClusterAllowReadsWhenDown       = boolean("cluster-allow-reads-when-down", false)
	ClusterAllowPubsubshardWhenDown = boolean("cluster-allow-pubsubshard-when-down", true)
	ClusterMigrationBarrier         = integer("cluster-migration-barrier", 1, 0, math.MaxInt32)
	ClusterAllowReplicaMigration    = boolean("cluster-allow-replica-migration", true)
	ClusterReplicaValidityFactor    = integer("cluster-replica-validity-factor", 10, 0, math.MaxInt32, alias("cluster-slave-validity-factor"))
	ClusterReplicaNoFailover        = boolean("cluster-replica-no-failover", false, alias("cluster-slave-no-failover"))
	ClusterSlotStatsEnabled         = boolean("cluster-slot-stats-enabled", false, Own) // as valkey 8 has it
	ClusterPreferredEndpointType    = enum("cluster-preferred-endpoint-type", "ip", choices{"ip", "hostname", "unknown-endpoint"})
)

// What the node announces of itself; empty or 0 is what it finds out.
var (
	ClusterAnnounceIP            = optionalText("cluster-announce-ip")
	ClusterAnnouncePort          = integer("cluster-announce-port", 0, 0, math.MaxUint16)
	ClusterAnnounceTLSPort       = integer("cluster-announce-tls-port", 0, 0, math.MaxUint16)
	ClusterAnnounceBusPort       = integer("cluster-announce-bus-port", 0, 0, math.MaxUint16)
	ClusterAnnounceHostname      = optionalText("cluster-announce-hostname").checked(checkHostname)
	ClusterAnnounceHumanNodename = optionalText("cluster-announce-human-nodename").checked(checkNodename)
)
