package keyspace

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/skeindb/skein/internal/data/arena"
	"github.com/skeindb/skein/internal/data/value"
)

func TestBuilder(t *testing.T) {
	ks := newKeyspace(t, Options{Databases: 2})
	empty := ks.Used()
	fill(t, ks, 5000, "live", func(i int) int64 { return 2000 })
	old := ks.Used()
	b := ks.NewBuilder()
	long := bytes.Repeat([]byte("long"), 30_000)
	for i := range 3000 {
		if err := b.Put(&Item{DB: 1, Key: name(i), Bytes: []byte("loaded"), ExpiryMs: -1}); err != nil {
			t.Fatal(err)
		}
	}
	for _, it := range []Item{
		{Key: []byte("number"), Bytes: []byte("123")},
		{Key: []byte("long"), Bytes: long},
		{Key: []byte("object"), Object: value.NewString(long)},
		{Key: []byte("small"), Object: value.NewString([]byte("tiny"))},
		{Key: []byte("past"), ExpiryMs: 5},
		{Key: nil, Bytes: nil},
	} {
		it.ExpiryMs = max(it.ExpiryMs, 1) - 1
		if it.ExpiryMs == 0 {
			it.ExpiryMs = -1
		}
		if err := b.Put(&it); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Put(&Item{Key: []byte("long"), ExpiryMs: -1}); err != ErrExists {
		t.Error(err)
	}
	for _, db := range []int{-1, 2} {
		if err := b.Put(&Item{DB: db}); err != ErrNoDatabase {
			t.Error(err)
		}
	}
	if ks.Size(0) != 5000 || ks.Size(1) != 0 || ks.Used() <= old || b.Size(0) != 6 || b.Size(1) != 3000 {
		t.Error("the live data set has changed, or memory does not count")
	}
	var gone, made, same, other Watcher
	do(ks, 1000, func(tx *WriteTx) {
		tx.Watch(&gone, name(7))
		tx.Watch(&made, []byte("long"))
		tx.Watch(&other, []byte("nowhere"))
		tx.SelectDB(1)
		tx.Watch(&same, name(7))
		b.Install()
	})
	b.Discard()
	b.Install()
	if !gone.Dirty() || !made.Dirty() || !same.Dirty() || other.Dirty() {
		t.Error("watched keys", gone.Dirty(), made.Dirty(), same.Dirty(), other.Dirty())
	}
	doAs(ks, 1000, SeeExpired, func(tx *WriteTx) {
		for key, want := range map[string]string{"number": "123", "long": string(long), "object": string(long),
			"small": "tiny", "past": "", "": "", "k7": "(none)"} {
			if got := textOf(tx, key); got != want {
				t.Errorf("%q is %.20q", key, got)
			}
		}
		if r, _ := tx.Peek([]byte("number")); r.Encoding() != "int" || r.Expiry() != -1 {
			t.Error(r.Encoding(), r.Expiry())
		}
		if r, _ := tx.Peek([]byte("past")); r.Expiry() != 4 {
			t.Error(r.Expiry())
		}
	})
	ks.check(t)
	do(ks, 1000, func(tx *WriteTx) {
		if tx.Has([]byte("past")) {
			t.Error("a key past its deadline lives")
		}
		tx.Clear(false)
		tx.SelectDB(1)
		if n := tx.Clear(false); n != 3000 {
			t.Errorf("%d keys", n)
		}
	})
	if ks.Used() != empty {
		t.Errorf("%d bytes are left", ks.Used()-empty)
	}
	if ks.ExpireCycle(9999, 1<<30) != 0 {
		t.Error("something expires")
	}
}

// TestInstallOnReplica: the master's keys are the master's, though keys of the same
// name got a deadline here.
func TestInstallOnReplica(t *testing.T) {
	ks := newKeyspace(t, Options{})
	ks.Replica.Store(true)
	fill(t, ks, 10, "own", func(int) int64 { return 2000 })
	b := ks.NewBuilder()
	for i := range 10 {
		if err := b.Put(&Item{Key: name(i), ExpiryMs: 2000}); err != nil {
			t.Fatal(err)
		}
	}
	do(ks, 1000, func(*WriteTx) { b.Install() })
	for range 10 {
		ks.ExpireCycle(3000, 1<<30)
	}
	if ks.Size(0) != 10 {
		t.Errorf("%d keys are left", ks.Size(0))
	}
	ks.check(t)
}

// TestDiscard gives everything back.
func TestDiscard(t *testing.T) {
	ks := newKeyspace(t, Options{})
	empty := ks.Used()
	b := ks.NewBuilder()
	for i := range 2000 {
		if err := b.Put(&Item{DB: i % 16, Key: name(i), Bytes: alphabets[:i*3], ExpiryMs: int64(i)}); err != nil {
			t.Fatal(err)
		}
	}
	b.Discard()
	b.Discard()
	ks.graves.done.Wait()
	if ks.Used() != empty {
		t.Errorf("%d bytes are left", ks.Used()-empty)
	}
}

// TestBuilderFull: no memory is an error, and what was put stays whole.
func TestBuilderFull(t *testing.T) {
	ks := newKeyspace(t, Options{Arena: arena.Options{Limit: 1}})
	b := ks.NewBuilder()
	n := 0
	for ; ; n++ {
		if err := b.Put(&Item{Key: fmt.Appendf(nil, "key:%d", n), Bytes: alphabets[:4000], ExpiryMs: -1}); err != nil {
			if err != ErrFull || n == 0 {
				t.Fatal(n, err)
			}
			break
		}
	}
	do(ks, 1000, func(tx *WriteTx) {
		b.Install()
		if got := ks.Size(0); got != int64(n) {
			t.Errorf("%d keys of %d", got, n)
		}
	})
	ks.check(t)
}

// BenchmarkLoad is a key that is put into a data set of up to a million.
func BenchmarkLoad(b *testing.B) {
	ks := newKeyspace(b, Options{})
	bu := ks.NewBuilder()
	it := Item{Bytes: alphabets[:32], ExpiryMs: -1}
	for i := 0; b.Loop(); i++ {
		if i == 1_000_000 {
			bu.Discard()
			bu, i = ks.NewBuilder(), 0
		}
		it.Key = fmt.Appendf(it.Key[:0], "key:%09d", i)
		if err := bu.Put(&it); err != nil {
			b.Fatal(err)
		}
	}
	bu.Discard()
}
