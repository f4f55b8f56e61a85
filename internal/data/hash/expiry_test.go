package hash

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
)

// FuzzExpiry gives and takes deadlines, in small hashes and in large ones.
func FuzzExpiry(f *testing.F) {
	f.Add(uint64(1), 300, 10)
	f.Add(uint64(2), 2000, 500)
	f.Fuzz(func(t *testing.T, seed uint64, steps, fields int) {
		r := rand.New(rand.NewPCG(seed, 1))
		h, there, due := New(), map[string]bool{}, map[string]int64{}
		check := func(h *Hash, due map[string]int64) {
			t.Helper()
			got, last := map[string]int64{}, int64(0)
			for f, ms := range h.Deadlines() {
				if ms < last {
					t.Fatal("out of order")
				}
				got[string(f)], last = ms, ms
			}
			if !maps.Equal(got, due) || h.Volatile() != len(due) {
				t.Fatalf("%v instead of %v", got, due)
			}
		}
		var frozen []*Hash
		var then []map[string]int64
		for step := range min(steps, 3000) {
			name := fmt.Sprint("field", r.IntN(max(fields, 1)))
			field := []byte(name)
			switch r.IntN(5) {
			case 0, 1:
				h.Set(field, fmt.Append(nil, step), usual)
				there[name] = true
			case 2:
				ms := int64(1)<<50 + int64(r.IntN(1000))
				if h.SetExpiry(field, ms) != there[name] {
					t.Fatal("a deadline for", name, there[name])
				}
				if there[name] {
					due[name] = ms
				}
			case 3:
				_, had := due[name]
				if h.Persist(field) != had {
					t.Fatal("had a deadline:", had)
				}
				delete(due, name)
			default:
				if h.Delete(field) != there[name] {
					t.Fatal("was there:", there[name])
				}
				delete(there, name)
				delete(due, name)
			}
			ms, ok := h.Expiry(field)
			if want, had := due[name]; ok != had || ms != want {
				t.Fatalf("%s: %d, %v", name, ms, ok)
			}
			if next, ok := h.NextExpiry(); ok != (len(due) > 0) || ok && next > minimum(due) {
				t.Fatal(next, ok)
			}
			if r.IntN(200) == 0 {
				check(h, due)
				frozen, then = append(frozen, h.Freeze().(*Hash)), append(then, maps.Clone(due))
				if r.IntN(3) == 0 { // go on with the copy
					last := len(frozen) - 1
					h, frozen[last] = frozen[last], h
				}
			}
		}
		check(h, due)
		for i := range frozen {
			check(frozen[i], then[i])
		}
	})
}

func minimum(due map[string]int64) int64 {
	least := int64(1 << 62)
	for _, ms := range due {
		least = min(least, ms)
	}
	return least
}
