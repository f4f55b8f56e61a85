package sim

import (
	"context"
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// TestManyShards is redis#9801: of 128 masters 63 end at once. There 3 of 900 tries recovered within 160 s.
func TestManyShards(t *testing.T) {
	s := Study{Masters: 128, Replicas: 1, NodeTimeout: 15 * Second, Scenario: "mass-failure", Seed: *firstSeed, Seeds: 1}
	switch {
	case *long:
		s.Seeds = 100
	case testing.Short() || raceDetector:
		s.Masters = 24
	}
	start := time.Now()
	r, err := s.Run(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range r.Outcomes {
		if o.Served < 0 || o.Violation != "" || o.Victims != (s.Masters-1)/2 {
			t.Errorf("seed %d: %+v", o.Seed, o)
		}
	}
	t.Logf("%d seeds in %.0f s: failed after %v, replaced after %v, all served after %v",
		s.Seeds, time.Since(start).Seconds(), times(r.Fail), times(r.Promote), times(r.Serve))
}

func times(q Quantiles) [3]Time { return [3]Time{q.Median, q.P99, q.Worst} }

// TestBig is valkey#2181: a thousand masters with a replica each find each other by MEETs through one node, then 499
// masters end at once. There two shards never recovered.
func TestBig(t *testing.T) {
	if !*long {
		t.Skip("takes hours; -sim.long, or make sim-soak")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(60))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(7 << 29)) // collects more often where it comes near to 4 GiB
	for seed := range uint64(*bigSeeds) {
		s := Study{Masters: *bigMasters, Replicas: 1, NodeTimeout: 15 * Second, Scenario: "mass-failure", Seed: 1 + *firstSeed + seed, Seeds: 1, Form: true}
		start := time.Now()
		var most uint64
		stop := make(chan bool)
		go func() {
			for {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.Sys-m.HeapReleased)
				select {
				case <-stop:
					stop <- true
					return
				case <-time.After(2 * time.Second):
				}
			}
		}()
		r, err := s.Run(context.Background(), nil)
		stop <- true
		<-stop
		if err != nil {
			t.Fatal(err)
		}
		o := r.Outcomes[0]
		t.Logf("seed %d: %d victims, replaced after %v, all served after %s; %s of cluster time in %.0f s, %d MiB",
			o.Seed, o.Victims, times(r.Promote), o.Served, o.Simulated, time.Since(start).Seconds(), most>>20)
		if o.Served < 0 || o.Violation != "" || len(o.Promoted) != o.Victims {
			t.Errorf("seed %d: %d of %d replaced; %s", o.Seed, len(o.Promoted), o.Victims, o.Violation)
		}
		if most > 4<<30 {
			t.Errorf("%d MiB of memory", most>>20)
		}
	}
}
