package keyspace

import (
	"bytes"
	"math"
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

// evictor chooses victims. It keeps the best seen so far: sampling a few keys at
// a time then comes close to knowing the order of all of them.
type evictor struct {
	mu     sync.Mutex // taken before stripes
	pool   []victim   // ascending by score: the best is the last
	policy Policy     // that the scores are made by
	nextDB int        // whose turn it is under a random policy
	tx     WriteTx
}

type victim struct {
	score uint64
	db    int
	slot  uint16
	key   []byte
}

const (
	// evictTries bounds how often in a row a sampling may find nothing to evict.
	evictTries = 64
	// evictSlice is how many keys go between two looks at the clock, as in redis.
	evictSlice = 16
)

// tenacity is how long one call may evict, by redis's formula: up to 10 linearly
// to 500 us, then 15 % more for each step, at 100 without limit.
func tenacity(level int) time.Duration {
	switch {
	case level <= 10:
		return time.Duration(level) * 50 * time.Microsecond
	case level < 100:
		return time.Duration(500*math.Pow(1.15, float64(level-10))) * time.Microsecond
	}
	return math.MaxInt64
}

// Evict removes keys, chosen by the policy, until Used and extra together are at
// most limit bytes, or its time is up (Tuning.Tenacity): the rest is left to the
// next call. It returns false if the limit is exceeded and nothing can be
// evicted: a command that may need memory is then refused. It takes one stripe
// at a time; the caller holds none.
//
// A replica evicts nothing and refuses nothing, as its master decides; neither
// does a node that is paused. While a flushed database is being freed there is
// nothing to do but wait for that.
func (ks *Keyspace) Evict(limit, extra int64) bool {
	if beside := ks.beside.Load() + extra; ks.arena.Taken()+beside <= limit || ks.arena.InUse()+beside <= limit {
		return true // the first sum is an upper bound that costs nothing
	}
	t := ks.tuning.Load()
	switch {
	case ks.Replica.Load() || ks.Frozen.Load():
		return true
	case t.Policy == NoEviction:
		return false
	}
	began, most := time.Now(), tenacity(t.Tenacity)
	for evicted, tries := 0, 0; ks.Used()+extra > limit; {
		switch {
		case ks.evictOne(t):
			tries = 0
			if evicted++; evicted%evictSlice == 0 && time.Since(began) > most {
				return true
			}
		case ks.graves.pending.Load() > 0:
			return true
		default:
			if tries++; tries == evictTries || ks.candidates(t) == 0 {
				ks.releaseAll()
				return ks.Used()+extra <= limit
			}
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
	v := &ks.evictor
	v.mu.Lock()
	defer v.mu.Unlock()
	now := time.Now().UnixMilli()
	if v.policy != t.Policy {
		v.pool, v.policy = v.pool[:0], t.Policy
	}
	if t.Policy.random() {
		v.pool = v.pool[:0]
		v.sampleTurn(ks, t)
	} else {
		for db := range ks.opt.Databases {
			v.sample(ks, t, db, now, t.Samples)
		}
	}
	for n := len(v.pool); n > 0; n-- {
		best := v.pool[n-1]
		v.pool = v.pool[:n-1]
		if ks.evictKey(&best, t, now) {
			return true
		}
	}
	return false
}

// sampleTurn takes one key of the next database that has any.
func (v *evictor) sampleTurn(ks *Keyspace, t *Tuning) {
	for range ks.opt.Databases {
		v.nextDB = (v.nextDB + 1) % ks.opt.Databases
		if v.sample(ks, t, v.nextDB, 0, 1); len(v.pool) > 0 {
			return
		}
	}
}

// sample looks at n random keys of a database and offers them to the pool.
func (v *evictor) sample(ks *Keyspace, t *Tuning, db int, now int64, n int) {
	if !ks.inUse[db].Load() {
		return
	}
	p := picker{ks: ks, volatile: t.Policy.volatile()}
	for range n {
		p.pick(db, func(r Ref) {
			v.offer(victim{score: score(r, t, now), db: db, slot: r.place.slot}, r.Key())
		})
	}
}

// evictKey removes a victim, if it is there yet and may be evicted.
func (ks *Keyspace) evictKey(v *victim, t *Tuning, now int64) bool {
	st := ks.stripeOf(v.slot)
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.busy() {
		return false
	}
	tx := &ks.evictor.tx
	tx.Begin(ks, nil, v.db, now, SeeExpired|NoTouch)
	r, ok := tx.Peek(v.key)
	if !ok || t.Policy.volatile() && !r.entry.Expires() {
		return false
	}
	began := t.clock()
	tx.evict(r, v.key, t.LazyEvict)
	t.took("eviction-del", began)
	bump(&st.stats.evicted, 1)
	tx.Notify(EventEvicted, "evicted", v.key)
	tx.Commit(nil)
	ks.releaseSlot(st, v.db, v.slot)
	return true
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
func (v *evictor) offer(x victim, key []byte) {
	i := 0
	for i < len(v.pool) && v.pool[i].score < x.score {
		i++
	}
	if i == 0 && len(v.pool) == poolSize {
		return
	}
	for j := range v.pool {
		if v.pool[j].db == x.db && bytes.Equal(v.pool[j].key, key) {
			return
		}
	}
	x.key = v.spare(key)
	if len(v.pool) == poolSize {
		copy(v.pool, v.pool[1:i])
		i--
	} else {
		v.pool = append(v.pool, victim{})
		copy(v.pool[i+1:], v.pool[i:])
	}
	v.pool[i] = x
}

// spare is a copy of key, in the place of the key that offer is to drop.
func (v *evictor) spare(key []byte) []byte {
	const most = 1 << 10
	var room []byte
	switch n := len(v.pool); {
	case n == poolSize:
		room = v.pool[0].key
	case n < cap(v.pool):
		room = v.pool[:n+1][n].key
	}
	if cap(room) > most {
		room = nil
	}
	return append(room[:0], key...)
}
