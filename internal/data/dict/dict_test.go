package dict

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"unsafe"
)

// check compares a dictionary with a map, by every way to read it.
func check(t *testing.T, d *Dict, model map[string]string) {
	t.Helper()
	if d.Len() != len(model) {
		t.Fatalf("%d entries instead of %d", d.Len(), len(model))
	}
	seen := 0
	for id := range d.All() {
		k, v := d.Get(id)
		if want, ok := model[string(k)]; !ok || want != string(v) || string(d.Key(id)) != string(k) || string(d.Value(id)) != want {
			t.Fatalf("%.20q is %.20q", k, v)
		}
		seen++
	}
	if seen != len(model) {
		t.Fatalf("All yields %d of %d", seen, len(model))
	}
	for k := range model {
		if id, ok := d.Find([]byte(k)); !ok || string(d.Key(id)) != k {
			t.Fatalf("%.20q is not found", k)
		}
	}
	ids := map[ID]bool{}
	for i := range d.Len() {
		ids[d.At(i)] = true
	}
	if len(ids) != len(model) {
		t.Fatalf("At yields %d of %d", len(ids), len(model))
	}
	mem := 0
	for _, r := range d.rooms {
		for _, p := range r.pages {
			if p != nil {
				mem += p.bytes()
			}
		}
	}
	if d.recent != nil {
		mem += int(unsafe.Sizeof(*d.recent))
	}
	if other := d.mem - mem; other < 0 || other > 500+100*len(d.rooms)+20*d.pages {
		t.Fatalf("%d bytes, of them %d in pages", d.mem, mem)
	}
}

// text is a string of one of the lengths at which records change their form.
func text(r *rand.Rand, n int) string {
	lengths := []int{0, 1, 5, 16, 252, 253, 254, 255, 300, 500, 508, 509, 510, 520, 5000, 70000}
	s := fmt.Sprint(r.IntN(n))
	i := r.IntN(4)
	if r.IntN(40) == 0 {
		i = r.IntN(len(lengths))
	}
	return strings.Repeat("x", max(lengths[i]-len(s), 0)) + s
}

// prefetch prefetches keys that are there and others.
func prefetch(t *testing.T, r *rand.Rand, d *Dict, model map[string]string, keys int) {
	t.Helper()
	var names [][]byte
	there := 0
	for range r.IntN(40) {
		k := text(r, keys)
		names = append(names, []byte(k))
		if _, ok := model[k]; ok {
			there++
		}
	}
	if found := d.Prefetch(names, nil); len(found) < there {
		t.Fatalf("%d of %d keys are found ahead", len(found), there)
	}
	for _, k := range names {
		if id, ok := d.Find(k); ok && string(d.Key(id)) != string(k) {
			t.Fatalf("%.20q is found for %.20q", d.Key(id), k)
		}
	}
}

func FuzzModel(f *testing.F) {
	f.Add(uint64(1), 1000, uint8(60), uint16(300))
	f.Add(uint64(2), 3000, uint8(80), uint16(3000))
	f.Add(uint64(3), 3000, uint8(30), uint16(50))
	f.Fuzz(func(t *testing.T, seed uint64, steps int, growth uint8, keys uint16) {
		r := rand.New(rand.NewPCG(seed, uint64(growth)))
		d, model := New(), map[string]string{}
		type pair struct {
			dict  *Dict
			model map[string]string
		}
		copies := []pair{}
		for step := range min(steps, 4000) {
			k, v := text(r, int(keys)+1), text(r, 1000)
			grow := r.IntN(100) < int(growth)%101
			if step%1000 > 600 {
				grow = !grow
			}
			if grow {
				_, there := model[k]
				if _, isNew := d.Put([]byte(k), []byte(v)); isNew == there {
					t.Fatalf("%.20q is new: %v", k, isNew)
				}
				model[k] = v
			} else {
				_, there := model[k]
				if d.Delete([]byte(k)) != there {
					t.Fatalf("%.20q was there: %v", k, there)
				}
				delete(model, k)
			}
			if r.IntN(20) == 0 {
				prefetch(t, r, d, model, int(keys)+1)
			}
			if r.IntN(300) == 0 {
				check(t, d, model)
				c := map[string]string{}
				for k, v := range model {
					c[k] = v
				}
				copies = append(copies, pair{d.Freeze(), c})
				if r.IntN(3) == 0 { // go on with the copy
					last := &copies[len(copies)-1]
					d, last.dict = last.dict, d
				}
			}
		}
		check(t, d, model)
		for _, c := range copies {
			check(t, c.dict, c.model)
		}
	})
}

// Keys of one hash are told apart.
func TestCollisions(t *testing.T) {
	d := New()
	first := map[uint64]string{}
	var a, b string
	for i := 0; b == ""; i++ {
		k := fmt.Sprint(i)
		if was, ok := first[d.hash([]byte(k))]; ok {
			a, b = was, k
		}
		first[d.hash([]byte(k))] = k
	}
	for _, order := range [][2]string{{a, b}, {b, a}} {
		for _, k := range order {
			d.Put([]byte(k), []byte("of "+k))
		}
		seen := 0
		if next := d.Scan(0, 1, func(ID) { seen++ }); next != 0 || seen != 2 {
			t.Errorf("a scan of keys of one hash shows %d and goes on at %d", seen, next)
		}
		if !d.Delete([]byte(order[0])) || d.Delete([]byte(order[0])) {
			t.Error("deleting failed")
		}
		if id, ok := d.Find([]byte(order[1])); !ok || string(d.Value(id)) != "of "+order[1] {
			t.Error("the other key is gone")
		}
		d.Delete([]byte(order[1]))
	}
}

