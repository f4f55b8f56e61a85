package quicklist

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/data/listpack"
	"github.com/skeindb/skein/internal/data/value"
)

var _ value.Object = (*List)(nil)

var usual = Options{Fill: -2}

func strs(seq func(func([]byte) bool)) (all []string) {
	for e := range seq {
		all = append(all, string(e))
	}
	return all
}

func check(t *testing.T, l *List, model []string) {
	t.Helper()
	if got := strs(l.Ascend(0)); !slices.Equal(got, model) || l.Len() != len(model) {
		t.Fatalf("%d elements %.200q instead of %.200q", l.Len(), got, model)
	}
	down := slices.Clone(model)
	slices.Reverse(down)
	if got := strs(l.Descend(l.Len() - 1)); !slices.Equal(got, down) {
		t.Fatalf("downwards %.200q instead of %.200q", got, down)
	}
	again := New()
	for data, plain := range l.Nodes() {
		if !plain {
			if n, err := listpack.Validate(data); err != nil || n == 0 && l.Encoding() == "quicklist" {
				t.Fatal(n, err)
			}
		}
		if err := again.AppendNode(data, plain); err != nil {
			t.Fatal(err)
		}
	}
	if l.nodes != nil {
		bytes := 0
		for n := range l.nodes.Ascend(0) {
			bytes += cap(n.buf)
		}
		if bytes != l.nodes.bytes {
			t.Fatalf("%d bytes of nodes, noted %d", bytes, l.nodes.bytes)
		}
	}
	again.Pack(usual)
	if got := strs(again.Ascend(0)); !slices.Equal(got, model) {
		t.Fatalf("built of its nodes: %.200q", got)
	}
}

func FuzzModel(f *testing.F) {
	f.Add(uint64(1), 500, -1, 0, uint8(60))
	f.Add(uint64(2), 3000, 4, 0, uint8(70))
	f.Add(uint64(3), 3000, 1, 50, uint8(70))
	f.Add(uint64(4), 1000, -5, 40, uint8(55))
	f.Fuzz(func(t *testing.T, seed uint64, steps, fill, plain int, growth uint8) {
		r := rand.New(rand.NewPCG(seed, 1))
		opt := Options{min(max(fill, -9), 1<<20), max(plain, 0)}
		l, model := New(), []string{}
		var frozen []*List
		var then [][]string
		text := func() string {
			s := fmt.Sprint(r.IntN(1000))
			if r.IntN(10) == 0 {
				s = strings.Repeat("x", r.IntN(200)) + s
			}
			if r.IntN(100) == 0 {
				s = strings.Repeat("y", r.IntN(5000)) + s
			}
			return s
		}
		for step := range min(steps, 4000) {
			grow := r.IntN(100) < int(growth)%101
			if step%1000 > 700 {
				grow = !grow
			}
			e := text()
			switch op := r.IntN(4); {
			case len(model) == 0 || grow && op == 0:
				l.PushBack([]byte(e), opt)
				model = append(model, e)
			case grow && op == 1:
				l.PushFront([]byte(e), opt)
				model = slices.Insert(model, 0, e)
			case grow:
				i := r.IntN(len(model) + 1)
				l.Insert(i, []byte(e), opt)
				model = slices.Insert(model, i, e)
			case op == 0:
				if got := l.PopFront(nil); string(got) != model[0] {
					t.Fatalf("popped %q, not %q", got, model[0])
				}
				model = model[1:]
			case op == 1:
				if got := l.PopBack(nil); string(got) != model[len(model)-1] {
					t.Fatalf("popped %q, not %q", got, model[len(model)-1])
				}
				model = model[:len(model)-1]
			case op == 2:
				i := r.IntN(len(model))
				l.Set(i, []byte(e), opt)
				model[i] = e
			default:
				i := r.IntN(len(model))
				n := min(r.IntN(8), len(model)-i)
				l.DeleteRange(i, n)
				model = slices.Delete(model, i, i+n)
				l.Shrink(opt)
			}
			if len(model) > 0 {
				i := r.IntN(len(model))
				var scratch [20]byte
				if got := l.At(i, scratch[:]); string(got) != model[i] {
					t.Fatalf("element %d is %q, not %q", i, got, model[i])
				}
			}
			if r.IntN(300) == 0 {
				check(t, l, model)
				frozen, then = append(frozen, l.Freeze().(*List)), append(then, slices.Clone(model))
				if r.IntN(3) == 0 { // go on with the copy
					last := len(frozen) - 1
					l, frozen[last] = frozen[last], l
				}
			}
		}
		check(t, l, model)
		for i := range frozen {
			check(t, frozen[i], then[i])
		}
		if n := len(model); n > 0 {
			i := r.IntN(n)
			if got := strs(l.Ascend(i)); !slices.Equal(got, model[i:]) {
				t.Fatalf("from %d on: %.200q", i, got)
			}
			if got := strs(l.Descend(i)); len(got) != i+1 || got[0] != model[i] {
				t.Fatalf("from %d down: %.200q", i, got)
			}
		}
	})
}

