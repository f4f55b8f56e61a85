package keyspace

import (
	"testing"

	"github.com/skeindb/skein/internal/base/resp"
)

// TestHotPathAllocatesNothing counts what GET, SET and INCR do to the Go heap.
func TestHotPathAllocatesNothing(t *testing.T) {
	ks := newKeyspace(t, Options{})
	var tx WriteTx
	var out resp.Writer
	key, h := []byte("key"), slotHold(ks, "key")
	val, long := []byte("value"), make([]byte, 300)
	run := func(what string, fn func()) {
		t.Helper()
		if n := testing.AllocsPerRun(1000, func() {
			ks.Acquire(h, nil)
			tx.Begin(ks, h, 0, 1000, 0)
			fn()
			tx.Commit(nil)
			ks.Release(h)
		}); n != 0 {
			t.Errorf("%s allocates %v times", what, n)
		}
	}
	if scale > 1 {
		t.Skip("the race detector allocates")
	}
	run("set in place", func() { tx.SetStr(key, val, NoExpiry) })
	run("get", func() {
		r, _ := tx.Get(key)
		out.Buf = out.Buf[:0]
		r.Write(&out)
	})
	run("set of changing size", func() { tx.SetStr(key, long, NoExpiry); tx.SetStr(key, val, NoExpiry) })
	run("set with a deadline", func() { tx.SetStr(key, val, 5000); tx.SetStr(key, val, 4000) })
	run("count", func() {
		r, _ := tx.Peek(key)
		n, _ := r.Int()
		tx.SetIntAt(&r, key, n+1, KeepExpiry)
	})
	run("delete and set", func() { tx.Delete(key); tx.SetStr(key, val, NoExpiry) })
	run("miss", func() { tx.Get(val) })
}

func BenchmarkGet(b *testing.B) { benchmark(b, func(tx *WriteTx, key []byte) { tx.Get(key) }) }

func BenchmarkSet(b *testing.B) {
	val := []byte("another value")
	benchmark(b, func(tx *WriteTx, key []byte) { tx.SetStr(key, val, NoExpiry) })
}

func BenchmarkSetExpiring(b *testing.B) {
	val := []byte("another value")
	at := int64(2000)
	benchmark(b, func(tx *WriteTx, key []byte) { at++; tx.SetStr(key, val, at) })
}

// benchmark runs fn on keys that are there, in the processor's caches.
func benchmark(b *testing.B, fn func(tx *WriteTx, key []byte)) {
	ks := newKeyspace(b, Options{})
	fill(b, ks, 1000, "some value", nil)
	keys := make([][]byte, 1000)
	holds := make([]*Hold, 1000)
	for i := range keys {
		keys[i] = name(i)
		holds[i] = slotHold(ks, string(keys[i]))
	}
	var tx WriteTx
	i := 0
	for b.Loop() {
		if i++; i == len(keys) {
			i = 0
		}
		ks.Acquire(holds[i], nil)
		tx.Begin(ks, holds[i], 0, 1000, 0)
		fn(&tx, keys[i])
		tx.Commit(nil)
		ks.Release(holds[i])
	}
}
