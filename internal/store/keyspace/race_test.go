//go:build race

package keyspace

// scale divides the sizes of tests that run many times slower under the race detector.
const scale = 8
