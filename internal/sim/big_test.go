package sim

import (
	"context"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/cluster/core"
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
		t.Skip("takes an hour or more; -sim.long, or make sim-soak")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(200))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(7 << 29)) // collects more often where it comes near to 4 GiB
	hugePages(7 << 29)
	for seed := range uint64(*bigSeeds) {
		s := Study{Masters: *bigMasters, Replicas: 1, NodeTimeout: 15 * Second, Scenario: "mass-failure", Seed: 1 + *firstSeed + seed, Seeds: 1, Form: true, Rush: true, Check: true, Sparse: true}
		start, p := time.Now(), progress{known: 2 * *bigMasters * (2**bigMasters - 1)}
		s.noted = p.note
		stop := make(chan bool)
		go p.follow(t, stop)
		r, err := s.Run(context.Background(), nil)
		stop <- true
		<-stop
		if err != nil {
			t.Fatal(err)
		}
		o := r.Outcomes[0]
		t.Logf("seed %d: %d victims, replaced after %v, all served after %s; %s of cluster time in %.0f s, %d MiB",
			o.Seed, o.Victims, times(r.Promote), o.Served, o.Simulated, time.Since(start).Seconds(), p.memory>>20)
		if o.Served < 0 || o.Violation != "" || len(o.Promoted) != o.Victims {
			t.Errorf("seed %d: %d of %d replaced; %s", o.Seed, len(o.Promoted), o.Victims, o.Violation)
		}
		if p.memory > 4<<30 {
			t.Errorf("%d MiB of memory", p.memory>>20)
		}
	}
}

// progress is how far a course is that takes hours, and the most memory that it had.
type progress struct {
	now                   atomic.Int64
	met, failed, promoted atomic.Int64
	known                 int // how many are met in all, each by each
	memory                uint64
}

func (p *progress) note(at Time, r *core.Record) {
	p.now.Store(int64(at))
	switch r.What {
	case core.NodeAdded, core.NodeMet:
		p.met.Add(1)
	case core.NodeFailed:
		p.failed.Add(1)
	case core.Promoted:
		p.promoted.Add(1)
	}
}

// follow looks at the memory and tells every two minutes how far it is, until it is told to stop.
func (p *progress) follow(t *testing.T, stop chan bool) {
	for look := 1; ; look++ {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		p.memory = max(p.memory, m.Sys-m.HeapReleased)
		if look%60 == 0 {
			t.Logf("at %s: %d of %d met, %d found that one failed, %d replaced one; %d MiB",
				Time(p.now.Load()), p.met.Load(), p.known, p.failed.Load(), p.promoted.Load(), p.memory>>20)
		}
		select {
		case <-stop:
			stop <- true
			return
		case <-time.After(2 * time.Second):
		}
	}
}
