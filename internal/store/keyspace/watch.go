package keyspace

import "sync/atomic"

// Watcher is a client's WATCH: one flag that any change of its keys sets.
// The gate marks it under the key's stripe; EXEC tests it under its own hold.
type Watcher struct {
	dirty atomic.Bool
	keys  []watched
	bytes int
}

type watched struct {
	db      int
	slot    uint16
	key     string
	expired bool // it had expired already when it was watched
}

type watchKey struct {
	db  int
	key string
}

// Dirty tells whether a watched key has changed.
func (w *Watcher) Dirty() bool { return w.dirty.Load() }

// Touch marks the watcher as if a key of it had changed.
func (w *Watcher) Touch() { w.dirty.Store(true) }

// watchedBytes is about what watching a key costs beside its name, twice kept.
const watchedBytes = 120

// Bytes is about how much memory the watched keys take.
func (w *Watcher) Bytes() int { return w.bytes }

// Active tells whether any key is watched.
func (w *Watcher) Active() bool { return len(w.keys) > 0 }

// AddStripes adds the stripes of all watched keys to h.
func (w *Watcher) AddStripes(h *Hold) {
	for i := range w.keys {
		h.AddSlot(w.keys[i].slot)
	}
}

// Slots yields the slot of each watched key.
func (w *Watcher) Slots(yield func(uint16) bool) {
	for i := range w.keys {
		if !yield(w.keys[i].slot) {
			return
		}
	}
}

// Watch adds key to w. Watching a key twice is watching it once.
func (tx *ReadTx) Watch(w *Watcher, key []byte) {
	for i := range w.keys {
		if w.keys[i].db == tx.db && w.keys[i].key == string(key) {
			return
		}
	}
	p := tx.place(key)
	_, live := tx.Peek(key)
	_, there := tx.raw(key)
	k := watched{db: tx.db, slot: p.slot, key: string(key), expired: there && !live}
	w.keys = append(w.keys, k)
	w.bytes += len(key) + watchedBytes
	st := p.stripe
	if st.watchers == nil {
		st.watchers = map[watchKey][]*Watcher{}
	}
	at := watchKey{tx.db, k.key}
	st.watchers[at] = append(st.watchers[at], w)
}

// ExpiredWatch tells whether a watched key has reached its deadline since it
// was watched, though nobody removed it yet. The caller holds the stripes.
func (tx *ReadTx) ExpiredWatch(w *Watcher) bool {
	for i := range w.keys {
		k := &w.keys[i]
		if k.expired {
			continue
		}
		at := tx.db
		tx.db = k.db
		e, there := tx.raw([]byte(k.key))
		tx.db = at
		if there && tx.past(e) {
			return true
		}
	}
	return false
}

// Unwatch forgets all keys of w and clears its flag. It locks each key's
// stripe itself; the caller holds none.
func (ks *Keyspace) Unwatch(w *Watcher) {
	for i := range w.keys {
		st := ks.stripeOf(w.keys[i].slot)
		st.mu.Lock()
		st.unwatch(w, &w.keys[i])
		st.mu.Unlock()
	}
	w.keys, w.bytes = w.keys[:0], 0
	w.dirty.Store(false)
}

func (st *stripe) unwatch(w *Watcher, k *watched) {
	at := watchKey{k.db, k.key}
	list := st.watchers[at]
	for i, other := range list {
		if other == w {
			list = append(list[:i:i], list[i+1:]...)
			break
		}
	}
	if len(list) == 0 {
		delete(st.watchers, at)
	} else {
		st.watchers[at] = list
	}
}

// touched marks the watchers of one key. The empty case is what the gate pays for.
func (st *stripe) touched(db int, key []byte) {
	if len(st.watchers) == 0 {
		return
	}
	for _, w := range st.watchers[watchKey{db, string(key)}] {
		w.dirty.Store(true)
	}
}
