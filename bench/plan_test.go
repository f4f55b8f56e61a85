//go:build linux

package main

import (
	"testing"
	"time"
)

func cellNames(p Plan) map[string]Cell {
	names := make(map[string]Cell)
	for _, s := range p.Stages {
		for _, c := range s.Cells {
			names[c.Name()] = c
		}
	}
	return names
}

func TestPlansFitTheirTime(t *testing.T) {
	for _, test := range []struct {
		name  string
		plan  Plan
		limit time.Duration
	}{
		{"full", FullPlan(), 40 * time.Minute},
		{"quick", QuickPlan(), 5 * time.Minute},
		{"types", TypesPlan(), 13 * time.Minute},
	} {
		t.Logf("%s: estimate %s, budget %s", test.name, test.plan.Estimate(), test.plan.Budget)
		if test.plan.Estimate() > test.plan.Budget {
			t.Errorf("%s: the estimate %s is beyond the budget %s", test.name, test.plan.Estimate(), test.plan.Budget)
		}
		if latest := test.plan.Budget + graceTime + 2*stopLimit; latest > test.limit {
			t.Errorf("%s: may end after %s, beyond %s", test.name, latest, test.limit)
		}
	}
}

func TestFullPlanMeasuresEveryCell(t *testing.T) {
	cells := cellNames(FullPlan())
	if want := 2 * 3 * 3 * 2 * 2; len(cells) != want {
		t.Errorf("%d different cells, want %d", len(cells), want)
	}
}

func TestBothPlansHoldTheAskedCells(t *testing.T) {
	goals := map[string]float64{
		"GET/3/P1/pinned/standalone":  0.95,
		"SET/3/P1/pinned/standalone":  0.95,
		"GET/3/P16/pinned/standalone": 1.8,
		"SET/3/P16/pinned/standalone": 1.8,
		"GET/3/P64/pinned/standalone": 2.2,
	}
	for name, plan := range map[string]Plan{"full": FullPlan(), "quick": QuickPlan()} {
		for cell, c := range cellNames(plan) {
			if c.Asked != goals[cell] {
				t.Errorf("%s: %s asks for %g, want %g", name, cell, c.Asked, goals[cell])
			}
		}
		for cell := range goals {
			if _, ok := cellNames(plan)[cell]; !ok {
				t.Errorf("%s: no cell %s", name, cell)
			}
		}
		if m := plan.Memory[0]; m.Keys != 5_000_000 || m.ValueBytes != 32 || m.Asked != 76 {
			t.Errorf("%s: memory cell %+v", name, m)
		}
	}
}

func TestOnly(t *testing.T) {
	full := FullPlan()
	cut, err := full.Only([]string{"GET/3/*/pinned/standalone", "memory/cluster"})
	if err != nil {
		t.Fatal(err)
	}
	if len(cut.Stages) != 1 || len(cut.Stages[0].Cells) != 3 || len(cut.Memory) != 1 || !cut.Memory[0].Cluster {
		t.Errorf("kept %+v", cut)
	}
	if some, err := full.Only([]string{"memory/*"}); err != nil || len(some.Memory) != 2+2*len(collectionTypes) || some.Estimate() > some.Budget {
		t.Errorf("%d memory cells in %v: %v", len(some.Memory), some.Estimate(), err)
	}
	if len(full.Stages[0].Cells) != 6 {
		t.Error("the plan that was cut has changed")
	}
	if _, err := full.Only([]string{"GET/*", "memory/*"}); err == nil {
		t.Error("a pattern that matches nothing is accepted")
	}
}

func TestScaleAndRounds(t *testing.T) {
	plan := QuickPlan()
	plan.Scale(1e-9)
	plan.SetRounds(2)
	if plan.Memory[0].Keys != 1 || plan.Stages[0].Keys != 1 {
		t.Error("a plan scaled down has no keys left")
	}
	for name, c := range cellNames(plan) {
		if c.Rounds != 2 {
			t.Errorf("%s: %d rounds, want 2", name, c.Rounds)
		}
	}
}
