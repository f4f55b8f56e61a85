package keyspace

import (
	"sync"
	"sync/atomic"
	"time"
)

// Cut is the data set at one instant, to be walked while it goes on changing.
//
// Nothing is copied at that instant. Every table is divided into shares, eight for
// each bucket that it had, of about one key. A share is taken out of its table as a
// whole, once: by the walk when its turn comes, or before that by whoever is about
// to change a key in it. So a share that was not taken yet still holds exactly what
// it held at the cut. What writers take waits in memory for the walk, which prefers
// it to going on.
type Cut struct {
	ks     *Keyspace
	nowMs  int64
	tuning *Tuning
	parts  []part // ascending by database, then by stripe
	counts []counts
	fields bool // of hashes had deadlines
	keys   int64
	done   atomic.Int64
	over   atomic.Bool // nothing is taken any more; set under mu

	mu      sync.Mutex // a leaf
	walking bool
	why     error // what ended the cut before its walk was through
	limit   int64
	waiting []*batch // taken by writers, in order
	spare   *batch
	held    int64 // bytes of what is waiting
	adopted int64 // bytes of shelves that were taken away
	peak    int64
	copied  int64
}

// counts are what a database had at the cut.
type counts struct{ keys, volatile int64 }

const (
	// sliceBuckets is of how many buckets the walk takes the shares while it holds a
	// stripe: about 50 keys, some microseconds.
	sliceBuckets = 6
	// sliceBytes ends a slice before that, where values are long.
	sliceBytes = 16 << 10
	// sliceSeen ends it where writers have taken nearly all shares.
	sliceSeen = 512
	// batchBytes is how much writers put together before they begin another batch.
	batchBytes = 64 << 10
	// limitLeast is what may wait in any case, by default, in bytes.
	limitLeast = 256 << 20
)

// Cut takes the cut: what the keyspace holds at this instant. The caller has
// acquired all stripes, so no change is half done. It takes some microseconds, and
// costs writers something until it is walked or aborted, one of which must happen.
// There is one at a time: ErrCutting.
func (ks *Keyspace) Cut() (*Cut, error) {
	if old := ks.cutting.Load(); old != nil && !old.over.Load() {
		return nil, ErrCutting
	}
	c := &Cut{ks: ks, nowMs: time.Now().UnixMilli(), tuning: ks.tuning.Load(),
		counts: make([]counts, ks.opt.Databases), parts: make([]part, 0, len(ks.stripes))}
	c.limit = max(limitLeast, ks.Used()/2)
	for db := range c.counts {
		if !ks.inUse[db].Load() {
			continue
		}
		for i := range ks.stripes {
			if sh := ks.stripes[i].shelves[db].Load(); sh != nil {
				c.add(db, i, sh)
			}
		}
	}
	for i := range c.parts {
		c.parts[i].shelf.cut = &c.parts[i]
	}
	ks.cutting.Store(c)
	return c, nil
}

func (c *Cut) add(db, stripe int, sh *shelf) {
	n := sh.keys.Load()
	if n == 0 {
		return
	}
	c.parts = append(c.parts, part{cut: c, shelf: sh, db: db, stripe: stripe})
	c.counts[db].keys += n
	c.counts[db].volatile += sh.due.live.Load()
	c.keys += n
	c.fields = c.fields || sh.fields.live.Load() > 0
}

// VolatileFields tells whether fields of hashes had deadlines at the cut.
func (c *Cut) VolatileFields() bool { return c.fields }

// Limit bounds the memory of keys that have changed since the cut and wait for the
// sink, in bytes: beyond it the cut is aborted, and its walk returns ErrBehind. With
// 0 there is no limit but the size of the data set at the cut, since no key waits
// twice. Without a call it is half the memory in use, and 256 MiB at the least.
func (c *Cut) Limit(bytes int64) {
	c.mu.Lock()
	c.limit = bytes
	c.mu.Unlock()
}