// What stays is seen once, while others come and go.
func FuzzScan(f *testing.F) {
	f.Add(uint64(1), 500, 7)
	f.Add(uint64(2), 5000, 100)
	f.Fuzz(func(t *testing.T, seed uint64, n, count int) {
		r := rand.New(rand.NewPCG(seed, 0))
		n = min(max(n, 1), 5000)
		d := New()
		for i := range n {
			d.Put(fmt.Append(nil, i), nil)
		}
		seen := map[string]int{}
		for cursor := uint64(0); ; {
			cursor = d.Scan(cursor, count, func(id ID) { seen[string(d.Key(id))]++ })
			if cursor == 0 {
				break
			}
			for range r.IntN(20) { // odd ones go, even ones are changed, new ones come
				i := r.IntN(n)
				if i%2 == 1 {
					d.Delete(fmt.Append(nil, i))
				} else {
					d.Put(fmt.Append(nil, i), fmt.Append(nil, "new", i))
				}
				d.Put(fmt.Append(nil, "more", r.IntN(n)), nil)
			}
		}
		for i := 0; i < n; i += 2 {
			if c := seen[fmt.Sprint(i)]; c != 1 {
				t.Fatalf("%d was seen %d times", i, c)
			}
		}
	})
}

func TestFreezeIsBounded(t *testing.T) {
	d := New()
	for i := range 30000 {
		d.Put(fmt.Append(nil, "key", i), []byte("value"))
	}
	i := 0
	n := testing.AllocsPerRun(100, func() {
		d.Freeze()
		d.Put(fmt.Append(nil, "key", i), []byte("eulav"))
		d.Delete(fmt.Append(nil, "key", i+1))
		i += 2
	})
	if n > 40 {
		t.Errorf("%.0f allocations", n)
	}
}

func TestFrozenIsReadBesideWrites(t *testing.T) {
	d := New()
	for i := range 5000 {
		d.Put(fmt.Append(nil, i), fmt.Append(nil, i))
	}
	frozen, done := d.Freeze(), make(chan int)
	go func() {
		n := 0
		for id := range frozen.All() {
			if k, v := frozen.Get(id); string(k) == string(v) {
				n++
			}
		}
		done <- n
	}()
	for i := range 5000 {
		d.Put(fmt.Append(nil, i), []byte("other"))
		d.Delete(fmt.Append(nil, i/2))
	}
	if n := <-done; n != 5000 {
		t.Error("right are", n)
	}
}

func BenchmarkMemory(b *testing.B) {
	for _, shape := range []struct{ key, value int }{{16, 0}, {16, 16}, {16, 8}, {8, 100}} {
		b.Run(fmt.Sprintf("key=%d/value=%d", shape.key, shape.value), func(b *testing.B) {
			const n = 1 << 18
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			d := New()
			value := make([]byte, shape.value)
			for b.Loop() {
				d = New()
				for i := range n {
					d.Put(fmt.Appendf(nil, "%0*d", shape.key, i), value)
				}
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "B/entry")
			b.ReportMetric(float64(d.Bytes())/n, "accounted-B/entry")
			runtime.KeepAlive(d)
		})
	}
}

func BenchmarkFind(b *testing.B) {
	const n = 1 << 20
	d := New()
	for i := range n {
		d.Put(fmt.Appendf(nil, "%016d", i), nil)
	}
	r := rand.New(rand.NewPCG(1, 1))
	keys := make([][]byte, 4096)
	for i := range keys {
		keys[i] = fmt.Appendf(nil, "%016d", r.IntN(n))
	}
	i := 0
	for b.Loop() {
		d.Find(keys[i%len(keys)])
		i++
	}
}

// BenchmarkFindFew finds keys of a dictionary that is about as large as a processor's cache, each after a Prefetch of
// sixteen or none.
func BenchmarkFindFew(b *testing.B) {
	const n = 100_000
	d := New()
	for i := range n {
		d.Put(fmt.Appendf(nil, "member:%012d", i), nil)
	}
	r := rand.New(rand.NewPCG(1, 1))
	keys := make([][]byte, 1<<16)
	for i := range keys {
		keys[i] = fmt.Appendf(nil, "member:%012d", r.IntN(n))
	}
	for _, atOnce := range []int{0, 16} {
		b.Run(fmt.Sprint("prefetch=", atOnce), func(b *testing.B) {
			defer userTime(b)()
			i := 0
			for b.Loop() {
				if atOnce > 0 && i%atOnce == 0 {
					d.Prefetch(keys[i:i+atOnce], nil)
				}
				if _, ok := d.Find(keys[i]); !ok {
					b.Fatal("not found")
				}
				i = (i + 1) % len(keys)
			}
		})
	}
}
