//go:build linux

package main

import (
	"testing"
	"time"
)

func TestLatenciesAt(t *testing.T) {
	var l Latencies
	for i := range 1000 {
		l = append(l, time.Duration(i+1))
	}
	for share, want := range map[float64]time.Duration{0.5: 501, 0.999: 1000, 1: 1000} {
		if got := l.At(share); got != want {
			t.Errorf("At(%v) = %d, not %d", share, got, want)
		}
	}
	if Latencies(nil).At(0.5) != 0 {
		t.Error("of nothing")
	}
}

func TestBetweenCountsFromWhenAGetWasDue(t *testing.T) {
	now := time.Now()
	g := &gets{samples: []sample{{now.Add(-time.Second), 1}, {now, 3}, {now.Add(time.Millisecond), 2}, {now.Add(time.Second), 4}}}
	if l := g.between(now, now.Add(time.Second)); len(l) != 2 || l[0] != 2 || l[1] != 3 {
		t.Error(l)
	}
}

func TestWants(t *testing.T) {
	o := options{only: "del,unlink/set"}
	for name, want := range map[string]bool{"del/hash": true, "unlink/set": true, "unlink/zset": false, "expire": false} {
		if o.wants(name) != want {
			t.Error(name)
		}
	}
	if o.only = ""; !o.wants("expire") {
		t.Error("all are wanted")
	}
}

func TestMissesCompareWithThePeerOrWithTheQuiet(t *testing.T) {
	redis, skein := contestant{"redis-server", nil, false}, contestant{"skein", nil, true}
	all := []contestant{redis, skein}
	of := func(quiet, during time.Duration) row {
		return row{Outcome: Outcome{Quiet: []Latencies{{quiet}, {quiet}}, During: []Latencies{{during}, {during}}}}
	}
	rows := []row{of(1, 5), of(1, 5)}
	if list := misses(event{name: "del/set"}, &rows[1], all, rows); len(list) != 0 {
		t.Error(list)
	}
	rows[1] = of(1, 6)
	if list := misses(event{name: "del/set"}, &rows[1], all, rows); len(list) != 1 {
		t.Error(list)
	}
	if list := misses(event{name: "migrate/set", cluster: true}, &rows[1], all, rows); len(list) != 2 {
		t.Error(list)
	}
	rows[1] = of(3, 6)
	rows[1].PFAIL = true
	if list := misses(event{name: "migrate/set", cluster: true}, &rows[1], all, rows); len(list) != 1 {
		t.Error(list)
	}
}
