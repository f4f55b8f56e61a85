package keyspace

import (
	"sync"
	"testing"
	"time"
)

// watching tells whether a watcher of key "k", set by prepare at 1000, finds it
// changed after fn ran at the time given.
func watching(t *testing.T, nowMs int64, replica bool, prepare, fn func(tx *WriteTx)) (dirty bool) {
	t.Helper()
	ks := newKeyspace(t, Options{Databases: 2})
	do(ks, 1000, prepare)
	ks.Replica.Store(replica)
	var w Watcher
	do(ks, nowMs, func(tx *WriteTx) { tx.Watch(&w, []byte("k")); tx.Watch(&w, []byte("k")) })
	doAs(ks, nowMs, SeeExpired, fn)
	ks.check(t)
	do(ks, nowMs, func(tx *WriteTx) { dirty = w.Dirty() || tx.ExpiredWatch(&w) })
	ks.Unwatch(&w)
	if w.Active() || w.Dirty() || w.Bytes() != 0 {
		t.Error("Unwatch leaves something")
	}
	for i := range ks.stripes {
		if len(ks.stripes[i].watchers) > 0 {
			t.Error("Unwatch leaves a watcher in the stripe")
		}
	}
	return dirty
}

func TestWatch(t *testing.T) {
	k := []byte("k")
	nothing := func(*WriteTx) {}
	set := func(tx *WriteTx) { tx.SetStr(k, []byte("v"), NoExpiry) }
	mortal := func(tx *WriteTx) { tx.SetStr(k, []byte("v"), 2000) }
	inOther := func(tx *WriteTx) { tx.SelectDB(1); tx.SetStr(k, []byte("v"), NoExpiry) }
	mortalInOther := func(tx *WriteTx) { tx.SelectDB(1); tx.SetStr(k, []byte("v"), 2000) }
	swap := func(tx *WriteTx) { tx.Swap(0, 1) }
	clear := func(tx *WriteTx) { tx.Clear(true) }
	for _, c := range []struct {
		what        string
		now         int64
		prepare, fn func(tx *WriteTx)
		want        bool
	}{
		{"nothing", 1000, set, nothing, false},
		{"a read", 1000, set, func(tx *WriteTx) { tx.Get(k) }, false},
		{"another key", 1000, set, func(tx *WriteTx) { tx.SetStr([]byte("other"), k, NoExpiry) }, false},
		{"the key of another database", 1000, set, inOther, false},
		{"set", 1000, set, set, true},
		{"set anew", 1000, nothing, set, true},
		{"deleted", 1000, set, func(tx *WriteTx) { tx.Delete(k) }, true},
		{"a deadline", 1000, set, func(tx *WriteTx) { tx.Expire(k, 5000) }, true},
		{"edited", 1000, set, func(tx *WriteTx) { e, _ := tx.Edit(k, 5); e.WriteAt(0, k) }, true},
		{"renamed", 1000, set, func(tx *WriteTx) { tx.Rename(k, []byte("other")) }, true},
		{"flushed", 1000, set, clear, true},
		{"flushed without it", 1000, inOther, clear, false},
		{"swapped with it here", 1000, set, swap, true},
		{"swapped with it there", 1000, inOther, swap, true},
		{"swapped without it", 1000, nothing, swap, false},
		{"past when watched", 3000, mortal, nothing, false},
		{"past when watched, removed", 3000, mortal, func(tx *WriteTx) { tx.Delete(k) }, false},
		{"past when watched, removed and set", 3000, mortal, func(tx *WriteTx) { tx.Delete(k); set(tx) }, true},
		{"past when watched, flushed", 3000, mortal, clear, false},
		{"past when watched, swapped away", 3000, mortal, swap, false},
		{"swapped in past its deadline", 3000, mortalInOther, swap, false},
	} {
		for _, replica := range []bool{false, true} {
			if got := watching(t, c.now, replica, c.prepare, c.fn); got != c.want {
				t.Errorf("%s: changed is %v (replica: %v)", c.what, got, replica)
			}
		}
	}
}

// TestWatchExpiry: what passes its deadline while it is watched has changed.
func TestWatchExpiry(t *testing.T) {
	for _, cycle := range []bool{false, true} {
		ks := newKeyspace(t, Options{})
		fill(t, ks, 1, "v", func(int) int64 { return 2000 })
		var w Watcher
		do(ks, 1000, func(tx *WriteTx) { tx.Watch(&w, name(0)) })
		if cycle {
			ks.ExpireCycle(3000, time.Second)
		}
		do(ks, 3000, func(tx *WriteTx) {
			if !w.Dirty() && !tx.ExpiredWatch(&w) {
				t.Error("nothing noticed, cycle:", cycle)
			}
		})
		ks.Unwatch(&w)
	}
}

// TestWatchTogether: one goroutine's change reaches another's watcher.
func TestWatchTogether(t *testing.T) {
	ks := newKeyspace(t, Options{Stripes: 4})
	var group sync.WaitGroup
	for g := range 4 {
		group.Go(func() {
			var w Watcher
			for i := range 2000 {
				h := slotHold(ks, string(name(i%7)), string(name(g)))
				ks.Acquire(h, nil)
				var tx WriteTx
				tx.Begin(ks, h, 0, 1000, 0)
				tx.Watch(&w, name(i%7))
				tx.SetStr(name(i%7), []byte("v"), NoExpiry)
				if !w.Dirty() {
					t.Error("my own change does not count")
				}
				ks.Release(h)
				if i%3 == 0 {
					ks.Unwatch(&w)
				}
			}
			ks.Unwatch(&w)
		})
	}
	group.Wait()
}
