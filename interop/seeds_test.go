package interop

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/skeindb/skein/internal/testkit"
)

// CLUSTER RESET, as its document tells: what it refuses, what it forgets, what it keeps.
func TestResetSoft(t *testing.T) {
	t.Parallel()
	nodes := createdCluster(t, 3)
	n := nodes[0]
	id, epoch := idOf(n), testkit.Info(n.Do("CLUSTER", "INFO"), "cluster_current_epoch")
	key := "{" + tagOf(5) + "}"
	n.Want("+OK", "SET", key, "value")
	n.Want("-ERR CLUSTER RESET can't be called with master nodes containing keys", "CLUSTER", "RESET")
	n.Want("-ERR CLUSTER RESET can't be called with master nodes containing keys", "CLUSTER", "RESET", "HARD")
	n.Want("value", "GET", key)
	n.Want("-ERR syntax error", "CLUSTER", "RESET", "SOFTLY")

	n.Want("+OK", "CLUSTER", "SETSLOT", "7", "MIGRATING", idOf(nodes[1]))
	n.Want("+OK", "FLUSHALL")
	n.Want("+OK", "CLUSTER", "RESET") // soft, if nothing else is said
	alone := func() {
		t.Helper()
		if got := clusterNodes(n); len(got) != 1 || got[0].id != id || len(got[0].slots)+len(got[0].open) > 0 || got[0].flags != "master" {
			t.Errorf("after the reset: %+v", got)
		}
		if got := testkit.Info(n.Do("CLUSTER", "INFO"), "cluster_current_epoch"); got != epoch {
			t.Errorf("a soft reset keeps the current epoch: %s, not %s", got, epoch)
		}
	}
	alone()
	staysFor(t, 3*time.Second, alone) // the others still know it, and tell it of each other
	n.Kill()
	n.Start() // what a reset did is on disk
	alone()

	// MEET lifts the ban, and the others recognize the node.
	n.Want("+OK", "CLUSTER", "MEET", "127.0.0.1", fmt.Sprint(nodes[1].Port))
	waitInfo(t, n, "cluster_known_nodes", "3")
	if got := seen(nodes[1], id); got.addr == "" {
		t.Error("the node that came back is not known by its id")
	}
}

func TestResetHard(t *testing.T) {
	t.Parallel()
	nodes := createdCluster(t, 3)
	n := nodes[0]
	id, shard := idOf(n), n.Do("CLUSTER", "MYSHARDID")
	n.Want("+OK", "CLUSTER", "RESET", "HARD")
	if idOf(n) == id || n.Do("CLUSTER", "MYSHARDID") == shard {
		t.Error("a hard reset draws a new id and a new shard id")
	}
	info := n.Do("CLUSTER", "INFO")
	for field, want := range map[string]string{
		"cluster_current_epoch": "0", "cluster_my_epoch": "0", "cluster_known_nodes": "1",
		"cluster_slots_assigned": "0", "cluster_size": "0", "cluster_state": "fail",
	} {
		if got := testkit.Info(info, field); got != want {
			t.Errorf("%s:%s, not %s", field, got, want)
		}
	}
	renewed := idOf(n)
	n.Kill()
	n.Start()
	if got := idOf(n); got != renewed {
		t.Errorf("the id was %s and is %s after a restart", renewed, got)
	}
}

// staysFor calls check again and again for a while: something must not happen.
func staysFor(t *testing.T, while time.Duration, check func()) {
	t.Helper()
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for end := time.Now().Add(while); time.Now().Before(end) && !t.Failed(); <-look.C {
		check()
	}
}

