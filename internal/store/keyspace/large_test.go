package keyspace

import (
	"fmt"
	"runtime"
	"strconv"
	"testing"

	"github.com/skeindb/skein/internal/data/hash"
	"github.com/skeindb/skein/internal/data/quicklist"
	"github.com/skeindb/skein/internal/data/set"
	"github.com/skeindb/skein/internal/data/stream"
	"github.com/skeindb/skein/internal/data/value"
	"github.com/skeindb/skein/internal/data/zset"
)

// large makes a collection of each type with n elements, the numbers from 0 on.
func large(n int) map[string]value.Object {
	lim := &defaultLimits
	l, h, st := quicklist.New(), hash.New(), stream.New()
	s, z := set.New([]byte("0"), 1, lim.Set), zset.New(1, 1, lim.ZSet)
	st.AddGroup([]byte("group"), stream.ID{}, 0)
	st.Edit([]byte("group")).AddConsumer([]byte("consumer"), 1)
	var b []byte
	for i := range n {
		b = strconv.AppendInt(b[:0], int64(i), 10)
		l.PushBack(b, lim.List)
		s.Add(b, lim.Set)
		z.Set(b, float64(i), lim.ZSet)
		h.Set(b, b, lim.Hash)
		id := stream.ID{Ms: uint64(i + 1)}
		st.Append(id, [][]byte{b, b}, lim.Stream)
		st.Edit([]byte("group")).Deliver(stream.Pending{ID: id, Consumer: "consumer"})
	}
	return map[string]value.Object{"list": l, "set": s, "zset": z, "hash": h, "stream": st}
}

// allocated is how many bytes fn allocates.
func allocated(fn func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	fn()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// changeLarge changes one element in the middle of each of what large made.
func changeLarge(tx *WriteTx, typ string, n int) {
	key, lim := []byte(typ), tx.Limits()
	middle, other := strconv.AppendInt(nil, int64(n/2), 10), []byte("changed")
	switch typ {
	case "list":
		c, _ := opened[*quicklist.List](tx, key)
		c.Value.Set(n/2, other, lim.List)
		c.Save()
	case "set":
		c, _ := opened[*set.Set](tx, key)
		c.Value.Remove(middle)
		c.Value.Add(other, lim.Set)
		c.Save()
	case "zset":
		c, _ := opened[*zset.ZSet](tx, key)
		c.Value.Set(middle, -1, lim.ZSet)
		c.Save()
	case "hash":
		c, _ := opened[*hash.Hash](tx, key)
		c.Value.Set(middle, other, lim.Hash)
		c.Save()
	case "stream":
		c, _ := opened[*stream.Stream](tx, key)
		c.Value.Delete(stream.ID{Ms: uint64(n / 2)})
		c.Value.Edit([]byte("group")).Ack(stream.ID{Ms: uint64(n / 2)})
		c.Save()
	}
}

// largeChange is the most that may be allocated for a change of one element while a
// cut has the value too: some pages and the ways to them.
const largeChange = 256 << 10

// TestCutOfLargeCollections: what a cut has got stays as it was, and a change beside
// it does not copy the value.
func TestCutOfLargeCollections(t *testing.T) {
	n := 100_000 / scale
	ks := newKeyspace(t, Options{Databases: modelDBs})
	want := map[string]string{}
	do(ks, 1000, func(tx *WriteTx) {
		for typ, o := range large(n) {
			want[typ] = render(o)
			if err := tx.SetObject([]byte(typ), o, NoExpiry); err != nil {
				t.Fatal(err)
			}
		}
	})
	c := cutOf(t, ks)
	for typ := range want {
		do(ks, 1000, func(tx *WriteTx) {
			if bytes := allocated(func() { changeLarge(tx, typ, n) }); bytes > largeChange {
				t.Errorf("%s: the first change during a cut allocates %d bytes", typ, bytes)
			}
			if bytes := allocated(func() { tx.Copy([]byte(typ), []byte(typ+" copy"), 0) }); bytes > largeChange {
				t.Errorf("%s: COPY allocates %d bytes", typ, bytes)
			}
			if bytes := allocated(func() { changeLarge(tx, typ, n-2) }); bytes > largeChange {
				t.Errorf("%s: the first change after COPY allocates %d bytes", typ, bytes)
			}
		})
	}
	g := putFunc(func(it *Item) error {
		if render(it.Object) != want[string(it.Key)] {
			t.Errorf("%s is not what it was", it.Key)
		}
		delete(want, string(it.Key))
		return nil
	})
	if err := c.Walk(g); err != nil || len(want) > 0 {
		t.Error(err, len(want))
	}
	ks.check(t)
}

// TestLargeCollectionsGoAtOnce: who removes a large value does not walk it, and its
// memory counts no more at once.
func TestLargeCollectionsGoAtOnce(t *testing.T) {
	const n = 10_000
	for what, remove := range map[string]func(ks *Keyspace, key []byte){
		"delete": func(ks *Keyspace, key []byte) { do(ks, 1000, func(tx *WriteTx) { tx.Delete(key) }) },
		"overwrite": func(ks *Keyspace, key []byte) {
			do(ks, 1000, func(tx *WriteTx) { tx.SetStr(key, []byte("short"), NoExpiry) })
		},
		"expire": func(ks *Keyspace, key []byte) { ks.ExpireCycle(10_000, 1<<30) },
		"evict":  func(ks *Keyspace, key []byte) { ks.Evict(ks.Used()-1, 0) },
		"flush":  func(ks *Keyspace, key []byte) { do(ks, 1000, func(tx *WriteTx) { tx.Clear(false) }) },
	} {
		for typ, o := range large(n) {
			ks := newKeyspace(t, Options{})
			ks.Tune(Tuning{Policy: AllKeysRandom, Samples: 5, Tenacity: 100})
			empty := ks.Used()
			do(ks, 1000, func(tx *WriteTx) { tx.SetObject([]byte(typ), o, 5000) })
			full := ks.Used() - empty
			bytes := allocated(func() { remove(ks, []byte(typ)) })
			if left := ks.Used() - empty; left > 20_000 || full < n || bytes > largeChange {
				t.Errorf("%s of a %s: %d bytes of %d are left, %d were allocated", what, typ, left, full, bytes)
			}
			ks.check(t)
		}
	}
}

// BenchmarkChangeLarge is a change of one element beside a cut that was just taken.
func BenchmarkChangeLarge(b *testing.B) {
	const n = 1_000_000
	objects := large(n)
	for _, typ := range []string{"list", "set", "zset", "hash", "stream"} {
		ks := newKeyspace(b, Options{})
		do(ks, 1000, func(tx *WriteTx) { tx.SetObject([]byte(typ), objects[typ], NoExpiry) })
		b.Run(fmt.Sprint(typ), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				b.StopTimer()
				c := cutOf(b, ks)
				b.StartTimer()
				do(ks, 1000, func(tx *WriteTx) { changeLarge(tx, typ, n-2*(i%1000)) })
				b.StopTimer()
				c.Abort()
				ks.graves.done.Wait()
				b.StartTimer()
			}
		})
	}
}

