package intset

import (
	"encoding/hex"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// redis 7.0.15 made these bytes, adding one after the other.
func TestSameBytesAsRedis(t *testing.T) {
	is := New()
	for _, step := range []struct {
		add  []int64
		want string
	}{
		{[]int64{1, 2, 300, -5}, "0200000004000000fbff010002002c01"},
		{[]int64{70000}, "0400000005000000fbffffff01000000020000002c01000070110100"},
		{[]int64{-5000000000}, "080000000600000000" + "0efad5fefffffffbffffffffffffff010000000000000002000000000000002c010000000000007011010000000000"},
	} {
		for _, v := range step.add {
			is, _ = Add(is, v)
		}
		if got := hex.EncodeToString(is); got != step.want {
			t.Errorf("after %d: %s instead of %s", step.add, got, step.want)
		}
		if err := Validate(is); err != nil {
			t.Error(err)
		}
	}
}

func TestValidateRefuses(t *testing.T) {
	for _, bad := range []string{"", "02000000", "0200000000000000", "0300000001000000000000", "02000000020000000100", "02000000020000000200" +
		"0100", "020000000200000001000100", "02000000ffffffff0100", "08000000ffffffff"} {
		b, err := hex.DecodeString(bad)
		if err != nil {
			t.Fatal(err)
		}
		if Validate(b) == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
}

var edges = []int64{0, 1, -1, math.MaxInt16, math.MinInt16, math.MaxInt16 + 1, math.MinInt16 - 1, math.MaxInt32, math.MinInt32,
	math.MaxInt32 + 1, math.MinInt32 - 1, math.MaxInt64, math.MinInt64}

func FuzzModel(f *testing.F) {
	f.Add(uint64(1), 300)
	f.Add(uint64(7), 30)
	f.Fuzz(func(t *testing.T, seed uint64, steps int) {
		r := rand.New(rand.NewPCG(seed, 0))
		is, model := New(), map[int64]bool{}
		for range min(steps, 500) {
			v := edges[r.IntN(len(edges))]
			if r.IntN(3) > 0 {
				v = r.Int64N(200) - 100
			}
			var did bool
			if r.IntN(3) > 0 {
				is, did = Add(is, v)
				if did == model[v] {
					t.Fatalf("adding %d: %v", v, did)
				}
				model[v] = true
			} else {
				is, did = Remove(is, v)
				if did != model[v] {
					t.Fatalf("removing %d: %v", v, did)
				}
				delete(model, v)
			}
			if want, got := slices.Sorted(maps.Keys(model)), slices.Collect(All(is)); !slices.Equal(got, want) {
				t.Fatalf("%d instead of %d", got, want)
			}
			if err := Validate(is); (err != nil) != (len(model) == 0) {
				t.Fatal(err)
			}
			if Has(is, v) != model[v] || Has(is, v+1) != model[v+1] {
				t.Fatal("Has is wrong about", v)
			}
		}
	})
}

func FuzzValidate(f *testing.F) {
	for _, v := range edges {
		is, _ := Add(New(), v)
		f.Add(is)
	}
	f.Fuzz(func(t *testing.T, is []byte) {
		if Validate(is) != nil {
			return
		}
		all := slices.Collect(All(is))
		if len(all) != Len(is) || !slices.IsSorted(all) {
			t.Fatal(all)
		}
		more, _ := Add(slices.Clone(is), 12345)
		if less, did := Remove(more, all[0]); !did || Has(less, all[0]) {
			t.Fatal("cannot be changed")
		}
	})
}

// What an integer of a set of 512 costs.
func BenchmarkMemory(b *testing.B) {
	var is []byte
	for b.Loop() {
		is = New()
		for i := range 512 {
			is, _ = Add(is, int64(i*1000))
		}
	}
	b.ReportMetric(float64(cap(is))/512, "B/element")
}
