// Package interop tests Skein from outside, as real processes together with Redis's own programs and with the client
// libraries that people use. The package has tests only.
//
//	cluster_test.go   clusters of Skein nodes and redis-servers
//	load_test.go      clients that write and read all the time and forget nothing
//	manage_test.go    redis-cli --cluster under load
//	repair_test.go    redis-cli --cluster fix
//	mixed_test.go     Skein and redis-server in one cluster
//	shard_test.go     shards of a master and a replica
//	mixed_shard_test.go  Skein follows redis and the reverse; a cluster of redis is replaced by Skein under its clients
//	failover_test.go  manual and automatic failovers, what they refuse, what becomes of who comes back
//	chaos_test.go     mishaps of all kinds, and nothing acknowledged is lost
//	stream_test.go    what a master writes is what its replicas and theirs hold
//	fullsync_test.go  full synchronizations in the middle of which something breaks; redis-cli as a replica
//	address_test.go   nodes that come back with new addresses
//	up_test.go        skein up
//	seeds_test.go     RESET, FORGET and CLUSTERDOWN, as their documents tell
//	clients_test.go   go-redis, rueidis, ioredis and node-redis with every type, while slots move and masters hand over
//	tools_test.go     redis-cli's modes and redis-benchmark
//	hostile_test.go   clients that mean harm or are broken, while another goes on
//
// With SKEIN_ACCEPT=1 the tests run at full size (make accept-TOPIC), otherwise in a few minutes.
package interop
