//go:build linux

package main

import (
	"strings"
	"testing"
	"time"
)

func TestApplyReport(t *testing.T) {
	round := func(written, applied float64) Applied {
		return Applied{Master: Sample{300 * time.Nanosecond, written}, Replica: Sample{150 * time.Nanosecond, applied}}
	}
	r := ApplyResult{Cell: applyCell(3, 1000)}
	r.Rounds[0] = []Applied{round(100_000, 50_000), round(100_000, 100_000), round(100_000, 300_000)}
	r.Rounds[1] = []Applied{round(200_000, 400_000)}
	const want = "| apply/3/P64 | 1 | 100 | 100 | **1.00** | 300 | 150 | 200 | 400 | **2.00** | 300 | 150 |\n"
	if r.row() != want {
		t.Errorf("%q instead of %q", r.row(), want)
	}
	text := Report{Apply: []ApplyResult{r, {Cell: r.Cell, Err: errNoTime}}}.Markdown()
	if !strings.Contains(text, want) || !strings.Contains(text, "apply/3/P64: "+errNoTime.Error()) {
		t.Error(text)
	}
	columns := strings.Count(want, "|")
	for line := range strings.Lines(applyHead) {
		if bars := strings.Count(line, "|"); bars > 0 && bars != columns {
			t.Errorf("%d bars instead of %d: %s", bars, columns, line)
		}
	}
}

func TestApplyCellIsInThePlan(t *testing.T) {
	plan, err := FullPlan().Only([]string{"apply/*/*"})
	if err != nil || len(plan.Apply) != 1 || len(plan.Stages)+len(plan.Memory) != 0 {
		t.Fatalf("%+v, %v", plan, err)
	}
	if plan.Apply[0].Estimate() <= 0 || FullPlan().Estimate() > FullPlan().Budget {
		t.Error("no time for it")
	}
}
