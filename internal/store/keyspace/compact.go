package keyspace

import (
	"sync"
	"time"
)

// When compaction begins: that much more memory than is in use, and so much of
// it that it matters.
const (
	compactAbove = 1.3
	compactLeast = 16 << 20 // bytes that are resident and not in use
	// compactBuckets of a table are moved while its stripe is held: about 50
	// entries, some ten microseconds.
	compactBuckets = 6
	// compactRest is how long nothing is tried after there was nothing to gain.
	compactRest = time.Second
)

// compactor is where the walk of a compaction stands.
type compactor struct {
	mu      sync.Mutex // one walk at a time
	walking bool
	stripe  int
	db      int
	table   int
	cursor  uint64
	after   time.Time // not before
}

// CompactCycle moves entries together so that memory which was left in holes goes
// back to the system. It works for at most budget, holding one stripe at a time
// for a few microseconds; the next call goes on. The node calls it often: while
// memory is dense it does nothing.
func (ks *Keyspace) CompactCycle(budget time.Duration) {
	c := &ks.compactor
	if !c.mu.TryLock() {
		return
	}
	defer c.mu.Unlock()
	now := time.Now()
	if !c.walking && !ks.beginCompaction(now) {
		return
	}
	for end := now.Add(budget); c.walking; {
		if !ks.compactSome() {
			ks.arena.EndCompaction()
			c.walking = false
		} else if time.Now().After(end) {
			return
		}
	}
}

// beginCompaction tells whether it is worth while.
func (ks *Keyspace) beginCompaction(now time.Time) bool {
	c := &ks.compactor
	if now.Before(c.after) {
		return false
	}
	if ks.arena.Fragmentation() < compactAbove || ks.arena.Resident()-ks.arena.InUse() < compactLeast ||
		ks.graves.pending.Load() > 0 || !ks.arena.BeginCompaction() {
		c.after = now.Add(compactRest)
		return false
	}
	c.walking = true
	c.stripe, c.db, c.table, c.cursor = 0, 0, 0, 0
	return true
}

// compactSome moves what must be moved of a few buckets of a table, or passes by
// tables without keys. It returns false at the end of the walk.
func (ks *Keyspace) compactSome() bool {
	c := &ks.compactor
	st := &ks.stripes[c.stripe]
	st.mu.Lock()
	if sh := st.shelves[c.db].Load(); sh != nil {
		for c.table < len(sh.tables) {
			t := sh.tables[c.table].Load()
			if t != nil && t.Len() > 0 {
				if c.cursor = t.Compact(c.cursor, compactBuckets, nil); c.cursor == 0 {
					c.table++
				}
				st.mu.Unlock()
				return true
			}
			c.cursor = 0
			c.table++
		}
	}
	st.mu.Unlock()
	c.table, c.cursor = 0, 0
	if c.db++; c.db == ks.opt.Databases {
		c.db = 0
		c.stripe++
	}
	return c.stripe < len(ks.stripes)
}
