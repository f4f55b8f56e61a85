package interop

import (
	"fmt"
	"strings"
	"testing"

	"github.com/skeindb/skein/internal/testkit"
)

// All that redis-cli --cluster can do to a cluster is done to one that clients use all the time. No client sees an
// error, and no key is lost or doubled.
func TestRedisCLIManagesCluster(t *testing.T) {
	nodes := startSkeins(t, 3)
	create(t, nodes)
	stocked := stock{small: size(2000, 99_800), large: size(5, 200)}
	stocked.fill(t, nodes)
	load := startLoad(t, nodes, 1000)
	entry := nodes[0].Addr()

	out := manage(t, "check", entry)
	mustContain(t, out, "[OK] All nodes agree about slots configuration.", "[OK] All 16384 slots covered.")
	mustContain(t, manage(t, "info", entry), "in 3 masters.", "keys per slot on average.")
	if out := manage(t, "call", entry, "PING"); strings.Count(out, ": PONG") != 3 {
		t.Errorf("call PING: %s", out)
	}

	added := startSkein(t)
	mustContain(t, manage(t, "add-node", added.Addr(), entry), "[OK] New node added correctly.")
	nodes = append(nodes, added)
	waitOK(t, nodes)

	slots := size(100, 1000)
	manage(t, "reshard", entry, "--cluster-from", idOf(nodes[0]), "--cluster-to", idOf(added), "--cluster-slots", fmt.Sprint(slots), "--cluster-yes")
	if got := slotCount(added); got != slots {
		t.Errorf("%d slots were moved, not %d", got, slots)
	}
	waitOK(t, nodes)

	empty := startSkein(t)
	mustContain(t, manage(t, "add-node", empty.Addr(), entry), "[OK] New node added correctly.")
	nodes = append(nodes, empty)
	waitOK(t, nodes)
	rebalance := func(weights ...string) string {
		t.Helper()
		if !full() { // each new node takes about a hundred slots instead of a fifth of all
			weights = append([]string{idOf(added) + "=0.02", idOf(empty) + "=0.02"}, weights...)
		}
		args := []string{"rebalance", entry, "--cluster-use-empty-masters", "--cluster-threshold", "1"}
		if len(weights) > 0 {
			args = append(append(args, "--cluster-weight"), weights...)
		}
		return manage(t, args...)
	}
	mustContain(t, rebalance(), "Rebalancing across 5 nodes.")
	if got := slotCount(empty); got == 0 {
		t.Error("the empty master got no slots")
	}
	waitOK(t, nodes)

	imported := importFromStandalone(t, entry)

	// A node that leaves gives its slots away first.
	rebalance(idOf(empty) + "=0")
	if got := slotCount(empty); got != 0 {
		t.Fatalf("%d slots are left on the node that leaves", got)
	}
	waitUnasked(t, empty)
	mustContain(t, manage(t, "del-node", entry, idOf(empty)), "Sending CLUSTER FORGET messages to the cluster...")
	nodes = nodes[:4]
	waitOK(t, nodes)

	mustContain(t, manage(t, "set-timeout", entry, "2500"), "New node timeout set. 4 OK, 0 ERR.")
	for _, n := range nodes {
		n.Want("[cluster-node-timeout 2500]", "CONFIG", "GET", "cluster-node-timeout")
	}

	keys := stocked.keys() + imported + load.stop()
	if got := dbsize(nodes); got != keys {
		t.Errorf("%d keys are in the cluster, not %d", got, keys)
	}
	stocked.check(t, nodes)
	mustContain(t, manage(t, "check", entry), "[OK] All 16384 slots covered.")
}

// importFromStandalone moves the keys of a redis-server into the cluster.
func importFromStandalone(t *testing.T, entry string) (keys int) {
	t.Helper()
	const count = 300
	source := testkit.StartRedis(t)
	for i := range count {
		source.Want("+OK", "SET", fmt.Sprint("imported:", i), fmt.Sprint("value ", i))
	}
	manage(t, "import", entry, "--cluster-from", source.Addr())
	source.Want(":0", "DBSIZE")
	for i := range count {
		if got := strings.TrimSpace(testkit.RedisCLI(t, "-c", "-u", "redis://"+entry, "GET", fmt.Sprint("imported:", i))); got != fmt.Sprint("value ", i) {
			t.Fatalf("imported:%d is %q", i, got)
		}
		if i == 20 {
			break // the number of keys is compared at the end
		}
	}
	return count
}

// slotCount is how many slots the node says it owns.
func slotCount(n *server) (count int) {
	for _, r := range clusterNodes(n) {
		if !r.myself {
			continue
		}
		for _, s := range r.slots {
			first, last := 0, 0
			if k, _ := fmt.Sscanf(s, "%d-%d", &first, &last); k == 1 {
				last = first
			}
			count += last - first + 1
		}
	}
	return count
}
