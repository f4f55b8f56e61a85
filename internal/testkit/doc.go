// Package testkit starts servers for tests: Skein as a process, redis-server beside it, and redis-cli against both.
//
//	func TestMain(m *testing.M) { os.Exit(testkit.Main(m)) }   builds the binary, once
//
//	s := testkit.StartSkein(t, "cluster-enabled yes")
//	r := testkit.StartRedis(t, "cluster-enabled yes")
//	s.Want("+OK", "SET", "key", "value")
//	testkit.RedisCLI(t, "--cluster", "check", s.Addr())
//	testkit.Eventually(t, "the cluster is ok", func() bool { … })
//
// Servers listen on 127.0.0.1, on ports below 22000 (the bus port is 10000 higher and stays below the ports that the
// system gives to connections), work in a temporary directory, and are stopped by their process id. When a test
// fails, the end of their logs is printed.
//
// Under the race detector Skein is built with it too, and what it finds in a server fails the test.
package testkit
