package keyspace

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/base/slot"
)

func TestClear(t *testing.T) {
	for _, later := range []bool{false, true} {
		ks := newKeyspace(t, Options{Databases: 2})
		start := ks.Used()
		fill(t, ks, 20_000, "value", func(i int) int64 { return int64(i%2)*9999 - 1 })
		do(ks, 1000, func(tx *WriteTx) {
			tx.SetStr([]byte("big"), make([]byte, 1<<20), NoExpiry)
			tx.SelectDB(1)
			tx.SetStr([]byte("other"), []byte("stays"), NoExpiry)
			tx.SelectDB(0)
			tx.EndCommand(nil)
			if n := tx.Clear(later); n != 20_001 || !tx.Changed() {
				t.Errorf("%d keys removed", n)
			}
			if tx.EndCommand(nil); tx.Clear(later) != 0 || tx.Changed() {
				t.Error("an empty database changes")
			}
			if _, ok := tx.Random(); ok || tx.Has(name(5)) || ks.Size(0) != 0 || ks.Size(1) != 1 {
				t.Error("keys are left")
			}
			if tx.SetStr(name(5), []byte("again"), NoExpiry); textOf(tx, "k5") != "again" {
				t.Error("the new database does not work")
			}
		})
		ks.check(t) // waits for the background
		if pending, freed := ks.Freeing(); pending != 0 || (freed == 20_001) != later {
			t.Errorf("%d pending, %d freed", pending, freed)
		}
		if n, _ := ks.Volatile(0, 0); n != 0 {
			t.Errorf("%d deadlines are left", n)
		}
		if left := ks.Used() - start; left > 20_000 {
			t.Errorf("%d bytes are left", left)
		}
	}
}

// TestCloseWhileFreeing: a node may stop right after FLUSHALL ASYNC.
func TestCloseWhileFreeing(t *testing.T) {
	ks, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, ks, 50_000, "value", nil)
	do(ks, 1000, func(tx *WriteTx) { tx.Clear(true) })
	ks.Close()
}

func TestSwapAndSlots(t *testing.T) {
	ks := newKeyspace(t, Options{Databases: 2})
	fill(t, ks, 2000, "value", func(i int) int64 { return int64(i%2)*9999 - 1 })
	do(ks, 1000, func(tx *WriteTx) {
		tx.SetStr([]byte("big"), make([]byte, 1<<20), NoExpiry)
		tx.Swap(0, 1)
		if ks.Size(0) != 0 || ks.Size(1) != 2001 || tx.Has(name(0)) {
			t.Error("not swapped")
		}
		tx.SelectDB(1)
		if s, _, _ := tx.Str([]byte("big")); s.Len() != 1<<20 {
			t.Error("the object is lost")
		}
		tx.Swap(1, 0)
		tx.SelectDB(0)
		n, sum := slot.Of(name(7)), 0
		want := ks.slotSize(n)
		if keys := tx.ClearSlot(n); len(keys) != want || want == 0 || ks.slotSize(n) != 0 {
			t.Errorf("%d keys cleared, %d left", len(keys), ks.slotSize(n))
		}
		for s := range uint16(slot.Count) {
			sum += tx.SlotSize(s)
		}
		if int64(sum) != ks.Size(0) {
			t.Errorf("the slots have %d keys, the database %d", sum, ks.Size(0))
		}
	})
	ks.check(t)
}

// TestSwappedKeysExpire: a database that gets its first keys by SWAPDB is looked
// after like any other.
func TestSwappedKeysExpire(t *testing.T) {
	ks := newKeyspace(t, Options{Databases: 2})
	fill(t, ks, 10, "value", func(int) int64 { return 2000 })
	do(ks, 1000, func(tx *WriteTx) { tx.Swap(0, 1) })
	if n := ks.ExpireCycle(3000, 1<<30); n != 10 || ks.Size(1) != 0 {
		t.Errorf("%d keys expired, %d are left", n, ks.Size(1))
	}
}

// TestRandomIsFair draws from slots of very different sizes.
func TestRandomIsFair(t *testing.T) {
	ks := newKeyspace(t, Options{})
	const keys, draws = 100, 10_000
	do(ks, 1000, func(tx *WriteTx) {
		for i := range keys / 2 {
			tx.SetStr(fmt.Appendf(nil, "{tag}%d", i), nil, NoExpiry)
			tx.SetStr(name(i), nil, NoExpiry)
		}
		seen := map[string]int{}
		for range draws {
			r, ok := tx.Random()
			if !ok {
				t.Fatal("nothing found")
			}
			seen[string(r.Key())]++
		}
		tagged := 0
		for key, n := range seen {
			if n < draws/keys/3 || n > draws/keys*3 {
				t.Errorf("%s was drawn %d times, mean is %d", key, n, draws/keys)
			}
			if key[0] == '{' {
				tagged += n
			}
		}
		if len(seen) != keys || tagged < draws*45/100 || tagged > draws*55/100 {
			t.Errorf("%d keys were drawn, %d times one of the large slot", len(seen), tagged)
		}
	})
}

