package arena

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
)

func newArena(t testing.TB, opt Options) *Arena {
	t.Helper()
	a, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

func TestClassSize(t *testing.T) {
	last := 0
	for n := 1; n <= 300<<10; n++ {
		size := ClassSize(n)
		if size < n || size < last || size%8 != 0 {
			t.Fatalf("ClassSize(%d) = %d after %d", n, size, last)
		}
		if waste := size - n; n > minSize && waste >= 8 && float64(waste) > 0.125*float64(n) {
			t.Fatalf("ClassSize(%d) = %d wastes %d", n, size, waste)
		}
		if n <= classMax {
			if got := int(classTable[classOf(n)].units) * unitBytes; got != size {
				t.Fatalf("class of %d holds %d, ClassSize is %d", n, got, size)
			}
		}
		last = size
	}
	for i, c := range classTable {
		if c.places == 0 || c.places > maxPlaces || c.places*c.units > c.pages*pageUnits {
			t.Fatalf("class %d: %+v", i, c)
		}
		for p := range c.places {
			if c.index(p*c.units) != p {
				t.Fatalf("class %d place %d", i, p)
			}
		}
	}
}

// block is a live object of the model, filled with bytes that tell it from all others.
type block struct {
	h    Handle
	n    int
	seed uint64
}

func (b block) fill(a *Arena) {
	p := a.Bytes(b.h, b.n)
	for i := range p {
		p[i] = byte(b.seed + uint64(i)*31)
	}
}

func (b block) check(t *testing.T, a *Arena) {
	t.Helper()
	for i, v := range a.Bytes(b.h, b.n) {
		if v != byte(b.seed+uint64(i)*31) {
			t.Fatalf("object %x of %d bytes: byte %d changed", b.h, b.n, i)
		}
	}
}

func (b block) move(t *testing.T, a *Arena) block {
	h, err := a.Alloc(b.n)
	if err != nil {
		t.Fatal(err)
	}
	copy(a.Bytes(h, b.n), a.Bytes(b.h, b.n))
	a.Free(b.h, b.n)
	b.h = h
	return b
}

// size draws sizes that favour the small and reach over chunks.
func size(r *rand.Rand) int {
	switch r.IntN(40) {
	case 0:
		return 1 + r.IntN(200<<10)
	case 1:
		return 1 + r.IntN(20<<10)
	default:
		return 1 + r.IntN(300)
	}
}

func TestModel(t *testing.T) {
	a := newArena(t, Options{})
	r := rand.New(rand.NewPCG(1, 2))
	var live []block
	var inUse int64
	for i := range 60000 {
		grow := i/10000%2 == 0
		switch p := r.IntN(100); {
		case len(live) == 0 || grow && p < 70 || !grow && p < 30:
			n := size(r)
			if i%20000 == 7 {
				n = 5<<20 + r.IntN(1<<20)
			}
			h, err := a.Alloc(n)
			if err != nil {
				t.Fatal(err)
			}
			b := block{h, n, r.Uint64()}
			b.fill(a)
			live = append(live, b)
			inUse += int64(ClassSize(n))
		default:
			j := r.IntN(len(live))
			live[j].check(t, a)
			a.Free(live[j].h, live[j].n)
			inUse -= int64(ClassSize(live[j].n))
			live[j] = live[len(live)-1]
			live = live[:len(live)-1]
		}
		if i%7000 == 0 && a.BeginCompaction() {
			for j := range live {
				if a.Sparse(live[j].h, live[j].n) {
					live[j] = live[j].move(t, a)
				}
			}
			a.EndCompaction()
		}
	}
	if a.InUse() != inUse {
		t.Fatalf("in use %d, want %d", a.InUse(), inUse)
	}
	for _, b := range live {
		b.check(t, a)
		a.Free(b.h, b.n)
	}
	if a.InUse() != 0 {
		t.Fatalf("in use %d after everything was freed", a.InUse())
	}
}

func TestConcurrent(t *testing.T) {
	a := newArena(t, Options{})
	var owners, stop sync.WaitGroup
	done := make(chan struct{})
	stop.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				if a.BeginCompaction() {
					a.EndCompaction()
				}
			}
		}
	})
	for g := range 4 {
		owners.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 3))
			var live []block
			for range 20000 {
				if len(live) < 500 || r.IntN(2) == 0 {
					n := size(r)
					h, err := a.Alloc(n)
					if err != nil {
						t.Error(err)
						return
					}
					live = append(live, block{h, n, r.Uint64()})
					live[len(live)-1].fill(a)
					continue
				}
				j := r.IntN(len(live))
				if a.Sparse(live[j].h, live[j].n) {
					live[j] = live[j].move(t, a)
				}
				live[j].check(t, a)
				a.Free(live[j].h, live[j].n)
				live[j] = live[len(live)-1]
				live = live[:len(live)-1]
			}
			for _, b := range live {
				b.check(t, a)
				a.Free(b.h, b.n)
			}
		})
	}
	owners.Wait()
	close(done)
	stop.Wait()
	if a.InUse() != 0 {
		t.Fatalf("in use %d", a.InUse())
	}
}

