package builtin

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSortFirst: the first ones are those that a whole sort has there, nothing is lost, and all are sorted when all are
// asked for. (That equal ones come as in redis is TestDuel's.)
func TestSortFirst(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 20_000 {
		a := make([]int, r.IntN(120))
		for i := range a {
			a[i] = r.IntN(1 + r.IntN(60))
		}
		want := slices.Sorted(slices.Values(a))
		most := r.IntN(len(a) + 3)
		got := slices.Clone(a)
		sortFirst(got, most, cmp.Compare[int])
		if n := min(most, len(a)); !slices.Equal(got[:n], want[:n]) {
			t.Fatalf("the first %d of %v are %v", most, a, got)
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Fatalf("%v became %v", a, got)
		}
	}
}
