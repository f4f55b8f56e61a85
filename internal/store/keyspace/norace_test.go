//go:build !race

package keyspace

const scale = 1