func TestFull(t *testing.T) {
	a := newArena(t, Options{Limit: 8 << 20})
	if _, err := a.Alloc(16 << 20); !errors.Is(err, ErrFull) {
		t.Fatalf("more than the limit: %v", err)
	}
	var live []Handle
	for {
		h, err := a.Alloc(1000)
		if err != nil {
			if !errors.Is(err, ErrFull) {
				t.Fatal(err)
			}
			break
		}
		live = append(live, h)
	}
	if n := len(live) * 1000; n < 7<<20 {
		t.Fatalf("full after %d bytes", n)
	}
	for _, h := range live {
		a.Free(h, 1000)
	}
	if _, err := a.Alloc(5 << 20); err != nil {
		t.Fatalf("after freeing everything: %v", err)
	}
}

// TestFirstRun allocates, as the first object, runs whose length is near that of chunks.
func TestFirstRun(t *testing.T) {
	for _, chunks := range []int{1, 2, 3} {
		for _, more := range []int{-pageBytes, -1, 0, 1, pageBytes} {
			a := newArena(t, Options{Limit: 16 << 20})
			b := block{n: chunks*chunkBytes + more, seed: 3}
			var err error
			if b.h, err = a.Alloc(b.n); err != nil || b.h == 0 {
				t.Fatalf("%d bytes: %x, %v", b.n, b.h, err)
			}
			b.fill(a)
			c := block{n: chunkBytes, seed: 4}
			if c.h, err = a.Alloc(c.n); err != nil {
				t.Fatal(err)
			}
			c.fill(a)
			b.check(t, a)
			a.Free(b.h, b.n)
			a.Free(c.h, c.n)
			if a.InUse() != 0 {
				t.Fatalf("in use %d", a.InUse())
			}
			a.Close()
		}
	}
}

func TestDoubleFreePanics(t *testing.T) {
	a := newArena(t, Options{})
	for _, n := range []int{40, 300 << 10} {
		h, _ := a.Alloc(n)
		a.Free(h, n)
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("freeing %d bytes twice went unnoticed", n)
				}
			}()
			a.Free(h, n)
		}()
	}
}

func TestManyArenas(t *testing.T) {
	for range 30 {
		a := newArena(t, Options{})
		h, err := a.Alloc(100)
		if err != nil {
			t.Fatal(err)
		}
		binary.LittleEndian.PutUint64(a.Bytes(h, 100), 1)
		a.Prefetch(h)
		a.Prefetch(1<<40 - 1)
		if !a.Mapped(h) || a.Mapped(1<<40-1) {
			t.Fatal("Mapped is wrong")
		}
		if a.Resident() > 3<<20 {
			t.Fatalf("resident %d", a.Resident())
		}
	}
}

func BenchmarkAllocFree(b *testing.B) {
	a := newArena(b, Options{})
	for b.Loop() {
		h, _ := a.Alloc(55)
		a.Free(h, 55)
	}
}

func BenchmarkAlloc(b *testing.B) {
	a := newArena(b, Options{})
	for b.Loop() {
		a.Alloc(55)
	}
	b.ReportMetric(float64(a.Resident())/float64(a.InUse()), "resident/live")
}

func BenchmarkAllocFreeParallel(b *testing.B) {
	a := newArena(b, Options{})
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			h, _ := a.Alloc(55)
			a.Free(h, 55)
		}
	})
}
