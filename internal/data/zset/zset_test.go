package zset

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/data/listpack"
	"github.com/skeindb/skein/internal/data/value"
)

var _ value.Object = (*ZSet)(nil)

var usual = Limits{Entries: 128, Value: 64}

type pair struct {
	m     string
	score float64
}

func sorted(model map[string]float64) (all []pair) {
	for m, s := range model {
		all = append(all, pair{m, s})
	}
	slices.SortFunc(all, func(a, b pair) int { return cmp.Or(cmp.Compare(a.score, b.score), cmp.Compare(a.m, b.m)) })
	return all
}

func collect(seq func(func([]byte, float64) bool)) (all []pair) {
	for m, s := range seq {
		all = append(all, pair{string(m), s})
	}
	return all
}

// items are pairs in another order.
func items(pairs []pair) (all []Item) {
	for i := len(pairs) - 1; i >= 0; i-- {
		all = append(all, Item{[]byte(pairs[i].m), pairs[i].score})
	}
	return all
}

func check(t *testing.T, z *ZSet, model map[string]float64) {
	t.Helper()
	want := sorted(model)
	if got := collect(z.Ascend(0)); !slices.Equal(got, want) || z.Len() != len(model) {
		t.Fatalf("%d members %v instead of %v", z.Len(), got, want)
	}
	down := slices.Clone(want)
	slices.Reverse(down)
	if got := collect(z.Descend(z.Len() - 1)); !slices.Equal(got, down) {
		t.Fatalf("downwards %v instead of %v", got, down)
	}
	for _, direction := range [][]pair{want, down} {
		i, n, names := 0, len(want)*2/3, []string(nil)
		if len(want) > 0 && direction[0] != want[0] {
			i = len(want) - 1
		}
		for m := range z.Members(i, n, i > 0) {
			names = append(names, string(m))
		}
		for k, p := range direction[:n] {
			if len(names) != n || names[k] != p.m {
				t.Fatalf("members %v instead of %v", names, direction[:n])
			}
		}
	}
	if again := collect(Of(items(want), usual).Ascend(0)); !slices.Equal(again, want) {
		t.Fatalf("made of its items it is %v instead of %v", again, want)
	}
	got := map[string]float64{}
	for cursor := uint64(0); ; {
		if cursor = z.Scan(cursor, 10, func(m []byte, s float64) { got[string(m)] = s }); cursor == 0 {
			break
		}
	}
	if !maps.Equal(got, model) {
		t.Fatalf("a scan shows %v instead of %v", got, model)
	}
	var scratch [20]byte
	for i, p := range want {
		if r, ok := z.Rank([]byte(p.m)); !ok || r != i {
			t.Fatalf("%s has rank %d, not %d", p.m, r, i)
		}
		if m, s := z.At(i, scratch[:]); string(m) != p.m || s != p.score {
			t.Fatalf("rank %d is %s %v, not %v", i, m, s, p)
		}
	}
}

