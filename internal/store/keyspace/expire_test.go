package keyspace

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// TestDeadlinesAgainstMap moves deadlines at random and asks what is due when.
func TestDeadlinesAgainstMap(t *testing.T) {
	var d deadlines
	want := map[uint64]int64{}
	rnd := rand.New(rand.NewPCG(1, 1))
	deadline := func(it due) int64 {
		if at, ok := want[it.hash]; ok {
			return at
		}
		return NoExpiry
	}
	for i := range 100_000 / scale {
		hash := uint64(rnd.IntN(500))
		was, is := deadline(due{hash: hash}), NoExpiry
		if want[hash] = 0; rnd.IntN(3) > 0 {
			is = int64(rnd.IntN(1_000_000))
			want[hash] = is
		} else {
			delete(want, hash)
		}
		d.move(was, is, 7, hash)
		if d.crowded() {
			d.sweep(sweepSteps, deadline)
		}
		if n := len(d.heap); n > 100+3*len(want) {
			t.Fatalf("%d items for %d deadlines after %d moves", n, len(want), i)
		}
		if d.live.Load() != int64(len(want)) {
			t.Fatalf("%d live, want %d", d.live.Load(), len(want))
		}
	}
	for now := int64(0); now < 1_000_000; now += 1000 { // what is due by then is found, on top
		for len(d.heap) > 0 && d.heap[0].at() < now {
			switch at := deadline(d.heap[0]); {
			case at < 0:
				d.remove(0)
			case at >= now:
				d.delay(0, at)
			default:
				delete(want, d.heap[0].hash)
				d.remove(0)
			}
		}
		for hash, at := range want {
			if at < now {
				t.Fatalf("%d was due at %d, now is %d", hash, at, now)
			}
		}
	}
}

// TestDeadlineThatMovesAway asks that extending a life costs nothing in the
// index, and that going back and forth does not fill it.
func TestDeadlineThatMovesAway(t *testing.T) {
	ks := newKeyspace(t, Options{Stripes: 1})
	sh := func() *shelf { return ks.stripes[0].shelves[0].Load() }
	do(ks, 1000, func(tx *WriteTx) {
		for i := range int64(1000) {
			tx.SetStr([]byte("session"), []byte("x"), 5000+i)
		}
		if n := len(sh().due.heap); n != 1 {
			t.Errorf("%d items for one key", n)
		}
		for i := range 100_000 / scale {
			tx.Expire([]byte("session"), int64(5000+i%2*1000))
		}
		if n := len(sh().due.heap); n > 100 {
			t.Errorf("%d items for one key", n)
		}
	})
	ks.check(t)
	for _, now := range []int64{5500, 6000, 6001} {
		ks.ExpireCycle(now, time.Second)
		if n := ks.Size(0); (n == 1) != (now <= 6000) {
			t.Errorf("at %d there are %d keys", now, n)
		}
	}
	ks.check(t)
}

func TestExpireCycle(t *testing.T) {
	r := &recorder{}
	ks := newKeyspace(t, Options{Log: r, Listener: r})
	ks.Tune(Tuning{Events: EventKeyevent | EventExpired, LazyExpire: true})
	fill(t, ks, 3000, "v", func(i int) int64 { return int64(2000 + i) })
	r.effects = nil
	for ks.ExpireCycle(3500, 0) > 0 { // each goes on where the last stopped
	}
	if n := ks.Size(0); n != 1500 {
		t.Errorf("%d keys left, want 1500", n)
	}
	if n, mean := ks.Volatile(0, 3500); n != 1500 || mean != 749 {
		t.Errorf("Volatile: %d, %d", n, mean)
	}
	if s := ks.Stats(); s.Expired != 1500 || len(r.events) != 1500 || s.Changes != 3000 {
		t.Errorf("%+v, %d events", s, len(r.events))
	}
	if len(r.effects) == 0 || r.effects[0][:len(`0:"*2\r\n$6\r\nUNLINK`)] != `0:"*2\r\n$6\r\nUNLINK` {
		t.Errorf("%d effects, %.1q", len(r.effects), r.effects)
	}
	ks.check(t)
	for _, stop := range []func(bool){ks.Replica.Store, ks.Frozen.Store, func(on bool) { ks.SetActiveExpire(!on) }} {
		stop(true)
		if n := ks.ExpireCycle(9999, time.Second); n != 0 {
			t.Errorf("%d keys expired", n)
		}
		stop(false)
	}
	if n := ks.ExpireCycle(9999, time.Second); n != 1500 || ks.Size(0) != 0 {
		t.Errorf("%d keys expired in the end", n)
	}
}

// TestCrowdedIndexWithoutWriters: deleting leaves items behind that the cycles sweep.
func TestCrowdedIndexWithoutWriters(t *testing.T) {
	ks := newKeyspace(t, Options{Stripes: 2})
	fill(t, ks, 20_000, "v", func(int) int64 { return math.MaxInt64 })
	do(ks, 1000, func(tx *WriteTx) {
		for i := range 19_990 {
			tx.Expire(name(i), NoExpiry)
		}
	})
	ks.Replica.Store(true)
	ks.ExpireCycle(1000, time.Minute)
	if n := ks.stripes[0].shelves[0].Load().due.items.Load(); n > 100 {
		t.Errorf("%d items are left", n)
	}
	ks.check(t)
}

