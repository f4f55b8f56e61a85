package polite

import (
	"runtime"
	"sync/atomic"
	"testing"
)

// TestRestLetsOthersRun: with one processor, another goroutine runs before Rest has been called often.
func TestRestLetsOthersRun(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var ran atomic.Bool
	go ran.Store(true)
	var w Worker
	for range 1000 {
		if w.Rest(); ran.Load() {
			return
		}
	}
	t.Error("nobody else ran")
}
