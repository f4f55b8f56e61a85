package keyspace

import (
	"sync"
	"sync/atomic"

	"github.com/skeindb/skein/internal/base/polite"
	"github.com/skeindb/skein/internal/data/arena"
)

// Clear removes all keys of the transaction's database and returns how many
// there were. Later leaves it to the background to free them: the database is
// taken away as it stands, however large. The hold is the whole keyspace.
// Nothing is logged: FLUSHDB and FLUSHALL go to the log as they are called.
func (tx *WriteTx) Clear(later bool) (removed int64) {
	if !tx.emptied { // FLUSHALL is one word to those who track
		tx.emptied = true
		tx.untrackAll()
	}
	var old []*shelf
	for i := range tx.ks.stripes {
		st := &tx.ks.stripes[i]
		sh := st.shelves[tx.db].Load()
		if sh == nil {
			continue
		}
		tx.flushed(st, tx.db, sh)
		st.shelves[tx.db].Store(nil)
		removed += sh.keys.Load()
		old = append(old, sh)
	}
	tx.ks.bury(old, later)
	tx.effects.changed = tx.effects.changed || removed > 0
	bump(&tx.ks.stripes[0].stats.changes, removed)
	return removed
}

// ClearSlot removes the keys of one slot and returns them, so that they can be
// logged.
func (tx *WriteTx) ClearSlot(n uint16) (keys [][]byte) {
	tx.ScanSlot(n, func(r Ref) bool {
		keys = append(keys, append([]byte(nil), r.Key()...))
		return true
	})
	removed := keys[:0]
	for _, k := range keys { // a scan may show a key twice
		if tx.Delete(k) {
			removed = append(removed, k)
		}
	}
	return removed
}

// Swap exchanges two databases. The hold is the whole keyspace.
func (tx *WriteTx) Swap(a, b int) {
	for i := range tx.ks.stripes {
		st := &tx.ks.stripes[i]
		x, y := st.shelves[a].Load(), st.shelves[b].Load()
		tx.swapped(st, a, x, y)
		tx.swapped(st, b, y, x)
		st.shelves[a].Store(y)
		st.shelves[b].Store(x)
	}
	tx.ks.inUse[a].Store(true)
	tx.ks.inUse[b].Store(true)
	tx.DirtyAll()
}

// bury frees shelves that have been taken away, later in the background. A cut
// that wants something of one of them gets it instead. All stripes are held.
func (ks *Keyspace) bury(old []*shelf, later bool) {
	var rest []*shelf
	mean := 0.0
	if ks.cutting.Load() != nil {
		mean = ks.meanBytes(old)
	}
	for _, sh := range old {
		switch {
		case sh.cut != nil:
			sh.cut.adopt(int64(mean * float64(sh.keys.Load())))
		case later:
			rest = append(rest, sh)
		default:
			ks.free(sh, nil)
		}
	}
	ks.graves.add(ks, rest)
}

// meanBytes is what a key takes on average, those of old included.
func (ks *Keyspace) meanBytes(old []*shelf) float64 {
	var keys int64
	for db := range ks.opt.Databases {
		keys += ks.Size(db)
	}
	for _, sh := range old {
		keys += sh.keys.Load()
	}
	return float64(ks.Used()) / float64(max(keys, 1))
}

// free gives the memory of a shelf back that nobody refers to any more, but for
// prefetches, which read what is there and do not care. Each entry is shown to visit,
// which may be nil, before it is freed.
func (ks *Keyspace) free(sh *shelf, visit func(arena.Handle)) {
	for i := range sh.tables {
		if t := sh.tables[i].Load(); t != nil {
			t.Drop(visit) // its objects are the garbage collector's
		}
	}
	ks.beside.Add(-sh.bytes)
}

// graves are shelves that wait to be freed. A goroutine frees them while there are any.
type graves struct {
	mu      sync.Mutex
	shelves []*shelf
	working bool
	closed  bool
	done    sync.WaitGroup
	pending atomic.Int64 // keys
	freed   atomic.Int64 // keys, and large values
}

func (g *graves) add(ks *Keyspace, old []*shelf) {
	if len(old) == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return
	}
	for _, sh := range old {
		g.pending.Add(sh.keys.Load())
	}
	g.shelves = append(g.shelves, old...)
	if !g.working {
		g.working = true
		g.done.Go(func() { g.work(ks) })
	}
}

// restAfterFreed is how many entries are freed in the background between two rests:
// some dozen microseconds.
const restAfterFreed = 256

func (g *graves) work(ks *Keyspace) {
	var rester polite.Worker
	entries := 0
	count := func(arena.Handle) {
		if entries++; entries%restAfterFreed == 0 {
			rester.Rest()
		}
	}
	for sh := g.next(); sh != nil; sh = g.next() {
		ks.free(sh, count)
		n := sh.keys.Load()
		g.pending.Add(-n)
		g.freed.Add(n)
	}
}

func (g *graves) next() *shelf {
	g.mu.Lock()
	defer g.mu.Unlock()
	last := len(g.shelves) - 1
	if last < 0 || g.closed {
		g.working, g.shelves = false, nil
		return nil
	}
	sh := g.shelves[last]
	g.shelves[last] = nil
	g.shelves = g.shelves[:last]
	return sh
}

func (g *graves) close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.done.Wait()
}

// Freeing is how many keys wait to be freed in the background, and how many have
// been since the start or the last ResetStats (INFO's lazyfree_pending_objects and
// lazyfreed_objects). Large values that were unlinked are among the latter: the
// garbage collector frees them, however they are removed.
func (ks *Keyspace) Freeing() (pending, freed int64) {
	return ks.graves.pending.Load(), ks.graves.freed.Load()
}
