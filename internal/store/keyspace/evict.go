package keyspace

import (
	"bytes"
	"math/rand/v2"
	"sync"
	"time"
)

// Policy is what maxmemory-policy chooses.
type Policy uint8

// The policies of redis 7.2.
const (
	NoEviction Policy = iota
	AllKeysLRU
	AllKeysLFU
	AllKeysRandom
	VolatileLRU
	VolatileLFU
	VolatileRandom
	VolatileTTL
)

// Frequency tells whether the policy goes by how often keys are used, so that
// their access clocks count uses; otherwise they hold the time of the last one.
func (p Policy) Frequency() bool { return p.lfu() }

func (p Policy) lfu() bool      { return p == AllKeysLFU || p == VolatileLFU }
func (p Policy) volatile() bool { return p >= VolatileLRU }
func (p Policy) random() bool   { return p == AllKeysRandom || p == VolatileRandom }

// poolSize is how many good victims are remembered between samplings, as in redis.
const poolSize = 16

// evictionPool keeps the best victims seen so far: sampling a few keys at a
// time then comes close to knowing the order of all of them.
type evictionPool struct {
	mu    sync.Mutex
	items []victim // ascending by score: the best is the last
}

type victim struct {
	score uint64
	db    int
	key   []byte
	hash  uint64
	slot  uint16
}

// evictTries bounds how often in a row a sampling may find nothing to evict.
const evictTries = 512

// Evict removes keys, chosen by the policy, until Used is at most limit bytes.
// It returns false if that cannot be reached. It takes one stripe at a time;
// the caller holds none.
func (ks *Keyspace) Evict(limit int64, extra int64) bool {
	t := ks.tuning.Load()
	tries := 0
	for ks.Used()+extra > limit {
		if t.Policy == NoEviction || ks.Replica.Load() || ks.Frozen.Load() {
			return false
		}
		if ks.evictOne(t) {
			tries = 0
		} else if tries++; tries == evictTries || ks.candidates(t) == 0 {
			return false
		}
	}
	return true
}

// candidates counts the keys that the policy may evict.
func (ks *Keyspace) candidates(t *Tuning) (n int64) {
	for db := range ks.opt.Databases {
		if t.Policy.volatile() {
			k, _ := ks.Volatile(db, 0)
			n += k
		} else {
			n += ks.Size(db)
		}
	}
	return n
}

func (ks *Keyspace) evictOne(t *Tuning) bool {
	ks.pool.mu.Lock()
	defer ks.pool.mu.Unlock()
	now := time.Now().UnixMilli()
	if t.Policy.random() {
		ks.pool.items = ks.pool.items[:0]
		ks.sample(t, now, 1)
	} else {
		ks.sample(t, now, t.Samples)
	}
	for n := len(ks.pool.items); n > 0; n-- {
		v := ks.pool.items[n-1]
		ks.pool.items = ks.pool.items[:n-1]
		if ks.evictKey(v, t, now) {
			return true
		}
	}
	return false
}

func (ks *Keyspace) evictKey(v victim, t *Tuning, now int64) bool {
	st := ks.stripeOf(v.slot)
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.owner != nil {
		return false
	}
	var tx WriteTx
	tx.Begin(ks, nil, v.db, now, SeeExpired|NoTouch)
	r, ok := tx.Peek(v.key)
	if !ok || t.Policy.volatile() && !r.entry.Expires() {
		return false
	}
	tx.evict(r, v.key, t.LazyEvict)
	st.stats.evicted.Add(1)
	tx.Notify(EventEvicted, "evicted", v.key)
	tx.Commit(nil)
	return true
}

// sample looks at n random keys of each database and offers them to the pool.
func (ks *Keyspace) sample(t *Tuning, now int64, n int) {
	for db := range ks.opt.Databases {
		st, sh := ks.randomShelf(db, t.Policy.volatile())
		if sh == nil {
			continue
		}
		st.mu.Lock()
		for range n {
			if r, ok := ks.randomRef(st, sh, t.Policy.volatile()); ok {
				ks.pool.offer(victim{score(r, t, now), db, nil, r.place.hash, r.place.slot}, r.Key())
			}
		}
		st.mu.Unlock()
	}
}

// randomShelf picks a stripe with the odds of its number of keys.
func (ks *Keyspace) randomShelf(db int, volatile bool) (*stripe, *shelf) {
	count := func(sh *shelf) int64 {
		if sh == nil {
			return 0
		}
		if volatile {
			return sh.due.live.Load()
		}
		return sh.keys.Load()
	}
	var total int64
	for i := range ks.stripes {
		total += count(ks.stripes[i].shelves[db].Load())
	}
	if total <= 0 {
		return nil, nil
	}
	at := rand.Int64N(total)
	for i := range ks.stripes {
		sh := ks.stripes[i].shelves[db].Load()
		if at -= count(sh); at < 0 {
			return &ks.stripes[i], sh
		}
	}
	return nil, nil
}

// randomRef picks a key of a shelf. The stripe is locked.
func (ks *Keyspace) randomRef(st *stripe, sh *shelf, volatile bool) (Ref, bool) {
	if volatile {
		if len(sh.due.heap) == 0 {
			return Ref{}, false
		}
		return ks.find(st, sh, sh.due.heap[rand.IntN(len(sh.due.heap))])
	}
	at := rand.Int64N(max(sh.keys.Load(), 1))
	for i := range sh.tables {
		t := sh.tables[i].Load()
		if t == nil {
			continue
		}
		if at -= int64(t.Len()); at < 0 {
			h := t.Random(rand.Uint64)
			if h == 0 {
				return Ref{}, false
			}
			e := t.Entry(h)
			key := e.Key()
			p := place{stripe: st, shelf: sh, table: t, hash: ks.Hash(key)}
			p.slot = slotOf(key)
			return Ref{e, h, p}, true
		}
	}
	return Ref{}, false
}

// score is higher the better a key is to lose.
func score(r Ref, t *Tuning, now int64) uint64 {
	switch {
	case t.Policy == VolatileTTL:
		return ^uint64(0) - uint64(r.Expiry())
	case t.Policy.lfu():
		return 255 - uint64(lfuNow(r.entry.Clock(), t, now))
	}
	return uint64(idleSeconds(r.entry.Clock(), now))
}

// offer keeps v if it is among the best seen.
func (p *evictionPool) offer(v victim, key []byte) {
	i := 0
	for i < len(p.items) && p.items[i].score < v.score {
		i++
	}
	for j := range p.items {
		if p.items[j].db == v.db && bytes.Equal(p.items[j].key, key) {
			return
		}
	}
	if len(p.items) == poolSize {
		if i == 0 {
			return
		}
		copy(p.items, p.items[1:i])
		i--
	} else {
		p.items = append(p.items, victim{})
		copy(p.items[i+1:], p.items[i:])
	}
	v.key = bytes.Clone(key)
	p.items[i] = v
}
