package main

import "testing"

func TestHeapKeeper(t *testing.T) {
	var k heapKeeper
	for i, look := range []struct {
		allocated, heap uint64 // MiB
		tidy            bool
	}{
		{1, 1, false},      // too little to be worth it
		{100, 60, false},   // busy
		{200, 120, false},  // busy
		{200, 120, true},   // at rest
		{200, 60, false},   // tidied already
		{201, 61, false},   // busy
		{201, 61, false},   // at rest, but hardly anything was allocated
		{1000, 300, false}, // busy again
		{1001, 301, true},  // as good as at rest
	} {
		if got := k.look(look.allocated<<20, look.heap<<20); got != look.tidy {
			t.Errorf("look %d: %v", i, got)
		}
	}
}

func TestHeapLimit(t *testing.T) {
	for _, c := range []struct{ maxMemory, arena, live, want int64 }{ // MiB
		{0, 500, 100, 0},
		{1000, 200, 100, 864},
		{1000, 950, 100, 189}, // what lives has room
		{1000, 2000, 0, 64},
	} {
		if got := heapLimit(c.maxMemory<<20, c.arena<<20, c.live<<20); got != c.want<<20 {
			t.Errorf("maxmemory %d, arena %d, live %d MiB: %d", c.maxMemory, c.arena, c.live, got>>20)
		}
	}
}
