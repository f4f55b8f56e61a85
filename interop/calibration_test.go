package interop

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/cluster/core"
	"github.com/skeindb/skein/internal/cluster/flight"
	"github.com/skeindb/skein/internal/sim"
)

// phases of an outage: how long after the kill the first node marked the master as failed, its replica had taken over, and
// the last node saw the cluster up again.
type phases struct{ fail, promoted, served time.Duration }

// TestCalibration kills one master of six real processes and of six simulated nodes. What the simulator says must be what
// the processes do: not much earlier, and later only by what a busy machine costs.
func TestCalibration(t *testing.T) {
	t.Parallel()
	const timeout, early, late = 2 * time.Second, 300 * time.Millisecond, 2500 * time.Millisecond
	study := sim.Study{Masters: 3, Replicas: 1, NodeTimeout: sim.Time(timeout.Microseconds()), Scenario: "one-master", Seeds: 20}
	r, err := study.Run(context.Background(), nil)
	if err != nil || r.Unserved > 0 {
		t.Fatalf("%v, %d not served", err, r.Unserved)
	}
	actual := killedForReal(t)
	t.Logf("real: failed after %v, promoted after %v, served after %v", actual.fail, actual.promoted, actual.served)
	for _, p := range []struct {
		what      string
		real      time.Duration
		simulated sim.Quantiles
	}{{"FAIL", actual.fail, r.Fail}, {"promotion", actual.promoted, r.Promote}, {"all slots served", actual.served, r.Serve}} {
		least, most := span(p.simulated.Sorted[0])-early, span(p.simulated.Worst)+late
		t.Logf("%s: simulated %v to %v, median %v", p.what, span(p.simulated.Sorted[0]), span(p.simulated.Worst), span(p.simulated.Median))
		if p.real < least || p.real > most {
			t.Errorf("%s after %v; by the simulator it is %v to %v", p.what, p.real, least, most)
		}
	}
}

func span(t sim.Time) time.Duration { return time.Duration(t) * time.Microsecond }

// killedForReal does it to processes, and reads the phases from the recordings of the survivors, each of which must replay.
func killedForReal(t *testing.T) (p phases) {
	t.Helper()
	shards, all := createdShards(t, startSkein, "cluster-flight-file flight.json")
	victim := shards[0]
	killed := time.Now().UnixMilli()
	victim.master.Kill()
	survivors := all[:0:0]
	for _, n := range all {
		if n != victim.master {
			survivors = append(survivors, n)
		}
	}
	waitMaster(t, victim.replica)
	for _, n := range survivors {
		waitInfo(t, n, "cluster_state", "ok")
	}
	ended := time.Now().UnixMilli() // what happens later is because the survivors are stopped
	for _, n := range survivors {
		n.Stop()
	}
	after := func(at core.Millis) time.Duration { return time.Duration(int64(at)-killed) * time.Millisecond }
	for _, n := range survivors {
		for _, r := range replayed(t, filepath.Join(n.Dir, "flight.json")) {
			switch at := after(r.At); {
			case at < 0 || int64(r.At) > ended:
			case r.What == core.NodeFailed && (p.fail == 0 || at < p.fail):
				p.fail = at
			case r.What == core.Promoted:
				p.promoted = at
			case r.What == core.StateOK:
				p.served = max(p.served, at)
			}
		}
	}
	return p
}

// replayed gives a core what another one was given, and returns what it noted.
func replayed(t *testing.T, path string) (records []core.Record) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	events, err := flight.Replay(file, func(_ core.Millis, _ core.Event, out *core.Effects) {
		records = append(records, out.History...)
	})
	if err != nil {
		t.Fatalf("%s, after %d events: %v", path, events, err)
	}
	return records
}
