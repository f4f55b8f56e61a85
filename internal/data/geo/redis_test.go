package geo

import (
	"cmp"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"testing"
)

// TestSearchesOfRedis repeats random GEOSEARCHes that redis 7.0.15 answered, without a COUNT: the members come in the
// order of the ranges, and in them of the scores.
func TestSearchesOfRedis(t *testing.T) {
	raw, err := os.ReadFile("testdata/redis7.json")
	if err != nil {
		t.Fatal(err)
	}
	var known struct {
		Pts map[string]uint64
		Qs  []struct {
			Lon, Lat, R, W, H float64
			Res               []string
		}
	}
	if err := json.Unmarshal(raw, &known); err != nil {
		t.Fatal(err)
	}
	names := slices.SortedFunc(maps.Keys(known.Pts), func(a, b string) int {
		return cmp.Or(cmp.Compare(known.Pts[a], known.Pts[b]), cmp.Compare(a, b))
	})
	for _, q := range known.Qs {
		s := Shape{Center: Point{q.Lon, q.Lat}, Radius: q.R, Box: q.W > 0, Width: q.W, Height: q.H, Unit: 1000}
		got := []string{}
		for _, r := range s.Ranges() {
			for _, name := range names {
				score := known.Pts[name]
				if _, in := s.Contains(At(score)); in && score >= r.Min && score < r.Max {
					got = append(got, name)
				}
			}
		}
		if !slices.Equal(got, q.Res) {
			t.Errorf("%+v: %v instead of %v", s, got, q.Res)
		}
	}
}