// TestFull fills a small arena to its end: what is refused changes nothing, and
// what is removed makes room.
func TestFull(t *testing.T) {
	ks := newKeyspace(t, Options{Arena: smallArena, Stripes: 16})
	rnd := rand.New(rand.NewPCG(5, 5))
	model := map[string][]byte{}
	refused := 0
	for range 3 {
		for round := 0; refused < 300 && round < 200_000; round++ {
			key := fmt.Appendf(nil, "key:%d", rnd.IntN(4000))
			val := bytes.Repeat([]byte{byte(round)}, rnd.IntN(4000))
			do(ks, 1000, func(tx *WriteTx) {
				var err error
				switch old, had := model[string(key)]; rnd.IntN(5) {
				case 0:
					if _, err = tx.Append(key, val); err == nil && len(old)+len(val) > 0 {
						model[string(key)] = append(bytes.Clone(old), val...)
					} else if err == nil && !had {
						model[string(key)] = nil
					}
				case 1:
					_, err = tx.Expire(key, 1_000_000)
				case 2:
					dst := fmt.Appendf(nil, "key:%d", rnd.IntN(4000))
					if !bytes.Equal(dst, key) && had {
						if err = tx.Rename(key, dst); err == nil {
							model[string(dst)] = old
							delete(model, string(key))
						}
					}
				default:
					if err = tx.SetStr(key, val, NoExpiry); err == nil {
						model[string(key)] = val
					}
				}
				if err != nil {
					if refused++; !errors.Is(err, ErrFull) {
						t.Fatal(err)
					}
				}
			})
		}
		if refused < 300 {
			t.Fatal("the arena does not fill")
		}
		ks.check(t)
		do(ks, 1000, func(tx *WriteTx) {
			for key, want := range model {
				if s, ok, _ := tx.Str([]byte(key)); !ok || !bytes.Equal(s.Bytes(), want) {
					t.Fatalf("%s: there is %v, %d bytes, want %d", key, ok, s.Len(), len(want))
				}
			}
			if ks.Size(0) != int64(len(model)) {
				t.Fatalf("%d keys, want %d", ks.Size(0), len(model))
			}
			tx.Clear(false)
		})
		clear(model)
		refused = 0
	}
}

// TestCompaction deletes most of what is there, at random, and asks for the
// memory back. Entries and objects must stay what they are.
func TestCompaction(t *testing.T) {
	ks := newKeyspace(t, Options{})
	keys := 500_000 / min(scale, 4)
	rnd := rand.New(rand.NewPCG(2, 2))
	value := func(i int) []byte { return bytes.Repeat([]byte{byte(i)}, 20+i%200) }
	write := func(from, step int) {
		do(ks, 1000, func(tx *WriteTx) {
			for i := from; i < keys; i += step {
				tx.SetStr(name(i), value(i), NoExpiry)
			}
		})
	}
	write(0, 1)
	do(ks, 1000, func(tx *WriteTx) { tx.SetStr([]byte("big"), make([]byte, 1<<20), NoExpiry) })
	kept := map[int]bool{}
	do(ks, 1000, func(tx *WriteTx) {
		for i := range keys {
			if rnd.IntN(5) == 0 {
				kept[i] = true
			} else {
				tx.Delete(name(i))
			}
		}
	})
	ratio := func() float64 { return float64(ks.arena.Resident()) / float64(ks.arena.InUse()) }
	before, most := ratio(), 1.56
	if scale > 1 { // few chunks are never dense
		most = 2
	}
	cycle := func() (dense bool) {
		ks.CompactCycle(time.Millisecond)
		if c := &ks.compactor; !c.walking {
			c.after = time.Time{}
			return ratio() <= most
		}
		return false
	}
	cut, shown := cutOf(t, ks), 0
	if err := cut.Walk(putFunc(func(it *Item) error { // what moves is in the cut all the same
		var i int
		if _, err := fmt.Sscanf(string(it.Key), "k%d", &i); err == nil && !bytes.Equal(it.Bytes, value(i)) {
			t.Errorf("key %d is %.20q in the cut", i, it.Bytes)
		}
		if shown++; shown%100 == 0 {
			cycle()
		}
		return nil
	})); err != nil || shown != len(kept)+1 {
		t.Errorf("%d keys of %d are in the cut: %v", shown, len(kept)+1, err)
	}
	for n := 0; n < 100_000 && !cycle(); n++ {
	}
	if after := ratio(); after > most || before < 3 {
		t.Errorf("resident over live is %.2f, was %.2f", after, before)
	} else {
		t.Logf("resident over live: %.2f -> %.2f", before, after)
	}
	ks.check(t)
	do(ks, 1000, func(tx *WriteTx) {
		for i := range kept {
			if got := textOf(tx, string(name(i))); got != string(value(i)) {
				t.Fatalf("key %d is %.20q", i, got)
			}
		}
		if s, _, _ := tx.Str([]byte("big")); s.Len() != 1<<20 || ks.Size(0) != int64(len(kept))+1 {
			t.Error("the object, or keys, are lost")
		}
	})
}
