package keyspace

import (
	"math/rand/v2"
	"slices"
	"sync/atomic"
)

// Tracker tells clients that keep copies of values which of them are stale (client
// side caching). Package tracking implements it. Changed and Flushed are called under
// the stripes of the keys, and none of the methods may block.
type Tracker interface {
	// Changed says that a key is not what the clients with these ids have read. They
	// are told once, and are not told again before they read it anew. by is the
	// client that changed it, 0: none.
	Changed(key []byte, readers []uint64, by uint64)
	// Broadcast says which keys have changed to those who want to hear of all keys,
	// whether they have read them or not.
	Broadcast(news []News)
	// Flushed says that nothing is as it was.
	Flushed(by uint64)
}

// News is a key that has changed.
type News struct {
	Key []byte
	By  uint64 // the client that changed it last; 0: none, it expired or was evicted
}

// trackedBytes is about what a tracked key costs beside its name and readers: its
// place in a map, a string and a slice.
const trackedBytes = 104

// tracked counts what stands in the tables of all stripes.
type tracked struct {
	keys, items, bytes atomic.Int64
	over               atomic.Int32 // calls of LimitTracked in a row that did not suffice
}

// Track notes that the client reader has read key, in whatever database: it is to be
// told of the next change. The stripe of slot n, which is the key's, is held.
func (ks *Keyspace) Track(n uint16, key []byte, reader uint64) {
	st := ks.stripeOf(n)
	list, there := st.tracked[string(key)]
	at, found := slices.BinarySearch(list, reader)
	if found {
		return
	}
	if !there {
		if st.tracked == nil {
			st.tracked = map[string][]uint64{}
		}
		ks.tracked.keys.Add(1)
		ks.tracked.bytes.Add(int64(len(key)) + trackedBytes)
	}
	st.tracked[string(key)] = slices.Insert(list, at, reader)
	ks.tracked.items.Add(1)
	ks.tracked.bytes.Add(8)
	st.count()
}

// untrack tells those who have read key that it has changed.
func (ks *Keyspace) untrack(st *stripe, key []byte, by uint64) {
	readers, there := st.tracked[string(key)]
	if !there {
		return
	}
	delete(st.tracked, string(key))
	ks.tracked.keys.Add(-1)
	ks.tracked.items.Add(-int64(len(readers)))
	ks.tracked.bytes.Add(-int64(len(key)) - trackedBytes - 8*int64(len(readers)))
	st.count()
	ks.opt.Tracker.Changed(key, readers, by)
}

// untrackAll tells everybody that everything has changed. All stripes are held.
func (tx *ReadTx) untrackAll() {
	ks := tx.ks
	if ks.opt.Tracker == nil {
		return
	}
	for i := range ks.stripes {
		st := &ks.stripes[i]
		st.tracked = nil
		st.count()
	}
	ks.tracked.keys.Store(0)
	ks.tracked.items.Store(0)
	ks.tracked.bytes.Store(0)
	ks.opt.Tracker.Flushed(tx.By)
}

// announce notes a change for Broadcast.
func (tx *ReadTx) announce(key []byte) {
	by := tx.By
	if tx.unasked {
		by = 0
	}
	tx.news = append(tx.news, News{slices.Clone(key), by})
}

// Broadcast tells of what the transactions have changed since the last time. One with
// the access Serves leaves it to its user to call it, after one or several of them.
func (tx *ReadTx) Broadcast() {
	if len(tx.news) > 0 {
		tx.broadcast()
	}
}

func (tx *ReadTx) broadcast() {
	tx.ks.opt.Tracker.Broadcast(tx.news)
	clear(tx.news)
	if tx.news = tx.news[:0]; cap(tx.news) > 1024 {
		tx.news = nil
	}
}

// Tracked is how many keys some client is to be told of, how many readers these have
// in sum, and about how many bytes it takes to know.
func (ks *Keyspace) Tracked() (keys, items, bytes int64) {
	return ks.tracked.keys.Load(), ks.tracked.items.Load(), ks.tracked.bytes.Load()
}

// trackedEffort is how many keys a call of LimitTracked forgets; if that does not
// suffice the next one forgets as many more.
const trackedEffort = 100

// LimitTracked forgets some tracked keys if there are more than Tuning.TrackedKeys,
// whose readers are told as if they had changed. The caller holds no stripe.
func (ks *Keyspace) LimitTracked() {
	most := ks.tuning.Load().TrackedKeys
	if most == 0 || ks.tracked.keys.Load() <= most {
		return
	}
	for range trackedEffort * (ks.tracked.over.Load() + 1) {
		ks.untrackSome()
		if ks.tracked.keys.Load() <= most {
			ks.tracked.over.Store(0)
			return
		}
	}
	ks.tracked.over.Add(1)
}

// untrackSome forgets a key, which nobody can foretell, if there is any.
func (ks *Keyspace) untrackSome() {
	from := rand.IntN(len(ks.stripes))
	for i := range ks.stripes {
		st := &ks.stripes[(from+i)%len(ks.stripes)]
		st.mu.Lock()
		for key := range st.tracked {
			ks.untrack(st, []byte(key), 0)
			st.mu.Unlock()
			return
		}
		st.mu.Unlock()
	}
}
