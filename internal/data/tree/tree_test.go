package tree

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

func weigh(v *int) int { return *v%5 + 1 }

// check compares a tree with a slice and looks at what holds for every node.
func check(t *testing.T, tr *Tree[int], model []int) {
	t.Helper()
	if got := slices.Collect(tr.Ascend(0)); !slices.Equal(got, model) || tr.Len() != len(model) {
		t.Fatalf("%d items %v instead of %v", tr.Len(), got, model)
	}
	if tr.root == nil {
		if tr.mem != 0 || tr.w != 0 {
			t.Fatal("an empty tree with", tr.mem, tr.w)
		}
		return
	}
	mem := 0
	depth := -1
	var walk func(n *node[int], d int) kid[int]
	walk = func(n *node[int], d int) kid[int] {
		mem += n.bytes()
		if len(n.items) == 0 || len(n.items) > Max || n.kids != nil && len(n.kids) != len(n.items) {
			t.Fatalf("a node of %d items and %d kids", len(n.items), len(n.kids))
		}
		if n.kids == nil {
			if depth >= 0 && d != depth {
				t.Fatal("leaves of different depth")
			}
			depth = d
			return tr.sum(n)
		}
		var all kid[int]
		for i := range n.kids {
			k := walk(n.kids[i].node, d+1)
			if k.n != n.kids[i].n || k.w != n.kids[i].w || n.items[i] != n.kids[i].node.items[0] {
				t.Fatalf("kid %d has %d items of weight %d, noted %d, %d", i, k.n, k.w, n.kids[i].n, n.kids[i].w)
			}
			all.n += k.n
			all.w += k.w
		}
		return all
	}
	if all := walk(tr.root, 0); all.w != tr.w || all.n != tr.n || mem != tr.mem {
		t.Fatalf("%d items of weight %d in %d bytes; noted %d, %d, %d", all.n, all.w, mem, tr.n, tr.w, tr.mem)
	}
}

// FuzzModel changes a tree and a slice alike, freezes now and then, and sees that frozen trees stay as they were.
func FuzzModel(f *testing.F) {
	f.Add(uint64(1), 2000, uint8(50))
	f.Add(uint64(2), 3000, uint8(90))
	f.Add(uint64(3), 3000, uint8(10))
	f.Fuzz(func(t *testing.T, seed uint64, steps int, growth uint8) {
		r := rand.New(rand.NewPCG(seed, uint64(growth)))
		tr, model := Weighed(weigh), []int{}
		type pair struct {
			tree  Tree[int]
			model []int
		}
		var frozen []pair
		place := func(n int) int { // often an end
			switch r.IntN(4) {
			case 0:
				return 0
			case 1:
				return n - 1
			}
			return r.IntN(n)
		}
		for step := range min(steps, 4000) {
			grow := r.IntN(100) < int(growth)%101
			if step%1000 > 700 {
				grow = !grow
			}
			switch {
			case grow || len(model) == 0:
				i := place(len(model) + 1)
				tr.Insert(i, step)
				model = slices.Insert(model, i, step)
			case r.IntN(5) == 0:
				i := place(len(model))
				tr.Update(i, func(v *int) { *v += 7 })
				model[i] += 7
			default:
				i := place(len(model))
				if got := tr.Delete(i); got != model[i] {
					t.Fatalf("deleted %d, not %d", got, model[i])
				}
				model = slices.Delete(model, i, i+1)
			}
			if r.IntN(200) == 0 {
				frozen = append(frozen, pair{tr.Freeze(), slices.Clone(model)})
				if r.IntN(3) == 0 { // go on with the copy
					last := &frozen[len(frozen)-1]
					tr, last.tree = last.tree, tr
				}
				check(t, &tr, model)
			}
		}
		check(t, &tr, model)
		for i := range frozen {
			check(t, &frozen[i].tree, frozen[i].model)
		}
		look(t, r, &tr, model)
	})
}