func FuzzModel(f *testing.F) {
	f.Add(uint64(1), 300, 10, 20, 5)
	f.Add(uint64(2), 3000, 128, 1000, 1000)
	f.Add(uint64(3), 2000, 0, 300, 1)
	f.Add(uint64(4), 2000, 1000, 100, 3)
	f.Fuzz(func(t *testing.T, seed uint64, steps, entries, members, scores int) {
		r := rand.New(rand.NewPCG(seed, 1))
		lim := Limits{entries, 64}
		z, model := New(0, 0, lim), map[string]float64{}
		special := []float64{0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), 0.1, -3e-9, 1e300, 1 << 62}
		var frozen []*ZSet
		var then []map[string]float64
		for range min(steps, 3000) {
			m := fmt.Sprint(r.IntN(max(members, 1)))
			if r.IntN(200) == 0 {
				m = strings.Repeat("m", 60+r.IntN(10)) + m
			}
			score := float64(r.IntN(max(scores, 1))) / 4
			if r.IntN(10) == 0 {
				score = special[r.IntN(len(special))]
			}
			was, there := model[m]
			switch op := r.IntN(20); {
			case op < 13:
				if z.Set([]byte(m), score, lim) == there {
					t.Fatalf("%s was there: %v", m, there)
				}
				model[m] = score
			case op < 18:
				if s, ok := z.Score([]byte(m)); ok != there || s != was {
					t.Fatalf("%s has score %v, %v, not %v", m, s, ok, was)
				}
				if z.Delete([]byte(m)) != there {
					t.Fatalf("%s was there: %v", m, there)
				}
				delete(model, m)
			case op == 18:
				if n := len(model); n > 0 {
					i := r.IntN(n)
					k := r.IntN(min(n-i, 5) + 1)
					for _, p := range sorted(model)[i : i+k] {
						delete(model, p.m)
					}
					z.DeleteRange(i, k)
				}
			default:
				for _, orEqual := range []bool{false, true} {
					n := 0
					for _, s := range model {
						if s < score || s == score && orEqual {
							n++
						}
					}
					if got := z.Below(score, orEqual); got != n {
						t.Fatalf("%d are below %v (%v), not %d", got, score, orEqual, n)
					}
				}
			}
			if r.IntN(20) == 0 {
				var names [][]byte
				for range r.IntN(40) {
					names = append(names, fmt.Append(nil, r.IntN(max(members, 1))))
				}
				z.Prefetch(names)
				z.PrefetchScores([]float64{score, was, 0, score + 1})
			}
			if z.Encoding() == "listpack" && z.Len() > max(entries, 0) {
				t.Fatal("a listpack of", z.Len())
			}
			if r.IntN(300) == 0 {
				check(t, z, model)
				frozen, then = append(frozen, z.Freeze().(*ZSet)), append(then, maps.Clone(model))
				if r.IntN(3) == 0 { // go on with the copy
					last := len(frozen) - 1
					z, frozen[last] = frozen[last], z
				}
				longest := 0
				for m := range model {
					longest = max(longest, len(m))
				}
				z.Pack(longest, lim)
			}
		}
		check(t, z, model)
		for i := range frozen {
			check(t, frozen[i], then[i])
		}
	})
}

func TestLexBelow(t *testing.T) {
	for _, lim := range []Limits{usual, {}} {
		z := New(0, 0, lim)
		for i := range 100 {
			z.Set(fmt.Appendf(nil, "%03d", i*2), 7, lim)
		}
		for i := range 200 {
			m := fmt.Appendf(nil, "%03d", i)
			if got := z.LexBelow(m, false); got != (i+1)/2 {
				t.Errorf("%d are less than %s", got, m)
			}
			if got := z.LexBelow(m, true); got != i/2+1 {
				t.Errorf("%d are not greater than %s", got, m)
			}
		}
	}
}

// redis 7.0.15 made these bytes of the same members. (It writes 0.1 with 17 digits; 7.2 writes the fewest, as we do.)
func TestSameBytesAsRedis(t *testing.T) {
	z := New(0, 0, usual)
	z.Set([]byte("a"), 1, usual)
	z.Set([]byte("b"), 1.5, usual)
	z.Set([]byte("7"), -2, usual)
	z.Set([]byte("c"), math.Inf(1), usual)
	z.Set([]byte("d"), 1e22, usual)
	z.Set([]byte("z"), math.Copysign(0, -1), usual)
	z.Delete([]byte("z"))
	const want = "2b0000000a000701dffe02816102010181620283312e3504816402" + "8531652b32320681630283696e6604ff"
	if got := hex.EncodeToString(z.Listpack()); got != want {
		t.Errorf("%s instead of %s", got, want)
	}
}

func TestEncodings(t *testing.T) {
	z := New(0, 0, usual)
	for i := range 128 {
		z.Set(fmt.Appendf(nil, "%064d", i), float64(i), usual)
	}
	if z.Encoding() != "listpack" {
		t.Error("large at the limit")
	}
	z.Set([]byte("one more"), 1, usual)
	if z.Encoding() != "skiplist" {
		t.Error("small beyond the limit")
	}
	z.DeleteRange(0, 1)
	if z.Pack(64, usual); z.Encoding() != "listpack" {
		t.Error("not packed")
	}
	z.Set([]byte(strings.Repeat("x", 65)), 1, usual)
	if z.Encoding() != "skiplist" {
		t.Error("small with a long member")
	}
	if New(129, 1, usual).Encoding() != "skiplist" || New(1, 65, usual).Encoding() != "skiplist" || New(128, 64, usual).Encoding() != "listpack" {
		t.Error("New is wrong")
	}
}

