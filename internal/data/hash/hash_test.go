package hash

import (
	"encoding/hex"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/data/listpack"
	"github.com/skeindb/skein/internal/data/value"
)

var usual = Limits{Entries: 128, Value: 64}

var _ value.Object = (*Hash)(nil)

func check(t *testing.T, h *Hash, model map[string]string) {
	t.Helper()
	got := map[string]string{}
	for f, v := range h.All() {
		got[string(f)] = string(v)
	}
	if !maps.Equal(got, model) || h.Len() != len(model) {
		t.Fatalf("%d fields: %v instead of %v", h.Len(), got, model)
	}
	clear(got)
	for cursor := uint64(0); ; {
		if cursor = h.Scan(cursor, 10, func(f, v []byte) { got[string(f)] = string(v) }); cursor == 0 {
			break
		}
	}
	if !maps.Equal(got, model) {
		t.Fatalf("a scan shows %v instead of %v", got, model)
	}
	clear(got)
	var scratch [20]byte
	for i := range h.Len() {
		f, v := h.At(i, scratch[:])
		got[string(f)] = string(v)
	}
	if !maps.Equal(got, model) {
		t.Fatalf("one by one: %v instead of %v", got, model)
	}
	if lp := h.Listpack(); lp != nil {
		if n, err := listpack.Validate(lp); n != 2*len(model) || err != nil {
			t.Fatal(n, err)
		}
	}
}

func FuzzModel(f *testing.F) {
	f.Add(uint64(1), 300, 8, 20)
	f.Add(uint64(2), 1500, 128, 200)
	f.Add(uint64(3), 300, 0, 20)
	f.Fuzz(func(t *testing.T, seed uint64, steps, entries, fields int) {
		r := rand.New(rand.NewPCG(seed, 1))
		lim := Limits{entries, 64}
		h, model := New(), map[string]string{}
		var frozen []*Hash
		var then []map[string]string
		for range min(steps, 2000) {
			field := fmt.Sprint(r.IntN(max(fields, 1)))
			if r.IntN(2) == 0 {
				field = "field:" + field
			}
			if was, there := model[field]; r.IntN(5) < 3 {
				v := strings.Repeat("1", r.IntN(6))
				if r.IntN(100) == 0 {
					v = strings.Repeat("v", 60+r.IntN(10))
				}
				if h.Set([]byte(field), []byte(v), lim) == there {
					t.Fatalf("%s was there: %v", field, there)
				}
				model[field] = v
			} else {
				var scratch [20]byte
				if v, ok := h.Get([]byte(field), scratch[:]); ok != there || string(v) != was || h.Has([]byte(field)) != there {
					t.Fatalf("%s is %q, %v", field, v, ok)
				}
				if h.Delete([]byte(field)) != there {
					t.Fatalf("%s was there: %v", field, there)
				}
				delete(model, field)
			}
			if h.Encoding() == "listpack" && h.Len() > max(entries, 0) {
				t.Fatal("a listpack of", h.Len())
			}
			if r.IntN(100) == 0 {
				frozen, then = append(frozen, h.Freeze().(*Hash)), append(then, maps.Clone(model))
				if r.IntN(3) == 0 { // go on with the copy
					last := len(frozen) - 1
					h, frozen[last] = frozen[last], h
				}
				check(t, h, model)
			}
		}
		check(t, h, model)
		for i := range frozen {
			check(t, frozen[i], then[i])
		}
	})
}

func TestEncodings(t *testing.T) {
	h := New()
	for i := range 128 {
		h.Set(fmt.Append(nil, i), []byte(strings.Repeat("x", 64)), usual)
	}
	if h.Encoding() != "listpack" {
		t.Error("a table at the limit")
	}
	h.Set([]byte("one more"), nil, usual)
	if h.Encoding() != "hashtable" {
		t.Error("a listpack beyond the limit")
	}
	h = New()
	h.Set([]byte("a"), []byte(strings.Repeat("x", 65)), usual)
	if h.Encoding() != "hashtable" {
		t.Error("a listpack with a long value")
	}
	h = New()
	if h.Expect(128, 64, 0, usual); h.Encoding() != "listpack" {
		t.Error("a table too early")
	}
	if h.Expect(129, 0, 0, usual); h.Encoding() != "hashtable" {
		t.Error("a listpack although many will come")
	}
	// As redis 7 has HSET h a 1 b xyz 10 20.
	h = New()
	for _, p := range [][2]string{{"a", "1"}, {"b", "xyz"}, {"10", "20"}} {
		h.Set([]byte(p[0]), []byte(p[1]), usual)
	}
	if got := hex.EncodeToString(h.Listpack()); got != "18000000060081610201018162028378797a040a011401ff" {
		t.Error(got)
	}
}

func FuzzFromListpack(f *testing.F) {
	f.Add(listpack.Of("a", "1", "b", "2"))
	f.Add(listpack.Of("a", "1", "a", "2"))
	f.Add(listpack.Of("a"))
	f.Add(listpack.New())
	f.Fuzz(func(t *testing.T, lp []byte) {
		for _, lim := range []Limits{usual, {1, 1}} {
			h, err := FromListpack(append([]byte(nil), lp...), lim)
			if err != nil {
				continue
			}
			model := map[string]string{}
			for f, v := range h.All() {
				model[string(f)] = string(v)
			}
			check(t, h, model)
			h.Set([]byte("new field"), []byte("v"), lim)
			model["new field"] = "v"
			check(t, h, model)
		}
	})
}

// What a field of 8 bytes with a value of 16 costs, in a small hash and in a large one.
func BenchmarkMemory(b *testing.B) {
	for _, n := range []int{10, 100, 100000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			hashes := make([]*Hash, max(100000/n, 1))
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			for b.Loop() {
				for j := range hashes {
					hashes[j] = New()
					for i := range n {
						hashes[j].Set(fmt.Appendf(nil, "field%03d", i), fmt.Appendf(nil, "value%011d", i), usual)
					}
				}
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			count := float64(n * len(hashes))
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/count, "B/field")
			b.ReportMetric(float64(hashes[0].Bytes())/float64(n), "accounted-B/field")
			runtime.KeepAlive(hashes)
		})
	}
}