// TestLazilyFreed counts large values that lazy commands remove, as redis does.
func TestLazilyFreed(t *testing.T) {
	for _, lazy := range []bool{true, false}[:max(1, 2/scale)] { // only with lazy is there a second goroutine
		ks := newKeyspace(t, Options{})
		ks.Tune(Tuning{LazyUser: lazy, LazyDelete: lazy, LazyExpire: lazy})
		freed := func(what string, want int64) {
			t.Helper()
			pending, freed := ks.Freeing()
			if !lazy && what != "UNLINK" {
				want = 0
			}
			if pending != 0 || freed != want {
				t.Errorf("%s: %d are pending and %d freed, want %d", what, pending, freed, want)
			}
			ks.ResetStats()
		}
		fill := func(n int) {
			do(ks, 1000, func(tx *WriteTx) {
				for typ, o := range large(n) {
					tx.SetObject([]byte(typ), o, 5000)
				}
				tx.SetStr([]byte("string"), make([]byte, 1<<20), 5000)
			})
		}
		remove := func(unlink bool) {
			do(ks, 1000, func(tx *WriteTx) {
				for _, key := range []string{"list", "set", "zset", "hash", "stream", "string"} {
					r, _ := tx.Peek([]byte(key))
					tx.UnlinkAt(r, []byte(key), unlink)
				}
			})
		}
		fill(130_000)
		remove(true)
		freed("UNLINK", 5)
		fill(1000)
		remove(true)
		freed("UNLINK", 4) // the list has few nodes, the stream much that is pending
		fill(60)
		remove(true)
		freed("UNLINK", 0)
		fill(1000)
		remove(false)
		freed("DEL", 4)
		fill(1000)
		fill(1)
		freed("SET", 4)
		fill(1000)
		freed("SET", 0)
		ks.ExpireCycle(10_000, 1<<30)
		freed("expired", 4)
	}
}
