package resp

import (
	"math"
	"strconv"
	"testing"
)

// TestDigitsAsRedis: numbers whose digits redis 7.2.4 does not write in the shortest way.
func TestDigitsAsRedis(t *testing.T) {
	for _, want := range []string{
		"-22.234212617102042",
		"1.2705687022794731e-10",
		"2.2351870448960021e-10",
		"6.1972259231567826",
		"-63.244132171233566",
		"-39.318831616381694",
		"3.4026699749166767e-10",
	} {
		d, err := strconv.ParseFloat(want, 64)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(AppendDouble(nil, d)); got != want {
			t.Errorf("%s instead of %s", got, want)
		}
	}
}

func FuzzShortest(f *testing.F) {
	for _, d := range []float64{0.1, 5e-324, math.MaxFloat64, 1 << 63, 2.2250738585072014e-308, 1e21, 123456.789} {
		f.Add(math.Float64bits(d))
	}
	f.Fuzz(func(t *testing.T, u uint64) {
		d := math.Float64frombits(u)
		if math.IsNaN(d) || math.IsInf(d, 0) {
			return
		}
		text := AppendShortest(nil, d)
		if back, err := strconv.ParseFloat(string(text), 64); err != nil || back != d {
			t.Fatalf("%v became %s", d, text)
		}
		if len(text) > 24 {
			t.Fatalf("%v became %s, of %d bytes", d, text, len(text))
		}
	})
}