func FuzzFromListpack(f *testing.F) {
	f.Add(listpack.Of("a", "1", "b", "2.5"))
	f.Add(listpack.Of("b", "2", "a", "-inf"))
	f.Add(listpack.Of("a", "nan"))
	f.Add(listpack.Of("a", "1", "a", "1"))
	f.Add(listpack.New())
	f.Fuzz(func(t *testing.T, lp []byte) {
		for _, lim := range []Limits{usual, {1, 1}} {
			z, err := FromListpack(append([]byte(nil), lp...), lim)
			if err != nil {
				continue
			}
			model := map[string]float64{}
			for m, s := range z.Ascend(0) {
				model[string(m)] = s
			}
			check(t, z, model)
			z.Set([]byte("another"), 3, lim)
			model["another"] = 3
			check(t, z, model)
		}
	})
}

// A write to a large set that is being saved copies a page and two ways from the root.
func TestFreezeIsBounded(t *testing.T) {
	z := New(0, 0, Limits{})
	for i := range 30000 {
		z.Set(fmt.Append(nil, i), float64(i), usual)
	}
	i := 0
	n := testing.AllocsPerRun(100, func() {
		z.Freeze()
		z.Set(fmt.Append(nil, i), float64(100000+i), usual)
		i++
	})
	if n > 60 {
		t.Errorf("%.0f allocations", n)
	}
}

func TestFrozenIsReadBesideWrites(t *testing.T) {
	z := New(0, 0, Limits{})
	for i := range 5000 {
		z.Set(fmt.Append(nil, i), float64(i), usual)
	}
	frozen, done := z.Freeze().(*ZSet), make(chan int)
	go func() {
		i := 0
		for m, s := range frozen.Ascend(0) {
			if string(m) == fmt.Sprint(i) && s == float64(i) {
				i++
			}
		}
		done <- i
	}()
	for i := range 5000 {
		z.Set(fmt.Append(nil, i), float64(-i), usual)
	}
	z.DeleteRange(0, 2500)
	if n := <-done; n != 5000 {
		t.Error("right are", n)
	}
}

// What a member of 16 bytes costs, in small sets and in a large one.
func BenchmarkMemory(b *testing.B) {
	for _, n := range []int{10, 100, 100000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			sets := make([]*ZSet, max(100000/n, 1))
			r := rand.New(rand.NewPCG(1, 1))
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			for b.Loop() {
				for j := range sets {
					sets[j] = New(0, 0, usual)
					for i := range n {
						sets[j].Set(fmt.Appendf(nil, "member%010d", i), float64(r.IntN(1000000)), usual)
					}
				}
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(n*len(sets)), "B/member")
			b.ReportMetric(float64(sets[0].Bytes())/float64(n), "accounted-B/member")
			runtime.KeepAlive(sets)
		})
	}
}

func benchmarkLarge(b *testing.B, do func(z *ZSet, m []byte, r *rand.Rand)) {
	const n = 1 << 18
	z := New(0, 0, Limits{})
	r := rand.New(rand.NewPCG(1, 1))
	for i := range n {
		z.Set(fmt.Appendf(nil, "member%010d", i), r.Float64(), Limits{})
	}
	members := make([][]byte, 4096)
	for i := range members {
		members[i] = fmt.Appendf(nil, "member%010d", r.IntN(n))
	}
	i := 0
	for b.Loop() {
		do(z, members[i%len(members)], r)
		i++
	}
}

func BenchmarkUpdate(b *testing.B) {
	benchmarkLarge(b, func(z *ZSet, m []byte, r *rand.Rand) { z.Set(m, r.Float64(), Limits{}) })
}

func BenchmarkRank(b *testing.B) {
	benchmarkLarge(b, func(z *ZSet, m []byte, r *rand.Rand) { z.Rank(m) })
}

func BenchmarkRange100(b *testing.B) {
	benchmarkLarge(b, func(z *ZSet, m []byte, r *rand.Rand) {
		n := 0
		for range z.Ascend(r.IntN(100000)) {
			if n++; n == 100 {
				break
			}
		}
	})
}