func TestEncodings(t *testing.T) {
	e := []byte(strings.Repeat("x", 100))
	for _, c := range []struct {
		opt          Options
		small, large int
	}{{usual, 79, 80}, {Options{Fill: -1}, 39, 40}, {Options{Fill: 3}, 3, 4}, {Options{Fill: 0}, 1, 2}} {
		l := New()
		for range c.small {
			l.PushBack(e, c.opt)
		}
		if l.Encoding() != "listpack" {
			t.Errorf("%+v: %d elements are too many", c.opt, c.small)
		}
		for range c.large - c.small {
			l.PushBack(e, c.opt)
		}
		if l.Encoding() != "quicklist" {
			t.Errorf("%+v: %d elements are a listpack", c.opt, c.large)
		}
		l.PopBack(nil)
		if l.Shrink(c.opt); l.Encoding() != "quicklist" {
			t.Errorf("%+v: back too soon", c.opt)
		}
		for l.Len() > c.small/2 {
			l.PopBack(nil)
		}
		if l.Shrink(c.opt); l.Encoding() != "listpack" {
			t.Errorf("%+v: not back with %d", c.opt, l.Len())
		}
	}
	l := New()
	if l.Grow(9000, 2, usual); l.Encoding() != "quicklist" {
		t.Error("it did not grow for what comes")
	}
	l.PushBack([]byte("a"), usual)
	if l.Pack(usual); l.Encoding() != "listpack" {
		t.Error("it was not packed")
	}
}

// A write to a long list that is being saved copies a node and the way to it.
func TestFreezeIsBounded(t *testing.T) {
	l := New()
	for i := range 200000 {
		l.PushBack(fmt.Append(nil, i), Options{Fill: 32})
	}
	n := testing.AllocsPerRun(100, func() {
		l.Freeze()
		l.PushBack([]byte("x"), Options{Fill: 32})
		l.PopFront(nil)
		l.Set(l.Len()/2, []byte("y"), Options{Fill: 32})
	})
	if n > 60 {
		t.Errorf("%.0f allocations", n)
	}
}

func TestFrozenIsReadBesideWrites(t *testing.T) {
	l := New()
	for i := range 5000 {
		l.PushBack(fmt.Append(nil, i), Options{Fill: 16})
	}
	frozen, done := l.Freeze().(*List), make(chan int)
	go func() {
		i := 0
		for e := range frozen.Ascend(0) {
			if string(e) == fmt.Sprint(i) {
				i++
			}
		}
		done <- i
	}()
	for i := range 5000 {
		l.Set(i, []byte("other"), Options{Fill: 16})
	}
	for range 2000 {
		l.PopFront(nil)
	}
	if n := <-done; n != 5000 {
		t.Error("right are", n)
	}
}

func FuzzAppendNode(f *testing.F) {
	f.Add(listpack.Of("a", "1"), false)
	f.Add(listpack.New(), false)
	f.Add([]byte("plain"), true)
	f.Fuzz(func(t *testing.T, data []byte, plain bool) {
		l := New()
		if l.AppendNode(data, plain) != nil {
			return
		}
		l.Pack(usual)
		check(t, l, append([]string{}, strs(l.Ascend(0))...))
		l.PushBack([]byte("x"), usual)
		l.PopFront(nil)
	})
}

// What an element of 16 bytes costs in a short list and in a long one.
func BenchmarkMemory(b *testing.B) {
	for _, n := range []int{10, 100, 100000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			lists := make([]*List, max(100000/n, 1))
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			for b.Loop() {
				for j := range lists {
					lists[j] = New()
					for i := range n {
						lists[j].PushBack(fmt.Appendf(nil, "element%09d", i), usual)
					}
				}
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(n*len(lists)), "B/element")
			b.ReportMetric(float64(lists[0].Bytes())/float64(n), "accounted-B/element")
			runtime.KeepAlive(lists)
		})
	}
}

func BenchmarkPushPop(b *testing.B) {
	l := New()
	for i := range 100000 {
		l.PushBack(fmt.Append(nil, i), usual)
	}
	buf := make([]byte, 0, 32)
	for b.Loop() {
		l.PushFront([]byte("element"), usual)
		l.PopBack(buf[:0])
	}
}