func TestLazyExpiry(t *testing.T) {
	r := &recorder{}
	ks := newKeyspace(t, Options{Log: r, Listener: r})
	ks.Tune(Tuning{Events: EventKeyevent | EventExpired | EventKeyMiss})
	set := func() {
		do(ks, 1000, func(tx *WriteTx) { tx.SetStr([]byte("k"), []byte("v"), 2000) })
		r.effects, r.events = nil, nil
	}
	set()
	do(ks, 2000, func(tx *WriteTx) {
		if textOf(tx, "k") != "v" {
			t.Error("it ends after the last ms, not in it")
		}
	})
	do(ks, 2001, func(tx *WriteTx) {
		if textOf(tx, "k") != "(none)" || tx.Changed() {
			t.Error("it is there yet, or the read is a change")
		}
	})
	if len(r.effects) != 1 || len(r.events) != 2 || r.events[0] != "0:expired:k" {
		t.Errorf("%q %q", r.effects, r.events)
	}
	set()
	doAs(ks, 2001, SeeExpired, func(tx *WriteTx) {
		if textOf(tx, "k") != "v" {
			t.Error("the applier does not see it")
		}
	})
	ks.check(t)
}

// TestHiddenKeys: while nothing may be deleted, a key past its deadline is hidden.
// A write that finds nothing there must not make a second entry of that name.
func TestHiddenKeys(t *testing.T) {
	val := func(s string) []byte { return []byte(s) }
	writes := map[string]struct {
		write func(tx *WriteTx, key []byte) error
		want  string
	}{
		"SetStr": {func(tx *WriteTx, key []byte) error { return tx.SetStr(key, val("new"), NoExpiry) }, "new"},
		"keep":   {func(tx *WriteTx, key []byte) error { return tx.SetStr(key, val("new"), KeepExpiry) }, "new"},
		"SetInt": {func(tx *WriteTx, key []byte) error { return tx.SetInt(key, 7, NoExpiry) }, "7"},
		"Append": {func(tx *WriteTx, key []byte) error { _, err := tx.Append(key, val("tail")); return err }, "tail"},
		"Edit": {func(tx *WriteTx, key []byte) error {
			e, err := tx.Edit(key, 3)
			e.WriteAt(0, val("abc"))
			return err
		}, "abc"},
		"Rename": {func(tx *WriteTx, key []byte) error { return tx.Rename(val("other"), key) }, "from other"},
		"Copy":   {func(tx *WriteTx, key []byte) error { return tx.Copy(val("other"), key, 0) }, "from other"},
		"large": {func(tx *WriteTx, key []byte) error { return tx.SetStr(key, alphabets[:9000], NoExpiry) },
			string(alphabets[:9000])},
	}
	for what, w := range writes {
		for _, frozen := range []bool{false, true} {
			ks := newKeyspace(t, Options{})
			do(ks, 1000, func(tx *WriteTx) {
				tx.SetStr(name(0), alphabets[:5000], 2000)
				tx.SetStr(val("other"), val("from other"), NoExpiry)
			})
			ks.Replica.Store(!frozen)
			ks.Frozen.Store(frozen)
			do(ks, 3000, func(tx *WriteTx) {
				if textOf(tx, "k0") != "(none)" || ks.Size(0) != 2 || tx.Delete(name(0)) {
					t.Error("not hidden, or deleted")
				}
				if err := w.write(tx, name(0)); err != nil {
					t.Fatal(err)
				}
				if r, ok := tx.Peek(name(0)); !ok || r.Expiry() != NoExpiry || textOf(tx, "k0") != w.want {
					t.Errorf("%s: %.20q", what, textOf(tx, "k0"))
				}
				if !tx.Delete(name(0)) || tx.Has(name(0)) {
					t.Errorf("%s: there is another entry of that name", what)
				}
			})
			ks.check(t)
		}
	}
}

func TestDeletionsAreTimed(t *testing.T) {
	ks := newKeyspace(t, Options{})
	count := map[string]int{}
	took := func(event string, d time.Duration) {
		if count[event]++; d < 0 {
			t.Errorf("%s took %v", event, d)
		}
	}
	ks.Tune(Tuning{Policy: AllKeysRandom, Samples: 5, Tenacity: 100, Took: took})
	fill(t, ks, 3000, "v", func(i int) int64 { return int64(2000 + i) })
	for ks.ExpireCycle(3500, 0) > 0 {
	}
	evicted := ks.Size(0)
	ks.Evict(ks.Used()/2, 0)
	if evicted -= ks.Size(0); count["expire-del"] != 1500 || evicted == 0 || int64(count["eviction-del"]) != int64(evicted) {
		t.Errorf("%v, %d evicted", count, evicted)
	}
	ks.Tune(Tuning{})
	for ks.ExpireCycle(5000, 0) > 0 {
	}
	if count["expire-del"] != 1500 {
		t.Error("timed though nobody wants to know")
	}
}