// look compares all ways of reading.
func look(t *testing.T, r *rand.Rand, tr *Tree[int], model []int) {
	at := 0
	for i, v := range model {
		if tr.At(i) != v {
			t.Fatalf("item %d is %d, not %d", i, tr.At(i), v)
		}
		for off := range weigh(&v) {
			if gi, goff := tr.Locate(at + off); gi != i || goff != off {
				t.Fatalf("position %d lies in %d at %d, not in %d at %d", at+off, gi, goff, i, off)
			}
		}
		at += weigh(&v)
	}
	for range min(len(model), 20) {
		i := r.IntN(len(model))
		if got := slices.Collect(tr.Ascend(i)); !slices.Equal(got, model[i:]) {
			t.Fatalf("from %d on: %v", i, got)
		}
		down := slices.Clone(model[:i+1])
		slices.Reverse(down)
		if got := slices.Collect(tr.Descend(i)); !slices.Equal(got, down) {
			t.Fatalf("from %d down: %v", i, got)
		}
	}
}

func TestSeek(t *testing.T) {
	for _, n := range []int{0, 1, 63, 64, 65, 3000} {
		var tr Tree[int]
		for _, v := range rand.New(rand.NewPCG(1, 1)).Perm(n) {
			tr.Insert(tr.Seek(func(x *int) bool { return *x < 2*v }), 2*v)
		}
		for v := -1; v <= 2*n; v++ {
			if got, want := tr.Seek(func(x *int) bool { return *x < v }), min(max(v+1, 0)/2, n); got != want {
				t.Fatalf("%d of %d stands at %d, not %d", v, n, got, want)
			}
			i, item, ok := tr.First(func(x *int) bool { return *x < v })
			if want := min(max(v+1, 0)/2, n); i != want || ok != (want < n) || ok && item != 2*want {
				t.Fatalf("first from %d of %d: %d at %d, %v", v, n, item, i, ok)
			}
		}
	}
}

// The walk of a snapshot reads while the owner writes; -race watches.
func TestFrozenIsReadBesideWrites(t *testing.T) {
	var tr Tree[int]
	for i := range 10000 {
		tr.Insert(i, i)
	}
	frozen := tr.Freeze()
	done := make(chan int)
	go func() {
		sum := 0
		for v := range frozen.Ascend(0) {
			sum += v
		}
		done <- sum
	}()
	for i := range 5000 {
		tr.Delete(i)
		tr.Update(i/2, func(v *int) { *v = -1 })
	}
	if sum := <-done; sum != 9999*10000/2 {
		t.Error("the sum is", sum)
	}
}

// A write after a freeze copies one way from the root, whatever the size.
func TestFreezeIsBounded(t *testing.T) {
	var tr Tree[uint64]
	for i := range 1 << 16 {
		tr.Insert(i, uint64(i))
	}
	n := testing.AllocsPerRun(100, func() {
		f := tr.Freeze()
		tr.Update(f.Len()/2, func(v *uint64) { *v++ })
	})
	if n > 20 {
		t.Errorf("%.0f allocations", n)
	}
}

func BenchmarkInsertRandom(b *testing.B) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var tr Tree[uint64]
	r := rand.New(rand.NewPCG(1, 1))
	for b.Loop() {
		v := r.Uint64()
		tr.Insert(tr.Seek(func(x *uint64) bool { return *x < v }), v)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(tr.Len()), "B/item")
	b.ReportMetric(float64(tr.Bytes())/float64(tr.Len()), "accounted-B/item")
}

func BenchmarkSeek(b *testing.B) {
	var tr Tree[uint64]
	for i := range 1 << 20 {
		tr.Insert(i, uint64(i))
	}
	r := rand.New(rand.NewPCG(1, 1))
	for b.Loop() {
		v := r.Uint64N(1 << 20)
		tr.Seek(func(x *uint64) bool { return *x < v })
	}
}
