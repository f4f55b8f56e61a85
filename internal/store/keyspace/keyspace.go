package keyspace

import (
	"errors"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skeindb/skein/internal/data/arena"
	"github.com/skeindb/skein/internal/data/table"
)

// ErrFull is redis's answer when there is no memory for a change.
var ErrFull = errors.New("OOM command not allowed when used memory > 'maxmemory'.")

// ErrWrongType is the answer to an operation on a key of another type.
var ErrWrongType = errors.New("WRONGTYPE Operation against a key holding the wrong kind of value")

// Options are what a Keyspace is made with.
type Options struct {
	Databases int  // 16 standalone, 1 in cluster mode
	Cluster   bool // cluster mode: commands that name another database are refused
	Stripes   int  // a power of two; 0 means 256
	Arena     arena.Options
	Log       Log      // nil: nothing is logged
	Listener  Listener // nil: nobody listens
	Tracker   Tracker  // nil: nobody tracks
	// Refused, if not nil, hears why RESTORE refuses a payload.
	Refused func(why error)
}

// Tuning are the options that may change while the keyspace is in use.
type Tuning struct {
	Events       Class // notify-keyspace-events; both K and E clear means none
	Policy       Policy
	Samples      int   // maxmemory-samples
	LFULogFactor int   // lfu-log-factor
	LFUDecayMin  int   // lfu-decay-time, minutes
	LazyExpire   bool  // lazyfree-lazy-expire: UNLINK instead of DEL in the log
	LazyEvict    bool  // lazyfree-lazy-eviction
	LazyDelete   bool  // lazyfree-lazy-server-del: what a command removes on the way is UNLINK in the log
	LazyUser     bool  // lazyfree-lazy-user-del: DEL is UNLINK
	LazyFlush    bool  // lazyfree-lazy-user-flush: FLUSHALL without a word is ASYNC
	Tenacity     int   // maxmemory-eviction-tenacity
	PlainDumps   bool  // rdbcompression no: what leaves as a dump is not compressed
	TrackedKeys  int64 // tracking-table-max-keys; 0: as many as there are

	// Took, if set, is told how long it took to delete a key that had expired or was
	// evicted: "expire-del" or "eviction-del". A stripe is held: it must be quick.
	Took func(event string, d time.Duration)

	// MaxString is proto-max-bulk-len, which limits also how long SETRANGE,
	// APPEND and SETBIT make a string, in bytes; 0 means redis's default, 512 MB.
	MaxString int64

	// Limits are up to what size collections are compact; the zero value is redis's
	// defaults.
	Limits Limits
}

const defaultMaxString = 512 << 20

// Keyspace is the keys and values of one node.
type Keyspace struct {
	opt     Options
	tuning  atomic.Pointer[Tuning]
	arena   *arena.Arena
	stripes []stripe
	shift   uint // slot >> shift is the index of its table within the stripe
	seed    maphash.Seed

	// Replica hides expired keys instead of deleting them: the master's DEL
	// will come. Frozen does the same while writes are paused.
	Replica, Frozen atomic.Bool

	// Broadcasting says that the Tracker wants to hear of every change.
	Broadcasting atomic.Bool

	// Gullible believes the checksum of every dump that RESTORE is given (DEBUG
	// SET-SKIP-CHECKSUM-VALIDATION).
	Gullible atomic.Bool

	beside    *account      // bytes outside the arena: objects, tables, indexes of deadlines
	inUse     []atomic.Bool // by database: whether it ever had a key
	fullest   peak          // keys of the fullest table there was
	mostDue   peak          // items of the largest index of deadlines there was
	timed     atomic.Bool   // whether a key, or a field of a hash, ever had a deadline
	evictor   evictor
	deferred  deferred
	aging     atomic.Bool // whether expiry cycles run (DEBUG SET-ACTIVE-EXPIRE)
	ager      ager
	owns      owns // on a writable replica
	tracked   tracked
	tidied    atomic.Uint32 // the stripe that Tidy looked at last
	graves    graves
	scratches sync.Pool
	compactor compactor
	cutting   atomic.Pointer[Cut]   // the cut under way, if there is one
	reset     atomic.Pointer[Stats] // what Stats begin from
}

// stripe is a group of slots behind one lock. It is padded to whole cache lines.
type stripe struct {
	guard
	shelves  []atomic.Pointer[shelf] // by database; nil until first used
	visitors int                     // keys that are watched, waited for or tracked
	watchers map[watchKey][]watch
	lines    map[watchKey]*line
	tracked  map[string][]uint64 // by key of any database, the ids of its readers, ascending
	stats    stats
	_        [64]byte
}

// stats are counted under the stripe's lock and read by anyone.
type stats struct {
	hits, misses, expired, evicted, changes atomic.Int64
}

// Stats are sums over all stripes since the start or the last ResetStats.
type Stats struct {
	Hits, Misses, Expired, Evicted int64
	Changes                        int64 // never reset: INFO's rdb_changes_since_last_save is a difference of it
}

// account is a sum of bytes, on a cache line of its own.
type account struct {
	atomic.Int64
	_ [56]byte
}

// New returns an empty keyspace.
func New(o Options) (*Keyspace, error) {
	if o.Stripes == 0 {
		o.Stripes = 256
	}
	if o.Databases == 0 {
		o.Databases = 16
	}
	a, err := arena.New(o.Arena)
	if err != nil {
		return nil, err
	}
	ks := newOn(a, maphash.MakeSeed(), new(account), o)
	ks.Tune(Tuning{Samples: 5, LFULogFactor: 10, LFUDecayMin: 1, Tenacity: 10})
	return ks, nil
}

