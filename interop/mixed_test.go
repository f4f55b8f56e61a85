package interop

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/testkit"
)

// Three nodes are Skein and two are redis-server, so that the Skein nodes alone are the majority.
func mixedCluster(t *testing.T, directives ...string) (skeins, redises []*server) {
	t.Helper()
	skeins = startSkeins(t, 3, directives...)
	for range 2 {
		redises = append(redises, startRedis(t, directives...))
	}
	metCluster(t, append(append([]*server(nil), skeins...), redises...))
	return skeins, redises
}

// Under load nobody suspects a Skein node and no Skein node suspects anybody, all see the same cluster, and slots move
// between redis and Skein with their keys.
func TestMixedClusterUnderLoad(t *testing.T) {
	skeins, redises := mixedCluster(t)
	all := append(append([]*server(nil), skeins...), redises...)
	stocked := stock{small: size(500, 20_000)}
	stocked.fill(t, all)
	load := startLoad(t, all, size(1000, 5000))

	quietFor(t, all, time.Duration(size(10, 180))*time.Second)
	waitSame(t, all)

	slots := size(50, 500)
	for _, way := range []struct{ from, to *server }{{redises[0], skeins[0]}, {skeins[1], redises[1]}, {skeins[0], redises[0]}} {
		before := slotCount(way.to)
		manage(t, "reshard", way.from.Addr(), "--cluster-from", idOf(way.from), "--cluster-to", idOf(way.to),
			"--cluster-slots", fmt.Sprint(slots), "--cluster-yes")
		if got := slotCount(way.to) - before; got != slots {
			t.Errorf("%d slots were moved, not %d", got, slots)
		}
		waitOK(t, all)
	}

	keys := stocked.keys() + load.stop()
	if got := dbsize(all); got != keys {
		t.Errorf("%d keys are in the cluster, not %d", got, keys)
	}
	stocked.check(t, all)
	for _, n := range all {
		for _, r := range clusterNodes(n) {
			if strings.Contains(r.flags, "fail") {
				t.Errorf("port %d says %s is %s", n.Port, r.addr, r.flags)
			}
		}
	}
	for _, n := range skeins {
		if log := n.Log(); strings.Contains(log, "FAIL") || strings.Contains(log, "NOT reachable") {
			t.Errorf("port %d has suspected somebody:\n%s", n.Port, log)
		}
	}
	for _, n := range redises {
		for _, s := range skeins {
			if log := n.Log(); strings.Contains(log, "Marking node "+idOf(s)) {
				t.Errorf("redis on port %d has declared a Skein node failed:\n%s", n.Port, log)
			}
		}
	}
}

// quietFor looks all the time whether any node suspects another.
func quietFor(t *testing.T, all []*server, duration time.Duration) {
	t.Helper()
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for end := time.Now().Add(duration); time.Now().Before(end); <-look.C {
		for _, n := range all {
			for _, r := range clusterNodes(n) {
				if strings.Contains(r.flags, "fail") || strings.Contains(r.flags, "handshake") {
					t.Fatalf("port %d says %s is %s", n.Port, r.addr, r.flags)
				}
			}
		}
	}
}

// A redis master that is killed is failed by the Skein majority, and is a master again when it is back.
func TestSkeinMajorityFailsRedis(t *testing.T) {
	t.Parallel()
	skeins, redises := mixedCluster(t)
	victim := redises[0]
	id := idOf(victim)
	victim.Kill()
	for _, n := range []*server{skeins[0], skeins[1], skeins[2], redises[1]} {
		testkit.Eventually(t, fmt.Sprintf("port %d sees the failure", n.Port), func() bool { return seen(n, id).flags == "master,fail" })
		waitInfo(t, n, "cluster_state", "fail")
	}
	mustContain(t, skeins[0].Do("GET", "any")+skeins[1].Do("GET", "any"), "-CLUSTERDOWN The cluster is down")

	victim.Start()
	waitOK(t, append(append([]*server(nil), skeins...), redises...))
	for _, n := range skeins {
		if got := seen(n, id).flags; got != "master" {
			t.Errorf("port %d says that the node is %s", n.Port, got)
		}
	}
}

// The other way round: redis fails and forgives a Skein node, which comes back from its nodes.conf.
func TestRedisMajorityFailsSkein(t *testing.T) {
	t.Parallel()
	var redises []*server
	for range 3 {
		redises = append(redises, startRedis(t))
	}
	victim := startSkein(t)
	all := append(append([]*server(nil), redises...), victim)
	metCluster(t, all)
	id, slots := idOf(victim), mine(victim).slots
	victim.Kill()
	for _, n := range redises {
		testkit.Eventually(t, fmt.Sprintf("port %d sees the failure", n.Port), func() bool { return seen(n, id).flags == "master,fail" })
	}
	victim.Start()
	waitOK(t, all)
	if r := mine(victim); r.id != id || fmt.Sprint(r.slots) != fmt.Sprint(slots) || r.flags != "master" {
		t.Errorf("it came back as %+v, was %s with %v", r, id, slots)
	}
}
