package keyspace

import (
	"sync/atomic"

	"github.com/skeindb/skein/internal/data/table"
)

// Watcher is a client's WATCH: one flag that any change of its keys sets.
// The gate marks it under the key's stripe; EXEC tests it under its own hold.
type Watcher struct {
	dirty atomic.Bool
	keys  []watchKey
	bytes int
}

type watchKey struct {
	db   int
	slot uint16
	key  string
}

// watch is a Watcher at one key, under the key's stripe.
type watch struct {
	by      *Watcher
	expired bool // the key was past its deadline when it was watched, and still there
}

// Dirty tells whether a watched key has changed.
func (w *Watcher) Dirty() bool { return w.dirty.Load() }

// Touch marks the watcher as if a key of it had changed.
func (w *Watcher) Touch() { w.dirty.Store(true) }

// watchedBytes is about what watching a key costs beside its name.
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

// Watch adds key to w. Watching a key twice is watching it once. A key past its
// deadline stays where it is: to go on being gone is no change.
func (tx *ReadTx) Watch(w *Watcher, key []byte) {
	for i := range w.keys {
		if w.keys[i].db == tx.db && w.keys[i].key == string(key) {
			return
		}
	}
	p := tx.locate(key)
	at := watchKey{tx.db, p.slot, string(key)}
	w.keys = append(w.keys, at)
	w.bytes += len(key) + watchedBytes
	if p.stripe.watchers == nil {
		p.stripe.watchers = map[watchKey][]watch{}
	}
	e, there := p.shelf.raw(tx.ks, at)
	p.stripe.watchers[at] = append(p.stripe.watchers[at], watch{w, there && tx.past(e)})
	p.stripe.count()
}

// ExpiredWatch tells whether a watched key has reached its deadline since it
// was watched, though nobody removed it yet. The caller holds the stripes.
func (tx *ReadTx) ExpiredWatch(w *Watcher) bool {
	for _, at := range w.keys {
		st := tx.ks.stripeOf(at.slot)
		e, there := st.shelves[at.db].Load().raw(tx.ks, at)
		if !there || !tx.past(e) {
			continue
		}
		for _, other := range st.watchers[at] {
			if other.by == w && !other.expired {
				return true
			}
		}
	}
	return false
}

// Unwatch forgets all keys of w and clears its flag. It locks each key's
// stripe itself; the caller holds none.
func (ks *Keyspace) Unwatch(w *Watcher) {
	for _, at := range w.keys {
		st := ks.stripeOf(at.slot)
		st.mu.Lock()
		st.unwatch(w, at)
		st.mu.Unlock()
	}
	if cap(w.keys) > 64 {
		w.keys = nil
	}
	w.keys, w.bytes = w.keys[:0], 0
	w.dirty.Store(false)
}

func (st *stripe) unwatch(w *Watcher, at watchKey) {
	list := st.watchers[at]
	for i := range list {
		if list[i].by == w {
			last := len(list) - 1
			list[i], list[last] = list[last], watch{}
			list = list[:last]
			break
		}
	}
	if len(list) == 0 {
		delete(st.watchers, at)
	} else {
		st.watchers[at] = list
	}
	st.count()
}

// touched tells those who watch a key, wait for it or keep a copy of it that it changed
// or, gone, was removed. The empty case is what the gate pays for.
func (tx *ReadTx) touched(p *place, key []byte, gone bool) {
	if p.stripe.visitors != 0 || tx.ks.Broadcasting.Load() {
		tx.tell(p, key, gone)
	}
}

func (tx *ReadTx) tell(p *place, key []byte, gone bool) {
	if tx.ks.Broadcasting.Load() {
		tx.announce(key)
	}
	tx.ks.untrack(p.stripe, key, tx.By)
	if len(p.stripe.watchers)+len(p.stripe.lines) == 0 {
		return
	}
	at := watchKey{tx.db, p.slot, string(key)}
	list := p.stripe.watchers[at]
	for i := range list {
		list[i].change(gone)
	}
	tx.awaited(p.stripe, at, gone)
}

func (w *watch) change(gone bool) {
	switch {
	case !w.expired:
		w.by.Touch()
	case gone: // it was as good as gone before
		w.expired = false
	}
}

// flushed tells those who watch or wait for the keys of database db that sh holds,
// which are all about to be removed.
func (tx *ReadTx) flushed(st *stripe, db int, sh *shelf) {
	tx.awaitedIn(st, db, sh, nil)
	for at, list := range st.watchers {
		if at.db != db {
			continue
		}
		if _, there := sh.raw(tx.ks, at); there {
			for i := range list {
				list[i].change(true)
			}
		}
	}
}

// swapped tells those who watch or wait for keys in database db that differ between
// from, which it had, and to, which it has now: as in redis, those that are in one of them.
func (tx *ReadTx) swapped(st *stripe, db int, from, to *shelf) {
	tx.awaitedIn(st, db, from, to)
	for at, list := range st.watchers {
		if at.db != db {
			continue
		}
		_, before := from.raw(tx.ks, at)
		e, after := to.raw(tx.ks, at)
		if !before && !after {
			continue
		}
		past := after && tx.past(e)
		for i := range list {
			w := &list[i]
			switch {
			case w.expired && !after: // what was as good as gone is gone
				w.expired = false
			case w.expired && past:
			case !w.expired && !before && past: // nothing became something that is as good as gone
				w.expired = true
			default:
				w.by.Touch()
			}
		}
	}
}

// raw is the entry of a watched key, past its deadline or not. sh may be nil.
func (sh *shelf) raw(ks *Keyspace, at watchKey) (e table.Entry, there bool) {
	if sh == nil {
		return nil, false
	}
	t := sh.tables[at.slot>>ks.shift].Load()
	if t == nil {
		return nil, false
	}
	key := []byte(at.key)
	h := t.Find(ks.Hash(key), key)
	if h == 0 {
		return nil, false
	}
	return t.Entry(h), true
}
