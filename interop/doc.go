// Package interop tests Skein from outside, as real processes together with Redis's own programs and with the client
// libraries that people use. The package has tests only.
//
//	cluster_test.go   clusters of Skein nodes and redis-servers
//	load_test.go      clients that write and read all the time and forget nothing
//	manage_test.go    redis-cli --cluster under load
//	repair_test.go    redis-cli --cluster fix
//	mixed_test.go     Skein and redis-server in one cluster
//	up_test.go        skein up
//	seeds_test.go     RESET, FORGET and CLUSTERDOWN, as their documents tell
//	tools_test.go     redis-cli's modes and redis-benchmark
//
// With SKEIN_ACCEPT=1 the tests run at full size (make accept-cluster), otherwise in a few minutes.
package interop
