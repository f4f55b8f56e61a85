//go:build !linux

package keyspace

import "runtime"

// rest lets other goroutines that are ready have the processor first.
func rest() { runtime.Gosched() }
