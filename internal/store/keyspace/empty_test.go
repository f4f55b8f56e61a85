package keyspace

import "testing"

func TestTidyGivesBackWhatIsEmpty(t *testing.T) {
	ks := newKeyspace(t, Options{})
	before := ks.Used()
	fill(t, ks, 1000, "x", nil)
	do(ks, 1000, func(tx *WriteTx) {
		for i := range 1000 {
			tx.Delete(name(i))
		}
	})
	if ks.Used() == before {
		t.Fatal("nothing was kept for the next keys")
	}
	for range ks.stripes {
		ks.Tidy()
	}
	if ks.Used() != before {
		t.Errorf("%d bytes are used, %d before", ks.Used(), before)
	}
	ks.check(t)
	fill(t, ks, 1000, "x", nil)
	for range ks.stripes {
		ks.Tidy()
	}
	if ks.Size(0) != 1000 {
		t.Errorf("%d keys are left of 1000", ks.Size(0))
	}
	ks.check(t)
}

// TestEvictionGivesBackTables: few keys in many slots, whose tables take more
// memory than they do.
func TestEvictionGivesBackTables(t *testing.T) {
	ks := newKeyspace(t, Options{})
	ks.Tune(Tuning{Policy: AllKeysRandom, Samples: 5, Tenacity: 100})
	fill(t, ks, 100, "x", nil)
	limit := ks.Used()
	for i := range 500 {
		if !ks.Evict(limit, 0) {
			t.Fatalf("%d keys take %d bytes, and none can be evicted", ks.Size(0), ks.Used())
		}
		do(ks, 1000, func(tx *WriteTx) { tx.SetStr(name(1000+i), []byte("x"), NoExpiry) })
	}
	if n := ks.Size(0); n < 50 {
		t.Errorf("only %d keys are left of 100", n)
	}
	ks.check(t)
}

// TestNothingToEvict: what deleted keys have left behind is given back too.
func TestNothingToEvict(t *testing.T) {
	ks := newKeyspace(t, Options{})
	before := ks.Used()
	ks.Tune(Tuning{Policy: AllKeysLRU, Samples: 5, Tenacity: 100})
	fill(t, ks, 100, "x", nil)
	do(ks, 1000, func(tx *WriteTx) {
		for i := range 100 {
			tx.Delete(name(i))
		}
	})
	if !ks.Evict(before, 0) {
		t.Errorf("%d bytes are used by nothing", ks.Used()-before)
	}
}
