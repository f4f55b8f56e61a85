package keyspace

import (
	"fmt"
	"math"
	"sync"
	"testing"
	"time"
)

func TestTenacity(t *testing.T) {
	for level, want := range map[int]time.Duration{0: 0, 1: 50_000, 10: 500_000, 11: 575_000, 50: 133_931_000, 100: math.MaxInt64} {
		if got := tenacity(level); got != want {
			t.Errorf("tenacity %d is %d ns, want %d", level, got, want)
		}
	}
}

// evictHalf evicts from keys that were used in the order of their numbers until
// half the memory is free, and returns how many are left of the first and of the
// second half.
func evictHalf(t *testing.T, policy Policy, n int, expiry func(i int) int64) (first, second int) {
	t.Helper()
	r := &recorder{}
	ks := newKeyspace(t, Options{Log: r, Databases: 2})
	ks.Tune(Tuning{Policy: policy, Samples: 10, LFULogFactor: 0, LFUDecayMin: 1, Tenacity: 100})
	now := time.Now().UnixMilli()
	for i := range n {
		do(ks, now-int64(n-i)*1000, func(tx *WriteTx) {
			tx.SetStr(name(i), make([]byte, 500), expiry(i))
			for range i / 100 {
				tx.Get(name(i))
			}
		})
	}
	r.effects = nil
	limit := ks.Used() - int64(n)/2*(584+tableBytes) // with their tables, since hardly two keys share a slot
	if !ks.Evict(limit, 0) || ks.Used() > limit {
		t.Fatalf("policy %d: %d bytes are used, the limit is %d", policy, ks.Used(), limit)
	}
	if s := ks.Stats(); s.Evicted != int64(len(r.effects)) || s.Evicted == 0 || s.Changes != int64(n) {
		t.Errorf("policy %d: %+v, %d effects", policy, s, len(r.effects))
	}
	ks.check(t)
	do(ks, now, func(tx *WriteTx) {
		for i := range n {
			if tx.Has(name(i)) && i < n/2 {
				first++
			} else if tx.Has(name(i)) {
				second++
			}
		}
	})
	return first, second
}

func TestEvictionPolicies(t *testing.T) {
	never := func(int) int64 { return NoExpiry }
	later := func(i int) int64 { return time.Now().UnixMilli() + 1_000_000 + int64(i)*1000 }
	half := func(i int) int64 { // only the second half has deadlines
		if i < 500 {
			return NoExpiry
		}
		return later(i)
	}
	for _, c := range []struct {
		policy       Policy
		expiry       func(int) int64
		first, least int // of the first half at most, of the second at least
	}{
		{AllKeysLRU, never, 80, 400},
		{AllKeysLFU, never, 80, 400},
		{VolatileLRU, later, 80, 400},
		{VolatileLFU, later, 80, 400},
		{VolatileTTL, later, 80, 400},
		{AllKeysRandom, never, 350, 150},
		{VolatileRandom, later, 350, 150},
	}[:max(2, 7/scale)] {
		first, second := evictHalf(t, c.policy, 1000, c.expiry)
		if first > c.first || second < c.least {
			t.Errorf("policy %d leaves %d of the first half and %d of the second", c.policy, first, second)
		}
	}
	for _, policy := range []Policy{VolatileTTL, VolatileLRU, VolatileLFU, VolatileRandom}[:max(1, 4/scale)] {
		if first, second := evictHalf(t, policy, 1000, half); first != 500 || second > 80 {
			t.Errorf("policy %d leaves %d keys without a deadline and %d with one", policy, first, second)
		}
	}
}

func TestEvictRefuses(t *testing.T) {
	ks := newKeyspace(t, Options{})
	fill(t, ks, 1000, "value", nil)
	if !ks.Evict(1<<30, 0) || ks.Evict(1<<30, 1<<30) {
		t.Error("the limit is not what counts, or extra does not")
	}
	if ks.Evict(1000, 0) || ks.Size(0) != 1000 {
		t.Error("noeviction evicts")
	}
	ks.Tune(Tuning{Policy: VolatileLRU, Samples: 5, Tenacity: 100})
	if ks.Evict(1000, 0) || ks.Size(0) != 1000 {
		t.Error("keys without a deadline are evicted")
	}
	ks.Tune(Tuning{Policy: AllKeysLRU, Samples: 5})
	ks.Replica.Store(true)
	if !ks.Evict(1000, 0) || ks.Size(0) != 1000 {
		t.Error("a replica evicts or refuses")
	}
	ks.Replica.Store(false)
	if !ks.Evict(1000, 0) || ks.Size(0) != 1000-evictSlice {
		t.Errorf("with no time there are %d keys left", ks.Size(0))
	}
	ks.Tune(Tuning{Policy: AllKeysLRU, Samples: 5, Tenacity: 100})
	var o Owner
	h := slotHold(ks, "k1")
	ks.Acquire(h, nil)
	ks.Own(h, &o)
	if ks.Evict(0, 0) || ks.Size(0) == 0 || ks.Size(0) > 100 {
		t.Errorf("%d keys are left in an owned stripe", ks.Size(0))
	}
	ks.Disown(&o)
	ks.check(t)
}

// TestEvictTogether: several loops make room at once while others write.
func TestEvictTogether(t *testing.T) {
	ks := newKeyspace(t, Options{})
	ks.Tune(Tuning{Policy: AllKeysLRU, Samples: 3, Tenacity: 10})
	limit := ks.Used() + 1<<20
	var group sync.WaitGroup
	for g := range 4 {
		group.Go(func() {
			var tx WriteTx
			for i := range 5000 / scale {
				if !ks.Evict(limit, 0) {
					t.Error("refused")
					return
				}
				key := fmt.Appendf(nil, "%d:%d", g, i)
				h := slotHold(ks, string(key))
				ks.Acquire(h, nil)
				tx.Begin(ks, h, 0, time.Now().UnixMilli(), 0)
				tx.SetStr(key, make([]byte, 300), NoExpiry)
				tx.Commit(nil)
				ks.Release(h)
			}
		})
	}
	group.Wait()
	if over := ks.Used() - limit; over > 100_000 {
		t.Errorf("%d bytes over the limit", over)
	}
	ks.check(t)
}

func BenchmarkEvict(b *testing.B) {
	for _, n := range []int{1000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			ks := newKeyspace(b, Options{})
			ks.Tune(Tuning{Policy: AllKeysLRU, Samples: 5, Tenacity: 100})
			fill(b, ks, n, "value-of-some-length", nil)
			limit := ks.Used()
			i := n
			var tx WriteTx
			for b.Loop() {
				key := name(i)
				h := slotHold(ks, string(key))
				ks.Acquire(h, nil)
				tx.Begin(ks, h, 0, 1000, 0)
				tx.SetStr(key, []byte("value-of-some-length"), NoExpiry)
				tx.Commit(nil)
				ks.Release(h)
				i++
				ks.Evict(limit, 0)
			}
		})
	}
}

func BenchmarkUsed(b *testing.B) {
	ks := newKeyspace(b, Options{})
	for i := range 100 {
		fill(b, ks, 1, string(make([]byte, 40*i)), nil)
	}
	b.Run("used", func(b *testing.B) {
		for b.Loop() {
			ks.Used()
		}
	})
	b.Run("far", func(b *testing.B) {
		for b.Loop() {
			ks.Evict(1<<30, 0)
		}
	})
}
