package table

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/skeindb/skein/internal/data/arena"
)

// compact runs one compaction over all tables, in slices.
func (k *keyspace) compact() bool {
	if !k.a.BeginCompaction() {
		return false
	}
	for i := range k.tables {
		for cursor := k.tables[i].Compact(0, 8, nil); cursor != 0; {
			cursor = k.tables[i].Compact(cursor, 8, nil)
		}
	}
	k.a.EndCompaction()
	return true
}

// put writes key i with a value of n bytes.
func (k *keyspace) put(t testing.TB, i, n int) {
	var buf [16]byte
	k.putIn(t, k.table(Hash(k.seed, testKey(&buf, i))), i, n)
}

func (k *keyspace) putIn(t testing.TB, tab *Table, i, n int) {
	var buf [16]byte
	key := testKey(&buf, i)
	hash := Hash(k.seed, key)
	old := tab.Find(hash, key)
	if old != 0 {
		if e, ok := Resize(k.a, old, n, false); ok {
			binary.LittleEndian.PutUint64(e.Value(), uint64(i))
			return
		}
	}
	h, e, err := New(k.a, 0, key, n, false)
	if err != nil {
		t.Fatal(err)
	}
	binary.LittleEndian.PutUint64(e.Value(), uint64(i))
	if old != 0 {
		tab.Replace(hash, old, h)
		Free(k.a, old)
	} else if err := tab.Insert(hash, h); err != nil {
		t.Fatal(err)
	}
}

// delIn deletes key i, which must be there with the right value.
func (k *keyspace) delIn(t testing.TB, tab *Table, i int) {
	var buf [16]byte
	key := testKey(&buf, i)
	hash := Hash(k.seed, key)
	h := tab.Find(hash, key)
	if h == 0 || binary.LittleEndian.Uint64(tab.Entry(h).Value()) != uint64(i) || !tab.Delete(hash, h) {
		t.Errorf("key %d is lost or changed", i)
		return
	}
	Free(k.a, h)
}

func (k *keyspace) del(t testing.TB, i int) {
	var buf [16]byte
	k.delIn(t, k.table(Hash(k.seed, testKey(&buf, i))), i)
}

// TestCompaction churns keys and sizes, and holds the claim of resident over live bytes.
func TestCompaction(t *testing.T) {
	const tables, keys = 1000 / scale, 400_000 / scale
	phases := []struct {
		name string
		run  func(k *keyspace, r *rand.Rand)
	}{
		{"four of five deleted", func(k *keyspace, r *rand.Rand) {
			for i := range keys {
				if r.IntN(5) > 0 {
					k.del(t, i)
				}
			}
		}},
		{"values grown to 100 bytes, a third deleted", func(k *keyspace, r *rand.Rand) {
			for i := range keys {
				if r.IntN(3) > 0 {
					k.put(t, i, 100)
				} else {
					k.del(t, i)
				}
			}
		}},
		{"random sizes, over and over, then half deleted", func(k *keyspace, r *rand.Rand) {
			for range 2 * keys {
				k.put(t, r.IntN(keys), 8+r.IntN(200))
			}
			for i := range keys {
				if r.IntN(2) > 0 {
					k.del(t, i)
				}
			}
		}},
	}
	for _, p := range phases {
		k := newKeyspace(t, tables)
		k.fill(t, keys, 32)
		p.run(k, rand.New(rand.NewPCG(1, 7)))
		count := 0
		for i := range k.tables {
			count += k.tables[i].Len()
		}
		before := k.a.Fragmentation()
		rounds := 0
		for rounds < 5 && k.compact() {
			rounds++
		}
		after := k.a.Fragmentation()
		t.Logf("%s: %d keys, resident over live %.2f -> %.2f in %d rounds", p.name, count, before, after, rounds)
		if after > 1.56 && scale == 1 {
			t.Errorf("%s: resident over live is %.2f", p.name, after)
		}
		found := 0
		var buf [16]byte
		for i := range keys {
			key := testKey(&buf, i)
			hash := Hash(k.seed, key)
			if h := k.table(hash).Find(hash, key); h != 0 {
				found++
				if got := binary.LittleEndian.Uint64(k.table(hash).Entry(h).Value()); got != uint64(i) {
					t.Fatalf("key %d has the value of %d", i, got)
				}
			}
		}
		if found != count {
			t.Fatalf("%d of %d keys left", found, count)
		}
		for i := range k.tables {
			k.tables[i].Drop(func(arena.Handle) { count-- })
		}
		if count != 0 || k.a.InUse() != 0 {
			t.Fatalf("after Drop: %d keys, %d bytes", count, k.a.InUse())
		}
		k.a.Close()
	}
}