// Abort ends the cut. It may be called from anywhere, also with stripes held and
// when the cut is over already, and waits for nothing: Walk returns ErrAborted
// when its sink returns, and another cut can be taken at once.
func (c *Cut) Abort() {
	c.mu.Lock()
	c.stop(ErrAborted)
	c.mu.Unlock()
}

// stop ends the taking. mu is held.
func (c *Cut) stop(why error) {
	if c.over.Load() {
		return
	}
	c.why = why
	c.over.Store(true)
	c.waiting, c.spare, c.held = nil, nil, 0
	if !c.walking {
		c.ks.graves.done.Go(c.close)
	}
}

// begin notes that somebody walks now.
func (c *Cut) begin() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.walking || c.over.Load() {
		if c.why != nil {
			return c.why
		}
		return ErrAborted
	}
	c.walking = true
	return nil
}

// end is the end of the walk, whatever ended it. The cut's own reason is a better
// one than what its sink says then.
func (c *Cut) end(err error) error {
	c.mu.Lock()
	c.stop(nil)
	if c.why != nil {
		err = c.why
	}
	c.mu.Unlock()
	c.close()
	return err
}

// close parts with all shelves, which locks one stripe after the other, and lets
// go of those that only the cut has kept.
func (c *Cut) close() {
	for i := range c.parts {
		c.parts[i].close()
	}
	c.ks.cutting.CompareAndSwap(c, nil)
}

// put is how writers hand over a share.
func (c *Cut) put(p *part, table int, bucket uint64, eighth uint8) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over.Load() {
		return
	}
	b := c.batch()
	was := b.bytes()
	p.take(b, table, bucket, eighth)
	grown := b.bytes() - was
	c.held += grown
	c.copied += grown
	c.peak = max(c.peak, c.held)
	if c.limit > 0 && c.held > c.limit {
		c.stop(ErrBehind)
	}
}

// weigh accounts for so many bytes more of shelves that only the cut has.
func (c *Cut) weigh(bytes int64) {
	c.mu.Lock()
	c.adopted += bytes
	c.mu.Unlock()
}

// batch is where the next share goes. mu is held.
func (c *Cut) batch() *batch {
	if n := len(c.waiting); n > 0 && len(c.waiting[n-1].buf) < batchBytes {
		return c.waiting[n-1]
	}
	b := c.spare
	if c.spare = nil; b == nil {
		b = &batch{buf: make([]byte, 0, batchBytes)}
	}
	c.waiting = append(c.waiting, b)
	return b
}

// next takes what has been waiting longest, if there is anything.
func (c *Cut) next() *batch {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 0 {
		return nil
	}
	b := c.waiting[0]
	c.waiting[0] = nil
	if c.waiting = c.waiting[1:]; len(c.waiting) == 0 {
		c.waiting = nil
	}
	return b
}

// passed is told when the sink has all of b.
func (c *Cut) passed(b *batch) {
	bytes := b.bytes()
	b.reset()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.over.Load() {
		c.held -= bytes
		c.spare = b
	}
}

// CutStats tell how far a cut is and what it costs.
type CutStats struct {
	Keys, Done int64 // that it has, and that the sink has got
	Held, Peak int64 // bytes of changed keys that wait for the sink, now and at most
	Flushed    int64 // about so many bytes are of databases that were flushed meanwhile
	Copied     int64 // bytes of changed keys that waited, in sum: what a fork would have copied
}

// Stats may be asked for at any time, also when the cut is over.
func (c *Cut) Stats() CutStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return CutStats{Keys: c.keys, Done: c.done.Load(), Held: c.held, Peak: c.peak, Flushed: c.adopted, Copied: c.copied}
}

// CutHeld is the memory in bytes that only a cut under way still wants. It is not
// part of Used: to evict keys for it would add to it.
func (ks *Keyspace) CutHeld() int64 {
	if c := ks.cutting.Load(); c != nil {
		s := c.Stats()
		return s.Held + s.Flushed
	}
	return 0
}
