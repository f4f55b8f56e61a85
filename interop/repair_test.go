package interop

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/base/slot"
	"github.com/skeindb/skein/internal/testkit"
)

// A reshard that is killed in the middle of a slot leaves the slot open on both sides; fix closes it, with all keys.
func TestFixAfterKilledReshard(t *testing.T) {
	t.Parallel()
	nodes := createdCluster(t, 3)
	keys := fillSlots(t, nodes[0], 20, 400)
	from, to := idOf(nodes[0]), idOf(nodes[1])

	ctx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
	defer cancel()
	reshard := exec.CommandContext(ctx, testkit.Program(t, "redis-cli"), "--cluster", "reshard", nodes[0].Addr(),
		"--cluster-from", from, "--cluster-to", to, "--cluster-slots", "20", "--cluster-pipeline", "1", "--cluster-yes")
	if err := reshard.Start(); err != nil {
		t.Fatal(err)
	}
	open := killInTheMiddle(t, reshard, nodes[0], nodes[1])
	t.Logf("open on the source: %v", open)

	out, err := testkit.TryRedisCLI(t, "--cluster", "check", nodes[0].Addr())
	if err == nil {
		t.Errorf("check finds nothing wrong:\n%s", out)
	}
	mustContain(t, out, "The following slots are open:")

	manage(t, "fix", nodes[0].Addr(), "--cluster-yes")
	mustContain(t, manage(t, "check", nodes[0].Addr()), "[OK] All nodes agree about slots configuration.", "[OK] All 16384 slots covered.")
	for _, n := range nodes {
		for _, r := range clusterNodes(n) {
			if len(r.open) > 0 {
				t.Errorf("port %d: slots are still open: %v", n.Port, r.open)
			}
		}
	}
	if got := dbsize(nodes); got != len(keys) {
		t.Errorf("%d keys, not %d", got, len(keys))
	}
	client := newGoRedis(addrs(nodes))
	defer client.close()
	for _, key := range keys {
		if got, err := client.get(t.Context(), key); err != nil || got != "value of "+key {
			t.Fatalf("GET %s: %q, %v", key, got, err)
		}
	}
}

// killInTheMiddle kills redis-cli when some keys of an open slot have moved and some have not. It stops the process
// before it looks, so that what it saw still holds when it kills.
func killInTheMiddle(t *testing.T, reshard *exec.Cmd, source, target *server) (open []string) {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- reshard.Wait() }()
	testkit.Eventually(t, "the reshard is in the middle of a slot", func() bool {
		select {
		case err := <-ended:
			t.Fatalf("the reshard was over too soon: %v", err)
		default:
		}
		reshard.Process.Signal(syscall.SIGSTOP)
		if open = mine(source).open; len(open) == 1 {
			var number int
			fmt.Sscanf(open[0], "[%d-", &number)
			here, there := source.Do("CLUSTER", "COUNTKEYSINSLOT", fmt.Sprint(number)), target.Do("CLUSTER", "COUNTKEYSINSLOT", fmt.Sprint(number))
			if here != ":0" && there != ":0" {
				return true
			}
		}
		reshard.Process.Signal(syscall.SIGCONT)
		return false
	})
	reshard.Process.Kill()
	<-ended
	return open
}

// mine is the node's own line of CLUSTER NODES.
func mine(n *server) row {
	for _, r := range clusterNodes(n) {
		if r.myself {
			return r
		}
	}
	return row{}
}

// fillSlots writes keys into the first slots of the node, perSlot into each, and returns their names.
func fillSlots(t *testing.T, n *server, slots, perSlot int) (keys []string) {
	t.Helper()
	for s := range slots {
		tag := tagOf(s)
		for i := range perSlot {
			key := fmt.Sprintf("{%s}:%d", tag, i)
			n.Want("+OK", "SET", key, "value of "+key)
			keys = append(keys, key)
		}
	}
	return keys
}

// tagOf finds a hash tag that falls into the slot.
func tagOf(number int) string {
	for i := 0; ; i++ {
		if tag := fmt.Sprint(i); int(slot.OfString(tag)) == number {
			return tag
		}
	}
}

// waitUnassigned waits until no node knows an owner of slots that were deleted on all of them. A heartbeat that an owner sent
// before may have given them back: they are deleted again then.
func waitUnassigned(t *testing.T, nodes []*server, slots ...int) {
	t.Helper()
	left, quiet := fmt.Sprint(16384-len(slots)), 0
	testkit.Eventually(t, "nobody knows an owner", func() bool {
		quiet++
		for _, n := range nodes {
			if testkit.Info(n.Do("CLUSTER", "INFO"), "cluster_slots_assigned") != left {
				quiet = 0
				for _, s := range slots {
					n.Do("CLUSTER", "DELSLOTS", fmt.Sprint(s)) // or it is unassigned already
				}
			}
		}
		return quiet > 5 // nothing is on its way any more
	})
}

// Slots that nobody owns are given to somebody by fix: those with keys to who has the keys.
func TestFixUnassignedSlots(t *testing.T) {
	t.Parallel()
	nodes := createdCluster(t, 3)
	key := fmt.Sprintf("{%s}", tagOf(100))
	nodes[0].Want("+OK", "SET", key, "kept")
	for _, n := range nodes {
		n.Want("+OK", "CLUSTER", "DELSLOTSRANGE", "90", "110")
		n.Want("+OK", "CLUSTER", "DELSLOTS", "16000")
	}
	slots := []int{16000}
	for s := 90; s <= 110; s++ {
		slots = append(slots, s)
	}
	waitUnassigned(t, nodes, slots...)
	for _, n := range nodes {
		waitInfo(t, n, "cluster_state", "fail")
	}
	if out, err := testkit.TryRedisCLI(t, "--cluster", "check", nodes[0].Addr()); err == nil || !strings.Contains(out, "[ERR] Not all 16384 slots are covered by nodes.") {
		t.Errorf("check says (%v):\n%s", err, out)
	}
	// About slots without an owner redis-cli asks a person, whatever --cluster-yes says.
	out, err := testkit.Run(t, "yes\nyes\n", testkit.Program(t, "redis-cli"), "--cluster", "fix", nodes[0].Addr())
	if err != nil {
		t.Fatalf("fix: %v\n%s", err, out)
	}
	waitOK(t, nodes)
	mustContain(t, manage(t, "check", nodes[0].Addr()), "[OK] All 16384 slots covered.")
	client := newGoRedis(addrs(nodes))
	defer client.close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if got, err := client.get(ctx, key); got != "kept" {
		t.Errorf("GET %s: %q, %v", key, got, err)
	}
}
