package clusterd

import (
	"fmt"
	"os"
	"path/filepath"

	"strings"
	"testing"

	"github.com/skeindb/skein/internal/cluster/bus"
	"github.com/skeindb/skein/internal/cluster/core"
	"github.com/skeindb/skein/internal/cluster/flight"
)

// recorded writes what the core of a node is given to flight.json in its directory.
func recorded(n *testNode) {
	n.config.NodeTimeout = 1000
	n.flight = filepath.Join(n.dir, "flight.json")
}

// TestRecordingReplays: three masters and a replica form a cluster, one master ends, its replica is elected. Then the
// core of each does it all again, on paper.
func TestRecordingReplays(t *testing.T) {
	t.Parallel()
	var masters [3]*testNode
	for i, slots := range []string{"0 5000", "5001 10000", "10001 16383"} {
		masters[i] = startNode(t, recorded, hooked(new(diary), 1000))
		masters[i].ok("cluster addslotsrange " + slots)
		masters[i].ok(fmt.Sprintf("cluster set-config-epoch %d", i+1))
	}
	var is diary
	replica := startNode(t, recorded, hooked(&is, 1000))
	nodes := append(masters[:], replica)
	meet(t, nodes...)
	replica.ok("cluster replicate " + masters[0].id())
	eventually(t, "all see the cluster up, and the replica", func() bool {
		for _, n := range nodes {
			if n.fact("cluster_state") != "ok" || !strings.HasPrefix(n.do("cluster replicas "+masters[0].id()), "*1\r\n") {
				return false
			}
		}
		return true
	})
	var text strings.Builder
	if err := replica.d.Dump(&text); err != nil || !strings.Contains(text.String(), "is recorded in "+replica.flight+"\n") {
		t.Errorf("%.100q does not say where the recording is (%v)", text.String(), err)
	}
	masters[0].stop()
	eventually(t, "the replica is promoted", func() bool { return is.has("promote") })
	want := map[*testNode]core.What{replica: core.Promoted, masters[1]: core.VoteGranted, masters[0]: core.StateOK}
	for i, n := range nodes {
		n.stop()
		file, err := os.Open(n.flight)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		found, packets := false, 0
		events, err := flight.Replay(file, func(_ core.Millis, ev core.Event, out *core.Effects) {
			if r, ok := ev.(core.Received); ok && r.Msg.Type == bus.TypePong {
				packets++
			}
			for i := range out.History {
				found = found || out.History[i].What == want[n]
			}
		})
		if err != nil || events < 30 || packets < 5 || want[n] != 0 && !found {
			t.Errorf("node %d: %d events, %d PONGs: %v", i, events, packets, err)
		}
	}
}
