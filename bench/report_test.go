//go:build linux

package main

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

// pairs makes one pair per ratio, in which the subject takes 100 ns per operation.
func pairs(ratios ...float64) []Pair {
	var out []Pair
	for _, ratio := range ratios {
		out = append(out, Pair{{time.Duration(100 * ratio), 1000}, {100, 1000 * ratio}})
	}
	return out
}

func TestMedianOfRatios(t *testing.T) {
	for _, test := range []struct {
		ratios []float64
		want   Spread
	}{
		{[]float64{2}, Spread{2, 2, 2}},
		{[]float64{3, 1, 2}, Spread{1, 2, 3}},
		{[]float64{4, 1, 3, 2}, Spread{1, 2.5, 4}},
	} {
		for name, figure := range map[string]func(Pair) float64{"e": Pair.e, "throughput": Pair.throughput} {
			if got := spreadOf(pairs(test.ratios...), figure); got != test.want {
				t.Errorf("%s of %v: got %v, want %v", name, test.ratios, got, test.want)
			}
		}
	}
	if !math.IsNaN(spreadOf(nil, Pair.e).Median) {
		t.Error("no rounds have a median")
	}
}

func TestVerdicts(t *testing.T) {
	trouble := errors.New("trouble")
	for _, test := range []struct {
		name           string
		report         Report
		missed, failed bool
		want           string
	}{
		{"met", Report{Cells: []Result{{Cell: Cell{Asked: 1.8}, Pairs: pairs(1.7, 1.8, 1.9)}}}, false, false, "| >= 1.8 | PASS |"},
		{"missed", Report{Cells: []Result{{Cell: Cell{Asked: 1.8}, Pairs: pairs(1.7, 1.7, 9)}}}, true, false, "| >= 1.8 | FAIL |"},
		{"not asked", Report{Cells: []Result{{Pairs: pairs(0.1)}}}, false, false, "|  |  |"},
		{"no time", Report{Cells: []Result{{Cell: Cell{Asked: 1}, Err: errNoTime}}}, true, false, "FAIL (not measured)"},
		{"trouble", Report{Cells: []Result{{Err: trouble}}}, false, true, "trouble"},
		{"memory met", Report{Memory: []MemoryResult{{Cell: memoryCell(false), BytesPerKey: [2]float64{146, 76}}}}, false, false, "| 146.0 | 76.0 | 0.52 | <= 76 | PASS |"},
		{"memory missed", Report{Memory: []MemoryResult{{Cell: memoryCell(true), BytesPerKey: [2]float64{146, 77}}}}, true, false, "FAIL"},
		{"memory trouble", Report{Memory: []MemoryResult{{Cell: memoryCell(true), Err: trouble}}}, true, true, "trouble"},
	} {
		if test.report.Missed() != test.missed || test.report.Failed() != test.failed {
			t.Errorf("%s: missed %t, failed %t", test.name, test.report.Missed(), test.report.Failed())
		}
		if text := test.report.Markdown(); !strings.Contains(text, test.want) {
			t.Errorf("%s: no %q in\n%s", test.name, test.want, text)
		}
	}
}

func TestTablesAreRegular(t *testing.T) {
	report := Report{
		Cells:  []Result{{Pairs: pairs(1, 2)}, {Err: errNoTime}},
		Memory: []MemoryResult{{BytesPerKey: [2]float64{1, 2}}, {Err: errNoTime}},
	}
	columns := 0
	for line := range strings.Lines(report.Markdown()) {
		bars := strings.Count(line, "|")
		if columns > 0 && bars > 0 && bars != columns {
			t.Errorf("%d bars, want %d: %s", bars, columns, line)
		}
		columns = bars
	}
}
