//go:build linux

package main

import (
	"strings"
	"testing"
)

func TestParseBenchmark(t *testing.T) {
	const out = `"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
"SET","123456.78","0.301","0.080","0.295","0.423","0.551","2.303"
`
	if rate, err := parseBenchmark(strings.NewReader(out), "SET"); err != nil || rate != 123456.78 {
		t.Errorf("got %v, %v", rate, err)
	}
	for _, bad := range []string{"", `"GET","1.0"`, `"SET","inf or so"`, `"SET","0.00"`, `"SET","nan"`, `"SET`} {
		if rate, err := parseBenchmark(strings.NewReader(bad), "SET"); err == nil {
			t.Errorf("%q gives %v", bad, rate)
		}
	}
}

func TestWholeBatches(t *testing.T) {
	for _, test := range []struct{ requests, pipeline, want int }{
		{1000, 1, 1000}, {1000, 16, 1008}, {1008, 16, 1008}, {0, 64, 3200}, {7, 1, 50},
	} {
		if got := wholeBatches(test.requests, test.pipeline); got != test.want {
			t.Errorf("%d in batches of %d: got %d, want %d", test.requests, test.pipeline, got, test.want)
		}
	}
}
