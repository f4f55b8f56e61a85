package geo

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// What redis 7.0.15 says of these places.
var known = []struct {
	p, at    Point
	score    uint64
	hash     string
	distance string // to the first
}{
	{Point{13.361389, 38.115556}, Point{13.361389338970184, 38.1155563954963}, 3479099956230698, "sqc8b49rny0", "0.0000"},
	{Point{15.087269, 37.502669}, Point{15.087267458438873, 37.50266842333162}, 3479447370796909, "sqdtr74hyu0", "166274.1516"},
	{Point{-122.27652, 37.805186}, Point{-122.27652043104172, 37.80518485897756}, 1367952638197536, "9q9p1d0znt0", "10431665.6681"},
	{Point{179.9, -85}, Point{179.89999920129776, -84.99999965213439}, 3002399480240365, "pbzumwppjg0", "14789524.3058"},
	{Point{-180, LatMin}, Point{-179.99999731779099, -85.05112751263943}, 0, "00bh0hbj200", "14784257.5187"},
	{Point{180, LatMax}, Point{180, 85.05112878}, 13510798882111488, "bp05b5048p0", "6307362.7206"},
	{Point{0, 0}, Point{2.68220901489e-06, 1.26736058093e-06}, 3377699720527872, "s0000000000", "4454733.0204"},
	{Point{24.9384, 60.1699}, Point{24.938398897647858, 60.16989905718279}, 3716816073376637, "ud9wr3xe4f0", "2584800.1996"},
	{Point{5, 80.5}, Point{4.999999701976776, 80.5000001849501}, 3752325219137563, "un79cy8fkr0", "4727299.0760"},
}

func TestAsRedis(t *testing.T) {
	for _, k := range known {
		if !k.p.Valid() || k.p.Score() != k.score {
			t.Errorf("%v has score %d", k.p, k.p.Score())
		}
		at := At(k.score)
		if math.Abs(at.Lon-k.at.Lon) > 1e-15 || math.Abs(at.Lat-k.at.Lat) > 1e-15 {
			t.Errorf("%d is at %v", k.score, at)
		}
		if at.Hash() != k.hash {
			t.Errorf("%v is %s", at, at.Hash())
		}
		if got := fmt.Sprintf("%.4f", Distance(at, At(known[0].score))); got != k.distance {
			t.Errorf("%v is %s away", at, got)
		}
	}
	for _, bad := range []Point{{-180.1, 0}, {180.1, 0}, {0, 85.06}, {0, -85.06}, {math.NaN(), 0}, {0, math.Inf(1)}} {
		if bad.Valid() {
			t.Errorf("%v is valid", bad)
		}
	}
}

func FuzzScore(f *testing.F) {
	for _, k := range known {
		f.Add(k.p.Lon, k.p.Lat)
	}
	f.Fuzz(func(t *testing.T, lon, lat float64) {
		p := Point{lon, lat}
		if !p.Valid() {
			return
		}
		back := At(p.Score())
		if math.Abs(back.Lon-lon) > 360.0/(1<<26) || math.Abs(back.Lat-lat) > 180.0/(1<<26) {
			t.Fatalf("%v came back as %v", p, back)
		}
		if again := At(back.Score()); lon < 179.9 && lat < 85 && again != back {
			t.Fatalf("%v moved to %v", back, again)
		}
		if len(p.Hash()) != 11 {
			t.Fatal(p.Hash())
		}
	})
}

// FuzzRanges sees that what lies in a shape has a score in its ranges, and that no range comes twice.
func FuzzRanges(f *testing.F) {
	f.Add(uint64(1), 15.0, 37.0, 200.0, false)
	f.Add(uint64(2), -179.0, 70.0, 3000.0, true)
	f.Add(uint64(3), 0.0, -84.0, 1.0, true)
	f.Add(uint64(4), 10.0, 0.0, 20000.0, false)
	f.Fuzz(func(t *testing.T, seed uint64, lon, lat, size float64, box bool) {
		s := Shape{Center: Point{lon, lat}, Radius: size, Unit: 1000}
		if box {
			s = Shape{Center: Point{lon, lat}, Box: true, Width: size, Height: size / 2, Unit: 1000}
		}
		if !s.Center.Valid() || !(size >= 0 && size < 30000) {
			return
		}
		ranges := s.Ranges()
		if len(ranges) == 0 || len(ranges) > 9 {
			t.Fatal(ranges)
		}
		// Redis does not look over the date line or the poles, nor do we: only places far from them count.
		far := size * 1000 / 111000 / max(math.Cos(radians(math.Abs(lat)+size/111)), 0.01)
		if math.Abs(lat)+size/111 > 60 || math.Abs(lon)+far > 150 || size > 2000 {
			return
		}
		r := rand.New(rand.NewPCG(seed, 0))
		for range 100 {
			p := Point{lon + (r.Float64()*2-1)*far, lat + (r.Float64()*2-1)*size/111}
			score := p.Score()
			p = At(score)
			if _, ok := s.Contains(p); !ok {
				continue
			}
			found := 0
			for _, in := range ranges {
				if score >= in.Min && score < in.Max {
					found++
				}
			}
			if found != 1 {
				t.Fatalf("%v in %+v stands in %d ranges", p, s, found)
			}
		}
	})
}

func BenchmarkScore(b *testing.B) {
	for b.Loop() {
		known[0].p.Score()
	}
}

func BenchmarkRanges(b *testing.B) {
	s := Shape{Center: known[0].p, Radius: 200, Unit: 1000}
	for b.Loop() {
		s.Ranges()
	}
}
