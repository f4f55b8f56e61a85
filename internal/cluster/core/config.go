package core

import "github.com/skeindb/skein/internal/cluster/topology"

// Config is the part of the configuration that the cluster depends on. It comes whole with New and with
// ConfigChanged.
type Config struct {
	topology.Config // what routing needs of it

	NodeTimeout  Millis // cluster-node-timeout
	PingInterval Millis // cluster-ping-interval; 0: half the node timeout

	RequireFullCoverage   bool   // cluster-require-full-coverage
	AllowReplicaMigration bool   // cluster-allow-replica-migration
	MigrationBarrier      int    // cluster-migration-barrier
	ReplicaNoFailover     bool   // cluster-replica-no-failover
	ReplicaValidityFactor int    // cluster-replica-validity-factor; 0: no limit
	ReplPingPeriod        Millis // repl-ping-replica-period

	AnnounceIP string // cluster-announce-ip; "": found out from the connections
	Hostname   string // cluster-announce-hostname
	Nodename   string // cluster-announce-human-nodename

	// The ports as others are to know them: the announced one if there is one, else the real one.
	Port, TLSPort, BusPort uint16

	TLSCluster     bool // tls-cluster: the bus and the first port in headers are TLS
	TLSReplication bool // tls-replication: a master is followed on its TLS port
}

// DefaultConfig returns redis's defaults for a node on client port 6379.
func DefaultConfig() Config {
	return Config{
		Config:                topology.Config{AllowPubSubShardWhenDown: true},
		NodeTimeout:           15000,
		RequireFullCoverage:   true,
		AllowReplicaMigration: true,
		MigrationBarrier:      1,
		ReplicaValidityFactor: 10,
		ReplPingPeriod:        10000,
		Port:                  6379,
		BusPort:               16379,
	}
}