// Refuse tells why a payload is refused.
func (ks *Keyspace) Refuse(why error) {
	if ks.opt.Refused != nil {
		ks.opt.Refused(why)
	}
}

// newOn returns an empty keyspace on an arena that it may share with another one,
// if they share the seed and the account too. It is to be tuned.
func newOn(a *arena.Arena, seed maphash.Seed, beside *account, o Options) *Keyspace {
	ks := &Keyspace{opt: o, arena: a, seed: seed, beside: beside,
		stripes: make([]stripe, o.Stripes), inUse: make([]atomic.Bool, o.Databases)}
	for 1<<ks.shift < o.Stripes {
		ks.shift++
	}
	for i := range ks.stripes {
		ks.stripes[i].shelves = make([]atomic.Pointer[shelf], o.Databases)
	}
	ks.scratches.New = func() any { return new(scratch) }
	ks.aging.Store(true)
	ks.reset.Store(new(Stats))
	return ks
}

// Close returns the memory. Nobody may use the keyspace any more, nor a builder of
// it; a cut under way is aborted, though its sink may still be busy.
func (ks *Keyspace) Close() {
	if c := ks.cutting.Load(); c != nil {
		c.Abort()
	}
	for i := range ks.stripes { // a walk that was in one of them has gone on, and takes no more
		st := &ks.stripes[i]
		st.mu.Lock()
		st.mu.Unlock()
	}
	ks.graves.close()
	ks.arena.Close()
}

// Tune replaces the tuning; commands that begin later see it.
func (ks *Keyspace) Tune(t Tuning) {
	if t.Events&(EventKeyspace|EventKeyevent) == 0 {
		t.Events = 0
	}
	if t.Limits == (Limits{}) {
		t.Limits = defaultLimits
	}
	ks.tuning.Store(&t)
}

// Tuned returns the tuning in force.
func (ks *Keyspace) Tuned() Tuning { return *ks.tuning.Load() }

// Databases is the number of databases.
func (ks *Keyspace) Databases() int { return ks.opt.Databases }

// Cluster tells whether the node is in cluster mode.
func (ks *Keyspace) Cluster() bool { return ks.opt.Cluster }

// Hash is the hash by which tables place key.
func (ks *Keyspace) Hash(key []byte) uint64 { return table.Hash(ks.seed, key) }

// Size is the number of keys of a database, the expired ones included.
func (ks *Keyspace) Size(db int) (n int64) {
	for i := range ks.stripes {
		if sh := ks.stripes[i].shelves[db].Load(); sh != nil {
			n += sh.keys.Load()
		}
	}
	return n
}

// Volatile is how many keys of a database have a deadline, and the mean time
// to it in ms.
func (ks *Keyspace) Volatile(db int, nowMs int64) (n, meanTTLMs int64) {
	var sum float64
	for i := range ks.stripes {
		if sh := ks.stripes[i].shelves[db].Load(); sh != nil {
			n += sh.due.live.Load()
			sum += float64(sh.due.sum.Load())
		}
	}
	if n > 0 {
		meanTTLMs = max(int64(sum/float64(n))-nowMs, 0)
	}
	return n, meanTTLMs
}

// SlotSize is the number of keys in slot n of database 0.
func (ks *Keyspace) SlotSize(n uint16) int {
	st := ks.stripeOf(n)
	st.mu.Lock()
	defer st.mu.Unlock()
	return ks.slotSize(n)
}

func (ks *Keyspace) slotSize(n uint16) int {
	if sh := ks.stripeOf(n).shelves[0].Load(); sh != nil {
		if t := sh.tables[n>>ks.shift].Load(); t != nil {
			return t.Len()
		}
	}
	return 0
}

// Stats returns the sums over all stripes.
func (ks *Keyspace) Stats() Stats {
	s, from := ks.sums(), ks.reset.Load()
	s.Hits -= from.Hits
	s.Misses -= from.Misses
	s.Expired -= from.Expired
	s.Evicted -= from.Evicted
	return s
}

// ResetStats sets the counters of CONFIG RESETSTAT to zero.
func (ks *Keyspace) ResetStats() {
	s := ks.sums()
	ks.reset.Store(&s)
	ks.graves.freed.Store(0)
}

func (ks *Keyspace) sums() (s Stats) {
	for i := range ks.stripes {
		st := &ks.stripes[i].stats
		s.Hits += st.hits.Load()
		s.Misses += st.misses.Load()
		s.Expired += st.expired.Load()
		s.Evicted += st.evicted.Load()
		s.Changes += st.changes.Load()
	}
	return s
}

// Used is the memory of keys and values in bytes: what maxmemory limits.
func (ks *Keyspace) Used() int64 {
	return ks.arena.InUse() + ks.beside.Load()
}

// Resident is how much memory the arena has from the system, in bytes.
func (ks *Keyspace) Resident() int64 { return ks.arena.Resident() }

func (ks *Keyspace) stripeOf(n uint16) *stripe { return &ks.stripes[int(n)&(len(ks.stripes)-1)] }

// place is where a key belongs; table is nil while its slot has no key.
type place struct {
	stripe *stripe
	shelf  *shelf
	table  *table.Table
	slot   uint16
	hash   uint64
}

func (ks *Keyspace) tableOf(db int, n uint16) *table.Table {
	sh := ks.stripeOf(n).shelves[db].Load()
	if sh == nil {
		return nil
	}
	return sh.tables[n>>ks.shift].Load()
}
