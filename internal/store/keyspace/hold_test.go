package keyspace

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

type bell struct {
	n    atomic.Int32
	do   func()
	rung chan struct{}
}

func (b *bell) Wake() {
	b.n.Add(1)
	if b.do != nil {
		b.do()
	}
	if b.rung != nil {
		b.rung <- struct{}{}
	}
}

func TestHoldSet(t *testing.T) {
	ks := newKeyspace(t, Options{Stripes: 8})
	var h Hold
	h.Reset(ks)
	if !h.Empty() || !ks.Acquire(&h, nil) {
		t.Error("an empty hold cannot be acquired")
	}
	ks.Release(&h)
	for _, n := range []uint16{7, 1, 15, 9, 1} {
		h.AddSlot(n)
	}
	ks.Acquire(&h, nil)
	if !slices.Equal(h.stripes, []uint16{1, 7}) || !h.Covers(17) || h.Covers(2) {
		t.Errorf("stripes %v", h.stripes)
	}
	for i := range ks.stripes {
		if free := ks.stripes[i].mu.TryLock(); free == slices.Contains(h.stripes, uint16(i)) {
			t.Errorf("stripe %d: free is %v", i, free)
		} else if free {
			ks.stripes[i].mu.Unlock()
		}
	}
	ks.Release(&h)
	var more Hold
	more.Reset(ks)
	more.AddAll()
	more.Add(&h)
	if !more.All() || !more.Covers(2) {
		t.Error("not all")
	}
	ks.Acquire(&more, nil)
	ks.Release(&more)
	ks.AcquireAll(&h)
	ks.Release(&h)
	if len(h.stripes) != 8 {
		t.Errorf("AcquireAll took %v", h.stripes)
	}
}

// TestOwner: who comes to an owned stripe is told in the order of coming; the
// owner itself passes.
func TestOwner(t *testing.T) {
	ks := newKeyspace(t, Options{Stripes: 8})
	h := slotHold(ks, "a", "b", "c", "d")
	ks.Acquire(h, nil)
	o := &Owner{What: "test"}
	ks.Own(h, o)
	var order []int
	for i := range 5 {
		one := slotHold(ks, []string{"a", "b", "a", "c", "a"}[i])
		if i == 3 {
			one.AddAll()
		}
		if ks.Acquire(one, &bell{do: func() { order = append(order, i) }}) {
			t.Fatal("acquired an owned stripe")
		}
	}
	h.As(o)
	for range 2 { // in as many pieces as it likes
		if !ks.Acquire(h, nil) {
			t.Fatal("the owner does not pass")
		}
		ks.Release(h)
	}
	if len(order) > 0 {
		t.Error("woken too early")
	}
	ks.Disown(o)
	if len(order) != 5 {
		t.Errorf("woken: %v", order)
	}
	at := func(i int) int { return slices.Index(order, i) }
	if at(0) > at(2) || at(2) > at(4) {
		t.Errorf("woken out of turn: %v", order)
	}
	h.As(nil)
	if !ks.Acquire(h, nil) {
		t.Error("owned yet")
	}
	ks.Release(h)
}

// TestNobodyLost: many take sets of stripes, some as owners, and all come to an end.
func TestNobodyLost(t *testing.T) {
	ks := newKeyspace(t, Options{Stripes: 8})
	var inside [8]int // under the stripes: a race if two are inside
	var owned [8]atomic.Int32
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(g), 1))
			var h Hold
			b := &bell{rung: make(chan struct{}, 64)}
			o := &Owner{What: "test"}
			for range 1500 / scale {
				h.Reset(ks)
				for range 1 + rnd.IntN(3) {
					h.AddSlot(uint16(rnd.IntN(16384)))
				}
				if rnd.IntN(20) == 0 {
					h.AddAll()
				}
				for !ks.Acquire(&h, b) {
					<-b.rung
				}
				for _, s := range h.stripes {
					inside[s]++
					if owned[s].Load() != 0 {
						t.Error("inside an owned stripe")
					}
				}
				if rnd.IntN(5) > 0 {
					ks.Release(&h)
					continue
				}
				for _, s := range h.stripes {
					owned[s].Store(1)
				}
				if rnd.IntN(2) == 0 {
					ks.Own(&h, o)
				} else {
					ks.Claim(&h, o)
					ks.Release(&h)
				}
				h.As(o)
				ks.Acquire(&h, nil)
				for _, s := range h.stripes {
					inside[s]++
					owned[s].Store(0)
				}
				ks.Release(&h)
				h.As(nil)
				ks.Disown(o)
			}
		})
	}
	group.Wait()
	for i := range ks.stripes {
		if n := len(ks.stripes[i].parked); n > 0 {
			t.Errorf("%d wait at stripe %d", n, i)
		}
	}
}
