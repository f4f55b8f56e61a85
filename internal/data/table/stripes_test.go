package table

import (
	"math/rand/v2"
	"sync"
	"testing"
)

// TestStripes changes tables from several goroutines, each table under its own lock, while others prefetch
// without a lock and compact: what the loops and the housekeeping of a keyspace do.
func TestStripes(t *testing.T) {
	const tables, perTable = 8, 4000 / scale
	k := newKeyspace(t, tables)
	locks := make([]sync.Mutex, tables)
	var owners, others sync.WaitGroup
	done := make(chan struct{})
	background := func(f func(r *rand.Rand)) {
		others.Go(func() {
			r := rand.New(rand.NewPCG(9, 9))
			for {
				select {
				case <-done:
					return
				default:
					f(r)
				}
			}
		})
	}
	background(func(r *rand.Rand) {
		hash, tab := r.Uint64(), &k.tables[r.IntN(tables)]
		tab.PrefetchEntry(hash)
		PrefetchEntryAt(k.a, tab.PrefetchBucket(hash), hash)
	})
	background(func(*rand.Rand) {
		if !k.a.BeginCompaction() {
			return
		}
		for i := range k.tables {
			for cursor, more := uint64(0), true; more; more = cursor != 0 {
				locks[i].Lock()
				cursor = k.tables[i].Compact(cursor, 4, nil)
				locks[i].Unlock()
			}
		}
		k.a.EndCompaction()
	})
	for g := range tables / 2 {
		owners.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 1))
			for round := range 6 {
				// Each goroutine has keys of its own, in two tables it shares with another.
				for i := range perTable {
					tab := (g + i%2) % tables
					locks[tab].Lock()
					if round%2 == 0 {
						k.putIn(t, &k.tables[tab], g*perTable+i, 8+r.IntN(400))
					} else {
						k.delIn(t, &k.tables[tab], g*perTable+i)
					}
					locks[tab].Unlock()
				}
			}
		})
	}
	owners.Wait()
	close(done)
	others.Wait()
	if k.a.InUse() != 0 {
		t.Fatalf("in use %d", k.a.InUse())
	}
}
