package set

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/data/intset"
	"github.com/skeindb/skein/internal/data/listpack"
	"github.com/skeindb/skein/internal/data/value"
)

var usual = Limits{Integers: 512, Entries: 128, Value: 64}

var _ value.Object = (*Set)(nil)

func check(t *testing.T, s *Set, model map[string]bool) {
	t.Helper()
	got := map[string]bool{}
	for m := range s.All() {
		got[string(m)] = true
	}
	if !maps.Equal(got, model) || s.Len() != len(model) {
		t.Fatalf("%d members: %v instead of %v", s.Len(), got, model)
	}
	clear(got)
	for cursor := uint64(0); ; {
		if cursor = s.Scan(cursor, 10, func(m []byte) { got[string(m)] = true }); cursor == 0 {
			break
		}
	}
	if !maps.Equal(got, model) {
		t.Fatalf("a scan shows %v instead of %v", got, model)
	}
	clear(got)
	var scratch [20]byte
	for i := range s.Len() {
		got[string(s.At(i, scratch[:]))] = true
	}
	if !maps.Equal(got, model) {
		t.Fatalf("one by one: %v instead of %v", got, model)
	}
}

func FuzzModel(f *testing.F) {
	f.Add(uint64(1), 300, 10, 8, 30, true)
	f.Add(uint64(2), 2000, 512, 128, 1000, false)
	f.Add(uint64(3), 2000, 100, 500, 300, true)
	f.Add(uint64(4), 100, 0, 0, 30, true)
	f.Fuzz(func(t *testing.T, seed uint64, steps, integers, entries, members int, words bool) {
		r := rand.New(rand.NewPCG(seed, 1))
		lim := Limits{integers, entries, 64}
		var s *Set
		model := map[string]bool{}
		var frozen []*Set
		var then []map[string]bool
		for range min(steps, 2000) {
			m := fmt.Sprint(r.IntN(max(members, 1)) - 10)
			if words && r.IntN(20) == 0 {
				m = strings.Repeat("m", r.IntN(70)) + m
			}
			if s == nil {
				s = New([]byte(m), 0, lim)
			}
			if r.IntN(5) < 3 {
				if s.Add([]byte(m), lim) == model[m] {
					t.Fatalf("%s was there: %v", m, model[m])
				}
				model[m] = true
			} else {
				if s.Has([]byte(m)) != model[m] || s.Remove([]byte(m)) != model[m] {
					t.Fatalf("%s was there: %v", m, model[m])
				}
				delete(model, m)
			}
			switch s.Encoding() {
			case "intset":
				if s.Len() > integers {
					t.Fatal("an intset of", s.Len())
				}
			case "listpack":
				if s.Len() > max(entries, 0) {
					t.Fatal("a listpack of", s.Len())
				}
			}
			if r.IntN(100) == 0 {
				frozen, then = append(frozen, s.Freeze().(*Set)), append(then, maps.Clone(model))
				if r.IntN(3) == 0 { // go on with the copy
					last := len(frozen) - 1
					s, frozen[last] = frozen[last], s
				}
				check(t, s, model)
			}
			if r.IntN(100) == 0 {
				s.Integers(lim)
			}
		}
		if s != nil {
			check(t, s, model)
		}
		for i := range frozen {
			check(t, frozen[i], then[i])
		}
	})
}

func TestEncodings(t *testing.T) {
	add := func(s *Set, members ...string) *Set {
		for _, m := range members {
			s.Add([]byte(m), usual)
		}
		return s
	}
	many := func(n int) (all []string) {
		for i := range n {
			all = append(all, fmt.Sprint(i))
		}
		return all
	}
	long := strings.Repeat("x", 65)
	for _, c := range []struct {
		s    *Set
		want string
	}{
		{add(New([]byte("1"), 0, usual), many(512)...), "intset"},
		{add(New([]byte("1"), 0, usual), many(513)...), "hashtable"},
		{add(New([]byte("1"), 0, usual), append(many(127), "a")...), "listpack"},
		{add(New([]byte("1"), 0, usual), append(many(128), "a")...), "hashtable"},
		{add(New([]byte("1"), 0, usual), "1", long), "hashtable"},
		{add(New([]byte("a"), 0, usual), append(many(127), "a")...), "listpack"},
		{add(New([]byte("a"), 0, usual), append(many(128), "a")...), "hashtable"},
		{add(New([]byte("a"), 0, usual), long), "hashtable"},
		{New([]byte("1"), 513, usual), "hashtable"},
		{New([]byte("a"), 128, usual), "listpack"},
		{New([]byte("a"), 129, usual), "hashtable"},
	} {
		if got := c.s.Encoding(); got != c.want {
			t.Errorf("%d members: %s instead of %s", c.s.Len(), got, c.want)
		}
		integers := c.s.Len() > 0 && c.s.Len() <= 512
		for m := range c.s.All() {
			integers = integers && m[0] >= '0' && m[0] <= '9'
		}
		if c.s.Integers(usual); integers && c.s.Encoding() != "intset" {
			t.Error("integers became", c.s.Encoding())
		}
	}
}

func FuzzFromBytes(f *testing.F) {
	f.Add(listpack.Of("a", "1", "b", "2"))
	f.Add(listpack.Of("a", "a"))
	is, _ := intset.Add(intset.New(), 77)
	f.Add(is)
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, from := range []func([]byte, Limits) (*Set, error){FromListpack, FromIntset} {
			for _, lim := range []Limits{usual, {1, 1, 1}} {
				s, err := from(append([]byte(nil), b...), lim)
				if err != nil {
					continue
				}
				model := map[string]bool{}
				for m := range s.All() {
					model[string(m)] = true
				}
				s.Add([]byte("another"), lim)
				model["another"] = true
				check(t, s, model)
			}
		}
	})
}

// What a member costs: 16 bytes in a small set and in a large one, and an integer.
func BenchmarkMemory(b *testing.B) {
	for _, c := range []struct {
		format string
		n      int
	}{{"%d", 500}, {"member%010d", 100}, {"member%010d", 100000}} {
		b.Run(fmt.Sprintf(c.format, c.n), func(b *testing.B) {
			sets := make([]*Set, max(100000/c.n, 1))
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			for b.Loop() {
				for j := range sets {
					sets[j] = New(fmt.Appendf(nil, c.format, 0), 0, usual)
					for i := range c.n {
						sets[j].Add(fmt.Appendf(nil, c.format, i), usual)
					}
				}
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(c.n*len(sets)), "B/member")
			b.ReportMetric(float64(sets[0].Bytes())/float64(c.n), "accounted-B/member")
			runtime.KeepAlive(sets)
		})
	}
}
