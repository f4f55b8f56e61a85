//go:build linux

package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/skeindb/skein/bench/records"
)

const milli = time.Millisecond

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		times []time.Duration
		want  Spread
	}{
		{nil, Spread{}},
		{[]time.Duration{7}, Spread{7, 7, 7}},
		{[]time.Duration{9, 1, 5}, Spread{1, 5, 9}},
		{[]time.Duration{9, 1, 5, 3}, Spread{1, 4, 9}},
	} {
		if got := spreadOf(c.times); got != c.want {
			t.Errorf("of %v: %v instead of %v", c.times, got, c.want)
		}
	}
}

// result makes rounds with these gaps.
func result(gaps ...time.Duration) *Result {
	r := &Result{}
	for _, g := range gaps {
		r.add(Round{Gap: g})
	}
	return r
}

func TestGoals(t *testing.T) {
	plain := goal{gap: 10 * milli, allSucceed: true, nothingLost: true}
	failed := result(milli)
	failed.add(Round{Gap: 5000 * milli, Failure: "no"})
	lost, doubled, broken := result(milli), result(milli), result(milli)
	lost.Account, doubled.Account, broken.Err = records.Account{Lost: 1}, records.Account{Doubled: 1}, errors.New("broken")
	for _, c := range []struct {
		name string
		goal goal
		r    *Result
		want string
	}{
		{"met", plain, result(9*milli, 10*milli, 99*milli), ""},
		{"gap", plain, result(11*milli, 12*milli, 1*milli), "gap"},
		{"no gap asked", goal{allSucceed: true}, result(9999 * milli), ""},
		{"a failed round has no gap", plain, failed, "failed rounds"},
		{"lost", plain, lost, "lost writes"},
		{"losses allowed", goal{gap: time.Second}, lost, ""},
		{"damage never", goal{gap: time.Second}, doubled, "damaged key"},
		{"broken", goal{}, broken, "not measured"},
		{"skipped", goal{}, &Result{Skipped: "unknown directive"}, "not measured"},
		{"no rounds", plain, &Result{}, "not measured"},
	} {
		if got := strings.Join(c.goal.missed(c.r), ", "); got != c.want {
			t.Errorf("%s: misses %q instead of %q", c.name, got, c.want)
		}
	}
}

func TestReport(t *testing.T) {
	redis := &contestant{name: "redis-server", results: map[string]*Result{"kill": result(3600*milli, 3700*milli), "sync": {Skipped: "ERR Unknown option"}}}
	skein := &contestant{name: "skein", skein: true, results: map[string]*Result{"kill": result(2100*milli, 2700*milli), "sync": result(milli)}}
	skein.results["sync"].Account = records.Account{Acked: 5, Lost: 1}
	both := []*contestant{redis, skein}
	chosen, err := chooseTrials("sync,kill")
	if err != nil || len(chosen) != 2 || chosen[0].name != "kill" {
		t.Fatalf("%v, %v", chosen, err)
	}
	text := report(chosen, both)
	for _, want := range []string{
		"| redis-server | 2 | 0 | **3650.0** | 3600.0-3700.0 |", "| skein | 2 | 0 | **2400.0** | 2100.0-2700.0 |",
		"| gap <= 2500 ms, none failed | PASS |", "| FAIL: lost writes |", "- redis-server: left out: ERR Unknown option", "1 LOST",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	columns := 0
	for line := range strings.Lines(text) {
		bars := strings.Count(line, "|")
		if columns > 0 && bars > 0 && bars != columns {
			t.Errorf("%d bars, want %d: %s", bars, columns, line)
		}
		columns = bars
	}
	if !missed(chosen, both) || missed(chosen[:1], both) || anyTrouble(both) {
		t.Error("goals are judged wrongly")
	}
	if _, err := chooseTrials("kill,none"); err == nil {
		t.Error("a trial that is not there is chosen")
	}
}

const nodesText = `aaaa 127.0.0.1:1@10001 myself,master - 0 0 1 connected 0-5460 16383 [77->-bbbb]
bbbb 127.0.0.1:2@10002 master - 0 5 2 connected 5461-16382
cccc 127.0.0.1:3@10003 slave bbbb 0 7 2 connected
`

func TestViews(t *testing.T) {
	other := strings.ReplaceAll(strings.ReplaceAll(nodesText, "myself,", ""), "slave bbbb 0 7", "myself,slave bbbb 1 8")
	if clusterView(nodesText) != clusterView(other) {
		t.Error("the same cluster looks different from another node")
	}
	if clusterView(nodesText) == clusterView(strings.Replace(nodesText, "5461-16382", "5461-16381", 1)) {
		t.Error("other slots are not seen")
	}
	for _, c := range []struct {
		text          string
		slot          uint16
		owns, follows bool
	}{
		{nodesText, 77, true, false},
		{nodesText, 16383, true, false},
		{nodesText, 6000, false, false},
		{other, 6000, false, true},
		{other, 0, false, false},
		{"", 0, false, false},
	} {
		if owns, follows := roleIn(c.text, c.slot); owns != c.owns || follows != c.follows {
			t.Errorf("slot %d: owns %v, follows %v", c.slot, owns, follows)
		}
	}
	if infoField("a:1\r\nrole:master\r\n", "role") != "master" || infoField("xrole:1", "role") != "" {
		t.Error("infoField")
	}
}