// FORGET sent to one of four nodes is known to all, as redis 7.2 has it.
func TestForgetSpreads(t *testing.T) {
	t.Parallel()
	gone := startSkein(t)
	nodes := append(createdCluster(t, 3), gone)
	id := idOf(gone)
	meet(nodes)
	waitOK(t, nodes)

	nodes[0].Want("-ERR I tried hard but I can't forget myself...", "CLUSTER", "FORGET", idOf(nodes[0]))
	unknown := strings.Repeat("0123456789", 4)
	nodes[0].Want("-ERR Unknown node "+unknown, "CLUSTER", "FORGET", unknown)
	nodes[0].Want("+OK", "CLUSTER", "FORGET", id)
	nodes[0].Want("+OK", "CLUSTER", "FORGET", id) // a banned id may be forgotten again

	rest := nodes[:3]
	for _, n := range rest {
		testkit.Eventually(t, fmt.Sprintf("port %d has forgotten the node", n.Port), func() bool { return seen(n, id).id == "" })
	}
	waitOK(t, rest)
	staysFor(t, 3*time.Second, func() { // the forgotten node goes on talking to all
		for _, n := range rest {
			if seen(n, id).id != "" {
				t.Errorf("port %d knows the node again", n.Port)
			}
		}
	})
}

// A redis-server 7.0 does not understand that a node was forgotten, and tells of it in its gossip. Skein does not listen for
// a minute. After that the node is back.
func TestForgottenComesBackAfterItsBan(t *testing.T) {
	t.Parallel()
	const ban = 60 * time.Second
	nodes := startSkeins(t, 3)
	gone, teller := nodes[2], startRedis(t)
	all := append(slices.Clone(nodes), teller)
	metCluster(t, all)
	id := idOf(gone)
	began := time.Now()
	nodes[0].Want("+OK", "CLUSTER", "FORGET", id)
	testkit.Eventually(t, "the other Skein node has forgotten it too", func() bool { return seen(nodes[1], id).id == "" })
	staysFor(t, ban-time.Since(began)-2*time.Second, func() {
		if seen(nodes[0], id).id != "" {
			t.Errorf("it is back after %v", time.Since(began))
		}
	})
	if seen(teller, id).id == "" {
		t.Fatal("redis has forgotten it too, so this test shows nothing")
	}
	waitOK(t, all)
}

// The four causes of CLUSTERDOWN: a node that never joined, slots without owner, a failed master, a minority.
func TestClusterDown(t *testing.T) {
	t.Parallel()
	const down, unserved = "-CLUSTERDOWN The cluster is down", "-CLUSTERDOWN Hash slot not served"
	mine, other := "{"+tagOf(0)+"}", "{"+tagOf(16383)+"}" // of the first node, of the last
	eventually := func(n *server, reply string, args ...string) {
		t.Helper()
		testkit.Eventually(t, fmt.Sprintf("port %d answers %s with %s", n.Port, args, reply), func() bool { return n.Do(args...) == reply })
	}

	t.Run("never joined", func(t *testing.T) {
		n := startSkein(t)
		n.Want(unserved, "GET", mine)
		n.Want(unserved, "SET", mine, "value")
	})
	t.Run("no owner", func(t *testing.T) {
		nodes := createdCluster(t, 3)
		n := nodes[0]
		n.Want("+OK", "SET", mine, "value")
		for _, n := range nodes {
			n.Want("+OK", "CLUSTER", "DELSLOTS", "16383")
		}
		waitUnassigned(t, nodes, 16383)
		eventually(n, down, "GET", mine)
		n.Want(unserved, "GET", other)
		n.Want("+OK", "CONFIG", "SET", "cluster-allow-reads-when-down", "yes")
		n.Want("value", "GET", mine)
		n.Want("-CLUSTERDOWN The cluster is down and only accepts read commands", "SET", mine, "value")
		n.Want(unserved, "GET", other)
		n.Want("+OK", "CONFIG", "SET", "cluster-allow-reads-when-down", "no")
		n.Want(down, "GET", mine)
		n.Want("+OK", "CONFIG", "SET", "cluster-require-full-coverage", "no")
		eventually(n, "+OK", "SET", mine, "again")
		n.Want(unserved, "GET", other)
	})
	t.Run("a master failed", func(t *testing.T) {
		nodes := createdCluster(t, 3)
		n, victim := nodes[0], nodes[2]
		n.Want("+OK", "SET", mine, "value")
		victim.Kill()
		eventually(n, down, "GET", mine)
		n.Want(down, "GET", other)
		n.Want("+OK", "CONFIG", "SET", "cluster-require-full-coverage", "no")
		eventually(n, "value", "GET", mine)
		n.Want(fmt.Sprintf("-MOVED 16383 %s", victim.Addr()), "GET", other)
		n.Want("+OK", "CONFIG", "SET", "cluster-require-full-coverage", "yes")
		eventually(n, down, "GET", mine)
		victim.Start()
		waitOK(t, nodes)
		n.Want("value", "GET", mine)
	})
	t.Run("in a minority", func(t *testing.T) {
		nodes := createdCluster(t, 3, "cluster-require-full-coverage no")
		n := nodes[0]
		n.Want("+OK", "SET", mine, "value")
		nodes[1].Kill()
		nodes[2].Kill()
		eventually(n, down, "GET", mine) // whatever the coverage, a minority must not write
		n.Want("+OK", "CONFIG", "SET", "cluster-allow-reads-when-down", "yes")
		n.Want("value", "GET", mine)
		n.Want("-CLUSTERDOWN The cluster is down and only accepts read commands", "SET", mine, "value")
		nodes[1].Start()
		eventually(n, "+OK", "SET", mine, "again")
	})
}

