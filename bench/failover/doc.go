//go:build linux

// Command failover measures how long a shard of a cluster takes no writes while another node becomes its master, and whether
// a write that was acknowledged is lost by it.
//
//	go run ./bench/failover                                           redis-server beside Skein
//	go run ./bench/failover -server redis-server -server skein -check
//	go run ./bench/failover -server 'valkey-server --io-threads 1' -only kill
//
// A server is the command that starts one, to which redis's options are appended; "skein" stands for `skein server`, built from
// this tree. Of each server six nodes run, three masters with a replica each, made by redis-cli --cluster create, with a node
// timeout of 2000 ms. One client appends numbered records to one key without pause and follows redirections
// (bench/records). What is done to the shard meanwhile:
//
//	plain   CLUSTER FAILOVER to the replica, and a rest
//	row     CLUSTER FAILOVER twenty times, the next as soon as the last one is done
//	kill    kill -9 of the master; it is started again, empty, when the replica has taken over
//	sync    the same with repl-sync-replicas 1, where the server has that directive
//
// A round's gap is the longest time between two acknowledgements, from before the failover until the shard has two nodes
// again; beside it stands the longest one until the new master acknowledges writes, which a busy machine disturbs less. A
// round in which the replica does not take over has failed and has no gap. The servers take turns, round by round, so that
// both see the same machine; only one of the clusters is written to at a time.
//
// The exit code is 2 when something could not be measured and 1 for a missed goal, the latter only with -check.
// Goals are for Skein.
package main