// CLUSTER RESET on a replica with data: it ends as an empty master.
func TestResetReplica(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"SOFT", "HARD"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			shards, _ := createdShards(t, startSkein)
			s := shards[0]
			s.master.Want("+OK", "SET", s.key(), "value")
			waitEqual(t, s)
			id := idOf(s.replica)
			s.replica.Want("+OK", "CLUSTER", "RESET", how)
			if r := mine(s.replica); r.flags != "master" || r.master != "-" || len(r.slots) > 0 {
				t.Errorf("after the reset: %+v", r)
			}
			if got := len(clusterNodes(s.replica)); got != 1 {
				t.Errorf("it knows %d nodes", got)
			}
			if same := idOf(s.replica) == id; same != (how == "SOFT") {
				t.Errorf("its id is the same: %v", same)
			}
			s.replica.Want(":0", "DBSIZE")
			mustContain(t, s.replica.Do("ROLE"), "[master :")
			s.master.Want("value", "GET", s.key())
			testkit.Eventually(t, "the master has no replica", func() bool {
				return testkit.Info(s.master.Do("INFO", "replication"), "connected_slaves") == "0"
			})
		})
	}
}

// FORGET, sent to a replica about its master, is refused.
func TestForgetOwnMaster(t *testing.T) {
	t.Parallel()
	shards, all := createdShards(t, startSkein)
	s := shards[0]
	s.replica.Want("-ERR Can't forget my master!", "CLUSTER", "FORGET", idOf(s.master))
	s.replica.Want("-ERR I tried hard but I can't forget myself...", "CLUSTER", "FORGET", idOf(s.replica))
	waitOK(t, all)
	waitLinked(t, s)
}

// A new replica that the majority does not know as one yet gets no votes, gives up and says so. When they know, it succeeds.
func TestUnknownReplicaGetsNoVotes(t *testing.T) {
	t.Parallel()
	shards, all := createdShards(t, startSkein, "cluster-node-timeout 20000")
	s := shards[0]
	added := startSkein(t, slices.Concat(replicated, []string{"cluster-node-timeout 20000"})...)
	s.master.Want("+OK", "CLUSTER", "MEET", "127.0.0.1", fmt.Sprint(added.Port))
	all = append(all, added)
	waitOK(t, all)

	// The other masters stand still while the node becomes a replica.
	others := []*server{shards[1].master, shards[2].master}
	for _, n := range others {
		n.Signal(syscall.SIGSTOP)
	}
	follow(t, shard{s.master, added})
	waitLinked(t, shard{s.master, added})
	added.Want("+OK", "CLUSTER", "FAILOVER")
	testkit.Eventually(t, "the replica gives up", func() bool { return strings.Contains(added.Log(), "Manual failover timed out.") })
	for _, n := range others {
		n.Signal(syscall.SIGCONT)
	}
	if role(s.master) != "master" || role(added) != "slave" {
		t.Error("the roles have changed")
	}
	mustContain(t, added.Do("CLUSTER", "EVENTS"), "Manual failover timed out.")
	waitOK(t, all)
	handOver(t, &shard{s.master, added}, all)
}
